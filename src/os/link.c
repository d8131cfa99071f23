#include "os/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "os/address.h"
#include "os/file.h"
#include "os/link_io.h"

#define LINK_HEADER_SIZE 4
#define LINK_READ_BYTES (16 * 1024)
#define LINK_TURN_BYTES (512 * 1024) /* read from one link before the others have their turn */
#define LINK_ADDRESSES_MAX 16

struct link_client {
    struct link_client_options options;
    struct address addresses[LINK_ADDRESSES_MAX];
    struct address source;
    bool has_source;
    size_t next;       /* address to try */
    bool key_mismatch; /* some address had another key: worth saying above all */
    struct err last;
};

static void link_on_ready(void *arg, int ready);
static void link_on_limit(void *arg);
static void link_on_soon(void *arg);
static void link_client_try(struct link *link);

struct link *link_make(struct loop *loop, const struct link_handler *handler) {
    struct link *link = mem_new(sizeof *link);
    link->loop = loop;
    link->handler = *handler;
    link->fd = -1;
    buf_init(&link->in, LINK_HEADER_SIZE + FRAME_BYTES_MAX + LINK_READ_BYTES);
    buf_init(&link->out, LINK_QUEUE_BYTES + LINK_HEADER_SIZE + FRAME_BYTES_MAX);
    link->limit = loop_timer_new(loop, link_on_limit, link);
    link->soon = loop_timer_new(loop, link_on_soon, link);
    return link;
}

static void link_detach(struct link *link) {
    loop_watch_free(link->watch);
    link->watch = NULL;
    SSL_free(link->ssl);
    link->ssl = NULL;
    file_closep(&link->fd);
}

void link_attach(struct link *link, int own_fd, enum link_state state, SSL_CTX *context) {
    int on = 1;
    link->fd = own_fd;
    link->state = state;
    link->has_peer_pin = false;
    ignore(setsockopt(own_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)); /* not vital */
    ignore(setsockopt(own_fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on)); /* not vital */
    link->ssl = SSL_new(context);
    must(link->ssl != NULL);
    must(SSL_set_fd(link->ssl, own_fd) == 1);
    SSL_set_app_data(link->ssl, link);
    if (link->server != NULL)
        SSL_set_accept_state(link->ssl);
    else
        SSL_set_connect_state(link->ssl);
    int interest = state == LINK_CONNECTING ? LOOP_WRITE : LOOP_READ;
    link->watch = loop_watch_new(link->loop, own_fd, interest, link_on_ready, link);
}

static void link_client_free(struct link_client *own_client) {
    mem_free(own_client);
}

void link_destroy(struct link *own_link) {
    link_detach(own_link);
    loop_timer_free(own_link->limit);
    loop_timer_free(own_link->soon);
    buf_deinit(&own_link->in);
    buf_deinit(&own_link->out);
    link_client_free(own_link->client);
    mem_free(own_link);
}

void link_want(struct link *link, int interest) {
    if (link->watch != NULL)
        loop_watch_set(link->watch, interest);
}

void link_fail(struct link *link, enum err_code code, const char *text) {
    if (link->state == LINK_FAILED)
        return;
    ignore(err_set(&link->why, code, "%s", text) == 0); /* only fills the reason */
    link->state = LINK_FAILED;
    link_want(link, LOOP_NONE);
    loop_timer_after(link->soon, 0);
}

/* Say what OpenSSL or the kernel had against it. */
static void link_fail_io(struct link *link, int result, int errno_value) {
    char text[160];
    unsigned long code = ERR_peek_error();
    int kind = SSL_get_error(link->ssl, result);
    if (kind == SSL_ERROR_ZERO_RETURN) {
        link_fail(link, ERR_CLOSED, "the other side closed the link");
    } else if (kind == SSL_ERROR_SSL) {
        const char *reason = ERR_reason_error_string(code);
        snprintf(text, sizeof text, "TLS failed: %s", reason != NULL ? reason : "unknown reason");
        bool cut = ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
        link_fail(link, cut ? ERR_NETWORK : ERR_PROTOCOL, cut ? "the connection was cut" : text);
    } else {
        struct err why;
        ignore(err_set_errno(&why, ERR_NETWORK, errno_value, "the connection broke") ==
               0); /* text */
        link_fail(link, ERR_NETWORK, why.text);
    }
    ERR_clear_error();
}

ssize_t link_read(struct link *link, void *into, size_t size) {
    ERR_clear_error();
    int got = SSL_read(link->ssl, into, (int)MIN(size, (size_t)INT32_MAX));
    int errno_value = errno;
    if (got > 0)
        return got;
    int kind = SSL_get_error(link->ssl, got);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return 0;
    link_fail_io(link, got, errno_value);
    return -1;
}

