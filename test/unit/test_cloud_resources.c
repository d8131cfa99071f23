/* Templates, security groups, key pairs and tags. */
#include "cloud_kit.h"

static void a_template_name_is_taken_once_and_freed_by_delete(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str id = kit_template(&k);
    struct ec2_request r = {.action = EC2_CREATE_LAUNCH_TEMPLATE};
    r.create_launch_template.name = STR("dayfly-7k2m-client");
    r.create_launch_template.data.instance_type = STR("m5.large");
    kit_fault(&k, &r, "InvalidLaunchTemplateName.AlreadyExistsException");
    struct ec2_request d = {.action = EC2_DELETE_LAUNCH_TEMPLATE};
    d.delete_launch_template.id = id;
    kit_ok(&k, &d);
    kit_fault(&k, &d, "InvalidLaunchTemplateId.NotFound");
    kit_ok(&k, &r);
    r.create_launch_template.name = STR("no spaces please");
    kit_fault(&k, &r, "InvalidLaunchTemplateName.MalformedException");
    kit_close(&k);
}

static void versions_count_from_one_and_merge_their_source(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str id = kit_template(&k);
    struct ec2_request r = {.action = EC2_CREATE_LAUNCH_TEMPLATE_VERSION};
    r.create_launch_template_version.template_id = id;
    r.create_launch_template_version.source_version = STR("1");
    r.create_launch_template_version.data.instance_type = STR("m5.large");
    kit_ok(&k, &r);
    assert_int_equal(k.reply->create_launch_template_version.version.number, 2);
    r.create_launch_template_version.source_version = STR_EMPTY;
    kit_ok(&k, &r);
    struct ec2_request d = {.action = EC2_DESCRIBE_LAUNCH_TEMPLATE_VERSIONS};
    d.describe_launch_template_versions.template_id = id;
    kit_ok(&k, &d);
    const struct ec2_template_versions *v = &k.reply->describe_launch_template_versions.versions;
    assert_int_equal(v->count, 3);
    assert_int_equal(v->items[0].number, 3);
    assert_int_equal(v->items[0].data.user_data.len, 0);
    assert_true(str_equal(v->items[1].data.instance_type, STR("m5.large")));
    assert_true(str_equal(v->items[1].data.user_data, STR("#!/bin/sh\n")));
    assert_true(v->items[2].is_default);
    d.describe_launch_template_versions.versions = LIST(ec2_strs, STR("$Latest"));
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_launch_template_versions.versions.items[0].number, 3);
    d.describe_launch_template_versions.versions = LIST(ec2_strs, STR("$Default"));
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_launch_template_versions.versions.items[0].number, 1);
    d.describe_launch_template_versions.versions = LIST(ec2_strs, STR("4"));
    kit_fault(&k, &d, "InvalidLaunchTemplateId.VersionNotFound");
    kit_close(&k);
}

static void a_run_takes_the_template_and_overrides_it(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_RUN_INSTANCES};
    r.run_instances.min_count = r.run_instances.max_count = 1;
    r.run_instances.template.id = kit_template(&k);
    r.run_instances.instance_type = STR("m5.large");
    kit_ok(&k, &r);
    const struct cloud_instance *i = kit_instance(&k, 0);
    assert_string_equal(i->type->name, "m5.large");
    assert_string_equal((const char *)i->user_data, "#!/bin/sh\n");
    assert_int_equal(i->template_version, 1);
    kit_close(&k);
}

/* A8 */
static void a8_a_group_has_no_token_and_its_name_is_the_only_guard(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_CREATE_SECURITY_GROUP};
    r.create_security_group.name = STR("dayfly-7k2m");
    kit_fault(&k, &r, "MissingParameter");
    r.create_security_group.description = STR("fleet of run 7k2m");
    kit_ok(&k, &r);
    kit_fault(&k, &r, "InvalidGroup.Duplicate");
    r.create_security_group.name = STR("dayfly-7k2n");
    kit_ok(&k, &r);
    assert_int_equal(ec2_request_client_token(&r).len, 0);
    kit_close(&k);
}

