/* intents.c - launch calls from their record to the certainty of what they brought.
 *
 *   WRITING -> FLYING -> SETTLED          the usual life
 *              FLYING -> UNKNOWN -> FLYING   no answer: the same bytes again, after a pause
 *              UNKNOWN -> SETTLED         by a reply, or by listings after the last late effect
 *   WRITING -> VOID                       the run ended before the call was made
 */
#include "core/run_inner.h"

bool intents_unsettled(const struct run_intent *in) {
    return in->state == RUN_INTENT_WRITING || in->state == RUN_INTENT_FLYING ||
           in->state == RUN_INTENT_UNKNOWN;
}

uint32_t intents_unsettled_count(const struct run *run) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->intent_count; i++)
        count += intents_unsettled(&run->intents[i]);
    return count;
}

uint32_t intents_pending(const struct run *run, uint32_t role) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < run->intent_count; i++) {
        const struct run_intent *in = &run->intents[i];
        if (MUTANT == 7 && in->state == RUN_INTENT_UNKNOWN)
            continue; /* "no answer" taken for "not launched" */
        if (in->role == role && intents_unsettled(in) && in->count > in->launched)
            count += in->count - in->launched;
    }
    return count;
}

uint64_t intents_backoff(const struct run *run, uint32_t failures) {
    uint64_t pause_ns = run->config.backoff_ns;
    for (uint32_t i = 1; i < failures && pause_ns < run->config.backoff_max_ns; i++)
        pause_ns *= 2;
    return MIN(pause_ns, run->config.backoff_max_ns);
}

void run_token(const struct run *run, uint32_t intent, char into[TOKEN_BYTES_MAX + 1]) {
    struct str id = str_from(run->config.id);
    char digits[12];
    size_t used = sizeof digits;
    must(id.len + sizeof digits < TOKEN_BYTES_MAX);
    if (MUTANT == 1 && intent < run->intent_count)
        intent += 1000 * (run->intents[intent].tries - 1);
    digits[--used] = 0;
    do {
        digits[--used] = (char)('0' + intent % 10);
        intent /= 10;
    } while (intent);
    memcpy(into, id.ptr, id.len);
    into[id.len] = '-';
    memcpy(into + id.len + 1, digits + used, sizeof digits - used);
}

uint32_t intents_add(struct run *run, struct run_actions *act, uint32_t role, uint32_t count) {
    must(run->intent_count < run->intent_max);
    must(count >= 1 && role < run->config.role_count);
    must(!run->launching_over);
    uint32_t number = run->intent_count++;
    struct run_intent *in = &run->intents[number];
    memset(in, 0, sizeof *in);
    in->number = number;
    in->role = role;
    in->count = count;
    in->on_demand = run->roles[role].on_demand;
    in->exclude = run->roles[role].exclude;
    in->state = RUN_INTENT_WRITING;
    in->seen_ns = RUN_NEVER;
    in->call = RUN_NONE;
    in->record = emit_record(run, act,
                             &(struct run_record){.kind = RUN_RECORD_INTENT,
                                                  .intent = number,
                                                  .role = role,
                                                  .count = count,
                                                  .on_demand = in->on_demand,
                                                  .exclude = in->exclude});
    return number;
}

void intents_settle(struct run *run, struct run_actions *act, uint32_t intent) {
    struct run_intent *in = &run->intents[intent];
    if (!intents_unsettled(in))
        return;
    in->state = RUN_INTENT_SETTLED;
    ignore(emit_record(run, act,
                       &(struct run_record){.kind = RUN_RECORD_OUTCOME,
                                            .intent = intent,
                                            .count = in->launched})); /* nothing waits for it */
    if (in->lost_send) {
        struct run_note *note = emit_note(act, RUN_NOTE_LAUNCH_SETTLED);
        note->intent = intent;
        note->role = in->role;
        note->count = in->launched;
        note->of = in->count;
    }
}

void intents_void(struct run *run, struct run_actions *act) {
    for (uint32_t i = 0; i < run->intent_count; i++) {
        if (run->intents[i].state != RUN_INTENT_WRITING)
            continue;
        run->intents[i].state = RUN_INTENT_VOID;
        ignore(
            emit_record(run, act, &(struct run_record){.kind = RUN_RECORD_OUTCOME, .intent = i}));
    }
}

