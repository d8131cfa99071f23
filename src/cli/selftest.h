/* selftest.h - the checks of `dayfly selftest` that open sockets, all on 127.0.0.1.
 *
 * Each returns 0 or says in `err` what went wrong.  They need no file of the machine.
 */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "base/base.h"
#include "base/err.h"

/* Two fresh P-256 keys, a TLS 1.3 link between them, one frame there and back. */
NODISCARD int selftest_link(struct err *err);
/* Literal addresses come back from the resolver; glibc's own fails in the static program. */
NODISCARD int selftest_names(struct err *err);
/* The load engine sends 200 requests to the test server; both must count 200. */
NODISCARD int selftest_load(struct err *err);

#endif
