#include "unit.h"

#include "base/arena.h"
#include "base/heap.h"
#include "base/prng.h"
#include "base/ring.h"
#include "base/table.h"
#include "base/when.h"

static void strings_split_into_every_part(void **state) {
    (void)state;
    struct str rest = STR("a,,b"), part;
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "a");
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "");
    assert_true(str_split(&rest, ',', &part));
    assert_str(part, "b");
    assert_false(str_split(&rest, ',', &part));
}

static void wildcards_match_without_recursion(void **state) {
    (void)state;
    assert_true(str_match(STR("c7g.large"), STR("c7*.l?rge")));
    assert_true(str_match(STR(""), STR("*")));
    assert_false(str_match(STR("c7g.large"), STR("c6*")));
    assert_false(str_match(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), STR("*a*a*a*a*a*a*a*b")));
}

static void the_distance_of_words_counts_swaps_once(void **state) {
    (void)state;
    assert_int_equal(str_distance(STR("instnces"), STR("instances")), 1);
    assert_int_equal(str_distance(STR("phsaes"), STR("phases")), 1);
    assert_int_equal(str_distance(STR("abc"), STR("abc")), 0);
    assert_int_equal(str_distance(STR(""), STR("abc")), 3);
}

static void a_buffer_never_passes_its_maximum(void **state) {
    (void)state;
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(8);
    buf_add_text(&b, "12345");
    assert_true(buf_ok(&b));
    buf_add_text(&b, "6789");
    assert_false(buf_ok(&b));
    assert_text(&b, "12345");
    buf_add_byte(&b, 'x'); /* stays refused: nothing may follow what is missing */
    assert_text(&b, "12345");
    buf_reset(&b);
    buf_add_text(&b, "12345678");
    assert_true(buf_ok(&b));
    buf_consume(&b, 6);
    assert_text(&b, "78");
}

static void an_arena_refuses_a_stranger_who_asks_too_much(void **state) {
    (void)state;
    CLEANUP(arena_deinit) struct arena a;
    arena_init(&a, 1024);
    assert_non_null(arena_try(&a, 1000));
    assert_null(arena_try(&a, 1000));
    arena_reset(&a);
    assert_non_null(arena_try(&a, 1000));
}

static void errors_gather_context_on_their_way_up(void **state) {
    (void)state;
    struct err err = {0};
    assert_int_equal(err_set(&err, ERR_PARSE, "not a rate:\n'%s'", "2x"), -ERR_PARSE);
    assert_int_equal(err_wrap(&err, "plan '%s'", "demo"), -ERR_PARSE);
    assert_string_equal(err.text, "plan 'demo': not a rate: '2x'");
    assert_string_equal(err_name(ERR_PARSE), "ERR_PARSE");
}

static void a_heap_gives_equal_keys_in_the_order_they_came(void **state) {
    (void)state;
    struct heap h;
    heap_init(&h, 1000);
    struct prng p;
    prng_init(&p, 1);
    for (uint64_t i = 0; i < 500; i++)
        heap_add(&h, prng_below(&p, 20), i);
    struct heap_item before = {0}, item;
    size_t taken = 0;
    while (heap_take(&h, &item)) {
        if (taken++)
            assert_true(before.key < item.key ||
                        (before.key == item.key && before.value < item.value));
        before = item;
    }
    assert_int_equal(taken, 500);
    heap_deinit(&h);
}

static void a_table_finds_what_was_set_and_not_what_was_removed(void **state) {
    (void)state;
    struct table t;
    table_init(&t);
    static int values[1000];
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_null(table_set(&t, str_from(key), &values[i]));
    }
    for (int i = 0; i < 1000; i += 2) {
        snprintf(key, sizeof key, "k%d", i);
        assert_ptr_equal(table_remove(&t, str_from(key)), &values[i]);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "k%d", i);
        assert_ptr_equal(table_find(&t, str_from(key)), i % 2 ? &values[i] : NULL);
    }
    size_t cursor = 0, seen = 0;
    while (table_next(&t, &cursor))
        seen++;
    assert_int_equal(seen, 500);
    assert_int_equal(t.count, 500);
    table_deinit(&t);
}

static void the_calendar_agrees_with_known_instants(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t unix_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2000-02-29T12:00:00Z", 951825600000},
        {"2026-11-20T16:08:03Z", 1795190883000},
        {"2100-03-01T00:00:00Z", 4107542400000},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_deinit) struct buf text = BUF_INIT(64);
        int64_t ms = -1;
        when_add_rfc3339(&text, cases[i].unix_ms);
        assert_text(&text, cases[i].text);
        assert_int_equal(when_parse(str_from(cases[i].text), &ms, NULL), 0);
        assert_int_equal(ms, cases[i].unix_ms);
    }
    int64_t ms;
    assert_int_equal(when_parse(STR("20261120T160803Z"), &ms, NULL), 0);
    assert_int_equal(ms, 1795190883000);
    assert_int_equal(when_parse(STR("2026-11-20T16:08:03.250Z"), &ms, NULL), 0);
    assert_int_equal(ms, 1795190883250);
    assert_true(when_parse(STR("2026-13-20T16:08:03Z"), &ms, NULL) < 0);
    assert_true(when_parse(STR("2026-11-20 16:08:03"), &ms, NULL) < 0);
}

static void the_same_seed_gives_the_same_numbers(void **state) {
    (void)state;
    struct prng a, b;
    prng_init(&a, 42);
    prng_init(&b, 42);
    for (int i = 0; i < 100; i++)
        assert_int_equal(prng_next(&a), prng_next(&b));
    uint64_t buckets[10] = {0};
    for (int i = 0; i < 100000; i++)
        buckets[prng_below(&a, 10)]++;
    for (size_t i = 0; i < ARRAY_LEN(buckets); i++)
        assert_in_range(buckets[i], 9500, 10500);
}

static void a_ring_is_bounded_and_in_order(void **state) {
    (void)state;
    struct ring r;
    ring_init(&r, 4);
    int values[5];
    for (int i = 0; i < 4; i++)
        assert_true(ring_push(&r, &values[i]));
    assert_false(ring_push(&r, &values[4]));
    for (int i = 0; i < 4; i++)
        assert_ptr_equal(ring_take(&r), &values[i]);
    assert_null(ring_take(&r));
    ring_deinit(&r);
}

UNIT_MAIN(T(strings_split_into_every_part), T(wildcards_match_without_recursion),
          T(the_distance_of_words_counts_swaps_once), T(a_buffer_never_passes_its_maximum),
          T(an_arena_refuses_a_stranger_who_asks_too_much),
          T(errors_gather_context_on_their_way_up),
          T(a_heap_gives_equal_keys_in_the_order_they_came),
          T(a_table_finds_what_was_set_and_not_what_was_removed),
          T(the_calendar_agrees_with_known_instants), T(the_same_seed_gives_the_same_numbers),
          T(a_ring_is_bounded_and_in_order))
