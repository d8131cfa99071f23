/* run_phase.c - phases: barrier, common start, end.
 *
 * The ranks of a phase count the nodes present.  A node that drops out at the barrier would leave a
 * hole in the shared work, so the barrier is set up again for those that remain.  After the start
 * instant the work goes on without a lost node, as long as its role keeps its quorum.
 */
#include "core/run_inner.h"

bool phase_active(const struct run *run) {
    return run->phase_preparing || run->phase_running || run->phase_stopping;
}

static uint32_t phase_count(const struct run *run, enum run_part from, enum run_part to) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->node_count; i++)
        count += run->nodes[i].part >= from && run->nodes[i].part <= to;
    return count;
}

static bool phase_names(const struct run *run, const struct run_slot *s) {
    const struct run_phase_config *p = &run->phases[run->phase];
    for (uint32_t i = 0; i < p->span_count; i++)
        if (p->spans[i].role == s->role && s->number >= p->spans[i].first &&
            s->number <= p->spans[i].last)
            return true;
    return false;
}

static void phase_fail(struct run *run, enum run_why why) {
    if (run->phase_why == RUN_WHY_NONE)
        run->phase_why = why;
}

void phase_node_lost(struct run *run, struct run_actions *act, uint32_t node, enum run_why why) {
    struct run_node *n = &run->nodes[node];
    if (!phase_active(run) || n->part < RUN_PART_PREPARING || n->part > RUN_PART_STARTED)
        return;
    n->part = RUN_PART_LOST;
    if (run->phase_stopping)
        return;
    struct run_note *note = emit_node(run, act, RUN_NOTE_PHASE_NODE_FAILED, node);
    note->phase = run->phase;
    note->why = why;
}

static void phase_node_failed(struct run *run, struct run_actions *act, uint32_t node,
                              int32_t status, enum run_why why) {
    run->nodes[node].part = RUN_PART_FAILED;
    struct run_note *note = emit_node(run, act, RUN_NOTE_PHASE_NODE_FAILED, node);
    note->phase = run->phase;
    note->value = status;
    note->why = why;
    phase_fail(run, why);
}

/* ---------------------------------------------------------------------- the barrier */

/* Ranks and orders for all nodes whose part is PREPARING. */
static void phase_order(struct run *run, struct run_actions *act) {
    uint32_t ranks[ROLES_MAX] = {0};
    struct run_action *a = emit(act, RUN_ACT_PHASE_PREPARE);
    a->phase.phase = run->phase;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (node == RUN_NONE || run->nodes[node].part != RUN_PART_PREPARING)
            continue;
        run->nodes[node].rank = ranks[run->slots[i].role]++;
        emit_ref(act, a, node);
    }
    must(a->count > 0);
    run->phase_deadline_ns = run_after(run->now_ns, run->config.barrier_timeout_ns);
    struct run_note *note = emit_note(act, RUN_NOTE_PHASE_PREPARING);
    note->phase = run->phase;
    note->count = a->count;
}

/* False while a node of the phase is away and may yet come back. */
static bool phase_gather(struct run *run) {
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (node != RUN_NONE && phase_names(run, &run->slots[i]) &&
            run->nodes[node].state == RUN_NODE_READY && run->nodes[node].link == RUN_NONE)
            return false;
    }
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (node != RUN_NONE && phase_names(run, &run->slots[i]) &&
            run->nodes[node].state == RUN_NODE_READY)
            run->nodes[node].part = RUN_PART_PREPARING;
    }
    return true;
}

static void phase_begin(struct run *run, struct run_actions *act) {
    const struct run_phase_config *p = &run->phases[run->phase];
    run->phase_why = RUN_WHY_NONE;
    if (p->span_count == 0) {
        run->phase_running = true;
        run->phase_start_ns = run->now_ns;
        run->phase_deadline_ns = run_after(run->now_ns, p->duration_ns);
        struct run_note *note = emit_note(act, RUN_NOTE_PHASE_START);
        note->phase = run->phase;
        note->value_ns = run->now_ns;
        return;
    }
    if (!phase_gather(run))
        return;
    run->phase_preparing = true;
    if (phase_count(run, RUN_PART_PREPARING, RUN_PART_PREPARING) > 0)
        phase_order(run, act);
}

static void phase_start(struct run *run, struct run_actions *act) {
    struct run_action *a = emit(act, RUN_ACT_PHASE_START);
    run->phase_preparing = false;
    run->phase_running = true;
    run->phase_start_ns = run_after(run->now_ns, run->config.start_lead_ns);
    run->phase_deadline_ns = run_after(run->phase_start_ns, run->phases[run->phase].timeout_ns);
    a->phase.phase = run->phase;
    a->phase.at_ns = run->phase_start_ns;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (node != RUN_NONE && run->nodes[node].part == RUN_PART_PREPARED)
            emit_ref(act, a, node);
    }
    must(a->count > 0);
    struct run_note *note = emit_note(act, RUN_NOTE_PHASE_START);
    note->phase = run->phase;
    note->count = a->count;
    note->value_ns = run->phase_start_ns;
}

static void phase_barrier(struct run *run, struct run_actions *act) {
    bool over = run->now_ns >= run->phase_deadline_ns, dropped = false;
    for (uint32_t i = 0; i < run->node_count; i++) {
        struct run_node *n = &run->nodes[i];
        if (over && n->part == RUN_PART_PREPARING)
            phase_node_failed(run, act, i, 0, RUN_WHY_NOT_PREPARED);
        if (n->part == RUN_PART_LOST || n->part == RUN_PART_FAILED) {
            dropped |= n->rank != RUN_NONE;
            n->rank = RUN_NONE;
        }
    }
    if (phase_count(run, RUN_PART_PREPARING, RUN_PART_PREPARED) == 0) {
        phase_fail(run, RUN_WHY_BELOW_QUORUM);
        phase_stop(run, act, run->phase_why);
        return;
    }
    if (run->phase_why != RUN_WHY_NONE) {
        phase_stop(run, act, run->phase_why);
        return;
    }
    if (dropped) {
        for (uint32_t i = 0; i < run->node_count; i++)
            if (run->nodes[i].part == RUN_PART_PREPARED)
                run->nodes[i].part = RUN_PART_PREPARING;
        phase_order(run, act);
        return;
    }
    if (phase_count(run, RUN_PART_PREPARING, RUN_PART_PREPARING) == 0)
        phase_start(run, act);
}

