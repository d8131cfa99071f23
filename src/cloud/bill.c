/* Money: per second from running to the start of shutting-down, at least 60 s per start, at the
 * price in force; a spot instance that EC2 ends within its first hour is free (Linux). */
#include "cloud/state.h"

#define BILL_MIN_NS (60 * NS_PER_S)
#define MS_PER_HOUR 3600000

/* Micro-dollars for the seconds from..to, both monotonic. */
static uint64_t bill_span(const struct cloud *c, const struct cloud_instance *i, uint64_t from_ns,
                          uint64_t to_ns) {
    must(to_ns >= from_ns);
    uint64_t used_ns = MAX(to_ns - from_ns, BILL_MIN_NS);
    uint64_t used_ms = (used_ns + NS_PER_S - 1) / NS_PER_S * 1000;
    if (!i->spot)
        return (used_ms * i->type->on_demand_usd_micro + MS_PER_HOUR / 2) / MS_PER_HOUR;
    int64_t start = cloud_unix_ms(c, from_ns);
    int64_t at = start + (int64_t)used_ms;
    uint64_t sum = 0; /* micro-dollars per hour times ms: 90 days at $100/h stay below 2^60 */
    while (at > start) {
        int64_t since = MAX(price_changed(c, i->type, i->zone, at - 1), start);
        sum += price_spot(c, i->type, i->zone, since) * (uint64_t)(at - since);
        at = since;
    }
    return (sum + MS_PER_HOUR / 2) / MS_PER_HOUR;
}

static bool bill_is_open(const struct cloud_instance *i) {
    return i->state == CLOUD_RUNNING;
}

uint64_t cloud_bill(const struct cloud *c, const struct cloud_instance *i, uint64_t now_ns) {
    must(c && i);
    if (!bill_is_open(i) || now_ns < i->running_ns)
        return i->billed_usd_micro;
    return i->billed_usd_micro + bill_span(c, i, i->running_ns, now_ns);
}

void bill_close(struct cloud *c, struct instance *i, bool by_ec2) {
    must(bill_is_open(&i->pub));
    must(c->now_ns >= i->pub.running_ns);
    if (by_ec2 && i->pub.spot && c->now_ns - i->pub.running_ns < HOUR_NS)
        return;
    i->pub.billed_usd_micro += bill_span(c, &i->pub, i->pub.running_ns, c->now_ns);
}
