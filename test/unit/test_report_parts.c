/* The small parts of reports: numbers for people, escaped text, shapes, reduced series. */
#include "unit.h"

#include "report/markup.h"
#include "report/say.h"
#include "report/series.h"
#include "report/svg.h"

#define SAYS(call, want)       \
    do {                       \
        buf_reset(&b);         \
        call;                  \
        assert_text(&b, want); \
    } while (0)

static void rates_and_latencies_keep_three_digits(void **state) {
    (void)state;
    struct buf b = BUF_INIT(KIB);
    SAYS(say_rate(&b, 0), "0/s");
    SAYS(say_rate(&b, 500000), "0.5/s");
    SAYS(say_rate(&b, UINT64_C(512000000)), "512/s");
    SAYS(say_rate(&b, UINT64_C(2000000000)), "2,000/s");
    SAYS(say_rate(&b, UINT64_C(9999499999)), "9,999/s");
    SAYS(say_rate(&b, UINT64_C(47900000000)), "47.9k/s");
    SAYS(say_rate(&b, UINT64_C(1200000000000)), "1.20M/s");
    SAYS(say_ms(&b, 412000), "0.412");
    SAYS(say_ms(&b, 999600), "1.00");
    SAYS(say_ms(&b, 14800000), "14.8");
    SAYS(say_ms(&b, 1204000000), "1,204");
    SAYS(say_ms_short(&b, 61000000), "61.0");
    buf_deinit(&b);
}

static void a_share_is_never_rounded_to_none_or_all(void **state) {
    (void)state;
    struct buf b = BUF_INIT(KIB);
    SAYS(say_percent(&b, 0, 10), "0 %");
    SAYS(say_percent(&b, 10, 10), "100 %");
    SAYS(say_percent(&b, 1, 1000000), "<0.01 %");
    SAYS(say_percent(&b, 999999, 1000000), ">99.9 %");
    SAYS(say_percent(&b, 131, 10000), "1.31 %");
    SAYS(say_percent(&b, 998, 1000), "99.8 %");
    SAYS(say_percent(&b, 0, 0), "-");
    buf_deinit(&b);
}

static void spans_and_money_are_short(void **state) {
    (void)state;
    struct buf b = BUF_INIT(KIB);
    SAYS(say_span(&b, 3100 * NS_PER_MS), "3.1s");
    SAYS(say_span(&b, 58 * NS_PER_S), "58s");
    SAYS(say_span(&b, 1345 * NS_PER_S), "22m25s");
    SAYS(say_span(&b, 7440 * NS_PER_S), "2h04m");
    SAYS(say_money_round(&b, 40000000), "$40");
    SAYS(say_money_round(&b, 40500000), "$40.50");
    SAYS(say_money(&b, -40500000), "-$40.50");
    SAYS(say_count_short(&b, 99999), "99,999");
    SAYS(say_count_short(&b, 10318800), "10.3M");
    buf_deinit(&b);
}

static void markup_escapes_everything_that_could_be_markup(void **state) {
    (void)state;
    struct buf b = BUF_INIT(KIB);
    SAYS(markup_add(&b, STR("<a b=\"c\" d='e'>&</a>")),
         "&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;&lt;/a&gt;");
    SAYS(markup_add(&b, STR("x\x01\x1b[0m\xff\xef\xbf\xbe\u202e\u00e9\n")),
         "x\ufffd\ufffd[0m\ufffd\ufffd\ufffd\u00e9\n");
    SAYS(markup_add_text(&b, NULL), "");
    SAYS(markup_printf(&b, "%s %d", "<", 7), "&lt; 7");
    buf_deinit(&b);
}

static void a_scale_keeps_values_inside(void **state) {
    (void)state;
    struct svg_scale linear = {0, 10, 100, -50, false};
    assert_true(svg_at(&linear, 0) == 100);
    assert_true(svg_at(&linear, 5) == 75);
    assert_true(svg_at(&linear, 99) == 50);
    struct svg_scale decades = {1, 100, 0, 200, true};
    assert_true(svg_at(&decades, 10) > 99.9 && svg_at(&decades, 10) < 100.1);
    assert_true(svg_at(&decades, 0) == 0);
    struct svg_scale flat = {5, 5, 7, 10, false};
    assert_true(svg_at(&flat, 5) == 7);
}

static void steps_of_axes_are_round(void **state) {
    (void)state;
    assert_true(svg_step(20000, 4) == 5000);
    assert_true(svg_step(0, 4) == 1);
    assert_true(svg_step_time(900, 9) == 120);
    assert_true(svg_step_time(20, 9) == 5);
    for (double span = 0.01; span < 1e9; span *= 1.7) {
        double step = svg_step(span, 5);
        assert_true(span / step <= 5.01 && span / step > 0.99);
    }
}

static void a_series_keeps_the_worst_second_and_the_sums(void **state) {
    (void)state;
    struct result_second seconds[100];
    for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
        seconds[i] = (struct result_second){.unix_ms = 5000 + (int64_t)i * 1000,
                                            .asked = 10,
                                            .done = 9,
                                            .errors = 1,
                                            .has_latency = true,
                                            .p99_ns = i == 57 ? 77 : 10,
                                            .nodes_ready = i == 3};
    struct result r = {.run = "r", .name = "n", .seconds = seconds, .second_count = 100};
    struct series s;
    series_init(&s, &r, 30);
    assert_int_equal(s.bucket_s, 4);
    assert_int_equal(s.count, 25);
    uint64_t errors = 0;
    uint64_t worst = 0;
    for (size_t i = 0; i < s.count; i++) {
        errors += s.buckets[i].errors;
        worst = MAX(worst, s.buckets[i].p99_ns);
        assert_true(s.buckets[i].asked == 10);
    }
    assert_int_equal(errors, 100);
    assert_int_equal(worst, 77);
    assert_int_equal(s.buckets[0].nodes_min, 0);
    series_deinit(&s);
}

static void seconds_that_are_missing_leave_a_gap(void **state) {
    (void)state;
    struct result_second seconds[2] = {{.unix_ms = 1000, .done = 1}, {.unix_ms = 9000, .done = 1}};
    struct result r = {.run = "r", .name = "n", .seconds = seconds, .second_count = 2};
    struct series s;
    series_init(&s, &r, 600);
    assert_int_equal(s.count, 9);
    assert_true(s.buckets[0].has_data && s.buckets[8].has_data);
    assert_false(s.buckets[4].has_data);
    series_deinit(&s);
    series_init(&s, &(struct result){.run = "r", .name = "n"}, 600);
    assert_int_equal(s.count, 1);
    series_deinit(&s);
}

UNIT_MAIN(T(rates_and_latencies_keep_three_digits), T(a_share_is_never_rounded_to_none_or_all),
          T(spans_and_money_are_short), T(markup_escapes_everything_that_could_be_markup),
          T(a_scale_keeps_values_inside), T(steps_of_axes_are_round),
          T(a_series_keeps_the_worst_second_and_the_sums), T(seconds_that_are_missing_leave_a_gap))
