/* sigv4.h - AWS Signature Version 4: sign requests, presign URLs, verify what clients sent.
 *
 * Words
 *   scope      yyyymmdd/region/service/aws4_request; the signing key is derived for it
 *   canonical  the one spelling of a request that both sides hash
 *   claim      what a request says about its own signature, before anybody believes it
 *
 * Rules: AWS "Signature Version 4 signing process"; checked against the published vectors of
 * aws-c-auth (38 cases, header and query) and against signatures made by botocore.
 * S3 signs differently: SIGV4_S3 encodes the path once and does not normalise it.
 *
 * Pure: no clock, no I/O; the caller passes the time.  Tests: test/unit/test_sigv4.c,
 * fuzz/fuzz_sigv4.c
 */
#ifndef SIGV4_H
#define SIGV4_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define SIGV4_HEADERS_MAX 64                 /* of one request; AWS refuses far fewer */
#define SIGV4_CLOCK_SKEW_MS (15 * 60 * 1000) /* EC2: a stamp further off is RequestExpired */
#define SIGV4_EXPIRES_S_MAX (7 * 24 * 3600)  /* of a presigned URL */
#define SIGV4_SIGNATURE_SIZE 65              /* 64 hex digits and NUL */

struct sigv4_header {
    struct str name;
    struct str value;
};

/* A request as it is on the wire.  `path` and `query` (without '?') are undecoded. */
struct sigv4_request {
    struct str method;
    struct str path;
    struct str query;
    const struct sigv4_header *headers; /* host included; Authorization is never signed */
    size_t header_count;
    struct str body;
};

enum sigv4_flags {
    SIGV4_NO_NORMALIZE = 1,     /* keep "." ".." and "//" in the path */
    SIGV4_ENCODE_ONCE = 2,      /* the path on the wire is encoded already */
    SIGV4_S3 = 3,               /* both */
    SIGV4_CONTENT_SHA256 = 4,   /* add and sign X-Amz-Content-Sha256 */
    SIGV4_UNSIGNED_PAYLOAD = 8, /* hash is the word UNSIGNED-PAYLOAD (S3) */
    SIGV4_OMIT_TOKEN = 16,      /* the session token is added after signing */
};

/* Who signs, for what, when.  session_token may be empty. */
struct sigv4_signer {
    struct str access_key;
    struct str secret_key;
    struct str session_token;
    struct str region;
    struct str service;
    int64_t unix_ms;
    unsigned flags;
    int64_t expires_s; /* sigv4_presign only: 1..SIGV4_EXPIRES_S_MAX */
};

/* What was signed, for tests and for error messages.  Zeroed buffers are not valid: use
 * sigv4_parts_init. */
struct sigv4_parts {
    struct buf canonical;
    struct buf string_to_sign;
    struct buf signed_headers; /* "host;x-amz-date" */
    char signature[SIGV4_SIGNATURE_SIZE];
};
void sigv4_parts_init(struct sigv4_parts *parts);
void sigv4_parts_deinit(struct sigv4_parts *parts);

/* Headers to add to the request, each "Name: value\r\n", in this order: X-Amz-Date,
 * X-Amz-Security-Token, X-Amz-Content-Sha256 (both if asked for), Authorization.
 * `request` must not have any of them.  Errors: ERR_LIMIT (too many headers). */
NODISCARD int sigv4_sign(const struct sigv4_request *request, const struct sigv4_signer *signer,
                         struct buf *ret_headers, struct sigv4_parts *ret_parts, struct err *err);

/* The query string of the presigned URL: the request's own, then X-Amz-... and the signature.
 * Errors: ERR_LIMIT. */
NODISCARD int sigv4_presign(const struct sigv4_request *request, const struct sigv4_signer *signer,
                            struct buf *ret_query, struct sigv4_parts *ret_parts, struct err *err);

enum sigv4_verdict {
    SIGV4_OK,
    SIGV4_MISSING,     /* no signature at all: MissingAuthenticationToken */
    SIGV4_INCOMPLETE,  /* malformed or partial: IncompleteSignature */
    SIGV4_EXPIRED,     /* stamp more than 15 minutes off, or URL past its end: RequestExpired */
    SIGV4_WRONG_SCOPE, /* signed for another region, service or day: SignatureDoesNotMatch */
    SIGV4_MISMATCH,    /* the key or the bytes are not the signed ones: SignatureDoesNotMatch */
};

#define SIGV4_CLAIM_BYTES_MAX 4096 /* decoded query values; the longest session token is 2 KiB */

/* Views into the request or, presigned, into `decoded`: not to be copied. */
struct sigv4_claim {
    struct str access_key;
    struct str date; /* yyyymmdd */
    struct str region;
    struct str service;
    struct str signed_headers;
    struct str signature;
    struct str session_token; /* may be empty */
    int64_t signed_unix_ms;
    int64_t expires_s; /* 0: not presigned */
    bool presigned;
    char decoded[SIGV4_CLAIM_BYTES_MAX];
};

/* Read the claim from the Authorization header or the query.  Never SIGV4_MISMATCH: nothing is
 * verified yet.  The caller looks up the secret of ret_claim->access_key and calls sigv4_verify. */
NODISCARD enum sigv4_verdict sigv4_claim_parse(const struct sigv4_request *request,
                                               struct sigv4_claim *ret_claim);

/* Recompute with `secret` and compare in constant time.  `region`: what the claim must name, empty
 * accepts any; the service is not judged here.  `flags` as for signing (S3 paths).  A signature
 * that does not cover `host` is SIGV4_INCOMPLETE. */
NODISCARD enum sigv4_verdict sigv4_verify(const struct sigv4_request *request,
                                          const struct sigv4_claim *claim, struct str secret,
                                          struct str region, int64_t now_unix_ms, unsigned flags);

/* Lower-case hex SHA-256 of `bytes`. */
void sigv4_sha256_hex(struct str bytes, char ret_hex[SIGV4_SIGNATURE_SIZE]);

#endif
