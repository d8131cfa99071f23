/* The life of a run from end to end: the usual way, and every way out of it. */
#include "run_rig.h"

static struct run_phase_config one_phase[2];
static struct run_span one_span;

/* Two roles, a wait and a phase on the first role. */
static struct run_config plan(uint32_t want, uint32_t min) {
    struct run_config c;
    run_config_init(&c);
    memcpy(c.id, "7k2m", 5);
    rig_role(&c, want, min);
    rig_role(&c, 1, 1);
    c.roles[1].start_order = 1;
    one_span = (struct run_span){.role = 0, .first = 0, .last = want - 1};
    one_phase[0] = (struct run_phase_config){.duration_ns = 5 * NS_PER_S};
    one_phase[1] =
        (struct run_phase_config){.spans = &one_span, .span_count = 1, .timeout_ns = 60 * NS_PER_S};
    c.phases = one_phase;
    c.phase_count = 2;
    c.collects = true;
    return c;
}

static void a_run_without_trouble_ends_clean_with_exit_0(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
    assert_int_equal(rig->count, 5);
    assert_int_equal(rig_alive(rig), 0);
    assert_int_equal(rig->notes[RUN_NOTE_JOINED], 5);
    assert_int_equal(rig->notes[RUN_NOTE_PHASE_END], 2);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].count, 4);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].value_ns, 4000);
    assert_int_equal(rig->notes[RUN_NOTE_CLEAN], 1);
    assert_int_equal(rig->seen[RUN_ACT_COLLECT], 1);
}

static void nothing_is_launched_before_its_intent_is_durable(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_LAUNCH);
    rig->journal_mute = true;
    rig->head = rig->tail = 0;
    for (int i = 0; i < 50 && !rig->finished; i++)
        rig_turn(rig);
    assert_int_equal(rig->launch_calls, 0);
    assert_int_equal(rig->count, 0);
}

static void a_broken_journal_ends_the_run_without_a_launch(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->journal_fails = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 1);
    assert_int_equal(rig->launch_calls, 0);
    assert_int_equal(rig->notes[RUN_NOTE_JOURNAL_BROKEN], 1);
}

static void a_journal_that_breaks_later_still_ends_every_instance(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    rig->journal_fails = true;
    rig_feed(rig, (struct run_event){.kind = RUN_EV_JOURNAL_FAILED});
    assert_int_equal(rig_finish(rig), 1);
    assert_int_equal(rig_alive(rig), 0);
    assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
}

static void missing_permission_is_exit_4(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->prepare_denied = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 4);
    assert_int_equal(rig->launch_calls, 0);
    assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
}

static void capacity_for_half_is_exit_5_and_nothing_stays(void **state) {
    (void)state;
    struct run_config c = plan(8, 8);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->capacity = 4;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 5);
    assert_int_equal(rig->last[RUN_NOTE_BELOW_QUORUM].count, 0 + 4);
    assert_int_equal(rig_alive(rig), 0);
    assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
}

static void capacity_above_quorum_goes_on_after_the_launch_timeout(void **state) {
    (void)state;
    struct run_config c = plan(8, 3);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->capacity = 9;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 0);
    c.roles[1].min = 0;
    CLEANUP(rig_freep) struct rig *half = rig_new(&c);
    half->capacity = 8; /* one of nine is missing */
    rig_start(half);
    assert_int_equal(rig_finish(half), 0);
    assert_true(half->notes[RUN_NOTE_QUORUM] >= 1);
}

static void quota_stops_topping_up_at_once(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->refuse = RUN_REFUSED_QUOTA;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 5);
    assert_int_equal(rig->launch_calls, 2); /* one per role */
    assert_int_equal(rig->last[RUN_NOTE_BELOW_QUORUM].why, RUN_WHY_QUOTA);
}

static void a_fleet_that_never_answers_is_exit_6(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->silent_first = RIG_NODES;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 6);
    assert_int_equal(rig_alive(rig), 0);
    assert_true(rig->count <= 2 * 5); /* want and replace_max of both roles */
}

