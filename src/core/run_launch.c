/* run_launch.c - how many to launch, what a launch reply means, and when launching is over. */
#include "core/run_inner.h"

/* Instances that the role may still get over the whole run. */
static uint32_t launch_room(const struct run *run, uint32_t role) {
    const struct run_role_config *c = &run->config.roles[role];
    uint64_t cap = (uint64_t)c->want + c->spare + c->replace_max;
    uint64_t used = (uint64_t)run->roles[role].launched + intents_pending(run, role);
    uint64_t table = run->node_max - MIN(run->node_max, run->node_count);
    uint64_t room = used < cap ? cap - used : 0;
    return (uint32_t)MIN(room, table);
}

/* Instances that the role lacks, those under way counted as here. */
static uint32_t launch_lack(const struct run *run, uint32_t role) {
    uint32_t target = roster_open(run, role);
    if (run->stage <= RUN_STAGE_ROLLCALL)
        target += run->config.roles[role].spare;
    uint32_t coming = roster_free_count(run, role) + intents_pending(run, role);
    return target > coming ? target - coming : 0;
}

static bool launch_possible(const struct run *run, uint32_t role) {
    return !run->launching_over && !run->journal_broken && !run->roles[role].exhausted &&
           run->intent_count < run->intent_max && launch_room(run, role) > 0;
}

static uint32_t launch_flights(const struct run *run) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->intent_count; i++)
        count += run->intents[i].state == RUN_INTENT_WRITING ||
                 run->intents[i].state == RUN_INTENT_FLYING;
    return count;
}

/* Slots for which no node can be had are not waited for any more. */
static void launch_give_up(struct run *run, struct run_actions *act, uint32_t role) {
    for (uint32_t i = 0; i < run->slot_count; i++) {
        struct run_slot *s = &run->slots[i];
        bool open =
            s->heir == RUN_NONE && (s->node == RUN_NONE || roster_failing(&run->nodes[s->node]));
        if (s->role != role || s->given_up || !open)
            continue;
        s->given_up = true;
        if (s->node != RUN_NONE && !run->nodes[s->node].given_up) {
            run->nodes[s->node].given_up = true;
            emit_node(run, act, RUN_NOTE_GIVEN_UP, s->node);
        }
    }
}

static void launch_role(struct run *run, struct run_actions *act, uint32_t role) {
    uint32_t lack = launch_lack(run, role);
    if (lack == 0)
        return;
    if (!launch_possible(run, role)) {
        if (intents_pending(run, role) == 0)
            launch_give_up(run, act, role);
        return;
    }
    if (run->now_ns < run->roles[role].retry_ns)
        return;
    while (lack > 0 && launch_possible(run, role) && launch_flights(run) < RUN_FLIGHTS_MAX) {
        uint32_t count = MIN(MIN(lack, run->config.launch_batch_max), launch_room(run, role));
        uint32_t intent = intents_add(run, act, role, count);
        lack -= count;
        if (run->stage == RUN_STAGE_LAUNCH)
            continue;
        struct run_note *note = emit_note(act, RUN_NOTE_REPLACING);
        note->role = role;
        note->intent = intent;
        note->count = count;
    }
}

void launch_advance(struct run *run, struct run_actions *act) {
    if (run->stage < RUN_STAGE_LAUNCH || run->stage > RUN_STAGE_PHASES || run->launching_over)
        return;
    for (uint32_t role = 0; role < run->config.role_count; role++)
        launch_role(run, act, role);
}

uint64_t launch_next(const struct run *run) {
    uint64_t next_ns = RUN_NEVER;
    if (run->stage < RUN_STAGE_LAUNCH || run->stage > RUN_STAGE_PHASES || run->launching_over)
        return next_ns;
    for (uint32_t role = 0; role < run->config.role_count; role++)
        if (run->roles[role].retry_ns > run->now_ns && launch_possible(run, role) &&
            launch_lack(run, role) > 0)
            next_ns = MIN(next_ns, run->roles[role].retry_ns);
    return next_ns;
}

/* ---------------------------------------------------------------------- replies */

