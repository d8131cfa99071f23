/* The test server, spoken to by hand over a socket. */
#include "serve_kit.h"

#include "os/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int dial(const struct serve *serve) {
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons(serve_port(serve)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    struct timeval deadline = {.tv_sec = 10};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

static void say(int fd, const char *text) {
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Read until that many bytes have come, or the connection ends. */
static void hear(int fd, struct buf *text, size_t bytes) {
    while (text->len < bytes) {
        char piece[4096];
        ssize_t got = recv(fd, piece, sizeof piece, 0);
        assert_true(got >= 0); /* the deadline did not pass */
        if (got == 0)
            return;
        buf_add(text, piece, (size_t)got);
    }
}

/* Size of a 200 reply, learned from one. */
static size_t reply_size(const struct serve *serve) {
    int fd = dial(serve);
    struct buf text;
    buf_init(&text, 64 * KIB);
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    hear(fd, &text, SIZE_MAX);
    assert_true(str_starts_with(buf_str(&text), STR("HTTP/1.1 200 OK\r\n")));
    assert_true(str_ends_with(buf_str(&text), STR("\r\n\r\ndayfl")));
    size_t size = text.len;
    buf_deinit(&text);
    close(fd);
    return size;
}

static void pipelined_requests_are_answered_in_order(void **state) {
    (void)state;
    struct serve_spec spec = server_spec(5);
    spec.latency_ns = 5 * NS_PER_MS; /* so that the second waits behind the first */
    struct serve *serve = server_start(&spec);
    size_t one = reply_size(serve);
    int fd = dial(serve);
    struct buf text;
    buf_init(&text, 64 * KIB);
    say(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
            "POST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"
            "HEAD /c HTTP/1.1\r\nHost: x\r\n\r\nGET /d HTT");
    hear(fd, &text, 3 * one - 5);
    assert_int_equal(text.len, 3 * one - 5); /* HEAD has no body */
    say(fd, "P/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    hear(fd, &text, SIZE_MAX);
    assert_int_equal(text.len, 4 * one - 5);
    close(fd);
    serve_stop(serve);
    assert_int_equal(serve_counts(serve).requests, 5);
    assert_int_equal(serve_counts(serve).connections, 2);
    serve_free(serve);
    buf_deinit(&text);
}

static void what_is_not_http_gets_400_and_the_end(void **state) {
    (void)state;
    struct serve_spec spec = server_spec(5);
    struct serve *serve = server_start(&spec);
    int fd = dial(serve);
    struct buf text;
    buf_init(&text, 64 * KIB);
    say(fd, "SSH-2.0-OpenSSH_9.2\r\n");
    hear(fd, &text, SIZE_MAX);
    assert_true(str_starts_with(buf_str(&text), STR("HTTP/1.1 400 Bad Request\r\n")));
    close(fd);
    serve_stop(serve);
    assert_int_equal(serve_counts(serve).refused, 1);
    assert_int_equal(serve_counts(serve).requests, 0);
    serve_free(serve);
    buf_deinit(&text);
}

static void a_body_is_waited_for_after_100_continue(void **state) {
    (void)state;
    struct serve_spec spec = server_spec(5);
    struct serve *serve = server_start(&spec);
    int fd = dial(serve);
    struct buf text;
    buf_init(&text, 64 * KIB);
    say(fd, "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
            "Connection: close\r\n\r\n");
    hear(fd, &text, 25);
    assert_text(&text, "HTTP/1.1 100 Continue\r\n\r\n");
    say(fd, "ok");
    hear(fd, &text, SIZE_MAX);
    assert_true(str_contains(buf_str(&text), STR("\r\n\r\nHTTP/1.1 200 OK\r\n")));
    close(fd);
    serve_free(serve);
    buf_deinit(&text);
}

/* Ask `count` times on one connection; how often each status came. */
static void ask(const struct serve *serve, unsigned count, unsigned *ret_ok, unsigned *ret_other) {
    int fd = dial(serve);
    struct buf text;
    buf_init(&text, MIB);
    for (unsigned i = 0; i + 1 < count; i++)
        say(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    say(fd, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    hear(fd, &text, SIZE_MAX);
    *ret_ok = *ret_other = 0;
    struct str rest = buf_str(&text), line;
    while (str_line(&rest, &line)) {
        /* a reply follows a body without a line break */
        *ret_ok += str_contains(line, STR("HTTP/1.1 200 OK"));
        *ret_other +=
            str_contains(line, STR("HTTP/1.1 429 ")) || str_contains(line, STR("HTTP/1.1 500 "));
    }
    close(fd);
    buf_deinit(&text);
}

static void the_bucket_lets_its_burst_through_and_refills(void **state) {
    (void)state;
    struct serve_spec spec = server_spec(5);
    spec.limit_micro_per_s = 5 * MICRO;
    struct serve *serve = server_start(&spec);
    unsigned ok = 0, limited = 0;
    uint64_t before_ns = clock_monotonic_ns();
    ask(serve, 50, &ok, &limited);
    uint64_t took_ns = clock_monotonic_ns() - before_ns;
    assert_int_equal(ok + limited, 50);
    /* five at once, and one more for each 200 ms that the asking took */
    assert_in_range(ok, 5, 5 + took_ns / (200 * NS_PER_MS) + 1);
    clock_sleep_until_ns(clock_monotonic_ns() + 1100 * NS_PER_MS); /* the bucket is full again */
    ask(serve, 50, &ok, &limited);
    assert_true(ok >= 5);
    serve_stop(serve);
    assert_int_equal(serve_counts(serve).ok + serve_counts(serve).limited, 100);
    serve_free(serve);
}

static void errors_come_as_often_as_asked(void **state) {
    (void)state;
    struct serve_spec spec = server_spec(5);
    spec.errors_ppm = 250000;
    struct serve *serve = server_start(&spec);
    unsigned ok = 0, errors = 0;
    ask(serve, 2000, &ok, &errors);
    assert_int_equal(ok + errors, 2000);
    assert_in_range(errors, 400, 600); /* 500, five standard deviations of 19 */
    serve_free(serve);
}

static void the_log_has_both_instants_of_every_request(void **state) {
    (void)state;
    char path[] = "/tmp/dayfly-test-serve-XXXXXX";
    struct serve_spec spec = server_spec(5);
    spec.access_log_fd = mkostemp(path, O_CLOEXEC);
    assert_true(spec.access_log_fd >= 0);
    unlink(path);
    spec.latency_ns = 20 * NS_PER_MS;
    spec.jitter_ns = 5 * NS_PER_MS;
    uint64_t before_ns = clock_monotonic_ns();
    struct serve *serve = server_start(&spec);
    (void)reply_size(serve);
    serve_free(serve);
    char text[256];
    ssize_t size = pread(spec.access_log_fd, text, sizeof text - 1, 0);
    assert_true(size > 0);
    text[size] = 0;
    unsigned long long read_ns = 0, written_ns = 0;
    unsigned status = 0;
    assert_int_equal(sscanf(text, "%llu %llu %u GET /\n", &read_ns, &written_ns, &status), 3);
    assert_int_equal(status, 200);
    assert_true(read_ns >= before_ns);
    assert_true(written_ns - read_ns >= 15 * NS_PER_MS);
    assert_true(written_ns <= clock_monotonic_ns());
    close(spec.access_log_fd);
}

static void a_port_in_use_is_an_error(void **state) {
    (void)state;
    struct serve_spec spec = server_spec(5);
    struct serve *serve = server_start(&spec), *second = NULL;
    ((struct sockaddr_in *)&spec.address)->sin_port = htons(serve_port(serve));
    struct err err = {0};
    assert_int_equal(serve_start(&spec, &second, &err), -ERR_IO);
    assert_null(second);
    spec.stall_every_ns = spec.stall_ns = 1;
    assert_int_equal(serve_start(&spec, &second, &err), -ERR_USAGE);
    serve_free(serve);
}

UNIT_MAIN(T(pipelined_requests_are_answered_in_order), T(what_is_not_http_gets_400_and_the_end),
          T(a_body_is_waited_for_after_100_continue),
          T(the_bucket_lets_its_burst_through_and_refills), T(errors_come_as_often_as_asked),
          T(the_log_has_both_instants_of_every_request), T(a_port_in_use_is_an_error))
