/* run.c - one event in, actions out: dispatch, the order of the stages, time, invariants. */
#include "core/run_inner.h"

/* ---------------------------------------------------------------------- config, memory */

void run_config_init(struct run_config *c) {
    memset(c, 0, sizeof *c);
    c->teardown = RUN_TEARDOWN_ALWAYS;
    c->ttl_ns = 3600 * NS_PER_S;
    c->launch_batch_max = 500;
    c->launch_timeout_ns = 600 * NS_PER_S;
    c->rollcall_timeout_ns = 300 * NS_PER_S;
    c->setup_timeout_ns = 900 * NS_PER_S;
    c->ready_timeout_ns = 300 * NS_PER_S;
    c->barrier_timeout_ns = 30 * NS_PER_S;
    c->start_lead_ns = NS_PER_S;
    c->collect_timeout_ns = 120 * NS_PER_S;
    c->teardown_timeout_ns = 1800 * NS_PER_S;
    c->leave_ns = 10 * NS_PER_S;
    c->call_ns = 120 * NS_PER_S;
    c->lost_ns = 15 * NS_PER_S;
    c->list_every_ns = 5 * NS_PER_S;
    c->backoff_ns = NS_PER_S;
    c->backoff_max_ns = 30 * NS_PER_S;
    c->sweep_ns = 30 * NS_PER_S;
    c->late_ns = 900 * NS_PER_S;
    c->visible_ns = 300 * NS_PER_S;
    c->settles_by_resend = true;
}

static void config_check(const struct run_config *c) {
    must(c->role_count <= ROLES_MAX && c->phase_count <= PHASES_MAX);
    must(memchr(c->id, 0, sizeof c->id));
    must(c->launch_batch_max >= 1);
    must(c->call_ns > 0 && c->backoff_ns > 0 && c->list_every_ns > 0);
    for (uint32_t i = 0; i < c->role_count; i++) {
        must(c->roles[i].min <= c->roles[i].want);
        must(c->roles[i].pool_count >= 1 && c->roles[i].pool_count <= POOLS_MAX);
    }
}

static void run_copy_phases(struct run *run, const struct run_config *config) {
    size_t spans = 0;
    for (uint32_t i = 0; i < config->phase_count; i++)
        spans += config->phases[i].span_count;
    run->phases = mem_new_array(config->phase_count, sizeof *run->phases);
    run->spans = mem_new_array(spans, sizeof *run->spans);
    spans = 0;
    for (uint32_t i = 0; i < config->phase_count; i++) {
        const struct run_phase_config *p = &config->phases[i];
        for (uint32_t j = 0; j < p->span_count; j++)
            must(p->spans[j].role < config->role_count && p->spans[j].first <= p->spans[j].last);
        run->phases[i] = *p;
        run->phases[i].spans = run->spans + spans;
        if (p->span_count > 0)
            memcpy(run->spans + spans, p->spans, p->span_count * sizeof *p->spans);
        spans += p->span_count;
    }
    run->config.phases = run->phases;
}

static void run_make_slots(struct run *run) {
    uint32_t count = 0;
    for (uint32_t role = 0; role < run->config.role_count; role++)
        count += run->config.roles[role].want;
    must(count <= SLOTS_MAX);
    run->slots = mem_new_array(count, sizeof *run->slots);
    for (uint32_t role = 0; role < run->config.role_count; role++) {
        run->roles[role].first_slot = run->slot_count;
        run->roles[role].on_demand = run->config.roles[role].market == RUN_ON_DEMAND;
        for (uint32_t i = 0; i < run->config.roles[role].want; i++) {
            struct run_slot *s = &run->slots[run->slot_count++];
            s->role = role;
            s->number = i;
            s->node = s->heir = RUN_NONE;
        }
    }
}

/* Every instance that the roles may launch, and some that only a listing knows. */
static uint32_t run_node_max(const struct run_config *c) {
    uint32_t count = 64;
    if (c->node_max > 0)
        return c->node_max;
    if (c->mode == RUN_MODE_TEARDOWN)
        return SLOTS_MAX;
    for (uint32_t i = 0; i < c->role_count; i++)
        count += c->roles[i].want + c->roles[i].spare + c->roles[i].replace_max;
    must(count <= 2 * SLOTS_MAX);
    return count;
}

