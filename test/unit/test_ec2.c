#include "unit.h"

#include "base/when.h"
#include "codec/ec2.h"
#include "codec/ec2_tables.h"

/* --- every field of every call, filled by its table --- */

struct filler {
    struct arena *arena;
    unsigned next; /* makes values differ */
    unsigned depth;
    bool form; /* only members that travel in requests; else: in replies */
};

static void fill(struct filler *f, const struct fields *fields, void *into);

static void fill_list(struct filler *f, const struct field *field, void *at) {
    size_t size = field->kind == FIELD_STRS ? sizeof(struct str) : field->child->size;
    size_t count = f->depth++ == 0 ? 12 : 2; /* two digits sort by value */
    struct ec2_strs list = {.items = arena_new_array(f->arena, count, size), .count = count};
    for (size_t i = 0; i < list.count; i++) {
        if (field->kind == FIELD_STRS)
            list.items[i] = str_from(arena_printf(f->arena, "text <%u> & more", f->next++));
        else
            fill(f, field->child, (char *)(void *)list.items + i * size);
    }
    memcpy(at, &list, sizeof list);
    f->depth--;
}

static void fill_field(struct filler *f, const struct field *field, void *base) {
    void *at = (char *)base + field->offset;
    struct str text = str_from(arena_printf(f->arena, "v%u=\xc3\xa4 %%+", f->next));
    int64_t number = f->next++;
    switch ((enum field_kind)field->kind) {
    case FIELD_STR:
    case FIELD_BLOB:
        *(struct str *)at = text;
        break;
    case FIELD_BOOL:
        *(bool *)at = true;
        break;
    case FIELD_FLAG:
        *(enum ec2_flag *)at = number % 2 ? EC2_TRUE : EC2_FALSE;
        break;
    case FIELD_INT:
    case FIELD_MICRO:
    case FIELD_PRICE:
        *(int64_t *)at = number;
        break;
    case FIELD_OPT:
    case FIELD_OPTMICRO:
        *(struct ec2_int *)at = EC2_INT(number % 7 == 0 ? 0 : number * 500000);
        break;
    case FIELD_TIME:
        *(int64_t *)at = 1763600000000 + number * 1000;
        break;
    case FIELD_STRS:
    case FIELD_LIST:
        fill_list(f, field, at);
        break;
    case FIELD_SUB:
    case FIELD_INLINE:
        fill(f, field->child, at);
        break;
    }
}

static void fill(struct filler *f, const struct fields *fields, void *into) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        if (f->form ? field->form != NULL : field->xml != NULL)
            fill_field(f, field, into);
    }
}

static const struct fields *const in_tables[] = {
#define IN_TABLE(name, wire, member) &ec2_##member##_in_fields,
    EC2_ACTION_MAP(IN_TABLE)};
static const struct fields *const out_tables[] = {
#define OUT_TABLE(name, wire, member) &ec2_##member##_out_fields,
    EC2_ACTION_MAP(OUT_TABLE)};

#define IN_AT offsetof(struct ec2_request, create_fleet)
#define OUT_AT offsetof(struct ec2_reply, create_fleet)

static struct ec2_request *full_request(struct arena *arena, unsigned action) {
    struct ec2_request *r = arena_new(arena, sizeof *r);
    struct filler f = {.arena = arena, .next = 1, .form = true};
    r->action = (enum ec2_action)action;
    fill(&f, in_tables[action], (char *)r + IN_AT);
    return r;
}

static void every_request_survives_the_form(void **state UNUSED) {
    for (unsigned action = 0; action < EC2_ACTION_COUNT; action++) {
        struct arena arena = {0};
        struct ec2_request *request = full_request(&arena, action), back;
        struct buf form = BUF_INIT(4 * MIB), again = BUF_INIT(4 * MIB);
        ec2_request_encode(request, &form);
        assert_true(buf_ok(&form));
        struct ec2_fault fault;
        if (ec2_request_decode(buf_str(&form), &arena, &back, &fault) < 0)
            fail_msg("%s: %s", fault.code, fault.message);
        assert_int_equal(back.action, action);
        ec2_request_encode(&back, &again);
        assert_string_equal(buf_text(&again), buf_text(&form));
        assert_true(ec2_request_hash(request) == ec2_request_hash(&back));
        buf_deinit(&form);
        buf_deinit(&again);
        arena_deinit(&arena);
    }
}

