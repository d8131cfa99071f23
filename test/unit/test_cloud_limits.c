/* Launch limits, client tokens, throttling. */
#include "cloud_kit.h"

static void a_launch_gets_between_its_minimum_and_maximum_or_nothing(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("c5.large=5"), NULL), 0);
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 6);
    kit_fault(&k, &r, "InsufficientInstanceCapacity");
    assert_int_equal(k.out.fault->http_status, 500);
    r.run_instances.min_count = 2;
    kit_ok(&k, &r);
    assert_int_equal(k.reply->run_instances.reservation.instances.count, 5);
    for (size_t n = 0; n < 5; n++)
        assert_int_equal(kit_instance(&k, n)->launch_index, n);
    kit_wait(&k, SECOND);
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "");
    kit_wait(&k, SECOND);
    r = kit_run(&k, 1);
    kit_ok(&k, &r); /* what has ended makes room */
    kit_fault(&k, &r, "InsufficientInstanceCapacity");
    kit_close(&k);
}

static void a_launch_without_zone_goes_where_there_is_room(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("*@us-east-1a=1"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("*@us-east-1b=9"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("*@us-east-1c=2"), NULL), 0);
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 4);
    r.run_instances.placement.zone = STR_EMPTY;
    kit_ok(&k, &r);
    for (size_t n = 0; n < 4; n++)
        assert_string_equal(cloud_zone_name(k.c, kit_instance(&k, n)->zone), "us-east-1b");
    kit_close(&k);
}

static void quotas_count_vcpus_by_market(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.spot_vcpus_max = 8;
    o.on_demand_vcpus_max = 4;
    kit_open(&k, &o);
    struct ec2_request spot = kit_run_spot(&k, 4);
    struct ec2_request on_demand = kit_run(&k, 2);
    kit_ok(&k, &spot);
    kit_ok(&k, &on_demand);
    kit_fault(&k, &spot, "MaxSpotInstanceCountExceeded");
    kit_fault(&k, &on_demand, "VcpuLimitExceeded");
    kit_close(&k);
}

/* A21: what has just ended counts for as long as it may be seen late. */
static void a21_the_quota_is_freed_some_time_after_the_end(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.on_demand_vcpus_max = 2;
    o.visible_ns = (struct cloud_range){3 * SECOND, 3 * SECOND};
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    kit_wait(&k, 3 * SECOND);
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "");
    kit_wait(&k, 2 * SECOND);
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_TERMINATED);
    kit_fault(&k, &run, "VcpuLimitExceeded");
    kit_wait(&k, 2 * SECOND);
    kit_ok(&k, &run);
    kit_close(&k);
}

static void a_spot_limit_is_compared_with_the_price_in_force(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.spot_ppm_min = o.spot_ppm_max = 400000; /* $0.034 */
    kit_open(&k, &o);
    struct ec2_request r = kit_run_spot(&k, 1);
    r.run_instances.market.spot.max_price = STR("0.0339");
    kit_fault(&k, &r, "SpotMaxPriceTooLow");
    r.run_instances.market.spot.max_price = STR("0.001");
    kit_fault(&k, &r, "InvalidParameterValue");
    r.run_instances.market.spot.max_price = STR("0.034");
    kit_ok(&k, &r);
    kit_close(&k);
}

static void wrong_launches_are_refused_by_name(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    r.run_instances.image_id = STR("ami-00000000000000001");
    kit_fault(&k, &r, "InvalidAMIID.NotFound");
    r.run_instances.image_id = STR("debian");
    kit_fault(&k, &r, "InvalidAMIID.Malformed");
    r.run_instances.image_id = STR("resolve:ssm:/aws/service/debian/release/12/latest/arm64");
    kit_fault(&k, &r, "InvalidParameterValue"); /* c5 is x86_64 */
    r.run_instances.instance_type = STR("c7g.large");
    kit_ok(&k, &r);
    r = kit_run(&k, 1);
    r.run_instances.group_ids = LIST(ec2_strs, STR("sg-00000000000000001"));
    kit_fault(&k, &r, "InvalidGroup.NotFound");
    r = kit_run(&k, 1);
    r.run_instances.key_name = STR("none");
    kit_fault(&k, &r, "InvalidKeyPair.NotFound");
    r = kit_run(&k, 1);
    r.run_instances.subnet_id = STR("subnet-00000000000000001");
    kit_fault(&k, &r, "InvalidSubnetID.NotFound");
    r = kit_run(&k, 1);
    r.run_instances.min_count = 2;
    kit_fault(&k, &r, "InvalidParameterValue");
    char data[USER_DATA_BYTES_MAX + 1];
    memset(data, '#', sizeof data);
    r = kit_run(&k, 1);
    r.run_instances.user_data = (struct str){data, sizeof data};
    kit_fault(&k, &r, "InvalidParameterValue");
    r.run_instances.user_data.len--;
    kit_ok(&k, &r);
    kit_close(&k);
}

