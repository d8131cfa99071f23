/* Planned trouble, the log of calls, ground truth, and that all of it is repeatable. */
#include "base/prng.h"
#include "cloud_kit.h"

static void add_fault(struct kit *k, const char *text) {
    struct fault_rule r;
    struct err err = {0};
    if (fault_parse(str_from(text), &r, &err) < 0 || cloud_fault_add(k->c, &r, &err) < 0)
        fail_msg("%s", err.text);
}

static uint32_t launched(struct kit *k) {
    struct cloud_totals t;
    cloud_truth_totals(k->c, k->now_ns, &t);
    return t.instances;
}

static const struct cloud_call_record *last_call(struct kit *k) {
    size_t cursor = 0;
    const struct cloud_call_record *last = NULL, *next = NULL;
    while ((next = cloud_truth_call(k->c, &cursor)))
        last = next;
    assert_non_null(last);
    return last;
}

static void a_lost_reply_has_its_effect(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    add_fault(&k, "op=RunInstances,mode=lost-reply");
    struct ec2_request r = kit_run(&k, 3);
    r.run_instances.client_token = STR("t");
    kit_ok(&k, &r);
    assert_int_equal(k.out.delivery, CLOUD_LOST);
    assert_int_equal(launched(&k), 3);
    assert_string_equal(last_call(&k)->fault, "lost-reply");
    kit_ok(&k, &r); /* the retry finds the first launch */
    assert_int_equal(k.out.delivery, CLOUD_REPLY);
    assert_int_equal(launched(&k), 3);
    kit_close(&k);
}

static void a_dropped_request_has_none(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    add_fault(&k, "op=RunInstances,mode=drop-before");
    struct ec2_request r = kit_run(&k, 3);
    kit_ok(&k, &r);
    assert_int_equal(k.out.delivery, CLOUD_DROPPED);
    assert_int_equal(launched(&k), 0);
    kit_close(&k);
}

static void a_request_stuck_on_its_way_acts_later_unless_its_retry_came_first(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    add_fault(&k, "op=RunInstances,times=2,mode=delay-effect=15m");
    struct ec2_request a = kit_run(&k, 1), b = kit_run(&k, 1);
    a.run_instances.client_token = STR("a");
    b.run_instances.client_token = STR("b");
    kit_ok(&k, &a);
    assert_int_equal(k.out.delivery, CLOUD_LATER);
    assert_int_equal(k.out.effect_delay_ns, 900 * SECOND);
    kit_ok(&k, &b);
    kit_ok(&k, &b); /* retried: launches now */
    assert_int_equal(launched(&k), 1);
    kit_wait(&k, 900 * SECOND);
    struct cloud_call late = {.now_ns = k.now_ns, .request = &a, .late = true};
    cloud_handle(k.c, &late, &k.arena, &k.out);
    assert_int_equal(launched(&k), 2);
    late.request = &b;
    cloud_handle(k.c, &late, &k.arena, &k.out);
    assert_int_equal(launched(&k), 2);
    assert_true(last_call(&k)->late);
    add_fault(&k, "op=RunInstances,times=always,mode=drop-before");
    a.run_instances.client_token = STR("c");
    late.request = &a;
    cloud_handle(k.c, &late, &k.arena, &k.out); /* its fault has happened already */
    assert_int_equal(launched(&k), 3);
    assert_int_equal(k.out.delivery, CLOUD_LOST);
    kit_close(&k);
}

static void errors_delays_and_cuts_reach_the_shell(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    o.api_ns = (struct cloud_range){SECOND, SECOND};
    kit_open(&k, &o);
    add_fault(&k, "op=CreateFleet,mode=error=InsufficientInstanceCapacity");
    add_fault(&k, "op=DescribeInstances,mode=delay=5s");
    add_fault(&k, "op=DescribeRegions,mode=truncate");
    struct ec2_request f = {.action = EC2_CREATE_FLEET};
    kit_fault(&k, &f, "InsufficientInstanceCapacity");
    assert_int_equal(k.out.fault->http_status, 500);
    struct ec2_request d = {.action = EC2_DESCRIBE_INSTANCES};
    kit_ok(&k, &d);
    assert_int_equal(k.out.reply_delay_ns, 6 * SECOND);
    kit_ok(&k, &d);
    assert_int_equal(k.out.reply_delay_ns, 1 * SECOND);
    struct ec2_request r = {.action = EC2_DESCRIBE_REGIONS};
    kit_ok(&k, &r);
    assert_int_equal(k.out.delivery, CLOUD_CUT);
    cloud_faults_reset(k.c);
    add_fault(&k, "op=DescribeRegions,times=always,mode=error=Unavailable");
    kit_fault(&k, &r, "Unavailable");
    assert_int_equal(k.out.fault->http_status, 503);
    kit_close(&k);
}

static void tags_can_be_lost_from_a_launch(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    add_fault(&k, "op=RunInstances,mode=drop-tags");
    struct ec2_request r = kit_run(&k, 1);
    r.run_instances.tag_specs =
        LIST(ec2_tag_specs, {STR("instance"), LIST(ec2_tags, {STR("run"), STR("x")})});
    kit_ok(&k, &r);
    kit_ok(&k, &r);
    assert_int_equal(kit_instance(&k, 0)->tags.count, 0);
    assert_int_equal(kit_instance(&k, 1)->tags.count, 1);
    kit_close(&k);
}

