/* traffic.h - an http phase on this node: the load engine (load/load.h) driven by wire messages.
 *
 * Looks up the host when it is prepared, starts the engine at the planned instant, sends a Sample
 * each second, and tells the totals at the end.
 */
#ifndef TRAFFIC_H
#define TRAFFIC_H

#include "node/parts.h"

struct traffic;

struct traffic_totals {
    uint64_t planned, sent, done, errors, cpu_ns;
};

struct traffic_handler {
    void (*on_prepared)(void *arg, const struct err *why);           /* NULL: ready to start */
    void (*on_done)(void *arg, const struct traffic_totals *totals); /* may free the traffic */
    void *arg;
};

/* Copies the order.  on_prepared follows, from the loop. */
NODISCARD struct traffic *traffic_new(struct agent *agent, uint32_t phase,
                                      const struct wire_load *load,
                                      const struct traffic_handler *handler);
/* Start at the instant (monotonic).  Errors: those of load_start. */
NODISCARD int traffic_start(struct traffic *traffic, uint64_t at_ns, struct err *err);
/* No new requests; `at_once`: nor wait for replies. */
void traffic_stop(struct traffic *traffic, bool at_once);
void traffic_free(struct traffic *own_traffic);

#endif
