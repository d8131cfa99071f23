/* Money: whole seconds of EC2's rule, rounded up, never wrapped. */
#include "unit.h"

#include "core/cost.h"

#define HOUR_NS (3600 * NS_PER_S)

static void an_hour_costs_the_hourly_price(void **state) {
    (void)state;
    assert_int_equal(cost_instance_usd_micro(NS_PER_S, NS_PER_S + HOUR_NS, 36000), 36000);
    assert_int_equal(cost_instance_usd_micro(0, HOUR_NS / 2, 36000), 18000);
}

static void a_minute_is_billed_at_least(void **state) {
    (void)state;
    assert_int_equal(cost_instance_usd_micro(0, 1, 36000), 600);
    assert_int_equal(cost_instance_usd_micro(0, 60 * NS_PER_S, 36000), 600);
    assert_int_equal(cost_instance_usd_micro(0, 61 * NS_PER_S, 36000), 610);
}

static void what_never_ran_costs_nothing(void **state) {
    (void)state;
    assert_int_equal(cost_instance_usd_micro(5, 5, 36000), 0);
    assert_int_equal(cost_instance_usd_micro(UINT64_MAX, 5, 36000), 0);
}

static void parts_of_a_micro_dollar_round_up(void **state) {
    (void)state;
    assert_int_equal(cost_instance_usd_micro(0, 60 * NS_PER_S, 1), 1);
    assert_int_equal(cost_instance_usd_micro(0, 61 * NS_PER_S, 35), 1);
}

static void the_worst_case_is_all_nodes_until_the_cap(void **state) {
    (void)state;
    assert_int_equal(cost_worst_usd_micro(8, 2 * HOUR_NS, 36000), 576000);
    assert_int_equal(cost_worst_usd_micro(8, 1, 36000), 4800);
    assert_int_equal(cost_worst_usd_micro(0, HOUR_NS, 36000), 0);
    assert_int_equal(cost_hourly_usd_micro(300, 34000), 10200000);
}

static void nonsense_saturates_instead_of_wrapping(void **state) {
    (void)state;
    assert_true(cost_worst_usd_micro(UINT32_MAX, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
    assert_true(cost_instance_usd_micro(0, UINT64_MAX, UINT64_MAX) == UINT64_MAX);
}

UNIT_MAIN(T(an_hour_costs_the_hourly_price), T(a_minute_is_billed_at_least),
          T(what_never_ran_costs_nothing), T(parts_of_a_micro_dollar_round_up),
          T(the_worst_case_is_all_nodes_until_the_cap), T(nonsense_saturates_instead_of_wrapping))
