/* fake_result.h - a run that never happened, with numbers like a real one, for tests of reports.
 *
 * The load climbs in steps to the point where the servers saturate; one client is a dud, one is
 * interrupted by the market and replaced, one has a noisy neighbour.  Same options, same result.
 */
#ifndef FAKE_RESULT_H
#define FAKE_RESULT_H

#include "base/arena.h"
#include "report/result.h"

struct fake_options {
    uint64_t seed;
    uint32_t servers, clients; /* nodes of the two roles */
    uint32_t seconds;          /* of load */
    bool hostile;              /* texts are attacks on HTML, terminals and spreadsheets */
    bool passing;              /* else two thresholds fail */
    bool leak;
    bool rehearsal;
};

struct fake_result {
    struct arena arena;
    struct result result;
};

struct fake_result *fake_result_new(const struct fake_options *options);
void fake_result_free(struct fake_result *fake);
DEFINE_FREEP(struct fake_result, fake_result_free)

/* A text that is an attack on whatever shows it. */
extern const char FAKE_HOSTILE[];

#endif
