/* Links: keys, frames, strangers, downloads; real sockets on loopback, one loop for both ends. */
#include "unit.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/link.h"
#include "os/process.h"

#define PATIENCE_NS (10 * NS_PER_S)

struct end {
    struct link *link;
    int opened, closed, drained, frames;
    size_t bytes;
    struct err why;
    char last[64];
    bool accept, echo, close_on_frame, pause_on_open;
    uint8_t peer_pin[LINK_PIN_SIZE];
};

struct pair {
    struct loop *loop;
    struct link_key *server_key, *client_key;
    struct link_server *server;
    struct end at_server, at_client;
    char address[64];
};

static void on_open(void *arg, struct link *link) {
    struct end *end = arg;
    end->opened++;
    end->link = link;
    memcpy(end->peer_pin, link_peer_pin(link), LINK_PIN_SIZE);
    if (end->accept)
        link_accept(link);
    if (end->pause_on_open)
        link_pause(link, true);
}

static void on_frame(void *arg, struct link *link, struct str frame) {
    struct end *end = arg;
    end->frames++;
    end->bytes += frame.len;
    str_copy(end->last, sizeof end->last, frame);
    if (end->echo)
        assert_int_equal(link_send(link, frame, NULL), 0);
    if (end->close_on_frame)
        link_close(link);
}

static void on_drained(void *arg, struct link *link) {
    struct end *end = arg;
    (void)link;
    end->drained++;
}

static void on_close(void *arg, struct link *link, const struct err *why) {
    struct end *end = arg;
    (void)link;
    end->closed++;
    end->why = *why;
    end->link = NULL;
}

static struct link_handler handler(struct end *end) {
    return (struct link_handler){on_open, on_frame, on_drained, on_close, end};
}

static void pair_open(struct pair *p, struct str agent) {
    *p = (struct pair){.loop = loop_new()};
    p->server_key = link_key_new();
    p->client_key = link_key_new();
    p->at_server.accept = true;
    struct link_server_options options = {.address = "127.0.0.1",
                                          .key = p->server_key,
                                          .agent = agent,
                                          .handler = handler(&p->at_server)};
    assert_int_equal(link_server_new(p->loop, &options, &p->server, NULL), 0);
    snprintf(p->address, sizeof p->address, "127.0.0.1:%u", (unsigned)link_server_port(p->server));
}

static void pair_connect(struct pair *p, const struct link_key *pinned) {
    const char *addresses[] = {"127.0.0.1:1", p->address}; /* nobody listens on port 1 */
    struct link_client_options options = {.addresses = addresses,
                                          .addresses_count = 2,
                                          .key = p->client_key,
                                          .timeout_ns = 5 * NS_PER_S,
                                          .handler = handler(&p->at_client)};
    struct link *link = NULL;
    link_key_pin(pinned, options.pin);
    assert_int_equal(link_connect(p->loop, &options, &link, NULL), 0);
    p->at_client.link = link;
}

static void pair_close(struct pair *p) {
    link_server_free(p->server);
    p->at_client.closed = 0;
    if (p->at_client.link != NULL) {
        link_close(p->at_client.link);
        uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
        while (p->at_client.closed == 0 && clock_monotonic_ns() < until_ns)
            loop_turn(p->loop, 10 * NS_PER_MS);
    }
    link_key_free(p->server_key);
    link_key_free(p->client_key);
    loop_free(p->loop);
}

/* Run the loop until `*value >= least`. */
static bool reaches(struct pair *p, const int *value, int least) {
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (*value < least && clock_monotonic_ns() < until_ns)
        loop_turn(p->loop, 10 * NS_PER_MS);
    return *value >= least;
}

static void send_text(struct pair *p, const char *text) {
    assert_int_equal(link_send(p->at_client.link, str_from(text), NULL), 0);
}