static enum run_why launch_why(enum run_refusal refusal) {
    switch (refusal) {
    case RUN_REFUSED_NONE:
    case RUN_REFUSED_OTHER:
        return RUN_WHY_FAILED;
    case RUN_REFUSED_CAPACITY:
        return RUN_WHY_CAPACITY;
    case RUN_REFUSED_QUOTA:
        return RUN_WHY_QUOTA;
    case RUN_REFUSED_DENIED:
        return RUN_WHY_DENIED;
    case RUN_REFUSED_INVALID:
        return RUN_WHY_INVALID;
    case RUN_REFUSED_MISMATCH:
        return RUN_WHY_MISMATCH;
    }
    return RUN_WHY_FAILED;
}

static uint64_t launch_all_pools(const struct run *run, uint32_t role) {
    uint32_t count = run->config.roles[role].pool_count;
    return count >= 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
}

/* Spot is used up: on-demand when the plan allows it; true when it has moved on. */
static bool launch_other_market(struct run *run, uint32_t role) {
    struct run_role *r = &run->roles[role];
    if (run->config.roles[role].market != RUN_SPOT_THEN_ON_DEMAND || r->on_demand)
        return false;
    r->on_demand = true;
    r->exhausted = false;
    r->exclude = 0;
    return true;
}

/* What a refusal of one pool, or of all, does to the next call for the role. */
static void launch_short(struct run *run, struct run_actions *act, uint32_t role, uint32_t pool,
                         enum run_refusal refusal) {
    struct run_role *r = &run->roles[role];
    uint64_t bit = pool < 64 ? UINT64_C(1) << pool : launch_all_pools(run, role);
    enum run_why why = launch_why(refusal);
    if (refusal == RUN_REFUSED_QUOTA)
        r->exhausted = true;
    if ((r->short_said & bit) != bit || r->short_why != why) {
        struct run_note *note = emit_note(act, RUN_NOTE_SHORT);
        note->role = role;
        note->pool = pool;
        note->why = why;
    }
    r->short_why = why;
    r->short_said |= bit;
    r->exclude |= bit;
}

/* When the role asks again, after a reply that brought `got` of `asked`. */
static void launch_pace(struct run *run, uint32_t role, uint32_t got, uint32_t asked) {
    struct run_role *r = &run->roles[role];
    if (got >= asked) {
        r->failures = 0;
        r->short_said = 0;
        r->retry_ns = 0;
        return;
    }
    bool all_short = (r->exclude & launch_all_pools(run, role)) == launch_all_pools(run, role);
    if ((all_short || r->exhausted) && launch_other_market(run, role)) {
        r->retry_ns = run->now_ns;
        return;
    }
    if (all_short)
        r->exclude = 0; /* every pool gets another chance, later */
    r->failures = got > 0 ? 1 : r->failures + 1;
    r->retry_ns = run_after(run->now_ns, intents_backoff(run, r->failures));
}

static void launch_refused(struct run *run, struct run_actions *act, struct run_intent *in,
                           enum run_refusal refusal) {
    enum run_why why = launch_why(refusal);
    struct run_note *note = emit_note(act, RUN_NOTE_LAUNCH_REFUSED);
    note->role = in->role;
    note->intent = in->number;
    note->why = why;
    /* An earlier send without an answer may still work: this refusal does not speak for it. */
    if (in->lost_send || refusal == RUN_REFUSED_MISMATCH) {
        in->state = RUN_INTENT_UNKNOWN;
        in->lost_send = true;
        in->ceased = true;
    } else {
        intents_settle(run, act, in->number);
    }
    switch (refusal) {
    case RUN_REFUSED_CAPACITY:
    case RUN_REFUSED_QUOTA:
        launch_short(run, act, in->role, RUN_NONE, refusal);
        launch_pace(run, in->role, 0, in->count);
        return;
    case RUN_REFUSED_DENIED:
        run_end(run, act, RUN_EXIT_ACCESS, why);
        return;
    case RUN_REFUSED_INVALID:
    case RUN_REFUSED_MISMATCH:
        run_end(run, act, RUN_EXIT_ERROR, why);
        return;
    case RUN_REFUSED_NONE:
    case RUN_REFUSED_OTHER:
        launch_pace(run, in->role, 0, in->count);
        return;
    }
}

