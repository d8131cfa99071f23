/* raw_request.h - an HTTP request as text, cut into what codec/sigv4.h takes.  For tests and fuzz
 * targets: lenient, in place, nothing is decoded. */
#ifndef RAW_REQUEST_H
#define RAW_REQUEST_H

#include "base/arena.h"
#include "codec/sigv4.h"

#define RAW_HEADERS_MAX 64

struct raw_request {
    struct sigv4_header headers[RAW_HEADERS_MAX];
    struct sigv4_request request;
};

/* A line that starts with a blank goes on with the value before it. */
static inline void raw_request_header(struct raw_request *raw, struct str line) {
    size_t count = raw->request.header_count;
    bool folded = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
    if (folded && count > 0) {
        struct str *value = &raw->headers[count - 1].value;
        value->len = (size_t)(line.ptr + line.len - value->ptr);
    } else if (count < RAW_HEADERS_MAX) {
        size_t colon = str_index_of(line, ':');
        raw->headers[count].name = str_slice(line, 0, colon);
        raw->headers[count].value = str_skip(line, colon + 1);
        raw->request.header_count++;
    }
}

/* "POST /path?query HTTP/1.1", headers, an empty line, the body.  `raw` must stay where it is. */
static inline void raw_request_parse(struct str text, struct raw_request *raw) {
    memset(raw, 0, sizeof *raw);
    struct str rest = text, line = STR_EMPTY;
    ignore(str_line(&rest, &line));
    size_t first = str_index_of(line, ' '), last = line.len;
    while (last > first && line.ptr[last - 1] != ' ')
        last--;
    struct str target = last > first + 1 ? str_slice(line, first + 1, last - 1) : STR_EMPTY;
    size_t mark = str_index_of(target, '?');
    raw->request.method = str_slice(line, 0, first);
    raw->request.path = str_slice(target, 0, mark);
    raw->request.query = str_skip(target, mark + 1);
    raw->request.headers = raw->headers;
    while (str_line(&rest, &line) && line.len > 0)
        raw_request_header(raw, line);
    raw->request.body = rest;
}

/* Value of a header, or the empty view. */
static inline struct str raw_request_value(const struct raw_request *raw, const char *name) {
    for (size_t i = 0; i < raw->request.header_count; i++)
        if (str_equal_nocase(raw->headers[i].name, str_from(name)))
            return str_trim(raw->headers[i].value);
    return STR_EMPTY;
}

/* Take the header out, whatever its case. */
static inline void raw_request_drop(struct raw_request *raw, const char *name) {
    size_t kept = 0;
    for (size_t i = 0; i < raw->request.header_count; i++)
        if (!str_equal_nocase(raw->headers[i].name, str_from(name)))
            raw->headers[kept++] = raw->headers[i];
    raw->request.header_count = kept;
}

#endif
