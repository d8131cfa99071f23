/* RunInstances: at least MinCount or nothing, at most MaxCount, all in one zone. */
#include "cloud/state.h"

#define RUN_COUNT_MAX 5000

static void run_data(const struct ec2_run_instances_in *in, struct arena *arena,
                     struct ec2_template_data *ret) {
    *ret = (struct ec2_template_data){
        .image_id = in->image_id,
        .instance_type = in->instance_type,
        .key_name = in->key_name,
        .user_data = in->user_data,
        .shutdown_behavior = in->shutdown_behavior,
        .group_ids = in->group_ids,
        .group_names = in->group_names,
        .placement = in->placement,
        .profile = in->profile,
        .metadata = in->metadata,
        .market = in->market,
        .disks = in->disks,
        .interfaces = in->interfaces,
        .tag_specs = in->tag_specs,
        .api_termination_disabled = in->api_termination_disabled,
    };
    if (in->subnet_id.len > 0 && in->interfaces.count == 0)
        LIST_ADD(arena, &ret->interfaces)->subnet_id = in->subnet_id;
}

static const struct ec2_tags *run_tags(const struct ec2_tag_specs *specs) {
    static const struct ec2_tags none = {0};
    for (size_t n = 0; n < specs->count; n++)
        if (str_equal(specs->items[n].resource_type, STR("instance")))
            return &specs->items[n].tags;
    return &none;
}

static int run_check(struct ctx *x, const struct ec2_run_instances_in *in) {
    static const char *const types[] = {"instance", "volume", "network-interface",
                                        "spot-instances-request", NULL};
    if (in->min_count < 1 || in->max_count < in->min_count)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "MinCount %lld and MaxCount %lld: at least 1, and not less than "
                             "MinCount",
                             (long long)in->min_count, (long long)in->max_count);
    if (in->max_count > RUN_COUNT_MAX)
        return ec2_fault_set(x->fault, "RequestResourceCountExceeded",
                             "At most %d instances a call", RUN_COUNT_MAX);
    if (in->subnet_id.len && in->interfaces.count)
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "Network interfaces and an instance-level subnet ID may not be "
                             "specified on the same request");
    return tags_check_specs(x, &in->tag_specs, types);
}

/* The zone with most room when the request leaves it open. */
static uint32_t run_choose_zone(struct ctx *x, struct launch *l, int asked, const char **ret_code) {
    struct cloud *c = x->c;
    if (asked >= 0) {
        l->zone = (unsigned)asked;
        return launch_room(c, l->type, l->zone, l->spot, ret_code);
    }
    uint32_t best = 0;
    l->zone = 0;
    for (unsigned zone = 0; zone < c->options.zones; zone++) {
        const char *code = NULL;
        uint32_t room = launch_room(c, l->type, zone, l->spot, &code);
        if (zone == 0 || room > best) {
            best = room;
            l->zone = zone;
            *ret_code = code;
        }
    }
    return best;
}

/* The same token again: the reservation as it is now. */
static int run_repeat(struct ctx *x, const struct token *token) {
    struct ec2_reservation *r = &x->out->run_instances.reservation;
    bool live = false;
    for (size_t n = 0; n < x->c->instances.count; n++) {
        const struct instance *i = x->c->instances.items[n];
        if (!str_equal(str_from(i->pub.reservation_id), str_from(token->result)))
            continue;
        live |= instance_is_live(i);
        listing_add(x, i, r, x->c->now_ns);
    }
    if (!live)
        return ec2_fault_set(x->fault, "IdempotentInstanceTerminated",
                             "The instances launched with this client token are terminated");
    return 0;
}

int launch_run(struct ctx *x) {
    const struct ec2_run_instances_in *in = &x->in->run_instances;
    struct launch l = {.client_token = in->client_token};
    struct ec2_template_data own;
    static const struct ec2_template_data nothing;
    const struct ec2_template_data *under = &nothing;
    TRY(run_check(x, in));
    run_data(in, x->arena, &own);
    if (in->template.id.ptr || in->template.name.ptr) {
        struct template *t = NULL;
        TRY(template_get(x, &in->template, &t, &l.template_version));
        l.template_id = t->id;
        under = &t->versions[l.template_version - 1].data;
    }
    template_merge(&l.data, under, &own);
    int zone = -1;
    TRY(launch_zone(x, &l.data, &zone));
    /* A token is worth something within the zone that was asked for, or else in the region. */
    struct str scope = str_from(zone >= 0 ? x->c->zones[zone].name : x->c->options.region);
    struct token token;
    int known = token_check(x, scope, &token);
    if (known != 0)
        return known < 0 ? known : run_repeat(x, &token);
    TRY(launch_resolve(x, &l));
    const char *code = "";
    uint32_t room = run_choose_zone(x, &l, zone, &code);
    uint64_t limit = UINT64_MAX;
    TRY(launch_max_price(x, l.data.market.spot.max_price, &limit));
    if (l.spot && limit < price_spot(x->c, l.type, l.zone, cloud_unix_ms(x->c, x->c->now_ns)))
        code = "SpotMaxPriceTooLow", room = 0;
    if (room < (uint64_t)in->min_count)
        return ec2_fault_set(x->fault, code, "%s",
                             launch_message(x->arena, x->c, code, l.type, l.zone));
    l.tags[l.tags_count++] = run_tags(&under->tag_specs);
    l.tags[l.tags_count++] = run_tags(&in->tag_specs);
    struct ec2_strs ids = {0};
    launch_go(x, &l, (uint32_t)MIN((uint64_t)in->max_count, room), &ids);
    const struct instance *first = instance_find(x->c, ids.items[0]);
    token_keep(x, scope, first->pub.reservation_id, 0);
    for (size_t n = 0; n < ids.count; n++)
        listing_add(x, instance_find(x->c, ids.items[n]), &x->out->run_instances.reservation,
                    x->c->now_ns);
    return 0;
}
