#include "cloud/pools.h"

#define POOLS_LIMIT 4096 /* of one request: types x zones x overrides */
#define UNIT_MICRO INT64_C(1000000)

/* ---- attribute-based choice of types -------------------------------------------------------- */

static bool range_has(const struct ec2_range *r, int64_t value) {
    return (!r->min.set || value >= r->min.value) && (!r->max.set || value <= r->max.value);
}

static bool match_any(struct str name, const struct ec2_strs *patterns) {
    for (size_t n = 0; n < patterns->count; n++)
        if (str_match(name, patterns->items[n]))
            return true;
    return false;
}

/* "included", "required" or "excluded". */
static bool choice_allows(struct str choice, bool has, bool excluded_by_default) {
    if (str_equal(choice, STR("required")))
        return has;
    if (str_equal(choice, STR("excluded")) || (choice.len == 0 && excluded_by_default))
        return !has;
    return true;
}

static bool maker_allowed(const struct catalog_type *t, const struct ec2_strs *makers) {
    if (makers->count == 0)
        return true;
    struct str family = str_slice(str_from(t->name), 0, str_index_of(str_from(t->name), '.'));
    struct str maker = t->arch == CATALOG_ARM64          ? STR("amazon-web-services")
                       : str_ends_with(family, STR("a")) ? STR("amd")
                                                         : STR("intel");
    return str_in(maker, makers);
}

static bool requirements_match(const struct ec2_requirements *r, const struct catalog_type *t) {
    struct str name = str_from(t->name);
    int64_t gib_per_vcpu_micro = (int64_t)t->memory_mib * UNIT_MICRO / 1024 / t->vcpus;
    if (!range_has(&r->vcpus, t->vcpus) || !range_has(&r->memory_mib, t->memory_mib) ||
        !range_has(&r->memory_gib_per_vcpu_micro, gib_per_vcpu_micro))
        return false;
    if (match_any(name, &r->excluded_types) ||
        (r->allowed_types.count && !match_any(name, &r->allowed_types)))
        return false;
    if (!choice_allows(r->bare_metal, t->bare_metal, true) ||
        !choice_allows(r->burstable, t->burstable, true) ||
        !choice_allows(r->local_storage, t->storage_gb > 0, false))
        return false;
    if (r->generations.count &&
        !str_in(t->current_generation ? STR("current") : STR("previous"), &r->generations))
        return false;
    if (r->accelerators.min.set && r->accelerators.min.value > 0)
        return false; /* no type of the catalog has one */
    return maker_allowed(t, &r->cpu_manufacturers) &&
           range_has(&r->network_gbps_micro, (int64_t)t->network_mbps_peak * 1000);
}

static bool requirements_given(const struct ec2_requirements *r) {
    return r->vcpus.min.set || r->vcpus.max.set || r->memory_mib.min.set || r->memory_mib.max.set;
}

/* Price of one unit of capacity; weights are at least 1e-6, so it fits. */
static uint64_t pool_unit_price(const struct pool *p) {
    must(p->weight_micro > 0);
    return p->price_usd_micro * (uint64_t)UNIT_MICRO / (uint64_t)p->weight_micro;
}

/* ---- collecting ----------------------------------------------------------------------------- */

struct collect {
    struct pools *pools;
    bool spot;
    size_t config, override;
    const struct ec2_fleet_override *over; /* NULL: the template alone */
    struct template *template;
    uint32_t version;
    struct ec2_template_data data; /* effective, but for the type */
    uint64_t max_price_usd_micro;
};

static void collect_price(struct ctx *x, const struct collect *k, struct pool *p) {
    struct cloud *c = x->c;
    const struct catalog_type *type = p->launch.type;
    p->price_usd_micro = type->on_demand_usd_micro;
    if (!k->spot)
        return;
    p->price_usd_micro = price_spot(c, type, p->launch.zone, cloud_unix_ms(c, c->now_ns));
    if (pool_unit_price(p) > k->max_price_usd_micro) { /* the limit is per unit and hour */
        p->room = 0;
        p->code = "SpotMaxPriceTooLow";
    }
}

static int64_t collect_weight(struct ctx *x, const struct collect *k,
                              const struct catalog_type *type) {
    struct str unit = x->in->create_fleet.target.unit;
    if (str_equal(unit, STR("vcpu")))
        return (int64_t)type->vcpus * UNIT_MICRO;
    if (str_equal(unit, STR("memory-mib")))
        return (int64_t)type->memory_mib * UNIT_MICRO;
    return k->over && k->over->weight_micro.set ? k->over->weight_micro.value : UNIT_MICRO;
}

