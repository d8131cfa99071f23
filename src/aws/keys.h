/* keys.h - the keys that a client signs with: known, or fetched and renewed on the loop.
 *
 * Static keys are there at once.  Those of a process, of the container endpoint and of instance
 * metadata are fetched when first wanted and again KEYS_RENEW_MS before they expire.
 * Tests: test/unit/test_aws_keys.c
 */
#ifndef AWS_KEYS_H
#define AWS_KEYS_H

#include "aws/config.h"
#include "os/loop.h"

#define KEYS_RENEW_MS (10 * 60 * 1000) /* the SDKs' mandatory renewal */

struct keys;

/* `config` is borrowed; `on_change(arg)` is called from the loop when a fetch has ended. */
NODISCARD struct keys *keys_new(struct loop *loop, const struct aws_config *config,
                                void (*on_change)(void *arg), void *arg);
void keys_free(struct keys *own_keys);
DEFINE_FREEP(struct keys, keys_free)

enum keys_state {
    KEYS_READY,   /* *ret_keys is set; valid until the loop's next turn */
    KEYS_WAITING, /* on_change will tell */
    KEYS_FAILED,  /* err tells why; the next question after 1 s starts another fetch */
};
NODISCARD enum keys_state keys_get(struct keys *keys, int64_t now_unix_ms,
                                   struct aws_keys *ret_keys, struct err *err);
/* The service says that they have expired: fetch anew (static keys stay). */
void keys_expire(struct keys *keys);

#endif
