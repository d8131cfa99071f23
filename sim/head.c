/* head.c - the shell around core/run: performs actions, dies, and comes back. */
#include "sim.h"

#include <inttypes.h>
#include <stdio.h>

/* ---------------------------------------------------------------------- journal */

static void journal_write(struct sim *s, const struct run_record *r) {
    uint8_t bytes[RUN_RECORD_BYTES_MAX];
    size_t size = run_record_encode(r, bytes);
    uint64_t delay_ns = prng_range(&s->prng, NS_PER_MS, 40 * NS_PER_MS);
    if (s->journal_broken) {
        sim_plan(s, s->now_ns + delay_ns, SIM_EVENT)->event.kind = RUN_EV_JOURNAL_FAILED;
        return;
    }
    buf_add(&s->pending, bytes, size);
    s->pending_last = r->sequence;
    if (sim_chance(s, s->faults.crash_writing))
        sim_plan(s, s->now_ns, SIM_CRASH);
    if (s->sync_planned)
        return;
    s->sync_planned = true;
    sim_plan(s, s->now_ns + delay_ns, SIM_SYNC);
}

/* These bytes are on disk now: intents among them may be launched. */
static void journal_durable(struct sim *s, const char *bytes, size_t size) {
    buf_add(&s->journal, bytes, size);
    for (size_t at = 0; at < size;) {
        struct run_record r;
        size_t used;
        if (run_record_decode((const uint8_t *)bytes + at, size - at, &r, &used, NULL) < 0)
            return;
        at += used;
        if (r.kind == RUN_RECORD_INTENT && r.intent < INTENTS_MAX) {
            s->durable_intents[r.intent] = 1;
            s->durable_counts[r.intent] = r.count;
        }
    }
}

void sim_head_sync(struct sim *s, uint64_t unused) {
    (void)unused;
    s->sync_planned = false;
    if (s->journal_broken) {
        sim_plan(s, s->now_ns, SIM_EVENT)->event.kind = RUN_EV_JOURNAL_FAILED;
        return;
    }
    journal_durable(s, buf_text(&s->pending), s->pending.len);
    buf_reset(&s->pending);
    sim_head_event(s, &(struct run_event){.kind = RUN_EV_JOURNALLED, .sequence = s->pending_last});
}

/* A crash: what was not synced survives up to some byte. */
static void journal_crash(struct sim *s) {
    size_t keep = s->pending.len ? prng_range(&s->prng, 0, s->pending.len) : 0;
    journal_durable(s, buf_text(&s->pending), keep);
    buf_reset(&s->pending);
    s->sync_planned = false;
}

static void journal_replay(struct sim *s) {
    const uint8_t *bytes = (const uint8_t *)buf_text(&s->journal);
    size_t at = 0;
    while (at < s->journal.len) {
        struct run_record r;
        size_t used;
        struct err err = {0};
        int result = run_record_decode(bytes + at, s->journal.len - at, &r, &used, &err);
        if (result == -ERR_LIMIT) {
            sim_probe(s, SIM_journal_torn);
            break;
        }
        if (result < 0)
            sim_fail(s, "the journal does not decode: %s", err.text);
        run_replay(s->run, &r);
        at += used;
    }
    /* The torn tail goes, so that the next record follows a whole one. */
    struct buf kept;
    buf_init(&kept, s->journal.max);
    buf_add(&kept, bytes, at);
    buf_deinit(&s->journal);
    s->journal = kept;
}

/* ---------------------------------------------------------------------- actions */

static void probe_stage(struct sim *s, const struct run_note *note) {
    if (note->count == RUN_STAGE_COLLECT && note->why == RUN_WHY_DONE)
        sim_probe(s, SIM_phases_done);
    if (note->count == RUN_STAGE_TEARDOWN && note->why == RUN_WHY_DONE)
        sim_probe(s, SIM_phases_done);
}

