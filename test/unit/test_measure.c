#include "unit.h"

#include "base/arena.h"
#include "head/measure.h"

static const char PLAN[] = "dayfly: 1\n"
                           "name: m\n"
                           "roles:\n"
                           "  load: {count: 2, instances: [c7i.large]}\n"
                           "phases:\n"
                           "  - name: warm\n"
                           "    nodes: load\n"
                           "    warmup: true\n"
                           "    duration: 1s\n"
                           "    http: {url: \"http://127.0.0.1:1/\", rate: 10/s}\n"
                           "  - name: main\n"
                           "    nodes: load\n"
                           "    duration: 3s\n"
                           "    http:\n"
                           "      base: http://127.0.0.1:1\n"
                           "      rate: 100/s\n"
                           "      requests:\n"
                           "        - {name: a, get: /a}\n"
                           "        - {name: b, get: /b}\n"
                           "thresholds:\n"
                           "  - p99 of a < 20ms in main\n"
                           "  - errors < 10% in main over 2s, abort\n"
                           "  - p50 of b < 1ms in main\n";

struct fixture {
    struct arena arena;
    const struct plan *plan;
    struct measure *measure;
};

static int set_up(void **state) {
    struct fixture *f = mem_new(sizeof *f);
    struct plan_load_options o = {.file = STR("m.yaml"), .text = str_from(PLAN)};
    struct plan_errors *errors = arena_new(&f->arena, sizeof *errors);
    struct err err = {0};
    if (plan_load(&o, &f->arena, &f->plan, errors, &err) < 0)
        fprintf(stderr, "%s\n", err.text);
    f->measure = f->plan ? measure_new(f->plan, 8) : NULL;
    *state = f;
    return f->measure ? 0 : -1;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    measure_free(f->measure);
    arena_deinit(&f->arena);
    mem_free(f);
    return 0;
}

/* `count` replies of request `request` that took `ms` each, `errors` of them with a bad status. */
static void send_second(struct measure *m, uint32_t phase, uint32_t node, uint32_t second,
                        uint32_t request, uint64_t count, uint64_t ms, uint64_t errors) {
    CLEANUP(buf_deinit) struct buf bytes = BUF_INIT(HIST_ENCODED_BYTES_MAX);
    struct hist h;
    hist_init(&h);
    hist_record_n(&h, ms * NS_PER_MS, count);
    hist_encode(&h, &bytes);
    hist_deinit(&h);
    uint64_t by_class[LOAD_ERROR_COUNT] = {[LOAD_ERROR_STATUS] = errors};
    struct wire_sample_request one = {.request = request,
                                      .planned = count,
                                      .sent = count,
                                      .done = count,
                                      .ok = count - errors,
                                      .errors = by_class,
                                      .errors_count = LOAD_ERROR_COUNT,
                                      .latency = buf_str(&bytes),
                                      .service = buf_str(&bytes)};
    struct wire_sample sample = {.phase = phase + 1,
                                 .from_ns = second * NS_PER_S,
                                 .until_ns = (second + 1) * NS_PER_S,
                                 .requests = &one,
                                 .requests_count = 1,
                                 .last_part = true};
    assert_int_equal(measure_sample(m, phase, node, &sample, NULL), 0);
}

static void percentiles_are_of_the_union_of_all_nodes(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct measure_context c = {.now_ns = 1};
    measure_begin(m, 1, 0, 1000, 2);
    /* One node is fast, one slow: an average of p99 would say 55 ms, the truth is 100 ms. */
    send_second(m, 1, 0, 0, 0, 90, 10, 0);
    send_second(m, 1, 1, 0, 0, 10, 100, 0);
    assert_int_equal(measure_tick(m, &c), -1);
    const struct measure_second *s = measure_latest(m, 1);
    assert_non_null(s);
    assert_int_equal(s->ok, 100);
    assert_in_range(s->p50_ns, 9990000, 10010000);
    assert_in_range(s->p99_ns, 99900000, 100100000);
    assert_int_equal(s->asked, 100);
}

static void a_second_waits_for_every_node_but_not_for_ever(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct measure_context c = {.now_ns = NS_PER_S};
    measure_begin(m, 1, 0, 1000, 2);
    send_second(m, 1, 0, 0, 0, 50, 1, 0);
    ignore(measure_tick(m, &c) >= 0);
    assert_null(measure_latest(m, 1));
    c.now_ns = NS_PER_S + MEASURE_LATE_NS;
    ignore(measure_tick(m, &c) >= 0);
    assert_non_null(measure_latest(m, 1));
    assert_int_equal(m->phases[1].missing, 1);
    /* What comes late still counts in the totals, and not in the second that was shown. */
    send_second(m, 1, 1, 0, 0, 50, 1, 0);
    assert_int_equal(m->phases[1].total.ok, 100);
    assert_int_equal(measure_latest(m, 1)->ok, 50);
}

static void a_broken_window_orders_the_stop_once(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct measure_context c = {.now_ns = 1};
    measure_begin(m, 1, 0, 1000, 1);
    send_second(m, 1, 0, 0, 0, 100, 1, 20);
    assert_int_equal(measure_tick(m, &c), -1); /* the window is two seconds long */
    send_second(m, 1, 0, 1, 0, 100, 1, 20);
    assert_int_equal(measure_tick(m, &c), 1);
    send_second(m, 1, 0, 2, 0, 100, 1, 20);
    assert_int_equal(measure_tick(m, &c), -1);
    assert_int_equal(m->results[1].state, VERDICT_BROKEN);
}

