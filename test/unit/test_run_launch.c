/* Launch calls: one intent, one token, and what replies, silence and refusals lead to. */
#include "run_rig.h"

static struct run_config plan(uint32_t want, uint32_t min) {
    struct run_config c;
    run_config_init(&c);
    memcpy(c.id, "7k2m", 5);
    rig_role(&c, want, min);
    c.roles[0].has_setup = c.roles[0].has_service = false;
    return c;
}

/* One launch reply to the intent of the last launch call. */
static struct run_event reply(const struct rig *rig, enum run_outcome outcome) {
    struct run_event ev = {.kind = RUN_EV_LAUNCH_REPLY, .call = rig->last_launch.call};
    ev.launch.intent = rig->last_launch.launch.intent;
    ev.launch.outcome = outcome;
    return ev;
}

/* Until the first launch call is out; its answer is in the queue. */
static void until_launch(struct rig *rig) {
    rig_start(rig);
    while (rig->launch_calls == 0)
        rig_turn(rig);
}

static void a_lost_reply_is_asked_for_again_with_the_same_token(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->lose_launches = 1;
    rig->joins_off = rig->lists_fail = true;
    until_launch(rig);
    struct run_action first = rig->last_launch;
    while (rig->launch_calls < 2 && !rig->finished)
        rig_turn(rig);
    assert_string_equal(first.launch.token, "7k2m-0");
    assert_string_equal(rig->last_launch.launch.token, first.launch.token);
    assert_int_equal(rig->last_launch.launch.count, first.launch.count);
    assert_true(rig->last_launch.launch.exclude == first.launch.exclude);
    rig->joins_off = rig->lists_fail = false;
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->count, 4);
}

static void a_listing_that_shows_all_settles_a_lost_reply(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    c.backoff_ns = c.backoff_max_ns = 300 * NS_PER_S; /* it lists before it asks again */
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->lose_launches = 1;
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    assert_int_equal(rig->launch_calls, 1);
    assert_int_equal(rig->run->intents[0].state, RUN_INTENT_SETTLED);
    assert_int_equal(rig->notes[RUN_NOTE_ADOPTED], 4);
    assert_int_equal(rig->count, 4);
}

static void no_new_intent_while_an_old_one_may_still_bring_the_nodes(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->lists_fail = true;
    rig->lose_launches = UINT32_MAX;
    rig_start(rig);
    rig_until(rig, RUN_STAGE_TEARDOWN);
    assert_int_equal(rig->run->intent_count, 1);
    assert_int_equal(rig->count, 4);
    assert_true(rig->launch_calls > 1);
    assert_true(rig->launch_calls <= 8);
}

static void a_call_without_any_answer_is_unknown_after_its_time(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->lists_fail = true;
    until_launch(rig);
    rig->head = rig->tail = 0; /* nothing comes back */
    rig->joins_off = true;
    uint64_t sent_ns = rig->now_ns;
    while (rig->run->intents[0].state == RUN_INTENT_FLYING)
        rig_turn(rig);
    assert_int_equal(rig->run->intents[0].state, RUN_INTENT_UNKNOWN);
    assert_true(rig->now_ns - sent_ns == c.call_ns);
}

static void a_late_reply_is_still_read(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_launch(rig);
    struct run_event late = rig->queue[rig->head];
    rig->head = rig->tail = 0;
    rig->joins_off = rig->lists_fail = true;
    struct run_seen seen[2] = {rig->instances[0].seen, rig->instances[1].seen};
    while (rig->run->intents[0].state == RUN_INTENT_FLYING)
        rig_turn(rig);
    rig->head = rig->tail = 0;
    late.launch.seen = seen;
    rig_feed(rig, late);
    assert_int_equal(rig->run->intents[0].state, RUN_INTENT_SETTLED);
    assert_int_equal(rig->run->node_count, 2);
}

static void a_refusal_after_a_lost_send_proves_nothing(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->joins_off = rig->lists_fail = true;
    until_launch(rig);
    rig->head = rig->tail = 0;
    rig_feed(rig, reply(rig, RUN_OUTCOME_UNKNOWN));
    rig->refuse = RUN_REFUSED_CAPACITY;
    while (rig->launch_calls < 2)
        rig_turn(rig);
    while (rig->head < rig->tail)
        rig_turn(rig);
    assert_int_equal(rig->run->intents[0].state, RUN_INTENT_UNKNOWN);
    assert_true(rig->run->intents[0].ceased);
    assert_int_equal(rig->run->intent_count, 1);
}

