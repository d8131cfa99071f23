/* fleets.h - what is up: every instance that carries a tag of ours, grouped by run and owner.
 *
 * What carries a tag `dayfly:run` that is not the id of a run is nothing of ours and left out.
 * Texts are from tags, which anybody in the account can write: cleaned for a terminal here.
 *
 * The account's tags are asked, not this machine's records, so a fleet started elsewhere is found.
 */
#ifndef FLEETS_H
#define FLEETS_H

#include "aws/config.h"
#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "os/loop.h"

struct fleets_node {
    struct str id, role, type, zone, market, state, private_ip, public_ip;
    int64_t launched_unix_ms;
    uint64_t usd_micro_per_hour; /* on-demand price of the type: an upper bound; 0: unknown */
};

struct fleets_run {
    struct str run, name, owner;
    int64_t deadline_unix_ms; /* 0: no such tag */
    int64_t first_launch_unix_ms;
    struct fleets_node *nodes; /* terminated ones are left out */
    size_t node_count, node_capacity;
    bool resources_only; /* a template or a group is left, no instance */
};

struct fleets {
    struct fleets_run *runs;
    size_t run_count, run_capacity;
};

/* Ask one region.  Memory is `arena`'s.  A listing that fails is an error, never an empty list.
 * Errors: ERR_ACCESS, ERR_REMOTE, ERR_TIMEOUT. */
NODISCARD int fleets_find(struct loop *loop, const struct aws_config *aws, struct arena *arena,
                          struct fleets *ret_fleets, struct err *err);

#endif