/* ---------------------------------------------------------------------- the end */

void phase_stop(struct run *run, struct run_actions *act, enum run_why why) {
    if (!phase_active(run) || run->phase_stopping)
        return;
    phase_fail(run, why);
    run->phase_preparing = run->phase_running = false;
    run->phase_stopping = true;
    run->phase_deadline_ns = run_after(run->now_ns, run->config.lost_ns);
    struct run_action *a = NULL;
    for (uint32_t i = 0; i < run->node_count; i++) {
        struct run_node *n = &run->nodes[i];
        if (n->part < RUN_PART_PREPARING || n->part > RUN_PART_STARTED)
            continue;
        if (!a) {
            a = emit(act, RUN_ACT_PHASE_STOP);
            a->phase.phase = run->phase;
        }
        emit_ref(act, a, i);
    }
}

static void phase_end(struct run *run, struct run_actions *act) {
    const struct run_phase_config *p = &run->phases[run->phase];
    struct run_note *note = emit_note(act, RUN_NOTE_PHASE_END);
    note->phase = run->phase;
    note->why = run->phase_why;
    note->count = phase_count(run, RUN_PART_OK, RUN_PART_OK);
    note->of = phase_count(run, RUN_PART_PREPARING, RUN_PART_LOST);
    for (uint32_t i = 0; i < run->node_count; i++) {
        if (run->nodes[i].part >= RUN_PART_STARTED)
            note->value_ns = MAX(note->value_ns, run->nodes[i].skew_ns);
        run->nodes[i].part = RUN_PART_NONE;
        run->nodes[i].rank = 0;
    }
    bool failed = run->phase_why != RUN_WHY_NONE;
    run->phase_preparing = run->phase_running = run->phase_stopping = false;
    run->phase_deadline_ns = RUN_NEVER;
    if (!failed || run->end_why != RUN_WHY_NONE)
        return;
    run->exits |= run->phase_why == RUN_WHY_BELOW_QUORUM ? RUN_EXIT_LOST : RUN_EXIT_WORKLOAD;
    if (!p->on_fail_continue)
        run_end(run, act, run->exits, run->phase_why);
}

static void phase_running(struct run *run, struct run_actions *act) {
    bool over = run->now_ns >= run->phase_deadline_ns;
    if (run->phases[run->phase].span_count == 0) {
        if (over)
            phase_end(run, act);
        return;
    }
    if (phase_count(run, RUN_PART_PREPARING, RUN_PART_STARTED) == 0) {
        if (phase_count(run, RUN_PART_OK, RUN_PART_OK) == 0)
            phase_fail(run, RUN_WHY_BELOW_QUORUM);
        phase_end(run, act);
        return;
    }
    if (over)
        phase_stop(run, act, RUN_WHY_TIMEOUT);
}

void phase_stage(struct run *run, struct run_actions *act) {
    if (!phase_active(run) && run->end_why != RUN_WHY_NONE) {
        teardown_collect_enter(run, act);
        return;
    }
    if (run->end_why == RUN_WHY_NONE && !work_quorum(run, act))
        return;
    if (run->phase_stopping) {
        if (phase_count(run, RUN_PART_PREPARING, RUN_PART_STARTED) == 0 ||
            run->now_ns >= run->phase_deadline_ns)
            phase_end(run, act);
        return;
    }
    if (run->phase_preparing) {
        phase_barrier(run, act);
        return;
    }
    if (run->phase_running) {
        phase_running(run, act);
        return;
    }
    if (run->phase == RUN_NONE || run->phase_deadline_ns == RUN_NEVER) {
        run->phase = run->phase == RUN_NONE ? 0 : run->phase + 1;
        run->phase_deadline_ns = 0; /* not begun */
    }
    if (run->phase >= run->config.phase_count) {
        run->phase = run->config.phase_count;
        run_end(run, act, 0, RUN_WHY_DONE);
        return;
    }
    phase_begin(run, act);
}

void phase_event(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(ev->node < run->node_count);
    struct run_node *n = &run->nodes[ev->node];
    uint32_t phase = ev->kind == RUN_EV_PHASE_STARTED ? ev->started.phase : ev->done.phase;
    if (phase != run->phase || !phase_active(run))
        return;
    bool at_it = n->part >= RUN_PART_PREPARING && n->part <= RUN_PART_STARTED;
    if (ev->kind == RUN_EV_PHASE_PREPARED && n->part == RUN_PART_PREPARING) {
        if (ev->done.ok)
            n->part = RUN_PART_PREPARED;
        else
            phase_node_failed(run, act, ev->node, ev->done.exit, RUN_WHY_NOT_PREPARED);
    } else if (ev->kind == RUN_EV_PHASE_STARTED && at_it) {
        n->skew_ns = ev->started.skew_ns;
        n->part = RUN_PART_STARTED;
    } else if (ev->kind == RUN_EV_PHASE_DONE && at_it) {
        if (ev->done.ok || run->phase_stopping)
            n->part = RUN_PART_OK;
        else
            phase_node_failed(run, act, ev->node, ev->done.exit, RUN_WHY_FAILED);
    }
}