static struct str make_group(struct kit *k, const char *name) {
    struct ec2_request r = {.action = EC2_CREATE_SECURITY_GROUP};
    r.create_security_group.name = str_from(name);
    r.create_security_group.description = STR("test");
    kit_ok(k, &r);
    return arena_str(&k->arena, k->reply->create_security_group.id);
}

static void a_group_cannot_go_while_an_instance_or_a_rule_uses_it(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.stopping_ns = (struct cloud_range){10 * SECOND, 10 * SECOND};
    kit_open(&k, &o);
    struct str used = make_group(&k, "used");
    struct ec2_request run = kit_run(&k, 1);
    run.run_instances.group_ids = LIST(ec2_strs, used);
    kit_ok(&k, &run);
    kit_wait(&k, 1 * SECOND);
    struct ec2_request d = {.action = EC2_DELETE_SECURITY_GROUP};
    d.delete_security_group.id = used;
    kit_fault(&k, &d, "DependencyViolation");
    assert_string_equal(kit_end(&k, kit_instance(&k, 0)), "");
    kit_wait(&k, 9 * SECOND);
    kit_fault(&k, &d, "DependencyViolation"); /* its interface is still there */
    kit_wait(&k, 2 * SECOND);
    struct str other = make_group(&k, "other");
    struct ec2_request a = {.action = EC2_AUTHORIZE_SECURITY_GROUP_INGRESS};
    a.authorize_security_group_ingress.id = other;
    a.authorize_security_group_ingress.permissions =
        LIST(ec2_ip_permissions,
             {.protocol = STR("-1"), .groups = LIST(ec2_group_pairs, {.group_id = used})});
    kit_ok(&k, &a);
    kit_fault(&k, &d, "DependencyViolation");
    struct ec2_request revoke = {.action = EC2_REVOKE_SECURITY_GROUP_INGRESS};
    revoke.revoke_security_group_ingress.id = other;
    revoke.revoke_security_group_ingress.permissions =
        a.authorize_security_group_ingress.permissions;
    kit_ok(&k, &revoke);
    kit_fault(&k, &revoke, "InvalidPermission.NotFound");
    kit_ok(&k, &d);
    kit_fault(&k, &d, "InvalidGroup.NotFound");
    d.delete_security_group.id = STR_EMPTY;
    d.delete_security_group.name = STR("default");
    kit_fault(&k, &d, "CannotDelete");
    kit_close(&k);
}

static void rules_are_listed_by_ports_and_not_taken_twice(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str id = make_group(&k, "web");
    struct ec2_request a = {.action = EC2_AUTHORIZE_SECURITY_GROUP_INGRESS};
    a.authorize_security_group_ingress.id = id;
    a.authorize_security_group_ingress.permissions =
        LIST(ec2_ip_permissions, {.protocol = STR("tcp"),
                                  .from_port = EC2_INT(80),
                                  .to_port = EC2_INT(80),
                                  .ranges = LIST(ec2_ip_ranges, {.cidr = STR("10.0.0.0/8")},
                                                 {.cidr = STR("192.0.2.0/24")})});
    kit_ok(&k, &a);
    assert_int_equal(k.reply->authorize_security_group_ingress.rules.count, 2);
    kit_fault(&k, &a, "InvalidPermission.Duplicate");
    struct ec2_request flat = {.action = EC2_AUTHORIZE_SECURITY_GROUP_INGRESS};
    flat.authorize_security_group_ingress.id = id;
    flat.authorize_security_group_ingress.protocol = STR("tcp");
    flat.authorize_security_group_ingress.from_port = EC2_INT(22);
    flat.authorize_security_group_ingress.to_port = EC2_INT(22);
    flat.authorize_security_group_ingress.cidr = STR("192.0.2.1/32");
    kit_ok(&k, &flat);
    flat.authorize_security_group_ingress.to_port = EC2_INT(70000);
    kit_fault(&k, &flat, "InvalidParameterValue");
    struct ec2_request d = {.action = EC2_DESCRIBE_SECURITY_GROUPS};
    d.describe_security_groups.ids = LIST(ec2_strs, id);
    kit_ok(&k, &d);
    const struct ec2_security_group *g = &k.reply->describe_security_groups.groups.items[0];
    assert_int_equal(g->ingress.count, 2);
    assert_int_equal(g->ingress.items[0].ranges.count, 2);
    assert_int_equal(g->ingress.items[1].from_port.value, 22);
    assert_int_equal(g->egress.count, 1);
    kit_close(&k);
}