static void a_mismatch_ends_launching_and_never_takes_a_new_token(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_launch(rig);
    rig->head = rig->tail = 0;
    struct run_event ev = reply(rig, RUN_OUTCOME_UNKNOWN);
    ev.launch.refusal = RUN_REFUSED_MISMATCH;
    rig_feed(rig, ev);
    assert_int_equal(rig_finish(rig), 1);
    assert_int_equal(rig->launch_calls, 1);
    assert_int_equal(rig_alive(rig), 0); /* what the earlier call made was found and ended */
}

static void a_partial_fleet_is_topped_up_without_the_short_pool(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    until_launch(rig);
    rig->head = rig->tail = 0;
    rig->count = 2; /* two of four were made */
    struct run_seen seen[2] = {rig->instances[0].seen, rig->instances[1].seen};
    struct run_pool_error error = {.pool = 1, .refusal = RUN_REFUSED_CAPACITY};
    struct run_event ev = reply(rig, RUN_OUTCOME_OK);
    ev.launch.seen = seen;
    ev.launch.seen_count = 2;
    ev.launch.errors = &error;
    ev.launch.error_count = 1;
    rig_feed(rig, ev);
    while (rig->launch_calls < 2)
        rig_turn(rig);
    assert_string_equal(rig->last_launch.launch.token, "7k2m-1");
    assert_int_equal(rig->last_launch.launch.count, 2);
    assert_int_equal(rig->last_launch.launch.exclude, 2);
    assert_int_equal(rig->last[RUN_NOTE_SHORT].pool, 1);
    assert_int_equal(rig_finish(rig), 0);
}

static void pools_get_another_chance_once_all_are_short(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->refuse = RUN_REFUSED_CAPACITY;
    until_launch(rig);
    while (rig->launch_calls < 4)
        rig_turn(rig);
    assert_int_equal(rig->last_launch.launch.exclude, 0);
    rig->refuse = RUN_REFUSED_NONE;
    assert_int_equal(rig_finish(rig), 0);
}

static void spot_without_capacity_goes_on_to_on_demand_when_the_plan_says_so(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    c.roles[0].market = RUN_SPOT_THEN_ON_DEMAND;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->refuse = RUN_REFUSED_CAPACITY;
    until_launch(rig);
    assert_false(rig->last_launch.launch.on_demand);
    while (rig->launch_calls < 2)
        rig_turn(rig);
    assert_true(rig->last_launch.launch.on_demand);
}

static void spot_alone_never_becomes_on_demand(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->refuse = RUN_REFUSED_CAPACITY;
    until_launch(rig);
    while (!rig->finished) {
        assert_false(rig->last_launch.launch.on_demand);
        rig_turn(rig);
    }
    assert_int_equal(outcome_exit_code(rig->exits), 5);
}

static void big_roles_are_launched_in_batches(void **state) {
    (void)state;
    struct run_config c = plan(100, 100);
    c.launch_batch_max = 30;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->launch_calls, 4);
    assert_int_equal(rig->count, 100);
}

static void permission_lost_while_launching_is_exit_4(void **state) {
    (void)state;
    struct run_config c = plan(2, 2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->refuse = RUN_REFUSED_DENIED;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 4);
    assert_int_equal(rig->launch_calls, 1);
}

UNIT_MAIN(T(a_lost_reply_is_asked_for_again_with_the_same_token),
          T(a_listing_that_shows_all_settles_a_lost_reply),
          T(no_new_intent_while_an_old_one_may_still_bring_the_nodes),
          T(a_call_without_any_answer_is_unknown_after_its_time), T(a_late_reply_is_still_read),
          T(a_refusal_after_a_lost_send_proves_nothing),
          T(a_mismatch_ends_launching_and_never_takes_a_new_token),
          T(a_partial_fleet_is_topped_up_without_the_short_pool),
          T(pools_get_another_chance_once_all_are_short),
          T(spot_without_capacity_goes_on_to_on_demand_when_the_plan_says_so),
          T(spot_alone_never_becomes_on_demand), T(big_roles_are_launched_in_batches),
          T(permission_lost_while_launching_is_exit_4))
