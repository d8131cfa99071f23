/* pools.h - which pools an instant fleet may draw from, and how much it takes from each.
 *
 * Two steps, so that all-or-nothing conditions are decided before anything starts:
 *   pools_collect   one pool per template x override x type x zone, with price, room and weight
 *   pools_fill      sets `take` of each pool by the allocation strategy
 *
 * Tests: test/unit/test_cloud_fleets.c
 */
#ifndef CLOUD_POOLS_H
#define CLOUD_POOLS_H

#include "cloud/state.h"

struct pool {
    size_t config, override; /* where it comes from */
    bool has_override;
    struct launch launch; /* type, zone, image, groups: ready to go */
    int64_t weight_micro;
    int64_t priority_micro;   /* INT64_MAX: none */
    uint64_t price_usd_micro; /* per instance and hour */
    uint32_t room;
    uint32_t take;    /* instances to start */
    bool tried;       /* the strategy wanted from it */
    const char *code; /* why it gives less; NULL: it does not */
    const char *message;
};

struct pools {
    struct pool *items;
    size_t count;
};

/* Pools of one market.  0, or -1 with a fault. */
NODISCARD int pools_collect(struct ctx *x, bool spot, struct pools *ret);

/* What a market is asked for. */
struct pools_goal {
    bool spot;
    struct str strategy;
    int64_t target_micro; /* capacity units, times 1,000,000 */
    int64_t pools_to_use; /* of lowest-price; 0: one */
    int64_t min_micro;    /* all or nothing below it; 0: none */
    bool single_type, single_zone;
    uint64_t total_usd_micro; /* per hour, for all; UINT64_MAX: no limit */
};

/* Decide `take`.  Returns the capacity that would be filled, in micro units; 0 when the minimum
 * cannot be met (all `take` are 0 then). */
int64_t pools_fill(struct ctx *x, const struct pools_goal *goal, struct pools *pools);

#endif
