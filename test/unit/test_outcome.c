#include "core/outcome.h"
#include "core/run.h"
#include "unit.h"

static void the_exit_code_is_that_of_the_first_in_order(void **state) {
    (void)state;
    assert_int_equal(outcome_exit_code(0), 0);
    assert_int_equal(outcome_first(0), OUTCOME_COUNT);
    const enum outcome order[] = {OUTCOME_LEAK,      OUTCOME_CONFIG,      OUTCOME_ACCESS,
                                  OUTCOME_CAPACITY,  OUTCOME_ROLLCALL,    OUTCOME_LOST,
                                  OUTCOME_WORKLOAD,  OUTCOME_INTERRUPTED, OUTCOME_THRESHOLDS,
                                  OUTCOME_REGRESSION};
    const int codes[] = {9, 3, 4, 5, 6, 8, 7, 130, 99, 10};
    outcome_set set = 0;
    for (size_t i = ARRAY_LEN(order); i-- > 0;) {
        set |= OUTCOME_BIT(order[i]);
        assert_int_equal(outcome_exit_code(set), codes[i]);
        assert_int_equal(outcome_first(set), order[i]);
        assert_int_equal(outcome_code(order[i]), codes[i]);
    }
    assert_string_equal(outcome_name(OUTCOME_LEAK), "leak");
    assert_int_equal(outcome_exit_code(OUTCOME_BIT(OUTCOME_TERMINATED)), 143);
}

static void the_bits_of_a_run_are_outcomes(void **state) {
    (void)state;
    assert_int_equal(outcome_exit_code(0), 0);
    assert_int_equal(outcome_exit_code(RUN_EXIT_THRESHOLDS | RUN_EXIT_INTERRUPTED), 130);
    assert_int_equal(outcome_exit_code(RUN_EXIT_WORKLOAD | RUN_EXIT_LOST), 8);
    assert_int_equal(outcome_exit_code(RUN_EXIT_LOST | RUN_EXIT_ROLLCALL), 6);
    assert_int_equal(outcome_exit_code(RUN_EXIT_ACCESS | RUN_EXIT_CAPACITY), 4);
    assert_int_equal(outcome_exit_code(RUN_EXIT_LEAK | RUN_EXIT_CONFIG | RUN_EXIT_ACCESS), 9);
    assert_int_equal(outcome_exit_code(RUN_EXIT_TERMINATED), 143);
}

UNIT_MAIN(T(the_exit_code_is_that_of_the_first_in_order), T(the_bits_of_a_run_are_outcomes))
