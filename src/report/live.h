/* live.h - the status block at the bottom of the terminal, as a pure function of a snapshot.
 *
 * The head fills one `struct live_view` (about once a second, more often when something changes)
 * and cli/screen paints what live_render makes of it.  The block has at most min(12, rows - 2)
 * lines and one line below 14 rows or 60 columns; no line is wider than the terminal.  Healthy
 * nodes are counts, only exceptions are named: 300 and 10,000 nodes use the same lines.
 *
 * All text is a copy, so a snapshot can be kept, queued and recorded.  Text that comes from a
 * node is cleaned of control characters by the renderer.
 *
 * Pure: no clock, no I/O, no allocation but the buffer's.   Tests: test/unit/test_live.c
 */
#ifndef LIVE_H
#define LIVE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/limits.h"

#define LIVE_LINES_MAX 12
#define LIVE_ROLES_MAX 8 /* shown; the head puts the incomplete ones first */
#define LIVE_NODES_MAX 3 /* lines of missing nodes */
#define LIVE_ERRORS_MAX 6
#define LIVE_THRESHOLDS_MAX 12
#define LIVE_SPARK_MAX 120 /* seconds of rate history */
#define LIVE_TEXT_BYTES 160
#define LIVE_NAME_BYTES 48

enum live_stage {
    LIVE_START,    /* plan, credentials, price, the rehearsal cloud */
    LIVE_LAUNCH,   /* instances asked for */
    LIVE_ROLLCALL, /* running, calling home */
    LIVE_SETUP,    /* setup scripts */
    LIVE_SERVICES, /* services starting, ready probes */
    LIVE_PHASE,    /* a phase runs */
    LIVE_COLLECT,  /* bringing files and numbers home */
    LIVE_DOWN,     /* giving everything back */
    LIVE_DONE      /* nothing to paint */
};

struct live_role {
    char name[LIVE_NAME_BYTES];
    uint32_t have; /* of what the stage counts: running, answered, set up, ready, gone */
    uint32_t want; /* spares included while launching */
    char note[LIVE_TEXT_BYTES]; /* "c7g.large x9, c6g.large x6" or "missing client:7,19" */
};

/* One exception: a node, or a folded set of nodes with the same trouble. */
struct live_node {
    char who[LIVE_NAME_BYTES];  /* "client:7", "4 silent" */
    char what[LIVE_TEXT_BYTES]; /* "i-0a2c4bfd1  running 1m40s, never called home" */
    char then[LIVE_NAME_BYTES]; /* "replace in 0:20"; may be "" */
};

struct live_error {
    char name[LIVE_NAME_BYTES]; /* "timeout", "refused", "status 503" */
    uint64_t count;
};

enum live_threshold_state { LIVE_UNTESTED, LIVE_PASSING, LIVE_FAILING };

struct live_threshold {
    char text[LIVE_NAME_BYTES]; /* "p99<20ms" */
    enum live_threshold_state state;
};

struct live_latency {
    bool known; /* false: no sample yet */
    uint64_t p50_ns, p95_ns, p99_ns, p999_ns, max_ns;
    uint64_t service_p99_ns; /* 0: not shown */
};

struct live_phase {
    char name[LIVE_NAME_BYTES];
    char detail[LIVE_NAME_BYTES]; /* "read=9,write=1", "wait for the ring"; may be "" */
    uint32_t trial, trials;       /* 2 of 4; trials <= 1: not shown */
    uint64_t elapsed_ns;
    uint64_t total_ns;                          /* 0: not known */
    bool has_load;                              /* the lines below are about load */
    uint64_t rate_micro_per_s;                  /* achieved, last second */
    uint64_t rate_asked_micro_per_s;            /* 0: closed loop */
    uint64_t spark_micro_per_s[LIVE_SPARK_MAX]; /* oldest first */
    uint32_t spark_count;
    struct live_latency latency;
    uint64_t requests;                         /* of the phase, for the share of errors */
    struct live_error errors[LIVE_ERRORS_MAX]; /* most frequent first */
    uint32_t error_count;
    uint64_t errors_total;
    uint32_t reporting, reporters; /* nodes heard in the last 3 s, and nodes that should be */
};

struct live_view {
    enum live_stage stage;
    uint32_t frame;      /* counts up with each paint: turns the spinner */
    uint64_t elapsed_ns; /* in this stage */
    uint32_t have, want; /* of the whole fleet, as the stage counts */
    uint32_t role_count;
    struct live_role roles[LIVE_ROLES_MAX];
    uint32_t node_count;
    struct live_node nodes[LIVE_NODES_MAX];
    uint32_t nodes_more;            /* exceptions beyond those: "... 9 more" */
    char then[LIVE_TEXT_BYTES];     /* "roll-call -> load -> collect -> down" */
    char until[LIVE_TEXT_BYTES];    /* what is waited for, until when, what then */
    char still[LIVE_TEXT_BYTES];    /* DOWN: "shutting down: db:3,7" */
    char verified[LIVE_TEXT_BYTES]; /* DOWN: "29 gone by tag query" */
    char safety[LIVE_TEXT_BYTES];   /* DOWN: "every node also ends itself at 19:04 (ttl)" */
    struct live_phase phase;
    uint32_t threshold_count;
    struct live_threshold thresholds[LIVE_THRESHOLDS_MAX];
    bool cpu_known;
    uint32_t cpu_percent;       /* of generators, mean */
    uint32_t cpu_worst_percent; /* of the busiest */
    char cpu_worst[LIVE_NAME_BYTES];
    char slowest[LIVE_TEXT_BYTES]; /* "client:3 p99 33 ms (2.2x median)"; may be "" */
    char warning[LIVE_TEXT_BYTES]; /* shown at once when a number must not be trusted */
    uint32_t fleet_up, fleet_want;
    int64_t spent_usd_micro;
    int64_t budget_usd_micro;   /* 0: none */
    char ends[LIVE_NAME_BYTES]; /* "run ends about 17:05"; may be "" */
    bool rehearsal;             /* money is not real */
    uint32_t stop_level;        /* 0..3: how often the user pressed ^C */
};

/* Zero it and start at LIVE_START; every text is empty. */
void live_init(struct live_view *view);

struct live_style {
    unsigned columns, rows; /* of the terminal */
    bool colour;
    bool ascii;
};

/* Append the block: lines separated by '\n', none after the last.  Returns how many lines. */
unsigned live_render(const struct live_view *view, const struct live_style *style, struct buf *b);

#endif