ssize_t link_write(struct link *link, const void *bytes, size_t size) {
    ERR_clear_error();
    int put = SSL_write(link->ssl, bytes, (int)MIN(size, (size_t)(1 * MIB)));
    int errno_value = errno;
    if (put > 0)
        return put;
    int kind = SSL_get_error(link->ssl, put);
    if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
        return 0;
    link_fail_io(link, put, errno_value);
    return -1;
}

size_t link_queued(const struct link *link) {
    return link->out.len - link->out_at;
}

/* Give the kernel what it takes now. */
static void link_flush(struct link *link) {
    while (link_queued(link) > 0) {
        ssize_t put = link_write(link, link->out.ptr + link->out_at, link_queued(link));
        if (put < 0)
            return;
        if (put == 0)
            break;
        link->out_at += (size_t)put;
    }
    /* Move the rest to the front only when that halves the memory: linear over all. */
    if (link->out_at == link->out.len) {
        buf_deinit(&link->out);
        link->out_at = 0;
    } else if (link->out_at > link->out.len / 2) {
        buf_consume(&link->out, link->out_at);
        link->out_at = 0;
    }
    int reading = link->paused && link->state == LINK_OPEN ? LOOP_NONE : LOOP_READ;
    link_want(link, reading | (link_queued(link) > 0 ? LOOP_WRITE : LOOP_NONE));
}

/* Deliver whole frames; the callback may close or pause the link. */
static void link_deliver(struct link *link) {
    size_t at = 0;
    while (link->state == LINK_OPEN && !link->paused && link->in.len - at >= LINK_HEADER_SIZE) {
        uint32_t header;
        memcpy(&header, link->in.ptr + at, sizeof header);
        size_t size = ntohl(header);
        if (size == 0 || size > FRAME_BYTES_MAX) {
            link_fail(link, ERR_PROTOCOL, "a frame of a length that cannot be");
            break;
        }
        if (link->in.len - at - LINK_HEADER_SIZE < size)
            break;
        struct str frame = {link->in.ptr + at + LINK_HEADER_SIZE, size};
        at += LINK_HEADER_SIZE + size;
        link->handler.on_frame(link->handler.arg, link, frame);
    }
    buf_consume(&link->in, at);
    if (link->in.len == 0)
        buf_deinit(&link->in); /* thousands of idle links hold nothing */
}

static bool link_said_too_much(const struct link *link) {
    return link->counted && BIO_number_read(SSL_get_rbio(link->ssl)) > LINK_STRANGER_BYTES;
}

static void link_receive(struct link *link) {
    size_t total = 0;
    link->received_ns = loop_now_ns(link->loop);
    link_deliver(link); /* what a pause left over, so that the buffer has room */
    while (link->state == LINK_OPEN && !link->paused) {
        char block[LINK_READ_BYTES];
        ssize_t got = link_read(link, block, sizeof block);
        if (got <= 0)
            break;
        buf_add(&link->in, block, (size_t)got);
        must(buf_ok(&link->in)); /* a frame that would not fit was refused by its header */
        if (link_said_too_much(link)) {
            link_fail(link, ERR_LIMIT, "too many bytes before it was accepted");
            break;
        }
        link_deliver(link);
        total += (size_t)got;
        if (total >= LINK_TURN_BYTES) {
            loop_timer_after(link->soon, 0); /* OpenSSL may hold more than the socket shows */
            break;
        }
    }
}

static void link_opened(struct link *link) {
    link->state = LINK_OPEN;
    link->opened = true;
    loop_timer_clear(link->limit);
    link_want(link, LOOP_READ);
    loop_timer_after(link->soon, 0); /* the peer's first frame may be in our hands already */
    link->handler.on_open(link->handler.arg, link);
}

static void link_client_handshaken(struct link *link) {
    const unsigned char *name = NULL;
    unsigned length = 0;
    SSL_get0_alpn_selected(link->ssl, &name, &length);
    if (!str_equal((struct str){(const char *)name, length}, STR(LINK_ALPN)) || !link->has_peer_pin)
        link_fail(link, ERR_PROTOCOL, "the server does not speak " LINK_ALPN);
    else
        link_opened(link);
}

void link_server_link_open(struct link *link) {
    uint64_t left_ns = LINK_STRANGER_NS; /* for its first message to be vouched for */
    link_opened(link);
    if (link->counted && link->state == LINK_OPEN)
        loop_timer_after(link->limit, left_ns);
}

static void link_handshake(struct link *link) {
    ERR_clear_error();
    int result = SSL_do_handshake(link->ssl);
    int errno_value = errno;
    if (link_said_too_much(link)) {
        link_fail(link, ERR_LIMIT, "too many bytes in the handshake");
        return;
    }
    if (result == 1) {
        if (link->server != NULL)
            link_server_on_handshake(link);
        else
            link_client_handshaken(link);
        return;
    }
    int kind = SSL_get_error(link->ssl, result);
    if (kind == SSL_ERROR_WANT_READ)
        link_want(link, LOOP_READ);
    else if (kind == SSL_ERROR_WANT_WRITE)
        link_want(link, LOOP_WRITE);
    else
        link_fail_io(link, result, errno_value);
}

