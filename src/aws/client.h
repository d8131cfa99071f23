/* client.h - asynchronous calls of AWS services on the event loop.
 *
 * A call is encoded once, signed per attempt, sent over one of a few kept-alive connections, and
 * answered by exactly one callback, always from the loop, never from inside aws_*_call.  An attempt
 * that is repeated sends the very same body.  Teardown calls go before all others that wait.
 *
 * Words
 *   call      what the caller asked for; ends in one callback
 *   attempt   one HTTP exchange of a call
 *   class     what an outcome means for the caller, enum aws_class
 *   quota     tokens that retries cost, as in the SDKs' standard mode: 500, 5 each, 10 after a
 *             timeout; given back by success
 *
 * What is retried: broken connections and timeouts, HTTP 500/502/503/504 and throttling codes; not
 * capacity codes, although some are HTTP 500.  A call that changes something, has no client token
 * and is not idempotent by nature (as TerminateInstances, deletes and tags are) is not sent again
 * once its bytes may have arrived.  A changing call whose last attempt got no answer, or an answer
 * that leaves it open (HTTP 5xx, garbage), ends as AWS_UNKNOWN_OUTCOME.
 *
 * Tests: test/unit/test_aws_client.c (a scripted server on loopback)
 */
#ifndef AWS_CLIENT_H
#define AWS_CLIENT_H

#include "aws/config.h"
#include "base/base.h"
#include "base/err.h"
#include "codec/ec2.h"
#include "codec/ssm.h"
#include "codec/sts.h"

struct loop;

/* X(name, "word") */
#define AWS_CLASS_MAP(X)                                                                      \
    X(OK, "ok")                                                                               \
    X(CAPACITY, "capacity")               /* no hosts here now: another pool may have some */ \
    X(QUOTA, "quota")                     /* a limit of the account */                        \
    X(THROTTLED, "throttled")             /* still, after all attempts */                     \
    X(AUTH, "auth")                       /* who we are: keys, signature, clock */            \
    X(DENIED, "denied")                   /* what we may: IAM */                              \
    X(NOT_FOUND, "not-found")             /* the thing is not there (or not visible yet) */   \
    X(MISMATCH, "mismatch")               /* client token used with other parameters */       \
    X(INVALID, "invalid")                 /* the request itself; never retried */             \
    X(TRANSIENT, "transient")             /* nothing was changed; may be tried again later */ \
    X(UNKNOWN_OUTCOME, "unknown-outcome") /* it may have happened: list before doing it again */

enum aws_class {
#define AWS_CLASS_ENUM(name, word) AWS_##name,
    AWS_CLASS_MAP(AWS_CLASS_ENUM)
#undef AWS_CLASS_ENUM
        AWS_CLASS_COUNT
};
const char *aws_class_name(enum aws_class class);

/* How a call ended.  Valid during the callback. */
struct aws_result {
    enum aws_class class;
    unsigned http_status; /* 0: none came */
    unsigned attempts;
    char code[EC2_FAULT_CODE_SIZE]; /* the service's error code, "" when there is none */
    char request_id[80];            /* "" when unknown */
    struct err err;                 /* text for people; code ERR_NONE when AWS_OK */
};

/* The reply is NULL unless class is AWS_OK; it and its strings are valid during the callback.  A
 * dry run that would have succeeded is AWS_OK with code "DryRunOperation" and no reply. */
typedef void aws_ec2_done(void *user, const struct aws_result *result,
                          const struct ec2_reply *reply);
typedef void aws_sts_done(void *user, const struct aws_result *result,
                          const struct sts_identity *identity);
typedef void aws_ssm_done(void *user, const struct aws_result *result,
                          const struct ssm_reply *reply);

struct aws_client_options {
    uint64_t connect_timeout_ns; /* 0: 5 s: name, connect and TLS together */
    uint64_t attempt_timeout_ns; /* 0: 60 s: one attempt, connect included */
    uint64_t backoff_base_ns;    /* 0: 1 s; full jitter over base * 2^n, at most 20 s */
    unsigned connections_max;    /* 0: 8 */
    unsigned calls_max;          /* waiting and running; 0: 1024 */
    uint64_t seed;               /* of the jitter; 0: from the system */
};

struct aws_client;

/* `config` is copied; `loop` is borrowed and must outlive the client.
 * Errors: ERR_ACCESS (no credentials, no CA bundle), ERR_USAGE (endpoint URL). */
NODISCARD int aws_client_new(struct loop *loop, const struct aws_config *config,
                             const struct aws_client_options *options,
                             struct aws_client **ret_client, struct err *err);
/* Open calls are dropped without a callback. */
void aws_client_free(struct aws_client *client);
DEFINE_FREEP(struct aws_client, aws_client_free)

enum aws_call_flags {
    AWS_URGENT = 1, /* goes before others: teardown */
    AWS_ONCE = 2,   /* a single attempt */
};

/* `request` is encoded before this returns.  Always ends in one callback. */
void aws_ec2_call(struct aws_client *client, const struct ec2_request *request, unsigned flags,
                  aws_ec2_done *done, void *user);
void aws_sts_get_caller_identity(struct aws_client *client, aws_sts_done *done, void *user);
void aws_ssm_call(struct aws_client *client, const struct ssm_request *request, aws_ssm_done *done,
                  void *user);

/* List all pages.  `page` sees every page in order (it stores what it needs and must not free the
 * client); then `done` comes once, without a reply.  A failed page fails the list: what `page` saw
 * is not complete then.  Bounded by `pages_max` (ERR_LIMIT), and by a token that comes twice
 * (ERR_PROTOCOL); both are AWS_INVALID. */
typedef void aws_ec2_page(void *user, const struct ec2_reply *reply);
void aws_ec2_list(struct aws_client *client, const struct ec2_request *request, unsigned flags,
                  unsigned pages_max, aws_ec2_page *page, aws_ec2_done *done, void *user);

/* Counters since aws_client_new. */
struct aws_counters {
    uint64_t calls;
    uint64_t attempts;
    uint64_t retries;
    uint64_t throttled;
    uint64_t ec2_calls[EC2_ACTION_COUNT];
    uint64_t ec2_attempts[EC2_ACTION_COUNT];
    unsigned waiting; /* now */
    unsigned running; /* now */
};
const struct aws_counters *aws_client_counters(const struct aws_client *client);
/* How far the service's clock is ahead of ours, learnt from refused stamps; ms. */
int64_t aws_client_skew_ms(const struct aws_client *client);

/* What an error code of the service means; `http_status` decides about unknown codes. */
enum aws_class aws_classify(struct str code, unsigned http_status);

#endif
