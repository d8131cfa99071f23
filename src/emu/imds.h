/* imds.h - the instance metadata service of one instance: a request in, an answer out.
 *
 * Pure: no socket and no clock; imds_server.c listens and asks here.  What it knows it reads from
 * the cloud's own record at each request, so tags, notices and states are always the present ones.
 *
 * Rules (EC2 user guide, "Instance metadata and user data"):
 *   PUT /latest/api/token with X-aws-ec2-metadata-token-ttl-seconds: 1..21600 gives a token; a
 *   request that came through a proxy (X-Forwarded-For) gets 403.  GET and HEAD with a token that
 *   is missing, expired or of another instance get 401; without any token 401 when the instance
 *   requires them.  Metadata switched off: 403.  Nothing there: 404.  A directory lists its names,
 *   one a line, a slash behind sub-directories, no final newline.
 *
 * A token is HMAC-SHA256 over its expiry with a key of this instance: nothing has to be stored, and
 * a token of a neighbour fails.
 *
 * Tests: test/unit/test_imds.c, fuzz/fuzz_imds.c
 */
#ifndef EMU_IMDS_H
#define EMU_IMDS_H

#include "base/arena.h"
#include "base/base.h"
#include "base/str.h"
#include "cloud/cloud.h"

#define IMDS_KEY_BYTES 32
#define IMDS_TTL_S_MAX 21600

struct imds {
    uint8_t key[IMDS_KEY_BYTES]; /* random, of this instance alone */
    const struct cloud_instance *instance;
    const char *zone, *zone_id; /* names, as long as the cloud lives */
    struct str region, account; /* the same */
    unsigned vpc_prefix, subnet_prefix;
};

enum imds_method { IMDS_GET, IMDS_HEAD, IMDS_PUT, IMDS_OTHER };

struct imds_request {
    enum imds_method method;
    struct str path;   /* as sent, query included */
    const char *token; /* X-aws-ec2-metadata-token, or NULL */
    const char *ttl;   /* X-aws-ec2-metadata-token-ttl-seconds, or NULL */
    bool forwarded;    /* has X-Forwarded-For */
    uint64_t now_ns;   /* the cloud's clock */
    int64_t now_unix_ms;
};

struct imds_reply {
    unsigned status; /* 200, 400, 401, 403, 404, 405 */
    struct str body; /* in the arena or in the instance's record */
    bool json;       /* else text/plain */
    uint32_t ttl_s;  /* of a token just made; 0 otherwise */
};

void imds_handle(const struct imds *m, const struct imds_request *request, struct arena *arena,
                 struct imds_reply *ret_reply);

#endif