static void link_connected(struct link *link) {
    int errno_value = 0;
    socklen_t size = sizeof errno_value;
    must(getsockopt(link->fd, SOL_SOCKET, SO_ERROR, &errno_value, &size) == 0);
    if (errno_value != 0) {
        struct err why;
        ignore(err_set_errno(&why, ERR_NETWORK, errno_value, "cannot connect to %s",
                             link->peer_address) == 0); /* only fills the reason */
        link_fail(link, ERR_NETWORK, why.text);
        return;
    }
    link->state = LINK_HANDSHAKE;
    link_handshake(link);
}

/* All is sent: say so, then wait for the other side to close, so that nothing is lost to a reset.
 */
static void link_begin_linger(struct link *link) {
    ERR_clear_error();
    ignore(SSL_shutdown(link->ssl) < 0); /* the peer may be gone; we leave anyway */
    ERR_clear_error();
    shutdown(link->fd, SHUT_WR);
    link->state = LINK_LINGERING;
    link_want(link, LOOP_READ);
}

void link_begin_flush(struct link *link) {
    link->state = LINK_FLUSHING;
    loop_timer_after(link->limit, LINK_LINGER_NS);
    loop_timer_after(link->soon, 0);
}

static void link_linger(struct link *link) {
    char waste[LINK_READ_BYTES];
    ssize_t got = recv(link->fd, waste, sizeof waste, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        link_fail(link, ERR_CLOSED, "closed");
}

static void link_flush_or_linger(struct link *link) {
    link_flush(link);
    if (link->state == LINK_FLUSHING && link_queued(link) == 0)
        link_begin_linger(link);
}

static void link_open_ready(struct link *link, int ready) {
    if (ready & LOOP_READ)
        link_receive(link);
    if (link->state == LINK_OPEN && link_queued(link) > 0)
        link_flush(link);
    if (link->state == LINK_OPEN && link->full && link_queued(link) < LINK_QUEUE_BYTES / 2) {
        link->full = false;
        if (link->handler.on_drained != NULL)
            link->handler.on_drained(link->handler.arg, link);
    }
}

static void link_on_ready(void *arg, int ready) {
    struct link *link = arg;
    switch (link->state) {
    case LINK_CONNECTING:
        link_connected(link);
        return;
    case LINK_HANDSHAKE:
        link_handshake(link);
        return;
    case LINK_HTTP:
        link_server_on_http(link, ready);
        return;
    case LINK_OPEN:
        link_open_ready(link, ready);
        return;
    case LINK_FLUSHING:
        link_flush_or_linger(link);
        return;
    case LINK_LINGERING:
        link_linger(link);
        return;
    case LINK_FAILED:
        return;
    }
}

static void link_on_limit(void *arg) {
    struct link *link = arg;
    switch (link->state) {
    case LINK_CONNECTING:
    case LINK_HANDSHAKE:
        link_fail(link, ERR_TIMEOUT, "no answer in time");
        return;
    case LINK_HTTP:
    case LINK_OPEN:
        link_fail(link, ERR_TIMEOUT, "not accepted in time");
        return;
    case LINK_FLUSHING:
    case LINK_LINGERING:
        link_fail(link, ERR_CLOSED, "closed");
        return;
    case LINK_FAILED:
        return;
    }
}

/* The end of a link that has failed, or the next address of one that is still connecting. */
static void link_finish(struct link *link) {
    if (link->client != NULL && !link->opened && !link->closing) {
        link_client_try(link);
        if (link->state != LINK_FAILED)
            return;
    }
    bool handshake_failed = link->server != NULL && !link->opened && !link->download;
    if (link->server != NULL)
        link_server_forget(link, handshake_failed);
    if (link->opened || link->client != NULL)
        link->handler.on_close(link->handler.arg, link, &link->why);
    link_destroy(link);
}

static void link_on_soon(void *arg) {
    struct link *link = arg;
    if (link->state == LINK_FAILED) {
        link_finish(link);
        return;
    }
    if (link->state == LINK_FLUSHING) {
        link_flush_or_linger(link);
    } else if (link->state == LINK_OPEN) {
        link_open_ready(link, LOOP_READ);
    } else if (link->state == LINK_HTTP) {
        link_server_on_http(link, LOOP_READ);
    }
}

int link_send(struct link *link, struct str frame, struct err *err) {
    must(frame.len >= 1 && frame.len <= FRAME_BYTES_MAX);
    if (link->state != LINK_OPEN)
        return err_set(err, ERR_CLOSED, "the link is closed");
    if (link_queued(link) > LINK_QUEUE_BYTES) {
        link->full = true;
        return err_set(err, ERR_LIMIT, "the link's queue is full");
    }
    bool idle = link_queued(link) == 0;
    uint32_t header = htonl((uint32_t)frame.len);
    buf_add(&link->out, &header, sizeof header);
    buf_add_str(&link->out, frame);
    if (!buf_ok(&link->out)) { /* sent bytes not yet moved out of the way */
        link->out.overflow = false;
        link_fail(link, ERR_LIMIT, "the link's queue is full");
        return err_set(err, ERR_CLOSED, "the link's queue is full");
    }
    if (idle)
        link_flush(link);
    return 0;
}

void link_pause(struct link *link, bool paused) {
    if (link->paused == paused)
        return;
    link->paused = paused;
    if (link->state != LINK_OPEN)
        return;
    link_want(link,
              (paused ? LOOP_NONE : LOOP_READ) | (link_queued(link) > 0 ? LOOP_WRITE : LOOP_NONE));
    if (!paused)
        loop_timer_after(link->soon, 0);
}

void link_close(struct link *link) {
    if (link->state == LINK_OPEN) {
        link_begin_flush(link);
        ignore(err_set(&link->why, ERR_CLOSED, "closed") == 0); /* only fills the reason */
    } else if (link->state == LINK_CONNECTING || link->state == LINK_HANDSHAKE) {
        link_fail(link, ERR_CLOSED, "closed");
    }
    link->closing = true;
}

void link_set_user(struct link *link, void *user) {
    link->user = user;
}

void *link_user(const struct link *link) {
    return link->user;
}

const uint8_t *link_peer_pin(const struct link *link) {
    must(link->has_peer_pin);
    return link->peer_pin;
}

const char *link_peer_address(const struct link *link) {
    return link->peer_address;
}

uint64_t link_received_ns(const struct link *link) {
    return link->received_ns;
}

bool link_client_pin_matches(const struct link *link) {
    bool same = CRYPTO_memcmp(link->peer_pin, link->client->options.pin, LINK_PIN_SIZE) == 0;
    link->client->key_mismatch |= !same;
    return same;
}

/* One attempt; false with `last` set. */
static bool link_client_dial(struct link *link, const struct address *address) {
    struct link_client *client = link->client;
    address_host(address, link->peer_address, sizeof link->peer_address);
    int fd = socket(address_family(address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        ignore(err_set_errno(&client->last, ERR_NETWORK, errno, "no socket") == 0); /* text */
        return false;
    }
    const struct address *source = &client->source;
    if ((client->has_source && address_family(source) == address_family(address) &&
         bind(fd, &source->any, source->size) != 0) ||
        (connect(fd, &address->any, address->size) != 0 && errno != EINPROGRESS)) {
        ignore(err_set_errno(&client->last, ERR_NETWORK, errno, "cannot connect to %s",
                             link->peer_address) == 0); /* only fills the reason */
        close(fd);
        return false;
    }
    link_attach(link, fd, LINK_CONNECTING, link_key_context(client->options.key, false));
    loop_timer_after(link->limit, client->options.timeout_ns);
    return true;
}

/* Try the next addresses; when none is left the link is failed with the best reason. */
static void link_client_try(struct link *link) {
    struct link_client *client = link->client;
    if (link->why.code != ERR_NONE)
        client->last = link->why;
    link_detach(link);
    loop_timer_clear(link->limit);
    err_reset(&link->why);
    while (client->next < client->options.addresses_count)
        if (link_client_dial(link, &client->addresses[client->next++]))
            return;
    link->state = LINK_FAILED;
    link->why = client->last;
    if (client->key_mismatch)
        ignore(err_set(&link->why, ERR_ACCESS, "the server's key is not the pinned one") == 0);
}

int link_connect(struct loop *loop, const struct link_client_options *options,
                 struct link **ret_link, struct err *err) {
    must(options->addresses_count >= 1 && options->addresses_count <= LINK_ADDRESSES_MAX);
    CLEANUP(mem_freep) struct link_client *client = mem_new(sizeof *client);
    client->options = *options;
    for (size_t i = 0; i < options->addresses_count; i++)
        TRY(address_parse(str_from(options->addresses[i]), &client->addresses[i], err));
    client->has_source = options->source_address != NULL;
    if (client->has_source)
        TRY(address_parse_host(str_from(options->source_address), 0, &client->source, err));
    client->options.addresses = NULL; /* borrowed for the call only */
    client->options.source_address = NULL;
    struct link *link = link_make(loop, &options->handler);
    link->client = take(client);
    link->state = LINK_FAILED; /* "soon" makes the first attempt */
    loop_timer_after(link->soon, 0);
    *ret_link = link;
    return 0;
}
