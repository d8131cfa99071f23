/* run_work.c - setup scripts and services: every node goes its own way behind two gates.
 *
 * The gates are stages: no setup before roll call is complete (scripts may name any node of the
 * fleet), no service before all setups are done, no role's service before those of lower
 * start_order are ready.  A node that comes later passes the open gates by itself.
 */
#include "core/run_inner.h"

static bool gate_open(const struct run *run, const struct run_node *n) {
    if (n->state == RUN_NODE_JOINED)
        return run->stage >= RUN_STAGE_SETUP;
    return run->stage >= RUN_STAGE_SERVICE &&
           run->config.roles[n->role].start_order <= run->service_order;
}

static void node_ready(struct run *run, struct run_actions *act, uint32_t node) {
    struct run_node *n = &run->nodes[node];
    n->state = RUN_NODE_READY;
    n->ready_ns = run->now_ns;
    emit_node(run, act, RUN_NOTE_NODE_READY, node)->why = RUN_WHY_NONE;
}

/* May this node take its next step, of the wanted state, now? */
static bool work_due(const struct run *run, uint32_t node, enum run_node_state state) {
    const struct run_node *n = &run->nodes[node];
    return n->state == state && n->link != RUN_NONE && n->slot != RUN_NONE && gate_open(run, n);
}

static void work_setup(struct run *run, struct run_actions *act) {
    struct run_action *a = NULL;
    for (uint32_t i = 0; i < run->node_count; i++) {
        struct run_node *n = &run->nodes[i];
        if (!work_due(run, i, RUN_NODE_JOINED))
            continue;
        if (!run->config.roles[n->role].has_setup) {
            n->state = RUN_NODE_SET_UP;
            continue;
        }
        n->state = RUN_NODE_SETUP;
        n->setup_tries++;
        a = a ? a : emit(act, RUN_ACT_SETUP);
        emit_ref(act, a, i);
    }
}

static void work_service(struct run *run, struct run_actions *act) {
    for (uint32_t i = 0; i < run->node_count; i++)
        if (work_due(run, i, RUN_NODE_SET_UP) && !run->config.roles[run->nodes[i].role].has_service)
            node_ready(run, act, i);
    struct run_action *a = NULL;
    for (uint32_t i = 0; i < run->node_count; i++) {
        if (!work_due(run, i, RUN_NODE_SET_UP))
            continue;
        run->nodes[i].state = RUN_NODE_STARTING;
        a = a ? a : emit(act, RUN_ACT_SERVICE);
        emit_ref(act, a, i);
    }
}

void work_advance(struct run *run, struct run_actions *act) {
    if (run->stage < RUN_STAGE_SETUP || run->stage > RUN_STAGE_PHASES ||
        run->end_why != RUN_WHY_NONE)
        return;
    work_setup(run, act);
    work_service(run, act);
}

void work_setup_done(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(ev->node < run->node_count);
    struct run_node *n = &run->nodes[ev->node];
    if (n->state != RUN_NODE_SETUP)
        return;
    if (ev->done.ok) {
        n->state = RUN_NODE_SET_UP;
        return;
    }
    struct run_note *note = emit_node(run, act, RUN_NOTE_SETUP_FAILED, ev->node);
    note->value = ev->done.exit;
    note->count = n->setup_tries;
    if (n->setup_tries < run->config.roles[n->role].setup_tries) {
        n->state = RUN_NODE_JOINED; /* again */
        return;
    }
    run->roles[n->role].short_why = RUN_WHY_SETUP_FAILED;
    roster_lose(run, act, ev->node, RUN_WHY_SETUP_FAILED);
}

void work_ready(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(ev->node < run->node_count);
    struct run_node *n = &run->nodes[ev->node];
    if (ev->kind == RUN_EV_READY) {
        if (n->state == RUN_NODE_STARTING)
            node_ready(run, act, ev->node);
        return;
    }
    if (n->state != RUN_NODE_STARTING && n->state != RUN_NODE_READY)
        return;
    emit_node(run, act, RUN_NOTE_NOT_READY, ev->node);
    run->roles[n->role].short_why = RUN_WHY_NOT_READY;
    roster_lose(run, act, ev->node, RUN_WHY_NOT_READY);
}

