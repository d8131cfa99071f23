/* run_ask.c - questions about a run: codes, counts, money, hash, and the check of the whole. */
#include "core/cost.h"
#include "core/run_inner.h"

struct run_tally run_tally(const struct run *run, uint32_t role) {
    struct run_tally t = {0};
    for (uint32_t i = 0; i < run->config.role_count; i++) {
        if (role != RUN_NONE && role != i)
            continue;
        t.want += run->config.roles[i].want;
        t.min += run->config.roles[i].min;
    }
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        if (role != RUN_NONE && n->role != role)
            continue;
        t.ever++;
        t.gone += n->state == RUN_NODE_GONE;
        if (!roster_alive(n))
            continue;
        t.launched++;
        t.running += n->life >= RUN_LIFE_RUNNING;
        t.joined += roster_here(n);
        t.ready += n->state == RUN_NODE_READY;
    }
    return t;
}

uint64_t run_cost_usd_micro(const struct run *run, uint64_t now_ns) {
    uint64_t cost = 0;
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        uint64_t end_ns = n->gone_ns != RUN_NEVER ? n->gone_ns : now_ns;
        /* Not seen running is counted from the launch: the bill is never above the estimate. */
        uint64_t from_ns = n->running_ns != RUN_NEVER ? n->running_ns : n->launched_ns;
        cost +=
            cost_instance_usd_micro(from_ns, MAX(end_ns, from_ns + 1), n->price_usd_micro_per_hour);
    }
    return cost;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * UINT64_C(1099511628211);
    return hash;
}

uint64_t run_hash(const struct run *run) {
    uint64_t hash = UINT64_C(14695981039346656037);
    const uint8_t *bytes = (const uint8_t *)run;
    size_t tables = offsetof(struct run, slots), after = offsetof(struct run, record_next);
    hash =
        hash_bytes(hash, bytes + offsetof(struct run, stage), tables - offsetof(struct run, stage));
    hash = hash_bytes(hash, bytes + after, sizeof *run - after);
    hash = hash_bytes(hash, run->slots, run->slot_count * sizeof *run->slots);
    hash = hash_bytes(hash, run->nodes, run->node_count * sizeof *run->nodes);
    return hash_bytes(hash, run->intents, run->intent_count * sizeof *run->intents);
}

const char *run_why_word(enum run_why why) {
    static const char *const words[RUN_WHY_COUNT] = {
        [RUN_WHY_NONE] = "none",
        [RUN_WHY_SILENT] = "silent",
        [RUN_WHY_PENDING] = "pending",
        [RUN_WHY_DIED] = "died",
        [RUN_WHY_LINK_LOST] = "link-lost",
        [RUN_WHY_NOTICE] = "notice",
        [RUN_WHY_REPLACED] = "replaced",
        [RUN_WHY_SPARE] = "spare",
        [RUN_WHY_SURPLUS] = "surplus",
        [RUN_WHY_ORPHAN] = "orphan",
        [RUN_WHY_SETUP_FAILED] = "setup-failed",
        [RUN_WHY_NOT_READY] = "not-ready",
        [RUN_WHY_NOT_PREPARED] = "not-prepared",
        [RUN_WHY_TIMEOUT] = "timeout",
        [RUN_WHY_STRANGER] = "stranger",
        [RUN_WHY_SOURCE] = "wrong-source",
        [RUN_WHY_CONTESTED] = "contested",
        [RUN_WHY_TOO_LATE] = "too-late",
        [RUN_WHY_CAPACITY] = "capacity",
        [RUN_WHY_QUOTA] = "quota",
        [RUN_WHY_DENIED] = "denied",
        [RUN_WHY_INVALID] = "invalid",
        [RUN_WHY_MISMATCH] = "mismatch",
        [RUN_WHY_JOURNAL] = "journal",
        [RUN_WHY_BELOW_QUORUM] = "below-quorum",
        [RUN_WHY_FAILED] = "failed",
        [RUN_WHY_THRESHOLD] = "threshold",
        [RUN_WHY_USER] = "user",
        [RUN_WHY_BUDGET] = "budget",
        [RUN_WHY_TTL] = "ttl",
        [RUN_WHY_DONE] = "done",
        [RUN_WHY_UNSETTLED] = "unsettled",
        [RUN_WHY_UNPROVED] = "unproved",
        [RUN_WHY_RESOURCES] = "resources",
        [RUN_WHY_KEPT] = "kept",
        [RUN_WHY_TOO_EARLY] = "too-early",
    };
    must(why < RUN_WHY_COUNT);
    must(words[why]);
    return words[why];
}

/* ---------------------------------------------------------------------- invariants */

static void check_nodes(const struct run *run) {
    for (uint32_t i = 0; i < run->node_count; i++) {
        const struct run_node *n = &run->nodes[i];
        must(n->id[0] != 0 && memchr(n->id, 0, sizeof n->id));
        must(n->state < RUN_NODE_STATE_COUNT);
        must(n->role == RUN_NONE || n->role < run->config.role_count);
        must(n->intent == RUN_NONE || n->intent < run->intent_count);
        must((n->state == RUN_NODE_GONE) == (n->gone_ns != RUN_NEVER));
        must(n->state != RUN_NODE_DOOMED || n->why != RUN_WHY_NONE);
        must(n->state != RUN_NODE_BOOTING || n->link == RUN_NONE);
        must(n->link == RUN_NONE || n->key_bound);
        must(n->batch_max >= 1 && n->batch_max <= RUN_TERMINATE_MAX);
        must(n->call == RUN_NONE || n->state >= RUN_NODE_DOOMED);
        if (n->slot == RUN_NONE)
            continue;
        must(n->slot < run->slot_count);
        must(run->slots[n->slot].node == i || run->slots[n->slot].heir == i);
    }
}

static void check_slots(const struct run *run) {
    for (uint32_t i = 0; i < run->slot_count; i++) {
        const struct run_slot *s = &run->slots[i];
        must(s->role < run->config.role_count);
        must(s->number < run->config.roles[s->role].want);
        must(s->node == RUN_NONE || s->node != s->heir);
        must(s->node == RUN_NONE || run->nodes[s->node].slot == i);
        must(s->heir == RUN_NONE || run->nodes[s->heir].slot == i);
        must(s->node == RUN_NONE || run->nodes[s->node].role == s->role);
    }
}

static void check_intents(const struct run *run) {
    for (uint32_t i = 0; i < run->intent_count; i++) {
        const struct run_intent *in = &run->intents[i];
        must(in->number == i);
        must(in->state != RUN_INTENT_WRITING || in->tries == 0);
        must(in->state != RUN_INTENT_FLYING || run->durable > in->record || MUTANT == 2);
        must(in->tries <= RUN_TRIES_MAX);
        must(in->state == RUN_INTENT_VOID || in->count >= 1);
    }
}

void run_check(const struct run *run) {
    must(run->stage < RUN_STAGE_COUNT);
    must(run->node_count <= run->node_max);
    must(run->intent_count <= run->intent_max);
    must(run->durable <= run->record_next);
    must(run->stop_level <= 3);
    must(run->stage < RUN_STAGE_COLLECT || run->launching_over);
    check_nodes(run);
    check_slots(run);
    check_intents(run);
    if (run->clean != RUN_CLEAN_YES)
        return;
    must(run->stage == RUN_STAGE_DONE);
    must(run->empty_sweeps >= 2);
    must(intents_unsettled_count(run) == 0 || MUTANT == 6);
    for (uint32_t i = 0; i < run->node_count; i++)
        must(run->nodes[i].state == RUN_NODE_GONE);
}
