#include "base/prng.h"

static uint64_t splitmix64(uint64_t *state) {
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void prng_init(struct prng *p, uint64_t seed) {
    for (size_t i = 0; i < ARRAY_LEN(p->state); i++)
        p->state[i] = splitmix64(&seed);
}

static uint64_t rotate_left(uint64_t x, int k) {
    return (x << k) | (x >> (64 - k));
}

uint64_t prng_next(struct prng *p) {
    uint64_t *s = p->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

uint64_t prng_below(struct prng *p, uint64_t limit) {
    must(limit > 0);
    /* Reject the top part that would favour small numbers. */
    uint64_t bound = UINT64_MAX - UINT64_MAX % limit;
    uint64_t x = prng_next(p);
    while (x >= bound)
        x = prng_next(p);
    return x % limit;
}

uint64_t prng_range(struct prng *p, uint64_t low, uint64_t high) {
    must(low <= high);
    uint64_t span = high - low;
    return span == UINT64_MAX ? prng_next(p) : low + prng_below(p, span + 1);
}

double prng_unit(struct prng *p) {
    return (double)(prng_next(p) >> 11) * 0x1.0p-53;
}

bool prng_chance(struct prng *p, uint32_t per_million) {
    return prng_below(p, 1000000) < per_million;
}