/* One pool.  What is wrong with its launch becomes an error of the pool, not of the call. */
static int collect_add(struct ctx *x, struct collect *k, struct str type, int zone) {
    struct cloud *c = x->c;
    if (k->pools->count == POOLS_LIMIT)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "More than %d pools", POOLS_LIMIT);
    struct pool *p = LIST_ADD(x->arena, k->pools);
    *p = (struct pool){.config = k->config,
                       .override = k->override,
                       .has_override = k->over != NULL,
                       .priority_micro = INT64_MAX};
    struct launch *l = &p->launch;
    l->data = k->data;
    l->data.instance_type = type;
    l->data.market = (struct ec2_market){.type = k->spot ? STR("spot") : STR_EMPTY};
    l->zone = (unsigned)zone;
    l->template_id = k->template->id;
    l->template_version = k->version;
    if (launch_resolve(x, l) < 0) {
        p->code = arena_printf(x->arena, "%s", x->fault->code);
        p->message = arena_printf(x->arena, "%s", x->fault->message);
        *x->fault = (struct ec2_fault){0};
        return 0;
    }
    if (k->over && k->over->priority_micro.set)
        p->priority_micro = k->over->priority_micro.value;
    p->weight_micro = collect_weight(x, k, l->type);
    if (p->weight_micro <= 0)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "A weighted capacity must be more than 0");
    const char *code = NULL;
    p->room = launch_room(c, l->type, l->zone, k->spot, &code);
    p->code = p->room == 0 ? code : NULL;
    collect_price(x, k, p);
    return 0;
}

static int collect_zones(struct ctx *x, struct collect *k, struct str type, int zone) {
    if (zone >= 0)
        return collect_add(x, k, type, zone);
    const struct catalog_type *known = catalog_find(type);
    for (unsigned z = 0; z < x->c->options.zones; z++)
        if (!known || offers_has(x->c, known, z))
            TRY(collect_add(x, k, type, (int)z));
    return 0;
}

static void collect_overlay(struct ctx *x, const struct ec2_fleet_config *config,
                            const struct ec2_fleet_override *o, struct ec2_template_data *ret) {
    *ret = (struct ec2_template_data){.user_data = config->template.user_data};
    if (!o)
        return;
    ret->image_id = o->image_id;
    ret->key_name = o->key_name;
    ret->profile = o->profile;
    ret->metadata = o->metadata;
    ret->disks = o->disks;
    ret->placement.zone = o->zone.ptr ? o->zone : o->placement.zone;
    ret->placement.zone_id = o->zone_id.ptr ? o->zone_id : o->placement.zone_id;
    if (o->subnet_id.ptr)
        LIST_ADD(x->arena, &ret->interfaces)->subnet_id = o->subnet_id;
}

/* An override that names a subnet keeps the groups of the template's interface. */
static void collect_keep_groups(struct ctx *x, const struct ec2_template_data *under,
                                struct ec2_template_data *over) {
    if (over->interfaces.count == 0 || under->interfaces.count == 0)
        return;
    struct ec2_interface_specs merged = {0};
    *LIST_ADD(x->arena, &merged) = under->interfaces.items[0];
    merged.items[0].subnet_id = over->interfaces.items[0].subnet_id;
    over->interfaces = merged;
}

static int collect_override(struct ctx *x, struct collect *k,
                            const struct ec2_fleet_config *config) {
    const struct ec2_template_data *under = &k->template->versions[k->version - 1].data;
    struct ec2_template_data over;
    int zone = -1;
    collect_overlay(x, config, k->over, &over);
    collect_keep_groups(x, under, &over);
    template_merge(&k->data, under, &over);
    TRY(launch_zone(x, &k->data, &zone));
    struct str limit =
        k->over && k->over->max_price.ptr ? k->over->max_price : k->data.market.spot.max_price;
    TRY(launch_max_price(x, limit, &k->max_price_usd_micro));
    bool by_needs = k->over && requirements_given(&k->over->requirements);
    if (by_needs && k->over->instance_type.ptr)
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "An override has an instance type or requirements, not both");
    if (!by_needs) {
        bool own = k->over && k->over->instance_type.ptr;
        return collect_zones(x, k, own ? k->over->instance_type : under->instance_type, zone);
    }
    const struct image *image = image_find(x->c, k->data.image_id);
    for (size_t n = 0; n < catalog_type_count; n++)
        if (requirements_match(&k->over->requirements, &catalog_types[n]) &&
            (!image || image->arch == catalog_types[n].arch))
            TRY(collect_zones(x, k, str_from(catalog_types[n].name), zone));
    return 0;
}

