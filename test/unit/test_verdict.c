#include "core/verdict.h"
#include "unit.h"

/* ---- sentences ---- */

static struct threshold parse(const char *text) {
    struct threshold t;
    struct err err = {0};
    if (threshold_parse(str_from(text), &t, NULL, &err) < 0)
        fail_msg("%s: %s", text, err.text);
    return t;
}

static void check_error(const char *text, size_t want_at, const char *want) {
    struct threshold t = {.value = 77};
    struct err err = {0};
    size_t at = 999;
    assert_true(threshold_parse(str_from(text), &t, &at, &err) < 0);
    if (at != want_at || !str_contains(str_from(err.text), str_from(want)))
        fail_msg("\"%s\": at %zu: %s (wanted at %zu: %s)", text, at, err.text, want_at, want);
    assert_int_equal(t.value, 77);
}

static void a_full_sentence_is_understood(void **state) {
    (void)state;
    struct threshold t = parse("  p99.9 of buy < 1.5s in ramp over 10s after 1m , abort ");
    assert_string_equal(t.text, "p99.9 of buy < 1.5s in ramp over 10s after 1m , abort");
    assert_int_equal(t.metric, METRIC_PERCENTILE);
    assert_int_equal(t.percentile_ppm, 999000);
    assert_int_equal(t.unit, UNIT_DURATION_NS);
    assert_int_equal(t.op, OP_LESS);
    assert_int_equal(t.value, 1500 * NS_PER_MS);
    assert_string_equal(t.of, "buy");
    assert_string_equal(t.in, "ramp");
    assert_int_equal(t.window_ns, 10 * NS_PER_S);
    assert_int_equal(t.delay_ns, 60 * NS_PER_S);
    assert_true(t.abort_run && !t.warn && !t.service);
}