static void a_dry_run_launches_nothing(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    r.dry_run = true;
    kit_fault(&k, &r, "DryRunOperation");
    assert_int_equal(k.out.fault->http_status, 412);
    assert_int_equal(kit_listed(&k, NULL), 0);
    kit_close(&k);
}

/* A7, for RunInstances */
static void a7_a_run_token_counts_in_its_zone_and_knows_a_dead_launch(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 2);
    r.run_instances.client_token = STR("7k2m-3");
    kit_ok(&k, &r);
    struct str id = arena_str(&k.arena, k.reply->run_instances.reservation.id);
    kit_wait(&k, SECOND);
    kit_ok(&k, &r);
    const struct ec2_reservation *again = &k.reply->run_instances.reservation;
    assert_true(str_equal(again->id, id));
    assert_int_equal(again->instances.count, 2);
    assert_int_equal(again->instances.items[0].state.code.value, 16); /* as it is now */
    r.run_instances.instance_type = STR("m5.large");
    kit_fault(&k, &r, "IdempotentParameterMismatch");
    r.run_instances.instance_type = STR("c5.large");
    r.run_instances.placement.zone = str_from(cloud_zone_name(k.c, 1));
    kit_ok(&k, &r); /* another zone: another launch */
    assert_int_equal(kit_listed(&k, NULL), 4);
    r.run_instances.placement.zone = str_from(cloud_zone_name(k.c, 0));
    for (size_t n = 0; n < 2; n++)
        assert_string_equal(kit_end(&k, kit_instance(&k, n)), "");
    kit_wait(&k, SECOND);
    kit_fault(&k, &r, "IdempotentInstanceTerminated");
    struct ec2_filters f = LIST(ec2_filters, {STR("client-token"), LIST(ec2_strs, STR("7k2m-3"))});
    assert_int_equal(kit_listed(&k, &f), 4); /* A20: a second way to what a lost reply made */
    kit_close(&k);
}

static void a_failed_launch_does_not_use_up_its_token(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("*=0"), NULL), 0);
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 1);
    r.run_instances.client_token = STR("7k2m-4");
    kit_fault(&k, &r, "InsufficientInstanceCapacity");
    cloud_capacity_set(k.c, NULL, 0);
    kit_ok(&k, &r);
    kit_close(&k);
}

static void template_tokens_work_too(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_CREATE_LAUNCH_TEMPLATE};
    r.create_launch_template.name = STR("one");
    r.create_launch_template.client_token = STR("t");
    r.create_launch_template.data.instance_type = STR("m5.large");
    kit_ok(&k, &r);
    struct str id = arena_str(&k.arena, k.reply->create_launch_template.template.id);
    kit_ok(&k, &r);
    assert_true(str_equal(k.reply->create_launch_template.template.id, id));
    r.create_launch_template.name = STR("two");
    kit_fault(&k, &r, "IdempotentParameterMismatch");
    kit_close(&k);
}

/* Calls of `r` that pass before the first RequestLimitExceeded. */
static int calls_until_throttled(struct kit *k, const struct ec2_request *r) {
    for (int n = 0; n < 2000; n++) {
        if (strcmp(kit_call(k, r), "RequestLimitExceeded") == 0) {
            assert_int_equal(k->out.fault->http_status, 503);
            return n;
        }
    }
    return -1;
}

