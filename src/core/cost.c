/* cost.c - see cost.h */
#include "core/cost.h"

/* price x seconds / 3600, rounded up.  Both factors of a real fleet fit 64 bits by far; the product
 * is taken in 128 bits so that a nonsense price cannot wrap. */
static uint64_t cost_of(unsigned __int128 instance_ns, uint64_t price_usd_micro_per_hour) {
    const unsigned __int128 hour_ns = (unsigned __int128)3600 * NS_PER_S;
    unsigned __int128 product = instance_ns * price_usd_micro_per_hour;
    unsigned __int128 cost = (product + hour_ns - 1) / hour_ns;
    return cost > UINT64_MAX ? UINT64_MAX : (uint64_t)cost;
}

uint64_t cost_instance_usd_micro(uint64_t running_ns, uint64_t end_ns,
                                 uint64_t price_usd_micro_per_hour) {
    if (end_ns <= running_ns)
        return 0;
    return cost_of(MAX(end_ns - running_ns, COST_BILLED_MIN_NS), price_usd_micro_per_hour);
}

uint64_t cost_worst_usd_micro(uint32_t count, uint64_t ttl_ns, uint64_t price_usd_micro_per_hour) {
    uint64_t each_ns = MAX(ttl_ns, COST_BILLED_MIN_NS);
    return cost_of((unsigned __int128)each_ns * count, price_usd_micro_per_hour);
}

uint64_t cost_hourly_usd_micro(uint32_t count, uint64_t price_usd_micro_per_hour) {
    return cost_of((unsigned __int128)3600 * NS_PER_S * count, price_usd_micro_per_hour);
}
