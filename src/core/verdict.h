/* verdict.h - what decides whether a run passed: thresholds and validity.
 *
 * Pure: reads no clock, does no I/O, allocates nothing.  Every struct is plain and copyable.
 *
 * Words
 *   threshold   one sentence of the plan: METRIC [of NAME] OP VALUE [in PHASE] [over WINDOW]
 *               [after DELAY] [, abort] [, warn]          "p99 of buy < 400ms in ramp"
 *   reading     one value of a metric, in the unit of the metric (enum verdict_unit)
 *   validity    whether the numbers of the run can be trusted, apart from whether they are good
 *
 * A threshold without `over` is judged once, on the whole of its phase (without `in`: on all
 * measured phases together).  With `over` it is judged on every sliding window of that length,
 * the whole of which lies after the first DELAY of the phase; one bad window breaks it for good.
 * No data fails: a metric that was never seen does not pass.
 *
 * Percentile readings must come from a merged histogram (core/hist), never from averages.
 *
 * Tests: test/unit/test_verdict.c, fuzz/fuzz_threshold.c
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define THRESHOLD_TEXT_SIZE 200 /* a sentence; longer ones are ERR_LIMIT */

enum verdict_metric {
    METRIC_PERCENTILE,   /* p50 ... p99.999; latency from the planned instant; `percentile_ppm` */
    METRIC_MEAN,         /* mean latency */
    METRIC_MAX,          /* largest latency */
    METRIC_RATE,         /* answers per second, of the whole fleet */
    METRIC_ERRORS,       /* share of requests that failed */
    METRIC_ERROR_COUNT,  /* requests that failed */
    METRIC_PHASE_TIME,   /* length of the phase */
    METRIC_LOST_NODES,   /* nodes that left during the phase */
    METRIC_FAILED_NODES, /* nodes whose command failed */
    METRIC_CPU,          /* share of processor time in use, mean of the phase's nodes */
    METRIC_COST,         /* money spent by the run */
    METRIC_COUNT_
};

enum verdict_unit {
    UNIT_DURATION_NS,
    UNIT_RATE_MICRO, /* micro-requests per second */
    UNIT_PPM,        /* parts per million: 1 % is 10,000 */
    UNIT_COUNT,
    UNIT_USD_MICRO,
};

enum verdict_op { OP_LESS, OP_LESS_EQUAL, OP_GREATER, OP_GREATER_EQUAL, OP_EQUAL };

/* One sentence, parsed. */
struct threshold {
    char text[THRESHOLD_TEXT_SIZE]; /* as written, blanks trimmed; the name in every report */
    enum verdict_metric metric;
    bool service;            /* service_p99: from the actual send, not the planned instant */
    uint32_t percentile_ppm; /* METRIC_PERCENTILE: p99.9 is 999000; else 0 */
    enum verdict_op op;
    enum verdict_unit unit; /* of `value` and of every reading */
    int64_t value;
    char of[NAME_BYTES_MAX + 1]; /* request name, or "" for all requests */
    char in[NAME_BYTES_MAX + 1]; /* phase name, or "" for all measured phases */
    uint64_t window_ns;          /* `over`; 0: judged once, at the end */
    uint64_t delay_ns;           /* `after` */
    bool abort_run;              /* `, abort`: stop the run when broken */
    bool warn;                   /* `, warn`: report, do not fail */
};

/* Parse one sentence.  Errors: ERR_PARSE, ERR_LIMIT; *ret_at is then the byte at which it went
 * wrong (0..text.len), for a caret.  *ret is untouched on error.  Names are not checked against a
 * plan: that is the caller's (plan/plan_check.c). */
NODISCARD int threshold_parse(struct str text, struct threshold *ret, size_t *ret_at,
                              struct err *err);

/* Whether a reading keeps the promise. */
NODISCARD bool threshold_holds(const struct threshold *t, int64_t reading);

/* "p99.9", "service_p50", "errors", "rate": the metric alone, as written in a sentence. */
void threshold_add_metric(struct buf *b, const struct threshold *t);
/* A reading for people: "14.8 ms", "0.02 %", "19,204/s", "$4.71", "12". */
void verdict_add_reading(struct buf *b, enum verdict_unit unit, int64_t reading);

/* ---- judging -------------------------------------------------------------------------------- */

