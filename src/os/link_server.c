#include "os/link.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/table.h"
#include "os/address.h"
#include "os/file.h"
#include "os/link_io.h"

#define LINK_BACKLOG 1024
#define LINK_ACCEPTS_A_TURN 64
#define LINK_REQUEST_BYTES_MAX 4096
#define LINK_BODY_TURN_BYTES (1 * MIB) /* of a download before the others have their turn */
#define LINK_STRANGER_RATE 10          /* new connections a second from one unexpected address */
#define LINK_RATES 1024                /* addresses whose rate is counted; a power of two */
#define LINK_RETRY_NS (20 * NS_PER_MS) /* when the kernel has no descriptor for us */

struct link_rate {
    uint64_t address_hash;
    uint64_t second;
    uint32_t count;
};

struct link_server {
    struct loop *loop;
    struct link_server_options options;
    int fd;
    uint16_t port;
    struct loop_watch *watch;
    struct loop_timer *retry;
    struct table expected; /* address -> server (any pointer) */
    struct link *first;
    struct link_rate rates[LINK_RATES];
    struct link_server_stats stats;
};

static void link_server_uncount(struct link *link) {
    struct link_server *server = link->server;
    if (!link->counted)
        return;
    link->counted = false;
    uint32_t *count = link->expected ? &server->stats.expected : &server->stats.strangers;
    must(*count > 0);
    (*count)--;
    loop_watch_set(server->watch, LOOP_READ); /* there is room for one of those that wait */
}

static void link_server_count(struct link *link, bool expected) {
    link->counted = true;
    link->expected = expected;
    if (expected)
        link->server->stats.expected++;
    else
        link->server->stats.strangers++;
}

void link_server_forget(struct link *link, bool handshake_failed) {
    struct link_server *server = link->server;
    link_server_uncount(link);
    server->stats.handshakes_failed += handshake_failed;
    server->stats.links--;
    if (link->next != NULL)
        link->next->previous = link->previous;
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        server->first = link->next;
    loop_watch_set(server->watch, LOOP_READ);
}

/* At most LINK_STRANGER_RATE a second and address; two addresses that share a place in the table
 * push each other out, which only makes the rule milder for both. */
static bool link_server_rate_is_fine(struct link_server *server, const char *address) {
    uint64_t hash = str_hash(str_from(address));
    uint64_t second = loop_now_ns(server->loop) / NS_PER_S;
    struct link_rate *rate = &server->rates[hash & (LINK_RATES - 1)];
    if (rate->address_hash != hash || rate->second != second)
        *rate = (struct link_rate){.address_hash = hash, .second = second};
    return rate->count++ < LINK_STRANGER_RATE;
}

static void link_server_reject(struct link_server *server, int own_fd) {
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    ignore(setsockopt(own_fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once)); /* only polite */
    close(own_fd);
    server->stats.refused++;
}

static void link_server_adopt(struct link_server *server, int own_fd) {
    struct address peer;
    char host[LINK_ADDRESS_SIZE];
    address_of_socket(own_fd, true, &peer);
    address_host(&peer, host, sizeof host);
    bool expected = table_find(&server->expected, str_from(host)) != NULL;
    server->stats.accepted++;
    if (!expected && (server->stats.strangers >= LINK_STRANGERS_MAX ||
                      !link_server_rate_is_fine(server, host))) {
        link_server_reject(server, own_fd);
        return;
    }
    struct link *link = link_make(server->loop, &server->options.handler);
    link->server = server;
    str_copy(link->peer_address, sizeof link->peer_address, str_from(host));
    link->next = server->first;
    if (server->first != NULL)
        server->first->previous = link;
    server->first = link;
    server->stats.links++;
    link_server_count(link, expected);
    link_attach(link, own_fd, LINK_HANDSHAKE, link_key_context(server->options.key, true));
    loop_timer_after(link->limit, LINK_STRANGER_NS);
}

/* While the pool of expected peers is full nobody is accepted: the kernel's backlog is the queue,
 * and every place in the pool is free again within LINK_STRANGER_NS. */
static void link_server_on_ready(void *arg, int ready) {
    struct link_server *server = arg;
    (void)ready;
    for (int i = 0; i < LINK_ACCEPTS_A_TURN; i++) {
        if (server->stats.expected >= LINK_EXPECTED_MAX) {
            loop_watch_set(server->watch, LOOP_NONE);
            return;
        }
        int fd = accept4(server->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
            loop_watch_set(server->watch, LOOP_NONE);
            loop_timer_after(server->retry, LINK_RETRY_NS);
            return;
        }
        if (fd < 0)
            return;
        link_server_adopt(server, fd);
    }
}

static void link_server_on_retry(void *arg) {
    struct link_server *server = arg;
    loop_watch_set(server->watch, LOOP_READ);
}