uint32_t intents_found(struct run *run, struct run_actions *act, uint32_t intent,
                       const struct run_seen *seen) {
    uint32_t node = run_find_node(run, seen->id);
    if (node != RUN_NONE)
        return node;
    node = roster_add(run, seen);
    if (node == RUN_NONE)
        return RUN_NONE;
    struct run_node *n = &run->nodes[node];
    struct run_intent *in = intent < run->intent_count ? &run->intents[intent] : NULL;
    bool expected = in && intents_unsettled(in) && in->launched < in->count;
    n->intent = in ? intent : RUN_NONE;
    n->role = in ? in->role : seen->role;
    if (n->role >= run->config.role_count)
        n->role = RUN_NONE; /* a teardown without its plan */
    if (in)
        in->launched++;
    if (n->role != RUN_NONE) {
        run->roles[n->role].launched++;
        if (!n->price_usd_micro_per_hour)
            n->price_usd_micro_per_hour = run->config.roles[n->role].price_usd_micro_per_hour;
    }
    emit_node_record(run, act, RUN_RECORD_NODE, node);
    run->empty_sweeps = 0;
    if (run->stage >= RUN_STAGE_TEARDOWN || run->end_why != RUN_WHY_NONE)
        roster_doom(run, act, node, run->end_why ? run->end_why : RUN_WHY_ORPHAN);
    else if (!expected || n->role == RUN_NONE)
        roster_doom(run, act, node, RUN_WHY_ORPHAN);
    else
        run->last_launch_ns = run->now_ns;
    return node;
}

static void intents_send(struct run *run, struct run_actions *act, struct run_intent *in) {
    must(run->durable > in->record || run->config.mode == RUN_MODE_TEARDOWN || MUTANT == 2);
    must(in->tries < RUN_TRIES_MAX);
    in->tries++;
    in->state = RUN_INTENT_FLYING;
    in->sent_ns = run->now_ns;
    in->reads = 0;
    in->call = emit_call(run);
    struct run_action *a = emit(act, RUN_ACT_LAUNCH);
    a->call = in->call;
    a->launch.intent = in->number;
    a->launch.role = in->role;
    a->launch.count = in->count;
    a->launch.on_demand = in->on_demand;
    a->launch.exclude = in->exclude;
    run_token(run, in->number, a->launch.token);
}

/* A teardown sends a launch again only to learn what it brought. */
static bool intents_may_resend(const struct run *run, const struct run_intent *in) {
    if (in->ceased || in->tries >= RUN_TRIES_MAX || run->journal_broken)
        return false;
    if (run->config.mode == RUN_MODE_FULL && run->end_why == RUN_WHY_NONE)
        return true;
    return run->config.settles_by_resend && run->stop_level < 3;
}

void intents_advance(struct run *run, struct run_actions *act) {
    for (uint32_t i = 0; i < run->intent_count; i++) {
        struct run_intent *in = &run->intents[i];
        if (in->state == RUN_INTENT_WRITING && (run->durable > in->record || MUTANT == 2))
            intents_send(run, act, in);
        if (in->state == RUN_INTENT_FLYING &&
            run->now_ns >= run_after(in->sent_ns, run->config.call_ns)) {
            in->state = RUN_INTENT_UNKNOWN;
            in->lost_send = true;
            in->retry_ns = run_after(run->now_ns, intents_backoff(run, in->tries));
            run->list_wanted = true;
            struct run_note *note = emit_note(act, RUN_NOTE_LAUNCH_UNKNOWN);
            note->intent = i;
            note->role = in->role;
            note->count = in->tries;
        }
        if (in->state == RUN_INTENT_UNKNOWN && run->now_ns >= in->retry_ns &&
            intents_may_resend(run, in))
            intents_send(run, act, in);
    }
}

void intents_listed(struct run *run, struct run_actions *act, uint64_t began_ns) {
    for (uint32_t i = 0; i < run->intent_count; i++) {
        struct run_intent *in = &run->intents[i];
        if (in->state != RUN_INTENT_UNKNOWN && in->state != RUN_INTENT_FLYING)
            continue;
        if (in->launched >= in->count) {
            intents_settle(run, act, i);
            continue;
        }
        if (in->state == RUN_INTENT_FLYING)
            continue;
        /* One call takes effect once, as a whole: after the first of its instances is seen only
         * visibility can lag; before, the call itself may still be on its way. */
        uint64_t last_ns =
            in->seen_ns != RUN_NEVER ? in->seen_ns : run_after(in->sent_ns, run->config.late_ns);
        if (began_ns >= run_after(last_ns, run->config.visible_ns) && ++in->reads >= 2)
            intents_settle(run, act, i);
    }
}

uint64_t intents_next(const struct run *run) {
    uint64_t next_ns = RUN_NEVER;
    for (uint32_t i = 0; i < run->intent_count; i++) {
        const struct run_intent *in = &run->intents[i];
        if (in->state == RUN_INTENT_FLYING)
            next_ns = MIN(next_ns, run_after(in->sent_ns, run->config.call_ns));
        if (in->state == RUN_INTENT_UNKNOWN && intents_may_resend(run, in))
            next_ns = MIN(next_ns, in->retry_ns);
    }
    return next_ns;
}
