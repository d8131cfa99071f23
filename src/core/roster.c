/* roster.c - the nodes of a run and the slots they fill.
 *
 * A slot is open when no fit node fills it or is on its way to it.  A free node takes an open slot
 * at once; the node that it replaces is ended then, never before: its successor exists.  After an
 * interruption notice the old node goes on working while its heir gets ready.
 */
#include "core/run_inner.h"

static uint32_t roster_hash(const char *id) {
    uint32_t hash = UINT32_C(2166136261);
    for (const char *p = id; *p; p++)
        hash = (hash ^ (uint8_t)*p) * UINT32_C(16777619);
    return hash;
}

uint32_t run_find_node(const struct run *run, const char *id) {
    uint32_t mask = run->index_size - 1;
    for (uint32_t at = roster_hash(id) & mask; run->index[at]; at = (at + 1) & mask)
        if (strcmp(run->nodes[run->index[at] - 1].id, id) == 0)
            return run->index[at] - 1;
    return RUN_NONE;
}

uint32_t roster_add(struct run *run, const struct run_seen *seen) {
    must(memchr(seen->id, 0, sizeof seen->id));
    must(run_find_node(run, seen->id) == RUN_NONE);
    if (run->node_count == run->node_max)
        return RUN_NONE;
    uint32_t node = run->node_count++;
    struct run_node *n = &run->nodes[node];
    memset(n, 0, sizeof *n);
    memcpy(n->id, seen->id, strlen(seen->id));
    n->role = n->slot = n->intent = n->link = n->call = n->shown = RUN_NONE;
    n->pool = seen->pool;
    n->on_demand = seen->on_demand;
    n->private_ip = seen->private_ip;
    n->public_ip = seen->public_ip;
    n->price_usd_micro_per_hour = seen->price_usd_micro_per_hour;
    n->batch_max = RUN_TERMINATE_MAX;
    n->launched_ns = run->now_ns;
    n->running_ns = n->joined_ns = n->ready_ns = n->unlinked_ns = RUN_NEVER;
    n->doomed_ns = n->gone_ns = n->notice_ns = n->sent_ns = RUN_NEVER;

    uint32_t mask = run->index_size - 1;
    uint32_t at = roster_hash(n->id) & mask;
    while (run->index[at])
        at = (at + 1) & mask;
    run->index[at] = node + 1;
    return node;
}

bool roster_alive(const struct run_node *n) {
    return n->state != RUN_NODE_DOOMED && n->state != RUN_NODE_GONE;
}

bool roster_here(const struct run_node *n) {
    return n->state >= RUN_NODE_JOINED && n->state <= RUN_NODE_READY;
}

bool roster_failing(const struct run_node *n) {
    return n->state >= RUN_NODE_LOST || n->named || n->notice;
}

bool roster_free(const struct run_node *n) {
    return n->slot == RUN_NONE && n->role != RUN_NONE && !roster_failing(n);
}

static bool slot_open(const struct run *run, const struct run_slot *s) {
    if (s->heir != RUN_NONE)
        return false;
    return s->node == RUN_NONE || roster_failing(&run->nodes[s->node]);
}

uint32_t roster_open(const struct run *run, uint32_t role) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->slot_count; i++)
        if (run->slots[i].role == role && !run->slots[i].given_up && slot_open(run, &run->slots[i]))
            count++;
    return count;
}

uint32_t roster_free_count(const struct run *run, uint32_t role) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->node_count; i++)
        if (run->nodes[i].role == role && roster_free(&run->nodes[i]))
            count++;
    return count;
}

uint32_t roster_count_here(const struct run *run, uint32_t role) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (run->slots[i].role == role && node != RUN_NONE && roster_here(&run->nodes[node]))
            count++;
    }
    return count;
}

uint32_t roster_count_held(const struct run *run, uint32_t role) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        uint32_t node = run->slots[i].node;
        if (run->slots[i].role == role && node != RUN_NONE && !roster_failing(&run->nodes[node]))
            count++;
    }
    return count;
}

uint32_t roster_below(const struct run *run, uint32_t (*count)(const struct run *, uint32_t)) {
    for (uint32_t role = 0; role < run->config.role_count; role++)
        if (count(run, role) < run->config.roles[role].min)
            return role;
    return RUN_NONE;
}

/* The slot forgets the node, and the node the slot. */
static void roster_unseat(struct run *run, uint32_t node) {
    struct run_node *n = &run->nodes[node];
    if (n->slot == RUN_NONE)
        return;
    struct run_slot *s = &run->slots[n->slot];
    must(s->node == node || s->heir == node);
    if (s->node == node)
        s->node = RUN_NONE;
    if (s->heir == node)
        s->heir = RUN_NONE;
    n->slot = RUN_NONE;
}