struct run *run_new(const struct run_config *config) {
    config_check(config);
    struct run *run = mem_new(sizeof *run);
    run->config = *config;
    run_copy_phases(run, config);
    run_make_slots(run);
    run->node_max = run_node_max(config);
    run->nodes = mem_new_array(run->node_max, sizeof *run->nodes);
    run->index_size = 16;
    while (run->index_size < 2 * run->node_max)
        run->index_size *= 2;
    run->index = mem_new_array(run->index_size, sizeof *run->index);
    run->intent_max = INTENTS_MAX;
    run->intents = mem_new_array(run->intent_max, sizeof *run->intents);
    run->deadline_ns = RUN_NEVER;
    run->phase_deadline_ns = RUN_NEVER;
    run->phase = RUN_NONE;
    run->list_call = run->resources_call = run->prepare_call = RUN_NONE;
    for (uint32_t i = 0; i < RUN_TERMINATES_MAX; i++)
        run->terminate_call[i] = RUN_NONE;
    return run;
}

void run_free(struct run *run) {
    if (!run)
        return;
    mem_free(run->phases);
    mem_free(run->spans);
    mem_free(run->slots);
    mem_free(run->nodes);
    mem_free(run->index);
    mem_free(run->intents);
    mem_free(run);
}

/* A node can be in at most this many actions of one step: it is found, named, lost, failed in its
 * phase, replaced, doomed, ended, gone, and each word has a note or a record. */
#define ACTIONS_PER_NODE 12

struct run_actions *run_actions_new(const struct run *run) {
    struct run_actions *a = mem_new(sizeof *a);
    a->max = 512 + 6 * run->config.role_count + 4 * run->config.phase_count + 2 * run->intent_max +
             ACTIONS_PER_NODE * run->node_max;
    a->items = mem_new_array(a->max, sizeof *a->items);
    a->ref_max = 64 + ACTIONS_PER_NODE * run->node_max;
    a->refs = mem_new_array(a->ref_max, sizeof *a->refs);
    return a;
}

void run_actions_free(struct run_actions *a) {
    if (!a)
        return;
    mem_free(a->items);
    mem_free(a->refs);
    mem_free(a);
}

/* ---------------------------------------------------------------------- stages */

void run_enter(struct run *run, struct run_actions *act, enum run_stage stage,
               uint64_t deadline_ns) {
    must(stage > run->stage && stage < RUN_STAGE_COUNT);
    run->stage = stage;
    run->stage_ns = run->now_ns;
    run->deadline_ns = deadline_ns;
    struct run_record r = {.kind = RUN_RECORD_STAGE, .count = stage};
    ignore(emit_record(run, act, &r)); /* nothing waits for it */
    emit_note(act, RUN_NOTE_STAGE)->why = stage >= RUN_STAGE_COLLECT ? run->end_why : RUN_WHY_NONE;
    act->items[act->count - 1].note.count = stage;
}

void run_end(struct run *run, struct run_actions *act, uint32_t exits, enum run_why why) {
    must(why != RUN_WHY_NONE);
    run->exits |= exits;
    if (run->end_why != RUN_WHY_NONE || run->stage >= RUN_STAGE_TEARDOWN)
        return;
    run->end_why = why;
    run->launching_over = true;
    intents_void(run, act);
    if (why != RUN_WHY_DONE) {
        struct run_note *note = emit_note(act, RUN_NOTE_STOPPING);
        note->why = why;
        note->count = run->stop_level;
        phase_stop(run, act, why);
    }
    if (run->stage != RUN_STAGE_PHASES || !phase_active(run))
        teardown_collect_enter(run, act);
}

