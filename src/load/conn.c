#include "load/engine.h"
#include "os/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static void conn_send(struct worker *w, struct conn *conn);

void conn_init(struct conn *conn, uint32_t index) {
    *conn = (struct conn){.fd = -1, .index = index};
}

static void conn_shut(struct conn *conn) {
    if (conn->ssl)
        tls_end(conn);
    if (conn->fd >= 0)
        close(conn->fd);
    conn->fd = -1;
    conn->state = CONN_CLOSED;
    conn->served = false;
}

void conn_close(struct worker *w, struct conn *conn) {
    if (conn->state == CONN_OPEN)
        w->open_count--;
    conn_shut(conn);
}

void conn_deinit(struct conn *conn) {
    conn_shut(conn);
    if (conn->body) {
        buf_deinit(conn->body);
        mem_free(conn->body);
        conn->body = NULL;
    }
}

static enum load_error error_of_errno(int errno_value) {
    switch (errno_value) {
    case ECONNREFUSED:
        return LOAD_ERROR_REFUSED;
    case ECONNRESET:
    case EPIPE:
        return LOAD_ERROR_RESET;
    case ETIMEDOUT:
        return LOAD_ERROR_TIMEOUT;
    default: /* no route, no port, no descriptor */
        return LOAD_ERROR_CONNECT;
    }
}

/* ---- ends of a request ---- */

static void conn_release(struct worker *w, struct conn *conn) {
    must(conn->busy);
    conn_list_remove(&w->busy, conn);
    w->busy_count--;
    conn->busy = false;
    worker_idle(w, conn);
}

static void record(struct load_request_sample *into, const struct worker *w,
                   const struct conn *conn) {
    hist_record(&into->latency, w->now_ns - conn->planned_ns);
    hist_record(&into->service, w->now_ns - conn->acted_ns);
}

void conn_fail(struct worker *w, struct conn *conn, enum load_error error) {
    must(conn->busy);
    struct load_request_sample *sample = worker_counts(w, conn->template);
    w->now_ns = clock_monotonic_ns();
    sample->counts.errors[error]++;
    if (error == LOAD_ERROR_TIMEOUT)
        record(sample, w, conn);
    conn_close(w, conn);
    conn_release(w, conn);
}

/* The connection is of no more use. */
static void conn_broken(struct worker *w, struct conn *conn, enum load_error error) {
    if (!conn->busy) {
        conn_close(w, conn);
        return;
    }
    bool untouched = conn->state == CONN_OPEN && conn->reply.m.state == HTTP1_START &&
                     conn->reply.m.head_bytes == 0;
    if (error == LOAD_ERROR_RESET && untouched && conn->reused && !conn->retried &&
        w->load->templates[conn->template].may_retry) {
        conn_close(w, conn);
        conn->retried = true;
        w->current->sample.retries++;
        conn_send(w, conn);
        return;
    }
    conn_fail(w, conn, error);
}

/* The reply is complete; `spent`: nothing else can come on this connection. */
static void conn_done(struct worker *w, struct conn *conn, bool spent) {
    const struct template *t = &w->load->templates[conn->template];
    struct load_request_sample *sample = worker_counts(w, conn->template);
    w->now_ns = clock_monotonic_ns();
    record(sample, w, conn);
    unsigned hundreds = conn->reply.status / 100;
    sample->counts.done++;
    sample->counts.status[hundreds < 6 ? hundreds : 0]++;
    enum load_error error = template_judge(t, conn, w->now_ns - conn->acted_ns);
    if (error == LOAD_ERROR_COUNT)
        sample->counts.ok++;
    else
        sample->counts.errors[error]++;
    conn->served = true;
    if (spent || !conn->reply.m.keep_alive || conn->written < t->bytes.len)
        conn_close(w, conn);
    conn_release(w, conn);
}

/* ---- writing ---- */

