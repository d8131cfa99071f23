/* pace.h - when each request of an open-loop load is due.
 *
 * Pure: reads no clock, does no I/O, allocates nothing.  The caller passes `now_ns` (monotonic)
 * and sends while pace_take() says that a request is due.
 *
 * Words: a *plan* is a list of *stages*, each a span of time in which the rate is constant or goes
 * in a straight line from one value to another.  Request k (from 0) is due when the area under the
 * rate, having reached k requests, goes on growing (first whole nanosecond); the plan has exactly
 * as many requests as have k below the whole area.  A *shard* is the share of one sender: those k
 * with k mod shard_count == shard_index.  So the counts of all shards add up to the plan exactly
 * and their instants interleave.  All arithmetic is on integers: every machine gets the same
 * instants.
 *
 * A late request keeps its planned instant, so latency is counted from the plan and a stalled
 * target cannot hide its own slowness (coordinated omission).  A backlog needs no memory: what was
 * not taken yet is still in the plan.
 *
 * Invariant: due instants never go back.    Tests: test/unit/test_pace.c
 */
#ifndef PACE_H
#define PACE_H

#include "base/base.h"
#include "base/err.h"

#define PACE_STAGES_MAX 64                                  /* of a phase; people read the list */
#define PACE_RATE_MICRO_MAX (UINT64_C(100000000) * 1000000) /* 100 million requests/s */
#define PACE_DURATION_NS_MAX (UINT64_C(7) * 24 * 3600 * NS_PER_S) /* of all stages: a week */

__extension__ typedef unsigned __int128 pace_work; /* 1e-15 requests: (1e-6/s) x ns */

/* The rate goes from `from_micro` to `to_micro` (micro-requests per second) in `duration_ns`. */
struct pace_stage {
    uint64_t duration_ns;
    uint64_t from_micro, to_micro;
};

struct pace_plan {
    struct pace_stage stages[PACE_STAGES_MAX];
    pace_work work_after[PACE_STAGES_MAX]; /* area of all stages up to and with this one */
    uint64_t ns_before[PACE_STAGES_MAX];   /* length of all earlier stages */
    uint32_t stage_count;
    uint64_t duration_ns;
    uint64_t count; /* requests of the whole plan */
};

/* An empty plan; then add stages in order. */
void pace_plan_init(struct pace_plan *plan);
/* Errors: ERR_LIMIT (rate, duration, number of stages, or more than 2^62 requests). */
NODISCARD int pace_plan_add(struct pace_plan *plan, struct pace_stage stage, struct err *err);
/* `to` from the rate at the end of the plan so far (0 at first), and that rate for a while. */
NODISCARD int pace_plan_ramp(struct pace_plan *plan, uint64_t to_micro, uint64_t duration_ns,
                             struct err *err);
NODISCARD int pace_plan_hold(struct pace_plan *plan, uint64_t duration_ns, struct err *err);

/* Instant of request k < plan->count, ns after the start of the plan. */
uint64_t pace_plan_due_ns(const struct pace_plan *plan, uint64_t k);
/* How many requests of the whole plan are due at `at_ns` after its start (inclusive). */
uint64_t pace_plan_due_count(const struct pace_plan *plan, uint64_t at_ns);
/* How many requests shard `index` of `shards` has. */
uint64_t pace_plan_shard_count(const struct pace_plan *plan, uint32_t index, uint32_t shards);
/* Rate asked for at `at_ns` after the start, micro-requests per second; 0 after the end. */
uint64_t pace_plan_rate_micro(const struct pace_plan *plan, uint64_t at_ns);

/* One shard's walk through a plan. */
struct pace {
    const struct pace_plan *plan; /* borrowed for the whole walk */
    uint64_t start_ns;            /* monotonic instant of the plan's start */
    uint32_t shards;
    uint64_t next; /* number of the next request of this shard */
    uint64_t taken;
    uint64_t due_ns; /* of `next`, absolute; UINT64_MAX when the shard is finished */
    uint32_t stage;  /* where `next` lies */
};

/* Requests k with k mod shards == index, of a plan that starts at `start_ns`; index < shards. */
void pace_init(struct pace *p, const struct pace_plan *plan, uint64_t start_ns, uint32_t index,
               uint32_t shards);
/* Hand out the next request if it is due at `now_ns`: true, its number in the whole plan and its
 * planned instant.  False: nothing is due; see pace_next_ns. */
NODISCARD bool pace_take(struct pace *p, uint64_t now_ns, uint64_t *ret_number,
                         uint64_t *ret_due_ns);
/* When the next request is due; UINT64_MAX: all are handed out. */
static inline uint64_t pace_next_ns(const struct pace *p) {
    return p->due_ns;
}
/* Requests of this shard that are due at `now_ns` and not taken yet. */
uint64_t pace_backlog(const struct pace *p, uint64_t now_ns);

#endif
