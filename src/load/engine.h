/* engine.h - the inside of the load engine, for the files of this folder only.
 *
 *   load.c      the API: checks, threads, merging of the workers' samples
 *   worker.c    one thread: schedule, timers, epoll, hand-over of samples
 *   conn.c      one connection: connect, TLS, write, read, what a result means
 *   template.c  the bytes of each request, made once
 *   sample.c    samples: merge, total, reset
 *   tls.c       OpenSSL behind conn_read and conn_write
 *
 * Words: a connection is *busy* while it has a request, else *idle*, whether it is open or not; a
 * request that gets an idle closed connection opens it first.  *acted* is the instant at which a
 * request got its connection.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include "base/buf.h"
#include "base/heap.h"
#include "base/prng.h"
#include "base/ring.h"
#include "codec/http1.h"
#include "load/load.h"
#include "load/waiter.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <regex.h>
#include <stdatomic.h>

#define ENGINE_RECV_BYTES (64 * 1024)
#define ENGINE_EVENTS_MAX 256
#define ENGINE_SAMPLES 4 /* of one worker: one being filled, the others on their way */

/* A request, ready to send. */
struct template {
    char *name; /* for messages */
    struct buf bytes;
    bool is_head;
    bool may_retry; /* an idempotent method (RFC 9110 9.2.2) */
    bool has_pattern;
    uint16_t status_min, status_max;
    uint64_t time_max_ns;
    char *contains; /* NULL: none */
    size_t contains_len;
    regex_t pattern;
    uint64_t weight_until; /* sum of the weights up to and with this one */
};

enum conn_state { CONN_CLOSED, CONN_CONNECTING, CONN_HANDSHAKE, CONN_OPEN };

struct conn {
    int fd;
    uint32_t index;      /* of worker.conns; users are connections in a closed loop */
    uint32_t generation; /* of the descriptor: epoll events of an earlier one are ignored */
    enum conn_state state;
    bool busy;
    bool reused;  /* the request was sent on a connection that had carried another one */
    bool retried; /* once is enough */
    bool served;  /* it has carried a request */
    uint32_t template;
    size_t written; /* bytes of the request */
    uint64_t planned_ns, acted_ns;
    struct conn *previous, *next; /* in worker.idle or worker.busy */
    SSL *ssl;
    struct buf *body;   /* made when a template wants to see bodies */
    struct prng random; /* closed loop: this user's choices */
    struct http1_reply reply;
};

struct conn_list {
    struct conn *first, *last;
};

struct worker_sample {
    struct load_sample sample;
    uint64_t tick; /* all that happened before tick `tick` is in it or in earlier ones */
    bool last;
};

struct worker {
    struct load *load;
    uint32_t index;
    bool started;
    pthread_t thread;
    struct waiter waiter;

    struct conn *conns;
    uint32_t conn_count;
    struct conn_list idle; /* longest idle first */
    struct conn_list busy; /* longest busy first, so the first deadline is the next */
    uint32_t busy_count, open_count;
    uint32_t next_address;

    struct pace pace;      /* open loop */
    struct heap thinkers;  /* closed loop: when which user goes on */
    uint64_t end_ns;       /* closed loop: nobody begins after this */
    uint64_t unblocked_ns; /* when a connection last became idle after none had been */
    uint64_t lead_ns;      /* how much earlier than a send the timer is set */
    unsigned stop_seen;
    uint64_t now_ns;

    struct worker_sample *current;
    uint64_t tick; /* number of the interval being filled */
    struct ring full, empty;
    struct worker_sample pool[ENGINE_SAMPLES];
    /* consumer's side */
    struct worker_sample *head; /* taken from the ring, not merged yet */
    bool ended;                 /* its last sample was merged */

    _Atomic uint64_t cpu_ns;
    char recv_bytes[ENGINE_RECV_BYTES];
    struct epoll_event events[ENGINE_EVENTS_MAX];
};

struct load {
    struct load_spec spec; /* scalars only; pointers in it are not used after the start */
    char *host;            /* for TLS */
    struct load_address *addresses;
    struct template *templates;
    uint32_t template_count;
    uint64_t weights;
    bool wants_bodies;
    SSL_CTX *tls;
    struct worker **workers;
    uint32_t worker_count;
    uint64_t start_ns;
    int event_fd;          /* samples are ready */
    _Atomic unsigned stop; /* 0 go on, 1 send nothing more, 2 leave */
};

static inline bool load_is_open_loop(const struct load *load) {
    return load->spec.users == 0;
}

/* ---- template.c ---- */

NODISCARD int templates_make(struct load *load, const struct load_spec *spec, struct err *err);
void templates_free(struct load *load);
/* Which template request number `number` of the whole plan is. */
uint32_t template_pick(const struct load *load, uint64_t number);
uint32_t template_of_weight(const struct load *load, uint64_t weight);
/* Is this complete reply what was expected?  LOAD_ERROR_COUNT: yes. */
enum load_error template_judge(const struct template *template, const struct conn *conn,
                               uint64_t service_ns);

/* ---- conn.c ---- */

void conn_init(struct conn *conn, uint32_t index);
void conn_deinit(struct conn *conn);
/* Begin to connect, without a request; failures show when one is sent. */
void conn_warm_up(struct worker *w, struct conn *conn);
/* Give an idle connection the request; it becomes busy (and perhaps fails at once). */
void conn_request(struct worker *w, struct conn *conn, uint32_t template, uint64_t planned_ns);
void conn_event(struct worker *w, struct conn *conn, uint32_t events);
/* End its request with this error and close. */
void conn_fail(struct worker *w, struct conn *conn, enum load_error error);
void conn_close(struct worker *w, struct conn *conn);

/* ---- worker.c ---- */

void *worker_main(void *worker);
/* A busy connection became idle. */
void worker_idle(struct worker *w, struct conn *conn);
void conn_list_add(struct conn_list *list, struct conn *conn);
void conn_list_remove(struct conn_list *list, struct conn *conn);
static inline struct load_request_sample *worker_counts(struct worker *w, uint32_t template) {
    return &w->current->sample.requests[template];
}

/* ---- tls.c ---- */

enum tls_result { TLS_OK, TLS_WAIT, TLS_CLOSED, TLS_FAILED };

NODISCARD int tls_context_make(struct load *load, struct err *err);
/* Attach a session to the connected descriptor; false: out of resources. */
NODISCARD bool tls_begin(const struct load *load, struct conn *conn);
void tls_end(struct conn *conn);
enum tls_result tls_handshake(struct conn *conn);
enum tls_result tls_write(struct conn *conn, const char *bytes, size_t size, size_t *ret_size);
enum tls_result tls_read(struct conn *conn, char *bytes, size_t size, size_t *ret_size);

#endif