static void run_prepare_stage(struct run *run, struct run_actions *act) {
    if (run->now_ns >= run->deadline_ns) {
        run_end(run, act, RUN_EXIT_ERROR, RUN_WHY_TIMEOUT);
        return;
    }
    if (run->prepare_call != RUN_NONE || run->durable <= run->prepare_record)
        return;
    run->prepare_call = emit_call(run);
    run->prepare_ns = run->now_ns;
    run->resources_made = true;
    emit(act, RUN_ACT_PREPARE)->call = run->prepare_call;
}

/* Money and the cap of the nodes: the two ends that come by themselves. */
static void run_watch(struct run *run, struct run_actions *act) {
    if (run->stage < RUN_STAGE_PREPARE || run->stage >= RUN_STAGE_COLLECT ||
        run->end_why != RUN_WHY_NONE)
        return;
    uint64_t margin_ns = MIN(run->config.ttl_ns / 10, run->config.collect_timeout_ns);
    if (run->now_ns >= run_after(run->start_ns, run->config.ttl_ns - margin_ns)) {
        run_end(run, act, RUN_EXIT_ERROR, RUN_WHY_TTL);
        return;
    }
    if (run->config.budget_usd_micro > 0 &&
        run_cost_usd_micro(run, run->now_ns) >= run->config.budget_usd_micro)
        run_end(run, act, RUN_EXIT_ERROR, RUN_WHY_BUDGET);
}

static void run_stage_advance(struct run *run, struct run_actions *act) {
    switch (run->stage) {
    case RUN_STAGE_NEW:
    case RUN_STAGE_DONE:
    case RUN_STAGE_COUNT:
        return;
    case RUN_STAGE_PREPARE:
        run_prepare_stage(run, act);
        return;
    case RUN_STAGE_LAUNCH:
        launch_stage(run, act);
        return;
    case RUN_STAGE_ROLLCALL:
        rollcall_stage(run, act);
        return;
    case RUN_STAGE_SETUP:
        work_setup_stage(run, act);
        return;
    case RUN_STAGE_SERVICE:
        work_service_stage(run, act);
        return;
    case RUN_STAGE_PHASES:
        phase_stage(run, act);
        return;
    case RUN_STAGE_COLLECT:
        teardown_collect_stage(run, act);
        return;
    case RUN_STAGE_TEARDOWN:
        teardown_stage(run, act);
        return;
    }
}

/* What tells one turn of run_advance from the next. */
static uint64_t run_place(const struct run *run) {
    uint64_t flags = (uint64_t)run->phase_preparing << 2 | (uint64_t)run->phase_running << 1 |
                     (uint64_t)run->phase_stopping;
    return (uint64_t)run->stage << 56 | (uint64_t)(run->service_order & 0xFFFFF) << 24 |
           (uint64_t)(run->phase & 0xFFFF) << 8 | flags;
}

static void run_advance(struct run *run, struct run_actions *act) {
    uint32_t turns_max = 4 * run->config.phase_count + 4 * run->config.role_count + 32;
    for (uint32_t turn = 0;; turn++) {
        must(turn < turns_max);
        uint64_t place = run_place(run);
        run_watch(run, act);
        rollcall_advance(run, act);
        roster_fill(run, act);
        if (run->stage > RUN_STAGE_ROLLCALL && run->stage < RUN_STAGE_COLLECT)
            roster_trim(run, act, RUN_WHY_SURPLUS);
        launch_advance(run, act);
        work_advance(run, act);
        run_stage_advance(run, act);
        if (run_place(run) == place)
            break;
    }
    intents_advance(run, act);
    if (run->stage != RUN_STAGE_DONE) {
        list_terminate_advance(run, act);
        list_advance(run, act);
    }
}