static void probe_note(struct sim *s, const struct run_note *note) {
    static const struct {
        enum run_note_kind kind;
        enum sim_probe probe;
    } map[] = {
        {RUN_NOTE_ADOPTED, SIM_adopted},
        {RUN_NOTE_LAUNCH_SETTLED, SIM_settled},
        {RUN_NOTE_SILENT, SIM_silent},
        {RUN_NOTE_REPLACED, SIM_replaced},
        {RUN_NOTE_GIVEN_UP, SIM_given_up},
        {RUN_NOTE_SPARE_RELEASED, SIM_spare_released},
        {RUN_NOTE_QUORUM, SIM_quorum},
        {RUN_NOTE_BELOW_QUORUM, SIM_below_quorum},
        {RUN_NOTE_LINK_BACK, SIM_link_back},
        {RUN_NOTE_NODE_LOST, SIM_node_lost},
        {RUN_NOTE_NOTICE, SIM_notice},
        {RUN_NOTE_SETUP_FAILED, SIM_setup_failed},
        {RUN_NOTE_PHASE_NODE_FAILED, SIM_phase_failed},
        {RUN_NOTE_JOURNAL_BROKEN, SIM_journal_broken},
        {RUN_NOTE_PROVISIONAL, SIM_provisional},
        {RUN_NOTE_TERMINATE_FAILED, SIM_terminate_failed},
        {RUN_NOTE_LEAK, SIM_leak_said},
    };
    for (size_t i = 0; i < ARRAY_LEN(map); i++)
        if (map[i].kind == note->kind)
            sim_probe(s, map[i].probe);
    if (note->kind == RUN_NOTE_REFUSED && note->why == RUN_WHY_TOO_LATE)
        sim_probe(s, SIM_refused_late);
    if (note->kind == RUN_NOTE_STAGE)
        probe_stage(s, note);
    if (note->kind == RUN_NOTE_STOPPING && note->why == RUN_WHY_USER)
        sim_probe(s, SIM_stop_1);
}

static void say_note(struct sim *s, const struct run_note *note) {
    static const char *const names[RUN_NOTE_KIND_COUNT] = {
        "stage",
        "launched",
        "short",
        "launch unknown",
        "launch settled",
        "launch refused",
        "adopted",
        "joined",
        "join refused",
        "silent",
        "replacing",
        "replaced",
        "given up",
        "quorum",
        "below quorum",
        "spare released",
        "roll call done",
        "setup failed",
        "ready",
        "not ready",
        "link lost",
        "link back",
        "node lost",
        "spot notice",
        "phase preparing",
        "phase start",
        "phase node failed",
        "phase end",
        "stopping",
        "collected",
        "terminated",
        "terminate failed",
        "list failed",
        "sweep",
        "settling",
        "resources deleted",
        "resources failed",
        "CLEAN",
        "provisional",
        "LEAK",
        "kept",
        "journal broken",
    };
    if (!s->trace)
        return;
    char who[64] = "";
    if (note->node != RUN_NONE)
        snprintf(who, sizeof who, " node %u (%s) role %d", note->node, s->run->nodes[note->node].id,
                 (int)note->role);
    else if (note->role != RUN_NONE)
        snprintf(who, sizeof who, " role %u", note->role);
    sim_say(s, "   %s%s: %s, %u of %u, value %" PRId64 "%s", names[note->kind], who,
            run_why_word(note->why), note->count, note->of, note->value,
            s->recovering ? "  [recovery]" : "");
}

static void sim_finish(struct sim *s, uint32_t exits) {
    s->finished = true;
    s->finishes++;
    sim_say(s, "== finished with exit %d%s", outcome_exit_code(exits),
            s->run->clean == RUN_CLEAN_YES ? ", clean" : "");
    if (s->run->clean == RUN_CLEAN_YES) {
        sim_probe(s, SIM_clean_said);
        s->clean_said = true;
        s->clean_ns = s->now_ns;
        /* The world goes on until nothing late can come any more. */
        sim_plan(s, s->now_ns + SIM_LATE_NS + SIM_VISIBLE_NS + 11 * NS_PER_S, SIM_TICK);
        return;
    }
    if (!(exits & RUN_EXIT_LEAK))
        sim_fail(s, "finished neither clean nor with a leak said: exit %d",
                 outcome_exit_code(exits));
    /* What the message tells the user to do. */
    if (s->healed)
        sim_plan(s, s->now_ns + prng_range(&s->prng, 1, 60) * NS_PER_S, SIM_RESTART);
}

