/* load.h - the load engine: sends HTTP/1.1 requests by plan and measures the replies.
 *
 * Words:
 *   open loop     requests are due at planned instants (core/pace.h), whatever the target does
 *   closed loop   each of N users sends, waits for the reply, thinks, sends again
 *   latency       from the planned instant to the end of the reply (closed loop: from the send)
 *   service       from the instant at which the engine acted on the request (took a connection,
 *                 opening one if needed) to the end of the reply
 *   late          sent more than LOAD_LATE_NS after the planned instant
 *   shard         this generator's share: requests (or users) k with k mod shard_count ==
 *                 shard_index, of the whole fleet's plan
 *   sample        what happened in one interval; deltas, never totals
 *
 * Nothing that was planned is dropped in silence.  While all connections are busy, due requests
 * wait and keep their planned instants.  One that has waited for `timeout_ns` without being sent,
 * or that still waits when the load is stopped, is counted as LOAD_ERROR_UNSENT.  So after the end
 * planned == done + errors by transport, for every request name.
 *
 * Which durations are recorded: every complete reply, whatever its status, and every timeout and
 * unsent request (with the time that it waited: it would have been at least that).  Refused, reset,
 * DNS, TLS and protocol failures have no duration; they are counted only.
 *
 * Threads: load_start makes `threads` workers that share nothing; they hand samples over by rings.
 * All functions of this header are called from one thread.  No allocation per request.
 *
 * Use:
 *     struct load *load = NULL;
 *     TRY(load_start(&spec, &load, err));
 *     for each readability of load_fd(load):
 *         while (load_take_sample(load, &sample)) { ...send or print it... }
 *         if (load_finished(load)) break;
 *     load_free(load);
 *
 * Tests: test/unit/test_load.c, test/story (bench against serve); ThreadSanitizer runs over both.
 */
#ifndef LOAD_H
#define LOAD_H

#include "base/base.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "core/hist.h"
#include "core/pace.h"

#include <sys/socket.h>

#define LOAD_ADDRESSES_MAX 16
#define LOAD_CONNECTIONS_MAX 60000 /* of one generator: ports of one source address */
#define LOAD_THREADS_MAX 64
#define LOAD_REQUEST_BYTES_MAX (1024 * 1024) /* head and body of one request */
#define LOAD_BODY_BYTES_MAX (1024 * 1024)    /* of a reply, kept for body_contains and _pattern */
#define LOAD_LATE_NS (1 * NS_PER_MS)
#define LOAD_LEAD_NS (50 * NS_PER_MS) /* to open connections in, when the start is not given */

/* name, text.  STATUS and EXPECT are complete replies that were not what was expected. */
#define LOAD_ERROR_MAP(X)            \
    X(LOAD_ERROR_STATUS, "status")   \
    X(LOAD_ERROR_EXPECT, "expect")   \
    X(LOAD_ERROR_TIMEOUT, "timeout") \
    X(LOAD_ERROR_UNSENT, "unsent")   \
    X(LOAD_ERROR_REFUSED, "refused") \
    X(LOAD_ERROR_RESET, "reset")     \
    X(LOAD_ERROR_CONNECT, "connect") \
    X(LOAD_ERROR_DNS, "dns")         \
    X(LOAD_ERROR_TLS, "tls")         \
    X(LOAD_ERROR_PROTOCOL, "protocol")

enum load_error {
#define LOAD_ERROR_ENUM(name, text) name,
    LOAD_ERROR_MAP(LOAD_ERROR_ENUM)
#undef LOAD_ERROR_ENUM
        LOAD_ERROR_COUNT
};

struct load_header {
    struct str name, value;
};

struct load_request {
    struct str name;                   /* shown; unique within the spec */
    struct str method;                 /* "GET" ... */
    struct str target;                 /* "/search?q=boots" */
    const struct load_header *headers; /* beside those of the spec; same names win */
    uint32_t header_count;
    struct str body;
    uint32_t weight;                 /* >= 1 */
    uint16_t status_min, status_max; /* expected, both included; 0, 0: 200..399 */
    struct str body_contains;        /* bytes that must occur in the body; empty: any */
    struct str body_pattern;         /* POSIX extended expression the body must match; empty: any */
    uint64_t time_max_ns;            /* a reply later than this is LOAD_ERROR_EXPECT; 0: any */
};

struct load_address {
    struct sockaddr_storage addr;
    socklen_t size;
};

/* Everything is borrowed for load_start only, and copied. */
struct load_spec {
    struct str host; /* for the Host header and the certificate: name or literal address */
    uint16_t port;   /* shown in Host unless it is the scheme's own */
    bool tls;
    bool tls_insecure; /* do not verify the certificate */
    /* Where to connect, in turn; the caller resolves names.  None: each planned request counts as
     * LOAD_ERROR_DNS. */
    const struct load_address *addresses;
    uint32_t address_count;

