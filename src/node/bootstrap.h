/* bootstrap.h - the user-data of an instance: a shell script that makes it a node or ends it.
 *
 * Pure.  The script's first command arms the cap, so that whatever fails afterwards, the instance
 * powers itself off in time.  Then it finds the agent (on the image by hash, else from the head:
 * pinned key, checked hash; a wrong hash powers off), writes the join file (0600) and becomes
 * `dayfly node --join FILE`.  It holds no secret but the join token, which alone admits nobody
 * (docs/architecture.md, decision 7).  Runs under any POSIX sh, needs curl, wget or python3.
 *
 * Tests: test/unit/test_bootstrap.c (sh -n, and runs with fake tools)
 */
#ifndef BOOTSTRAP_H
#define BOOTSTRAP_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define BOOTSTRAP_HEADS_MAX 16

struct bootstrap {
    struct str run;          /* run id */
    struct str name;         /* of the plan; for the log */
    struct str role;         /* for the log only: the head says the role */
    const struct str *heads; /* "198.18.0.1:4433", tried in turn; 1..BOOTSTRAP_HEADS_MAX */
    size_t heads_count;
    struct str pin;           /* "sha256//...=" */
    struct str token;         /* join token */
    struct str agent_sha256;  /* 64 hex digits */
    uint64_t cap_ns;          /* power off so long after boot; rounded up to minutes */
    int64_t deadline_unix_ms; /* the same as an instant, for records */
};

/* Append the script, at most USER_DATA_BYTES_MAX.  Errors: ERR_LIMIT when it does not fit,
 * ERR_USAGE when a field has a byte that a script must not carry (quotes, control characters). */
NODISCARD int bootstrap_script(const struct bootstrap *b, struct buf *into, struct err *err);

#endif