static void perform(struct sim *s, const struct run_action *a) {
    switch (a->kind) {
    case RUN_ACT_JOURNAL:
        journal_write(s, &a->record);
        return;
    case RUN_ACT_PREPARE:
    case RUN_ACT_LAUNCH:
    case RUN_ACT_LIST:
    case RUN_ACT_TERMINATE:
    case RUN_ACT_DELETE_RESOURCES:
        sim_api_send(s, a);
        return;
    case RUN_ACT_CONSOLE:
        return;
    case RUN_ACT_ADMIT:
    case RUN_ACT_REFUSE:
    case RUN_ACT_DROP:
    case RUN_ACT_SETUP:
    case RUN_ACT_SERVICE:
    case RUN_ACT_PHASE_PREPARE:
    case RUN_ACT_PHASE_START:
    case RUN_ACT_PHASE_STOP:
    case RUN_ACT_COLLECT:
    case RUN_ACT_RELEASE:
        sim_agents_act(s, a);
        return;
    case RUN_ACT_SAY:
        probe_note(s, &a->note);
        say_note(s, &a->note);
        return;
    case RUN_ACT_TIMER:
        s->tick_ns = a->at_ns;
        if (a->at_ns == RUN_NEVER) {
            if (!s->finished)
                sim_fail(s, "a run that waits for nothing");
            return;
        }
        if (a->at_ns <= s->now_ns)
            sim_fail(s, "a timer in the past");
        sim_plan(s, a->at_ns, SIM_TICK)->number = a->at_ns;
        return;
    case RUN_ACT_FINISH:
        sim_finish(s, a->exits);
        return;
    case RUN_ACT_KIND_COUNT:
        return;
    }
}

void sim_head_event(struct sim *s, struct run_event *ev) {
    must(s->run);
    ev->now_ns = s->now_ns;
    if (ev->kind == RUN_EV_USER_STOP) {
        sim_say(s, "-- stop %u", ev->level);
        if (ev->level == 2)
            sim_probe(s, SIM_stop_2);
        if (ev->level == 3)
            sim_probe(s, SIM_stop_3);
    }
    run_step(s->run, ev, s->act);
    for (uint32_t i = 0; i < s->act->count; i++)
        perform(s, &s->act->items[i]);
}

/* ---------------------------------------------------------------------- life and death */

static void head_new(struct sim *s, const struct run_config *c) {
    run_free(s->run);
    run_actions_free(s->act);
    s->run = run_new(c);
    s->act = run_actions_new(s->run);
    s->finished = false;
    s->tick_ns = RUN_NEVER;
}

void sim_head_start(struct sim *s) {
    head_new(s, &s->config);
    sim_head_event(s, &(struct run_event){.kind = RUN_EV_START});
}

void sim_head_crash(struct sim *s) {
    if (!s->run || s->finished || s->healed)
        return;
    sim_say(s, "-- the head dies");
    if (s->recovering)
        sim_probe(s, SIM_crash_recovery);
    else if (s->run->stage == RUN_STAGE_LAUNCH)
        sim_probe(s, SIM_crash_launching);
    else if (s->run->stage >= RUN_STAGE_SETUP && s->run->stage <= RUN_STAGE_COLLECT)
        sim_probe(s, SIM_crash_working);
    else if (s->run->stage == RUN_STAGE_TEARDOWN)
        sim_probe(s, SIM_crash_teardown);
    journal_crash(s);
    run_free(s->run);
    s->run = NULL;
    s->epoch++;
    s->crashes++;
    sim_agents_cut_all(s);
    uint64_t away_s = prng_chance(&s->prng, 700000) ? prng_range(&s->prng, 0, 60)
                                                    : prng_range(&s->prng, 60, 2400);
    sim_plan(s, s->now_ns + away_s * NS_PER_S, SIM_RESTART);
}

/* `dayfly down`: from the journal, or from the tags alone. */
void sim_head_restart(struct sim *s) {
    if ((s->run && !s->finished) || s->clean_said)
        return;
    struct run_config c = s->config;
    c.mode = RUN_MODE_TEARDOWN;
    c.phase_count = 0;
    c.node_max = 1024;
    c.teardown_timeout_ns = 3600 * NS_PER_S;
    c.settles_by_resend = !s->by_tags && prng_chance(&s->prng, 300000);
    s->epoch++;
    s->recovering = true;
    s->journal_broken = false;
    s->by_tags = s->by_tags || prng_chance(&s->prng, 300000);
    if (s->by_tags) {
        /* Nothing tells which launches were under way: the two sweeps must lie so far apart that
         * the last of them has shown. */
        c.sweep_ns = SIM_LATE_NS + SIM_VISIBLE_NS + NS_PER_S;
        c.role_count = 0;
        c.settles_by_resend = false;
        sim_probe(s, SIM_recovered_by_tags);
    }
    sim_say(s, "-- a head comes back%s", s->by_tags ? ", with nothing but the tags" : "");
    head_new(s, &c);
    if (s->by_tags)
        buf_reset(&s->journal);
    else
        journal_replay(s);
    sim_head_event(s, &(struct run_event){.kind = RUN_EV_START});
}
