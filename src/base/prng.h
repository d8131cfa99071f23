/* prng.h - seeded random numbers for models, tests and load; never for secrets.
 *
 * xoshiro256** seeded by splitmix64 (Blackman and Vigna, "Scrambled linear pseudorandom number
 * generators").  Same seed, same sequence, on every machine.
 */
#ifndef PRNG_H
#define PRNG_H

#include "base/base.h"

struct prng {
    uint64_t state[4];
};

void prng_init(struct prng *p, uint64_t seed);
uint64_t prng_next(struct prng *p);
/* Uniform in 0..limit-1; limit >= 1. */
uint64_t prng_below(struct prng *p, uint64_t limit);
/* Uniform in low..high, both included. */
uint64_t prng_range(struct prng *p, uint64_t low, uint64_t high);
/* Uniform in [0, 1). */
double prng_unit(struct prng *p);
/* True with probability `per_million` / 1,000,000. */
bool prng_chance(struct prng *p, uint32_t per_million);

#endif
