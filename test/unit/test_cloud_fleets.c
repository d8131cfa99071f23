/* Instant fleets: which pools are drawn from, what is answered, what is refused. */
#include "cloud_kit.h"

static struct ec2_fleet_overrides three_types(void) {
    static struct ec2_fleet_override items[3];
    memset(items, 0, sizeof items);
    items[0].instance_type = STR("c5.large");
    items[1].instance_type = STR("m5.large");
    items[2].instance_type = STR("c6i.large");
    return (struct ec2_fleet_overrides){items, 3};
}

static const struct ec2_create_fleet_out *made(const struct kit *k) {
    return &k->reply->create_fleet;
}

static void a_fleet_with_capacity_gets_all_it_asks_for(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str lt = kit_template(&k);
    struct ec2_request r = kit_fleet(&k, lt, 8, three_types());
    r.create_fleet.tag_specs =
        LIST(ec2_tag_specs, {STR("instance"), LIST(ec2_tags, {STR("dayfly:run"), STR("7k2m")})});
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 8);
    assert_int_equal(made(&k)->errors.count, 0);
    const struct cloud_instance *i = kit_instance(&k, 0);
    assert_true(i->spot);
    assert_true(i->shutdown_terminates);
    assert_string_equal((const char *)i->user_data, "#!/bin/sh\n");
    char id[64];
    str_copy(id, sizeof id, made(&k)->fleet_id);
    struct ec2_filters own =
        LIST(ec2_filters, {STR("tag:aws:ec2:fleet-id"), LIST(ec2_strs, str_from(id))},
             {STR("tag:dayfly:run"), LIST(ec2_strs, STR("7k2m"))},
             {STR("tag:aws:ec2launchtemplate:version"), LIST(ec2_strs, STR("1"))});
    assert_int_equal(kit_listed(&k, &own), 8);
    assert_true(str_starts_with(str_from(i->client_token), str_from(id)));
    kit_close(&k);
}

/* A3 */
static void a3_describe_fleets_hides_an_instant_fleet_unless_it_is_named(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 2, three_types());
    kit_ok(&k, &r);
    struct str id = arena_str(&k.arena, made(&k)->fleet_id);
    struct ec2_request d = {.action = EC2_DESCRIBE_FLEETS};
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_fleets.fleets.count, 0);
    d.describe_fleets.ids = LIST(ec2_strs, id);
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_fleets.fleets.count, 1);
    const struct ec2_fleet *f = &k.reply->describe_fleets.fleets.items[0];
    assert_true(str_equal(f->activity, STR("fulfilled")));
    assert_true(str_equal(f->state, STR("active")));
    assert_int_equal(f->instances.items[0].ids.count, 2);
    assert_int_equal(f->target.total.value, 2);
    kit_close(&k);
}

/* A4 */
static void a4_a_fleet_without_type_is_maintain_and_refused(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 2, three_types());
    r.create_fleet.type = STR_EMPTY;
    kit_fault(&k, &r, "UnsupportedOperation");
    r.create_fleet.type = STR("request");
    kit_fault(&k, &r, "UnsupportedOperation");
    r.create_fleet.type = STR("sometimes");
    kit_fault(&k, &r, "InvalidParameterValue");
    struct cloud_totals t;
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.instances, 0);
    kit_close(&k);
}

/* A5 */
static void a5_a_partial_fleet_has_instances_and_errors(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("c5.large@us-east-1a=3"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("spot:m5.*=1"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("c6i.large=0"), NULL), 0);
    o.zones = 1;
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 8, three_types());
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 4);
    assert_int_equal(made(&k)->instances.count, 2);
    assert_int_equal(made(&k)->errors.count, 3);
    for (size_t n = 0; n < 3; n++) {
        const struct ec2_fleet_error *e = &made(&k)->errors.items[n];
        assert_true(e->choice.override.instance_type.len > 0);
        assert_true(str_equal(e->lifecycle, STR("spot")));
        assert_true(str_equal(e->code, STR("UnfulfillableCapacity")) ||
                    str_equal(e->code, STR("InsufficientInstanceCapacity")));
    }
    kit_close(&k);
}

static void a_fleet_without_any_capacity_succeeds_with_nothing(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("*=0"), NULL), 0);
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 8, three_types());
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 0);
    assert_int_equal(made(&k)->errors.count, 9);
    assert_true(made(&k)->fleet_id.len > 0);
    kit_close(&k);
}

