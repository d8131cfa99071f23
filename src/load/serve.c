#include "load/serve.h"

#include "base/heap.h"
#include "base/prng.h"
#include "codec/http1.h"
#include "load/waiter.h"
#include "os/clock.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <unistd.h>

#define EVENTS_MAX 256
#define RECV_BYTES (64 * 1024)
#define PENDING_BYTES_MAX (256 * 1024) /* pipelined behind a delayed answer */
#define LOG_BYTES_MAX (1024 * 1024)    /* buffered access log; written when three quarters full */
#define LOG_WAIT_NS (NS_PER_S / 2)
#define WAIT_NS_MAX (10 * NS_PER_S)
#define LISTENER_TAG 0
#define WORK_PER_REQUEST UINT64_C(1000000000000000) /* micro-requests per second x ns */

/* An answer, made once.  A reply to HEAD is its first head_bytes. */
struct answer {
    char *bytes;
    size_t head_bytes, size;
    uint16_t status;
};

enum answer_kind { ANSWER_OK, ANSWER_LIMITED, ANSWER_ERROR, ANSWER_KINDS };

struct peer {
    int fd;
    bool dead;    /* closed; freed when nothing refers to it */
    bool waiting; /* its answer is delayed: it is in worker.delayed */
    bool close_after, continued, is_head;
    const struct answer *answer; /* being written or delayed; NULL: none */
    size_t written;
    uint64_t read_ns;             /* when the request had come */
    struct buf pending;           /* bytes behind it */
    struct peer *previous, *next; /* of all peers of the worker */
    struct http1_request request;
};

struct serve_worker {
    struct serve *serve;
    pthread_t thread;
    bool started;
    int listen_fd;
    bool accept_later; /* out of descriptors: when one is closed */
    struct waiter waiter;
    struct peer *peers;
    struct peer *dead;   /* freed after the batch of events */
    struct heap delayed; /* when which peer is answered */
    struct prng random;
    struct buf log;
    uint64_t log_due_ns; /* when what waits in it is written at the latest */
    uint64_t now_ns;
    uint64_t stall_ns; /* when the next stall begins */
    struct serve_counts counts;
    struct epoll_event events[EVENTS_MAX];
    char recv_bytes[RECV_BYTES];
};

struct serve {
    struct serve_spec spec;
    struct answer answers[ANSWER_KINDS];
    struct serve_worker *workers;
    uint32_t worker_count;
    uint16_t port;
    uint64_t first_stall_ns;
    uint64_t limit_step_ns, limit_slack_ns; /* time per token, and of all tokens but one */
    _Atomic uint64_t limit_until_ns;        /* when the bucket is full again */
    _Atomic bool stop;
};

/* ---- answers ---- */

static void answer_make(struct answer *answer, uint16_t status, const char *reason,
                        const char *more, size_t body_bytes) {
    char head[256];
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 %u %s\r\nServer: dayfly\r\nContent-Type: text/plain\r\n"
                        "%sContent-Length: %zu\r\n\r\n",
                        status, reason, more, body_bytes);
    must(size > 0 && (size_t)size < sizeof head);
    answer->status = status;
    answer->head_bytes = (size_t)size;
    answer->size = answer->head_bytes + body_bytes;
    answer->bytes = mem_new(answer->size);
    memcpy(answer->bytes, head, answer->head_bytes);
    for (size_t i = 0; i < body_bytes; i++)
        answer->bytes[answer->head_bytes + i] = "dayfly\n"[i % 7];
}

/* Take a token if there is one.  The bucket is a line of time: each token moves its end forward,
 * and the end may not be further ahead than the burst (the generic cell rate algorithm). */
static bool limit_take(struct serve *serve, uint64_t now_ns) {
    uint64_t until_ns = atomic_load_explicit(&serve->limit_until_ns, memory_order_relaxed);
    for (;;) {
        uint64_t from_ns = MAX(until_ns, now_ns);
        if (from_ns - now_ns > serve->limit_slack_ns)
            return false;
        if (atomic_compare_exchange_weak(&serve->limit_until_ns, &until_ns,
                                         from_ns + serve->limit_step_ns))
            return true;
    }
}

