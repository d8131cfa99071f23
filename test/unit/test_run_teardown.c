/* Teardown: what has to be true before "clean" is said, and what is said when it is not. */
#include "run_rig.h"

static struct run_config plan(uint32_t want) {
    struct run_config c;
    run_config_init(&c);
    memcpy(c.id, "7k2m", 5);
    rig_role(&c, want, want);
    return c;
}

static struct run_config down(void) {
    struct run_config c;
    run_config_init(&c);
    memcpy(c.id, "7k2m", 5);
    c.mode = RUN_MODE_TEARDOWN;
    c.node_max = RIG_NODES;
    c.settles_by_resend = false;
    return c;
}

static void clean_needs_two_sweeps_apart(void **state) {
    (void)state;
    struct run_config c = plan(3);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    while (rig->run->empty_sweeps == 0)
        rig_turn(rig);
    uint64_t first_ns = rig->run->empty_sweep_ns;
    assert_int_equal(rig->notes[RUN_NOTE_CLEAN], 0);
    assert_int_equal(rig->seen[RUN_ACT_DELETE_RESOURCES], 0);
    assert_int_equal(rig_finish(rig), 0);
    assert_true(rig->run->list_began_ns >= first_ns + c.sweep_ns);
    assert_int_equal(rig->seen[RUN_ACT_DELETE_RESOURCES], 1);
}

static void a_listing_error_is_never_an_empty_listing(void **state) {
    (void)state;
    struct run_config c = plan(3);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    rig->lists_fail = true;
    assert_int_equal(rig_finish(rig), 9);
    assert_int_equal(rig->notes[RUN_NOTE_CLEAN], 0);
    assert_int_equal(rig->run->empty_sweeps, 0);
}

static void accepted_is_not_ended(void **state) {
    (void)state;
    struct run_config c = plan(3);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    rig->instances[1].stuck = true;
    assert_int_equal(rig_finish(rig), 9);
    assert_int_equal(rig->last[RUN_NOTE_LEAK].node,
                     run_find_node(rig->run, rig->instances[1].seen.id));
    assert_true(rig->seen[RUN_ACT_TERMINATE] > 2); /* it was asked for again */
}

static void one_refused_id_does_not_keep_the_others_alive(void **state) {
    (void)state;
    struct run_config c = plan(40);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    rig->instances[17].protected = true;
    rig_until(rig, RUN_STAGE_TEARDOWN);
    uint64_t before_ns = rig->now_ns;
    while (rig_alive(rig) > 1)
        rig_turn(rig);
    assert_true(rig->now_ns - before_ns < NS_PER_S); /* halves go out at once */
    rig->instances[17].protected = false;
    assert_int_equal(rig_finish(rig), 0);
}

static void a_terminate_call_names_500_at_most(void **state) {
    (void)state;
    struct run_config c = plan(505);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    while (!rig->finished) {
        rig_turn(rig);
        for (uint32_t i = 0; i < rig->act->count; i++)
            if (rig->act->items[i].kind == RUN_ACT_TERMINATE)
                assert_true(rig->act->items[i].count <= RUN_TERMINATE_MAX);
    }
    assert_int_equal(rig->seen[RUN_ACT_TERMINATE], 2);
    assert_int_equal(rig_alive(rig), 0);
}

static void absence_counts_after_two_reads_far_apart(void **state) {
    (void)state;
    struct run_config c = plan(2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    rig->instances[0].hidden = true; /* ended long ago and forgotten, or not shown right now */
    rig->instances[0].protected = true;
    uint64_t before_ns = rig->now_ns;
    assert_int_equal(rig_finish(rig), 0);
    assert_true(rig->now_ns - before_ns >= c.visible_ns);
}

static void a_node_that_comes_back_into_the_listing_is_ended(void **state) {
    (void)state;
    struct run_config c = plan(2);
    c.sweep_ns = 3600 * NS_PER_S; /* long enough to come back before the proof */
    c.teardown_timeout_ns = 4 * 3600 * NS_PER_S;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    rig_until(rig, RUN_STAGE_SETUP);
    struct rig_instance *in = &rig->instances[0];
    uint32_t node = run_find_node(rig->run, in->seen.id);
    in->hidden = in->protected = true;
    while (rig->run->nodes[node].state != RUN_NODE_GONE)
        rig_turn(rig);
    in->hidden = in->protected = false;
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(in->seen.life, RUN_LIFE_GONE);
    assert_int_equal(rig_alive(rig), 0);
}

static void resources_that_stay_are_a_leak(void **state) {
    (void)state;
    struct run_config c = plan(2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig->resources_stuck = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 9);
    assert_int_equal(rig->last[RUN_NOTE_LEAK].why, RUN_WHY_RESOURCES);
    assert_int_equal(rig->notes[RUN_NOTE_CLEAN], 0);
}

static void resources_in_the_making_are_waited_for_before_they_are_deleted(void **state) {
    (void)state;
    struct run_config c = plan(2);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    rig_start(rig);
    while (!rig->seen[RUN_ACT_PREPARE])
        rig_turn(rig);
    struct run_event prepared = rig->queue[rig->tail - 1];
    assert_int_equal(prepared.kind, RUN_EV_PREPARED);
    rig->head = rig->tail = 0;
    rig_feed(rig, (struct run_event){.kind = RUN_EV_USER_STOP, .level = 1});
    assert_int_equal(rig->seen[RUN_ACT_DELETE_RESOURCES], 0);
    rig_feed(rig, prepared);
    assert_int_equal(rig->seen[RUN_ACT_DELETE_RESOURCES], 1);
    assert_int_equal(rig_finish(rig), 130);
}

static void down_ends_what_the_tags_show(void **state) {
    (void)state;
    struct run_config c = down();
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    for (uint32_t i = 0; i < 5; i++)
        rig_make(rig, 0, i);
    rig_make(rig, RUN_NONE, RUN_NONE);
    rig->joins_off = true;
    rig_start(rig);
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig_alive(rig), 0);
    assert_int_equal(rig->run->clean, RUN_CLEAN_YES);
    assert_int_equal(rig->last[RUN_NOTE_CLEAN].count, 6);
}

