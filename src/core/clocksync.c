#include "core/clocksync.h"

void clocksync_init(struct clocksync *c) {
    *c = (struct clocksync){0};
}

bool clocksync_add(struct clocksync *c, uint64_t sent_ns, uint64_t their_received_ns,
                   uint64_t their_sent_ns, uint64_t received_ns) {
    if (received_ns < sent_ns || their_sent_ns < their_received_ns)
        return false;
    uint64_t round_trip_ns = received_ns - sent_ns;
    uint64_t hold_ns = their_sent_ns - their_received_ns;
    if (hold_ns > round_trip_ns)
        return false;
    /* The midpoints of the two spans, taken as if they were the same instant.  Unsigned
     * subtraction wraps to the right signed difference. */
    uint64_t our_middle_ns = sent_ns + round_trip_ns / 2;
    uint64_t their_middle_ns = their_received_ns + hold_ns / 2;
    struct clocksync_sample *sample = &c->samples[c->count % CLOCKSYNC_SAMPLES];
    sample->at_ns = received_ns;
    sample->offset_ns = (int64_t)(their_middle_ns - our_middle_ns);
    sample->error_ns = (round_trip_ns - hold_ns) / 2 + 1; /* +1: the halves were rounded */
    c->count++;
    return true;
}

static uint64_t clocksync_error_at(const struct clocksync_sample *sample, uint64_t now_ns) {
    uint64_t age_ns = now_ns > sample->at_ns ? now_ns - sample->at_ns : 0;
    return sample->error_ns + age_ns / 1000000 * CLOCKSYNC_DRIFT_PPM;
}

bool clocksync_offset(const struct clocksync *c, uint64_t now_ns, int64_t *ret_offset_ns,
                      uint64_t *ret_error_ns) {
    const struct clocksync_sample *best = NULL;
    uint32_t count = MIN(c->count, (uint32_t)CLOCKSYNC_SAMPLES);
    for (uint32_t i = 0; i < count; i++) {
        const struct clocksync_sample *sample = &c->samples[i];
        if (best == NULL || clocksync_error_at(sample, now_ns) < clocksync_error_at(best, now_ns))
            best = sample;
    }
    if (best == NULL)
        return false;
    *ret_offset_ns = best->offset_ns;
    *ret_error_ns = clocksync_error_at(best, now_ns);
    return true;
}

static int64_t clocksync_known_offset(const struct clocksync *c, uint64_t now_ns) {
    int64_t offset_ns = 0;
    uint64_t error_ns = 0;
    bool known = clocksync_offset(c, now_ns, &offset_ns, &error_ns);
    must(known);
    return offset_ns;
}

uint64_t clocksync_theirs(const struct clocksync *c, uint64_t now_ns, uint64_t our_instant_ns) {
    return our_instant_ns + (uint64_t)clocksync_known_offset(c, now_ns);
}

uint64_t clocksync_ours(const struct clocksync *c, uint64_t now_ns, uint64_t their_instant_ns) {
    return their_instant_ns - (uint64_t)clocksync_known_offset(c, now_ns);
}