enum verdict_state {
    VERDICT_WAITING, /* nothing to judge yet */
    VERDICT_HOLDS,   /* continuous: no bad window so far */
    VERDICT_BROKEN,  /* a reading broke it; final */
    VERDICT_PASSED,  /* judged at the end */
    VERDICT_NO_DATA, /* judged at the end, and nothing was measured: fails */
    VERDICT_SKIPPED, /* its phase was left out on purpose: neither */
};

/* What became of one threshold. */
struct threshold_result {
    enum verdict_state state;
    bool has_reading;
    int64_t reading;         /* at the end; of a broken continuous one: the worst window */
    uint64_t broken_at_ns;   /* in the phase's time: end of the first bad window */
    uint64_t windows;        /* windows judged */
    uint64_t windows_broken; /* of them bad */
};

/* Judge a window of a threshold with `over` that ends `phase_ns` after the start of its phase.
 * Windows that are not wholly after `delay_ns` are ignored; so is a window without data (a stall
 * shows as missing rate, not as a missing window, when the caller reads rate as 0).
 * True: the run must be stopped now (first broken window of an `abort` threshold). */
NODISCARD bool threshold_window(const struct threshold *t, struct threshold_result *r,
                                uint64_t phase_ns, bool has_reading, int64_t reading);

/* Judge at the end of the phase (or of the run for one without `in`).  `skipped`: the phase did
 * not run on purpose.  Final: calling again changes nothing. */
void threshold_finish(const struct threshold *t, struct threshold_result *r, bool skipped,
                      bool has_reading, int64_t reading);

/* PASSED and SKIPPED do not fail; nor does anything with `warn`. */
NODISCARD bool threshold_fails(const struct threshold *t, const struct threshold_result *r);

/* Reads one metric: true and the value in the unit of the threshold, or false for no data. */
typedef bool verdict_read_fn(void *context, const struct threshold *t, int64_t *ret_reading);

/* Finish all thresholds through one callback.  Returns how many fail. */
uint32_t verdict_finish(const struct threshold *thresholds, struct threshold_result *results,
                        uint32_t count, verdict_read_fn *read, void *context);

/* ---- validity ------------------------------------------------------------------------------- */

enum validity_grade {
    VALIDITY_VALID,
    VALIDITY_DEGRADED, /* numbers stand, with a caveat */
    VALIDITY_INVALID,  /* numbers do not say what the plan asked */
};

/* Why numbers are to be doubted. */
enum validity_kind {
    VALIDITY_GENERATOR_CPU,   /* generators were the bottleneck; amount: ppm busy */
    VALIDITY_SEND_LATE,       /* requests left later than planned; amount: ns at p99 */
    VALIDITY_RATE_MISSED,     /* fewer requests than planned; amount: ppm missing */
    VALIDITY_SAMPLES_MISSING, /* seconds of some node never arrived; amount: node-seconds */
    VALIDITY_START_SKEW,      /* nodes did not start together; amount: ns */
    VALIDITY_NODES_FEWER,     /* started with less than `count`; amount: nodes missing */
    VALIDITY_NODE_LOST,       /* a node left while measured; amount: nodes */
    VALIDITY_DISTURBED,       /* a spot notice in a measured phase; amount: notices */
    VALIDITY_CLIPPED,         /* values beyond the histogram's range; amount: values */
    VALIDITY_CUT_SHORT,       /* a measured phase ended early; amount: ns missing */
    VALIDITY_KIND_COUNT
};

#define VALIDITY_REASONS_MAX 32

struct validity_reason {
    enum validity_kind kind;
    enum validity_grade grade;
    int32_t phase; /* index in the plan, -1: the whole run */
    int64_t amount;
};

/* A zeroed struct is VALID without reasons. */
struct validity {
    enum validity_grade grade; /* the worst of the reasons */
    uint32_t count;
    uint32_t dropped; /* reasons beyond VALIDITY_REASONS_MAX: counted, still graded */
    struct validity_reason reasons[VALIDITY_REASONS_MAX];
};

/* Add a reason; the same kind in the same phase keeps the larger amount and the worse grade. */
void validity_add(struct validity *v, enum validity_kind kind, enum validity_grade grade,
                  int32_t phase, int64_t amount);
const char *validity_grade_name(enum validity_grade grade); /* "valid" "degraded" "invalid" */
const char *validity_kind_name(enum validity_kind kind);    /* "generator-cpu": stable, for JSON */
/* One sentence for people: "generators were 96 % busy: latency is inflated". */
void validity_add_sentence(struct buf *b, const struct validity_reason *reason);

#endif
