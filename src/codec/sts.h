/* sts.h - GetCallerIdentity of STS, in the query protocol: form there, XML back.
 *
 * Errors travel as the ErrorResponse form (sts_fault_encode); ec2_fault_decode reads both.
 * Pure.    Tests: test/unit/test_sts_ssm.c
 */
#ifndef STS_H
#define STS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/ec2.h"

#define STS_VERSION "2011-06-15"

struct sts_identity {
    struct str user_id;
    struct str account; /* 12 digits */
    struct str arn;
};

/* Append the form body. */
void sts_get_caller_identity_encode(struct buf *out);
/* Whether `body` is a GetCallerIdentity call; otherwise -1 and InvalidAction in *fault. */
NODISCARD int sts_get_caller_identity_decode(struct str body, struct ec2_fault *fault);

void sts_identity_encode(const struct sts_identity *identity, struct str request_id,
                         struct buf *out);
/* Errors: ERR_PROTOCOL, ERR_LIMIT, ERR_REMOTE (as ec2_reply_decode). */
NODISCARD int sts_identity_decode(struct str body, struct arena *arena,
                                  struct sts_identity *ret_identity, struct ec2_fault *ret_fault,
                                  struct err *err);

/* `<ErrorResponse><Error><Type>Sender</Type><Code>...` */
void sts_fault_encode(const struct ec2_fault *fault, struct str request_id, struct buf *out);

#endif
