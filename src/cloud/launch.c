/* Launching: what a request asks for, whether it can be had, and making the instances. */
#include "cloud/state.h"

#include "base/units.h"

#define SPOT_PRICE_MIN_USD_MICRO 1000 /* a limit must exceed 0.001 */

/* ---- what the request names ----------------------------------------------------------------- */

int launch_zone(struct ctx *x, const struct ec2_template_data *data, int *ret_zone) {
    struct cloud *c = x->c;
    struct str subnet = STR_EMPTY;
    if (data->interfaces.count > 0)
        subnet = data->interfaces.items[0].subnet_id;
    *ret_zone = -1;
    if (subnet.len > 0) {
        *ret_zone = zone_find_subnet(c, subnet);
        if (*ret_zone < 0)
            return ec2_fault_set(x->fault, "InvalidSubnetID.NotFound",
                                 "The subnet ID '%.*s' does not exist", STR_ARG(subnet));
    }
    struct str name = data->placement.zone.len ? data->placement.zone : data->placement.zone_id;
    if (name.len == 0)
        return 0;
    int zone = data->placement.zone.len ? zone_find(c, name) : zone_find_id(c, name);
    if (zone < 0)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid availability zone: [%.*s]",
                             STR_ARG(name));
    if (*ret_zone >= 0 && *ret_zone != zone)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "The subnet is not in the availability zone %.*s", STR_ARG(name));
    *ret_zone = zone;
    return 0;
}

int launch_max_price(struct ctx *x, struct str text, uint64_t *ret_usd_micro) {
    int64_t price = 0;
    *ret_usd_micro = UINT64_MAX;
    if (text.len == 0)
        return 0;
    if (units_decimal_micro(text, &price, NULL) < 0)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid price: '%.*s'",
                             STR_ARG(text));
    if (price <= SPOT_PRICE_MIN_USD_MICRO)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "The maximum price must be more than 0.001, not %.*s", STR_ARG(text));
    *ret_usd_micro = (uint64_t)price;
    return 0;
}

static int launch_image(struct ctx *x, struct launch *l) {
    struct str id = l->data.image_id;
    if (id.len == 0)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter ImageId");
    if (str_starts_with(id, STR("resolve:ssm:"))) {
        struct str name = str_skip(id, 12);
        id = cloud_parameter(x->c, str_slice(name, 0, str_index_of(name, ':')));
        if (id.len == 0)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "The parameter '%.*s' does not exist", STR_ARG(name));
    }
    if (!str_starts_with(id, STR("ami-")))
        return ec2_fault_set(x->fault, "InvalidAMIID.Malformed", "Invalid id: \"%.*s\"",
                             STR_ARG(id));
    l->image = image_find(x->c, id);
    if (!l->image)
        return ec2_fault_set(x->fault, "InvalidAMIID.NotFound",
                             "The image id '[%.*s]' does not exist", STR_ARG(id));
    return 0;
}

static int launch_type(struct ctx *x, struct launch *l) {
    struct str name = l->data.instance_type.len ? l->data.instance_type : STR("m1.small");
    l->type = catalog_find(name);
    if (!l->type)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "Invalid value '%.*s' for InstanceType.", STR_ARG(name));
    if (l->type->arch != l->image->arch)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "The architecture '%s' of the specified instance type does not match "
                             "the architecture '%s' of the specified AMI.",
                             catalog_arch_name(l->type->arch), catalog_arch_name(l->image->arch));
    return 0;
}

static int launch_add_group(struct ctx *x, struct launch *l, const struct group *g,
                            struct str asked) {
    if (!g)
        return ec2_fault_set(x->fault, "InvalidGroup.NotFound",
                             "The security group '%.*s' does not exist", STR_ARG(asked));
    if (l->group_count == GROUPS_PER_INSTANCE_MAX)
        return ec2_fault_set(x->fault, "SecurityGroupsPerInstanceLimitExceeded",
                             "At most %d security groups", GROUPS_PER_INSTANCE_MAX);
    memcpy(l->group_ids[l->group_count++], g->id, CLOUD_ID_BYTES);
    return 0;
}