static void every_metric_has_its_unit(void **state) {
    (void)state;
    static const struct {
        const char *text;
        enum verdict_metric metric;
        enum verdict_unit unit;
        int64_t value;
    } cases[] = {
        {"p50<5ms", METRIC_PERCENTILE, UNIT_DURATION_NS, 5000000},
        {"service_p99 <= 5ms", METRIC_PERCENTILE, UNIT_DURATION_NS, 5000000},
        {"service_max < 1s", METRIC_MAX, UNIT_DURATION_NS, 1000000000},
        {"mean>=1us", METRIC_MEAN, UNIT_DURATION_NS, 1000},
        {"rate > 19000/s", METRIC_RATE, UNIT_RATE_MICRO, 19000000000},
        {"errors < 0.5%", METRIC_ERRORS, UNIT_PPM, 5000},
        {"errors == 0", METRIC_ERRORS, UNIT_PPM, 0},
        {"error_count < 3", METRIC_ERROR_COUNT, UNIT_COUNT, 3},
        {"phase_time < 45m in a", METRIC_PHASE_TIME, UNIT_DURATION_NS, 2700000000000},
        {"lost_nodes == 0", METRIC_LOST_NODES, UNIT_COUNT, 0},
        {"failed_nodes == 0", METRIC_FAILED_NODES, UNIT_COUNT, 0},
        {"cpu < 90%", METRIC_CPU, UNIT_PPM, 900000},
        {"cost < $8", METRIC_COST, UNIT_USD_MICRO, 8000000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct threshold t = parse(cases[i].text);
        assert_int_equal(t.metric, cases[i].metric);
        assert_int_equal(t.unit, cases[i].unit);
        assert_int_equal(t.value, cases[i].value);
    }
    assert_true(parse("service_p99 < 5ms").service);
    assert_int_equal(parse("p99.9999 < 1s").percentile_ppm, 999999);
}

static void mistakes_are_placed(void **state) {
    (void)state;
    check_error("", 0, "starts with a metric");
    check_error("p99 of a\x01 < 5ms", 8, "no text");
    check_error("< 5ms", 0, "starts with a metric");
    check_error("p99", 3, "comparison is missing");
    check_error("p99 << 5ms", 4, "not a comparison");
    check_error("p99 = 5ms", 4, "not a comparison");
    check_error("p99 <", 5, "value is missing");
    check_error("p99 < 5", 6, "needs a unit");
    check_error("p99 < 5/s", 6, "");
    check_error("p100 < 5ms", 0, "unknown metric");
    check_error("p0 < 5ms", 0, "unknown metric");
    check_error("p99.99999 < 5ms", 0, "unknown metric");
    check_error("service_rate < 5/s", 0, "unknown metric");
    check_error("eror < 1%", 0, "did you mean \"errors\"");
    check_error("errors < 1% of buy", 12, "not understood");
    check_error("cost of buy < $1", 8, "not one of a request");
    check_error("p99 of < 5ms", 7, "name is missing");
    check_error("p99 < 5ms in", 12, "name is missing");
    check_error("p99 < 5ms in a in b", 15, "not understood");
    check_error("p99 < 5ms over 1m over 1m", 18, "twice");
    check_error("p99 < 5ms over 10ms", 15, "at least 1s");
    check_error("p99 < 5ms over 2d", 15, "at most 1d");
    check_error("p99 < 5ms after 5s", 0, "needs a sliding window");
    check_error("p99 < 5ms,", 10, "abort or warn");
    check_error("p99 < 5ms, abort, abort", 18, "abort or warn");
    check_error("p99 < 5ms, abort warn", 17, "not understood");
    check_error("p99 < 5ms, abort, warn", 22, "exclude each other");
    check_error("phase_time < 5m", 0, "needs the phase");
    check_error("bandwidth > 5/s", 0, "not available in this version");
    check_error("p99 of tls < 5ms", 7, "not available in this version");
    check_error("rate > 5/s in a round 3", 16, "not available in this version");
}

static void a_metric_prints_as_it_is_written(void **state) {
    (void)state;
    static const char *const names[] = {"p50",  "p99.9",       "service_p99.99",
                                        "mean", "service_max", "max"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char text[60];
        struct buf out = BUF_INIT(100);
        snprintf(text, sizeof text, "%s < 5ms", names[i]);
        struct threshold t = parse(text);
        threshold_add_metric(&out, &t);
        assert_text(&out, names[i]);
        buf_deinit(&out);
    }
}

/* ---- judging ---- */

static void operators_compare_as_written(void **state) {
    (void)state;
    static const struct {
        const char *op;
        bool below, equal, above;
    } cases[] = {{"<", true, false, false},
                 {"<=", true, true, false},
                 {">", false, false, true},
                 {">=", false, true, true},
                 {"==", false, true, false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[60];
        snprintf(text, sizeof text, "error_count %s 5", cases[i].op);
        struct threshold t = parse(text);
        assert_int_equal(threshold_holds(&t, 4), cases[i].below);
        assert_int_equal(threshold_holds(&t, 5), cases[i].equal);
        assert_int_equal(threshold_holds(&t, 6), cases[i].above);
    }
}

static void a_plain_threshold_is_judged_once_at_the_end(void **state) {
    (void)state;
    struct threshold t = parse("error_count < 5");
    struct threshold_result r = {0};
    assert_true(threshold_fails(&t, &r)); /* not judged: not passed */
    threshold_finish(&t, &r, false, true, 4);
    assert_int_equal(r.state, VERDICT_PASSED);
    assert_false(threshold_fails(&t, &r));
    threshold_finish(&t, &r, false, true, 9);
    assert_int_equal(r.state, VERDICT_PASSED);
    r = (struct threshold_result){0};
    threshold_finish(&t, &r, false, true, 5);
    assert_int_equal(r.state, VERDICT_BROKEN);
    assert_true(threshold_fails(&t, &r));
}

static void no_data_fails_and_skipped_does_not(void **state) {
    (void)state;
    struct threshold t = parse("p99 < 5ms");
    struct threshold_result r = {0};
    threshold_finish(&t, &r, false, false, 0);
    assert_int_equal(r.state, VERDICT_NO_DATA);
    assert_true(threshold_fails(&t, &r));
    r = (struct threshold_result){0};
    threshold_finish(&t, &r, true, false, 0);
    assert_int_equal(r.state, VERDICT_SKIPPED);
    assert_false(threshold_fails(&t, &r));
    struct threshold warning = parse("p99 < 5ms, warn");
    r = (struct threshold_result){0};
    threshold_finish(&warning, &r, false, true, 1000000000);
    assert_int_equal(r.state, VERDICT_BROKEN);
    assert_false(threshold_fails(&warning, &r));
}

static void one_bad_window_breaks_for_good_and_stops_the_run_once(void **state) {
    (void)state;
    struct threshold t = parse("error_count < 5 over 10s after 5s, abort");
    struct threshold_result r = {0};
    assert_false(threshold_window(&t, &r, 14 * NS_PER_S, true, 100)); /* begins before 5s */
    assert_int_equal(r.windows, 0);
    assert_false(threshold_window(&t, &r, 15 * NS_PER_S, true, 3));
    assert_int_equal(r.state, VERDICT_HOLDS);
    assert_false(threshold_window(&t, &r, 16 * NS_PER_S, false, 0));
    assert_int_equal(r.windows, 1);
    assert_true(threshold_window(&t, &r, 17 * NS_PER_S, true, 7));
    assert_int_equal(r.broken_at_ns, 17 * NS_PER_S);
    assert_false(threshold_window(&t, &r, 18 * NS_PER_S, true, 9));
    assert_false(threshold_window(&t, &r, 19 * NS_PER_S, true, 0));
    threshold_finish(&t, &r, false, true, 0);
    assert_int_equal(r.state, VERDICT_BROKEN);
    assert_int_equal(r.reading, 9);
    assert_int_equal(r.windows, 4);
    assert_int_equal(r.windows_broken, 2);
}

static void a_threshold_whose_windows_hold_passes_with_its_worst(void **state) {
    (void)state;
    struct threshold t = parse("rate > 5/s over 10s");
    struct threshold_result r = {0};
    assert_false(threshold_window(&t, &r, 10 * NS_PER_S, true, 9000000));
    assert_false(threshold_window(&t, &r, 11 * NS_PER_S, true, 6000000));
    assert_false(threshold_window(&t, &r, 12 * NS_PER_S, true, 8000000));
    threshold_finish(&t, &r, false, true, 1);
    assert_int_equal(r.state, VERDICT_PASSED);
    assert_int_equal(r.reading, 6000000);
}

static bool read_one(void *context, const struct threshold *t, int64_t *ret) {
    (void)context;
    *ret = 4;
    return t->metric == METRIC_ERROR_COUNT;
}

static void finishing_counts_what_fails(void **state) {
    (void)state;
    struct threshold t[] = {parse("error_count < 5"), parse("error_count < 4"), parse("p99 < 5ms"),
                            parse("p99 < 5ms, warn")};
    struct threshold_result r[4] = {{0}};
    assert_int_equal(verdict_finish(t, r, 4, read_one, NULL), 2);
    assert_int_equal(r[0].state, VERDICT_PASSED);
    assert_int_equal(r[1].state, VERDICT_BROKEN);
    assert_int_equal(r[2].state, VERDICT_NO_DATA);
}

static void readings_print_with_their_unit(void **state) {
    (void)state;
    static const struct {
        enum verdict_unit unit;
        int64_t value;
        const char *want;
    } cases[] = {{UNIT_DURATION_NS, 14800000, "14.8 ms"},
                 {UNIT_RATE_MICRO, 19204000000, "19,204/s"},
                 {UNIT_PPM, 200, "0.02 %"},
                 {UNIT_PPM, 13100, "1.3 %"},
                 {UNIT_PPM, 0, "0.0 %"},
                 {UNIT_COUNT, 1234, "1,234"},
                 {UNIT_USD_MICRO, 4710000, "$4.71"},
                 {UNIT_PPM, 3, "0.0003 %"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = BUF_INIT(100);
        verdict_add_reading(&out, cases[i].unit, cases[i].value);
        assert_text(&out, cases[i].want);
        buf_deinit(&out);
    }
}

/* ---- validity and outcome ---- */

static void validity_is_that_of_the_worst_reason(void **state) {
    (void)state;
    struct validity v = {0};
    assert_string_equal(validity_grade_name(v.grade), "valid");
    validity_add(&v, VALIDITY_SEND_LATE, VALIDITY_DEGRADED, 1, 100);
    validity_add(&v, VALIDITY_SEND_LATE, VALIDITY_DEGRADED, 1, 50);
    validity_add(&v, VALIDITY_SEND_LATE, VALIDITY_DEGRADED, 2, 50);
    assert_int_equal(v.count, 2);
    assert_int_equal(v.reasons[0].amount, 100);
    assert_int_equal(v.grade, VALIDITY_DEGRADED);
    validity_add(&v, VALIDITY_RATE_MISSED, VALIDITY_INVALID, -1, 5000);
    assert_string_equal(validity_grade_name(v.grade), "invalid");
    for (int i = 0; i < 100; i++)
        validity_add(&v, VALIDITY_NODE_LOST, VALIDITY_DEGRADED, i, 1);
    assert_int_equal(v.count, VALIDITY_REASONS_MAX);
    assert_int_equal(v.dropped, 103 - VALIDITY_REASONS_MAX);
}

static void every_reason_has_a_name_and_a_sentence(void **state) {
    (void)state;
    for (int kind = 0; kind < VALIDITY_KIND_COUNT; kind++) {
        struct validity_reason reason = {.kind = (enum validity_kind)kind, .amount = 960000};
        struct buf out = BUF_INIT(300);
        validity_add_sentence(&out, &reason);
        assert_true(out.len > 10);
        assert_true(strlen(validity_kind_name(reason.kind)) > 3);
        buf_deinit(&out);
    }
}

UNIT_MAIN(T(a_full_sentence_is_understood), T(every_metric_has_its_unit), T(mistakes_are_placed),
          T(a_metric_prints_as_it_is_written), T(operators_compare_as_written),
          T(a_plain_threshold_is_judged_once_at_the_end), T(no_data_fails_and_skipped_does_not),
          T(one_bad_window_breaks_for_good_and_stops_the_run_once),
          T(a_threshold_whose_windows_hold_passes_with_its_worst), T(finishing_counts_what_fails),
          T(readings_print_with_their_unit), T(validity_is_that_of_the_worst_reason),
          T(every_reason_has_a_name_and_a_sentence))
