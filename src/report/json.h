/* json.h - writing JSON text straight into a buffer.
 *
 * For documents that we write ourselves from structs: no tree, no allocation, members in the order
 * of the calls.  Commas are put by the writer.  Parsing is done by jansson.
 *
 *     struct json j;
 *     json_init(&j, b);
 *     json_open(&j, NULL, '{');
 *     json_text(&j, "name", "demo");
 *     json_open(&j, "nodes", '[');
 *     json_int(&j, NULL, 7);
 *     json_close(&j);
 *     json_close(&j);                    {"name": "demo", "nodes": [7]}
 *
 * Text is taken as UTF-8; invalid bytes become U+FFFD, so the output is always valid JSON, and
 * `<` is written as \u003c, so it may stand inside an HTML script element.
 */
#ifndef JSON_H
#define JSON_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

#define JSON_DEPTH_MAX 16

struct json {
    struct buf *b;
    unsigned depth;
    bool filled[JSON_DEPTH_MAX]; /* this level has a member already */
    char closer[JSON_DEPTH_MAX];
    bool wrap[JSON_DEPTH_MAX]; /* members on lines of their own */
};

void json_init(struct json *j, struct buf *b);
/* Open '{' or '['; `key` is NULL inside an array and at the top. */
void json_open(struct json *j, const char *key, char kind);
/* The same, with every member on a line of its own. */
void json_open_lines(struct json *j, const char *key, char kind);
void json_close(struct json *j);
void json_text(struct json *j, const char *key, const char *text); /* NULL: null */
void json_str(struct json *j, const char *key, struct str text);
void json_int(struct json *j, const char *key, int64_t value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* value / 1,000,000, exactly. */
void json_micro(struct json *j, const char *key, int64_t value);
void json_double(struct json *j, const char *key, double value); /* not finite: null */
/* RFC 3339 UTC with milliseconds; 0: null. */
void json_instant(struct json *j, const char *key, int64_t unix_ms);
void json_null(struct json *j, const char *key);

/* One string in quotes, escaped. */
void json_add_string(struct buf *b, struct str text);

#endif
