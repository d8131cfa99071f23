/* result.h - everything that is known about a finished run, and the files made of it.
 *
 * The head fills one `struct result` when a run ends (however it ended) and calls
 * result_write_all.  Nothing here is owned: texts, arrays and histograms are borrowed for the
 * call, typically from one arena of the head.  A NULL text is an absent text.  An instant of 0
 * means that it did not happen or is not known.  Every number that a file shows comes from here,
 * so result.json, summary.txt, report.html and the CSV files cannot disagree.
 *
 * A zeroed struct with `run` and `name` set is valid: a run that failed before anything began.
 *
 *   result.json      schema "dayfly.result/1"    report.html           one file, no network
 *   summary.txt      what the terminal says      junit.xml             a case per threshold, ...
 *   timeline.csv     a row per second            requests.csv          a row per request and phase
 *   nodes.csv        a row per instance          latency.hlog          HdrHistogram log
 *   events.ndjson    the story                   config.yaml           the plan as written
 *                                                config.resolved.yaml  the plan as understood
 *
 * Tests: test/unit/test_result.c, test/browser/report.sh
 */
#ifndef RESULT_H
#define RESULT_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct hist;
struct story_event;

/* PASS: did what was asked.  FAIL: a threshold failed.  BROKEN: could not do what was asked, or
 * half of all requests failed.  STOPPED: ended early by the user. */
enum result_verdict { RESULT_PASS, RESULT_FAIL, RESULT_BROKEN, RESULT_STOPPED };

/* One exit code that applies (interface 1.3), the winning one first. */
struct result_exit {
    int code;
    const char *name; /* "thresholds" */
    const char *why;  /* "p99.9 < 80ms in mixed: 91.3 ms" */
};

enum result_state { RESULT_OK, RESULT_FAILED, RESULT_NO_DATA, RESULT_WARNED, RESULT_SKIPPED };

struct result_threshold {
    const char *text;  /* "p99 of buy < 400ms in peak" */
    const char *phase; /* NULL: the whole run */
    enum result_state state;
    const char *value; /* as a person reads it: "14.8 ms", "0.02 %" */
    /* For the margin bar: value and limit in one unit of the caller's; limit 0: no bar. */
    double value_number, limit_number;
    bool more_is_better;    /* the sentence says > or >= */
    const char *worst;      /* "peak 16:41:10-16:41:50"; or NULL */
    const char *annotation; /* "during kill db:4"; or NULL */
};

/* A check, a setup or a ready probe that the verdict rests on. */
struct result_check {
    const char *name;
    enum result_state state;
    const char *detail; /* "12 = 12", "exit 100: apt lock held" */
    uint64_t duration_ns;
};

/* Requests that failed, by why they failed. */
struct result_error {
    const char *class_name; /* "status 503", "timeout", "refused", "reset", "dns", "expect" */
    const char *request;    /* NULL: any */
    const char *phase;
    const char *sample; /* one example for a person; or NULL */
    uint64_t count;
    int64_t first_unix_ms, last_unix_ms;
};

struct result_request {
    const char *name;
    const struct hist *latency;           /* from the planned instant; NULL: nothing answered */
    const struct hist *service;           /* from sending */
    uint64_t planned, sent, done, errors; /* done: answered as expected */
    uint64_t late;                        /* sent after their planned instant */
    uint64_t bytes_in, bytes_out;
};

enum result_phase_kind { RESULT_PHASE_RUN, RESULT_PHASE_HTTP, RESULT_PHASE_WAIT };