static void both_ends_learn_each_others_key_and_talk(void **state) {
    (void)state;
    struct pair p;
    uint8_t pin[LINK_PIN_SIZE];
    pair_open(&p, STR_EMPTY);
    pair_connect(&p, p.server_key);
    p.at_server.echo = true;
    assert_true(reaches(&p, &p.at_client.opened, 1));
    assert_true(reaches(&p, &p.at_server.opened, 1));
    link_key_pin(p.server_key, pin);
    assert_memory_equal(p.at_client.peer_pin, pin, sizeof pin);
    link_key_pin(p.client_key, pin);
    assert_memory_equal(p.at_server.peer_pin, pin, sizeof pin);
    send_text(&p, "first");
    send_text(&p, "second");
    assert_true(reaches(&p, &p.at_client.frames, 2));
    assert_string_equal(p.at_client.last, "second");
    assert_string_equal(link_peer_address(p.at_server.link), "127.0.0.1");
    pair_close(&p);
}

static void a_client_with_another_pin_says_nothing(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, STR_EMPTY);
    pair_connect(&p, p.client_key); /* not the server's */
    assert_true(reaches(&p, &p.at_client.closed, 1));
    assert_int_equal(p.at_client.why.code, ERR_ACCESS);
    assert_int_equal(p.at_client.opened, 0);
    assert_int_equal(p.at_server.opened, 0);
    struct link_server_stats stats = link_server_stats(p.server);
    for (int i = 0; i < 100 && stats.handshakes_failed == 0; i++) {
        loop_turn(p.loop, 10 * NS_PER_MS);
        stats = link_server_stats(p.server);
    }
    assert_int_equal(stats.handshakes_failed, 1);
    assert_int_equal(stats.links, 0);
    pair_close(&p);
}

static void megabyte_frames_arrive_whole(void **state) {
    (void)state;
    struct pair p;
    CLEANUP(mem_freep) char *big = mem_new(FRAME_BYTES_MAX);
    memset(big, 'x', FRAME_BYTES_MAX);
    pair_open(&p, STR_EMPTY);
    pair_connect(&p, p.server_key);
    assert_true(reaches(&p, &p.at_client.opened, 1));
    assert_true(reaches(&p, &p.at_server.opened, 1));
    for (int i = 0; i < 5; i++)
        assert_int_equal(link_send(p.at_client.link, (struct str){big, FRAME_BYTES_MAX}, NULL), 0);
    assert_true(reaches(&p, &p.at_server.frames, 5));
    assert_int_equal(p.at_server.bytes, 5 * FRAME_BYTES_MAX);
    pair_close(&p);
}

static void a_full_queue_refuses_and_tells_when_it_drained(void **state) {
    (void)state;
    struct pair p;
    CLEANUP(mem_freep) char *big = mem_new(FRAME_BYTES_MAX);
    pair_open(&p, STR_EMPTY);
    p.at_server.pause_on_open = true;
    pair_connect(&p, p.server_key);
    assert_true(reaches(&p, &p.at_server.opened, 1));
    assert_true(reaches(&p, &p.at_client.opened, 1));
    int sent = 0, result = 0;
    struct err err = {0};
    while (sent < 200 && result == 0) {
        result = link_send(p.at_client.link, (struct str){big, FRAME_BYTES_MAX}, &err);
        sent += result == 0;
    }
    assert_int_equal(result, -ERR_LIMIT);
    assert_true(link_queued(p.at_client.link) <= LINK_QUEUE_BYTES + FRAME_BYTES_MAX + 4);
    assert_int_equal(p.at_client.drained, 0);
    link_pause(p.at_server.link, false);
    assert_true(reaches(&p, &p.at_client.drained, 1));
    assert_true(reaches(&p, &p.at_server.frames, sent));
    pair_close(&p);
}

static void close_delivers_what_was_queued(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, STR_EMPTY);
    pair_connect(&p, p.server_key);
    assert_true(reaches(&p, &p.at_client.opened, 1));
    send_text(&p, "last words");
    link_close(p.at_client.link);
    struct err err = {0};
    assert_int_equal(link_send(p.at_client.link, STR("more"), &err), -ERR_CLOSED);
    assert_true(reaches(&p, &p.at_server.closed, 1));
    assert_string_equal(p.at_server.last, "last words");
    assert_int_equal(p.at_server.why.code, ERR_CLOSED);
    assert_true(reaches(&p, &p.at_client.closed, 1));
    pair_close(&p);
}

