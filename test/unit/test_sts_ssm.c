#include "unit.h"

#include "codec/ssm.h"
#include "codec/sts.h"

#define IS(view, text) assert_true(str_equal(view, str_from(text)))

static void an_identity_travels_there_and_back(void **state UNUSED) {
    struct buf out = BUF_INIT(4000);
    struct ec2_fault fault;
    sts_get_caller_identity_encode(&out);
    assert_text(&out, "Action=GetCallerIdentity&Version=2011-06-15");
    assert_int_equal(sts_get_caller_identity_decode(buf_str(&out), &fault), 0);
    assert_int_equal(sts_get_caller_identity_decode(STR("Action=AssumeRole"), &fault), -1);
    assert_string_equal(fault.code, "InvalidAction");
    assert_int_equal(sts_get_caller_identity_decode(STR(""), &fault), -1);
    assert_string_equal(fault.code, "MissingAction");
    struct sts_identity in = {STR("AIDA"), STR("123456789012"), STR("arn:aws:iam::1:user/<x>")};
    struct sts_identity back;
    struct arena arena = {0};
    buf_reset(&out);
    sts_identity_encode(&in, STR("r-1"), &out);
    assert_int_equal(sts_identity_decode(buf_str(&out), &arena, &back, &fault, NULL), 0);
    IS(back.user_id, "AIDA");
    IS(back.account, "123456789012");
    IS(back.arn, "arn:aws:iam::1:user/<x>");
    arena_deinit(&arena);
    buf_deinit(&out);
}

static void errors_of_sts_have_their_own_form(void **state UNUSED) {
    struct buf out = BUF_INIT(4000);
    struct ec2_fault fault, back;
    struct sts_identity identity;
    struct arena arena = {0};
    ec2_fault_set(&fault, "InvalidClientTokenId", "The key is not known");
    sts_fault_encode(&fault, STR("r-1"), &out);
    assert_true(str_contains(buf_str(&out), STR("<ErrorResponse")));
    assert_true(str_contains(buf_str(&out), STR("<Type>Sender</Type>")));
    assert_int_equal(ec2_fault_decode(403, buf_str(&out), &back, NULL), 0);
    assert_string_equal(back.code, "InvalidClientTokenId");
    assert_int_equal(sts_identity_decode(buf_str(&out), &arena, &identity, &back, NULL),
                     -ERR_REMOTE);
    assert_int_equal(sts_identity_decode(STR("<a/>"), &arena, &identity, &back, NULL),
                     -ERR_PROTOCOL);
    arena_deinit(&arena);
    buf_deinit(&out);
}

static void one_parameter_travels_there_and_back(void **state UNUSED) {
    struct arena arena = {0};
    struct buf out = BUF_INIT(4000);
    struct ec2_fault fault;
    struct str name = STR("/aws/service/\"x\"");
    struct ssm_request in = {.action = SSM_GET_PARAMETER, .names = {&name, 1}}, request;
    ssm_request_encode(&in, &out);
    assert_text(&out, "{\"Name\":\"/aws/service/\\\"x\\\"\"}");
    assert_int_equal(
        ssm_request_decode(ssm_target(SSM_GET_PARAMETER), buf_str(&out), &arena, &request, &fault),
        0);
    assert_int_equal(request.names.count, 1);
    assert_true(str_equal(request.names.items[0], name));
    struct ssm_parameter p = {.name = name,
                              .type = STR("String"),
                              .value = STR("ami-1"),
                              .version = 182,
                              .data_type = STR("aws:ec2:image"),
                              .modified_unix_ms = 1785180978767};
    struct ssm_reply reply = {.action = SSM_GET_PARAMETER, .parameters = {&p, 1}}, back;
    buf_reset(&out);
    ssm_reply_encode(&reply, &out);
    assert_int_equal(ssm_reply_decode(SSM_GET_PARAMETER, buf_str(&out), &arena, &back, NULL), 0);
    IS(back.parameters.items[0].value, "ami-1");
    assert_int_equal(back.parameters.items[0].version, 182);
    assert_int_equal(back.parameters.items[0].modified_unix_ms, 1785180978767);
    IS(back.parameters.items[0].data_type, "aws:ec2:image");
    arena_deinit(&arena);
    buf_deinit(&out);
}