struct result_phase {
    const char *name;
    enum result_phase_kind kind;
    uint32_t trial, trials; /* 1 of 1 when not repeated */
    enum result_state state;
    const char *detail; /* "ok", "exit 3 on client:2", "below quorum" */
    bool warmup;        /* left out of thresholds and totals */
    int64_t start_unix_ms, end_unix_ms;
    uint64_t duration_ns; /* measured, monotonic */
    uint32_t nodes;       /* that started it */
    uint32_t nodes_lost;
    uint64_t start_skew_ns; /* last start minus first start, in true time */
    const char *disturbed;  /* "15:50:02-15:50:09 spot notice"; NULL: not disturbed */
    bool has_load;
    uint64_t rate_asked_micro_per_s; /* mean of the plan; 0: closed loop */
    uint64_t rate_micro_per_s;       /* answered / duration */
    /* Totals; requests[] hold the parts.  Histograms are merged from all generators. */
    const struct hist *latency, *service;
    uint64_t planned, sent, done, errors, late;
    uint64_t late_ns_max; /* how late the latest request was sent */
    uint64_t bytes_in, bytes_out;
    const struct result_request *requests;
    size_t request_count;
};

/* One second of the run, all nodes merged.  Percentiles are of that second's merged histogram. */
struct result_second {
    int64_t unix_ms; /* start of the second */
    uint64_t asked;  /* requests planned for it */
    uint64_t sent, done, errors;
    bool has_latency; /* some request ended in it */
    uint64_t p50_ns, p95_ns, p99_ns, p999_ns, max_ns;
    uint64_t service_p99_ns;
    uint32_t nodes_ready; /* answered and alive */
    uint32_t reporting;   /* generators heard in it */
    uint32_t cpu_percent; /* generators, mean */
    int64_t spent_usd_micro;
};

enum result_fate {
    RESULT_NODE_GONE,        /* lived to the end and was given back */
    RESULT_NODE_DUD,         /* never answered; replaced or given up */
    RESULT_NODE_INTERRUPTED, /* taken by the market */
    RESULT_NODE_DIED,        /* stopped answering in the run */
    RESULT_NODE_SPARE,       /* not needed, released after roll call */
    RESULT_NODE_LEFT         /* may still be there */
};

/* One instance, not one slot: a replacement is a row of its own with the same slot. */
struct result_node {
    const char *slot; /* "client:7"; NULL: never had one */
    const char *role;
    const char *instance_id, *type, *zone, *market, *private_ip;
    enum result_fate fate;
    int64_t launched_unix_ms; /* the call that asked for it */
    int64_t running_unix_ms, joined_unix_ms, ready_unix_ms, ended_unix_ms, gone_unix_ms;
    uint64_t setup_ns;
    int64_t clock_offset_ns; /* against the head */
    uint64_t clock_error_ns; /* half the round trip of the best exchange */
    int64_t start_skew_ns;   /* of the first phase with a barrier */
    bool has_load;
    uint64_t requests, errors, late, bytes_in, bytes_out;
    uint64_t p50_ns, p99_ns, max_ns;
    bool has_cpu;
    uint32_t cpu_percent, cpu_percent_max, steal_percent_max;
    uint64_t memory_bytes_max;
    int64_t cost_usd_micro;
    const char *note; /* "dud: never called home", "steal 22 %"; or NULL */
};

struct result_cost {
    const char *role, *type, *zone, *market;
    uint32_t nodes;
    uint64_t node_seconds;
    int64_t price_usd_micro_per_hour, on_demand_usd_micro_per_hour;
    int64_t cost_usd_micro, on_demand_usd_micro;
};

/* A statement about whether the numbers may be trusted. */
struct result_validity {
    enum result_state state; /* OK: trusted; WARNED: with a caveat; FAILED: not what was asked */
    const char *what;        /* "generators were not the limit" */
    const char *why;         /* "cpu mean 31 %, worst client:3 44 %" */
};

struct result_sweep {
    int64_t unix_ms;
    bool complete;  /* every page was read without an error */
    uint32_t found; /* instances and resources with the tag that still cost or exist */
};