static int launch_groups(struct ctx *x, struct launch *l) {
    const struct ec2_template_data *d = &l->data;
    const struct ec2_strs *ids = &d->group_ids;
    if (d->interfaces.count > 0 && d->interfaces.items[0].group_ids.count > 0)
        ids = &d->interfaces.items[0].group_ids;
    l->group_count = 0;
    for (size_t n = 0; n < ids->count; n++)
        TRY(launch_add_group(x, l, group_find(x->c, ids->items[n]), ids->items[n]));
    for (size_t n = 0; n < d->group_names.count; n++)
        TRY(launch_add_group(x, l, group_find_name(x->c, d->group_names.items[n]),
                             d->group_names.items[n]));
    if (l->group_count == 0)
        return launch_add_group(x, l, x->c->groups.items[0], STR("default"));
    return 0;
}

static int launch_market(struct ctx *x, struct launch *l) {
    const struct ec2_market *m = &l->data.market;
    if (m->type.len == 0)
        return 0;
    if (!str_equal(m->type, STR("spot")))
        return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid market type: '%.*s'",
                             STR_ARG(m->type));
    struct str what = m->spot.interruption;
    if (what.len && !str_equal(what, STR("terminate")) && !str_equal(what, STR("stop")) &&
        !str_equal(what, STR("hibernate")))
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "Invalid interruption behavior: '%.*s'", STR_ARG(what));
    if (str_equal(m->spot.type, STR("persistent")) ||
        (what.len && !str_equal(what, STR("terminate"))))
        return ec2_fault_set(x->fault, "UnsupportedOperation",
                             "This rehearsal offers one-time Spot requests that end with "
                             "termination only");
    l->spot = true;
    return 0;
}

int launch_resolve(struct ctx *x, struct launch *l) {
    const struct ec2_template_data *d = &l->data;
    TRY(launch_image(x, l));
    TRY(launch_type(x, l));
    TRY(launch_groups(x, l));
    TRY(launch_market(x, l));
    if (d->key_name.len > 0 && !key_find_name(x->c, d->key_name))
        return ec2_fault_set(x->fault, "InvalidKeyPair.NotFound",
                             "The key pair '%.*s' does not exist", STR_ARG(d->key_name));
    if (d->user_data.len > USER_DATA_BYTES_MAX)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "User data is limited to 16384 bytes");
    if (d->shutdown_behavior.len && !str_equal(d->shutdown_behavior, STR("stop")) &&
        !str_equal(d->shutdown_behavior, STR("terminate")))
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "Invalid value '%.*s' for instanceInitiatedShutdownBehavior",
                             STR_ARG(d->shutdown_behavior));
    return 0;
}

/* ---- whether it can be had ------------------------------------------------------------------ */

static bool launch_rule_covers(const struct cloud_capacity_rule *r, const char *type,
                               const char *zone, bool spot) {
    return (spot ? r->spot : r->on_demand) && str_match(str_from(type), str_from(r->type)) &&
           str_match(str_from(zone), str_from(r->zone));
}

/* Capacity that the region has by its seed, before any rule. */
static uint32_t launch_pool_size(const struct cloud *c, const struct catalog_type *type,
                                 unsigned zone) {
    const struct cloud_range *range = &c->options.pool_capacity;
    if (range->max == 0)
        return UINT32_MAX;
    struct prng p;
    prng_init(&p, c->options.seed ^ str_hash(str_from(type->name)) ^
                      str_hash(str_from(c->zones[zone].name)));
    return (uint32_t)MIN(prng_range(&p, range->min, range->max), UINT32_MAX);
}

uint32_t launch_capacity(struct cloud *c, const struct catalog_type *type, unsigned zone,
                         bool spot) {
    const struct cloud_options *o = &c->options;
    if (!offers_has(c, type, zone))
        return 0;
    uint32_t in_pool = 0;
    uint32_t covered[CLOUD_CAPACITY_RULES_MAX] = {0};
    for (size_t n = 0; n < c->instances.count; n++) {
        const struct instance *i = c->instances.items[n];
        if (!instance_is_live(i))
            continue;
        in_pool += i->pub.type == type && i->pub.zone == zone;
        for (size_t r = 0; r < o->capacity_count; r++)
            covered[r] += launch_rule_covers(&o->capacity[r], i->pub.type->name,
                                             c->zones[i->pub.zone].name, i->pub.spot);
    }
    uint32_t room = launch_pool_size(c, type, zone);
    room -= MIN(room, in_pool);
    for (size_t r = 0; r < o->capacity_count; r++) {
        if (!launch_rule_covers(&o->capacity[r], type->name, c->zones[zone].name, spot))
            continue;
        uint32_t left = o->capacity[r].count - MIN(o->capacity[r].count, covered[r]);
        room = MIN(room, left);
    }
    return room;
}

