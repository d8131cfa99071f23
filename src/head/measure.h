/* measure.h - the numbers of the fleet, added up: totals per phase and request, seconds, nodes.
 *
 * Agents send deltas for each second of a phase; measure_sample adds them.  Percentiles are only
 * ever read from merged histograms.  A second is *final* when every node of the phase has reported
 * it, or MEASURE_LATE_NS after its end; then its summary is fixed.  What comes later still counts
 * in the totals.  The histograms of a second are kept while some threshold's window may need them.
 *
 * No I/O, no clock.   Tests: test/unit/test_measure.c
 */
#ifndef MEASURE_H
#define MEASURE_H

#include "base/base.h"
#include "base/err.h"
#include "codec/wire.h"
#include "core/hist.h"
#include "core/pace.h"
#include "core/verdict.h"
#include "load/load.h"
#include "plan/plan.h"

#define MEASURE_LATE_NS (3 * NS_PER_S)
#define MEASURE_COUNT_MAX (UINT64_C(1) << 32) /* requests, replies, ... of one node's second */
#define MEASURE_BYTES_MAX (UINT64_C(1) << 40) /* 8.8 Tbit/s */

/* Counters and histograms of one request name over some span. */
struct measure_cell {
    struct hist latency; /* from the planned instant */
    struct hist service;
    uint64_t planned; /* due by the plan; closed loop: begun */
    uint64_t sent;
    uint64_t ok; /* complete replies, as expected */
    uint64_t errors[LOAD_ERROR_COUNT];
    uint64_t bytes_in, bytes_out;
};

/* One second of a phase, all nodes together. */
struct measure_second {
    uint32_t phase;
    uint32_t second;  /* from 0 */
    int64_t unix_ms;  /* its start */
    uint64_t end_ns;  /* its end, monotonic */
    uint32_t reports; /* nodes that have sent it */
    bool final;
    uint64_t asked; /* requests that the plan has in it; closed loop: 0 */
    uint64_t sent, ok, errors;
    bool has_latency;
    uint64_t p50_ns, p95_ns, p99_ns, p999_ns, max_ns, service_p99_ns;
    uint32_t in_flight;
    /* What the head adds when the second is final. */
    uint32_t nodes_ready;
    uint32_t cpu_percent;
    int64_t spent_usd_micro;
    struct measure_cell *cells; /* per request; NULL once no window needs them */
};

struct measure_phase {
    bool begun, ended;
    uint32_t request_count;     /* 0: no load */
    struct measure_cell *cells; /* per request: the whole phase */
    struct measure_cell total;
    struct pace_plan pace; /* open loop */
    uint64_t late, late_ns_max;
    uint64_t late_self;        /* of `late`: a connection was free, the generator was slow */
    uint64_t start_ns, end_ns; /* monotonic */
    int64_t start_unix_ms, end_unix_ms;
    uint32_t nodes;        /* that started it */
    uint32_t first_second; /* index into seconds */
    uint32_t second_count;
    uint32_t final_count; /* seconds that are final, from the front */
    uint64_t missing;     /* node-seconds that never came in time */
};

/* One node over all phases that count. */
struct measure_node {
    struct hist latency;
    uint64_t sent, ok, errors, late, bytes_in, bytes_out;
    uint32_t told_phase, told_seconds; /* up to where it has reported; phase counted from 1 */
};

struct measure {
    const struct plan *plan;
    struct measure_phase *phases; /* plan->phase_count */
    struct measure_second *seconds;
    uint32_t second_count, second_capacity;
    struct measure_node *nodes;
    uint32_t node_max;
    uint64_t now_ns;                  /* of the last measure_tick */
    uint64_t window_ns;               /* longest window of a threshold */
    struct threshold_result *results; /* plan->threshold_count */
};

/* `plan` is borrowed.  `node_max`: node indexes are below it. */
NODISCARD struct measure *measure_new(const struct plan *plan, uint32_t node_max);
void measure_free(struct measure *own_measure);
DEFINE_FREEP(struct measure, measure_free)

/* A phase starts at `start_ns` (monotonic; wall clock `start_unix_ms`) on `nodes` nodes. */
void measure_begin(struct measure *m, uint32_t phase, uint64_t start_ns, int64_t start_unix_ms,
                   uint32_t nodes);
void measure_end(struct measure *m, uint32_t phase, uint64_t end_ns, int64_t end_unix_ms);
/* Add a node's second; nothing of a sample is added when a number in it cannot be, or its second is
 * more than MEASURE_LATE_NS ahead of the last measure_tick.  Errors: ERR_PROTOCOL. */
NODISCARD int measure_sample(struct measure *m, uint32_t phase, uint32_t node,
                             const struct wire_sample *sample, struct err *err);

/* What the head knows when seconds become final. */
struct measure_context {
    uint64_t now_ns;
    uint32_t nodes_ready;
    uint32_t cpu_percent;
    int64_t spent_usd_micro;
};
/* Fix the seconds whose time has come, judge windows.  Returns the index of a threshold that
 * orders the run to stop, or -1. */
int measure_tick(struct measure *m, const struct measure_context *context);

/* The last final second of a phase that has load, or NULL. */
const struct measure_second *measure_latest(const struct measure *m, uint32_t phase);
/* Sum of all error classes of a cell. */
uint64_t measure_errors(const struct measure_cell *cell);
void measure_cell_merge(struct measure_cell *into, const struct measure_cell *from);
void measure_cell_deinit(struct measure_cell *cell);

/* Judge every threshold at the end of the run.  `extra` reads what is not measured here (cost,
 * lost nodes, cpu); NULL: no data for those. */
uint32_t measure_finish(struct measure *m, verdict_read_fn *extra, void *context);

#endif
