#include "aws/client.h"

/* What a code means.  A '*' at the end or start of a pattern stands for any text; the first match
 * counts.  Sources: the EC2 list of error codes, the retry tables of the SDKs. */
static const struct {
    struct str pattern;
    enum aws_class class;
} codes[] = {
    {STR_INIT("InsufficientInstanceCapacity"), AWS_CAPACITY},
    {STR_INIT("InsufficientHostCapacity"), AWS_CAPACITY},
    {STR_INIT("InsufficientReservedInstanceCapacity"), AWS_CAPACITY},
    {STR_INIT("InsufficientCapacity*"), AWS_CAPACITY},
    {STR_INIT("InsufficientFreeAddressesInSubnet"), AWS_CAPACITY},
    {STR_INIT("UnfulfillableCapacity"), AWS_CAPACITY},
    {STR_INIT("ReservationCapacityExceeded"), AWS_CAPACITY},
    {STR_INIT("SpotMaxPriceTooLow"), AWS_CAPACITY},
    {STR_INIT("Unsupported"), AWS_CAPACITY}, /* this type is not in that zone */

    {STR_INIT("RequestLimitExceeded"), AWS_THROTTLED},
    {STR_INIT("BandwidthLimitExceeded"), AWS_THROTTLED},
    {STR_INIT("LimitExceededException"), AWS_THROTTLED},
    {STR_INIT("Throttling*"), AWS_THROTTLED},
    {STR_INIT("ThrottledException"), AWS_THROTTLED},
    {STR_INIT("RequestThrottled*"), AWS_THROTTLED},
    {STR_INIT("EC2ThrottledException"), AWS_THROTTLED},
    {STR_INIT("TooManyRequestsException"), AWS_THROTTLED},
    {STR_INIT("ProvisionedThroughputExceededException"), AWS_THROTTLED},
    {STR_INIT("TransactionInProgressException"), AWS_THROTTLED},
    {STR_INIT("PriorRequestNotComplete"), AWS_THROTTLED},
    {STR_INIT("SlowDown"), AWS_THROTTLED},

    {STR_INIT("MaxSpotInstanceCountExceeded"), AWS_QUOTA},
    {STR_INIT("MaxFleetCountExceeded"), AWS_QUOTA},
    {STR_INIT("*LimitExceeded"), AWS_QUOTA}, /* VcpuLimitExceeded, InstanceLimitExceeded, ... */

    {STR_INIT("AuthFailure.ServiceLinkedRoleCreationNotPermitted"), AWS_DENIED},
    {STR_INIT("UnauthorizedOperation"), AWS_DENIED},
    {STR_INIT("AccessDenied*"), AWS_DENIED},
    {STR_INIT("OperationNotPermitted"), AWS_DENIED},

    {STR_INIT("AuthFailure*"), AWS_AUTH},
    {STR_INIT("SignatureDoesNotMatch"), AWS_AUTH},
    {STR_INIT("InvalidSignatureException"), AWS_AUTH},
    {STR_INIT("IncompleteSignature*"), AWS_AUTH},
    {STR_INIT("InvalidClientTokenId"), AWS_AUTH},
    {STR_INIT("UnrecognizedClientException"), AWS_AUTH},
    {STR_INIT("MissingAuthenticationToken*"), AWS_AUTH},
    {STR_INIT("ExpiredToken*"), AWS_AUTH},
    {STR_INIT("RequestExpired"), AWS_AUTH},
    {STR_INIT("RequestTimeTooSkewed"), AWS_AUTH},
    {STR_INIT("RequestInTheFuture"), AWS_AUTH},
    {STR_INIT("OptInRequired"), AWS_AUTH},
    {STR_INIT("PendingVerification"), AWS_AUTH},
    {STR_INIT("Blocked"), AWS_AUTH},

    {STR_INIT("IdempotentParameterMismatch"), AWS_MISMATCH},
    {STR_INIT("IdempotentInstanceTerminated"), AWS_MISMATCH},

    {STR_INIT("*NotFound"), AWS_NOT_FOUND},
    {STR_INIT("*.NotFoundException"), AWS_NOT_FOUND},
    {STR_INIT("*.VersionNotFound"), AWS_NOT_FOUND},
    {STR_INIT("fleetIdDoesNotExist"), AWS_NOT_FOUND},

    {STR_INIT("InternalError"), AWS_TRANSIENT},
    {STR_INIT("InternalFailure"), AWS_TRANSIENT},
    {STR_INIT("InternalServerError"), AWS_TRANSIENT},
    {STR_INIT("ServerInternal"), AWS_TRANSIENT},
    {STR_INIT("Unavailable"), AWS_TRANSIENT},
    {STR_INIT("ServiceUnavailable*"), AWS_TRANSIENT},
    {STR_INIT("RequestTimeout*"), AWS_TRANSIENT},
};

static bool matches(struct str code, struct str pattern) {
    if (str_ends_with(pattern, STR("*")))
        return str_starts_with(code, str_slice(pattern, 0, pattern.len - 1));
    if (str_starts_with(pattern, STR("*")))
        return str_ends_with(code, str_skip(pattern, 1));
    return str_equal(code, pattern);
}

enum aws_class aws_classify(struct str code, unsigned http_status) {
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (matches(code, codes[i].pattern))
            return codes[i].class;
    if (http_status == 429)
        return AWS_THROTTLED;
    if (code.len == 0 && http_status >= 200 && http_status < 300)
        return AWS_OK;
    if (http_status == 401 || (http_status == 403 && code.len == 0))
        return AWS_AUTH;
    if (http_status == 403)
        return AWS_DENIED;
    return http_status >= 500 ? AWS_TRANSIENT : AWS_INVALID;
}

const char *aws_class_name(enum aws_class class) {
    static const char *const names[AWS_CLASS_COUNT] = {
#define AWS_CLASS_WORD(name, word) [AWS_##name] = word,
        AWS_CLASS_MAP(AWS_CLASS_WORD)
#undef AWS_CLASS_WORD
    };
    must((unsigned)class < AWS_CLASS_COUNT);
    return names[class];
}
