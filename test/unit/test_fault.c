/* Fault rules as text and as a table. */
#include "cloud_kit.h"

static void a_rule_says_action_position_and_mode(void **state) {
    (void)state;
    struct fault_rule r;
    struct err err = {0};
    assert_int_equal(fault_parse(STR("op=CreateFleet,nth=2,mode=lost-reply"), &r, &err), 0);
    assert_string_equal(r.op, "CreateFleet");
    assert_int_equal(r.nth, 2);
    assert_int_equal(r.times, 1);
    assert_int_equal(r.mode, FAULT_LOST_REPLY);
    assert_int_equal(fault_parse(STR("mode=error=RequestLimitExceeded,times=always"), &r, &err), 0);
    assert_string_equal(r.op, "*");
    assert_string_equal(r.code, "RequestLimitExceeded");
    assert_int_equal(r.times, FAULT_ALWAYS);
    assert_int_equal(fault_parse(STR("op=Run*, mode=delay-effect=3m"), &r, &err), 0);
    assert_int_equal(r.delay_ns, 180 * SECOND);
    assert_string_equal(fault_mode_name(r.mode), "delay-effect");
}

static void wrong_rules_are_refused_with_a_reason(void **state) {
    (void)state;
    static const struct {
        const char *text, *reason;
    } wrong[] = {
        {"", "not key=value"},
        {"op=CreateFleet", "mode is missing"},
        {"mode=explode", "unknown mode 'explode'"},
        {"mode=delay", "needs a value"},
        {"mode=delay=5", "delay"},
        {"mode=error", "needs a value"},
        {"mode=error=Not A Code", "not an error code"},
        {"mode=lost-reply=1", "takes no value"},
        {"nth=0,mode=truncate", "1 or more"},
        {"times=never,mode=truncate", "times"},
        {"colour=red,mode=truncate", "unknown key 'colour'"},
        {"mode", "not key=value"},
        {"mode=error=A,mode=delay=1s", "mode is given twice"},
        {"op=,mode=truncate", "not an action"},
    };
    for (size_t n = 0; n < ARRAY_LEN(wrong); n++) {
        struct err err = {0};
        struct fault_rule r = {.nth = 77};
        assert_int_equal(fault_parse(str_from(wrong[n].text), &r, &err), -ERR_PARSE);
        if (!strstr(err.text, wrong[n].reason))
            fail_msg("'%s': %s", wrong[n].text, err.text);
        assert_int_equal(r.nth, 77);
    }
}

static void a_rule_hits_from_its_nth_match_as_often_as_it_says(void **state) {
    (void)state;
    struct fault_table t = {.count = 0};
    struct fault_rule r;
    assert_int_equal(fault_parse(STR("op=Describe*,nth=2,times=2,mode=truncate"), &r, NULL), 0);
    assert_int_equal(fault_table_add(&t, &r, NULL), 0);
    static const bool hits[] = {false, true, true, false, false};
    for (size_t n = 0; n < ARRAY_LEN(hits); n++) {
        assert_null(fault_match(&t, STR("RunInstances")));
        assert_int_equal(fault_match(&t, STR("DescribeInstances")) != NULL, hits[n]);
    }
    assert_int_equal(t.rules[0].seen, 5);
    assert_int_equal(t.rules[0].applied, 2);
}

static void the_first_rule_wins_but_all_count(void **state) {
    (void)state;
    struct fault_table t = {.count = 0};
    struct fault_rule r;
    assert_int_equal(fault_parse(STR("mode=truncate"), &r, NULL), 0);
    assert_int_equal(fault_table_add(&t, &r, NULL), 0);
    assert_int_equal(fault_parse(STR("nth=2,mode=lost-reply"), &r, NULL), 0);
    assert_int_equal(fault_table_add(&t, &r, NULL), 0);
    assert_int_equal(fault_match(&t, STR("X"))->mode, FAULT_TRUNCATE);
    assert_int_equal(fault_match(&t, STR("X"))->mode, FAULT_LOST_REPLY);
    assert_null(fault_match(&t, STR("X")));
    for (size_t n = 2; n < FAULT_RULES_MAX; n++)
        assert_int_equal(fault_table_add(&t, &r, NULL), 0);
    assert_int_equal(fault_table_add(&t, &r, NULL), -ERR_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_says_action_position_and_mode),
        cmocka_unit_test(wrong_rules_are_refused_with_a_reason),
        cmocka_unit_test(a_rule_hits_from_its_nth_match_as_often_as_it_says),
        cmocka_unit_test(the_first_rule_wins_but_all_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
