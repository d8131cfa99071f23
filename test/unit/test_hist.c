#include "unit.h"

#include "base/prng.h"
#include "core/hist.h"

#define SAMPLES 20000

static int compare_u64(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* Latencies over seven orders of magnitude. */
static uint64_t sample_ns(struct prng *random) {
    uint64_t scale = UINT64_C(1) << prng_range(random, 10, 41);
    return MIN(prng_below(random, scale), HIST_VALUE_NS_MAX);
}

static uint64_t exact_ns(const uint64_t *sorted, size_t count, uint32_t ppm) {
    size_t rank = (count * ppm + 999999) / 1000000;
    return sorted[MAX(rank, 1) - 1];
}

static void assert_close(uint64_t got_ns, uint64_t exact) {
    assert_true(got_ns >= exact);
    assert_true(got_ns - exact <= MAX(NS_PER_US, exact / 1000));
}

static void every_bucket_begins_where_the_one_before_ends(void **state) {
    (void)state;
    uint64_t expected_us = 0;
    for (uint32_t i = 0; i < HIST_BUCKETS; i++) {
        assert_int_equal(hist_low_us(i), expected_us);
        expected_us += hist_width_us(i);
        if (hist_low_us(i) > HIST_VALUE_US_MAX)
            continue;
        assert_int_equal(hist_index_of(hist_low_us(i) * NS_PER_US), i);
        uint64_t last_us = MIN(expected_us - 1, HIST_VALUE_US_MAX);
        assert_int_equal(hist_index_of(last_us * NS_PER_US + 999), i);
    }
    assert_true(expected_us > HIST_VALUE_US_MAX);
}

static void percentiles_are_within_three_digits_of_the_samples(void **state) {
    (void)state;
    struct prng random;
    prng_init(&random, 7);
    struct hist h = {0};
    static uint64_t values[SAMPLES];
    uint64_t sum = 0;
    for (size_t i = 0; i < SAMPLES; i++) {
        values[i] = sample_ns(&random);
        sum += values[i];
        hist_record(&h, values[i]);
    }
    qsort(values, SAMPLES, sizeof values[0], compare_u64);
    static const uint32_t ppms[] = {0, 1000, 500000, 900000, 990000, 999000, 999900};
    for (size_t i = 0; i < ARRAY_LEN(ppms); i++)
        assert_close(hist_percentile_ns(&h, ppms[i]), exact_ns(values, SAMPLES, ppms[i]));
    assert_int_equal(hist_percentile_ns(&h, 1000000), values[SAMPLES - 1]);
    assert_int_equal(h.min_ns, values[0]);
    assert_int_equal(h.max_ns, values[SAMPLES - 1]);
    assert_int_equal(hist_mean_ns(&h), sum / SAMPLES);
    hist_deinit(&h);
}

static void assert_same(const struct hist *a, const struct hist *b) {
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->min_ns, b->min_ns);
    assert_int_equal(a->max_ns, b->max_ns);
    assert_int_equal(a->sum_ns, b->sum_ns);
    assert_int_equal(a->over, b->over);
    uint32_t cursor_a = 0, cursor_b = 0;
    struct hist_bucket bucket_a = {0}, bucket_b = {0};
    while (hist_next(a, &cursor_a, &bucket_a)) {
        assert_true(hist_next(b, &cursor_b, &bucket_b));
        assert_int_equal(bucket_a.index, bucket_b.index);
        assert_int_equal(bucket_a.count, bucket_b.count);
    }
    assert_false(hist_next(b, &cursor_b, &bucket_b));
}

static void merging_eight_nodes_equals_recording_the_union(void **state) {
    (void)state;
    struct prng random;
    prng_init(&random, 11);
    struct hist nodes[8] = {0}, all = {0}, merged = {0};
    for (size_t i = 0; i < SAMPLES; i++) {
        uint64_t value = sample_ns(&random);
        hist_record(&nodes[i % 8], value);
        hist_record(&all, value);
    }
    for (size_t i = 0; i < 8; i++)
        hist_merge(&merged, &nodes[i]);
    assert_same(&merged, &all);
    hist_reset(&nodes[0]);
    hist_merge(&merged, &nodes[0]);
    assert_same(&merged, &all);
    for (size_t i = 0; i < 8; i++)
        hist_deinit(&nodes[i]);
    hist_deinit(&all);
    hist_deinit(&merged);
}

static void an_encoded_histogram_adds_back_the_same(void **state) {
    (void)state;
    struct prng random;
    prng_init(&random, 13);
    struct hist h = {0}, back = {0};
    struct buf bytes;
    buf_init(&bytes, HIST_ENCODED_BYTES_MAX);
    hist_encode(&h, &bytes);
    assert_int_equal(bytes.len, 2);
    assert_int_equal(hist_decode_add(buf_str(&bytes), &back, NULL), 0);
    assert_int_equal(back.count, 0);
    for (size_t i = 0; i < SAMPLES; i++)
        hist_record(&h, sample_ns(&random));
    hist_record(&h, HIST_VALUE_NS_MAX * 3);
    buf_reset(&bytes);
    hist_encode(&h, &bytes);
    assert_true(buf_ok(&bytes));
    assert_int_equal(hist_decode_add(buf_str(&bytes), &back, NULL), 0);
    assert_same(&h, &back);
    struct buf again;
    buf_init(&again, HIST_ENCODED_BYTES_MAX);
    hist_encode(&back, &again);
    assert_true(str_equal(buf_str(&bytes), buf_str(&again)));
    buf_deinit(&again);
    buf_deinit(&bytes);
    hist_deinit(&h);
    hist_deinit(&back);
}