static void replay(struct rig *rig, uint64_t sequence, enum run_record_kind kind, uint32_t intent,
                   uint32_t count) {
    struct run_record r = {.kind = kind, .sequence = sequence, .intent = intent, .count = count};
    run_replay(rig->run, &r);
}

static void an_unsettled_launch_of_a_dead_head_delays_clean(void **state) {
    (void)state;
    struct run_config c = down();
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    replay(rig, 0, RUN_RECORD_INTENT, 0, 3);
    rig->joins_off = true;
    rig_start(rig);
    uint64_t before_ns = rig->now_ns;
    while (!rig->notes[RUN_NOTE_PROVISIONAL])
        rig_turn(rig);
    assert_int_equal(rig->run->clean, RUN_CLEAN_PROVISIONAL);
    assert_true(rig->last[RUN_NOTE_PROVISIONAL].value_ns == before_ns + c.late_ns + c.visible_ns);
    rig_make(rig, 0, 0); /* the late launch acts now */
    rig_make(rig, 0, 0);
    assert_int_equal(rig_finish(rig), 0);
    assert_int_equal(rig_alive(rig), 0);
    assert_int_equal(rig->launch_calls, 0);
    assert_true(rig->now_ns - before_ns >= c.visible_ns);
}

static void a_settled_launch_of_a_dead_head_delays_nothing(void **state) {
    (void)state;
    struct run_config c = down();
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    replay(rig, 0, RUN_RECORD_INTENT, 0, 3);
    replay(rig, 1, RUN_RECORD_OUTCOME, 0, 3);
    for (uint32_t i = 0; i < 3; i++)
        rig_make(rig, 0, 0);
    rig->joins_off = true;
    rig_start(rig);
    uint64_t before_ns = rig->now_ns;
    assert_int_equal(rig_finish(rig), 0);
    assert_true(rig->now_ns - before_ns < 2 * c.sweep_ns);
    assert_int_equal(rig_alive(rig), 0);
}

static void all_instances_seen_settle_a_launch_at_once(void **state) {
    (void)state;
    struct run_config c = down();
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    replay(rig, 0, RUN_RECORD_INTENT, 0, 3);
    for (uint32_t i = 0; i < 3; i++)
        rig_make(rig, 0, 0);
    rig->joins_off = true;
    rig_start(rig);
    uint64_t before_ns = rig->now_ns;
    assert_int_equal(rig_finish(rig), 0);
    assert_true(rig->now_ns - before_ns < 2 * c.sweep_ns);
}

static void a_teardown_may_ask_again_to_learn_what_a_launch_brought(void **state) {
    (void)state;
    struct run_config c = down();
    c.settles_by_resend = true;
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    replay(rig, 7, RUN_RECORD_INTENT, 0, 2);
    rig->joins_off = true;
    rig_start(rig);
    uint64_t before_ns = rig->now_ns;
    assert_int_equal(rig_finish(rig), 0);
    assert_string_equal(rig->token, "7k2m-0");
    assert_int_equal(rig_alive(rig), 0);
    assert_true(rig->now_ns - before_ns < c.late_ns);
}

static void the_journal_of_a_run_replays_into_its_own_teardown(void **state) {
    (void)state;
    struct run_config c = plan(5);
    CLEANUP(rig_freep) struct rig *rig = rig_new(&c);
    struct run_config d = down();
    CLEANUP(rig_freep) struct rig *after = rig_new(&d);
    rig_start(rig);
    while (rig->run->stage < RUN_STAGE_SETUP) {
        for (uint32_t i = 0; i < rig->act->count; i++)
            if (rig->act->items[i].kind == RUN_ACT_JOURNAL)
                run_replay(after->run, &rig->act->items[i].record);
        rig_turn(rig);
    }
    memcpy(after->instances, rig->instances, sizeof rig->instances);
    after->count = rig->count;
    after->joins_off = true;
    after->now_ns = rig->now_ns;
    assert_int_equal(after->run->node_count, 5);
    assert_int_equal(after->run->intents[0].state, RUN_INTENT_SETTLED);
    rig_start(after);
    assert_int_equal(rig_finish(after), 0);
    assert_int_equal(rig_alive(after), 0);
}

UNIT_MAIN(T(clean_needs_two_sweeps_apart), T(a_listing_error_is_never_an_empty_listing),
          T(accepted_is_not_ended), T(one_refused_id_does_not_keep_the_others_alive),
          T(a_terminate_call_names_500_at_most), T(absence_counts_after_two_reads_far_apart),
          T(a_node_that_comes_back_into_the_listing_is_ended), T(resources_that_stay_are_a_leak),
          T(resources_in_the_making_are_waited_for_before_they_are_deleted),
          T(down_ends_what_the_tags_show), T(an_unsettled_launch_of_a_dead_head_delays_clean),
          T(a_settled_launch_of_a_dead_head_delays_nothing),
          T(all_instances_seen_settle_a_launch_at_once),
          T(a_teardown_may_ask_again_to_learn_what_a_launch_brought),
          T(the_journal_of_a_run_replays_into_its_own_teardown))
