#include "unit.h"

#include "core/pace.h"

static struct pace_plan plan_of(const struct pace_stage *stages, size_t count) {
    struct pace_plan plan;
    pace_plan_init(&plan);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(pace_plan_add(&plan, stages[i], NULL), 0);
    return plan;
}

#define PER_S(n) (UINT64_C(n) * MICRO_PER_REQUEST)
#define MICRO_PER_REQUEST UINT64_C(1000000)
#define SECONDS(n) (UINT64_C(n) * NS_PER_S)

static void a_constant_rate_is_met_to_the_last_request(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(&(struct pace_stage){SECONDS(10), PER_S(2000), PER_S(2000)}, 1);
    assert_int_equal(plan.count, 20000);
    for (uint64_t k = 0; k < plan.count; k += 7)
        assert_int_equal(pace_plan_due_ns(&plan, k), k * 500000);
}

static void a_rate_that_does_not_divide_a_second_never_drifts(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(&(struct pace_stage){SECONDS(3600), PER_S(7), PER_S(7)}, 1);
    assert_int_equal(plan.count, 7 * 3600);
    assert_int_equal(pace_plan_due_ns(&plan, 1), 142857143);
    assert_int_equal(pace_plan_due_ns(&plan, 7 * 3599), SECONDS(3599));
    struct pace_plan slow = plan_of(&(struct pace_stage){SECONDS(10), 250000, 250000}, 1);
    assert_int_equal(slow.count, 3); /* 0.25/s: at 0, 4 and 8 s */
    assert_int_equal(pace_plan_due_ns(&slow, 2), SECONDS(8));
}

static void a_ramp_has_the_area_under_its_line(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(&(struct pace_stage){SECONDS(10), 0, PER_S(1000)}, 1);
    assert_int_equal(plan.count, 5000);
    /* the area is 50 t^2: request 50 n^2 is due at n seconds */
    for (uint64_t n = 0; n < 10; n++)
        assert_int_equal(pace_plan_due_ns(&plan, 50 * n * n), n * NS_PER_S);
    assert_int_equal(pace_plan_rate_micro(&plan, SECONDS(5)), PER_S(500));
    struct pace_plan down = plan_of(&(struct pace_stage){SECONDS(10), PER_S(1000), 0}, 1);
    assert_int_equal(down.count, 5000);
    assert_int_equal(pace_plan_due_ns(&down, 5000 - 50 * 4), SECONDS(8));
}

static const struct pace_stage day[] = {
    {SECONDS(2), 0, 0},
    {SECONDS(5), 0, PER_S(333)},
    {SECONDS(3), PER_S(333), PER_S(333)},
    {SECONDS(1), 0, 0},
    {SECONDS(4), 41500000, PER_S(97)},
    {0, PER_S(97), PER_S(5)},
    {SECONDS(7), PER_S(5), 0},
};

static void every_request_is_due_at_the_first_instant_that_allows_it(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(day, ARRAY_LEN(day));
    /* 832.5 + 999 + 277 + 17.5 */
    assert_int_equal(plan.count, 2126);
    uint64_t last_ns = 0;
    for (uint64_t k = 0; k < plan.count; k++) {
        uint64_t due_ns = pace_plan_due_ns(&plan, k);
        assert_true(due_ns >= last_ns);
        assert_true(due_ns < plan.duration_ns);
        assert_true(pace_plan_due_count(&plan, due_ns) > k);
        if (due_ns > 0)
            assert_true(pace_plan_due_count(&plan, due_ns - 1) <= k);
        last_ns = due_ns;
    }
    assert_int_equal(pace_plan_due_ns(&plan, 0), SECONDS(2)); /* not in the silence before */
    assert_int_equal(pace_plan_due_count(&plan, plan.duration_ns), plan.count);
}

static void shards_add_up_to_the_plan_and_interleave(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(day, ARRAY_LEN(day));
    enum { SHARDS = 24 };
    static uint8_t seen[2126];
    memset(seen, 0, sizeof seen);
    uint64_t planned = 0;
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct pace pace;
        pace_init(&pace, &plan, 1000, i, SHARDS);
        uint64_t number = 0, due_ns = 0, taken = 0;
        while (pace_take(&pace, UINT64_MAX - 1, &number, &due_ns)) {
            assert_int_equal(number % SHARDS, i);
            assert_int_equal(due_ns, 1000 + pace_plan_due_ns(&plan, number));
            seen[number]++;
            taken++;
        }
        assert_int_equal(pace_next_ns(&pace), UINT64_MAX);
        assert_int_equal(taken, pace_plan_shard_count(&plan, i, SHARDS));
        planned += taken;
    }
    assert_int_equal(planned, plan.count);
    for (size_t k = 0; k < sizeof seen; k++)
        assert_int_equal(seen[k], 1);
}