void launch_rules_left(const struct cloud *c, uint32_t *left) {
    const struct cloud_options *o = &c->options;
    for (size_t r = 0; r < o->capacity_count; r++) {
        const struct cloud_capacity_rule *rule = &o->capacity[r];
        left[r] = rule->count;
        for (size_t n = 0; n < c->instances.count && left[r] > 0; n++) {
            const struct instance *i = c->instances.items[n];
            left[r] -=
                instance_is_live(i) && launch_rule_covers(rule, i->pub.type->name,
                                                          c->zones[i->pub.zone].name, i->pub.spot);
        }
    }
}

/* vCPUs left of the quota of the market; ended ones count for as long as they may be seen late. */
uint32_t launch_quota_left(const struct cloud *c, bool spot) {
    uint64_t used = 0;
    uint64_t lag_ns = c->options.visible_ns.max;
    for (size_t n = 0; n < c->instances.count; n++) {
        const struct instance *i = c->instances.items[n];
        bool counts = instance_is_live(i) || c->now_ns - i->pub.ended_ns < lag_ns;
        if (counts && i->pub.spot == spot)
            used += i->pub.type->vcpus;
    }
    uint64_t limit = spot ? c->options.spot_vcpus_max : c->options.on_demand_vcpus_max;
    return (uint32_t)(limit - MIN(limit, used));
}

uint32_t launch_room(struct cloud *c, const struct catalog_type *type, unsigned zone, bool spot,
                     const char **ret_code) {
    if (!offers_has(c, type, zone)) {
        *ret_code = "Unsupported";
        return 0;
    }
    uint32_t room = launch_capacity(c, type, zone, spot);
    *ret_code = "InsufficientInstanceCapacity";
    uint32_t addresses = zone_free_addresses(c, zone);
    if (addresses < room) {
        room = addresses;
        *ret_code = "InsufficientFreeAddressesInSubnet";
    }
    uint32_t quota = launch_quota_left(c, spot) / type->vcpus;
    if (quota < room) {
        room = quota;
        *ret_code = spot ? "MaxSpotInstanceCountExceeded" : "VcpuLimitExceeded";
    }
    return room;
}

const char *launch_message(struct arena *arena, const struct cloud *c, const char *code,
                           const struct catalog_type *type, unsigned zone) {
    struct str s = str_from(code);
    const char *where = c->zones[zone].name;
    if (str_equal(s, STR("InsufficientInstanceCapacity")))
        return arena_printf(arena,
                            "We currently do not have sufficient %s capacity in the Availability "
                            "Zone you requested (%s).",
                            type->name, where);
    if (str_equal(s, STR("UnfulfillableCapacity")))
        return arena_printf(arena,
                            "Unable to fulfill capacity due to your request configuration: "
                            "no Spot capacity of %s in %s.",
                            type->name, where);
    if (str_equal(s, STR("MaxSpotInstanceCountExceeded")))
        return "Max spot instance count exceeded";
    if (str_equal(s, STR("VcpuLimitExceeded")))
        return arena_printf(arena,
                            "You have requested more vCPU capacity than your current vCPU limit "
                            "of %u allows.",
                            c->options.on_demand_vcpus_max);
    if (str_equal(s, STR("InsufficientFreeAddressesInSubnet")))
        return arena_printf(arena, "There are not enough free addresses in subnet '%s'.",
                            c->zones[zone].subnet_id);
    if (str_equal(s, STR("Unsupported")))
        return arena_printf(arena,
                            "Your requested instance type (%s) is not supported in your requested "
                            "Availability Zone (%s).",
                            type->name, where);
    if (str_equal(s, STR("SpotMaxPriceTooLow")))
        return arena_printf(arena,
                            "Your Spot request price is lower than the minimum required "
                            "Spot request fulfillment price of %s in %s.",
                            type->name, where);
    return code;
}

/* ---- making them ---------------------------------------------------------------------------- */

