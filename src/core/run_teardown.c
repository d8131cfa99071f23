/* run_teardown.c - collect, end everything, and prove it.
 *
 * "Clean" needs all of this: every known instance seen terminated (or absent in two complete
 * reads), no intent that may yet have an effect, two empty sweeps `sweep_ns` apart, and templates
 * and groups deleted.  Nothing here waits for the journal.
 */
#include "core/run_inner.h"

/* ---------------------------------------------------------------------- collect */

static bool collects(const struct run_node *n) {
    return n->link != RUN_NONE && roster_alive(n) && n->state >= RUN_NODE_JOINED;
}

void teardown_collect_enter(struct run *run, struct run_actions *act) {
    must(run->end_why != RUN_WHY_NONE);
    if (!run->config.collects || run->stop_level >= 2 || run->stage < RUN_STAGE_SETUP) {
        teardown_enter(run, act);
        return;
    }
    run_enter(run, act, RUN_STAGE_COLLECT, run_after(run->now_ns, run->config.collect_timeout_ns));
    struct run_action *a = NULL;
    for (uint32_t i = 0; i < run->node_count; i++) {
        if (!collects(&run->nodes[i]))
            continue;
        a = a ? a : emit(act, RUN_ACT_COLLECT);
        emit_ref(act, a, i);
    }
}

void teardown_collect_stage(struct run *run, struct run_actions *act) {
    uint32_t waiting = 0, done = 0, of = 0;
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        done += n->collected;
        of += n->was_linked && (n->collected || roster_alive(n));
        waiting += collects(n) && !n->collected;
    }
    if (waiting > 0 && run->now_ns < run->deadline_ns)
        return;
    struct run_note *note = emit_note(act, RUN_NOTE_COLLECTED);
    note->count = done;
    note->of = of;
    teardown_enter(run, act);
}

/* ---------------------------------------------------------------------- teardown */

/* The policy may keep a fleet that works (or failed its test) until its ttl. */
static bool keeps(const struct run *run, enum run_stage before) {
    if (run->config.mode != RUN_MODE_FULL || before < RUN_STAGE_SETUP || run->stop_level > 0)
        return false;
    switch (run->config.teardown) {
    case RUN_TEARDOWN_ALWAYS:
        return false;
    case RUN_TEARDOWN_ON_PASS:
        return run->exits != 0;
    case RUN_TEARDOWN_NEVER:
        return true;
    }
    return false;
}

static void finish(struct run *run, struct run_actions *act) {
    must(run->stage != RUN_STAGE_DONE);
    run_enter(run, act, RUN_STAGE_DONE, RUN_NEVER);
    emit(act, RUN_ACT_FINISH)->exits = run->exits;
}

void teardown_enter(struct run *run, struct run_actions *act) {
    enum run_stage before = run->stage;
    run->launching_over = true;
    intents_void(run, act);
    run_enter(run, act, RUN_STAGE_TEARDOWN,
              run_after(run->now_ns, run->config.teardown_timeout_ns));
    if (keeps(run, before)) {
        uint32_t kept = 0;
        for (uint32_t i = 0; i < run->node_count; i++)
            kept += roster_alive(&run->nodes[i]);
        struct run_note *note = emit_note(act, RUN_NOTE_KEPT);
        note->count = kept;
        note->why = RUN_WHY_KEPT;
        list_terminate_advance(run, act);
        finish(run, act);
        return;
    }
    run->list_next_ns = run->now_ns;
    if (run->stop_level >= 3)
        run->deadline_ns = run_after(run->now_ns, run->config.leave_ns);
}

static bool all_gone(const struct run *run) {
    for (uint32_t i = 0; i < run->node_count; i++)
        if (run->nodes[i].state != RUN_NODE_GONE)
            return false;
    return true;
}

/* The instant at which the last unsettled intent is settled by listings at the latest. */
static uint64_t settled_by(const struct run *run) {
    uint64_t until_ns = run->now_ns;
    for (uint32_t i = 0; i < run->intent_count; i++) {
        const struct run_intent *in = &run->intents[i];
        if (intents_unsettled(in))
            until_ns = MAX(until_ns, run_after(run_after(in->sent_ns, run->config.late_ns),
                                               run->config.visible_ns));
    }
    return until_ns;
}

void teardown_swept(struct run *run, struct run_actions *act, uint64_t began_ns, uint32_t live) {
    bool empty = live == 0 && all_gone(run);
    if (!empty || (intents_unsettled_count(run) > 0 && MUTANT != 6)) {
        run->empty_sweeps = 0;
        if (empty && !run->provisional_said) {
            run->provisional_said = true;
            run->clean = RUN_CLEAN_PROVISIONAL;
            struct run_note *note = emit_note(act, RUN_NOTE_PROVISIONAL);
            note->why = RUN_WHY_UNSETTLED;
            note->value_ns = settled_by(run);
        }
        return;
    }
    if (run->empty_sweeps == 0) {
        run->empty_sweeps = MUTANT == 4 ? 2 : 1;
        run->empty_sweep_ns = began_ns;
    } else if (began_ns >= run_after(run->empty_sweep_ns, run->config.sweep_ns)) {
        run->empty_sweeps = 2;
    }
    if (run->empty_sweeps == 1)
        run->list_next_ns = MAX(run->now_ns, run_after(run->empty_sweep_ns, run->config.sweep_ns));
    struct run_note *note = emit_note(act, RUN_NOTE_SWEEP);
    note->count = live;
    note->value = run->empty_sweeps;
}