bool work_quorum(struct run *run, struct run_actions *act) {
    uint32_t below = roster_below(run, roster_count_here);
    if (below == RUN_NONE)
        return true;
    struct run_note *note = emit_note(act, RUN_NOTE_BELOW_QUORUM);
    note->role = below;
    note->count = roster_count_here(run, below);
    note->of = run->config.roles[below].min;
    note->why = run->roles[below].short_why;
    bool by_work = note->why == RUN_WHY_SETUP_FAILED || note->why == RUN_WHY_NOT_READY;
    run_end(run, act, by_work ? RUN_EXIT_WORKLOAD : RUN_EXIT_LOST, RUN_WHY_BELOW_QUORUM);
    return false;
}

/* Nodes in a slot that are in one of two states; those of higher order than `order` left out. */
static uint32_t work_busy(const struct run *run, enum run_node_state a, enum run_node_state b,
                          uint32_t order) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (node == RUN_NONE || run->config.roles[run->slots[i].role].start_order > order)
            continue;
        const struct run_node *n = &run->nodes[node];
        count += n->state == a || n->state == b;
    }
    return count;
}

/* Time is up for those still at it. */
static void work_expire(struct run *run, struct run_actions *act, enum run_node_state a,
                        enum run_node_state b, enum run_why why) {
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (node == RUN_NONE)
            continue;
        const struct run_node *n = &run->nodes[node];
        if ((n->state != a && n->state != b) ||
            (run->stage == RUN_STAGE_SERVICE &&
             run->config.roles[n->role].start_order > run->service_order))
            continue;
        run->roles[n->role].short_why = why;
        roster_lose(run, act, node, RUN_WHY_TIMEOUT);
    }
}

/* The smallest start_order above `order` (or at least it, when `inclusive`); UINT32_MAX: none. */
static uint32_t next_order(const struct run *run, uint32_t order, bool inclusive) {
    uint32_t next = UINT32_MAX;
    for (uint32_t role = 0; role < run->config.role_count; role++) {
        uint32_t value = run->config.roles[role].start_order;
        if (value > order || (inclusive && value == order))
            next = MIN(next, value);
    }
    return next;
}

void work_setup_stage(struct run *run, struct run_actions *act) {
    if (!work_quorum(run, act))
        return;
    if (work_busy(run, RUN_NODE_JOINED, RUN_NODE_SETUP, UINT32_MAX) > 0) {
        if (run->now_ns < run->deadline_ns)
            return;
        work_expire(run, act, RUN_NODE_JOINED, RUN_NODE_SETUP, RUN_WHY_SETUP_FAILED);
        if (!work_quorum(run, act))
            return;
    }
    run->service_order = next_order(run, 0, true);
    run_enter(run, act, RUN_STAGE_SERVICE, run_after(run->now_ns, run->config.ready_timeout_ns));
}

void work_service_stage(struct run *run, struct run_actions *act) {
    if (!work_quorum(run, act))
        return;
    if (work_busy(run, RUN_NODE_SET_UP, RUN_NODE_STARTING, run->service_order) > 0) {
        if (run->now_ns < run->deadline_ns)
            return;
        work_expire(run, act, RUN_NODE_SET_UP, RUN_NODE_STARTING, RUN_WHY_NOT_READY);
        if (!work_quorum(run, act))
            return;
    }
    if (run->service_order != UINT32_MAX)
        run->service_order = next_order(run, run->service_order, false);
    if (run->service_order != UINT32_MAX) {
        run->deadline_ns = run_after(run->now_ns, run->config.ready_timeout_ns);
        work_advance(run, act);
        return;
    }
    run->phase = RUN_NONE;
    run_enter(run, act, RUN_STAGE_PHASES, RUN_NEVER);
}