static void every_reply_survives_the_xml(void **state UNUSED) {
    for (unsigned action = 0; action < EC2_ACTION_COUNT; action++) {
        struct arena arena = {0};
        struct ec2_reply *reply = arena_new(&arena, sizeof *reply), back;
        struct filler f = {.arena = &arena, .next = 1};
        reply->action = (enum ec2_action)action;
        reply->request_id = STR("7c5a-11");
        fill(&f, out_tables[action], (char *)reply + OUT_AT);
        struct buf xml = BUF_INIT(4 * MIB), again = BUF_INIT(4 * MIB);
        ec2_reply_encode(reply, &xml);
        assert_true(buf_ok(&xml));
        struct ec2_fault fault;
        struct err err = {0};
        if (ec2_reply_decode(reply->action, buf_str(&xml), &arena, &back, &fault, &err) < 0)
            fail_msg("%s", err.text);
        assert_true(str_equal(back.request_id, STR("7c5a-11")));
        ec2_reply_encode(&back, &again);
        assert_string_equal(buf_text(&again), buf_text(&xml));
        buf_deinit(&xml);
        buf_deinit(&again);
        arena_deinit(&arena);
    }
}

static void an_empty_request_sends_only_action_and_version(void **state UNUSED) {
    struct ec2_request request = {.action = EC2_DESCRIBE_INSTANCES};
    struct buf form = BUF_INIT(1000);
    ec2_request_encode(&request, &form);
    assert_string_equal(buf_text(&form), "Action=DescribeInstances&Version=2016-11-15");
    buf_deinit(&form);
}

static void a_fleet_is_encoded_as_botocore_does(void **state UNUSED) {
    struct ec2_fleet_override overrides[] = {{.instance_type = STR("m5.large"),
                                              .subnet_id = STR("subnet-1"),
                                              .weight_micro = EC2_INT(1500000)}};
    struct ec2_fleet_config configs[] = {
        {.template = {.id = STR("lt-1"), .version = STR("$Latest")}, .overrides = {overrides, 1}}};
    struct ec2_tag tags[] = {{STR("dayfly:run"), STR("7k2m")}, {STR("empty"), EC2_EMPTY}};
    struct ec2_tag_spec specs[] = {{STR("instance"), {tags, 2}}};
    struct ec2_request request = {.action = EC2_CREATE_FLEET, .dry_run = true};
    request.create_fleet = (struct ec2_create_fleet_in){
        .type = STR("instant"),
        .client_token = STR("7k2m-1"),
        .configs = {configs, 1},
        .target = {.total = EC2_INT(3), .default_type = STR("spot")},
        .spot = {.strategy = STR("price-capacity-optimized")},
        .tag_specs = {specs, 1},
    };
    struct buf form = BUF_INIT(4000);
    ec2_request_encode(&request, &form);
    assert_string_equal(
        buf_text(&form),
        "Action=CreateFleet&Version=2016-11-15&DryRun=true&ClientToken=7k2m-1"
        "&SpotOptions.AllocationStrategy=price-capacity-optimized"
        "&LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateId=lt-1"
        "&LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version=%24Latest"
        "&LaunchTemplateConfigs.1.Overrides.1.InstanceType=m5.large"
        "&LaunchTemplateConfigs.1.Overrides.1.SubnetId=subnet-1"
        "&LaunchTemplateConfigs.1.Overrides.1.WeightedCapacity=1.5"
        "&TargetCapacitySpecification.TotalTargetCapacity=3"
        "&TargetCapacitySpecification.DefaultTargetCapacityType=spot&Type=instant"
        "&TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=dayfly%3Arun"
        "&TagSpecification.1.Tag.1.Value=7k2m&TagSpecification.1.Tag.2.Key=empty"
        "&TagSpecification.1.Tag.2.Value=");
    assert_true(str_equal(ec2_request_client_token(&request), STR("7k2m-1")));
    buf_deinit(&form);
}

/* --- decoding of requests --- */

static void expect_fault(const char *body, const char *code, const char *in_message) {
    struct arena arena = {0};
    struct ec2_request request;
    struct ec2_fault fault;
    assert_int_equal(ec2_request_decode(str_from(body), &arena, &request, &fault), -1);
    assert_string_equal(fault.code, code);
    if (!strstr(fault.message, in_message))
        fail_msg("'%s' is not in '%s'", in_message, fault.message);
    assert_int_equal(fault.http_status, 400);
    arena_deinit(&arena);
}

#define V "&Version=2016-11-15"