static const struct answer *answer_choose(struct serve_worker *w) {
    struct serve *serve = w->serve;
    if (serve->limit_step_ns > 0 && !limit_take(serve, w->now_ns))
        return &serve->answers[ANSWER_LIMITED];
    if (serve->spec.errors_ppm > 0 && prng_chance(&w->random, serve->spec.errors_ppm))
        return &serve->answers[ANSWER_ERROR];
    return &serve->answers[ANSWER_OK];
}

static uint64_t delay_choose(struct serve_worker *w) {
    const struct serve_spec *spec = &w->serve->spec;
    if (spec->latency_ns == 0 && spec->jitter_ns == 0)
        return 0;
    uint64_t low = spec->latency_ns > spec->jitter_ns ? spec->latency_ns - spec->jitter_ns : 0;
    return prng_range(&w->random, low, spec->latency_ns + spec->jitter_ns);
}

/* ---- the log ---- */

static void log_flush(struct serve_worker *w) {
    size_t at = 0;
    while (at < w->log.len) {
        ssize_t size = write(w->serve->spec.access_log_fd, w->log.ptr + at, w->log.len - at);
        if (size < 0 && errno != EINTR)
            break; /* a full disk does not stop the server; the log is short then */
        at += size > 0 ? (size_t)size : 0;
    }
    buf_reset(&w->log);
}

static void log_add(struct serve_worker *w, const struct peer *peer) {
    if (w->serve->spec.access_log_fd < 0)
        return;
    if (w->log.len == 0)
        w->log_due_ns = w->now_ns + LOG_WAIT_NS;
    buf_printf(&w->log, "%llu %llu %u %s %s\n", (unsigned long long)peer->read_ns,
               (unsigned long long)clock_monotonic_ns(), peer->answer->status, peer->request.method,
               peer->request.target);
    if (w->log.len > LOG_BYTES_MAX / 4 * 3)
        log_flush(w);
}

/* ---- peers ---- */

static void peer_add(struct serve_worker *w, int fd) {
    struct peer *peer = mem_new(sizeof *peer);
    peer->fd = fd;
    buf_init(&peer->pending, PENDING_BYTES_MAX);
    http1_request_init(&peer->request);
    peer->next = w->peers;
    if (w->peers)
        w->peers->previous = peer;
    w->peers = peer;
    w->counts.connections++;
    int on = 1;
    ignore(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)); /* only a wish */
    must(waiter_watch(&w->waiter, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                      (uint64_t)(uintptr_t)peer));
}