static void launch_ok(struct run *run, const struct run_event *ev, struct run_actions *act) {
    struct run_intent *in = &run->intents[ev->launch.intent];
    uint32_t before = in->launched;
    for (uint32_t i = 0; i < ev->launch.seen_count; i++) {
        uint32_t node = intents_found(run, act, in->number, &ev->launch.seen[i]);
        if (node != RUN_NONE && run->nodes[node].pool == RUN_NONE)
            run->nodes[node].pool = ev->launch.seen[i].pool;
    }
    if (!intents_unsettled(in))
        return; /* a late copy of a reply */
    intents_settle(run, act, in->number);
    if (in->launched > before) {
        struct run_note *note = emit_note(act, RUN_NOTE_LAUNCHED);
        note->role = in->role;
        note->intent = in->number;
        note->count = in->launched;
        note->of = in->count;
    }
    for (uint32_t i = 0; i < ev->launch.error_count; i++) {
        enum run_refusal refusal = ev->launch.errors[i].refusal;
        if (refusal == RUN_REFUSED_DENIED) {
            run_end(run, act, RUN_EXIT_ACCESS, RUN_WHY_DENIED);
            return;
        }
        if (in->launched < in->count)
            launch_short(run, act, in->role, ev->launch.errors[i].pool, refusal);
    }
    launch_pace(run, in->role, in->launched, in->count);
}

void launch_reply(struct run *run, const struct run_event *ev, struct run_actions *act) {
    must(ev->launch.intent < run->intent_count);
    struct run_intent *in = &run->intents[ev->launch.intent];
    must(in->state != RUN_INTENT_WRITING && in->state != RUN_INTENT_VOID);
    bool current = in->state == RUN_INTENT_FLYING && ev->call == in->call;
    switch (ev->launch.outcome) {
    case RUN_OUTCOME_OK:
        launch_ok(run, ev, act);
        return;
    case RUN_OUTCOME_REFUSED:
        if (current)
            launch_refused(run, act, in, ev->launch.refusal);
        return;
    case RUN_OUTCOME_UNKNOWN:
        if (!current)
            return;
        if (ev->launch.refusal == RUN_REFUSED_MISMATCH) {
            launch_refused(run, act, in, RUN_REFUSED_MISMATCH);
            return;
        }
        in->state = RUN_INTENT_UNKNOWN;
        in->lost_send = true;
        in->retry_ns = run_after(run->now_ns, intents_backoff(run, in->tries));
        run->list_wanted = true;
        struct run_note *note = emit_note(act, RUN_NOTE_LAUNCH_UNKNOWN);
        note->intent = in->number;
        note->role = in->role;
        note->count = in->tries;
        return;
    }
}

/* ---------------------------------------------------------------------- the stage */

void launch_stage(struct run *run, struct run_actions *act) {
    bool complete = true, over = run->now_ns >= run->deadline_ns;
    for (uint32_t role = 0; role < run->config.role_count; role++) {
        bool under_way = intents_pending(run, role) > 0 || launch_lack(run, role) > 0;
        bool stuck = !launch_possible(run, role) && intents_pending(run, role) == 0;
        if (under_way && !stuck)
            complete = false;
    }
    if (!complete && !over)
        return;
    uint32_t below = roster_below(run, roster_count_held);
    if (below != RUN_NONE) {
        struct run_note *note = emit_note(act, RUN_NOTE_BELOW_QUORUM);
        note->role = below;
        note->count = roster_count_held(run, below);
        note->of = run->config.roles[below].min;
        note->why = run->roles[below].short_why;
        run_end(run, act, RUN_EXIT_CAPACITY, RUN_WHY_CAPACITY);
        return;
    }
    for (uint32_t role = 0; role < run->config.role_count; role++) {
        uint32_t held = roster_count_held(run, role);
        launch_give_up(run, act, role);
        if (held == run->config.roles[role].want)
            continue;
        struct run_note *note = emit_note(act, RUN_NOTE_QUORUM);
        note->role = role;
        note->count = held;
        note->of = run->config.roles[role].want;
        note->why = run->roles[role].short_why;
    }
    run->last_launch_ns = MAX(run->last_launch_ns, run->stage_ns);
    run_enter(run, act, RUN_STAGE_ROLLCALL, RUN_NEVER);
}