static void wrong_requests_get_the_faults_of_aws(void **state UNUSED) {
    expect_fault("", "MissingAction", "Action");
    expect_fault("Action=DescribeInstances", "MissingParameter", "Version");
    expect_fault("Action=DescribeInstances&Version=2009-01-01", "NoSuchVersion", "2009-01-01");
    expect_fault("Action=DescribeNothing" V, "InvalidAction", "DescribeNothing");
    expect_fault("Action=DescribeInstances" V "&InstnceId.1=i-1", "UnknownParameter",
                 "InstnceId.1");
    expect_fault("Action=DescribeInstances" V "&InstanceId=i-1", "UnknownParameter", "InstanceId");
    expect_fault("Action=DescribeInstances" V "&InstanceId.x=i-1", "UnknownParameter",
                 "InstanceId.x");
    expect_fault("Action=DescribeInstances" V "&InstanceId.0=i-1", "UnknownParameter",
                 "InstanceId.0");
    expect_fault("Action=DescribeInstances" V "&InstanceId.1.Name=i-1", "UnknownParameter",
                 "InstanceId.1.Name");
    expect_fault("Action=DescribeInstances" V "&Filter.1=x", "UnknownParameter", "Filter.1");
    expect_fault("Action=DescribeInstances" V "&MaxResults=5&MaxResults=6",
                 "InvalidParameterCombination", "MaxResults");
    expect_fault("Action=DescribeInstances" V "&MaxResults=five", "InvalidParameterValue", "five");
    expect_fault("Action=DescribeInstances" V "&a%zz=1", "MalformedQueryString", "a%zz");
    expect_fault("Action=DescribeInstances" V "&.=1", "UnknownParameter", ".");
    expect_fault("Action=DescribeInstances" V "&a.b.c.d.e.f.g.h.i.j.k.l.m=1", "UnknownParameter",
                 "a.b");
    expect_fault("Action=TerminateInstances" V, "MissingParameter", "InstanceId");
    expect_fault("Action=RunInstances" V "&MinCount=1", "MissingParameter", "MaxCount");
    expect_fault("Action=RunInstances" V "&MinCount=0&MaxCount=1", "InvalidParameterValue",
                 "MinCount");
    expect_fault("Action=RunInstances" V "&MinCount=1&MaxCount=1&EbsOptimized=maybe",
                 "InvalidParameterValue", "maybe");
    expect_fault("Action=RunInstances" V "&MinCount=1&MaxCount=1&UserData=%24%24",
                 "InvalidUserData.Malformed", "BASE64");
    expect_fault("Action=CreateFleet" V "&LaunchTemplateConfigs.1.Overrides.1.InstanceType=a",
                 "MissingParameter", "TargetCapacitySpecification");
    expect_fault("Action=CreateFleet" V "&LaunchTemplateConfigs.1.Overrides.1.InstanceType=a"
                 "&TargetCapacitySpecification.SpotTargetCapacity=1",
                 "MissingParameter", "TotalTargetCapacity");
    expect_fault("Action=DeleteFleets" V "&FleetId.1=fleet-1", "MissingParameter",
                 "TerminateInstances");
}

static void list_items_are_ordered_by_number_and_gaps_are_closed(void **state UNUSED) {
    struct arena arena = {0};
    struct ec2_request request;
    struct ec2_fault fault;
    assert_int_equal(ec2_request_decode(STR("InstanceId.10=c&InstanceId.9=b&Version=2016-11-15"
                                            "&InstanceId.2=a&Action=DescribeInstances"),
                                        &arena, &request, &fault),
                     0);
    struct ec2_strs ids = request.describe_instances.ids;
    assert_int_equal(ids.count, 3);
    assert_true(str_equal(ids.items[0], STR("a")) && str_equal(ids.items[1], STR("b")) &&
                str_equal(ids.items[2], STR("c")));
    arena_deinit(&arena);
}