static void a_request_is_handed_out_neither_early_nor_twice(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(&(struct pace_stage){SECONDS(1), PER_S(10), PER_S(10)}, 1);
    struct pace pace;
    pace_init(&pace, &plan, SECONDS(5), 0, 1);
    uint64_t number = 99, due_ns = 0;
    assert_false(pace_take(&pace, SECONDS(5) - 1, &number, &due_ns));
    assert_int_equal(number, 99);
    assert_true(pace_take(&pace, SECONDS(5), &number, &due_ns));
    assert_int_equal(number, 0);
    assert_false(pace_take(&pace, SECONDS(5), &number, &due_ns));
    assert_int_equal(pace_next_ns(&pace), SECONDS(5) + 100 * NS_PER_MS);
}

static void a_stalled_sender_gets_the_backlog_with_its_planned_instants(void **state) {
    (void)state;
    struct pace_plan plan = plan_of(&(struct pace_stage){SECONDS(2), PER_S(100), PER_S(100)}, 1);
    struct pace pace;
    pace_init(&pace, &plan, 0, 1, 2);
    assert_int_equal(pace_backlog(&pace, 9 * NS_PER_MS), 0);
    assert_int_equal(pace_backlog(&pace, 10 * NS_PER_MS), 1);
    assert_int_equal(pace_backlog(&pace, SECONDS(1)), 50);
    uint64_t number = 0, due_ns = 0;
    for (uint64_t i = 0; i < 50; i++) {
        assert_true(pace_take(&pace, SECONDS(1), &number, &due_ns));
        assert_int_equal(due_ns, (2 * i + 1) * 10 * NS_PER_MS);
    }
    assert_false(pace_take(&pace, SECONDS(1), &number, &due_ns));
    assert_int_equal(pace_backlog(&pace, SECONDS(1)), 0);
    assert_int_equal(pace_backlog(&pace, SECONDS(9)), 50);
}

static void ramps_and_holds_follow_the_rate_before_them(void **state) {
    (void)state;
    struct pace_plan plan;
    pace_plan_init(&plan);
    assert_int_equal(pace_plan_ramp(&plan, PER_S(20000), SECONDS(300), NULL), 0);
    assert_int_equal(pace_plan_hold(&plan, SECONDS(600), NULL), 0);
    assert_int_equal(pace_plan_ramp(&plan, 0, SECONDS(30), NULL), 0);
    assert_int_equal(plan.count, 3000000 + 12000000 + 300000);
    assert_int_equal(pace_plan_rate_micro(&plan, SECONDS(400)), PER_S(20000));
}

static void plans_beyond_the_limits_are_refused(void **state) {
    (void)state;
    struct pace_plan plan;
    pace_plan_init(&plan);
    struct pace_stage fast = {SECONDS(1), 0, PACE_RATE_MICRO_MAX + 1};
    assert_int_equal(pace_plan_add(&plan, fast, NULL), -ERR_LIMIT);
    struct pace_stage longest = {PACE_DURATION_NS_MAX, PACE_RATE_MICRO_MAX, PACE_RATE_MICRO_MAX};
    assert_int_equal(pace_plan_add(&plan, longest, NULL), 0);
    assert_int_equal(plan.count, UINT64_C(100000000) * 7 * 24 * 3600);
    struct pace_stage more = {1, 1, 1};
    assert_int_equal(pace_plan_add(&plan, more, NULL), -ERR_LIMIT);
    pace_plan_init(&plan);
    for (int i = 0; i < PACE_STAGES_MAX; i++)
        assert_int_equal(pace_plan_hold(&plan, 1, NULL), 0);
    assert_int_equal(pace_plan_hold(&plan, 1, NULL), -ERR_LIMIT);
    assert_int_equal(plan.count, 0);
}

static void the_longest_ramp_is_exact_at_its_ends(void **state) {
    (void)state;
    struct pace_stage ramp = {PACE_DURATION_NS_MAX, 0, PACE_RATE_MICRO_MAX};
    struct pace_plan plan = plan_of(&ramp, 1);
    uint64_t expected = UINT64_C(100000000) * 7 * 24 * 3600 / 2;
    assert_int_equal(plan.count, expected);
    assert_int_equal(pace_plan_due_ns(&plan, expected / 4), PACE_DURATION_NS_MAX / 2);
    assert_true(pace_plan_due_ns(&plan, expected - 1) < PACE_DURATION_NS_MAX);
}

UNIT_MAIN(T(a_constant_rate_is_met_to_the_last_request),
          T(a_rate_that_does_not_divide_a_second_never_drifts),
          T(a_ramp_has_the_area_under_its_line),
          T(every_request_is_due_at_the_first_instant_that_allows_it),
          T(shards_add_up_to_the_plan_and_interleave),
          T(a_request_is_handed_out_neither_early_nor_twice),
          T(a_stalled_sender_gets_the_backlog_with_its_planned_instants),
          T(ramps_and_holds_follow_the_rate_before_them), T(plans_beyond_the_limits_are_refused),
          T(the_longest_ramp_is_exact_at_its_ends))
