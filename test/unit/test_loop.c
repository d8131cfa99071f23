/* The loop: timers never early and in order, posts from other threads, signals, freeing inside. */
#include "unit.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/dns.h"
#include "os/loop.h"

#define PATIENCE_NS (10 * NS_PER_S)

struct world {
    struct loop *loop;
    struct loop_timer *timers[3];
    int order[8];
    int count;
    uint64_t fired_ns;
    int target;
};

struct shot {
    struct world *world;
    int number;
};

static bool is_through(void *arg) {
    const struct world *w = arg;
    return w->count >= w->target;
}

static bool run(struct world *w, int target) {
    w->target = target;
    return loop_run_until(w->loop, clock_monotonic_ns() + PATIENCE_NS, is_through, w);
}

static void on_shot(void *arg) {
    struct shot *s = arg;
    s->world->order[s->world->count++] = s->number;
    s->world->fired_ns = loop_now_ns(s->world->loop);
}

static void timers_come_in_order_and_never_early(void **state) {
    (void)state;
    struct world w = {.loop = loop_new()};
    struct shot shots[3] = {{&w, 0}, {&w, 1}, {&w, 2}};
    uint64_t start_ns = clock_monotonic_ns();
    for (int i = 0; i < 3; i++)
        w.timers[i] = loop_timer_new(w.loop, on_shot, &shots[i]);
    loop_timer_set(w.timers[2], start_ns + 20 * NS_PER_MS);
    loop_timer_set(w.timers[0], start_ns + 60 * NS_PER_MS + 1);
    loop_timer_set(w.timers[1], start_ns + 40 * NS_PER_MS);
    assert_true(loop_timer_is_set(w.timers[1]));
    assert_true(run(&w, 3));
    assert_int_equal(w.order[0], 2);
    assert_int_equal(w.order[1], 1);
    assert_int_equal(w.order[2], 0);
    assert_true(w.fired_ns >= start_ns + 60 * NS_PER_MS + 1);
    assert_false(loop_timer_is_set(w.timers[0]));
    loop_timer_after(w.timers[0], 10 * NS_PER_MS);
    loop_timer_clear(w.timers[0]);
    loop_timer_set(w.timers[1], 0); /* long past: now */
    assert_true(run(&w, 4));
    for (int i = 0; i < 3; i++)
        loop_timer_free(w.timers[i]);
    loop_free(w.loop);
}

static void on_turn(void *arg) {
    struct world *w = arg;
    uint64_t first_ns = loop_now_ns(w->loop);
    clock_sleep_until_ns(clock_monotonic_ns() + 5 * NS_PER_MS);
    assert_int_equal(loop_now_ns(w->loop), first_ns); /* one reading a turn */
    loop_timer_free(w->timers[0]);                    /* itself */
    w->count++;
}

static void now_stands_still_within_a_turn_and_a_timer_may_free_itself(void **state) {
    (void)state;
    struct world w = {.loop = loop_new()};
    w.timers[0] = loop_timer_new(w.loop, on_turn, &w);
    loop_timer_after(w.timers[0], 0);
    assert_true(run(&w, 1));
    loop_free(w.loop);
}

static void on_posted(void *arg) {
    struct shot *s = arg;
    assert_int_equal(s->number, s->world->count); /* in the order posted */
    s->world->count++;
}

static void *post_many(void *arg) {
    struct shot *shots = arg;
    for (int i = 0; i < 10000; i++)
        loop_post(shots[i].world->loop, on_posted, &shots[i]);
    return NULL;
}

static void posts_of_another_thread_all_come_in_order(void **state) {
    (void)state;
    struct world w = {.loop = loop_new()};
    pthread_t thread;
    CLEANUP(mem_freep) struct shot *shots = mem_new_array(10000, sizeof *shots);
    for (int i = 0; i < 10000; i++)
        shots[i] = (struct shot){&w, i};
    assert_int_equal(pthread_create(&thread, NULL, post_many, shots), 0);
    assert_true(run(&w, 10000));
    pthread_join(thread, NULL);
    loop_free(w.loop);
}