static void a_request_of_a_real_client_is_understood(void **state UNUSED) {
    struct arena arena = {0};
    struct ec2_request r;
    struct ec2_fault fault;
    assert_int_equal(
        ec2_request_decode(
            STR("Action=RunInstances&Version=2016-11-15&DryRun=true&MinCount=1&MaxCount=2"
                "&UserData=IyEvYmluL3NoCg%3D%3D&InstanceMarketOptions.MarketType=spot"
                "&InstanceMarketOptions.SpotOptions.SpotInstanceType=one-time"
                "&BlockDeviceMapping.1.DeviceName=%2Fdev%2Fxvda&BlockDeviceMapping.1.Ebs."
                "VolumeSize=20&Monitoring.Enabled=false&TagSpecification.1.ResourceType=instance"
                "&TagSpecification.1.Tag.1.Key=a+b&TagSpecification.1.Tag.1.Value="
                "&X-Amz-Algorithm=AWS4-HMAC-SHA256"),
            &arena, &r, &fault),
        0);
    assert_int_equal(r.action, EC2_RUN_INSTANCES);
    assert_true(r.dry_run);
    assert_int_equal(r.run_instances.max_count, 2);
    assert_true(str_equal(r.run_instances.user_data, STR("#!/bin/sh\n")));
    assert_true(str_equal(r.run_instances.market.type, STR("spot")));
    assert_true(str_equal(r.run_instances.market.spot.type, STR("one-time")));
    assert_int_equal(r.run_instances.disks.items[0].ebs.size_gib, 20);
    assert_int_equal(r.run_instances.monitoring, EC2_FALSE);
    struct ec2_tag tag = r.run_instances.tag_specs.items[0].tags.items[0];
    assert_true(str_equal(tag.key, STR("a b")));
    assert_true(tag.value.ptr && tag.value.len == 0);
    arena_deinit(&arena);
}

static void the_hash_ignores_only_the_client_token(void **state UNUSED) {
    struct ec2_request a = {.action = EC2_RUN_INSTANCES};
    a.run_instances.min_count = 1;
    a.run_instances.max_count = 1;
    struct ec2_request b = a;
    b.run_instances.client_token = STR("t");
    assert_true(ec2_request_hash(&a) == ec2_request_hash(&b));
    b.run_instances.max_count = 2;
    assert_true(ec2_request_hash(&a) != ec2_request_hash(&b));
}

static void next_tokens_are_found_by_name(void **state UNUSED) {
    struct ec2_request r = {.action = EC2_DESCRIBE_FLEETS};
    *ec2_request_next_token(&r) = STR("t");
    assert_true(str_equal(r.describe_fleets.next_token, STR("t")));
    struct ec2_reply reply = {.action = EC2_DESCRIBE_TAGS};
    assert_null(ec2_reply_next_token(&reply).ptr);
    reply.describe_tags.next_token = STR("u");
    assert_true(str_equal(ec2_reply_next_token(&reply), STR("u")));
    r.action = EC2_CREATE_TAGS;
    assert_null(ec2_request_next_token(&r));
}

/* --- replies --- */

static int decode(enum ec2_action action, const char *body, struct ec2_fault *fault) {
    struct arena arena = {0};
    struct ec2_reply reply;
    struct err err = {0};
    int result = ec2_reply_decode(action, str_from(body), &arena, &reply, fault, &err);
    arena_deinit(&arena);
    return result;
}

static void wrong_replies_are_refused(void **state UNUSED) {
    struct ec2_fault fault;
    assert_int_equal(decode(EC2_DESCRIBE_REGIONS, "<html>no</html>", &fault), -ERR_PROTOCOL);
    assert_int_equal(decode(EC2_DESCRIBE_REGIONS, "<DescribeVpcsResponse/>", &fault),
                     -ERR_PROTOCOL);
    assert_int_equal(decode(EC2_DESCRIBE_REGIONS, "<DescribeRegionsResponse><regionInfo>", &fault),
                     -ERR_PROTOCOL);
    assert_int_equal(decode(EC2_DESCRIBE_REGIONS, "", &fault), -ERR_PROTOCOL);
    assert_int_equal(decode(EC2_DESCRIBE_VPCS,
                            "<DescribeVpcsResponse><vpcSet><item><isDefault>maybe</isDefault>"
                            "</item></vpcSet></DescribeVpcsResponse>",
                            &fault),
                     -ERR_PROTOCOL);
}

static void an_error_body_under_status_200_is_an_error(void **state UNUSED) {
    struct ec2_fault fault;
    assert_int_equal(decode(EC2_RUN_INSTANCES,
                            "<Response><Errors><Error><Code>InternalError</Code><Message>m"
                            "</Message></Error></Errors><RequestID>r</RequestID></Response>",
                            &fault),
                     -ERR_REMOTE);
    assert_string_equal(fault.code, "InternalError");
}

