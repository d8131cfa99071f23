/* cost.h - what a fleet costs, as EC2 bills it: by the second, 60 s at least, from running.
 *
 * Money is integer micro-dollars; sums round up, so an estimate is never below the bill.  Volumes,
 * addresses and data transfer are not counted.  PURE.  Tests: test/unit/test_cost.c
 */
#ifndef COST_H
#define COST_H

#include "base/base.h"

#define COST_BILLED_MIN_NS (60 * NS_PER_S) /* EC2: one minute at least per instance */

/* One instance that ran from `running_ns` until `end_ns`.  0 when it never ran (end <= running). */
uint64_t cost_instance_usd_micro(uint64_t running_ns, uint64_t end_ns,
                                 uint64_t price_usd_micro_per_hour);

/* Worst case of a role: `count` instances that all live for `ttl_ns`. */
uint64_t cost_worst_usd_micro(uint32_t count, uint64_t ttl_ns, uint64_t price_usd_micro_per_hour);

/* Per hour for `count` instances. */
uint64_t cost_hourly_usd_micro(uint32_t count, uint64_t price_usd_micro_per_hour);

#endif