void teardown_resources(struct run *run, const struct run_event *ev, struct run_actions *act) {
    if (ev->call != run->resources_call || run->resources_call == RUN_NONE)
        return;
    run->resources_call = RUN_NONE;
    if (ev->kind == RUN_EV_RESOURCES_DELETED) {
        run->resources_gone = true;
        emit_note(act, RUN_NOTE_RESOURCES_DELETED);
        return;
    }
    run->resources_failures++;
    run->resources_retry_ns = run_after(run->now_ns, intents_backoff(run, run->resources_failures));
    emit_note(act, RUN_NOTE_RESOURCES_FAILED)->count = run->resources_failures;
}

static void resources_advance(struct run *run, struct run_actions *act) {
    if (run->resources_call != RUN_NONE &&
        run->now_ns >= run_after(run->resources_ns, run->config.call_ns)) {
        run->resources_call = RUN_NONE;
        run->resources_failures++;
        run->resources_retry_ns =
            run_after(run->now_ns, intents_backoff(run, run->resources_failures));
    }
    if (run->resources_call != RUN_NONE || run->now_ns < run->resources_retry_ns)
        return;
    run->resources_call = emit_call(run);
    run->resources_ns = run->now_ns;
    emit(act, RUN_ACT_DELETE_RESOURCES)->call = run->resources_call;
}

/* Group and templates may still be in the making: deleting them now would come too early. */
static bool still_preparing(const struct run *run) {
    return run->prepare_call != RUN_NONE && !run->prepare_answered &&
           run->now_ns < run_after(run->prepare_ns, run->config.call_ns);
}

/* No call that makes instances was ever sent: nothing to prove. */
static bool never_launched(const struct run *run) {
    if (run->config.mode != RUN_MODE_FULL || run->node_count > 0)
        return false;
    for (uint32_t i = 0; i < run->intent_count; i++)
        if (run->intents[i].state != RUN_INTENT_VOID)
            return false;
    return true;
}

static void say_progress(struct run *run, struct run_actions *act) {
    uint32_t gone = 0;
    for (uint32_t i = 0; i < run->node_count; i++)
        gone += run->nodes[i].state == RUN_NODE_GONE;
    if (gone == run->gone_said)
        return;
    run->gone_said = gone;
    struct run_note *note = emit_note(act, RUN_NOTE_TERMINATING);
    note->count = gone;
    note->of = run->node_count;
}

static void finish_unproved(struct run *run, struct run_actions *act) {
    bool named = false;
    run->exits |= RUN_EXIT_LEAK;
    for (uint32_t i = 0; i < run->node_count; i++) {
        if (run->nodes[i].state == RUN_NODE_GONE)
            continue;
        emit_node(run, act, RUN_NOTE_LEAK, i)->why = RUN_WHY_UNPROVED;
        named = true;
    }
    if (!named)
        emit_note(act, RUN_NOTE_LEAK)->why = intents_unsettled_count(run) > 0 ? RUN_WHY_UNSETTLED
                                             : run->empty_sweeps < 2          ? RUN_WHY_UNPROVED
                                                                              : RUN_WHY_RESOURCES;
    finish(run, act);
}

/* Third stop: leave as soon as every terminate call has been answered. */
static bool may_leave(const struct run *run) {
    if (run->stop_level < 3)
        return false;
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        if (n->state != RUN_NODE_GONE && n->life < RUN_LIFE_ENDING && !n->terminate_sent)
            return false;
    }
    return intents_unsettled_count(run) == 0;
}

void teardown_stage(struct run *run, struct run_actions *act) {
    for (uint32_t i = 0; i < run->node_count; i++)
        roster_doom(run, act, i, run->end_why ? run->end_why : RUN_WHY_ORPHAN);
    say_progress(run, act);
    if (never_launched(run))
        run->empty_sweeps = 2;
    if (run->empty_sweeps >= 2 && run->resources_made && !run->resources_gone &&
        !still_preparing(run))
        resources_advance(run, act);
    if (run->empty_sweeps >= 2 && (run->resources_gone || !run->resources_made)) {
        must(all_gone(run));
        must(intents_unsettled_count(run) == 0 || MUTANT == 6);
        run->clean = RUN_CLEAN_YES;
        ignore(emit_record(run, act, &(struct run_record){.kind = RUN_RECORD_CLEAN})); /* last */
        emit_note(act, RUN_NOTE_CLEAN)->count = run->node_count;
        finish(run, act);
        return;
    }
    if (run->now_ns >= run->deadline_ns || (may_leave(run) && run->node_count > 0))
        finish_unproved(run, act);
}

uint64_t teardown_next(const struct run *run) {
    if (run->stage != RUN_STAGE_TEARDOWN || run->empty_sweeps < 2)
        return RUN_NEVER;
    if (still_preparing(run))
        return run_after(run->prepare_ns, run->config.call_ns);
    if (run->resources_call != RUN_NONE)
        return run_after(run->resources_ns, run->config.call_ns);
    return run->resources_gone ? RUN_NEVER : run->resources_retry_ns;
}