static void thresholds_read_their_own_phase_and_request(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct measure_context c = {.now_ns = 1};
    measure_begin(m, 0, 0, 1000, 1);
    send_second(m, 0, 0, 0, 0, 10, 5, 0);
    measure_end(m, 0, NS_PER_S, 2000);
    ignore(measure_tick(m, &c) >= 0);
    measure_begin(m, 1, NS_PER_S, 2000, 1);
    send_second(m, 1, 0, 0, 0, 100, 10, 0);
    send_second(m, 1, 0, 1, 1, 100, 500, 0); /* request b is slow, the threshold is on a */
    measure_end(m, 1, 4 * NS_PER_S, 5000);
    ignore(measure_tick(m, &c) >= 0);
    assert_int_equal(measure_finish(m, NULL, NULL), 1);
    assert_int_equal(m->results[0].state, VERDICT_PASSED);
    assert_in_range(m->results[0].reading, 9990000, 10010000);
    assert_int_equal(m->results[2].state, VERDICT_BROKEN); /* 500 ms is not below 1 ms */
}

static void a_sample_that_lies_is_refused(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct wire_sample_request one = {.request = 99};
    struct wire_sample sample = {.phase = 2, .requests = &one, .requests_count = 1};
    assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), -ERR_PROTOCOL); /* not begun */
    measure_begin(m, 1, 0, 1000, 1);
    assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), -ERR_PROTOCOL); /* no such request */
    one.request = 0;
    one.latency = STR("\x01garbage");
    assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), -ERR_PROTOCOL);
    sample.from_ns = UINT64_MAX;
    assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), -ERR_PROTOCOL);
    assert_int_equal(m->phases[1].total.ok, 0);
}

static void a_number_that_no_node_can_count_poisons_nothing(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    static const uint64_t lies[] = {MEASURE_COUNT_MAX + 1, UINT64_C(1) << 63, UINT64_MAX};
    measure_begin(m, 1, 0, 1000, 1);
    send_second(m, 1, 0, 0, 0, 10, 1, 0);
    for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
        uint64_t errors[LOAD_ERROR_COUNT] = {[LOAD_ERROR_STATUS] = lies[i]};
        struct wire_sample_request lie[] = {
            {.request = 0, .ok = lies[i]},
            {.request = 0, .sent = lies[i]},
            {.request = 0, .planned = lies[i]},
            {.request = 0, .bytes_in = UINT64_MAX},
            {.request = 0, .bytes_out = UINT64_MAX},
            {.request = 0, .errors = errors, .errors_count = LOAD_ERROR_COUNT},
        };
        for (size_t k = 0; k < ARRAY_LEN(lie); k++) {
            /* The first request is honest; the lie after it takes it along. */
            struct wire_sample_request both[] = {{.request = 1, .ok = 5}, lie[k]};
            struct wire_sample sample = {
                .phase = 2, .requests = both, .requests_count = 2, .last_part = true};
            assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), -ERR_PROTOCOL);
        }
        struct wire_sample late = {.phase = 2, .late = lies[i]};
        assert_int_equal(measure_sample(m, 1, 0, &late, NULL), -ERR_PROTOCOL);
    }
    assert_int_equal(m->phases[1].total.ok, 10);
    assert_int_equal(m->phases[1].total.bytes_in, 0);
    assert_int_equal(m->phases[1].late, 0);
    assert_int_equal(m->nodes[0].ok, 10);
}

static void a_second_that_is_yet_to_come_is_refused(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct measure_context c = {.now_ns = 100 * NS_PER_S};
    ignore(measure_tick(m, &c) >= 0);
    measure_begin(m, 1, 100 * NS_PER_S, 1000, 1);
    struct wire_sample sample = {.phase = 2, .from_ns = 50 * NS_PER_S, .last_part = true};
    assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), -ERR_PROTOCOL);
    assert_int_equal(m->second_count, 0);
    c.now_ns = 150 * NS_PER_S;
    ignore(measure_tick(m, &c) >= 0);
    assert_int_equal(measure_sample(m, 1, 0, &sample, NULL), 0);
}

static void one_node_cannot_speak_for_two(void **state) {
    struct fixture *f = *state;
    struct measure *m = f->measure;
    struct measure_context c = {.now_ns = NS_PER_S};
    measure_begin(m, 1, 0, 1000, 2);
    send_second(m, 1, 0, 0, 0, 50, 1, 0);
    send_second(m, 1, 0, 0, 0, 50, 1, 0);
    ignore(measure_tick(m, &c) >= 0);
    assert_null(measure_latest(m, 1)); /* the other node is still waited for */
    send_second(m, 1, 1, 0, 0, 50, 1, 0);
    ignore(measure_tick(m, &c) >= 0);
    assert_int_equal(measure_latest(m, 1)->ok, 150);
}

#define TF(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

UNIT_MAIN(TF(percentiles_are_of_the_union_of_all_nodes),
          TF(a_second_waits_for_every_node_but_not_for_ever),
          TF(a_broken_window_orders_the_stop_once), TF(thresholds_read_their_own_phase_and_request),
          TF(a_sample_that_lies_is_refused), TF(a_number_that_no_node_can_count_poisons_nothing),
          TF(a_second_that_is_yet_to_come_is_refused), TF(one_node_cannot_speak_for_two))
