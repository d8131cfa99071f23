/* run_list.c - what the listings say, and the calls that end instances.
 *
 * What a listing shows only ever moves an instance forward (a stale page cannot bring it back);
 * what it does not show counts as absent only after two complete reads `visible_ns` apart.
 */
#include "core/run_inner.h"

#define IDLE_FACTOR 12 /* listings this much rarer while nothing is awaited from them */

/* ---------------------------------------------------------------------- listings */

static void node_shown(struct run *run, struct run_actions *act, uint32_t node,
                       const struct run_seen *seen) {
    struct run_node *n = &run->nodes[node];
    n->shown = run->list_call;
    if (n->state == RUN_NODE_GONE && n->life != RUN_LIFE_GONE && seen->life != RUN_LIFE_GONE) {
        n->state = RUN_NODE_DOOMED; /* taken for absent, and back */
        n->why = n->why ? n->why : RUN_WHY_ORPHAN;
        n->gone_ns = RUN_NEVER;
        n->retry_ns = run->now_ns;
    }
    n->absences = 0;
    n->life = MAX(n->life, seen->life);
    if (n->life == RUN_LIFE_RUNNING && n->running_ns == RUN_NEVER)
        n->running_ns = run->now_ns;
    n->private_ip = n->private_ip ? n->private_ip : seen->private_ip;
    n->public_ip = n->public_ip ? n->public_ip : seen->public_ip;
    if (n->life == RUN_LIFE_GONE)
        roster_gone(run, act, node);
}

/* True when the instance is alive as far as this listing can tell. */
static bool list_seen(struct run *run, struct run_actions *act, const struct run_seen *seen) {
    uint32_t node = run_find_node(run, seen->id);
    if (seen->intent < run->intent_count) {
        struct run_intent *in = &run->intents[seen->intent];
        in->seen_ns = MIN(in->seen_ns, run->now_ns);
    }
    if (node == RUN_NONE) {
        node = intents_found(run, act, seen->intent, seen);
        if (node == RUN_NONE)
            return seen->life != RUN_LIFE_GONE;
        if (seen->life != RUN_LIFE_GONE)
            emit_node(run, act, RUN_NOTE_ADOPTED, node);
    }
    node_shown(run, act, node, seen);
    return run->nodes[node].state != RUN_NODE_GONE;
}

static void list_absent(struct run *run, struct run_actions *act) {
    for (uint32_t i = 0; i < run->node_count; i++) {
        struct run_node *n = &run->nodes[i];
        if (n->state == RUN_NODE_GONE || n->shown == run->list_call)
            continue;
        if (n->launched_ns > run->list_began_ns)
            continue; /* we learned of it after the question was asked */
        if (n->absences++ == 0)
            n->absent_ns = run->list_began_ns;
        if ((n->absences >= 2 || MUTANT == 8) &&
            run->list_began_ns >= run_after(n->absent_ns, MUTANT == 8 ? 0 : run->config.visible_ns))
            roster_gone(run, act, i);
    }
}

static void list_end(struct run *run) {
    run->list_call = RUN_NONE;
    run->list_wanted = false;
}

void list_reply(struct run *run, const struct run_event *ev, struct run_actions *act) {
    if (ev->call != run->list_call || run->list_call == RUN_NONE)
        return; /* given up long ago */
    uint32_t live = 0;
    for (uint32_t i = 0; i < ev->listed.seen_count; i++)
        live += list_seen(run, act, &ev->listed.seen[i]);
    list_absent(run, act);
    uint64_t began_ns = run->list_began_ns;
    list_end(run);
    run->list_failures = 0;
    intents_listed(run, act, began_ns);
    run->list_next_ns = run_after(run->now_ns, run->config.list_every_ns);
    if (run->stage == RUN_STAGE_TEARDOWN)
        teardown_swept(run, act, began_ns, live);
}

static void list_fail(struct run *run, struct run_actions *act) {
    list_end(run);
    run->list_failures++;
    run->list_next_ns = run_after(run->now_ns, intents_backoff(run, run->list_failures));
    emit_note(act, RUN_NOTE_LIST_FAILED)->count = run->list_failures;
}

void list_failed(struct run *run, const struct run_event *ev, struct run_actions *act) {
    if (ev->call != run->list_call || run->list_call == RUN_NONE)
        return;
    if (MUTANT == 5 && run->stage == RUN_STAGE_TEARDOWN)
        for (uint32_t i = 0; i < run->node_count; i++)
            roster_gone(run, act, i); /* "error" taken for empty */
    list_fail(run, act);
}

/* Is something awaited that only a listing can tell? */
static bool list_awaited(const struct run *run) {
    if (run->stage == RUN_STAGE_TEARDOWN)
        return true;
    for (uint32_t i = 0; i < run->intent_count; i++)
        if (run->intents[i].state == RUN_INTENT_UNKNOWN)
            return true;
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        if (n->state == RUN_NODE_BOOTING || n->state == RUN_NODE_LOST ||
            n->state == RUN_NODE_DOOMED || (roster_here(n) && n->link == RUN_NONE))
            return true;
    }
    return false;
}

static bool list_stage(const struct run *run) {
    return run->stage >= RUN_STAGE_LAUNCH && run->stage < RUN_STAGE_DONE &&
           !(run->stage == RUN_STAGE_TEARDOWN && run->empty_sweeps >= 2);
}