static void a_failed_setup_is_tried_again_and_then_exit_7(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->setup_fails = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 7);
    assert_int_equal(rig->last[RUN_NOTE_SETUP_FAILED].count, 2);
    assert_int_equal(rig->count, 5); /* a script that fails is no reason for another node */
    assert_int_equal(rig_alive(rig), 0);
}

static void a_service_that_never_gets_ready_is_exit_7(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->services_fail = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 7);
    assert_int_equal(rig_alive(rig), 0);
}

static void services_start_in_order(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SERVICE);
    for (uint32_t i = 0; i < rig->run->node_count; i++)
        assert_true(rig->run->nodes[i].role == 1 ? rig->run->nodes[i].state == RUN_NODE_SET_UP
                                                 : rig->run->nodes[i].state >= RUN_NODE_SET_UP);
    rig_until(rig, RUN_STAGE_PHASES);
    for (uint32_t i = 0; i < rig->run->node_count; i++)
        assert_int_equal(rig->run->nodes[i].state, RUN_NODE_READY);
    assert_int_equal(rig->seen[RUN_ACT_SERVICE], 2);
}

static void a_failed_phase_is_exit_7_unless_it_may_continue(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    one_phase[0] = one_phase[1];
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->phase_fails = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 7);
    assert_int_equal(rig->notes[RUN_NOTE_PHASE_END], 1);
    one_phase[0].on_fail_continue = true;
    CLEANUP(rig_freep) struct rig *goes_on = rig_new(&c);
    goes_on->phase_fails = true;
    rig_start(goes_on);
    assert_int_equal(rig_finish(goes_on), 7);
    assert_int_equal(goes_on->notes[RUN_NOTE_PHASE_END], 2);
}

static void a_phase_that_hangs_is_stopped_at_its_timeout(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->phases_hang = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 7);
    assert_int_equal(rig->last[RUN_NOTE_PHASE_END].why, RUN_WHY_TIMEOUT);
    assert_int_equal(rig->seen[RUN_ACT_PHASE_STOP], 1);
}

static void a_broken_threshold_stops_the_load_and_is_exit_99(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->phases_hang = true;
    rig_start(rig);
    while (!rig->seen[RUN_ACT_PHASE_START])
        rig_turn(rig);
    rig_feed(rig, (struct run_event){.kind = RUN_EV_ABORT});
    assert_int_equal(rig->seen[RUN_ACT_PHASE_STOP], 1);
    assert_int_equal(rig_finish(rig), 99);
    assert_int_equal(rig->seen[RUN_ACT_COLLECT], 1);
}

static void stop(struct rig *rig, uint32_t level) {
    rig_feed(rig, (struct run_event){.kind = RUN_EV_USER_STOP, .level = level});
}

static void one_stop_collects_and_gives_back(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->phases_hang = true;
    rig_start(rig);
    while (!rig->seen[RUN_ACT_PHASE_START])
        rig_turn(rig);
    stop(rig, 1);
    assert_int_equal(rig_finish(rig), 130);
    assert_int_equal(rig->seen[RUN_ACT_COLLECT], 1);
    assert_int_equal(rig_alive(rig), 0);
}

static void a_second_stop_skips_collecting(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->phases_hang = true;
    rig_start(rig);
    while (!rig->seen[RUN_ACT_PHASE_START])
        rig_turn(rig);
    stop(rig, 1);
    stop(rig, 2);
    assert_int_equal(rig_finish(rig), 130);
    assert_int_equal(rig->seen[RUN_ACT_COLLECT], 0);
    assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
}

static void a_third_stop_leaves_within_its_time_after_asking_for_all_to_end(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    uint64_t before_ns = rig->now_ns;
    stop(rig, 3);
    assert_int_equal(rig_finish(rig), 9);
    assert_true(rig->now_ns - before_ns <= c.leave_ns);
    assert_int_equal(rig_alive(rig), 0);
    assert_true(rig->notes[RUN_NOTE_LEAK] >= 1);
}

