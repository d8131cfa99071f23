/* jsonw.h - writing JSON text straight into a buffer.
 *
 * For documents that we write ourselves from structs: no tree, no allocation, members in the order
 * of the calls.  Commas are put by the writer.  Parsing is done by jansson.
 *
 *     struct jsonw j;
 *     jsonw_init(&j, b);
 *     jsonw_open(&j, NULL, '{');
 *     jsonw_text(&j, "name", "demo");
 *     jsonw_open(&j, "nodes", '[');
 *     jsonw_int(&j, NULL, 7);
 *     jsonw_close(&j);
 *     jsonw_close(&j);                    {"name": "demo", "nodes": [7]}
 *
 * Text is taken as UTF-8; invalid bytes become U+FFFD, so the output is always valid JSON, and
 * `<` is written as \u003c, so it may stand inside an HTML script element.
 */
#ifndef JSONW_H
#define JSONW_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

#define JSONW_DEPTH_MAX 16

struct jsonw {
    struct buf *b;
    unsigned depth;
    bool filled[JSONW_DEPTH_MAX]; /* this level has a member already */
    char closer[JSONW_DEPTH_MAX];
    bool wrap[JSONW_DEPTH_MAX]; /* members on lines of their own */
};

void jsonw_init(struct jsonw *j, struct buf *b);
/* Open '{' or '['; `key` is NULL inside an array and at the top. */
void jsonw_open(struct jsonw *j, const char *key, char kind);
/* The same, with every member on a line of its own. */
void jsonw_open_lines(struct jsonw *j, const char *key, char kind);
void jsonw_close(struct jsonw *j);
void jsonw_text(struct jsonw *j, const char *key, const char *text); /* NULL: null */
void jsonw_str(struct jsonw *j, const char *key, struct str text);
void jsonw_int(struct jsonw *j, const char *key, int64_t value);
void jsonw_uint(struct jsonw *j, const char *key, uint64_t value);
void jsonw_bool(struct jsonw *j, const char *key, bool value);
/* value / 1,000,000, exactly. */
void jsonw_micro(struct jsonw *j, const char *key, int64_t value);
void jsonw_double(struct jsonw *j, const char *key, double value); /* not finite: null */
/* RFC 3339 UTC with milliseconds; 0: null. */
void jsonw_instant(struct jsonw *j, const char *key, int64_t unix_ms);
void jsonw_null(struct jsonw *j, const char *key);

/* One string in quotes, escaped. */
void jsonw_add_string(struct buf *b, struct str text);

#endif
