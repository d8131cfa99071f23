/* Regions, zones, networks, images, instance types. */
#include "cloud_kit.h"

static void the_catalog_is_sorted_and_has_sane_numbers(void **state) {
    (void)state;
    assert_true(catalog_type_count >= 80);
    for (size_t n = 0; n < catalog_type_count; n++) {
        const struct catalog_type *t = &catalog_types[n];
        if (n > 0)
            assert_true(strcmp(catalog_types[n - 1].name, t->name) < 0);
        assert_ptr_equal(catalog_find(str_from(t->name)), t);
        assert_in_range(t->vcpus, 1, 512);
        assert_in_range(t->on_demand_usd_micro, 4000, 30000000);
        assert_in_range(t->reclaim_class, 0, 4);
        assert_true(t->cores <= t->vcpus);
    }
    assert_int_equal(catalog_find(STR("m5.large"))->on_demand_usd_micro, 96000);
    assert_int_equal(catalog_find(STR("t3.micro"))->memory_mib, 1024);
    assert_int_equal(catalog_find(STR("c7g.large"))->arch, CATALOG_ARM64);
    assert_int_equal(catalog_find(STR("c6g.large"))->on_demand_usd_micro, 68000);
    assert_int_equal(catalog_find(STR("c6g.xlarge"))->memory_mib, 8192);
    assert_int_equal(catalog_find(STR("m6in.xlarge"))->network_mbps_base, 6250);
    assert_null(catalog_find(STR("c5")));
    assert_null(catalog_find(STR_EMPTY));
}

static void every_type_that_the_examples_and_defaults_name_is_known(void **state) {
    (void)state;
    static const char *const NAMES[] = {
        "c7g.large",   "c6g.large",  "c7i.large",   "c6a.large", "c7i.xlarge",
        "c7g.xlarge",  "c6g.xlarge", "i4i.xlarge",  "m7g.large", "i3en.xlarge",
        "m6in.xlarge", "m5n.xlarge", "c6in.xlarge",
    };
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const struct catalog_type *t = catalog_find(str_from(NAMES[i]));
        if (!t)
            fail_msg("%s is not in the catalog", NAMES[i]);
        assert_true(t->current_generation && !t->bare_metal);
        assert_in_range(t->network_mbps_base, 500, t->network_mbps_peak);
    }
}

static void regions_and_zones_are_listed(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_DESCRIBE_REGIONS};
    kit_ok(&k, &r);
    assert_int_equal(k.reply->describe_regions.regions.count, catalog_region_count);
    r.describe_regions.names = LIST(ec2_strs, STR("eu-west-1"));
    kit_ok(&k, &r);
    assert_true(str_equal(k.reply->describe_regions.regions.items[0].endpoint,
                          STR("ec2.eu-west-1.amazonaws.com")));
    r.describe_regions.names = LIST(ec2_strs, STR("eu-west-9"));
    kit_fault(&k, &r, "InvalidParameterValue");
    struct ec2_request z = {.action = EC2_DESCRIBE_AVAILABILITY_ZONES};
    kit_ok(&k, &z);
    const struct ec2_zones *zones = &k.reply->describe_availability_zones.zones;
    assert_int_equal(zones->count, 3);
    assert_true(str_equal(zones->items[1].name, STR("us-east-1b")));
    assert_true(str_starts_with(zones->items[1].id, STR("use1-az")));
    assert_false(str_equal(zones->items[0].id, zones->items[1].id));
    kit_close(&k);
}

static void every_zone_has_a_default_subnet_with_its_free_addresses(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request v = {.action = EC2_DESCRIBE_VPCS};
    v.describe_vpcs.filters = LIST(ec2_filters, {STR("is-default"), LIST(ec2_strs, STR("true"))});
    kit_ok(&k, &v);
    assert_int_equal(k.reply->describe_vpcs.vpcs.count, 1);
    assert_true(str_equal(k.reply->describe_vpcs.vpcs.items[0].cidr, STR("172.31.0.0/16")));
    struct ec2_request run = kit_run(&k, 10);
    kit_ok(&k, &run);
    struct ec2_request s = {.action = EC2_DESCRIBE_SUBNETS};
    s.describe_subnets.filters =
        LIST(ec2_filters, {STR("availability-zone"), LIST(ec2_strs, STR("us-east-1a"))});
    kit_ok(&k, &s);
    assert_int_equal(k.reply->describe_subnets.subnets.count, 1);
    const struct ec2_subnet *a = &k.reply->describe_subnets.subnets.items[0];
    assert_true(str_equal(a->cidr, STR("172.31.0.0/20")));
    assert_int_equal(a->free_addresses.value, 4096 - 5 - 10);
    assert_int_equal(kit_instance(&k, 0)->private_ip, (172U << 24 | 31U << 16) + 4);
    kit_close(&k);
}