static void an_encoding_cut_anywhere_adds_nothing(void **state) {
    (void)state;
    struct hist h = {0}, into = {0};
    for (uint64_t i = 1; i < 60; i++)
        hist_record(&h, i * i * i * 1000);
    struct buf bytes;
    buf_init(&bytes, HIST_ENCODED_BYTES_MAX);
    hist_encode(&h, &bytes);
    for (size_t len = 0; len < bytes.len; len++) {
        assert_int_equal(hist_decode_add((struct str){bytes.ptr, len}, &into, NULL), -ERR_PARSE);
        assert_int_equal(into.count, 0);
    }
    buf_add_byte(&bytes, 0);
    assert_int_equal(hist_decode_add(buf_str(&bytes), &into, NULL), -ERR_PARSE);
    buf_deinit(&bytes);
    hist_deinit(&h);
    hist_deinit(&into);
}

static void encodings_that_lie_are_refused(void **state) {
    (void)state;
    /* format, count 2, min 5,000, max 9,000, sum 14,000, over 0, bucket 5: 1, bucket 9: 1 */
    static const uint8_t good[] = {1, 2, 0x88, 0x27, 0xa8, 0x46, 0xb0, 0x6d, 0, 5, 1, 4, 1};
    static const struct {
        size_t at;
        uint8_t byte;
    } lies[] = {
        {0, 2},    /* format */
        {1, 3},    /* more values than the buckets hold */
        {1, 1},    /* fewer */
        {3, 0x37}, /* minimum above what the first bucket allows */
        {5, 0x66}, /* maximum above the last bucket */
        {7, 0x6f}, /* sum above what two such values can have */
        {8, 1},    /* a value above one hour, but none is */
        {9, 6},    /* first bucket does not hold the minimum */
        {10, 0},   /* an empty bucket */
        {10, 2},   /* buckets above the count */
        {11, 0},   /* the same bucket twice */
        {11, 5},   /* last bucket does not hold the maximum */
    };
    struct hist into = {0};
    struct str bytes = {(const char *)good, sizeof good};
    assert_int_equal(hist_decode_add(bytes, &into, NULL), 0);
    assert_int_equal(into.count, 2);
    assert_int_equal(into.sum_ns, 14000);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        uint8_t bad[sizeof good];
        memcpy(bad, good, sizeof good);
        bad[lies[i].at] = lies[i].byte;
        struct err err = {0};
        bytes = (struct str){(const char *)bad, sizeof bad};
        assert_int_equal(hist_decode_add(bytes, &into, &err), -ERR_PARSE);
        assert_int_equal(into.count, 2);
    }
    hist_deinit(&into);
}

static void a_count_that_would_overflow_is_refused(void **state) {
    (void)state;
    struct hist h = {0};
    hist_record_n(&h, 4000, UINT64_MAX - 1);
    struct buf bytes;
    buf_init(&bytes, HIST_ENCODED_BYTES_MAX);
    hist_encode(&h, &bytes);
    assert_int_equal(hist_decode_add(buf_str(&bytes), &h, NULL), -ERR_LIMIT);
    assert_int_equal(h.count, UINT64_MAX - 1);
    buf_deinit(&bytes);
    hist_deinit(&h);
}

static void values_beyond_an_hour_are_counted_and_marked(void **state) {
    (void)state;
    struct hist h = {0};
    hist_record(&h, HIST_VALUE_NS_MAX);
    assert_int_equal(h.over, 0);
    hist_record(&h, HIST_VALUE_NS_MAX * 2);
    assert_int_equal(h.over, 1);
    assert_int_equal(h.count, 2);
    assert_int_equal(hist_percentile_ns(&h, 1000000), HIST_VALUE_NS_MAX * 2);
    hist_deinit(&h);
}

static void counts_up_to_a_value_follow_the_buckets(void **state) {
    (void)state;
    struct hist h = {0};
    for (uint64_t us = 1; us <= 100; us++)
        hist_record(&h, us * NS_PER_US);
    assert_int_equal(hist_count_to(&h, 50 * NS_PER_US), 50);
    assert_int_equal(hist_count_to(&h, 0), 0);
    assert_int_equal(hist_count_to(&h, NS_PER_S), 100);
    hist_deinit(&h);
}

UNIT_MAIN(T(every_bucket_begins_where_the_one_before_ends),
          T(percentiles_are_within_three_digits_of_the_samples),
          T(merging_eight_nodes_equals_recording_the_union),
          T(an_encoded_histogram_adds_back_the_same), T(an_encoding_cut_anywhere_adds_nothing),
          T(encodings_that_lie_are_refused), T(a_count_that_would_overflow_is_refused),
          T(values_beyond_an_hour_are_counted_and_marked),
          T(counts_up_to_a_value_follow_the_buckets))