/* What was taken and given back. */
struct result_clean {
    bool verified; /* two complete empty sweeps and no unsettled intent */
    int64_t verified_unix_ms;
    uint32_t launched, gone; /* instances, ever */
    uint32_t kept;           /* instances that the plan wants kept until their ttl; no leak */
    uint32_t groups_deleted, templates_deleted, keys_deleted;
    const char *leak; /* who may be left and when it ends itself; NULL: nobody */
    const struct result_sweep *sweeps;
    size_t sweep_count;
    /* Rehearsal: the ground truth of the cloud, asked after the run. */
    bool has_truth;
    uint32_t truth_instances_left, truth_resources_left;
    uint32_t truth_calls;
    int64_t truth_billed_usd_micro;
};

struct result_pair {
    const char *key, *value;
};

struct result {
    /* Which run */
    const char *run;  /* "7k2m" */
    const char *name; /* of the plan */
    const char *version;
    const char *region;
    const char *owner;   /* may be NULL */
    const char *command; /* to run it again, one line */
    bool rehearsal;      /* everything is watermarked */
    bool accelerated;    /* clocks of the cloud ran faster than ours */
    int64_t start_unix_ms, end_unix_ms;
    uint64_t duration_ns;
    int zone_offset_s; /* local clock of the user, for texts; files are in UTC */
    const struct result_pair *tags;
    size_t tag_count;

    /* How it ended */
    enum result_verdict verdict;
    const char *why;                 /* one sentence */
    const struct result_exit *exits; /* the first is the exit code; none: 0 */
    size_t exit_count;
    const struct result_threshold *thresholds;
    size_t threshold_count;
    const struct result_check *checks;
    size_t check_count;
    const struct result_validity *validity;
    size_t validity_count;
    const char *const *notes; /* one line each, with a remedy */
    size_t note_count;

    /* What was measured */
    const struct result_phase *phases;
    size_t phase_count;
    const struct result_error *errors; /* most frequent first */
    size_t error_count;
    const struct result_second *seconds; /* ascending, may have gaps between phases */
    size_t second_count;

    /* The fleet */
    uint32_t wanted, spares;         /* nodes */
    const struct result_node *nodes; /* every instance ever launched */
    size_t node_count;
    const struct result_cost *costs;
    size_t cost_count;
    int64_t disk_usd_micro;   /* estimate */
    int64_t budget_usd_micro; /* 0: none */
    struct result_clean clean;
    uint64_t clock_spread_ns; /* largest error of the clocks after correction */

    /* Where it came from */
    const struct result_pair *manifest; /* hashes, images, kernels, prices, seed, ... */
    size_t manifest_count;
    const char *config_text;                 /* the plan file as written; NULL: no file is made */
    const char *config_resolved_text;        /* as understood */
    const struct story_event *const *events; /* in order; progress records may be left out */
    size_t event_count;
};

/* The exit code: the first of `exits`, or 0. */
int result_exit_code(const struct result *r);
const char *result_verdict_name(enum result_verdict verdict); /* "PASS" */
const char *result_state_name(enum result_state state);       /* "ok", "failed", "no data", ... */
const char *result_fate_name(enum result_fate fate);          /* "dud" */
const char *result_phase_kind_name(enum result_phase_kind kind); /* "http" */

/* Sum over the phases that count (no warm-up). */
struct result_totals {
    uint64_t planned, sent, done, errors, late, bytes_in, bytes_out;
    uint64_t duration_ns; /* of phases with load */
};
void result_totals(const struct result *r, struct result_totals *ret_totals);
int64_t result_cost_usd_micro(const struct result *r); /* instances and disk */
int64_t result_on_demand_usd_micro(const struct result *r);

uint32_t result_count_fate(const struct result *r, enum result_fate fate); /* instances */
uint32_t result_disturbed(const struct result *r);                         /* phases */

/* Write every file listed above into `dir`, which must exist.  Each file appears whole or not at
 * all (temporary name, fsync, rename, fsync of the directory).  A failure does not stop the other
 * files; the first error is returned.  Errors: ERR_IO. */
NODISCARD int result_write_all(const struct result *r, const char *dir, struct err *err);

#endif