static void conn_write(struct worker *w, struct conn *conn) {
    const struct buf *bytes = &w->load->templates[conn->template].bytes;
    while (conn->written < bytes->len) {
        const char *from = bytes->ptr + conn->written;
        size_t left = bytes->len - conn->written, size = 0;
        if (conn->ssl) {
            enum tls_result result = tls_write(conn, from, left, &size);
            if (result == TLS_WAIT)
                return;
            if (result != TLS_OK) {
                conn_broken(w, conn, LOAD_ERROR_RESET);
                return;
            }
        } else {
            ssize_t sent = send(conn->fd, from, left, MSG_NOSIGNAL);
            if (sent < 0 && (errno == EAGAIN || errno == EINTR))
                return;
            if (sent < 0) {
                conn_broken(w, conn, error_of_errno(errno));
                return;
            }
            size = (size_t)sent;
        }
        conn->written += size;
        worker_counts(w, conn->template)->counts.bytes_out += size;
    }
}

/* ---- opening ---- */

static void conn_opened(struct worker *w, struct conn *conn) {
    conn->state = CONN_OPEN;
    w->open_count++;
    w->current->sample.connects++;
    if (conn->busy)
        conn_write(w, conn);
}

static void conn_handshake(struct worker *w, struct conn *conn) {
    switch (tls_handshake(conn)) {
    case TLS_OK:
        conn_opened(w, conn);
        return;
    case TLS_WAIT:
        return;
    case TLS_CLOSED:
        conn_broken(w, conn, LOAD_ERROR_RESET);
        return;
    case TLS_FAILED:
        conn_broken(w, conn, LOAD_ERROR_TLS);
        return;
    }
}

static void conn_connected(struct worker *w, struct conn *conn) {
    int error = 0;
    socklen_t size = sizeof error;
    if (getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0) {
        conn_broken(w, conn, error_of_errno(error));
        return;
    }
    if (!w->load->tls) {
        conn_opened(w, conn);
        return;
    }
    conn->state = CONN_HANDSHAKE;
    if (tls_begin(w->load, conn))
        conn_handshake(w, conn);
    else
        conn_broken(w, conn, LOAD_ERROR_TLS);
}

/* Begin to connect; what goes wrong at once is said by errno. */
static bool conn_open(struct worker *w, struct conn *conn) {
    must(conn->state == CONN_CLOSED);
    const struct load *load = w->load;
    const struct load_address *to = &load->addresses[w->next_address];
    w->next_address = (w->next_address + 1) % load->spec.address_count;
    conn->fd = socket(to->addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (conn->fd < 0)
        return false;
    int on = 1;
    ignore(setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)); /* only a wish */
    if (connect(conn->fd, (const struct sockaddr *)&to->addr, to->size) < 0 && errno != EINPROGRESS)
        return false;
    conn->generation++;
    conn->state = CONN_CONNECTING;
    return waiter_watch(&w->waiter, conn->fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                        (uint64_t)conn->generation << 32 | conn->index);
}

void conn_warm_up(struct worker *w, struct conn *conn) {
    if (w->load->spec.address_count > 0 && !conn_open(w, conn))
        conn_close(w, conn);
}

static void keep_body(void *arg, struct str piece) {
    buf_add_str(arg, piece);
}

static void conn_expect_reply(struct conn *conn, const struct template *t) {
    http1_reply_init(&conn->reply, t->is_head);
    if (!t->contains && !t->has_pattern)
        return;
    if (!conn->body) {
        conn->body = mem_new(sizeof *conn->body);
        buf_init(conn->body, LOAD_BODY_BYTES_MAX);
    }
    buf_reset(conn->body);
    conn->reply.m.body = keep_body;
    conn->reply.m.body_arg = conn->body;
}

static void conn_send(struct worker *w, struct conn *conn) {
    conn_expect_reply(conn, &w->load->templates[conn->template]);
    conn->written = 0;
    conn->reused = conn->served;
    if (conn->state == CONN_OPEN) {
        conn_write(w, conn);
    } else if (conn->state == CONN_CLOSED) {
        if (w->load->spec.address_count == 0)
            conn_fail(w, conn, LOAD_ERROR_DNS);
        else if (!conn_open(w, conn))
            conn_fail(w, conn, error_of_errno(errno));
    } /* else it goes out when the connection is open */
}