static void several_parameters_name_the_missing_ones(void **state UNUSED) {
    struct arena arena = {0};
    struct buf out = BUF_INIT(4000);
    struct ec2_fault fault;
    struct str names[] = {STR("/a"), STR("/b")};
    struct ssm_request in = {.action = SSM_GET_PARAMETERS, .names = {names, 2}}, request;
    ssm_request_encode(&in, &out);
    assert_int_equal(
        ssm_request_decode(STR("AmazonSSM.GetParameters"), buf_str(&out), &arena, &request, &fault),
        0);
    assert_int_equal(request.names.count, 2);
    struct ssm_parameter p = {.name = names[0], .type = STR("String"), .value = STR("v")};
    struct ssm_reply reply = {
        .action = SSM_GET_PARAMETERS, .parameters = {&p, 1}, .invalid = {&names[1], 1}};
    struct ssm_reply back;
    buf_reset(&out);
    ssm_reply_encode(&reply, &out);
    assert_int_equal(ssm_reply_decode(SSM_GET_PARAMETERS, buf_str(&out), &arena, &back, NULL), 0);
    assert_int_equal(back.parameters.count, 1);
    assert_int_equal(back.invalid.count, 1);
    IS(back.invalid.items[0], "/b");
    arena_deinit(&arena);
    buf_deinit(&out);
}

static void expect_fault(const char *target, const char *body, const char *code) {
    struct arena arena = {0};
    struct ssm_request request;
    struct ec2_fault fault;
    assert_int_equal(ssm_request_decode(str_from(target), str_from(body), &arena, &request, &fault),
                     -1);
    assert_string_equal(fault.code, code);
    arena_deinit(&arena);
}

static void wrong_requests_of_ssm_get_faults(void **state UNUSED) {
    expect_fault("AmazonSSM.PutParameter", "{}", "UnknownOperationException");
    expect_fault("", "{}", "UnknownOperationException");
    expect_fault("AmazonSSM.GetParameter", "", "SerializationException");
    expect_fault("AmazonSSM.GetParameter", "[]", "SerializationException");
    expect_fault("AmazonSSM.GetParameter", "{\"Name\":\"a\",\"Name\":\"b\"}",
                 "SerializationException");
    expect_fault("AmazonSSM.GetParameter", "{}", "ValidationException");
    expect_fault("AmazonSSM.GetParameter", "{\"Name\":1}", "ValidationException");
    expect_fault("AmazonSSM.GetParameters", "{\"Names\":[]}", "ValidationException");
    expect_fault("AmazonSSM.GetParameters", "{\"Names\":[1]}", "ValidationException");
    expect_fault("AmazonSSM.GetParameters",
                 "{\"Names\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\","
                 "\"11\"]}",
                 "ValidationException");
}

static void faults_of_ssm_are_json_and_drop_their_namespace(void **state UNUSED) {
    struct buf out = BUF_INIT(4000);
    struct ec2_fault fault, back;
    ec2_fault_set(&fault, "ParameterNotFound", "Parameter %s not found.", "/x");
    ssm_fault_encode(&fault, &out);
    assert_text(&out, "{\"__type\":\"ParameterNotFound\",\"message\":\"Parameter /x not found.\"}");
    assert_int_equal(ssm_fault_decode(400, buf_str(&out), &back, NULL), 0);
    assert_string_equal(back.message, "Parameter /x not found.");
    assert_int_equal(ssm_fault_decode(400,
                                      STR("{\"__type\":\"com.amazonaws.ssm#ThrottlingException\","
                                          "\"Message\":\"slow\"}"),
                                      &back, NULL),
                     0);
    assert_string_equal(back.code, "ThrottlingException");
    assert_string_equal(back.message, "slow");
    assert_int_equal(ssm_fault_decode(500, STR("<html>"), &back, NULL), -ERR_PROTOCOL);
    assert_int_equal(ssm_fault_decode(500, STR("{}"), &back, NULL), -ERR_PROTOCOL);
    buf_deinit(&out);
}

static void replies_without_what_was_asked_are_refused(void **state UNUSED) {
    struct arena arena = {0};
    struct ssm_reply reply;
    const char *bad[] = {"", "{}", "{\"Parameter\":{}}", "{\"Parameter\":{\"Name\":\"a\"}}",
                         "{\"Parameter\":[]}"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(
            ssm_reply_decode(SSM_GET_PARAMETER, str_from(bad[i]), &arena, &reply, NULL),
            -ERR_PROTOCOL);
    assert_int_equal(ssm_reply_decode(SSM_GET_PARAMETERS, STR("{}"), &arena, &reply, NULL),
                     -ERR_PROTOCOL);
    arena_deinit(&arena);
}

UNIT_MAIN(T(an_identity_travels_there_and_back), T(errors_of_sts_have_their_own_form),
          T(one_parameter_travels_there_and_back), T(several_parameters_name_the_missing_ones),
          T(wrong_requests_of_ssm_get_faults), T(faults_of_ssm_are_json_and_drop_their_namespace),
          T(replies_without_what_was_asked_are_refused))
