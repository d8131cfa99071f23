#include "cli/selftest.h"

#include "load/load.h"
#include "load/serve.h"
#include "os/clock.h"
#include "os/dns.h"
#include "os/link.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>

#define PATIENCE_NS (10 * NS_PER_S)
#define REQUESTS 200

/* --- a link --- */

struct pair {
    struct loop *loop;
    struct link_key *server_key, *client_key;
    struct link_server *server;
    struct link *client; /* NULL once closed */
    bool echoed;
    struct err why;
};

static void pair_deinit(struct pair *p) {
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    if (p->client)
        link_close(p->client);
    while (p->client && clock_monotonic_ns() < until_ns)
        loop_turn(p->loop, 10 * NS_PER_MS);
    if (p->server)
        link_server_free(p->server);
    link_key_free(p->client_key);
    link_key_free(p->server_key);
    loop_free(p->loop);
}

static void server_open(void *arg, struct link *link) {
    (void)arg;
    link_accept(link);
}

static void server_frame(void *arg, struct link *link, struct str frame) {
    struct pair *p = arg;
    if (link_send(link, frame, &p->why) < 0)
        link_close(link);
}

static void server_close(void *arg, struct link *link, const struct err *why) {
    (void)arg, (void)link, (void)why; /* the client's end tells */
}

static void client_open(void *arg, struct link *link) {
    struct pair *p = arg;
    uint8_t pin[LINK_PIN_SIZE];
    link_key_pin(p->server_key, pin);
    if (memcmp(pin, link_peer_pin(link), sizeof pin) != 0 ||
        link_send(link, STR("there and back"), &p->why) < 0)
        link_close(link);
}

static void client_frame(void *arg, struct link *link, struct str frame) {
    struct pair *p = arg;
    (void)link;
    p->echoed = str_equal(frame, STR("there and back"));
}

static void client_close(void *arg, struct link *link, const struct err *why) {
    struct pair *p = arg;
    (void)link;
    p->client = NULL;
    p->why = *why;
}

static bool pair_is_done(void *arg) {
    const struct pair *p = arg;
    return p->echoed || p->client == NULL;
}

int selftest_link(struct err *err) {
    CLEANUP(pair_deinit) struct pair p = {.loop = loop_new()};
    p.server_key = link_key_new();
    p.client_key = link_key_new();
    struct link_server_options listen = {
        .address = "127.0.0.1",
        .key = p.server_key,
        .handler = {server_open, server_frame, NULL, server_close, &p}};
    TRY(link_server_new(p.loop, &listen, &p.server, err));
    char address[LINK_ADDRESS_SIZE];
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)link_server_port(p.server));
    const char *addresses[] = {address};
    struct link_client_options to = {
        .addresses = addresses,
        .addresses_count = 1,
        .key = p.client_key,
        .timeout_ns = PATIENCE_NS,
        .handler = {client_open, client_frame, NULL, client_close, &p}};
    link_key_pin(p.server_key, to.pin);
    TRY(link_connect(p.loop, &to, &p.client, err));
    bool ended = loop_run_until(p.loop, clock_monotonic_ns() + PATIENCE_NS, pair_is_done, &p);
    if (!ended || !p.echoed)
        return err_set(err, ERR_NETWORK, "no frame came back: %s", ended ? p.why.text : "too late");
    return 0;
}

/* --- names --- */

static int expect_literal(const char *host, struct err *err) {
    struct address found[DNS_ADDRESSES_MAX];
    size_t count = 0;
    char text[LINK_ADDRESS_SIZE];
    TRY(dns_lookup_wait(str_from(host), 80, found, &count, err));
    if (count != 1)
        return err_set(err, ERR_NETWORK, "%s gave %zu addresses", host, count);
    address_host(&found[0], text, sizeof text);
    if (strcmp(text, host) != 0 || address_port(&found[0]) != 80)
        return err_set(err, ERR_NETWORK, "%s gave %s", host, text);
    return 0;
}

int selftest_names(struct err *err) {
    TRY(expect_literal("192.0.2.7", err));
    TRY(expect_literal("2001:db8::7", err));
#ifdef DAYFLY_STATIC
    struct addrinfo *list = NULL;
    if (getaddrinfo("localhost", NULL, NULL, &list) != EAI_FAIL || list)
        return err_set(err, ERR_NETWORK, "the C library's getaddrinfo is in this program");
    if (getaddrinfo("192.0.2.7", "80", NULL, &list) != 0)
        return err_set(err, ERR_NETWORK, "a literal address is not read");
    freeaddrinfo(list);
#endif
    return 0;
}

/* --- load --- */

static void loopback(struct sockaddr_storage *into, socklen_t *ret_size, uint16_t port) {
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    memcpy(into, &in, sizeof in);
    *ret_size = sizeof in;
}

/* Take samples into `sum` until the load is through. */
static int drain(struct load *load, struct load_sample *sum, struct err *err) {
    struct load_sample sample;
    load_sample_init(&sample, 1);
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (!load_finished(load) && clock_monotonic_ns() < until_ns) {
        struct pollfd fd = {.fd = load_fd(load), .events = POLLIN};
        ignore(poll(&fd, 1, 100) < 0); /* the loop looks anyway */
        while (load_take_sample(load, &sample))
            load_sample_merge(sum, &sample);
    }
    load_sample_deinit(&sample);
    return load_finished(load) ? 0 : err_set(err, ERR_TIMEOUT, "the load does not end");
}

int selftest_load(struct err *err) {
    struct serve_spec server = {.access_log_fd = -1, .body_bytes = 100, .seed = 1};
    loopback(&server.address, &server.address_size, 0);
    CLEANUP(serve_freep) struct serve *serve = NULL;
    TRY(serve_start(&server, &serve, err));
    uint16_t port = serve_port(serve);
    struct load_address address;
    loopback(&address.addr, &address.size, port);
    struct load_request request = {
        .name = STR("get"), .method = STR("GET"), .target = STR("/"), .weight = 1};
    struct load_spec spec = {.host = STR("127.0.0.1"),
                             .port = port,
                             .addresses = &address,
                             .address_count = 1,
                             .requests = &request,
                             .request_count = 1,
                             .connections = 4,
                             .interval_ns = 100 * NS_PER_MS};
    pace_plan_init(&spec.plan);
    uint64_t rate_micro = 1000 * MICRO;
    TRY(pace_plan_add(&spec.plan, (struct pace_stage){REQUESTS * NS_PER_MS, rate_micro, rate_micro},
                      err));
    CLEANUP(load_freep) struct load *load = NULL;
    TRY(load_start(&spec, &load, err));
    CLEANUP(load_sample_deinit) struct load_sample sum;
    load_sample_init(&sum, 1);
    TRY(drain(load, &sum, err));
    serve_stop(serve);
    uint64_t ok = sum.requests[0].counts.ok;
    uint64_t served = serve_counts(serve).ok;
    if (ok != REQUESTS || served != REQUESTS || sum.requests[0].latency.count != REQUESTS)
        return err_set(err, ERR_NETWORK, "of %d requests %llu were answered and %llu served",
                       REQUESTS, (unsigned long long)ok, (unsigned long long)served);
    return 0;
}
