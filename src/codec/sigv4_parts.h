/* sigv4_parts.h - the canonical form, shared by signing and verifying; nobody else includes it. */
#ifndef SIGV4_PARTS_H
#define SIGV4_PARTS_H

#include "base/arena.h"
#include "codec/sigv4.h"

#define SIGV4_ALGORITHM "AWS4-HMAC-SHA256"

/* Headers to sign: names in lower case, values trimmed, sorted by name, doubles joined. */
struct sigv4_names {
    struct sigv4_header items[SIGV4_HEADERS_MAX];
    size_t count;
    bool all; /* verifying: some clients sign what we would not */
};

/* Add what may be signed of `headers` to *names.  Errors: ERR_LIMIT. */
NODISCARD int sigv4_names_collect(const struct sigv4_header *headers, size_t count,
                                  struct arena *arena, struct sigv4_names *names, struct err *err);

/* All that the hash of a request is made of. */
struct sigv4_input {
    struct str method;
    struct str path;
    struct str query;      /* X-Amz-Signature in it is left out */
    struct str more_query; /* canonical already: "&X-Amz-..." of a presigned URL being made */
    const struct sigv4_names *names;
    struct str payload_hash;
    unsigned flags;
};

void sigv4_canonical(const struct sigv4_input *input, struct buf *out);
/* "yyyymmdd/region/service/aws4_request" */
void sigv4_scope(struct buf *out, struct str date, struct str region, struct str service);
/* Fill string_to_sign and signature from parts->canonical. */
void sigv4_finish(struct sigv4_parts *parts, struct str stamp, struct str region,
                  struct str service, struct str secret);

#endif