void conn_request(struct worker *w, struct conn *conn, uint32_t template, uint64_t planned_ns) {
    must(!conn->busy);
    must(template <w->load->template_count);
    conn_list_remove(&w->idle, conn);
    conn_list_add(&w->busy, conn);
    w->busy_count++;
    conn->busy = true;
    conn->retried = false;
    conn->template = template;
    conn->planned_ns = planned_ns;
    conn->acted_ns = w->now_ns;
    worker_counts(w, template)->counts.planned++;
    worker_counts(w, template)->counts.sent++;
    conn_send(w, conn);
}

/* ---- reading ---- */

/* Bytes came.  False: the connection is closed or carries no request any more. */
static bool conn_take(struct worker *w, struct conn *conn, size_t size, bool ending) {
    if (!conn->busy || (conn->written == 0 && conn->reply.m.state == HTTP1_START)) {
        /* nobody asked: a farewell such as 408 before the close */
        conn_broken(w, conn, LOAD_ERROR_RESET);
        return false;
    }
    size_t used = 0;
    worker_counts(w, conn->template)->counts.bytes_in += size;
    struct str bytes = {w->recv_bytes, size};
    if (http1_reply_feed(&conn->reply, bytes, &used, NULL) < 0) {
        conn_fail(w, conn, LOAD_ERROR_PROTOCOL);
        return false;
    }
    if (conn->reply.m.state != HTTP1_DONE)
        return true;
    conn_done(w, conn, ending || used < size);
    return false;
}

enum recv_result { RECV_BYTES, RECV_WAIT, RECV_END, RECV_BROKEN };

static enum recv_result conn_recv_tls(struct worker *w, struct conn *conn, size_t *ret_size,
                                      enum load_error *ret_error) {
    switch (tls_read(conn, w->recv_bytes, ENGINE_RECV_BYTES, ret_size)) {
    case TLS_OK:
        return RECV_BYTES;
    case TLS_WAIT:
        return RECV_WAIT;
    case TLS_CLOSED:
        return RECV_END;
    case TLS_FAILED:
        break;
    }
    *ret_error = LOAD_ERROR_TLS;
    return RECV_BROKEN;
}

static enum recv_result conn_recv(struct worker *w, struct conn *conn, size_t *ret_size,
                                  enum load_error *ret_error) {
    if (conn->ssl)
        return conn_recv_tls(w, conn, ret_size, ret_error);
    ssize_t got = recv(conn->fd, w->recv_bytes, ENGINE_RECV_BYTES, 0);
    if (got > 0) {
        *ret_size = (size_t)got;
        return RECV_BYTES;
    }
    if (got == 0)
        return RECV_END;
    if (errno == EAGAIN || errno == EINTR)
        return RECV_WAIT;
    *ret_error = error_of_errno(errno);
    return RECV_BROKEN;
}

static void conn_read(struct worker *w, struct conn *conn, uint32_t events) {
    bool ending = events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR);
    for (;;) {
        size_t size = 0;
        enum load_error error = LOAD_ERROR_RESET;
        enum recv_result result = conn_recv(w, conn, &size, &error);
        if (result == RECV_WAIT)
            return;
        if (result == RECV_END && conn->busy && http1_reply_end(&conn->reply)) {
            conn_done(w, conn, true); /* a body that lasts until the end of the connection */
            return;
        }
        if (result != RECV_BYTES) {
            conn_broken(w, conn, error);
            return;
        }
        /* edge-triggered: a short read emptied the socket, unless its end is there already */
        bool drained = !conn->ssl && size < ENGINE_RECV_BYTES && !ending;
        if (!conn_take(w, conn, size, ending) || drained)
            return;
    }
}

void conn_event(struct worker *w, struct conn *conn, uint32_t events) {
    switch (conn->state) {
    case CONN_CLOSED:
        return;
    case CONN_CONNECTING:
        if (events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
            conn_connected(w, conn);
        return;
    case CONN_HANDSHAKE:
        conn_handshake(w, conn);
        return;
    case CONN_OPEN:
        break;
    }
    uint32_t generation = conn->generation;
    if (conn->busy && conn->written < w->load->templates[conn->template].bytes.len)
        conn_write(w, conn);
    if (conn->state == CONN_OPEN && conn->generation == generation &&
        events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        conn_read(w, conn, events);
}