int pools_collect(struct ctx *x, bool spot, struct pools *ret) {
    const struct ec2_fleet_configs *configs = &x->in->create_fleet.configs;
    *ret = (struct pools){0};
    for (size_t n = 0; n < configs->count; n++) {
        const struct ec2_fleet_config *config = &configs->items[n];
        struct collect k = {.pools = ret, .spot = spot, .config = n};
        TRY(template_get(x, &config->template, &k.template, &k.version));
        if (config->overrides.count == 0)
            TRY(collect_override(x, &k, config));
        for (k.override = 0; k.override < config->overrides.count; k.override++) {
            k.over = &config->overrides.items[k.override];
            TRY(collect_override(x, &k, config));
        }
    }
    return 0;
}

/* ---- order ---------------------------------------------------------------------------------- */

/* Instances of `p` that fill `units_micro`. */
static uint32_t pool_count_for(const struct pool *p, int64_t units_micro) {
    int64_t count = (units_micro + p->weight_micro - 1) / p->weight_micro;
    return (uint32_t)MIN(count, UINT32_MAX);
}

static int compare_u64(uint64_t a, uint64_t b) {
    return a < b ? -1 : a > b;
}

/* Negative: `a` is asked first. */
static int pool_compare(const struct pools_goal *goal, const struct pool *a, const struct pool *b) {
    int by_price = compare_u64(pool_unit_price(a), pool_unit_price(b));
    int by_priority =
        (a->priority_micro > b->priority_micro) - (a->priority_micro < b->priority_micro);
    /* A pool that can give all that is asked for counts as deep; among shallow ones more is
     * better. */
    bool a_deep = a->room >= pool_count_for(a, goal->target_micro);
    bool b_deep = b->room >= pool_count_for(b, goal->target_micro);
    int by_depth = a_deep != b_deep ? (a_deep ? -1 : 1)
                   : a_deep         ? 0
                                    : compare_u64(b->room, a->room);
    int by_room = compare_u64(b->room, a->room);
    int by_class = a->launch.type->reclaim_class - b->launch.type->reclaim_class;
    if (str_equal(goal->strategy, STR("prioritized")))
        return by_priority ? by_priority : by_price;
    if (str_equal(goal->strategy, STR("capacity-optimized-prioritized")))
        return by_depth ? by_depth : by_priority ? by_priority : by_class ? by_class : by_price;
    if (str_equal(goal->strategy, STR("capacity-optimized")))
        return by_room ? by_room : by_class ? by_class : by_price;
    if (str_equal(goal->strategy, STR("price-capacity-optimized")))
        return by_depth ? by_depth : by_price;
    return by_price;
}

/* Insertion sort: stable, and there are few. */
static size_t pools_order(const struct pools_goal *goal, struct pools *pools, struct pool **order) {
    size_t count = 0;
    for (size_t n = 0; n < pools->count; n++) {
        struct pool *p = &pools->items[n];
        if (p->weight_micro == 0)
            continue; /* it could not be resolved */
        size_t at = count++;
        for (; at > 0 && pool_compare(goal, p, order[at - 1]) < 0; at--)
            order[at] = order[at - 1];
        order[at] = p;
    }
    return count;
}

/* ---- filling -------------------------------------------------------------------------------- */

struct fill {
    const struct pools_goal *goal;
    int64_t left_micro;
    uint64_t spent_usd_micro; /* per hour */
    uint64_t vcpus_left;      /* of the quota */
    uint32_t addresses_left[CLOUD_ZONES_MAX];
    uint32_t rules_left[CLOUD_CAPACITY_RULES_MAX];
};

static bool rule_covers(const struct cloud *c, const struct cloud_capacity_rule *r,
                        const struct pool *p, bool spot) {
    return (spot ? r->spot : r->on_demand) &&
           str_match(str_from(p->launch.type->name), str_from(r->type)) &&
           str_match(str_from(c->zones[p->launch.zone].name), str_from(r->zone));
}

/* Take up to `count` from a pool, within what pools share: quota, addresses, rules, money. */
static uint32_t fill_take(struct ctx *x, struct fill *f, struct pool *p, uint32_t count) {
    const struct cloud_options *o = &x->c->options;
    bool spot = f->goal->spot;
    uint32_t room = p->room - p->take;
    const char *code = p->code ? p->code
                       : spot && !str_equal(f->goal->strategy, STR("lowest-price"))
                           ? "UnfulfillableCapacity"
                           : "InsufficientInstanceCapacity";
    for (size_t r = 0; r < o->capacity_count; r++)
        if (rule_covers(x->c, &o->capacity[r], p, spot))
            room = MIN(room, f->rules_left[r]);
    if (f->addresses_left[p->launch.zone] < MIN(room, count)) {
        room = f->addresses_left[p->launch.zone];
        code = "InsufficientFreeAddressesInSubnet";
    }
    if (f->vcpus_left / p->launch.type->vcpus < MIN(room, count)) {
        room = (uint32_t)(f->vcpus_left / p->launch.type->vcpus);
        code = spot ? "MaxSpotInstanceCountExceeded" : "VcpuLimitExceeded";
    }
    if (f->goal->total_usd_micro != UINT64_MAX) {
        uint64_t money = f->goal->total_usd_micro - f->spent_usd_micro;
        room = (uint32_t)MIN(room, money / MAX(p->price_usd_micro, 1));
    }
    uint32_t taken = MIN(count, room);
    p->tried = true;
    p->take += taken;
    if (taken < count && !p->code)
        p->code = code;
    f->left_micro -= (int64_t)taken * p->weight_micro;
    f->spent_usd_micro += taken * p->price_usd_micro;
    f->vcpus_left -= (uint64_t)taken * p->launch.type->vcpus;
    f->addresses_left[p->launch.zone] -= taken;
    for (size_t r = 0; r < o->capacity_count; r++)
        if (rule_covers(x->c, &o->capacity[r], p, spot))
            f->rules_left[r] -= MIN(taken, f->rules_left[r]);
    return taken;
}