static uint64_t run_next(const struct run *run) {
    if (run->stage == RUN_STAGE_DONE || run->stage == RUN_STAGE_NEW)
        return RUN_NEVER;
    uint64_t next_ns = MIN(run->deadline_ns, run->phase_deadline_ns);
    if (run->stage != RUN_STAGE_PHASES)
        next_ns = run->deadline_ns;
    next_ns = MIN(next_ns, intents_next(run));
    next_ns = MIN(next_ns, launch_next(run));
    next_ns = MIN(next_ns, rollcall_next(run));
    next_ns = MIN(next_ns, list_next(run));
    next_ns = MIN(next_ns, teardown_next(run));
    if (run->stage < RUN_STAGE_COLLECT)
        next_ns = MIN(next_ns, run_after(run->start_ns,
                                         run->config.ttl_ns - MIN(run->config.ttl_ns / 10,
                                                                  run->config.collect_timeout_ns)));
    if (run->config.budget_usd_micro > 0 && run->stage < RUN_STAGE_COLLECT)
        next_ns = MIN(next_ns, run_after(run->now_ns, 5 * NS_PER_S));
    /* Never in the past: what is due now has been done, the rest waits for an event. */
    return MAX(next_ns, run->now_ns + NS_PER_MS);
}

/* ---------------------------------------------------------------------- events */

static void run_start(struct run *run, struct run_actions *act) {
    must(run->stage == RUN_STAGE_NEW);
    run->start_ns = run->now_ns;
    if (run->config.mode == RUN_MODE_TEARDOWN) {
        run->resources_made = true;
        for (uint32_t i = 0; i < run->intent_count; i++)
            run->intents[i].sent_ns = run->now_ns; /* at the latest: its head may just have died */
        for (uint32_t i = 0; i < run->node_count; i++)
            run->nodes[i].launched_ns = run->now_ns;
        teardown_enter(run, act);
        return;
    }
    struct run_record begin = {.kind = RUN_RECORD_BEGIN, .count = run->config.role_count};
    memcpy(begin.id, run->config.id, sizeof begin.id);
    ignore(emit_record(run, act, &begin)); /* the next record waits for both */
    struct run_record resources = {.kind = RUN_RECORD_RESOURCES};
    run->prepare_record = emit_record(run, act, &resources);
    run_enter(run, act, RUN_STAGE_PREPARE, run_after(run->now_ns, run->config.launch_timeout_ns));
}

static void run_stop(struct run *run, const struct run_event *ev, struct run_actions *act) {
    if (ev->level <= run->stop_level || run->stage == RUN_STAGE_DONE)
        return;
    run->stop_level = MIN(ev->level, 3);
    uint32_t exit = ev->by_signal ? RUN_EXIT_TERMINATED : RUN_EXIT_INTERRUPTED;
    if (run->stage == RUN_STAGE_NEW) {
        run->exits |= exit;
        run->end_why = RUN_WHY_USER;
        run->launching_over = true;
        teardown_enter(run, act);
        return;
    }
    if (run->config.mode == RUN_MODE_FULL)
        run->exits |= exit;
    if (run->end_why != RUN_WHY_NONE || run->stage >= RUN_STAGE_TEARDOWN) {
        struct run_note *note = emit_note(act, RUN_NOTE_STOPPING); /* run_end says the first */
        note->why = RUN_WHY_USER;
        note->count = run->stop_level;
    }
    run_end(run, act, run->exits, RUN_WHY_USER);
    if (run->stop_level >= 2 && run->stage < RUN_STAGE_TEARDOWN)
        teardown_enter(run, act);
    if (run->stop_level >= 3 && run->stage == RUN_STAGE_TEARDOWN)
        run->deadline_ns = MIN(run->deadline_ns, run_after(run->now_ns, run->config.leave_ns));
}

static void run_prepared(struct run *run, const struct run_event *ev, struct run_actions *act) {
    if (ev->call != run->prepare_call || run->prepare_call == RUN_NONE)
        return;
    run->prepare_answered = true;
    if (run->stage != RUN_STAGE_PREPARE)
        return;
    if (ev->kind == RUN_EV_PREPARED) {
        run_enter(run, act, RUN_STAGE_LAUNCH,
                  run_after(run->now_ns, run->config.launch_timeout_ns));
        return;
    }
    bool denied = ev->prepare_failed.refusal == RUN_REFUSED_DENIED;
    run_end(run, act, denied ? RUN_EXIT_ACCESS : RUN_EXIT_ERROR,
            denied ? RUN_WHY_DENIED : RUN_WHY_FAILED);
}

