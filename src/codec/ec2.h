/* ec2.h - EC2 calls as plain structs, and both directions of their wire form.
 *
 * One request struct and one reply struct per call, in five headers by theme.  The client encodes
 * requests and decodes replies; the rehearsal cloud decodes requests and encodes replies; one
 * field table per struct drives all four, so they cannot drift apart (codec/fields.h).
 *
 * Words
 *   action   one API call, `enum ec2_action`; wire name "DescribeInstances"
 *   fault    an error reply of the service: HTTP status, code, message
 *
 * Wire: form body `Action=...&Version=2016-11-15&...` there, XML back.  Names and absence rules:
 * ec2_common.h.  Parameters that no table knows are an UnknownParameter fault, as AWS does it.
 *
 * Pure: no I/O, no clock.    Tests: test/unit/test_ec2.c, fuzz/fuzz_ec2_form.c, fuzz_ec2_xml.c
 */
#ifndef EC2_H
#define EC2_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "codec/ec2_catalog.h"
#include "codec/ec2_common.h"
#include "codec/ec2_fleets.h"
#include "codec/ec2_instances.h"
#include "codec/ec2_network.h"
#include "codec/ec2_templates.h"

#define EC2_VERSION "2016-11-15"
#define EC2_XMLNS "http://ec2.amazonaws.com/doc/2016-11-15/"

/* enum name, wire name, struct and member name */
#define EC2_ACTION_MAP(X)                                                                         \
    X(DESCRIBE_REGIONS, "DescribeRegions", describe_regions)                                      \
    X(DESCRIBE_AVAILABILITY_ZONES, "DescribeAvailabilityZones", describe_availability_zones)      \
    X(DESCRIBE_VPCS, "DescribeVpcs", describe_vpcs)                                               \
    X(DESCRIBE_SUBNETS, "DescribeSubnets", describe_subnets)                                      \
    X(DESCRIBE_IMAGES, "DescribeImages", describe_images)                                         \
    X(DESCRIBE_INSTANCE_TYPES, "DescribeInstanceTypes", describe_instance_types)                  \
    X(DESCRIBE_INSTANCE_TYPE_OFFERINGS, "DescribeInstanceTypeOfferings",                          \
      describe_instance_type_offerings)                                                           \
    X(DESCRIBE_SPOT_PRICE_HISTORY, "DescribeSpotPriceHistory", describe_spot_price_history)       \
    X(DESCRIBE_INSTANCES, "DescribeInstances", describe_instances)                                \
    X(DESCRIBE_INSTANCE_STATUS, "DescribeInstanceStatus", describe_instance_status)               \
    X(DESCRIBE_TAGS, "DescribeTags", describe_tags)                                               \
    X(DESCRIBE_LAUNCH_TEMPLATES, "DescribeLaunchTemplates", describe_launch_templates)            \
    X(DESCRIBE_LAUNCH_TEMPLATE_VERSIONS, "DescribeLaunchTemplateVersions",                        \
      describe_launch_template_versions)                                                          \
    X(DESCRIBE_FLEETS, "DescribeFleets", describe_fleets)                                         \
    X(DESCRIBE_SECURITY_GROUPS, "DescribeSecurityGroups", describe_security_groups)               \
    X(DESCRIBE_KEY_PAIRS, "DescribeKeyPairs", describe_key_pairs)                                 \
    X(DESCRIBE_VOLUMES, "DescribeVolumes", describe_volumes)                                      \
    X(CREATE_LAUNCH_TEMPLATE, "CreateLaunchTemplate", create_launch_template)                     \
    X(CREATE_LAUNCH_TEMPLATE_VERSION, "CreateLaunchTemplateVersion",                              \
      create_launch_template_version)                                                             \
    X(DELETE_LAUNCH_TEMPLATE, "DeleteLaunchTemplate", delete_launch_template)                     \
    X(CREATE_SECURITY_GROUP, "CreateSecurityGroup", create_security_group)                        \
    X(DELETE_SECURITY_GROUP, "DeleteSecurityGroup", delete_security_group)                        \
    X(AUTHORIZE_SECURITY_GROUP_INGRESS, "AuthorizeSecurityGroupIngress",                          \
      authorize_security_group_ingress)                                                           \
    X(REVOKE_SECURITY_GROUP_INGRESS, "RevokeSecurityGroupIngress", revoke_security_group_ingress) \
    X(CREATE_KEY_PAIR, "CreateKeyPair", create_key_pair)                                          \
    X(IMPORT_KEY_PAIR, "ImportKeyPair", import_key_pair)                                          \
    X(DELETE_KEY_PAIR, "DeleteKeyPair", delete_key_pair)                                          \
    X(CREATE_TAGS, "CreateTags", create_tags)                                                     \
    X(DELETE_TAGS, "DeleteTags", delete_tags)                                                     \
    X(CREATE_FLEET, "CreateFleet", create_fleet)                                                  \
    X(DELETE_FLEETS, "DeleteFleets", delete_fleets)                                               \
    X(RUN_INSTANCES, "RunInstances", run_instances)                                               \
    X(STOP_INSTANCES, "StopInstances", stop_instances)                                            \
    X(TERMINATE_INSTANCES, "TerminateInstances", terminate_instances)                             \
    X(GET_CONSOLE_OUTPUT, "GetConsoleOutput", get_console_output)

