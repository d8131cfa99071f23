/* parts.h - what the parts of the agent know of it; for src/node only. */
#ifndef PARTS_H
#define PARTS_H

#include "base/buf.h"
#include "codec/wire.h"
#include "node/agent.h"

struct loop *agent_loop(const struct agent *agent);
/* Directory for the agent's files, absolute. */
const char *agent_dir(const struct agent *agent);
const char *agent_private_ip(const struct agent *agent);
uint32_t agent_cpus(const struct agent *agent);
/* "DAYFLY_RUN=..." and so on: what every command gets; `count` entries, valid while the agent is.
 */
const struct str *agent_env(const struct agent *agent, size_t *ret_count);

/* Queue a result; the number is given here.  A message of ours that cannot be encoded is a bug,
 * except for text from outside, which parts_line makes fit before. */
void agent_result(struct agent *agent, struct wire_message *message);
/* False: the head is behind; producers of bulk data wait (agent_on_room) or drop. */
bool agent_has_room(const struct agent *agent);

/* Text as one line that the wire accepts: control characters become blanks, cut to the maximum.
 * The buffer must outlive the message. */
struct str parts_line(struct buf *into, struct str text);

#endif
