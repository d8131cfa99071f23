/* ssm.h - GetParameter and GetParameters of SSM, JSON 1.1: how images are found by name.
 *
 * Header X-Amz-Target: "AmazonSSM.GetParameter".  A public alias such as
 * /aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64 has an image id as value.
 * Pure.    Tests: test/unit/test_sts_ssm.c
 */
#ifndef SSM_H
#define SSM_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "codec/ec2.h"

#define SSM_CONTENT_TYPE "application/x-amz-json-1.1"
#define SSM_TARGET_PREFIX "AmazonSSM."
#define SSM_NAMES_MAX 10 /* of one GetParameters call */

enum ssm_action { SSM_GET_PARAMETER, SSM_GET_PARAMETERS };

struct ssm_request {
    enum ssm_action action;
    struct ec2_strs names; /* exactly one for SSM_GET_PARAMETER */
    bool with_decryption;
};

struct ssm_parameter {
    struct str name;
    struct str type; /* "String" */
    struct str value;
    int64_t version;
    struct str arn;
    struct str data_type; /* "text", "aws:ec2:image" */
    int64_t modified_unix_ms;
};
EC2_LIST_OF(ssm_parameters, struct ssm_parameter);

struct ssm_reply {
    enum ssm_action action;
    struct ssm_parameters parameters; /* exactly one for SSM_GET_PARAMETER */
    struct ec2_strs invalid;          /* GetParameters: names that do not exist */
};

/* "AmazonSSM.GetParameter": value of X-Amz-Target. */
struct str ssm_target(enum ssm_action action);
void ssm_request_encode(const struct ssm_request *request, struct buf *out);
/* `target` is the header's value.  Returns 0, or -1 and a fault (UnknownOperationException,
 * SerializationException, ValidationException). */
NODISCARD int ssm_request_decode(struct str target, struct str body, struct arena *arena,
                                 struct ssm_request *ret_request, struct ec2_fault *fault);
void ssm_reply_encode(const struct ssm_reply *reply, struct buf *out);
/* Errors: ERR_PROTOCOL, ERR_LIMIT. */
NODISCARD int ssm_reply_decode(enum ssm_action action, struct str body, struct arena *arena,
                               struct ssm_reply *ret_reply, struct err *err);
/* `{"__type":"ParameterNotFound","message":"..."}` */
void ssm_fault_encode(const struct ec2_fault *fault, struct buf *out);
/* Errors: ERR_PROTOCOL when it is no JSON error. */
NODISCARD int ssm_fault_decode(unsigned http_status, struct str body, struct ec2_fault *ret_fault,
                               struct err *err);

#endif