enum ec2_action {
#define EC2_ACTION_ENUM(name, wire, member) EC2_##name,
    EC2_ACTION_MAP(EC2_ACTION_ENUM)
#undef EC2_ACTION_ENUM
        EC2_ACTION_COUNT
};

/* `struct ec2_request r = {.action = EC2_RUN_INSTANCES}; r.run_instances.min_count = 1;` */
struct ec2_request {
    enum ec2_action action;
    bool dry_run;
    union {
#define EC2_ACTION_IN(name, wire, member) struct ec2_##member##_in member;
        EC2_ACTION_MAP(EC2_ACTION_IN)
#undef EC2_ACTION_IN
    };
};

struct ec2_reply {
    enum ec2_action action;
    struct str request_id;
    union {
#define EC2_ACTION_OUT(name, wire, member) struct ec2_##member##_out member;
        EC2_ACTION_MAP(EC2_ACTION_OUT)
#undef EC2_ACTION_OUT
    };
};

#define EC2_FAULT_CODE_SIZE 128
#define EC2_FAULT_MESSAGE_SIZE 512

/* code[0] == 0: no fault. */
struct ec2_fault {
    unsigned http_status;
    char code[EC2_FAULT_CODE_SIZE];
    char message[EC2_FAULT_MESSAGE_SIZE];
};

/* "DescribeInstances". */
struct str ec2_action_name(enum ec2_action action);
/* False when no such call is known here. */
bool ec2_action_find(struct str name, enum ec2_action *ret_action);
/* True for calls that change something at EC2 (their outcome matters when a reply is lost). */
bool ec2_action_mutates(enum ec2_action action);

/* The NextToken parameter, or NULL when the call has none. */
struct str *ec2_request_next_token(struct ec2_request *request);
/* The nextToken of a reply, or the empty view: last page. */
struct str ec2_reply_next_token(const struct ec2_reply *reply);
/* ClientToken, or the empty view. */
struct str ec2_request_client_token(const struct ec2_request *request);

/* Fill a fault; the HTTP status follows from the code (ec2_fault_status).  Always returns -1, so
 * that `return ec2_fault_set(...)` is the usual form. */
int ec2_fault_set(struct ec2_fault *fault, const char *code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* 400 for what the caller did wrong, 401/403/412/500/503 as EC2 answers them. */
unsigned ec2_fault_status(struct str code);

/* --- the four directions --- */

/* Append `Action=X&Version=...&...`, parameters in table order: the same struct always gives the
 * same bytes.  Cannot fail but by the buffer's maximum. */
void ec2_request_encode(const struct ec2_request *request, struct buf *out);

/* Decode a form body.  Returns 0, or -1 and a fault that can be sent as it is: InvalidAction,
 * UnknownParameter, MissingParameter, InvalidParameterValue, InvalidUserData.Malformed...
 * `fault` is reset first.  Values are copied into `arena`; `body` may go away. */
NODISCARD int ec2_request_decode(struct str body, struct arena *arena,
                                 struct ec2_request *ret_request, struct ec2_fault *fault);

/* Append the XML document of a reply.  request_id is the reply's own. */
void ec2_reply_encode(const struct ec2_reply *reply, struct buf *out);

/* Decode a body that came with HTTP status 2xx.  Errors: ERR_PROTOCOL (not the XML that `action`
 * answers with, cut, DTD, too deep), ERR_LIMIT, ERR_REMOTE (an error body all the same: code and
 * message in *ret_fault). */
NODISCARD int ec2_reply_decode(enum ec2_action action, struct str body, struct arena *arena,
                               struct ec2_reply *ret_reply, struct ec2_fault *ret_fault,
                               struct err *err);

/* Append `<Response><Errors>...` with `request_id`. */
void ec2_fault_encode(const struct ec2_fault *fault, struct str request_id, struct buf *out);

/* Decode an error body of EC2 (or the ErrorResponse of other query services).  `http_status` is
 * stored.  Errors: ERR_PROTOCOL when it is neither; *ret_fault has the status then, no code. */
NODISCARD int ec2_fault_decode(unsigned http_status, struct str body, struct ec2_fault *ret_fault,
                               struct err *err);

/* Whether two requests ask for the same, disregarding the client token: what decides about
 * IdempotentParameterMismatch.  A stable hash of everything but the token. */
uint64_t ec2_request_hash(const struct ec2_request *request);

#endif
