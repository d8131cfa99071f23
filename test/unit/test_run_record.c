/* Journal records: what is written is what is read, and damage is never taken for a record. */
#include "unit.h"

#include "core/run_record.h"

static struct run_record sample(enum run_record_kind kind) {
    struct run_record r = {.kind = kind, .sequence = 0x0102030405060708};
    switch (kind) {
    case RUN_RECORD_BEGIN:
        memcpy(r.id, "7k2m", 5);
        r.count = 3;
        break;
    case RUN_RECORD_INTENT:
        r.intent = 4095;
        r.role = 2;
        r.count = 500;
        r.on_demand = true;
        r.exclude = UINT64_C(0x8000000000000001);
        break;
    case RUN_RECORD_OUTCOME:
        r.intent = 17;
        r.count = 499;
        break;
    case RUN_RECORD_NODE:
        memcpy(r.id, "i-0123456789abcdef0", 20);
        r.intent = 17;
        r.role = 1;
        break;
    case RUN_RECORD_GONE:
        memcpy(r.id, "i-0123456789abcdef0", 20);
        break;
    case RUN_RECORD_STAGE:
        r.count = 8;
        break;
    case RUN_RECORD_RESOURCES:
    case RUN_RECORD_CLEAN:
    case RUN_RECORD_KIND_END:
        break;
    }
    return r;
}

static void assert_same(const struct run_record *a, const struct run_record *b) {
    assert_int_equal(a->kind, b->kind);
    assert_true(a->sequence == b->sequence);
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->intent, b->intent);
    assert_int_equal(a->role, b->role);
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->on_demand, b->on_demand);
    assert_true(a->exclude == b->exclude);
}

static void the_checksum_is_that_of_rfc_3720(void **state) {
    (void)state;
    uint8_t bytes[32] = {0}; /* RFC 3720 B.4 */
    assert_true(run_crc32c(bytes, 32) == UINT32_C(0x8a9136aa));
    memset(bytes, 0xFF, 32);
    assert_true(run_crc32c(bytes, 32) == UINT32_C(0x62a8ab43));
    assert_true(run_crc32c("123456789", 9) == UINT32_C(0xe3069283));
}

static void every_kind_is_read_as_it_was_written(void **state) {
    (void)state;
    for (int kind = RUN_RECORD_BEGIN; kind < RUN_RECORD_KIND_END; kind++) {
        uint8_t bytes[RUN_RECORD_BYTES_MAX], again[RUN_RECORD_BYTES_MAX];
        struct run_record r = sample((enum run_record_kind)kind), got;
        size_t size = run_record_encode(&r, bytes), used = 0;
        assert_int_equal(run_record_decode(bytes, size, &got, &used, NULL), 0);
        assert_int_equal(used, size);
        assert_same(&r, &got);
        assert_int_equal(run_record_encode(&got, again), size);
        assert_memory_equal(bytes, again, size);
    }
}

static void every_cut_is_a_torn_record(void **state) {
    (void)state;
    struct run_record r = sample(RUN_RECORD_NODE), got;
    uint8_t bytes[RUN_RECORD_BYTES_MAX];
    size_t used, size = run_record_encode(&r, bytes);
    for (size_t cut = 0; cut < size; cut++)
        assert_int_equal(run_record_decode(bytes, cut, &got, &used, NULL), -ERR_LIMIT);
}

static void every_single_bit_flip_is_refused(void **state) {
    (void)state;
    for (int kind = RUN_RECORD_BEGIN; kind < RUN_RECORD_KIND_END; kind++) {
        struct run_record r = sample((enum run_record_kind)kind), got;
        uint8_t bytes[RUN_RECORD_BYTES_MAX];
        size_t used, size = run_record_encode(&r, bytes);
        for (size_t bit = 0; bit < 8 * size; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_true(run_record_decode(bytes, size, &got, &used, NULL) < 0);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void records_follow_each_other(void **state) {
    (void)state;
    uint8_t bytes[2 * RUN_RECORD_BYTES_MAX];
    struct run_record a = sample(RUN_RECORD_INTENT), b = sample(RUN_RECORD_CLEAN), got;
    size_t first = run_record_encode(&a, bytes), used;
    size_t size = first + run_record_encode(&b, bytes + first);
    assert_int_equal(run_record_decode(bytes, size, &got, &used, NULL), 0);
    assert_int_equal(used, first);
    assert_int_equal(run_record_decode(bytes + used, size - used, &got, &used, NULL), 0);
    assert_int_equal(got.kind, RUN_RECORD_CLEAN);
}

UNIT_MAIN(T(the_checksum_is_that_of_rfc_3720), T(every_kind_is_read_as_it_was_written),
          T(every_cut_is_a_torn_record), T(every_single_bit_flip_is_refused),
          T(records_follow_each_other))