static void a_rule_over_many_pools_is_shared_by_them_all(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("*=5"), NULL), 0);
    kit_open(&k, &o);
    struct str lt = kit_template(&k);
    static const char *const strategies[] = {"diversified", "lowest-price",
                                             "price-capacity-optimized", "capacity-optimized"};
    for (size_t n = 0; n < ARRAY_LEN(strategies); n++) {
        struct ec2_request r = kit_fleet(&k, lt, 8, three_types());
        r.create_fleet.spot.strategy = str_from(strategies[n]);
        kit_ok(&k, &r);
        assert_int_equal(kit_fleet_launched(&k), n == 0 ? 5 : 0);
    }
    kit_close(&k);
}

static void lowest_price_takes_the_cheapest_pool(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 6, three_types());
    r.create_fleet.spot.strategy = STR("lowest-price");
    kit_ok(&k, &r);
    assert_int_equal(made(&k)->instances.count, 1);
    struct str zone = arena_str(&k.arena, made(&k)->instances.items[0].zone);
    struct str type = arena_str(&k.arena, made(&k)->instances.items[0].instance_type);
    struct ec2_request h = {.action = EC2_DESCRIBE_SPOT_PRICE_HISTORY};
    h.describe_spot_price_history.instance_types =
        LIST(ec2_strs, STR("c5.large"), STR("m5.large"), STR("c6i.large"));
    h.describe_spot_price_history.start_unix_ms = cloud_unix_ms(k.c, k.now_ns);
    kit_ok(&k, &h);
    const struct ec2_spot_prices *prices = &k.reply->describe_spot_price_history.prices;
    assert_int_equal(prices->count, 9);
    const struct ec2_spot_price *best = &prices->items[0];
    for (size_t n = 1; n < prices->count; n++)
        if (prices->items[n].price_usd_micro < best->price_usd_micro)
            best = &prices->items[n];
    assert_true(str_equal(best->zone, zone));
    assert_true(str_equal(best->instance_type, type));
    kit_close(&k);
}

static void diversified_spreads_over_all_pools(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 20, three_types());
    r.create_fleet.spot.strategy = STR("diversified");
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 20);
    assert_int_equal(made(&k)->instances.count, 9);
    for (size_t n = 0; n < 9; n++)
        assert_in_range(made(&k)->instances.items[n].ids.count, 2, 3);
    kit_close(&k);
}

static void capacity_optimized_takes_the_deepest_pool(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("c?.large=10"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("c6i.large=10"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("m5.large@us-east-1b=50"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("m5.large@us-east-1a=0"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("m5.large@us-east-1c=0"), NULL), 0);
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 6, three_types());
    r.create_fleet.spot.strategy = STR("capacity-optimized");
    kit_ok(&k, &r);
    assert_int_equal(made(&k)->instances.count, 1);
    assert_true(str_equal(made(&k)->instances.items[0].instance_type, STR("m5.large")));
    assert_true(str_equal(made(&k)->instances.items[0].zone, STR("us-east-1b")));
    kit_close(&k);
}

static void priorities_order_on_demand_pools(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_fleet_overrides pools = three_types();
    pools.items[0].priority_micro = EC2_INT(2000000);
    pools.items[1].priority_micro = EC2_INT(0);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 3, pools);
    r.create_fleet.target.default_type = STR("on-demand");
    r.create_fleet.on_demand.strategy = STR("prioritized");
    kit_ok(&k, &r);
    assert_true(str_equal(made(&k)->instances.items[0].instance_type, STR("m5.large")));
    assert_true(str_equal(made(&k)->instances.items[0].lifecycle, STR("on-demand")));
    assert_false(kit_instance(&k, 0)->spot);
    kit_close(&k);
}

static void both_markets_are_filled_by_their_targets(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 10, three_types());
    r.create_fleet.target.on_demand = EC2_INT(3);
    kit_ok(&k, &r);
    unsigned spot = 0;
    for (size_t n = 0; n < 10; n++)
        spot += kit_instance(&k, n)->spot;
    assert_int_equal(spot, 7);
    r.create_fleet.target.on_demand = EC2_INT(11);
    kit_fault(&k, &r, "InvalidTargetCapacitySpecification");
    kit_close(&k);
}

static void weights_count_towards_the_target(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    static struct ec2_fleet_override big;
    big = (struct ec2_fleet_override){.instance_type = STR("c5.2xlarge"),
                                      .weight_micro = EC2_INT(4000000)};
    struct ec2_request r =
        kit_fleet(&k, kit_template(&k), 10, (struct ec2_fleet_overrides){&big, 1});
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 3); /* ceil(10 / 4) */
    kit_close(&k);
}

