/* when.h - wall-clock instants as text, without the C library's calendar.
 *
 * Wall clock is only for records and screens; every wait is on a monotonic clock.
 * `unix_ms` counts milliseconds since 1970-01-01T00:00:00Z, leap seconds ignored.
 */
#ifndef WHEN_H
#define WHEN_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"

struct when {
    int year;                          /* 1970.. */
    unsigned month, day;               /* from 1 */
    unsigned hour, minute, second, ms; /* from 0 */
};

struct when when_from_unix_ms(int64_t unix_ms);
int64_t when_to_unix_ms(const struct when *w);
/* "2026-11-20T16:08:03Z", "2026-11-20T16:08:03.123Z", "20261120T160803Z" */
void when_add_rfc3339(struct buf *b, int64_t unix_ms);
void when_add_rfc3339_ms(struct buf *b, int64_t unix_ms);
void when_add_basic(struct buf *b, int64_t unix_ms);
/* "16:08:03", UTC shifted by `offset_s` seconds. */
void when_add_time(struct buf *b, int64_t unix_ms, int offset_s);
/* Parse any of the three forms above (fraction optional, `Z` required).  Error: ERR_PARSE. */
NODISCARD int when_parse(struct str text, int64_t *ret_unix_ms, struct err *err);

#endif
