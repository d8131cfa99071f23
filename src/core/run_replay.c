/* run_replay.c - the state that a dead head's journal proves. */
#include "core/run_inner.h"

/* Its call may have been made, and nobody knows how it ended. */
static void replay_intent(struct run *run, const struct run_record *r) {
    if (r->intent >= run->intent_max || r->intent < run->intent_count)
        return;
    /* A number that is missing in between was never durable, so never called. */
    for (uint32_t i = run->intent_count; i < r->intent; i++) {
        run->intents[i].number = i;
        run->intents[i].state = RUN_INTENT_VOID;
        run->intents[i].seen_ns = RUN_NEVER;
        run->intents[i].call = RUN_NONE;
    }
    run->intent_count = r->intent + 1;
    struct run_intent *in = &run->intents[r->intent];
    in->number = r->intent;
    in->role = r->role;
    in->count = r->count;
    in->on_demand = r->on_demand;
    in->exclude = r->exclude;
    in->state = RUN_INTENT_UNKNOWN;
    in->lost_send = true;
    in->seen_ns = RUN_NEVER;
    in->call = RUN_NONE;
    in->record = r->sequence;
}

static void replay_node(struct run *run, const struct run_record *r) {
    struct run_seen seen = {.pool = RUN_NONE};
    memcpy(seen.id, r->id, sizeof seen.id);
    seen.id[sizeof seen.id - 1] = 0;
    if (run_find_node(run, seen.id) != RUN_NONE)
        return;
    uint32_t node = roster_add(run, &seen);
    if (node == RUN_NONE)
        return;
    run->nodes[node].role = r->role < run->config.role_count ? r->role : RUN_NONE;
    run->nodes[node].intent = r->intent < run->intent_count ? r->intent : RUN_NONE;
    if (r->intent < run->intent_count)
        run->intents[r->intent].launched++;
}

static void replay_gone(struct run *run, const struct run_record *r) {
    uint32_t node = run_find_node(run, r->id);
    if (node == RUN_NONE)
        return;
    run->nodes[node].state = RUN_NODE_GONE;
    run->nodes[node].life = RUN_LIFE_GONE;
    run->nodes[node].gone_ns = run->now_ns;
}

void run_replay(struct run *run, const struct run_record *r) {
    must(run->stage == RUN_STAGE_NEW);
    must(run->config.mode == RUN_MODE_TEARDOWN);
    run->record_next = MAX(run->record_next, r->sequence + 1);
    run->durable = run->record_next;
    switch (r->kind) {
    case RUN_RECORD_BEGIN:
    case RUN_RECORD_RESOURCES:
    case RUN_RECORD_STAGE:
    case RUN_RECORD_CLEAN:
    case RUN_RECORD_KIND_END:
        return;
    case RUN_RECORD_INTENT:
        replay_intent(run, r);
        return;
    case RUN_RECORD_OUTCOME:
        if (r->intent < run->intent_count)
            run->intents[r->intent].state = RUN_INTENT_SETTLED;
        return;
    case RUN_RECORD_NODE:
        replay_node(run, r);
        return;
    case RUN_RECORD_GONE:
        replay_gone(run, r);
        return;
    }
}
