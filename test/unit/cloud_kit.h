/* cloud_kit.h - a cloud under a clock that the test turns, and short ways to call it. */
#ifndef CLOUD_KIT_H
#define CLOUD_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/cloud.h"
#include "codec/ec2.h"

#define SECOND NS_PER_S
#define HOUR (UINT64_C(3600) * NS_PER_S)

struct kit {
    struct cloud *c;
    struct arena arena;
    uint64_t now_ns;
    struct cloud_outcome out;
    struct ec2_reply *reply;
};

/* No delays, no buckets: what a test wants of these it sets in `o` first. */
UNUSED static struct cloud_options kit_options(void) {
    struct cloud_options o;
    cloud_options_init(&o);
    o.throttle = false;
    o.start_ns = 1000 * SECOND;
    return o;
}

UNUSED static void kit_open(struct kit *k, const struct cloud_options *o) {
    struct err err = {0};
    *k = (struct kit){.now_ns = o->start_ns};
    if (cloud_options_check(o, &err) < 0)
        fail_msg("%s", err.text);
    k->c = cloud_new(o);
}

UNUSED static void kit_close(struct kit *k) {
    cloud_free(k->c);
    arena_deinit(&k->arena);
}

/* Turn the clock, stopping at every instant at which the cloud has something to do. */
UNUSED static void kit_wait(struct kit *k, uint64_t ns) {
    uint64_t end = k->now_ns + ns;
    while (cloud_next_ns(k->c) <= end) {
        k->now_ns = cloud_next_ns(k->c) > k->now_ns ? cloud_next_ns(k->c) : k->now_ns;
        cloud_tick(k->c, k->now_ns);
    }
    k->now_ns = end;
    cloud_tick(k->c, end);
}

/* "" when the call succeeded, else its error code. */
UNUSED static const char *kit_call(struct kit *k, const struct ec2_request *request) {
    struct cloud_call call = {.now_ns = k->now_ns, .request = request};
    cloud_handle(k->c, &call, &k->arena, &k->out);
    k->reply = k->out.reply;
    return k->out.failed ? k->out.fault->code : "";
}

#define kit_ok(k, request) assert_string_equal(kit_call((k), (request)), "")
#define kit_fault(k, request, code) assert_string_equal(kit_call((k), (request)), (code))

UNUSED static struct str kit_image(const struct kit *k) {
    return cloud_parameter(
        k->c, STR("/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"));
}

/* An argument list of one kind: `LIST(struct ec2_strs, STR("a"), STR("b"))`. */
#define LIST(list, ...)                                                                \
    ((struct list){(__typeof__(((struct list *)0)->items[0])[]){__VA_ARGS__},          \
                   sizeof((__typeof__(((struct list *)0)->items[0])[]){__VA_ARGS__}) / \
                       sizeof(((struct list *)0)->items[0])})

/* RunInstances of `count` c5.large on-demand in the first zone. */
UNUSED static struct ec2_request kit_run(const struct kit *k, int64_t count) {
    struct ec2_request r = {.action = EC2_RUN_INSTANCES};
    r.run_instances.min_count = count;
    r.run_instances.max_count = count;
    r.run_instances.image_id = kit_image(k);
    r.run_instances.instance_type = STR("c5.large");
    r.run_instances.placement.zone = str_from(cloud_zone_name(k->c, 0));
    return r;
}

UNUSED static struct ec2_request kit_run_spot(const struct kit *k, int64_t count) {
    struct ec2_request r = kit_run(k, count);
    r.run_instances.market.type = STR("spot");
    return r;
}

UNUSED static const struct cloud_instance *kit_instance(const struct kit *k, size_t n) {
    size_t cursor = n;
    const struct cloud_instance *i = cloud_truth_instance(k->c, &cursor);
    assert_non_null(i);
    return i;
}

UNUSED static struct ec2_request kit_terminate(struct str *ids, size_t count) {
    struct ec2_request r = {.action = EC2_TERMINATE_INSTANCES};
    r.terminate_instances.ids = (struct ec2_strs){ids, count};
    return r;
}

UNUSED static const char *kit_end(struct kit *k, const struct cloud_instance *i) {
    struct str id = str_from(i->id);
    struct ec2_request r = kit_terminate(&id, 1);
    return kit_call(k, &r);
}

/* How many instances DescribeInstances shows, all states. */
UNUSED static size_t kit_listed(struct kit *k, const struct ec2_filters *filters) {
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCES};
    if (filters)
        r.describe_instances.filters = *filters;
    kit_ok(k, &r);
    size_t count = 0;
    const struct ec2_reservations *all = &k->reply->describe_instances.reservations;
    for (size_t n = 0; n < all->count; n++)
        count += all->items[n].instances.count;
    return count;
}

/* A template with image, type and user-data; its id lives as long as the kit. */
UNUSED static struct str kit_template(struct kit *k) {
    struct ec2_request r = {.action = EC2_CREATE_LAUNCH_TEMPLATE};
    r.create_launch_template.name = STR("dayfly-7k2m-client");
    r.create_launch_template.data.image_id = kit_image(k);
    r.create_launch_template.data.instance_type = STR("c5.large");
    r.create_launch_template.data.user_data = STR("#!/bin/sh\n");
    r.create_launch_template.data.shutdown_behavior = STR("terminate");
    kit_ok(k, &r);
    return arena_str(&k->arena, k->reply->create_launch_template.template.id);
}

/* An instant fleet of `total` spot instances from one template and the given overrides. */
UNUSED static struct ec2_request kit_fleet(struct kit *k, struct str template_id, int64_t total,
                                           struct ec2_fleet_overrides overrides) {
    struct ec2_request r = {.action = EC2_CREATE_FLEET};
    struct ec2_fleet_config *config = arena_new(&k->arena, sizeof *config);
    config->template.id = template_id;
    config->template.version = STR("$Latest");
    config->overrides = overrides;
    r.create_fleet.type = STR("instant");
    r.create_fleet.configs = (struct ec2_fleet_configs){config, 1};
    r.create_fleet.target.total = EC2_INT(total);
    r.create_fleet.target.default_type = STR("spot");
    r.create_fleet.spot.strategy = STR("price-capacity-optimized");
    return r;
}

UNUSED static size_t kit_fleet_launched(const struct kit *k) {
    const struct ec2_fleet_instance_sets *sets = &k->reply->create_fleet.instances;
    size_t count = 0;
    for (size_t n = 0; n < sets->count; n++)
        count += sets->items[n].ids.count;
    return count;
}

#endif
