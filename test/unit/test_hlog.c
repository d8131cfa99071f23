#include "unit.h"

#include "base/prng.h"
#include "codec/hlog.h"

#include <stdio.h>

#define VECTORS "test/vectors/hlog/"
#define FILE_MAX (256 * 1024)

static void read_file(const char *name, struct buf *into) {
    char path[512];
    snprintf(path, sizeof path, VECTORS "%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(into, FILE_MAX);
    char *room = buf_reserve(into, FILE_MAX);
    assert_non_null(room);
    buf_commit(into, fread(room, 1, FILE_MAX, file));
    fclose(file);
}

static void a_log_of_another_writer_is_read(void **state) {
    (void)state;
    struct buf text;
    read_file("two-lines.hlog", &text);
    struct str rest = buf_str(&text);
    struct hlog_line line = {0};
    struct hist h = {0};
    assert_int_equal(hlog_next(&rest, &line, &h, NULL), 1);
    assert_str(line.tag, "home");
    assert_int_equal(line.start_ns, 127 * NS_PER_MS);
    assert_int_equal(line.length_ns, 1007 * NS_PER_MS);
    assert_int_equal(h.count, 10001);
    assert_int_equal(h.min_ns, NS_PER_MS);
    /* 100,000,000 us lies in a bucket of 65,536 us: its lower end is what is left */
    assert_int_equal(h.max_ns, UINT64_C(100000000) / 65536 * 65536 * NS_PER_US);
    hist_reset(&h);
    assert_int_equal(hlog_next(&rest, &line, &h, NULL), 1);
    assert_int_equal(line.tag.len, 0);
    assert_int_equal(h.count, 3);
    assert_int_equal(hist_percentile_ns(&h, 500000), 7 * NS_PER_US);
    assert_int_equal(hlog_next(&rest, &line, &h, NULL), 0);
    hist_deinit(&h);
    buf_deinit(&text);
}

static void counts_of_every_size_are_read(void **state) {
    (void)state;
    struct buf text;
    read_file("big-counts.hlog", &text);
    struct str rest = buf_str(&text);
    struct hlog_line line = {0};
    struct hist h = {0};
    assert_int_equal(hlog_next(&rest, &line, &h, NULL), 1);
    uint64_t expected = 1 + 127 + 128 + (UINT64_C(1) << 40) + (UINT64_C(1) << 61);
    assert_true(h.count == expected);
    assert_true(hist_count_to(&h, 2047 * NS_PER_US) == expected - (UINT64_C(1) << 61));
    hist_deinit(&h);
    buf_deinit(&text);
}

static void damaged_logs_are_refused_and_add_nothing(void **state) {
    (void)state;
    static const struct {
        const char *name;
        enum err_code code;
    } bad[] = {
        {"bad-digits.hlog", ERR_PARSE},   {"bad-lowest.hlog", ERR_PARSE},
        {"bad-cookie.hlog", ERR_PARSE},   {"bad-beyond.hlog", ERR_PARSE},
        {"bad-overflow.hlog", ERR_LIMIT}, {"bad-base64.hlog", ERR_PARSE},
        {"bad-cut.hlog", ERR_PARSE},      {"bad-fields.hlog", ERR_PARSE},
        {"bad-time.hlog", ERR_PARSE},     {"bad-bomb.hlog", ERR_PARSE},
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf text;
        read_file(bad[i].name, &text);
        struct str rest = buf_str(&text);
        struct hlog_line line = {0};
        struct hist h = {0};
        struct err err = {0};
        int result = hlog_next(&rest, &line, &h, &err);
        if (result != -(int)bad[i].code)
            fail_msg("%s: %d (%s)", bad[i].name, result, err.text);
        assert_int_equal(h.count, 0);
        hist_deinit(&h);
        buf_deinit(&text);
    }
}

static void what_is_written_reads_back_bucket_by_bucket(void **state) {
    (void)state;
    struct prng random;
    prng_init(&random, 5);
    struct hist h = {0}, back = {0};
    for (int i = 0; i < 20000; i++)
        hist_record(&h, prng_below(&random, UINT64_C(1) << prng_range(&random, 10, 42)));
    struct buf text;
    buf_init(&text, FILE_MAX);
    hlog_add_head(&text, 1795190400123);
    struct hlog_line line = {STR("a b,c"), 2 * NS_PER_S, NS_PER_S};
    hlog_add_interval(&text, &line, &h);
    assert_true(buf_ok(&text));
    struct str rest = buf_str(&text);
    assert_true(str_contains(rest, STR("#[StartTime: 1795190400.123 (seconds since epoch), ")));
    assert_true(str_contains(rest, STR("\nTag=a_b_c,2.000,1.000,")));
    assert_int_equal(hlog_next(&rest, &line, &back, NULL), 1);
    assert_str(line.tag, "a_b_c");
    assert_int_equal(back.count, h.count);
    uint32_t cursor = 0, cursor_back = 0;
    struct hist_bucket bucket, bucket_back = {0};
    while (hist_next(&h, &cursor, &bucket)) {
        assert_true(hist_next(&back, &cursor_back, &bucket_back));
        assert_int_equal(bucket.index, bucket_back.index);
        assert_int_equal(bucket.count, bucket_back.count);
    }
    assert_false(hist_next(&back, &cursor_back, &bucket_back));
    hist_deinit(&h);
    hist_deinit(&back);
    buf_deinit(&text);
}

UNIT_MAIN(T(a_log_of_another_writer_is_read), T(counts_of_every_size_are_read),
          T(damaged_logs_are_refused_and_add_nothing),
          T(what_is_written_reads_back_bucket_by_bucket))
