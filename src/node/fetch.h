/* fetch.h - one small HTTP/1.1 exchange on the loop: metadata and readiness probes.
 *
 * Plain http only.  The callback comes once, from the loop, never from inside fetch_start; not
 * after fetch_free, which it may call.
 */
#ifndef FETCH_H
#define FETCH_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"
#include "os/loop.h"

#define FETCH_BODY_BYTES_MAX (64 * 1024)

/* status 0: no answer, `why` says so; else the status and the body, a view for the call. */
typedef void fetch_done(void *arg, int status, struct str body, const struct err *why);

struct fetch_spec {
    bool put;           /* else GET */
    struct str url;     /* "http://HOST[:PORT]/path?query" */
    const char *header; /* one more header, or NULL */
    const char *header_value;
    uint64_t timeout_ns;
    fetch_done *on_done;
    void *arg;
};

struct fetch;

/* Errors: ERR_PARSE (the URL). */
NODISCARD int fetch_start(struct loop *loop, const struct fetch_spec *spec,
                          struct fetch **ret_fetch, struct err *err);
void fetch_free(struct fetch *own_fetch);

#endif