static int fake_key(void *user, enum cloud_key_kind kind, struct buf *pem, struct buf *line,
                    struct buf *fingerprint, struct err *err) {
    (void)err;
    assert_int_equal(kind, *(enum cloud_key_kind *)user);
    buf_add_text(pem, "PRIVATE");
    buf_add_text(line, "ssh-ed25519 AAAA");
    buf_add_text(fingerprint, "aa:bb");
    return 0;
}

static void the_private_key_is_shown_once(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    enum cloud_key_kind kind = CLOUD_KEY_ED25519;
    o.make_key = fake_key;
    o.make_key_user = &kind;
    kit_open(&k, &o);
    struct ec2_request r = {.action = EC2_CREATE_KEY_PAIR};
    r.create_key_pair.name = STR("mine");
    r.create_key_pair.type = STR("ed25519");
    kit_ok(&k, &r);
    assert_true(str_equal(k.reply->create_key_pair.material, STR("PRIVATE")));
    kit_fault(&k, &r, "InvalidKeyPair.Duplicate");
    struct ec2_request d = {.action = EC2_DESCRIBE_KEY_PAIRS};
    d.describe_key_pairs.names = LIST(ec2_strs, STR("mine"));
    d.describe_key_pairs.include_public_key = true;
    kit_ok(&k, &d);
    assert_true(
        str_equal(k.reply->describe_key_pairs.pairs.items[0].public_key, STR("ssh-ed25519 AAAA")));
    struct ec2_request del = {.action = EC2_DELETE_KEY_PAIR};
    del.delete_key_pair.name = STR("mine");
    kit_ok(&k, &del);
    kit_ok(&k, &del); /* a key that is not there is deleted all the same */
    kit_fault(&k, &d, "InvalidKeyPair.NotFound");
    struct ec2_request import = {.action = EC2_IMPORT_KEY_PAIR};
    import.import_key_pair.name = STR("theirs");
    import.import_key_pair.public_key = STR("not a key");
    kit_fault(&k, &import, "InvalidKey.Format");
    import.import_key_pair.public_key = STR("ssh-rsa AAAAB3 me\n");
    kit_ok(&k, &import);
    kit_close(&k);
}

static void tags_are_set_listed_and_removed(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str group = make_group(&k, "tagged");
    struct ec2_request run = kit_run(&k, 1);
    kit_ok(&k, &run);
    struct str id = str_from(kit_instance(&k, 0)->id);
    struct ec2_request c = {.action = EC2_CREATE_TAGS};
    c.create_tags.resource_ids = LIST(ec2_strs, id, group);
    c.create_tags.tags = LIST(ec2_tags, {STR("team"), STR("blue")}, {STR("empty"), EC2_EMPTY});
    kit_ok(&k, &c);
    struct ec2_request d = {.action = EC2_DESCRIBE_TAGS};
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_tags.tags.count, 4);
    d.describe_tags.filters =
        LIST(ec2_filters, {STR("resource-type"), LIST(ec2_strs, STR("instance"))},
             {STR("key"), LIST(ec2_strs, STR("team"))});
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_tags.tags.count, 1);
    assert_true(str_equal(k.reply->describe_tags.tags.items[0].value, STR("blue")));
    struct ec2_request del = {.action = EC2_DELETE_TAGS};
    del.delete_tags.resource_ids = LIST(ec2_strs, id);
    del.delete_tags.tags = LIST(ec2_tags, {STR("team"), STR("red")});
    kit_ok(&k, &del); /* another value: nothing goes */
    assert_int_equal(kit_instance(&k, 0)->tags.count, 2);
    del.delete_tags.tags = LIST(ec2_tags, {STR("team"), STR_EMPTY});
    kit_ok(&k, &del);
    assert_int_equal(kit_instance(&k, 0)->tags.count, 1);
    del.delete_tags.tags = (struct ec2_tags){0};
    kit_ok(&k, &del);
    assert_int_equal(kit_instance(&k, 0)->tags.count, 0);
    kit_close(&k);
}