static void accept_all(struct serve_worker *w) {
    for (;;) {
        int fd = accept4(w->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            peer_add(w, fd);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        w->accept_later = errno != EAGAIN;
        return;
    }
}

static void peer_unlink(struct serve_worker *w, struct peer *peer) {
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        w->peers = peer->next;
    if (peer->next)
        peer->next->previous = peer->previous;
    peer->next = w->dead;
    w->dead = peer;
}

static void peer_close(struct serve_worker *w, struct peer *peer) {
    if (peer->dead)
        return;
    peer->dead = true;
    close(peer->fd);
    if (!peer->waiting)
        peer_unlink(w, peer);
    if (w->accept_later)
        accept_all(w);
}

static void peers_bury(struct serve_worker *w) {
    while (w->dead) {
        struct peer *peer = w->dead;
        w->dead = peer->next;
        buf_deinit(&peer->pending);
        mem_free(peer);
    }
}

/* ---- answering ---- */

static void answer_written(struct serve_worker *w, struct peer *peer) {
    w->counts.requests++;
    w->counts.ok += peer->answer->status == 200;
    w->counts.limited += peer->answer->status == 429;
    w->counts.errors += peer->answer->status == 500;
    log_add(w, peer);
    peer->answer = NULL;
    peer->continued = false;
    http1_request_init(&peer->request);
    if (peer->close_after)
        peer_close(w, peer);
}

/* True: the whole answer is out and the peer may go on. */
static bool answer_write(struct serve_worker *w, struct peer *peer) {
    size_t size = peer->is_head ? peer->answer->head_bytes : peer->answer->size;
    while (peer->written < size) {
        ssize_t sent =
            send(peer->fd, peer->answer->bytes + peer->written, size - peer->written, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        if (sent < 0) {
            peer->answer = NULL;
            peer_close(w, peer);
            return false;
        }
        peer->written += (size_t)sent;
    }
    answer_written(w, peer);
    return !peer->dead;
}

/* A request is complete.  True: it is answered and the peer may go on. */
static bool peer_answer(struct serve_worker *w, struct peer *peer) {
    w->now_ns = clock_monotonic_ns();
    peer->read_ns = w->now_ns;
    peer->answer = answer_choose(w);
    peer->written = 0;
    peer->is_head = strcmp(peer->request.method, "HEAD") == 0;
    peer->close_after = !peer->request.m.keep_alive;
    uint64_t delay_ns = delay_choose(w);
    if (delay_ns == 0)
        return answer_write(w, peer);
    peer->waiting = true;
    heap_add(&w->delayed, w->now_ns + delay_ns, (uint64_t)(uintptr_t)peer);
    return false;
}

/* Read requests off `bytes` until they are used up or an answer has to wait. */
static void peer_take(struct serve_worker *w, struct peer *peer, struct str bytes) {
    while (bytes.len > 0) {
        size_t used = 0;
        if (http1_request_feed(&peer->request, bytes, &used, NULL) < 0) {
            static const char bad[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                                      "Connection: close\r\n\r\n";
            ignore(send(peer->fd, bad, sizeof bad - 1, MSG_NOSIGNAL) < 0); /* it is closed anyway */
            w->counts.refused++;
            peer_close(w, peer);
            return;
        }
        bytes = str_skip(bytes, used);
        const struct http1_request *request = &peer->request;
        if (request->m.head_done && request->wants_continue && !peer->continued &&
            request->m.state != HTTP1_DONE) {
            static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
            peer->continued = true;
            ignore(send(peer->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0); /* shows later */
        }
        if (request->m.state == HTTP1_DONE && !peer_answer(w, peer))
            break;
    }
    if (peer->dead || bytes.len == 0)
        return;
    buf_add_str(&peer->pending, bytes);
    if (!buf_ok(&peer->pending))
        peer_close(w, peer);
}

/* Read until the socket is empty.  Without `ending` a short read proves that it is. */
static void peer_read(struct serve_worker *w, struct peer *peer, bool ending) {
    while (!peer->dead && !peer->answer) {
        ssize_t got = recv(peer->fd, w->recv_bytes, RECV_BYTES, 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        if (got <= 0) {
            peer_close(w, peer);
            return;
        }
        peer_take(w, peer, (struct str){w->recv_bytes, (size_t)got});
        if (got < RECV_BYTES && !ending)
            return;
    }
}

/* The answer went out later: go on with what came meanwhile. */
static void peer_resume(struct serve_worker *w, struct peer *peer) {
    struct buf pending = peer->pending;
    buf_init(&peer->pending, PENDING_BYTES_MAX);
    peer_take(w, peer, buf_str(&pending));
    buf_deinit(&pending);
    if (!peer->dead && !peer->answer)
        peer_read(w, peer, true);
}

static void peer_event(struct serve_worker *w, struct peer *peer, uint32_t events) {
    if (peer->dead)
        return;
    if (events & (EPOLLERR | EPOLLHUP)) {
        peer_close(w, peer);
        return;
    }
    if (peer->waiting)
        return; /* read again after the answer */
    if (peer->answer) {
        if (answer_write(w, peer))
            peer_resume(w, peer);
        return;
    }
    peer_read(w, peer, events & EPOLLRDHUP);
}

static void answer_delayed(struct serve_worker *w) {
    const struct heap_item *first = heap_first(&w->delayed);
    struct heap_item item;
    while (first && first->key <= w->now_ns) {
        must(heap_take(&w->delayed, &item));
        struct peer *peer = (struct peer *)(uintptr_t)item.value;
        peer->waiting = false;
        if (peer->dead)
            peer_unlink(w, peer);
        else if (answer_write(w, peer))
            peer_resume(w, peer);
        first = heap_first(&w->delayed);
    }
}

/* ---- the thread ---- */

/* Sleep through a stall that has begun.  Nothing is awake for one that nobody would notice. */
static void stall(struct serve_worker *w) {
    const struct serve_spec *spec = &w->serve->spec;
    if (spec->stall_every_ns == 0 || w->now_ns < w->stall_ns)
        return;
    uint64_t missed = (w->now_ns - w->stall_ns) / spec->stall_every_ns;
    w->stall_ns += missed * spec->stall_every_ns;
    if (w->now_ns < w->stall_ns + spec->stall_ns) {
        clock_sleep_until_ns(w->stall_ns + spec->stall_ns);
        w->now_ns = clock_monotonic_ns();
    }
    w->stall_ns += spec->stall_every_ns;
}

static uint64_t wait_ns(const struct serve_worker *w) {
    uint64_t at_ns = w->now_ns + WAIT_NS_MAX;
    const struct heap_item *first = heap_first(&w->delayed);
    if (first)
        at_ns = MIN(at_ns, first->key);
    if (w->log.len > 0)
        at_ns = MIN(at_ns, w->log_due_ns);
    return at_ns > w->now_ns ? at_ns - w->now_ns : 0;
}

static void turn(struct serve_worker *w) {
    int count = waiter_wait(&w->waiter, w->events, EVENTS_MAX, wait_ns(w));
    w->now_ns = clock_monotonic_ns();
    for (int i = 0; i < count; i++) {
        uint64_t tag = w->events[i].data.u64;
        stall(w);
        if (tag == LISTENER_TAG)
            accept_all(w);
        else if (tag != WAITER_TAG)
            peer_event(w, (struct peer *)(uintptr_t)tag, w->events[i].events);
    }
    stall(w);
    answer_delayed(w);
    peers_bury(w);
    if (w->log.len > 0 && w->log_due_ns <= w->now_ns)
        log_flush(w); /* who reads the log meanwhile finds all but the last moment */
}

static void *serve_main(void *arg) {
    struct serve_worker *w = arg;
    waiter_thread("dayfly-serve");
    w->now_ns = clock_monotonic_ns();
    while (!atomic_load_explicit(&w->serve->stop, memory_order_acquire))
        turn(w);
    while (w->peers) {
        struct peer *peer = w->peers;
        if (!peer->dead)
            close(peer->fd);
        peer_unlink(w, peer);
    }
    peers_bury(w);
    log_flush(w);
    return NULL;
}

/* ---- start and stop ---- */

static int spec_check(const struct serve_spec *spec, struct err *err) {
    if (spec->threads > SERVE_THREADS_MAX)
        return err_set(err, ERR_USAGE, "more than %d threads", SERVE_THREADS_MAX);
    if (spec->body_bytes > SERVE_BODY_BYTES_MAX)
        return err_set(err, ERR_USAGE, "a body of more than 64 MiB");
    if (spec->stall_every_ns > 0 && spec->stall_ns >= spec->stall_every_ns)
        return err_set(err, ERR_USAGE, "a stall as long as its period");
    if (spec->burst > SERVE_BURST_MAX || spec->limit_micro_per_s > SERVE_BURST_MAX * MICRO)
        return err_set(err, ERR_USAGE, "a limit or burst above 1000000");
    return 0;
}

static void limit_init(struct serve *serve) {
    const struct serve_spec *spec = &serve->spec;
    if (spec->limit_micro_per_s == 0)
        return;
    uint64_t burst = spec->burst ? spec->burst : MAX(1, spec->limit_micro_per_s / MICRO);
    serve->limit_step_ns = WORK_PER_REQUEST / spec->limit_micro_per_s;
    serve->limit_slack_ns = (burst - 1) * serve->limit_step_ns;
}

static int listen_on(struct serve *serve, struct serve_worker *w, struct err *err) {
    struct sockaddr_storage *address = &serve->spec.address;
    w->listen_fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    bool shared = serve->spec.threads > 1; /* else a port in use is an error, as it should be */
    if (w->listen_fd < 0 ||
        setsockopt(w->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        (shared && setsockopt(w->listen_fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0) ||
        bind(w->listen_fd, (struct sockaddr *)address, serve->spec.address_size) < 0 ||
        listen(w->listen_fd, 65535) < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot listen");
    socklen_t size = sizeof *address; /* now with the port: the other threads take the same */
    must(getsockname(w->listen_fd, (struct sockaddr *)address, &size) == 0);
    serve->port = ntohs(address->ss_family == AF_INET6 ? ((struct sockaddr_in6 *)address)->sin6_port
                                                       : ((struct sockaddr_in *)address)->sin_port);
    return 0;
}

static int worker_init(struct serve *serve, struct err *err) {
    struct serve_worker *w = &serve->workers[serve->worker_count];
    w->serve = serve;
    w->listen_fd = -1;
    w->waiter = (struct waiter)WAITER_INIT;
    w->stall_ns = serve->first_stall_ns;
    heap_init(&w->delayed, SIZE_MAX / 64);
    buf_init(&w->log, LOG_BYTES_MAX);
    prng_init(&w->random, serve->spec.seed + serve->worker_count);
    serve->worker_count++;
    TRY(waiter_init(&w->waiter, err));
    TRY(listen_on(serve, w, err));
    if (!waiter_watch(&w->waiter, w->listen_fd, EPOLLIN | EPOLLET, LISTENER_TAG))
        return err_set_errno(err, ERR_IO, errno, "cannot listen");
    return 0;
}

static int worker_run(struct serve_worker *w, struct err *err) {
    sigset_t all, before;
    sigfillset(&all);
    must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    int result = pthread_create(&w->thread, NULL, serve_main, w);
    must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (result != 0)
        return err_set_errno(err, ERR_IO, result, "a server thread cannot be started");
    w->started = true;
    return 0;
}

static void files_allow(void) {
    struct rlimit limit;
    must(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    ignore(setrlimit(RLIMIT_NOFILE, &limit) < 0); /* then there are fewer connections */
}

int serve_start(const struct serve_spec *spec, struct serve **ret_serve, struct err *err) {
    CLEANUP(serve_freep) struct serve *serve = mem_new(sizeof *serve);
    serve->spec = *spec;
    if (serve->spec.threads == 0)
        serve->spec.threads = 1;
    TRY(spec_check(&serve->spec, err));
    files_allow();
    limit_init(serve);
    serve->first_stall_ns = clock_monotonic_ns() + spec->stall_every_ns;
    answer_make(&serve->answers[ANSWER_OK], 200, "OK", "", spec->body_bytes);
    answer_make(&serve->answers[ANSWER_LIMITED], 429, "Too Many Requests", "Retry-After: 1\r\n", 0);
    answer_make(&serve->answers[ANSWER_ERROR], 500, "Internal Server Error", "", 0);
    serve->workers = mem_new_array(serve->spec.threads, sizeof *serve->workers);
    for (uint32_t i = 0; i < serve->spec.threads; i++)
        TRY(worker_init(serve, err));
    for (uint32_t i = 0; i < serve->spec.threads; i++)
        TRY(worker_run(&serve->workers[i], err));
    *ret_serve = take(serve);
    return 0;
}

uint16_t serve_port(const struct serve *serve) {
    return serve->port;
}

uint64_t serve_stall_ns(const struct serve *serve) {
    return serve->first_stall_ns;
}

void serve_stop(struct serve *serve) {
    atomic_store_explicit(&serve->stop, true, memory_order_release);
    for (uint32_t i = 0; i < serve->worker_count; i++) {
        struct serve_worker *w = &serve->workers[i];
        if (!w->started)
            continue;
        waiter_wake(&w->waiter);
        must(pthread_join(w->thread, NULL) == 0);
        w->started = false;
    }
}

struct serve_counts serve_counts(const struct serve *serve) {
    struct serve_counts sum = {0};
    for (uint32_t i = 0; i < serve->worker_count; i++) {
        const struct serve_counts *counts = &serve->workers[i].counts;
        must(!serve->workers[i].started);
        sum.connections += counts->connections;
        sum.requests += counts->requests;
        sum.ok += counts->ok;
        sum.limited += counts->limited;
        sum.errors += counts->errors;
        sum.refused += counts->refused;
    }
    return sum;
}

void serve_free(struct serve *serve) {
    if (!serve)
        return;
    serve_stop(serve);
    for (uint32_t i = 0; i < serve->worker_count; i++) {
        struct serve_worker *w = &serve->workers[i];
        if (w->listen_fd >= 0)
            close(w->listen_fd);
        waiter_deinit(&w->waiter);
        heap_deinit(&w->delayed);
        buf_deinit(&w->log);
    }
    mem_free(serve->workers);
    for (size_t i = 0; i < ANSWER_KINDS; i++)
        mem_free(serve->answers[i].bytes);
    mem_free(serve);
}