static void run_journal_failed(struct run *run, struct run_actions *act) {
    if (run->journal_broken)
        return;
    run->journal_broken = true;
    run->launching_over = true;
    emit_note(act, RUN_NOTE_JOURNAL_BROKEN);
    intents_void(run, act);
    if (run->stage >= RUN_STAGE_PREPARE && run->stage < RUN_STAGE_TEARDOWN)
        run_end(run, act, RUN_EXIT_ERROR, RUN_WHY_JOURNAL);
}

static void run_console(struct run *run, const struct run_event *ev) {
    must(ev->node < run->node_count);
    run->nodes[ev->node].console_has_text = ev->console.has_text;
}

static void run_collected(struct run *run, const struct run_event *ev) {
    must(ev->node < run->node_count);
    run->nodes[ev->node].collected = true;
}

static void run_dispatch(struct run *run, const struct run_event *ev, struct run_actions *act) {
    switch (ev->kind) {
    case RUN_EV_START:
        run_start(run, act);
        return;
    case RUN_EV_TICK:
    case RUN_EV_KIND_COUNT:
        return;
    case RUN_EV_JOURNALLED:
        run->durable = MAX(run->durable, ev->sequence + 1);
        return;
    case RUN_EV_JOURNAL_FAILED:
        run_journal_failed(run, act);
        return;
    case RUN_EV_PREPARED:
    case RUN_EV_PREPARE_FAILED:
        run_prepared(run, ev, act);
        return;
    case RUN_EV_LAUNCH_REPLY:
        launch_reply(run, ev, act);
        return;
    case RUN_EV_LISTED:
        list_reply(run, ev, act);
        return;
    case RUN_EV_LIST_FAILED:
        list_failed(run, ev, act);
        return;
    case RUN_EV_TERMINATED:
        list_terminated(run, ev, act);
        return;
    case RUN_EV_RESOURCES_DELETED:
    case RUN_EV_RESOURCES_FAILED:
        teardown_resources(run, ev, act);
        return;
    case RUN_EV_CONSOLE:
        run_console(run, ev);
        return;
    case RUN_EV_JOIN:
        rollcall_join(run, ev, act);
        return;
    case RUN_EV_LINK_LOST:
        rollcall_link_lost(run, ev, act);
        return;
    case RUN_EV_SETUP_DONE:
        work_setup_done(run, ev, act);
        return;
    case RUN_EV_READY:
    case RUN_EV_NOT_READY:
        work_ready(run, ev, act);
        return;
    case RUN_EV_PHASE_PREPARED:
    case RUN_EV_PHASE_STARTED:
    case RUN_EV_PHASE_DONE:
        phase_event(run, ev, act);
        return;
    case RUN_EV_COLLECTED:
        run_collected(run, ev);
        return;
    case RUN_EV_NOTICE:
        rollcall_notice(run, ev, act);
        return;
    case RUN_EV_ABORT:
        if (run->stage >= RUN_STAGE_PREPARE)
            run_end(run, act, RUN_EXIT_THRESHOLDS, RUN_WHY_THRESHOLD);
        return;
    case RUN_EV_USER_STOP:
        run_stop(run, ev, act);
        return;
    }
}

void run_step(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(ev->kind < RUN_EV_KIND_COUNT);
    must(ev->now_ns >= run->now_ns);
    must(run->stage != RUN_STAGE_NEW || ev->kind == RUN_EV_START || ev->kind == RUN_EV_USER_STOP ||
         ev->kind == RUN_EV_TICK);
    act->count = act->ref_count = 0;
    run->now_ns = ev->now_ns;
    if (run->stage != RUN_STAGE_DONE)
        run_dispatch(run, ev, act);
    else if (ev->kind == RUN_EV_JOIN)
        rollcall_join(run, ev, act);
    run_advance(run, act);
    uint64_t next_ns = run_next(run);
    must(next_ns != RUN_NEVER || run->stage == RUN_STAGE_DONE || run->stage == RUN_STAGE_NEW);
    emit(act, RUN_ACT_TIMER)->at_ns = next_ns;
    run_check(run);
}
