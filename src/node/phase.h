/* phase.h - the phases of a run on this node: prepared, started at an instant, stopped, told.
 *
 * Several may be prepared or run at once (a background phase beside the next), each known by its
 * number.  A command has the directory phases/NAME beneath the agent's.
 */
#ifndef PHASE_H
#define PHASE_H

#include "node/parts.h"

#define PHASE_GRACE_NS (10 * NS_PER_S) /* TERM to KILL at the end of a command's duration */

struct phases;

NODISCARD struct phases *phases_new(struct agent *agent);
void phases_prepare(struct phases *phases, const struct wire_phase_prepare *order);
void phases_start(struct phases *phases, const struct wire_phase_start *order);
void phases_stop(struct phases *phases, const struct wire_phase_stop *order);
/* Stop all; `grace_ns` as in PhaseStop. */
void phases_stop_all(struct phases *phases, uint64_t grace_ns);
/* The leash: stop generated traffic, leave commands alone. */
void phases_stop_traffic(struct phases *phases, const char *why);
/* Number of a phase that runs, or 0. */
uint32_t phases_running(const struct phases *phases);
/* The directory of a phase that was prepared here: NULL when there was none. */
const char *phases_dir(const struct phases *phases, uint32_t phase);
void phases_free(struct phases *own_phases);

#endif