static void a_callback_may_close_its_link(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, STR_EMPTY);
    p.at_server.close_on_frame = true;
    pair_connect(&p, p.server_key);
    assert_true(reaches(&p, &p.at_client.opened, 1));
    send_text(&p, "a");
    send_text(&p, "b");
    assert_true(reaches(&p, &p.at_client.closed, 1));
    assert_true(reaches(&p, &p.at_server.closed, 1));
    assert_int_equal(p.at_server.frames, 1);
    pair_close(&p);
}

static int dial(struct pair *p) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(link_server_port(p->server))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void garbage_gets_a_closed_door(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, STR_EMPTY);
    int fd = dial(&p);
    char reply[64];
    ssize_t got = -1;
    assert_int_equal(write(fd, "GET / HTTP/1.0\r\n\r\n", 18), 18);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    uint64_t until_ns = clock_monotonic_ns() + PATIENCE_NS;
    while (clock_monotonic_ns() < until_ns && (got = read(fd, reply, sizeof reply)) < 0)
        loop_turn(p.loop, 10 * NS_PER_MS);
    assert_true(got >= 0 && got < 16); /* an alert at most */
    close(fd);
    assert_int_equal(p.at_server.opened, 0);
    pair_close(&p);
}

static void a_silent_stranger_is_dropped_after_five_seconds(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, STR_EMPTY);
    int fd = dial(&p);
    uint64_t started_ns = clock_monotonic_ns();
    while (link_server_stats(p.server).handshakes_failed == 0 &&
           clock_monotonic_ns() < started_ns + PATIENCE_NS)
        loop_turn(p.loop, 50 * NS_PER_MS);
    uint64_t took_ns = clock_monotonic_ns() - started_ns;
    close(fd);
    assert_true(took_ns >= LINK_STRANGER_NS && took_ns < LINK_STRANGER_NS + 2 * NS_PER_S);
    assert_int_equal(link_server_stats(p.server).strangers, 0);
    pair_close(&p);
}

static void strangers_are_few_and_do_not_keep_nodes_out(void **state) {
    (void)state;
    struct pair p;
    int strangers[200];
    pair_open(&p, STR_EMPTY);
    for (int i = 0; i < 200; i++)
        strangers[i] = dial(&p);
    for (int i = 0; i < 20; i++)
        loop_turn(p.loop, 5 * NS_PER_MS);
    struct link_server_stats stats = link_server_stats(p.server);
    /* 10 a second from one address; all 200 may have come in two different seconds. */
    assert_true(stats.strangers >= 10 && stats.strangers <= 20);
    assert_int_equal(stats.accepted, 200);
    assert_int_equal(stats.refused, 200 - stats.strangers);
    link_server_expect(p.server, STR("127.0.0.1"), true);
    assert_int_equal(link_server_stats(p.server).strangers, 0); /* they were ours after all */
    pair_connect(&p, p.server_key);
    assert_true(reaches(&p, &p.at_client.opened, 1));
    for (int i = 0; i < 200; i++)
        close(strangers[i]);
    pair_close(&p);
}

static void an_unaccepted_peer_may_not_say_much(void **state) {
    (void)state;
    struct pair p;
    CLEANUP(mem_freep) char *big = mem_new(2 * LINK_STRANGER_BYTES);
    pair_open(&p, STR_EMPTY);
    p.at_server.accept = false;
    pair_connect(&p, p.server_key);
    assert_true(reaches(&p, &p.at_client.opened, 1));
    assert_true(reaches(&p, &p.at_server.opened, 1));
    assert_int_equal(link_send(p.at_client.link, (struct str){big, 2 * LINK_STRANGER_BYTES}, NULL),
                     0);
    assert_true(reaches(&p, &p.at_server.closed, 1));
    assert_int_equal(p.at_server.why.code, ERR_LIMIT);
    assert_int_equal(p.at_server.frames, 0);
    assert_true(reaches(&p, &p.at_client.closed, 1));
    pair_close(&p);
}

struct download {
    int done;
    int status;
    size_t bytes;
    uint64_t sum;
};

