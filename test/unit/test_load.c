/* The engine against the test server, both in this process, on loopback. */
#include "serve_kit.h"

#include "load/load.h"
#include "os/clock.h"

#include <poll.h>
#include <unistd.h>

#define DEADLINE_NS (30 * NS_PER_S)

static struct load_address address_of(uint16_t port) {
    struct load_address address = {.size = sizeof(struct sockaddr_in)};
    struct sockaddr_in *in = (struct sockaddr_in *)&address.addr;
    in->sin_family = AF_INET;
    in->sin_port = htons(port);
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static const struct load_request get_home = {
    .name = STR_INIT("home"), .method = STR_INIT("GET"), .target = STR_INIT("/"), .weight = 1};

/* `rate` requests per second for `ms` milliseconds at one port. */
static struct load_spec open_spec(const struct load_address *address, uint64_t rate, uint64_t ms) {
    struct load_spec spec = {.host = STR("127.0.0.1"),
                             .port = ntohs(((const struct sockaddr_in *)&address->addr)->sin_port),
                             .addresses = address,
                             .address_count = 1,
                             .requests = &get_home,
                             .request_count = 1,
                             .connections = 8,
                             .interval_ns = 100 * NS_PER_MS};
    struct pace_stage stage = {ms * NS_PER_MS, rate * MICRO, rate * MICRO};
    pace_plan_init(&spec.plan);
    assert_int_equal(pace_plan_add(&spec.plan, stage, NULL), 0);
    return spec;
}

/* Run to the end; `sum` gets everything.  `stop_at`: call load_stop after that many samples. */
static void run_load(const struct load_spec *spec, struct load_sample *sum, unsigned stop_at) {
    struct load *load = NULL;
    struct err err = {0};
    if (load_start(spec, &load, &err) < 0)
        fail_msg("%s", err.text);
    struct load_sample sample;
    load_sample_init(&sample, spec->request_count);
    load_sample_init(sum, spec->request_count);
    unsigned samples = 0;
    uint64_t give_up_ns = clock_monotonic_ns() + DEADLINE_NS;
    while (!load_finished(load)) {
        struct pollfd fd = {.fd = load_fd(load), .events = POLLIN};
        assert_true(clock_monotonic_ns() < give_up_ns);
        ignore(poll(&fd, 1, 1000) < 0); /* the loop looks anyway */
        while (load_take_sample(load, &sample)) {
            assert_true(sample.until_ns > sample.from_ns);
            load_sample_merge(sum, &sample);
            if (++samples == stop_at)
                load_stop(load);
        }
    }
    assert_true(load_cpu_ns(load) > 0);
    load_sample_deinit(&sample);
    load_free(load);
}

/* What the header promises for every request name after the end. */
static void assert_all_accounted(const struct load_sample *sum) {
    for (uint32_t i = 0; i < sum->request_count; i++) {
        const struct load_counts *c = &sum->requests[i].counts;
        uint64_t bad = c->errors[LOAD_ERROR_STATUS] + c->errors[LOAD_ERROR_EXPECT];
        assert_int_equal(c->done, c->ok + bad);
        assert_int_equal(c->planned, c->done + load_errors(c) - bad);
    }
    assert_int_equal(sum->in_flight, 0);
    assert_int_equal(sum->backlog, 0);
}

static void the_planned_count_is_sent_and_answered_exactly(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    server.body_bytes = 100;
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    struct load_spec spec = open_spec(&address, 3000, 500);
    spec.threads = 2;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    const struct load_request_sample *home = &sum.requests[0];
    assert_int_equal(home->counts.planned, 1500);
    assert_int_equal(home->counts.ok, 1500);
    assert_int_equal(home->counts.status[2], 1500);
    assert_int_equal(home->latency.count, 1500);
    assert_int_equal(home->service.count, 1500);
    assert_int_equal(sum.delay.count, 1500);
    assert_true(home->latency.min_ns >= home->service.min_ns);
    assert_true(home->latency.sum_ns >= home->service.sum_ns);
    assert_int_equal(sum.connects, 8);
    serve_stop(serve);
    struct serve_counts counts = serve_counts(serve);
    assert_int_equal(counts.requests, 1500);
    assert_int_equal(counts.connections, 8);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void eight_shards_send_the_plan_once(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    uint64_t planned = 0;
    for (uint32_t i = 0; i < 8; i++) {
        struct load_spec spec = open_spec(&address, 2003, 100);
        spec.shard_index = i;
        spec.shard_count = 8;
        spec.connections = 2;
        spec.threads = 2;
        struct load_sample sum;
        run_load(&spec, &sum, 0);
        assert_all_accounted(&sum);
        planned += sum.requests[0].counts.ok;
        load_sample_deinit(&sum);
    }
    assert_int_equal(planned, 201); /* 200.3: requests 0 to 200 */
    serve_free(serve);
}

static void a_stall_is_in_the_latency_of_every_request_that_was_due(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    server.stall_ns = 200 * NS_PER_MS;
    server.stall_every_ns = 500 * NS_PER_MS;
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    struct load_spec spec = open_spec(&address, 1000, 500);
    spec.connections = 2; /* far fewer than the requests that are due in a stall */
    spec.start_ns = serve_stall_ns(serve) - 100 * NS_PER_MS;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    const struct load_request_sample *home = &sum.requests[0];
    assert_int_equal(home->counts.ok, 500);
    /* 200 of 500 are due in the stall; the median of those waits 100 ms: p80 of all.  A busy
     * machine adds to that, it takes nothing away; how exact it is, the story proves. */
    assert_true(hist_percentile_ns(&home->latency, 800000) >= 90 * NS_PER_MS);
    assert_true(home->latency.max_ns >= 195 * NS_PER_MS);
    /* service time alone hides it: two requests saw the stall */
    assert_true(hist_percentile_ns(&home->service, 900000) <
                hist_percentile_ns(&home->latency, 800000) / 2);
    assert_true(sum.late >= 190);
    assert_true(sum.late_self <= sum.late);
    assert_true(sum.late_ns_max > 150 * NS_PER_MS);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void nobody_listening_counts_as_refused(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    serve_free(serve); /* the port is free now */
    struct load_spec spec = open_spec(&address, 500, 200);
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    assert_int_equal(sum.requests[0].counts.errors[LOAD_ERROR_REFUSED], 100);
    assert_int_equal(sum.requests[0].latency.count, 0);
    load_sample_deinit(&sum);
}

static void without_an_address_every_request_is_a_dns_error(void **state) {
    (void)state;
    struct load_address address = address_of(9);
    struct load_spec spec = open_spec(&address, 500, 200);
    spec.address_count = 0;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    assert_int_equal(sum.requests[0].counts.errors[LOAD_ERROR_DNS], 100);
    load_sample_deinit(&sum);
}

static void a_server_that_never_answers_ends_in_timeouts_and_unsent(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    server.latency_ns = 60 * NS_PER_S;
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    struct load_spec spec = open_spec(&address, 100, 300);
    spec.connections = 4;
    spec.timeout_ns = 100 * NS_PER_MS;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    const struct load_counts *counts = &sum.requests[0].counts;
    assert_int_equal(counts->planned, 30);
    assert_int_equal(counts->done, 0);
    assert_true(counts->errors[LOAD_ERROR_TIMEOUT] >= 12);
    assert_int_equal(counts->errors[LOAD_ERROR_TIMEOUT] + counts->errors[LOAD_ERROR_UNSENT], 30);
    assert_int_equal(sum.requests[0].latency.count, 30);
    assert_true(sum.requests[0].latency.min_ns >= 100 * NS_PER_MS);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void weights_share_the_requests_and_the_seed_repeats_them(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    static const struct load_header type = {STR_INIT("Content-Type"), STR_INIT("text/plain")};
    static const struct load_request requests[] = {
        {.name = STR_INIT("home"), .method = STR_INIT("GET"), .target = STR_INIT("/"), .weight = 8},
        {.name = STR_INIT("buy"),
         .method = STR_INIT("POST"),
         .target = STR_INIT("/cart"),
         .headers = &type,
         .header_count = 1,
         .body = STR_INIT("{\"sku\": 1}"),
         .status_min = 201,
         .status_max = 201,
         .weight = 2},
    };
    uint64_t home[2];
    for (int round = 0; round < 2; round++) {
        struct load_spec spec = open_spec(&address, 2000, 250);
        spec.requests = requests;
        spec.request_count = 2;
        spec.seed = 42;
        spec.threads = 1 + (uint32_t)round;
        struct load_sample sum;
        run_load(&spec, &sum, 0);
        assert_all_accounted(&sum);
        home[round] = sum.requests[0].counts.ok;
        /* the server says 200, 201 was expected */
        assert_int_equal(sum.requests[1].counts.errors[LOAD_ERROR_STATUS], 500 - home[round]);
        load_sample_deinit(&sum);
    }
    assert_in_range(home[0], 360, 440);
    assert_int_equal(home[0], home[1]);
    serve_free(serve);
}

static void a_closed_loop_keeps_each_user_busy_until_the_end(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    server.latency_ns = 10 * NS_PER_MS;
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    struct load_spec spec = open_spec(&address, 1, 1);
    pace_plan_init(&spec.plan);
    spec.users = 20;
    spec.duration_ns = 500 * NS_PER_MS;
    spec.think_ns_min = spec.think_ns_max = 10 * NS_PER_MS;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    /* 20 users, one request each 20 ms at most; a busy machine makes that fewer */
    assert_in_range(sum.requests[0].counts.ok, 60, 520);
    assert_true(sum.requests[0].latency.min_ns >= 10 * NS_PER_MS);
    assert_int_equal(sum.connects, 20);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void stopping_sends_nothing_more_and_accounts_for_all(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    struct load_spec spec = open_spec(&address, 1000, 20000);
    struct load_sample sum;
    run_load(&spec, &sum, 3);
    assert_all_accounted(&sum);
    assert_in_range(sum.requests[0].counts.planned, 250, 5000);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void a_connection_for_each_request_when_asked(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    struct load_spec spec = open_spec(&address, 500, 200);
    spec.close_each = true;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    assert_int_equal(sum.requests[0].counts.ok, 100);
    assert_in_range(sum.connects, 100, 108); /* eight may be open and unused at the end */
    assert_int_equal(sum.retries, 0);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void what_the_body_must_hold_is_checked(void **state) {
    (void)state;
    struct serve_spec server = server_spec(0);
    server.body_bytes = 70; /* "dayfly\n" ten times */
    struct serve *serve = server_start(&server);
    struct load_address address = address_of(serve_port(serve));
    static const struct load_request requests[] = {
        {.name = STR_INIT("in"),
         .method = STR_INIT("GET"),
         .target = STR_INIT("/"),
         .weight = 1,
         .body_contains = STR_INIT("fly\nday")},
        {.name = STR_INIT("re"),
         .method = STR_INIT("GET"),
         .target = STR_INIT("/"),
         .weight = 1,
         .body_pattern = STR_INIT("(dayfly.){10}")},
        {.name = STR_INIT("no"),
         .method = STR_INIT("GET"),
         .target = STR_INIT("/"),
         .weight = 1,
         .body_contains = STR_INIT("mayfly")},
    };
    struct load_spec spec = open_spec(&address, 600, 200);
    spec.requests = requests;
    spec.request_count = 3;
    struct load_sample sum;
    run_load(&spec, &sum, 0);
    assert_all_accounted(&sum);
    for (uint32_t i = 0; i < 2; i++)
        assert_int_equal(load_errors(&sum.requests[i].counts), 0);
    assert_true(sum.requests[2].counts.done > 0);
    assert_int_equal(sum.requests[2].counts.errors[LOAD_ERROR_EXPECT], sum.requests[2].counts.done);
    struct load_request_sample total = {0};
    load_sample_total(&sum, &total);
    assert_int_equal(total.counts.done, 120);
    assert_int_equal(total.latency.count, 120);
    load_request_sample_deinit(&total);
    serve_free(serve);
    load_sample_deinit(&sum);
}

static void specs_that_make_no_sense_are_refused(void **state) {
    (void)state;
    struct load_address address = address_of(9);
    struct load *load = NULL;
    struct err err = {0};
    struct load_spec good = open_spec(&address, 10, 10), bad = good;
    bad.users = 3;
    assert_int_equal(load_start(&bad, &load, &err), -ERR_USAGE);
    bad = good;
    pace_plan_init(&bad.plan);
    assert_int_equal(load_start(&bad, &load, &err), -ERR_USAGE);
    bad = good;
    bad.shard_index = bad.shard_count = 2;
    assert_int_equal(load_start(&bad, &load, &err), -ERR_USAGE);
    bad = good;
    bad.connections = LOAD_CONNECTIONS_MAX + 1;
    assert_int_equal(load_start(&bad, &load, &err), -ERR_LIMIT);
    struct load_request request = get_home;
    request.target = STR("/x HTTP/1.1\r\nEvil: yes");
    bad = good;
    bad.requests = &request;
    assert_int_equal(load_start(&bad, &load, &err), -ERR_USAGE);
    request = get_home;
    request.body_pattern = STR("(");
    assert_int_equal(load_start(&bad, &load, &err), -ERR_USAGE);
    assert_null(load);
}

UNIT_MAIN(T(the_planned_count_is_sent_and_answered_exactly), T(eight_shards_send_the_plan_once),
          T(a_stall_is_in_the_latency_of_every_request_that_was_due),
          T(nobody_listening_counts_as_refused), T(without_an_address_every_request_is_a_dns_error),
          T(a_server_that_never_answers_ends_in_timeouts_and_unsent),
          T(weights_share_the_requests_and_the_seed_repeats_them),
          T(a_closed_loop_keeps_each_user_busy_until_the_end),
          T(stopping_sends_nothing_more_and_accounts_for_all),
          T(a_connection_for_each_request_when_asked), T(what_the_body_must_hold_is_checked),
          T(specs_that_make_no_sense_are_refused))