void roster_doom(struct run *run, struct run_actions *act, uint32_t node, enum run_why why) {
    struct run_node *n = &run->nodes[node];
    if (!roster_alive(n))
        return;
    must(why != RUN_WHY_NONE);
    if (n->link != RUN_NONE) {
        struct run_action *a = emit(act, RUN_ACT_RELEASE);
        a->why = why;
        emit_ref(act, a, node);
    }
    phase_node_lost(run, act, node, why);
    if (n->state != RUN_NODE_LOST) /* else it is ended for what it was lost for */
        n->why = why;
    n->state = RUN_NODE_DOOMED;
    n->doomed_ns = run->now_ns;
    n->retry_ns = run->now_ns;
    /* While the run works, its slot is for others; at the end the names stay for the story. */
    if (run->stage < RUN_STAGE_COLLECT)
        roster_unseat(run, node);
}

void roster_lose(struct run *run, struct run_actions *act, uint32_t node, enum run_why why) {
    struct run_node *n = &run->nodes[node];
    if (n->state >= RUN_NODE_LOST)
        return;
    n->state = RUN_NODE_LOST;
    n->why = why;
    emit_node(run, act, RUN_NOTE_NODE_LOST, node);
    phase_node_lost(run, act, node, why);
}

void roster_gone(struct run *run, struct run_actions *act, uint32_t node) {
    struct run_node *n = &run->nodes[node];
    if (n->state == RUN_NODE_GONE)
        return;
    if (roster_alive(n) && run->stage < RUN_STAGE_TEARDOWN)
        roster_lose(run, act, node, RUN_WHY_DIED);
    phase_node_lost(run, act, node, RUN_WHY_DIED);
    n->state = RUN_NODE_GONE;
    n->gone_ns = run->now_ns;
    if (n->link != RUN_NONE) {
        emit(act, RUN_ACT_DROP)->link.link = n->link;
        n->link = RUN_NONE;
    }
    emit_node_record(run, act, RUN_RECORD_GONE, node);
}

/* `node` has the slot from now on; who had it is ended. */
static void roster_seat(struct run *run, struct run_actions *act, uint32_t slot, uint32_t node) {
    struct run_slot *s = &run->slots[slot];
    struct run_node *n = &run->nodes[node];
    uint32_t old = s->node;
    must(n->slot == RUN_NONE || n->slot == slot);
    must(s->role == n->role);
    if (old != RUN_NONE) {
        enum run_why why = run->nodes[old].why;
        struct run_note *note = emit_node(run, act, RUN_NOTE_REPLACED, old);
        note->other = node;
        if (roster_alive(&run->nodes[old]))
            roster_doom(run, act, old, RUN_WHY_REPLACED);
        roster_unseat(run, old);
        note->why = why;
    }
    s->node = node;
    s->heir = RUN_NONE;
    s->given_up = false;
    n->slot = slot;
    if (n->link != RUN_NONE) { /* it was a spare: it learns its number */
        struct run_action *a = emit(act, RUN_ACT_ADMIT);
        a->node = node;
        a->link.link = n->link;
    }
}

/* The best free node of a role: the furthest on its way; RUN_NONE when there is none. */
static uint32_t roster_best_free(const struct run *run, uint32_t role) {
    uint32_t best = RUN_NONE;
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        if (n->role == role && roster_free(n) &&
            (best == RUN_NONE || n->state > run->nodes[best].state))
            best = i;
    }
    return best;
}

/* A failed heir is none; a ready one takes over between phases, any one after the old is lost. */
static void slot_inherit(struct run *run, struct run_actions *act, uint32_t slot) {
    struct run_slot *s = &run->slots[slot];
    if (s->heir == RUN_NONE)
        return;
    const struct run_node *heir = &run->nodes[s->heir];
    if (roster_failing(heir)) {
        roster_unseat(run, s->heir);
        return;
    }
    bool old_works = s->node != RUN_NONE && run->nodes[s->node].state < RUN_NODE_LOST;
    if (!old_works || (heir->state == RUN_NODE_READY && !phase_active(run)))
        roster_seat(run, act, slot, s->heir);
}

void roster_fill(struct run *run, struct run_actions *act) {
    bool none_free[ROLES_MAX] = {false};
    if (run->stage >= RUN_STAGE_COLLECT)
        return;
    for (uint32_t i = 0; i < run->slot_count; i++) {
        struct run_slot *s = &run->slots[i];
        slot_inherit(run, act, i);
        if (!slot_open(run, s) || none_free[s->role])
            continue;
        uint32_t node = roster_best_free(run, s->role);
        if (node == RUN_NONE) {
            none_free[s->role] = true;
            continue;
        }
        const struct run_node *old = s->node == RUN_NONE ? NULL : &run->nodes[s->node];
        if (old && old->notice && old->state < RUN_NODE_LOST) {
            s->heir = node;
            run->nodes[node].slot = i;
        } else {
            roster_seat(run, act, i, node);
        }
    }
}

void roster_trim(struct run *run, struct run_actions *act, enum run_why why) {
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        if (n->slot != RUN_NONE || !roster_alive(n) || n->role == RUN_NONE)
            continue;
        if (why == RUN_WHY_SPARE)
            emit_node(run, act, RUN_NOTE_SPARE_RELEASED, i);
        roster_doom(run, act, i, why);
    }
}