static void unknown_elements_of_a_reply_are_skipped(void **state UNUSED) {
    struct arena arena = {0};
    struct ec2_reply reply;
    struct ec2_fault fault;
    assert_int_equal(
        ec2_reply_decode(
            EC2_DESCRIBE_INSTANCES,
            STR("<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">"
                "<requestId>r-1</requestId><reservationSet><item><new><deep>1</deep></new>"
                "<reservationId>r-2</reservationId><groupSet/><instancesSet><item>"
                "<instanceId>i-1</instanceId><instanceState><code>0</code><name>pending</name>"
                "</instanceState><launchTime>2026-11-20T16:08:03.000Z</launchTime>"
                "<stateReason><code/><message/></stateReason><networkInterfaceSet/>"
                "</item></instancesSet></item></reservationSet></DescribeInstancesResponse>"),
            &arena, &reply, &fault, NULL),
        0);
    struct ec2_reservation *r = reply.describe_instances.reservations.items;
    assert_int_equal(reply.describe_instances.reservations.count, 1);
    assert_true(str_equal(r->id, STR("r-2")));
    struct ec2_instance *i = r->instances.items;
    assert_true(i->state.code.set && i->state.code.value == 0);
    assert_true(i->launched_unix_ms == 1795190883000);
    assert_null(i->lifecycle.ptr);
    assert_true(i->state_reason.code.ptr && i->state_reason.code.len == 0);
    arena_deinit(&arena);
}

static void faults_travel_both_ways_and_escape_their_text(void **state UNUSED) {
    struct ec2_fault fault, back;
    assert_int_equal(ec2_fault_set(&fault, "InvalidInstanceID.NotFound",
                                   "The instance ID '%s' does not exist", "<i>&"),
                     -1);
    struct buf xml = BUF_INIT(4000);
    ec2_fault_encode(&fault, STR("r-1"), &xml);
    assert_string_equal(buf_text(&xml),
                        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error>"
                        "<Code>InvalidInstanceID.NotFound</Code><Message>The instance ID "
                        "'&lt;i&gt;&amp;' does not exist</Message></Error></Errors>"
                        "<RequestID>r-1</RequestID></Response>");
    assert_int_equal(ec2_fault_decode(400, buf_str(&xml), &back, NULL), 0);
    assert_string_equal(back.code, fault.code);
    assert_string_equal(back.message, fault.message);
    buf_deinit(&xml);
    assert_int_equal(ec2_fault_decode(502, STR("Bad Gateway"), &back, NULL), -ERR_PROTOCOL);
    assert_int_equal(back.http_status, 502);
    assert_string_equal(back.code, "");
}

static void the_status_of_a_fault_follows_its_code(void **state UNUSED) {
    assert_int_equal(ec2_fault_status(STR("InsufficientInstanceCapacity")), 500);
    assert_int_equal(ec2_fault_status(STR("RequestLimitExceeded")), 503);
    assert_int_equal(ec2_fault_status(STR("AuthFailure")), 401);
    assert_int_equal(ec2_fault_status(STR("UnauthorizedOperation")), 403);
    assert_int_equal(ec2_fault_status(STR("DryRunOperation")), 412);
    assert_int_equal(ec2_fault_status(STR("InvalidParameterValue")), 400);
}

static void describing_does_not_mutate_and_the_rest_does(void **state UNUSED) {
    assert_false(ec2_action_mutates(EC2_DESCRIBE_INSTANCES));
    assert_false(ec2_action_mutates(EC2_GET_CONSOLE_OUTPUT));
    assert_true(ec2_action_mutates(EC2_CREATE_FLEET));
    assert_true(ec2_action_mutates(EC2_TERMINATE_INSTANCES));
    enum ec2_action action;
    assert_true(ec2_action_find(STR("CreateFleet"), &action));
    assert_int_equal(action, EC2_CREATE_FLEET);
    assert_false(ec2_action_find(STR("createfleet"), &action));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_survives_the_form),
        cmocka_unit_test(every_reply_survives_the_xml),
        cmocka_unit_test(an_empty_request_sends_only_action_and_version),
        cmocka_unit_test(a_fleet_is_encoded_as_botocore_does),
        cmocka_unit_test(wrong_requests_get_the_faults_of_aws),
        cmocka_unit_test(list_items_are_ordered_by_number_and_gaps_are_closed),
        cmocka_unit_test(a_request_of_a_real_client_is_understood),
        cmocka_unit_test(the_hash_ignores_only_the_client_token),
        cmocka_unit_test(next_tokens_are_found_by_name),
        cmocka_unit_test(wrong_replies_are_refused),
        cmocka_unit_test(an_error_body_under_status_200_is_an_error),
        cmocka_unit_test(unknown_elements_of_a_reply_are_skipped),
        cmocka_unit_test(faults_travel_both_ways_and_escape_their_text),
        cmocka_unit_test(the_status_of_a_fault_follows_its_code),
        cmocka_unit_test(describing_does_not_mutate_and_the_rest_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