static int link_server_listen(const struct address *address, int *ret_fd, struct err *err) {
    int on = 1;
    CLEANUP(file_closep)
    int fd = socket(address_family(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set_errno(err, ERR_NETWORK, errno, "no socket");
    ignore(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on)); /* bind tells */
    if (bind(fd, &address->any, address->size) != 0 || listen(fd, LINK_BACKLOG) != 0)
        return err_set_errno(err, ERR_NETWORK, errno, "cannot listen");
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int link_server_new(struct loop *loop, const struct link_server_options *options,
                    struct link_server **ret_server, struct err *err) {
    struct address address;
    int fd = -1;
    TRY(address_parse_host(str_from(options->address), options->port, &address, err));
    if (link_server_listen(&address, &fd, err) < 0)
        return err_wrap(err, "%s port %u", options->address, (unsigned)options->port);
    struct link_server *server = mem_new(sizeof *server);
    server->loop = loop;
    server->options = *options;
    server->fd = fd;
    address_of_socket(fd, false, &address);
    server->port = address_port(&address);
    table_init(&server->expected);
    server->retry = loop_timer_new(loop, link_server_on_retry, server);
    server->watch = loop_watch_new(loop, fd, LOOP_READ, link_server_on_ready, server);
    *ret_server = server;
    return 0;
}

void link_server_free(struct link_server *own_server) {
    if (own_server == NULL)
        return;
    for (struct link *link = own_server->first, *next; link != NULL; link = next) {
        next = link->next;
        link_destroy(link);
    }
    loop_watch_free(own_server->watch);
    loop_timer_free(own_server->retry);
    file_closep(&own_server->fd);
    table_deinit(&own_server->expected);
    mem_free(own_server);
}

uint16_t link_server_port(const struct link_server *server) {
    return server->port;
}

void link_server_expect(struct link_server *server, struct str address, bool expected) {
    if (!expected) {
        ignore(table_remove(&server->expected, address) == NULL); /* it may not have been there */
        return;
    }
    ignore(table_set(&server->expected, address, server) != NULL); /* or been there before */
    for (struct link *link = server->first; link != NULL; link = link->next) {
        if (!link->counted || link->expected || !str_equal(str_from(link->peer_address), address))
            continue;
        link_server_uncount(link);
        link_server_count(link, true);
        if (link->download) { /* it came before we knew it: give it the time of ours */
            link_server_uncount(link);
            loop_timer_after(link->limit, LINK_HTTP_NS);
        }
    }
}

struct link_server_stats link_server_stats(const struct link_server *server) {
    return server->stats;
}

void link_accept(struct link *link) {
    must(link->server != NULL);
    link_server_uncount(link);
    if (link->state == LINK_OPEN)
        loop_timer_clear(link->limit);
}

void link_server_on_handshake(struct link *link) {
    const unsigned char *name = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(link->ssl, &name, &length);
    if (!str_equal((struct str){(const char *)name, length}, STR(LINK_ALPN))) {
        link->state = LINK_HTTP;
        link_want(link, LOOP_READ);
        loop_timer_after(link->soon, 0); /* the request may have come with the handshake */
    } else if (!link->has_peer_pin) {
        link_fail(link, ERR_ACCESS, "no client key");
    } else {
        link_server_link_open(link);
    }
}

static void link_server_answer(struct link *link) {
    struct link_server *server = link->server;
    struct str request = buf_str(&link->in), line = STR_EMPTY;
    must(str_line(&request, &line));
    bool get = str_starts_with(line, STR("GET /agent HTTP/1."));
    link->download = get && server->options.agent.len > 0;
    if (link->download) {
        buf_printf(&link->out,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                   "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                   server->options.agent.len);
        if (link->expected) {
            link_server_uncount(link);
            loop_timer_after(link->limit, LINK_HTTP_NS);
        }
    } else {
        buf_add_text(&link->out, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n"
                                 "Connection: close\r\n\r\n");
    }
    link_want(link, LOOP_WRITE);
}

/* Head, then body straight from the agent's memory. */
static void link_server_send_reply(struct link *link) {
    struct str agent = link->download ? link->server->options.agent : STR_EMPTY;
    size_t sent = 0;
    while (sent < LINK_BODY_TURN_BYTES) {
        struct str rest = link_queued(link) > 0 ? str_skip(buf_str(&link->out), link->out_at)
                                                : str_skip(agent, link->body_at);
        if (rest.len == 0) {
            link->server->stats.downloads += link->download;
            link_server_uncount(link);
            link_begin_flush(link);
            return;
        }
        ssize_t put = link_write(link, rest.ptr, rest.len);
        if (put <= 0)
            return; /* later, or failed */
        if (link_queued(link) > 0)
            link->out_at += (size_t)put;
        else
            link->body_at += (size_t)put;
        sent += (size_t)put;
    }
}

void link_server_on_http(struct link *link, int ready) {
    (void)ready;
    if (link->out.len > 0) {
        link_server_send_reply(link);
        return;
    }
    char *room = buf_reserve(&link->in, LINK_REQUEST_BYTES_MAX);
    must(room != NULL);
    ssize_t got = link_read(link, room, LINK_REQUEST_BYTES_MAX);
    if (got <= 0)
        return;
    buf_commit(&link->in, (size_t)got);
    if (str_contains(buf_str(&link->in), STR("\r\n\r\n")))
        link_server_answer(link);
    else if (link->in.len > LINK_REQUEST_BYTES_MAX)
        link_fail(link, ERR_LIMIT, "the request is too long");
}