static void a_stop_is_obeyed_in_every_stage(void **state) {
    (void)state;
    for (uint32_t turns = 0; turns < 120; turns++) {
        struct run_config c = plan(4, 4);
        CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
        rig_start(rig);
        for (uint32_t i = 0; i < turns && !rig->finished; i++)
            rig_turn(rig);
        if (rig->run->stage >= RUN_STAGE_COLLECT)
            break;
        stop(rig, 1 + turns % 2);
        assert_int_equal(rig_finish(rig), 130);
        assert_int_equal(rig_alive(rig), 0);
        assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
    }
}

static void the_cap_of_the_nodes_ends_the_run_before_they_end_themselves(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    c.ttl_ns = 200 * NS_PER_S;
    one_phase[0].duration_ns = 3600 * NS_PER_S;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 1);
    assert_int_equal(rig->run->end_why, RUN_WHY_TTL);
}

static void the_budget_ends_the_run(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    one_phase[0].duration_ns = 3600 * NS_PER_S;
    c.ttl_ns = 4 * 3600 * NS_PER_S;
    c.budget_usd_micro = 18000; /* six minutes of five nodes at 36,000 an hour */
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 1);
    assert_int_equal(rig->run->end_why, RUN_WHY_BUDGET);
    assert_in_range(rig->run->stage_ns / NS_PER_S, 300, 500);
}

static void a_policy_may_keep_the_fleet(void **state) {
    (void)state;
    struct run_config c = plan(4, 4);
    c.teardown = RUN_TEARDOWN_ON_PASS;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->phase_fails = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 7);
    assert_int_equal(rig_alive(rig), 5);
    assert_int_equal(rig->notes[RUN_NOTE_KEPT], 1);
    assert_int_equal(rig->notes[RUN_NOTE_CLEAN], 0);
}

static void the_same_story_gives_the_same_hash(void **state) {
    (void)state;
    struct run_config c = plan(6, 6);
    CLEANUP(rig_freep) struct rig *a = rig_new(&c);
    CLEANUP(rig_freep) struct rig *b = rig_new(&c);
    rig_start(a);
    rig_start(b);
    a->silent_first = b->silent_first = 2;
    while (!a->finished) {
        rig_turn(a);
        rig_turn(b);
        assert_int_equal(run_hash(a->run), run_hash(b->run));
    }
}

UNIT_MAIN(T(a_run_without_trouble_ends_clean_with_exit_0),
          T(nothing_is_launched_before_its_intent_is_durable),
          T(a_broken_journal_ends_the_run_without_a_launch),
          T(a_journal_that_breaks_later_still_ends_every_instance), T(missing_permission_is_exit_4),
          T(capacity_for_half_is_exit_5_and_nothing_stays),
          T(capacity_above_quorum_goes_on_after_the_launch_timeout),
          T(quota_stops_topping_up_at_once), T(a_fleet_that_never_answers_is_exit_6),
          T(a_failed_setup_is_tried_again_and_then_exit_7),
          T(a_service_that_never_gets_ready_is_exit_7), T(services_start_in_order),
          T(a_failed_phase_is_exit_7_unless_it_may_continue),
          T(a_phase_that_hangs_is_stopped_at_its_timeout),
          T(a_broken_threshold_stops_the_load_and_is_exit_99), T(one_stop_collects_and_gives_back),
          T(a_second_stop_skips_collecting),
          T(a_third_stop_leaves_within_its_time_after_asking_for_all_to_end),
          T(a_stop_is_obeyed_in_every_stage),
          T(the_cap_of_the_nodes_ends_the_run_before_they_end_themselves),
          T(the_budget_ends_the_run), T(a_policy_may_keep_the_fleet),
          T(the_same_story_gives_the_same_hash))