static void on_download_output(void *arg, enum process_stream stream, struct str bytes) {
    struct download *d = arg;
    (void)stream;
    d->bytes += bytes.len;
    for (size_t i = 0; i < bytes.len; i++)
        d->sum = d->sum * 31 + (unsigned char)bytes.ptr[i];
}

static void on_download_exit(void *arg, const struct process_exit *exit) {
    struct download *d = arg;
    d->status = exit->status;
    d->done = 1;
}

static struct download curl(struct pair *p, const struct link_key *pinned, const char *path) {
    struct download d = {0};
    uint8_t pin[LINK_PIN_SIZE];
    char text[LINK_PIN_TEXT_SIZE], url[128];
    link_key_pin(pinned, pin);
    link_pin_text(pin, text);
    snprintf(url, sizeof url, "https://%s%s", p->address, path);
    const char *argv[] = {"curl", "-sSfk", "--pinnedpubkey", text, url, NULL};
    struct process_spec spec = {.argv = argv,
                                .on_output = on_download_output,
                                .on_exit = on_download_exit,
                                .timeout_ns = PATIENCE_NS,
                                .arg = &d};
    struct process *process = NULL;
    assert_int_equal(process_start(p->loop, &spec, &process, NULL), 0);
    assert_true(reaches(p, &d.done, 1));
    process_free(process);
    return d;
}

static void curl_with_the_pin_gets_the_agent_and_nothing_else(void **state) {
    (void)state;
    struct pair p;
    const size_t size = 3 * MIB + 17;
    CLEANUP(mem_freep) char *agent = mem_new(size);
    uint64_t sum = 0;
    for (size_t i = 0; i < size; i++) {
        agent[i] = (char)(i * 7 + i / 1000);
        sum = sum * 31 + (unsigned char)agent[i];
    }
    pair_open(&p, (struct str){agent, size});
    struct download d = curl(&p, p.server_key, "/agent");
    /* stderr is counted too: there must be none */
    assert_int_equal(d.status, 0);
    assert_int_equal(d.bytes, size);
    assert_true(d.sum == sum);
    assert_int_equal(link_server_stats(p.server).downloads, 1);
    assert_int_equal(curl(&p, p.server_key, "/other").status, 22); /* curl: HTTP error */
    assert_int_equal(curl(&p, p.client_key, "/agent").status, 90); /* curl: wrong pin */
    pair_close(&p);
}

static void a_pin_has_one_spelling(void **state) {
    (void)state;
    uint8_t pin[LINK_PIN_SIZE], again[LINK_PIN_SIZE];
    char text[LINK_PIN_TEXT_SIZE];
    for (int i = 0; i < LINK_PIN_SIZE; i++)
        pin[i] = (uint8_t)(i * 9);
    link_pin_text(pin, text);
    assert_string_equal(text, "sha256//AAkSGyQtNj9IUVpjbHV+h5CZoqu0vcbP2OHq8/wFDhc=");
    assert_int_equal(link_pin_parse(str_from(text), again, NULL), 0);
    assert_memory_equal(pin, again, sizeof pin);
    assert_int_equal(link_pin_parse(STR("sha256//AAkS"), again, NULL), -ERR_PARSE);
    assert_int_equal(link_pin_parse(STR("sha1//"), again, NULL), -ERR_PARSE);
    text[strlen(text) - 2] = 'd'; /* other unused bits: the same bytes, another spelling */
    assert_int_equal(link_pin_parse(str_from(text), again, NULL), -ERR_PARSE);
}

UNIT_MAIN(T(both_ends_learn_each_others_key_and_talk), T(a_client_with_another_pin_says_nothing),
          T(megabyte_frames_arrive_whole), T(a_full_queue_refuses_and_tells_when_it_drained),
          T(close_delivers_what_was_queued), T(a_callback_may_close_its_link),
          T(garbage_gets_a_closed_door), T(a_silent_stranger_is_dropped_after_five_seconds),
          T(strangers_are_few_and_do_not_keep_nodes_out), T(an_unaccepted_peer_may_not_say_much),
          T(curl_with_the_pin_gets_the_agent_and_nothing_else), T(a_pin_has_one_spelling))
