/* serve.h - the test server: answers every request by rule, fast, and knows what it did.
 *
 * HTTP/1.1 with keep-alive and pipelining.  Every request is answered with 200 and `body_bytes`
 * bytes, unless the limit is used up (429 with Retry-After) or chance says error (500).  Answers
 * can be delayed, and the whole server can stall at fixed times: it then reads and sends nothing,
 * as a process does that collects garbage.
 *
 * The access log has one line per request, instants from CLOCK_MONOTONIC in ns:
 *     <request read> <reply written> <status> <method> <target>
 * so that the latency which a generator reports can be proved from outside: the k-th planned
 * instant against the k-th written reply.
 *
 * Threads: serve_start makes `threads` workers, each with a listener of its own on the one port.
 * Tests: test/unit/test_serve.c
 */
#ifndef SERVE_H
#define SERVE_H

#include "base/base.h"
#include "base/err.h"
#include "base/units.h"

#include <sys/socket.h>

#define SERVE_THREADS_MAX 64
#define SERVE_BODY_BYTES_MAX (64 * MIB)
#define SERVE_BURST_MAX UINT64_C(1000000)

struct serve_spec {
    struct sockaddr_storage address; /* port 0: any free one */
    socklen_t address_size;
    uint32_t threads; /* 0: 1 */
    uint64_t body_bytes;
    uint64_t latency_ns;               /* of every answer... */
    uint64_t jitter_ns;                /* ...more or less, uniformly; never below 0 */
    uint32_t errors_ppm;               /* of a million requests, this many get 500 */
    uint64_t limit_micro_per_s;        /* token bucket over all threads; 0: no limit */
    uint64_t burst;                    /* its size; 0: one second of the limit, at least 1 */
    uint64_t stall_ns, stall_every_ns; /* stall_every_ns 0: never */
    int access_log_fd;                 /* borrowed; -1: none */
    uint64_t seed;
};

struct serve_counts {
    uint64_t connections;         /* accepted */
    uint64_t requests;            /* answered */
    uint64_t ok, limited, errors; /* 200, 429, 500 */
    uint64_t refused;             /* connections closed for a request that is not HTTP/1.1 */
};

struct serve;

/* Listen and serve.  Errors: ERR_USAGE, ERR_IO (address in use, files). */
NODISCARD int serve_start(const struct serve_spec *spec, struct serve **ret_serve, struct err *err);
uint16_t serve_port(const struct serve *serve);
/* When the first stall begins, CLOCK_MONOTONIC; then every stall_every_ns. */
uint64_t serve_stall_ns(const struct serve *serve);
/* Close all connections, write the log, join the threads; then the counts are final. */
void serve_stop(struct serve *serve);
struct serve_counts serve_counts(const struct serve *serve); /* after serve_stop */
void serve_free(struct serve *serve);                        /* stops if need be */
DEFINE_FREEP(struct serve, serve_free)

#endif