    const struct load_request *requests; /* 1..REQUESTS_MAX */
    uint32_t request_count;
    const struct load_header *headers; /* on every request */
    uint32_t header_count;

    /* Open loop: the plan of the whole fleet (users == 0).  Closed loop: users of the whole fleet,
     * for duration_ns, thinking between think_ns_min and think_ns_max. */
    struct pace_plan plan;
    uint32_t users;
    uint64_t duration_ns;
    uint64_t think_ns_min, think_ns_max; /* a user begins after a random part of one pause */

    uint32_t shard_index, shard_count; /* 0, 0 means 0 of 1 */
    uint32_t connections;              /* open loop: of this generator; 0: 64 */
    uint32_t threads;                  /* 0: 1 */
    bool close_each;                   /* a new connection for each request */
    uint64_t timeout_ns;               /* of a request once acted on; 0: 30 s */
    uint64_t seed;                     /* which request number gets which request, thinking times */
    uint64_t start_ns; /* CLOCK_MONOTONIC of the plan's start; 0: in LOAD_LEAD_NS; connections are
                        * opened before it */
    uint64_t interval_ns; /* of samples; 0: 1 s */
};

/* Deltas of one request name.  done counts complete replies, ok those of them that were as
 * expected: done == ok + errors[STATUS] + errors[EXPECT]. */
struct load_counts {
    uint64_t planned; /* handed out by the plan: sent or given up (closed loop: begun) */
    uint64_t sent;    /* acted on: got a connection */
    uint64_t done;
    uint64_t ok;
    uint64_t errors[LOAD_ERROR_COUNT];
    uint64_t status[6];           /* replies by hundreds: [2] is 2xx; [0]: others */
    uint64_t bytes_in, bytes_out; /* of HTTP, before TLS */
};

struct load_request_sample {
    struct load_counts counts;
    struct hist latency;
    struct hist service;
};

struct load_sample {
    uint64_t from_ns, until_ns;           /* monotonic; the interval it stands for */
    struct load_request_sample *requests; /* one per request of the spec, in its order */
    uint32_t request_count;
    uint64_t late;        /* sends more than LOAD_LATE_NS after their planned instant */
    uint64_t late_ns_max; /* largest delay of a send */
    struct hist delay;    /* send minus planned instant, of every send of an open loop */
    uint64_t late_self;   /* of `late`, those with a connection free: the generator was too slow */
    uint64_t connects;    /* connections opened */
    uint64_t retries;     /* sent again because a kept connection was closed before any reply */
    uint32_t open;        /* connections open at the end of the interval */
    uint32_t in_flight;   /* sent, not answered, at the end of the interval */
    uint64_t backlog;     /* due, not sent, at the end of the interval */
};

struct load;

/* Check the spec and start.  Errors: ERR_USAGE (the spec), ERR_LIMIT, ERR_IO (files, threads, CA
 * certificates). */
NODISCARD int load_start(const struct load_spec *spec, struct load **ret_load, struct err *err);
/* Readable when a sample is ready or the load is finished; for an event loop.  The load owns it. */
int load_fd(const struct load *load);
/* Fill `into` (load_sample_init'ed with the same request count) with the next interval that all
 * workers have left behind; what it held is replaced.  False: none is ready. */
NODISCARD bool load_take_sample(struct load *load, struct load_sample *into);
/* Send nothing more; wait for outstanding replies up to the timeout.  Twice: not even that, what is
 * outstanding counts as timed out. */
void load_stop(struct load *load);
/* All workers are through and all samples have been taken. */
bool load_finished(struct load *load);
/* Stops at once if need be, joins the threads. */
void load_free(struct load *load);
DEFINE_FREEP(struct load, load_free)

/* Instant at which the plan starts (spec.start_ns, or the one chosen), CLOCK_MONOTONIC. */
uint64_t load_start_ns(const struct load *load);
/* CPU time of the workers so far. */
uint64_t load_cpu_ns(const struct load *load);

void load_sample_init(struct load_sample *sample, uint32_t request_count);
void load_sample_deinit(struct load_sample *sample);
void load_sample_reset(struct load_sample *sample);
/* Add `from` to `into`: counts and histograms add, levels (open, in_flight, backlog) are `from`'s
 * when it is later and add when both end at the same instant; the span becomes the union. */
void load_sample_merge(struct load_sample *into, const struct load_sample *from);
/* All requests of a sample as one; `into` is zeroed or an earlier result. */
void load_sample_total(const struct load_sample *sample, struct load_request_sample *into);
void load_request_sample_deinit(struct load_request_sample *sample);
/* Sum of all error classes. */
uint64_t load_errors(const struct load_counts *counts);
const char *load_error_text(enum load_error error);

#endif