static void the_log_counts_every_call_without_gaps(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct ec2_request r = kit_run(&k, 2);
    r.run_instances.client_token = STR("7k2m-1");
    kit_ok(&k, &r);
    assert_string_equal(last_call(&k)->token, "7k2m-1");
    assert_int_equal(last_call(&k)->launched, 2);
    kit_wait(&k, SECOND);
    assert_string_equal(kit_end(&k, kit_instance(&k, 1)), "");
    assert_int_equal(last_call(&k)->ended, 1);
    struct ec2_request d = {.action = EC2_DESCRIBE_REGIONS};
    for (int n = 0; n < CLOUD_CALLS_MAX; n++) {
        kit_ok(&k, &d);
        if (n % 1000 == 0)
            arena_reset(&k.arena);
    }
    size_t cursor = 0;
    const struct cloud_call_record *c = NULL;
    uint64_t expected = 3;
    while ((c = cloud_truth_call(k.c, &cursor)))
        assert_int_equal(c->number, expected++);
    assert_int_equal(expected, CLOUD_CALLS_MAX + 3);
    struct cloud_totals t;
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.calls, CLOUD_CALLS_MAX + 2);
    kit_close(&k);
}

static void truth_has_every_resource_with_its_end(void **state) {
    (void)state;
    struct kit k;
    struct cloud_options o = kit_options();
    kit_open(&k, &o);
    struct str lt = kit_template(&k);
    struct cloud_totals t;
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.resources, 1); /* the default group is built in */
    kit_wait(&k, SECOND);
    struct ec2_request d = {.action = EC2_DELETE_LAUNCH_TEMPLATE};
    d.delete_launch_template.id = lt;
    kit_ok(&k, &d);
    cloud_truth_totals(k.c, k.now_ns, &t);
    assert_int_equal(t.resources, 0);
    size_t cursor = 0, templates = 0, groups = 0;
    struct cloud_resource r;
    while (cloud_truth_resource(k.c, &cursor, &r)) {
        groups += r.kind == CLOUD_SECURITY_GROUP && r.built_in;
        if (r.kind != CLOUD_LAUNCH_TEMPLATE)
            continue;
        templates++;
        assert_false(r.exists);
        assert_string_equal(r.state, "deleted");
        assert_int_equal(r.deleted_ns, r.created_ns + SECOND);
    }
    assert_int_equal(templates, 1);
    assert_int_equal(groups, 1);
    kit_close(&k);
}

/* A life with something of everything; the hash of the cloud after each step. */
static size_t busy_life(uint64_t seed, uint64_t *hashes, size_t room) {
    struct kit k;
    struct cloud_options o = kit_options();
    size_t count = 0;
    cloud_options_realistic(&o, 1);
    o.seed = seed;
    o.throttle = true;
    o.dud_ppm = o.slow_ppm = o.fail_ppm = 100000;
    o.interrupt_ppm = 300000;
    o.interrupt_after_ns = (struct cloud_range){0, 300 * SECOND};
    o.interrupt_every_ns = 45 * SECOND;
    o.stale_ppm = 200000;
    o.stale_lag_ns_max = 5 * SECOND;
    o.pool_capacity = (struct cloud_range){0, 6};
    kit_open(&k, &o);
    add_fault(&k, "op=CreateFleet,nth=3,mode=lost-reply");
    struct str lt = kit_template(&k);
    struct prng p;
    prng_init(&p, 5);
    while (count < room) {
        struct ec2_request r =
            kit_fleet(&k, lt, (int64_t)prng_range(&p, 1, 6), (struct ec2_fleet_overrides){0});
        r.create_fleet.client_token = str_from(arena_printf(&k.arena, "t-%zu", count / 2));
        kit_call(&k, &r);
        size_t cursor = prng_below(&p, 8);
        const struct cloud_instance *i = cloud_truth_instance(k.c, &cursor);
        if (i)
            kit_end(&k, i);
        kit_listed(&k, NULL);
        kit_wait(&k, prng_below(&p, 20) * SECOND);
        hashes[count++] = cloud_hash(k.c);
    }
    kit_close(&k);
    return count;
}

static void the_same_seed_and_calls_give_the_same_history(void **state) {
    (void)state;
    uint64_t one[60], two[60], other[60];
    busy_life(7, one, 60);
    busy_life(7, two, 60);
    busy_life(8, other, 60);
    assert_memory_equal(one, two, sizeof one);
    assert_int_not_equal(one[59], other[59]);
    for (size_t n = 1; n < 60; n++)
        assert_int_not_equal(one[n], one[n - 1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_reply_has_its_effect),
        cmocka_unit_test(a_dropped_request_has_none),
        cmocka_unit_test(a_request_stuck_on_its_way_acts_later_unless_its_retry_came_first),
        cmocka_unit_test(errors_delays_and_cuts_reach_the_shell),
        cmocka_unit_test(tags_can_be_lost_from_a_launch),
        cmocka_unit_test(the_log_counts_every_call_without_gaps),
        cmocka_unit_test(truth_has_every_resource_with_its_end),
        cmocka_unit_test(the_same_seed_and_calls_give_the_same_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
