/* url.h - "http://host:8080/path?query" taken apart: what a sender of requests needs.
 *
 * Only http and https; no user info, no fragment (both refused, with a reason).  The parts are
 * views into the text.  A literal IPv6 host comes without its brackets.
 * Tests: test/unit/test_url.c
 */
#ifndef URL_H
#define URL_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

#define URL_BYTES_MAX 8192
#define URL_HOST_BYTES_MAX 253

struct url {
    bool tls;
    struct str origin; /* "http://host:8080", as it is written */
    struct str host;   /* letters, digits and "-._:", never empty */
    uint16_t port;     /* given, or 80 or 443 */
    struct str target; /* "/path?query"; "/" when the text has none */
};

/* Errors: ERR_PARSE, ERR_LIMIT. */
NODISCARD int url_parse(struct str text, struct url *ret_url, struct err *err);

#endif
