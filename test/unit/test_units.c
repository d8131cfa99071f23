#include "unit.h"

#include "base/units.h"

static void durations_carry_their_units(void **state) {
    (void)state;
    static const struct {
        const char *text;
        uint64_t ns;
    } cases[] = {
        {"250us", 250000},
        {"5ms", 5000000},
        {"30s", 30 * NS_PER_S},
        {"1h30m", 5400 * NS_PER_S},
        {"2d", 172800 * NS_PER_S},
        {"1.5s", 1500000000},
        {"0s", 0},
        {"1m1s", 61 * NS_PER_S},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        uint64_t ns = 1;
        assert_int_equal(units_duration(str_from(cases[i].text), &ns, NULL), 0);
        assert_int_equal(ns, cases[i].ns);
    }
}

static void a_bare_number_is_no_duration_and_the_error_proposes_one(void **state) {
    (void)state;
    struct err err = {0};
    uint64_t ns = 7;
    assert_int_equal(units_duration(STR("90"), &ns, &err), -ERR_PARSE);
    assert_non_null(strstr(err.text, "did you mean '90s'?"));
    assert_int_equal(ns, 7);
}

static void bad_durations_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",
                                      "s",
                                      "5x",
                                      "-5s",
                                      "1h-5m",
                                      "5.s",
                                      ".s",
                                      "1e3s",
                                      "5 s",
                                      "99999999999d",
                                      "18446744073709551616ns"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint64_t ns = 7;
        assert_true(units_duration(str_from(bad[i]), &ns, NULL) < 0);
        assert_int_equal(ns, 7);
    }
}

static void durations_print_as_they_parse(void **state) {
    (void)state;
    static const uint64_t values[] = {
        0, 1, 999, 250000, 1500000000, 5400 * NS_PER_S, 90061 * NS_PER_S + 7};
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(100);
        uint64_t again = 1;
        units_add_duration(&text, values[i]);
        assert_int_equal(units_duration(buf_str(&text), &again, NULL), 0);
        assert_int_equal(again, values[i]);
    }
}

static void sizes_know_both_kinds_of_kilo(void **state) {
    (void)state;
    uint64_t bytes;
    assert_int_equal(units_size(STR("64KiB"), &bytes, NULL), 0);
    assert_int_equal(bytes, 65536);
    assert_int_equal(units_size(STR("1GB"), &bytes, NULL), 0);
    assert_int_equal(bytes, 1000000000);
    assert_true(units_size(STR("100"), &bytes, NULL) < 0);
    assert_true(units_size(STR("1GBx"), &bytes, NULL) < 0);
}

static void rates_are_micro_requests_per_second(void **state) {
    (void)state;
    uint64_t rate;
    assert_int_equal(units_rate(STR("500/s"), &rate, NULL), 0);
    assert_int_equal(rate, 500 * MICRO);
    assert_int_equal(units_rate(STR("30000/m"), &rate, NULL), 0);
    assert_int_equal(rate, 500 * MICRO);
    assert_int_equal(units_rate(STR("1.5k/s"), &rate, NULL), 0);
    assert_int_equal(rate, 1500 * MICRO);
    assert_true(units_rate(STR("500"), &rate, NULL) < 0);
    assert_true(units_rate(STR("500/x"), &rate, NULL) < 0);
}

static void money_and_percent_are_exact(void **state) {
    (void)state;
    uint64_t value;
    assert_int_equal(units_money(STR("$0.035200"), &value, NULL), 0);
    assert_int_equal(value, 35200);
    assert_int_equal(units_percent(STR("0.5%"), &value, NULL), 0);
    assert_int_equal(value, 5000);
    assert_true(units_percent(STR("50"), &value, NULL) < 0);
    int64_t micro;
    assert_int_equal(units_decimal_micro(STR("-0.5"), &micro, NULL), 0);
    assert_int_equal(micro, -500000);
}

static void people_read_counts_clocks_and_money(void **state) {
    (void)state;
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(200);
    units_add_count(&text, 120000000);
    buf_add_byte(&text, ' ');
    units_add_clock(&text, 69 * NS_PER_S);
    buf_add_byte(&text, ' ');
    units_add_clock(&text, 7450 * NS_PER_S);
    buf_add_byte(&text, ' ');
    units_add_money(&text, 4714999);
    buf_add_byte(&text, ' ');
    units_add_money(&text, 4200);
    buf_add_byte(&text, ' ');
    units_add_micro(&text, -1250000);
    assert_text(&text, "120,000,000 1:09 2:04:10 $4.71 $0.0042 -1.25");
}

UNIT_MAIN(T(durations_carry_their_units),
          T(a_bare_number_is_no_duration_and_the_error_proposes_one), T(bad_durations_are_refused),
          T(durations_print_as_they_parse), T(sizes_know_both_kinds_of_kilo),
          T(rates_are_micro_requests_per_second), T(money_and_percent_are_exact),
          T(people_read_counts_clocks_and_money))