/* A13 */
static void a13_each_action_has_a_bucket_that_refills(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.throttle = true;
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 1);
    assert_int_equal(calls_until_throttled(&k, &run), 5);
    kit_wait(&k, SECOND);
    assert_int_equal(calls_until_throttled(&k, &run), 2);
    struct ec2_request group = {.action = EC2_CREATE_SECURITY_GROUP};
    assert_int_equal(calls_until_throttled(&k, &group), 50);
    kit_wait(&k, SECOND);
    assert_int_equal(calls_until_throttled(&k, &group), 5);
    struct ec2_request list = {.action = EC2_DESCRIBE_INSTANCES};
    assert_int_equal(calls_until_throttled(&k, &list), 50); /* neither filters nor pages */
    list.describe_instances.max_results = 1000;
    assert_int_equal(calls_until_throttled(&k, &list), 100);
    kit_wait(&k, SECOND);
    assert_int_equal(calls_until_throttled(&k, &list), 20);
    struct cloud_totals t;
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.calls_throttled, 7);
    kit_close(&k);
}

/* A13: the second kind of bucket counts instances. */
static void a13_launches_and_terminations_also_cost_a_token_per_instance(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.throttle = true;
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 900);
    kit_ok(&k, &run);
    kit_fault(&k, &run, "RequestLimitExceeded");
    run = kit_run(&k, 100);
    kit_ok(&k, &run);
    run = kit_run(&k, 4);
    kit_fault(&k, &run, "RequestLimitExceeded");
    kit_wait(&k, 2 * SECOND);
    kit_ok(&k, &run);
    struct str ids[1000];
    for (size_t n = 0; n < 1000; n++)
        ids[n] = str_from(kit_instance(&k, n)->id);
    struct ec2_request end = kit_terminate(ids, 1000);
    kit_ok(&k, &end);
    end = kit_terminate(ids, 21);
    kit_fault(&k, &end, "RequestLimitExceeded");
    kit_wait(&k, SECOND);
    end = kit_terminate(ids, 20);
    kit_ok(&k, &end);
    kit_close(&k);
}

static void options_out_of_range_are_named(void **state) {
    (void)state;
    struct err err = {0};
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_check(&o, &err), 0);
    str_copy(o.region, sizeof o.region, STR("mars-north-1"));
    assert_int_equal(cloud_options_check(&o, &err), -ERR_CONFIG);
    assert_non_null(strstr(err.text, "mars-north-1"));
    o = kit_options();
    o.dud_ppm = 1000001;
    assert_int_equal(cloud_options_check(&o, &err), -ERR_CONFIG);
    o = kit_options();
    o.pending_ns = (struct cloud_range){2, 1};
    assert_int_equal(cloud_options_check(&o, &err), -ERR_CONFIG);
    o = kit_options();
    o.vpc_ip++;
    assert_int_equal(cloud_options_check(&o, &err), -ERR_CONFIG);
    static const char *const bad[] = {"",           "c5.large",   "=3", "c5.large@=3",
                                      "c5.large=x", "c5.large=-1"};
    for (size_t n = 0; n < ARRAY_LEN(bad); n++)
        assert_int_equal(cloud_options_capacity(&o, str_from(bad[n]), &err), -ERR_PARSE);
    assert_int_equal(o.capacity_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_launch_gets_between_its_minimum_and_maximum_or_nothing),
        cmocka_unit_test(a_launch_without_zone_goes_where_there_is_room),
        cmocka_unit_test(quotas_count_vcpus_by_market),
        cmocka_unit_test(a21_the_quota_is_freed_some_time_after_the_end),
        cmocka_unit_test(a_spot_limit_is_compared_with_the_price_in_force),
        cmocka_unit_test(wrong_launches_are_refused_by_name),
        cmocka_unit_test(a_dry_run_launches_nothing),
        cmocka_unit_test(a7_a_run_token_counts_in_its_zone_and_knows_a_dead_launch),
        cmocka_unit_test(a_failed_launch_does_not_use_up_its_token),
        cmocka_unit_test(template_tokens_work_too),
        cmocka_unit_test(a13_each_action_has_a_bucket_that_refills),
        cmocka_unit_test(a13_launches_and_terminations_also_cost_a_token_per_instance),
        cmocka_unit_test(options_out_of_range_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
