/* service.h - the role's long-running command on this node, and whether it is ready.
 *
 * One service a node.  A restart waits SERVICE_PAUSE_NS, doubled each time up to
 * SERVICE_PAUSE_NS_MAX; it is told to the head each time.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include "node/parts.h"

#define SERVICE_PAUSE_NS (1 * NS_PER_S)
#define SERVICE_PAUSE_NS_MAX (30 * NS_PER_S)

struct service;

NODISCARD struct service *service_new(struct agent *agent);
/* Start, or replace what runs. */
void service_start(struct service *service, const struct wire_service *order);
/* TERM, KILL after the order's timeout; its end is told to the head. */
void service_stop(struct service *service);
/* Is nothing of it running (any more)? */
bool service_is_down(const struct service *service);
/* Begin to ask whether it is ready; the answer is one Ready or NotReady. */
void service_probe(struct service *service, const struct wire_ready_probe *order);
void service_free(struct service *own_service);

#endif