/* When the next listing is due. */
static uint64_t list_due(const struct run *run) {
    if (run->list_wanted && run->list_failures == 0)
        return MIN(run->list_next_ns, run_after(run->list_began_ns, run->config.list_every_ns / 4));
    if (run->list_failures == 0 && !list_awaited(run))
        return run_after(run->list_began_ns, IDLE_FACTOR * run->config.list_every_ns);
    return run->list_next_ns;
}

void list_advance(struct run *run, struct run_actions *act) {
    if (!list_stage(run))
        return;
    if (run->list_call != RUN_NONE) {
        if (run->now_ns < run_after(run->list_began_ns, run->config.call_ns))
            return;
        list_fail(run, act);
    }
    if (run->now_ns < list_due(run))
        return;
    run->list_call = emit_call(run);
    run->list_began_ns = run->now_ns;
    emit(act, RUN_ACT_LIST)->call = run->list_call;
}

/* ---------------------------------------------------------------------- terminate calls */

static void node_not_terminated(struct run *run, struct run_actions *act, uint32_t node,
                                uint32_t batch) {
    struct run_node *n = &run->nodes[node];
    n->call = RUN_NONE;
    n->failures++;
    n->batch_max = MAX(1, batch / 2);
    /* One bad id fails the whole call, so halves are tried at once; a lone id waits. */
    n->retry_ns =
        batch > 1 ? run->now_ns : run_after(run->now_ns, intents_backoff(run, n->failures));
    if (MUTANT == 3)
        roster_gone(run, act, node); /* "not found" taken for gone */
    if (batch == 1)
        emit_node(run, act, RUN_NOTE_TERMINATE_FAILED, node)->count = n->failures;
}

/* Whoever was in the call and was not accepted has failed. */
static void terminate_close(struct run *run, struct run_actions *act, uint32_t place) {
    uint32_t call = run->terminate_call[place], batch = 0;
    for (uint32_t i = 0; i < run->node_count; i++)
        batch += run->nodes[i].call == call;
    for (uint32_t i = 0; i < run->node_count; i++)
        if (run->nodes[i].call == call)
            node_not_terminated(run, act, i, batch);
    run->terminate_call[place] = RUN_NONE;
}

void list_terminated(struct run *run, const struct run_event *ev, struct run_actions *act) {
    for (uint32_t i = 0; i < ev->terminated.ok_count; i++) {
        must(ev->terminated.ok[i] < run->node_count);
        struct run_node *n = &run->nodes[ev->terminated.ok[i]];
        n->terminate_sent = true;
        n->sent_ns = run->now_ns;
        n->retry_ns = run_after(run->now_ns, RUN_REISSUE_NS);
        if (n->call == ev->call)
            n->call = RUN_NONE;
    }
    for (uint32_t place = 0; place < RUN_TERMINATES_MAX; place++)
        if (run->terminate_call[place] == ev->call && ev->call != RUN_NONE)
            terminate_close(run, act, place);
}

static bool terminate_due(const struct run *run, const struct run_node *n) {
    return n->state == RUN_NODE_DOOMED && n->life < RUN_LIFE_ENDING && n->call == RUN_NONE &&
           n->retry_ns <= run->now_ns;
}

/* One call for the first node that is due and others of the same batch size. */
static bool terminate_batch(struct run *run, struct run_actions *act, uint32_t place) {
    struct run_action *a = NULL;
    uint32_t size = 0;
    for (uint32_t i = 0; i < run->node_count; i++) {
        struct run_node *n = &run->nodes[i];
        if (!terminate_due(run, n) || (a && n->batch_max != size))
            continue;
        if (!a) {
            size = n->batch_max;
            a = emit(act, RUN_ACT_TERMINATE);
            a->call = emit_call(run);
            run->terminate_call[place] = a->call;
            run->terminate_ns[place] = run->now_ns;
        }
        n->call = a->call;
        emit_ref(act, a, i);
        if (a->count == size)
            break;
    }
    return a != NULL;
}

void list_terminate_advance(struct run *run, struct run_actions *act) {
    for (uint32_t place = 0; place < RUN_TERMINATES_MAX; place++) {
        if (run->terminate_call[place] != RUN_NONE) {
            if (run->now_ns < run_after(run->terminate_ns[place], run->config.call_ns))
                continue;
            terminate_close(run, act, place);
        }
        if (!terminate_batch(run, act, place))
            return;
    }
}

uint64_t list_next(const struct run *run) {
    uint64_t next_ns = RUN_NEVER;
    if (list_stage(run))
        next_ns = run->list_call != RUN_NONE ? run_after(run->list_began_ns, run->config.call_ns)
                                             : list_due(run);
    bool place_free = false;
    for (uint32_t place = 0; place < RUN_TERMINATES_MAX; place++) {
        if (run->terminate_call[place] == RUN_NONE)
            place_free = true;
        else
            next_ns = MIN(next_ns, run_after(run->terminate_ns[place], run->config.call_ns));
    }
    for (uint32_t i = 0; i < run->node_count && place_free; i++) {
        const struct run_node *n = &run->nodes[i];
        if (n->state == RUN_NODE_DOOMED && n->life < RUN_LIFE_ENDING && n->call == RUN_NONE)
            next_ns = MIN(next_ns, n->retry_ns);
    }
    return next_ns;
}
