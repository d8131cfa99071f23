/* The other clock: exact when the way is even, bounded when it is not. */
#include "unit.h"

#include "base/prng.h"
#include "core/clocksync.h"

static void an_even_way_gives_the_offset(void **state) {
    (void)state;
    struct clocksync c;
    int64_t offset = 0;
    uint64_t error = 0;
    clocksync_init(&c);
    assert_false(clocksync_offset(&c, 0, &offset, &error));
    /* theirs = ours + 1,000,000; 100 there, 50 held, 100 back */
    assert_true(clocksync_add(&c, 500, 1000600, 1000650, 750));
    assert_true(clocksync_offset(&c, 750, &offset, &error));
    assert_int_equal(offset, 1000000);
    assert_int_equal(error, 101);
    assert_int_equal(clocksync_theirs(&c, 750, 2000), 1002000);
    assert_int_equal(clocksync_ours(&c, 750, 1002000), 2000);
}

static void a_clock_that_is_behind_ours_works_too(void **state) {
    (void)state;
    struct clocksync c;
    int64_t offset = 0;
    uint64_t error = 0;
    clocksync_init(&c);
    assert_true(clocksync_add(&c, 1000500, 600, 600, 1000700));
    assert_true(clocksync_offset(&c, 1000700, &offset, &error));
    assert_int_equal(offset, -1000000);
    assert_int_equal(clocksync_theirs(&c, 1000700, 1000500), 500);
}

static void the_shortest_round_trip_counts_until_it_is_old(void **state) {
    (void)state;
    struct clocksync c;
    int64_t offset = 0;
    uint64_t error = 0;
    clocksync_init(&c);
    assert_true(clocksync_add(&c, 0, 1000, 1000, 2000));         /* error 1001, offset 0 */
    assert_true(clocksync_add(&c, 10000, 59000, 59000, 110000)); /* error 50001 */
    assert_true(clocksync_offset(&c, 110000, &offset, &error));
    assert_int_equal(offset, 0);
    uint64_t later = 2000 * NS_PER_S; /* 200 ppm of that is 0.4 s */
    assert_true(clocksync_add(&c, later, later + 51000, later + 51000, later + 100000));
    assert_true(clocksync_offset(&c, later + 100000, &offset, &error));
    assert_int_equal(offset, 1000);
    assert_int_equal(error, 50001);
}

static void exchanges_that_contradict_themselves_are_dropped(void **state) {
    (void)state;
    struct clocksync c;
    clocksync_init(&c);
    assert_false(clocksync_add(&c, 100, 5, 5, 99));    /* answered before it was asked */
    assert_false(clocksync_add(&c, 100, 50, 49, 200)); /* sent before it was received */
    assert_false(clocksync_add(&c, 100, 0, 101, 200)); /* held longer than it was away */
    assert_int_equal(c.count, 0);
}

static void the_truth_is_always_within_the_bound(void **state) {
    (void)state;
    struct prng random;
    prng_init(&random, 7);
    for (int round = 0; round < 2000; round++) {
        struct clocksync c;
        int64_t offset = 0;
        uint64_t error = 0, now = NS_PER_S * 1000;
        int64_t truth = (int64_t)prng_below(&random, 1u << 30) - (1 << 29);
        clocksync_init(&c);
        for (int i = 0; i < 40; i++) {
            uint64_t there = prng_below(&random, 50 * NS_PER_MS);
            uint64_t hold = prng_below(&random, NS_PER_MS);
            uint64_t back = prng_below(&random, 50 * NS_PER_MS);
            uint64_t received = now + there + (uint64_t)truth;
            assert_true(
                clocksync_add(&c, now, received, received + hold, now + there + hold + back));
            now += there + hold + back + prng_below(&random, NS_PER_S);
        }
        assert_true(clocksync_offset(&c, now, &offset, &error));
        int64_t off = offset > truth ? offset - truth : truth - offset;
        assert_true((uint64_t)off <= error);
    }
}

UNIT_MAIN(T(an_even_way_gives_the_offset), T(a_clock_that_is_behind_ours_works_too),
          T(the_shortest_round_trip_counts_until_it_is_old),
          T(exchanges_that_contradict_themselves_are_dropped),
          T(the_truth_is_always_within_the_bound))