static void a_limit_below_the_spot_price_is_an_error_of_the_pool(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.zones = 1;
    kit_open(&k, &o);
    struct ec2_fleet_overrides pools = three_types();
    pools.count = 1;
    pools.items[0].max_price = STR("0.0011");
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 2, pools);
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 0);
    assert_true(str_equal(made(&k)->errors.items[0].code, STR("SpotMaxPriceTooLow")));
    pools.items[0].max_price = STR("cheap");
    kit_fault(&k, &r, "InvalidParameterValue");
    kit_close(&k);
}

static void a_total_price_stops_the_fleet_below_its_target(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.spot_ppm_min = o.spot_ppm_max = 400000; /* c5.large: $0.034 */
    kit_open(&k, &o);
    struct ec2_fleet_overrides pools = three_types();
    pools.count = 1;
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 10, pools);
    r.create_fleet.spot.max_total_price = STR("0.11");
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 3);
    kit_close(&k);
}

static void a_minimum_in_one_zone_is_all_or_nothing(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    assert_int_equal(cloud_options_capacity(&o, STR("*@us-east-1a=2"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("*@us-east-1b=3"), NULL), 0);
    assert_int_equal(cloud_options_capacity(&o, STR("*@us-east-1c=5"), NULL), 0);
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 6, three_types());
    r.create_fleet.spot.target_min = 6;
    kit_fault(&k, &r, "InvalidParameterCombination");
    r.create_fleet.spot.single_zone = true;
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 0);
    assert_int_equal(made(&k)->errors.count, 9);
    r.create_fleet.spot.target_min = 5;
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 5);
    for (size_t n = 0; n < 5; n++)
        assert_string_equal(cloud_zone_name(k.c, kit_instance(&k, n)->zone), "us-east-1c");
    kit_close(&k);
}

static void needs_choose_types_without_burstable_ones(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    static struct ec2_fleet_override needs;
    needs = (struct ec2_fleet_override){0};
    needs.requirements.vcpus = (struct ec2_range){EC2_INT(2), EC2_INT(2)};
    needs.requirements.memory_mib = (struct ec2_range){EC2_INT(4096), EC2_INT(8192)};
    struct ec2_request r =
        kit_fleet(&k, kit_template(&k), 40, (struct ec2_fleet_overrides){&needs, 1});
    r.create_fleet.spot.strategy = STR("diversified");
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 40);
    assert_true(made(&k)->instances.count > 10);
    for (size_t n = 0; n < 40; n++) {
        const struct catalog_type *t = kit_instance(&k, n)->type;
        assert_int_equal(t->vcpus, 2);
        assert_in_range(t->memory_mib, 4096, 8192);
        assert_false(t->burstable);
        assert_int_equal(t->arch, CATALOG_X86_64); /* the image's */
    }
    kit_close(&k);
}

static void a_wrong_launch_is_an_error_of_its_pool_and_others_go_on(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_fleet_overrides pools = three_types();
    pools.items[0].instance_type = STR("c7g.large"); /* arm64, the image is not */
    pools.items[1].instance_type = STR("z9.huge");
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 4, pools);
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 4);
    assert_int_equal(made(&k)->errors.count, 6);
    for (size_t n = 0; n < 6; n++)
        assert_true(str_equal(made(&k)->errors.items[n].code, STR("InvalidParameterValue")));
    kit_close(&k);
}

/* A6 */
static void a6_deleting_an_instant_fleet_ends_its_instances(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 3, three_types());
    kit_ok(&k, &r);
    struct str id = arena_str(&k.arena, made(&k)->fleet_id);
    kit_wait(&k, 1 * SECOND);
    struct ec2_request d = {.action = EC2_DELETE_FLEETS};
    d.delete_fleets.ids = LIST(ec2_strs, id, STR("fleet-none"), STR("flotilla"));
    kit_fault(&k, &d, "MissingParameter");
    d.delete_fleets.terminate_instances = EC2_FALSE;
    kit_fault(&k, &d, "InvalidParameterValue");
    assert_int_equal(kit_instance(&k, 0)->state, CLOUD_RUNNING);
    d.delete_fleets.terminate_instances = EC2_TRUE;
    kit_ok(&k, &d);
    const struct ec2_delete_fleets_out *out = &k.reply->delete_fleets;
    assert_int_equal(out->done.count, 1);
    assert_true(str_equal(out->done.items[0].current, STR("deleted_terminating")));
    assert_int_equal(out->failed.count, 2);
    assert_true(str_equal(out->failed.items[0].reason.code, STR("fleetIdDoesNotExist")));
    assert_true(str_equal(out->failed.items[1].reason.code, STR("fleetIdMalformed")));
    kit_wait(&k, 1 * SECOND);
    for (size_t n = 0; n < 3; n++)
        assert_int_equal(kit_instance(&k, n)->state, CLOUD_TERMINATED);
    struct str many[26];
    for (size_t n = 0; n < ARRAY_LEN(many); n++)
        many[n] = id;
    d.delete_fleets.ids = (struct ec2_strs){many, ARRAY_LEN(many)};
    kit_fault(&k, &d, "InvalidParameterValue");
    kit_close(&k);
}