static void launch_set_tags(struct ctx *x, const struct launch *l, struct instance *i) {
    struct cloud_tags *t = &i->pub.tags;
    uint64_t visible_ns = tags_visible_ns(x);
    for (size_t n = 0; n < l->tags_count && !x->drop_tags; n++)
        for (size_t k = 0; k < l->tags[n]->count; k++)
            tags_set(t, l->tags[n]->items[k].key, l->tags[n]->items[k].value, visible_ns);
    if (l->fleet_id)
        tags_set(t, STR("aws:ec2:fleet-id"), str_from(l->fleet_id), visible_ns);
    if (l->template_id) {
        tags_set(t, STR("aws:ec2launchtemplate:id"), str_from(l->template_id), visible_ns);
        tags_set(t, STR("aws:ec2launchtemplate:version"),
                 str_from(arena_printf(x->arena, "%u", l->template_version)), visible_ns);
    }
}

static void launch_set_network(struct ctx *x, const struct launch *l, struct cloud_instance *p) {
    struct cloud *c = x->c;
    p->zone = l->zone;
    memcpy(p->subnet_id, c->zones[l->zone].subnet_id, CLOUD_ID_BYTES);
    p->private_ip = p->last_ip = zone_take_address(c, l->zone);
    uint64_t mac = prng_next(&c->ids);
    p->mac[0] = 0x02; /* locally administered */
    for (size_t n = 1; n < sizeof p->mac; n++)
        p->mac[n] = (uint8_t)(mac >> (8 * n));
    p->group_ids = mem_new_array(l->group_count, sizeof *p->group_ids);
    memcpy(p->group_ids, l->group_ids, l->group_count * sizeof *p->group_ids);
    p->group_count = l->group_count;
}

static void launch_set_data(const struct launch *l, struct instance *i) {
    const struct ec2_template_data *d = &l->data;
    struct cloud_instance *p = &i->pub;
    p->type = l->type;
    p->spot = l->spot;
    memcpy(p->image_id, l->image->id, CLOUD_ID_BYTES);
    p->key_name = str_dup(d->key_name);
    p->client_token = str_dup(l->client_token);
    p->iam_profile = str_dup(d->profile.arn.len ? d->profile.arn : d->profile.name);
    p->user_data = (uint8_t *)str_dup(d->user_data);
    p->user_data_size = d->user_data.len;
    p->shutdown_terminates = str_equal(d->shutdown_behavior, STR("terminate"));
    p->metadata_enabled = !str_equal(d->metadata.http_endpoint, STR("disabled"));
    p->metadata_token_required = d->metadata.http_tokens.len
                                     ? str_equal(d->metadata.http_tokens, STR("required"))
                                     : l->image->imds_v2;
    p->metadata_tags = str_equal(d->metadata.instance_tags, STR("enabled"));
    p->metadata_hops = d->metadata.hop_limit > 0 ? (unsigned)MIN(d->metadata.hop_limit, 64) : 1;
    i->protected = d->api_termination_disabled == EC2_TRUE;
    if (l->fleet_id)
        ignore(str_copy(p->fleet_id, sizeof p->fleet_id, str_from(l->fleet_id))); /* an id */
    if (l->template_id) {
        ignore(str_copy(p->template_id, sizeof p->template_id, str_from(l->template_id)));
        p->template_version = l->template_version;
    }
}

void launch_go(struct ctx *x, const struct launch *l, uint32_t count, struct ec2_strs *ids) {
    struct cloud *c = x->c;
    must(l->type && l->image && l->group_count > 0);
    must(count >= 1 && count <= zone_free_addresses(c, l->zone));
    char reservation[CLOUD_ID_BYTES];
    cloud_make_id(c, "r-", reservation, sizeof reservation);
    for (uint32_t n = 0; n < count; n++) {
        struct instance *i = mem_new(sizeof *i);
        struct cloud_instance *p = &i->pub;
        cloud_make_id(c, "i-", p->id, sizeof p->id);
        cloud_make_id(c, "vol-", i->volume_text, sizeof i->volume_text);
        if (l->spot) {
            cloud_make_id(c, "sir-", p->spot_request_id, sizeof p->spot_request_id);
            p->spot_request_id[4 + 8] = '\0'; /* these are short: sir-0a1b2c3d */
        }
        memcpy(p->reservation_id, reservation, sizeof p->reservation_id);
        p->launch_index = n;
        launch_set_data(l, i);
        launch_set_network(x, l, p);
        instance_write_texts(c, i);
        instance_admit(c, i);
        launch_set_tags(x, l, i);
        *LIST_ADD(x->arena, ids) = str_from(p->id);
        x->launched++;
    }
}
