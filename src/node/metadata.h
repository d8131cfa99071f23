/* metadata.h - what the instance's metadata service (IMDSv2) tells: who we are, and the notice.
 *
 * Never falls back to version 1.  A token lives for six hours and is fetched again when refused.
 * Failures are tried again every second for the identity, at the next look for the notice.
 */
#ifndef METADATA_H
#define METADATA_H

#include "base/base.h"
#include "base/str.h"
#include "os/loop.h"

struct metadata_identity {
    char instance_id[24];
    char private_ip[64];
};

struct metadata_handler {
    /* Once, when both are known. */
    void (*on_identity)(void *arg, const struct metadata_identity *identity);
    /* Once, when an interruption is announced: "terminate", its instant (-1: not readable). */
    void (*on_notice)(void *arg, const char *action, int64_t at_unix_ms);
    void *arg;
};

struct metadata;

/* Ask `base` ("http://169.254.169.254/"); looks for a notice every `notice_every_ns` once the
 * identity is known. */
NODISCARD struct metadata *metadata_new(struct loop *loop, const char *base,
                                        uint64_t notice_every_ns,
                                        const struct metadata_handler *handler);
void metadata_free(struct metadata *own_metadata);

/* Parse {"action": "terminate", "time": "2017-09-18T08:22:00Z"}; false when it is not that. */
NODISCARD bool metadata_parse_notice(struct str body, char *action, size_t action_size,
                                     int64_t *ret_at_unix_ms);

#endif