/* Shares go round the first `width` pools; what they lack goes to the later ones. */
static void fill_spread(struct ctx *x, struct fill *f, struct pool **order, size_t count,
                        size_t width) {
    for (size_t n = 0; n < count && f->left_micro > 0; n++) {
        int64_t sharers = n < width ? (int64_t)(width - n) : 1;
        int64_t share_micro = (f->left_micro + sharers - 1) / sharers;
        fill_take(x, f, order[n], pool_count_for(order[n], share_micro));
    }
    /* Rounding and shallow pools may leave a rest: the order again, to the brim. */
    for (size_t n = 0; n < count && f->left_micro > 0; n++)
        if (!order[n]->code)
            fill_take(x, f, order[n], pool_count_for(order[n], f->left_micro));
}

static void fill_reset(struct ctx *x, const struct pools_goal *goal, struct pools *pools,
                       struct fill *f) {
    struct cloud *c = x->c;
    *f = (struct fill){.goal = goal, .left_micro = goal->target_micro};
    f->vcpus_left = launch_quota_left(c, goal->spot);
    for (unsigned z = 0; z < c->options.zones; z++)
        f->addresses_left[z] = zone_free_addresses(c, z);
    launch_rules_left(c, f->rules_left);
    for (size_t n = 0; n < pools->count; n++) {
        struct pool *p = &pools->items[n];
        p->take = 0;
        if (p->room > 0)
            p->code = NULL;
    }
}

/* Fill from the pools of `order` that are of the given type and zone (NULL, -1: any). */
static int64_t fill_some(struct ctx *x, const struct pools_goal *goal, struct pools *pools,
                         struct pool **order, size_t count, const struct pool *like) {
    struct fill f;
    struct pool **some = arena_new_array(x->arena, count + 1, sizeof *some);
    size_t some_count = 0;
    fill_reset(x, goal, pools, &f);
    for (size_t n = 0; n < count; n++) {
        const struct launch *l = &order[n]->launch;
        if ((like && goal->single_type && l->type != like->launch.type) ||
            (like && goal->single_zone && l->zone != like->launch.zone))
            continue;
        some[some_count++] = order[n];
    }
    size_t width = 1;
    if (str_equal(goal->strategy, STR("diversified")))
        width = some_count;
    else if (goal->pools_to_use > 1)
        width = MIN((size_t)goal->pools_to_use, some_count);
    fill_spread(x, &f, some, some_count, width);
    return goal->target_micro - f.left_micro;
}

int64_t pools_fill(struct ctx *x, const struct pools_goal *goal, struct pools *pools) {
    must(goal->target_micro > 0);
    struct pool **order = arena_new_array(x->arena, pools->count + 1, sizeof *order);
    size_t count = pools_order(goal, pools, order);
    bool single = goal->single_type || goal->single_zone;
    int64_t wanted = goal->min_micro ? goal->min_micro : goal->target_micro;
    int64_t filled = 0;
    if (!single)
        filled = fill_some(x, goal, pools, order, count, NULL);
    const struct pool *best = NULL;
    int64_t best_filled = 0;
    for (size_t n = 0; single && n < count && best_filled < wanted; n++) {
        filled = fill_some(x, goal, pools, order, count, order[n]);
        if (filled > best_filled) {
            best = order[n];
            best_filled = filled;
        }
    }
    if (single)
        filled = best ? fill_some(x, goal, pools, order, count, best) : 0;
    if (filled >= goal->min_micro)
        return filled;
    for (size_t n = 0; n < pools->count; n++) { /* all or nothing */
        pools->items[n].take = 0;
        pools->items[n].tried = true;
        if (!pools->items[n].code)
            pools->items[n].code =
                goal->spot ? "UnfulfillableCapacity" : "InsufficientInstanceCapacity";
    }
    return 0;
}