static void tags_are_refused_beyond_their_limits(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str group = make_group(&k, "tagged");
    struct ec2_request c = {.action = EC2_CREATE_TAGS};
    c.create_tags.resource_ids = LIST(ec2_strs, group, STR("i-00000000000000001"));
    c.create_tags.tags = LIST(ec2_tags, {STR("team"), STR("blue")});
    kit_fault(&k, &c, "InvalidInstanceID.NotFound");
    struct ec2_request d = {.action = EC2_DESCRIBE_TAGS};
    kit_ok(&k, &d);
    assert_int_equal(k.reply->describe_tags.tags.count, 0); /* all or nothing */
    c.create_tags.resource_ids = LIST(ec2_strs, group);
    c.create_tags.tags = LIST(ec2_tags, {STR("aws:mine"), STR("x")});
    kit_fault(&k, &c, "InvalidParameterValue");
    char key[130];
    memset(key, 'k', sizeof key);
    c.create_tags.tags = LIST(ec2_tags, {{key, 129}, STR("x")});
    kit_fault(&k, &c, "InvalidParameterValue");
    c.create_tags.tags = LIST(ec2_tags, {{key, 128}, STR("x")});
    kit_ok(&k, &c);
    struct ec2_tag many[51];
    for (size_t n = 0; n < 51; n++)
        many[n] = (struct ec2_tag){str_from(arena_printf(&k.arena, "key-%zu", n)), STR("v")};
    c.create_tags.tags = (struct ec2_tags){many, 51};
    kit_fault(&k, &c, "TagLimitExceeded");
    struct ec2_request run = kit_run(&k, 1);
    run.run_instances.tag_specs =
        LIST(ec2_tag_specs, {STR("fleet"), LIST(ec2_tags, {STR("a"), STR("b")})});
    kit_fault(&k, &run, "InvalidParameterValue");
    kit_close(&k);
}

static void tags_of_a_launch_are_seen_no_sooner_than_the_instance(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.visible_ns = (struct cloud_range){0, 3 * SECOND};
    kit_open(&k, &o);
    struct ec2_request run = kit_run(&k, 50);
    run.run_instances.tag_specs =
        LIST(ec2_tag_specs, {STR("instance"), LIST(ec2_tags, {STR("run"), STR("x")})});
    kit_ok(&k, &run);
    struct ec2_filters f = LIST(ec2_filters, {STR("tag:run"), LIST(ec2_strs, STR("x"))});
    size_t all = 0, tagged = 0;
    bool later = false;
    for (int n = 0; n < 40; n++) {
        kit_wait(&k, SECOND / 10);
        all = kit_listed(&k, NULL);
        tagged = kit_listed(&k, &f);
        assert_true(tagged <= all);
        later |= tagged < all;
    }
    assert_true(later);
    assert_int_equal(tagged, 50);
    kit_close(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_template_name_is_taken_once_and_freed_by_delete),
        cmocka_unit_test(versions_count_from_one_and_merge_their_source),
        cmocka_unit_test(a_run_takes_the_template_and_overrides_it),
        cmocka_unit_test(a8_a_group_has_no_token_and_its_name_is_the_only_guard),
        cmocka_unit_test(a_group_cannot_go_while_an_instance_or_a_rule_uses_it),
        cmocka_unit_test(rules_are_listed_by_ports_and_not_taken_twice),
        cmocka_unit_test(the_private_key_is_shown_once),
        cmocka_unit_test(tags_are_set_listed_and_removed),
        cmocka_unit_test(tags_are_refused_beyond_their_limits),
        cmocka_unit_test(tags_of_a_launch_are_seen_no_sooner_than_the_instance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
