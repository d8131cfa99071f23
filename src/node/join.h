/* join.h - the join file: what user-data tells the agent about its run.
 *
 * Lines of `key=value`, written by the script of bootstrap.h, mode 0600:
 *
 *   run=7k2m          run id                     head=198.18.0.1:4433   once or more
 *   token=...         join token                 cap_s=4500             power off so long after
 *   pin=sha256//...=  key of the head            armed_s=12             this second since boot
 *   dir=/var/lib/dayfly  where the agent may write
 *
 * Unknown keys are ignored, so that an older agent reads a newer file.  Pure.
 * Tests: test/unit/test_bootstrap.c
 */
#ifndef JOIN_H
#define JOIN_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "node/bootstrap.h"
#include "os/link.h"

#define JOIN_FILE_BYTES_MAX 8192

struct join {
    char run[64];
    char token[129];
    uint8_t pin[LINK_PIN_SIZE];
    char heads[BOOTSTRAP_HEADS_MAX][80];
    size_t heads_count;
    uint64_t cap_ns;   /* from armed_ns on */
    uint64_t armed_ns; /* boot time */
    char dir[512];
};

/* Errors: ERR_PARSE. */
NODISCARD int join_parse(struct str text, struct join *ret_join, struct err *err);

#endif