static void image_aliases_lead_to_images_of_their_architecture(void **state) {
    (void)state;
    static const struct {
        const char *name, *arch;
    } aliases[] = {
        {"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64", "x86_64"},
        {"/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64", "arm64"},
        {"/aws/service/canonical/ubuntu/server/24.04/stable/current/amd64/hvm/ebs-gp3/ami-id",
         "x86_64"},
        {"/aws/service/canonical/ubuntu/server/24.04/stable/current/arm64/hvm/ebs-gp3/ami-id",
         "arm64"},
        {"/aws/service/debian/release/12/latest/amd64", "x86_64"},
        {"/aws/service/debian/release/12/latest/arm64", "arm64"},
    };
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    for (size_t n = 0; n < ARRAY_LEN(aliases); n++) {
        struct str id = cloud_parameter(k.c, str_from(aliases[n].name));
        assert_true(str_starts_with(id, STR("ami-")));
        struct ec2_request r = {.action = EC2_DESCRIBE_IMAGES};
        r.describe_images.ids = LIST(ec2_strs, id);
        kit_ok(&k, &r);
        assert_int_equal(k.reply->describe_images.images.count, 1);
        assert_true(str_equal(k.reply->describe_images.images.items[0].architecture,
                              str_from(aliases[n].arch)));
    }
    assert_int_equal(cloud_parameter(k.c, STR("/aws/service/debian/release/12/latest/x86_64")).len,
                     0);
    struct ec2_request r = {.action = EC2_DESCRIBE_IMAGES};
    r.describe_images.owners = LIST(ec2_strs, STR("amazon"));
    r.describe_images.filters =
        LIST(ec2_filters, {STR("name"), LIST(ec2_strs, STR("al2023-ami-2023*"))},
             {STR("architecture"), LIST(ec2_strs, STR("arm64"))});
    kit_ok(&k, &r);
    assert_int_equal(k.reply->describe_images.images.count, 1);
    kit_close(&k);
}

static void instance_types_come_in_pages_of_a_hundred(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCE_TYPES};
    size_t total = 0;
    do {
        kit_ok(&k, &r);
        const struct ec2_describe_instance_types_out *out = &k.reply->describe_instance_types;
        assert_true(out->types.count <= 100);
        total += out->types.count;
        r.describe_instance_types.next_token = out->next_token;
    } while (r.describe_instance_types.next_token.len);
    assert_int_equal(total, catalog_type_count);
    r.describe_instance_types.filters =
        LIST(ec2_filters, {STR("vcpu-info.default-vcpus"), LIST(ec2_strs, STR("2"))},
             {STR("processor-info.supported-architecture"), LIST(ec2_strs, STR("arm64"))});
    kit_ok(&k, &r);
    assert_true(k.reply->describe_instance_types.types.count > 3);
    r.describe_instance_types.types = LIST(ec2_strs, STR("x1.none"));
    kit_fault(&k, &r, "InvalidInstanceType");
    kit_close(&k);
}

static void what_is_not_offered_in_a_zone_cannot_be_launched_there(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCE_TYPE_OFFERINGS};
    r.describe_instance_type_offerings.location_type = STR("availability-zone");
    r.describe_instance_type_offerings.filters =
        LIST(ec2_filters, {STR("location"), LIST(ec2_strs, STR("us-east-1b"))});
    kit_ok(&k, &r);
    struct ec2_offerings there = k.reply->describe_instance_type_offerings.offerings;
    assert_true(there.count < catalog_type_count);
    unsigned missing = 0;
    for (size_t n = 0; n < catalog_type_count; n++) {
        const struct catalog_type *t = &catalog_types[n];
        bool offered = false;
        for (size_t m = 0; m < there.count; m++)
            offered |= str_equal(there.items[m].instance_type, str_from(t->name));
        if (offered || t->arch != CATALOG_X86_64)
            continue;
        missing++;
        struct ec2_request run = kit_run(&k, 1);
        run.run_instances.instance_type = str_from(t->name);
        run.run_instances.placement.zone = STR("us-east-1b");
        kit_fault(&k, &run, "Unsupported");
    }
    assert_true(missing > 0);
    assert_true(missing < 40);
    r.describe_instance_type_offerings.location_type = STR("town");
    kit_fault(&k, &r, "InvalidParameterValue");
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_catalog_is_sorted_and_has_sane_numbers),
        cmocka_unit_test(every_type_that_the_examples_and_defaults_name_is_known),
        cmocka_unit_test(regions_and_zones_are_listed),
        cmocka_unit_test(every_zone_has_a_default_subnet_with_its_free_addresses),
        cmocka_unit_test(image_aliases_lead_to_images_of_their_architecture),
        cmocka_unit_test(instance_types_come_in_pages_of_a_hundred),
        cmocka_unit_test(what_is_not_offered_in_a_zone_cannot_be_launched_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