static void on_signal(void *arg, int number) {
    struct world *w = arg;
    assert_int_equal(number, SIGUSR1);
    w->count++;
}

static void a_signal_comes_as_an_event(void **state) {
    (void)state;
    struct world w = {.loop = loop_new()};
    struct loop_signal *handled = loop_signal_new(w.loop, SIGUSR1, on_signal, &w);
    assert_int_equal(raise(SIGUSR1), 0);
    assert_int_equal(w.count, 0);
    assert_true(run(&w, 1));
    loop_signal_free(handled);
    loop_free(w.loop);
}

static void on_ready(void *arg, int ready) {
    struct world *w = arg;
    assert_int_equal(ready, LOOP_READ);
    w->count++;
}

static void a_silent_watch_hears_nothing(void **state) {
    (void)state;
    struct world w = {.loop = loop_new()};
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    struct loop_watch *watch = loop_watch_new(w.loop, ends[0], LOOP_NONE, on_ready, &w);
    assert_int_equal(write(ends[1], "x", 1), 1);
    loop_turn(w.loop, 20 * NS_PER_MS);
    assert_int_equal(w.count, 0);
    loop_watch_set(watch, LOOP_READ);
    assert_true(run(&w, 1));
    loop_watch_free(watch);
    close(ends[0]);
    close(ends[1]);
    loop_free(w.loop);
}

static void numeric_hosts_and_localhost_have_addresses_and_nonsense_has_none(void **state) {
    (void)state;
    struct address found[DNS_ADDRESSES_MAX];
    char host[64];
    size_t count = 0;
    assert_int_equal(dns_lookup_wait(STR("127.0.0.9"), 80, found, &count, NULL), 0);
    assert_int_equal(count, 1);
    address_host(&found[0], host, sizeof host);
    assert_string_equal(host, "127.0.0.9");
    assert_int_equal(address_port(&found[0]), 80);
    assert_int_equal(dns_lookup_wait(STR("[::1]"), 81, found, &count, NULL), 0);
    address_host(&found[0], host, sizeof host);
    assert_string_equal(host, "::1");
    assert_int_equal(dns_lookup_wait(STR("localhost"), 8080, found, &count, NULL), 0);
    assert_true(count >= 1);
    assert_int_equal(address_port(&found[0]), 8080);
    assert_int_equal(dns_lookup_wait(STR(""), 80, found, &count, NULL), -ERR_PARSE);
    assert_true(dns_lookup_wait(STR("no such host"), 80, found, &count, NULL) < 0);
}

static void addresses_with_ports_are_read_strictly(void **state) {
    (void)state;
    struct address a;
    static const char *const bad[] = {"",        "1.2.3.4",       "1.2.3.4:",    "1.2.3.4:0",
                                      "1.2.3:4", "1.2.3.4:65536", "[::1]",       "[::1]80",
                                      "::1:80",  "name:80",       "1.2.3.4:80 ", "[::1]:x"};
    assert_int_equal(address_parse(STR("1.2.3.4:80"), &a, NULL), 0);
    assert_int_equal(address_port(&a), 80);
    assert_int_equal(address_parse(STR("[2001:db8::7]:4433"), &a, NULL), 0);
    assert_int_equal(address_family(&a), AF_INET6);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(address_parse(str_from(bad[i]), &a, NULL), -ERR_PARSE);
}

UNIT_MAIN(T(timers_come_in_order_and_never_early),
          T(now_stands_still_within_a_turn_and_a_timer_may_free_itself),
          T(posts_of_another_thread_all_come_in_order), T(a_signal_comes_as_an_event),
          T(a_silent_watch_hears_nothing),
          T(numeric_hosts_and_localhost_have_addresses_and_nonsense_has_none),
          T(addresses_with_ports_are_read_strictly))
