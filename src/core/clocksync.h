/* clocksync.h - where another machine's monotonic clock stands, from ping and pong.
 *
 * Pure.  One exchange has four instants: we sent (ours), they received (theirs), they sent
 * (theirs), we received (ours).  Whatever the two ways took, the offset theirs - ours lies within
 * (round trip - their hold) / 2 of the midpoint estimate, so the exchange with the shortest round
 * trip bounds it best (Mills, RFC 5905 section 8; Cristian 1989).  Old exchanges lose their worth
 * as clocks drift: the bound grows by CLOCKSYNC_DRIFT_PPM of their age, and the best of the last
 * CLOCKSYNC_SAMPLES counts.
 *
 * Tests: test/unit/test_clocksync.c
 */
#ifndef CLOCKSYNC_H
#define CLOCKSYNC_H

#include "base/base.h"

#define CLOCKSYNC_SAMPLES 16
#define CLOCKSYNC_DRIFT_PPM 200 /* two crystals at +-100 ppm */

struct clocksync_sample {
    uint64_t at_ns;    /* our clock, when the reply came */
    int64_t offset_ns; /* theirs - ours */
    uint64_t error_ns; /* half the time on the way */
};

struct clocksync {
    struct clocksync_sample samples[CLOCKSYNC_SAMPLES];
    uint32_t count; /* ever added; the last CLOCKSYNC_SAMPLES are kept */
};

void clocksync_init(struct clocksync *c);
/* Add one exchange; false, and nothing changed, when its instants contradict each other (a reply
 * before its request, a hold longer than the round trip). */
bool clocksync_add(struct clocksync *c, uint64_t sent_ns, uint64_t their_received_ns,
                   uint64_t their_sent_ns, uint64_t received_ns);
/* Best estimate at `now_ns`: false before the first exchange.  The true offset lies within
 * *ret_error_ns of *ret_offset_ns as long as no clock drifts faster than stated. */
NODISCARD bool clocksync_offset(const struct clocksync *c, uint64_t now_ns, int64_t *ret_offset_ns,
                                uint64_t *ret_error_ns);
/* Our instant on their clock and back; the clock must be known (clocksync_offset is true). */
uint64_t clocksync_theirs(const struct clocksync *c, uint64_t now_ns, uint64_t our_instant_ns);
uint64_t clocksync_ours(const struct clocksync *c, uint64_t now_ns, uint64_t their_instant_ns);

#endif
