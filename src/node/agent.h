/* agent.h - the life of a node: joins its head, obeys orders, gives results, ends itself in time.
 *
 * Words
 *   order, result  numbered messages from and to the head (codec/wire.h)
 *   contact        a frame from the head
 *   leash          so long without contact: generated traffic stops
 *   lease          so long without contact: power off
 *   cap            the instant (boot time) at which the node powers off whatever happens; armed by
 *                  user-data before the agent existed, never moved by a heartbeat
 *
 * Life: learns who it is from the metadata service -> connects, in turn, to the head's addresses
 * with jittered back-off -> Join, Welcome -> obeys until PowerOff, the end of the lease or the cap
 * -> stops phases and service -> `shutdown -P now`.  A lost link is joined again with the same key;
 * work goes on meanwhile and results wait in the outbox.
 *
 * One loop, no threads but the load engine's.  Tests: test/unit/test_agent.c
 */
#ifndef AGENT_H
#define AGENT_H

#include "base/base.h"
#include "base/err.h"
#include "node/join.h"
#include "os/loop.h"

#define AGENT_LEASE_NS (10 * 60 * NS_PER_S) /* until a Welcome says otherwise */
#define AGENT_LEASH_NS (30 * NS_PER_S)
#define AGENT_SILENCE_NS (20 * NS_PER_S) /* the head pings more often: the link is dead */

struct agent_options {
    struct join join;
    const char *metadata;     /* "http://169.254.169.254/"; borrowed */
    const char *shutdown;     /* program, from PATH: "shutdown"; borrowed */
    uint64_t notice_every_ns; /* between looks for a notice; 0: 5 s */
};

struct agent;

/* Start on `loop`; agent_ended tells when it is over.  Errors: ERR_PARSE (addresses), ERR_IO. */
NODISCARD int agent_new(struct loop *loop, const struct agent_options *options,
                        struct agent **ret_agent, struct err *err);
/* Power-off was asked for and everything that runs here has been stopped. */
bool agent_ended(const struct agent *agent);
/* What the node powered off for; valid while the agent is. */
const char *agent_why(const struct agent *agent);
/* Stop work and power off, as if the head had said so. */
void agent_power_off(struct agent *agent, uint64_t grace_ns, const char *why);
/* Kills what still runs here. */
void agent_free(struct agent *own_agent);
DEFINE_FREEP(struct agent, agent_free)

#endif