/* A7 */
static void a7_the_same_token_gives_the_same_fleet_or_a_mismatch(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 3, three_types());
    r.create_fleet.client_token = STR("7k2m-1");
    kit_ok(&k, &r);
    struct str id = arena_str(&k.arena, made(&k)->fleet_id);
    kit_ok(&k, &r);
    assert_true(str_equal(made(&k)->fleet_id, id));
    assert_int_equal(kit_fleet_launched(&k), 3);
    r.create_fleet.target.total = EC2_INT(4);
    kit_fault(&k, &r, "IdempotentParameterMismatch");
    r.create_fleet.client_token = STR("7k2m-2");
    kit_ok(&k, &r);
    struct cloud_totals t;
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.instances, 7);
    r.create_fleet.client_token =
        STR("12345678901234567890123456789012345678901234567890123456789012345");
    kit_fault(&k, &r, "InvalidParameterValue");
    kit_close(&k);
}

static void a_fleet_needs_a_version_and_a_template_that_exists(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, STR("lt-00000000000000001"), 3, three_types());
    kit_fault(&k, &r, "InvalidLaunchTemplateId.NotFound");
    r = kit_fleet(&k, kit_template(&k), 3, three_types());
    r.create_fleet.configs.items[0].template.version = STR_EMPTY;
    kit_fault(&k, &r, "MissingParameter");
    r.create_fleet.configs.items[0].template.version = STR("7");
    kit_fault(&k, &r, "InvalidLaunchTemplateId.VersionNotFound");
    r.create_fleet.configs.items[0].template.version = STR("1");
    r.create_fleet.target.total = EC2_INT(10001);
    kit_fault(&k, &r, "InvalidTargetCapacitySpecification");
    kit_close(&k);
}

static void an_account_has_a_maximum_of_fleets(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.fleets_max = 2;
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 1, three_types());
    kit_ok(&k, &r);
    kit_ok(&k, &r);
    kit_fault(&k, &r, "MaxFleetCountExceeded");
    kit_close(&k);
}

static void the_quota_of_spot_vcpus_is_an_error_of_the_pool(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.spot_vcpus_max = 5; /* a fresh account */
    kit_open(&k, &o);
    struct ec2_request r = kit_fleet(&k, kit_template(&k), 4, three_types());
    kit_ok(&k, &r);
    assert_int_equal(kit_fleet_launched(&k), 2);
    bool named = false;
    for (size_t n = 0; n < made(&k)->errors.count; n++)
        named |= str_equal(made(&k)->errors.items[n].code, STR("MaxSpotInstanceCountExceeded"));
    assert_true(named);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fleet_with_capacity_gets_all_it_asks_for),
        cmocka_unit_test(a3_describe_fleets_hides_an_instant_fleet_unless_it_is_named),
        cmocka_unit_test(a4_a_fleet_without_type_is_maintain_and_refused),
        cmocka_unit_test(a5_a_partial_fleet_has_instances_and_errors),
        cmocka_unit_test(a_fleet_without_any_capacity_succeeds_with_nothing),
        cmocka_unit_test(a_rule_over_many_pools_is_shared_by_them_all),
        cmocka_unit_test(lowest_price_takes_the_cheapest_pool),
        cmocka_unit_test(diversified_spreads_over_all_pools),
        cmocka_unit_test(capacity_optimized_takes_the_deepest_pool),
        cmocka_unit_test(priorities_order_on_demand_pools),
        cmocka_unit_test(both_markets_are_filled_by_their_targets),
        cmocka_unit_test(weights_count_towards_the_target),
        cmocka_unit_test(a_limit_below_the_spot_price_is_an_error_of_the_pool),
        cmocka_unit_test(a_total_price_stops_the_fleet_below_its_target),
        cmocka_unit_test(a_minimum_in_one_zone_is_all_or_nothing),
        cmocka_unit_test(needs_choose_types_without_burstable_ones),
        cmocka_unit_test(a_wrong_launch_is_an_error_of_its_pool_and_others_go_on),
        cmocka_unit_test(a6_deleting_an_instant_fleet_ends_its_instances),
        cmocka_unit_test(a7_the_same_token_gives_the_same_fleet_or_a_mismatch),
        cmocka_unit_test(a_fleet_needs_a_version_and_a_template_that_exists),
        cmocka_unit_test(an_account_has_a_maximum_of_fleets),
        cmocka_unit_test(the_quota_of_spot_vcpus_is_an_error_of_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
