/* EC2 Fleet, type instant: create, list, delete.  Which pools give what is decided in pools.c. */
#include "cloud/pools.h"

#define FLEET_TARGET_MAX 10000
#define FLEET_OVERRIDES_MAX 300
#define DELETE_INSTANT_MAX 25
#define UNIT_MICRO INT64_C(1000000)

void fleet_free(struct fleet *own_fleet) {
    if (!own_fleet)
        return;
    tags_deinit(&own_fleet->tags);
    arena_deinit(&own_fleet->arena);
    mem_free(own_fleet);
}

static struct fleet *fleet_find(const struct cloud *c, struct str id) {
    for (size_t n = 0; n < c->fleets.count; n++)
        if (str_equal(id, str_from(c->fleets.items[n]->id)))
            return c->fleets.items[n];
    return NULL;
}

/* ---- what is asked -------------------------------------------------------------------------- */

static bool word_in(struct str word, const char *const *words) {
    for (; *words; words++)
        if (str_equal(word, str_from(*words)))
            return true;
    return false;
}

static int fleet_check_words(struct ctx *x, const struct ec2_create_fleet_in *in) {
    static const char *const types[] = {"instant", "request", "maintain", NULL};
    static const char *const spot[] = {"lowest-price",
                                       "diversified",
                                       "capacity-optimized",
                                       "capacity-optimized-prioritized",
                                       "price-capacity-optimized",
                                       NULL};
    static const char *const on_demand[] = {"lowest-price", "prioritized", NULL};
    static const char *const units[] = {"units", "vcpu", "memory-mib", NULL};
    static const char *const markets[] = {"spot", "on-demand", NULL};
    const struct {
        struct str word;
        const char *const *allowed;
        const char *name;
    } words[] = {
        {in->type, types, "Type"},
        {in->spot.strategy, spot, "SpotOptions.AllocationStrategy"},
        {in->on_demand.strategy, on_demand, "OnDemandOptions.AllocationStrategy"},
        {in->target.unit, units, "TargetCapacityUnitType"},
        {in->target.default_type, markets, "DefaultTargetCapacityType"},
    };
    for (size_t n = 0; n < ARRAY_LEN(words); n++)
        if (words[n].word.len && !word_in(words[n].word, words[n].allowed))
            return ec2_fault_set(x->fault, "InvalidParameterValue", "Invalid value '%.*s' for %s",
                                 STR_ARG(words[n].word), words[n].name);
    if (!str_equal(in->type, STR("instant")))
        return ec2_fault_set(x->fault, "UnsupportedOperation",
                             "This rehearsal does not offer fleets of type '%.*s' yet; ask for "
                             "type 'instant'",
                             STR_ARG(in->type.len ? in->type : STR("maintain")));
    return 0;
}

static int fleet_check_configs(struct ctx *x, const struct ec2_create_fleet_in *in) {
    size_t overrides = 0;
    if (in->configs.count == 0)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter LaunchTemplateConfigs");
    for (size_t n = 0; n < in->configs.count; n++) {
        const struct ec2_fleet_config *config = &in->configs.items[n];
        if (config->template.version.len == 0)
            return ec2_fault_set(x->fault, "MissingParameter",
                                 "The request must contain the parameter "
                                 "LaunchTemplateSpecification.Version");
        overrides += config->overrides.count;
        for (size_t k = 0; k < config->overrides.count; k++) {
            const struct ec2_fleet_override *o = &config->overrides.items[k];
            if (str_index_of(o->subnet_id, ',') < o->subnet_id.len)
                return ec2_fault_set(x->fault, "InvalidParameterValue",
                                     "A fleet of type instant takes one subnet per override");
            if (o->zone.ptr && o->zone_id.ptr)
                return ec2_fault_set(x->fault, "InvalidParameterCombination",
                                     "Specify an Availability Zone or its id, not both");
        }
    }
    if (overrides > FLEET_OVERRIDES_MAX)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "At most %d overrides",
                             FLEET_OVERRIDES_MAX);
    return 0;
}

/* Options that only fleets of another type have. */
static int fleet_check_instant(struct ctx *x, const struct ec2_create_fleet_in *in) {
    const struct ec2_fleet_spot_options *s = &in->spot;
    if (s->interruption.len && !str_equal(s->interruption, STR("terminate")))
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "A fleet of type instant ends interrupted instances by termination");
    if (s->rebalance_strategy.ptr || in->excess_policy.ptr || in->replace_unhealthy == EC2_TRUE)
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "Replacement options are for fleets of type maintain");
    if (s->pools_to_use && s->strategy.len && !str_equal(s->strategy, STR("lowest-price")))
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "InstancePoolsToUseCount needs the strategy lowest-price");
    if ((s->target_min && !s->single_type && !s->single_zone) ||
        (in->on_demand.target_min && !in->on_demand.single_type && !in->on_demand.single_zone))
        return ec2_fault_set(x->fault, "InvalidParameterCombination",
                             "MinTargetCapacity needs SingleInstanceType or "
                             "SingleAvailabilityZone");
    if (s->target_min > 1000 || in->on_demand.target_min > 1000)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "MinTargetCapacity is at most 1000");
    return 0;
}

static int fleet_targets(struct ctx *x, const struct ec2_fleet_target *t, int64_t *ret_spot,
                         int64_t *ret_on_demand) {
    int64_t total = t->total.value;
    int64_t spot = t->spot.set ? t->spot.value : 0;
    int64_t on_demand = t->on_demand.set ? t->on_demand.value : 0;
    if (!t->total.set)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter TotalTargetCapacity");
    if (total < 1 || total > FLEET_TARGET_MAX || spot < 0 || on_demand < 0)
        return ec2_fault_set(x->fault, "InvalidTargetCapacitySpecification",
                             "TotalTargetCapacity must be 1..%d", FLEET_TARGET_MAX);
    if (spot + on_demand > total)
        return ec2_fault_set(x->fault, "InvalidTargetCapacitySpecification",
                             "On-Demand and Spot targets are more than the total");
    bool default_spot = str_equal(t->default_type, STR("spot"));
    if (default_spot)
        spot = total - on_demand;
    else
        on_demand = total - spot;
    *ret_spot = spot;
    *ret_on_demand = on_demand;
    return 0;
}

/* ---- the reply ------------------------------------------------------------------------------ */

static struct ec2_fleet_choice fleet_choice(struct ctx *x, const struct fleet *f,
                                            const struct pool *p) {
    const struct ec2_fleet_config *config = &f->asked->configs.items[p->config];
    struct ec2_fleet_choice choice = {0};
    choice.template.id = str_from(p->launch.template_id);
    choice.template.version =
        str_from(arena_printf((struct arena *)&f->arena, "%u", p->launch.template_version));
    if (p->has_override)
        choice.override = config->overrides.items[p->override];
    if (!choice.override.instance_type.ptr && p->launch.type)
        choice.override.instance_type = str_from(p->launch.type->name);
    if (!choice.override.zone.ptr && !choice.override.zone_id.ptr)
        choice.override.zone = str_from(x->c->zones[p->launch.zone].name);
    return choice;
}

static void fleet_add_error(struct ctx *x, struct fleet *f, const struct pool *p, bool spot) {
    struct arena *arena = &f->arena;
    const char *message = p->message;
    if (!message)
        message = launch_message(arena, x->c, p->code, p->launch.type, p->launch.zone);
    *LIST_ADD(arena, &f->made.errors) = (struct ec2_fleet_error){
        .choice = fleet_choice(x, f, p),
        .lifecycle = spot ? STR("spot") : STR("on-demand"),
        .code = arena_str(arena, str_from(p->code)),
        .message = arena_str(arena, str_from(message)),
    };
}

static const struct ec2_tags *fleet_tags(const struct ec2_tag_specs *specs) {
    static const struct ec2_tags none = {0};
    for (size_t n = 0; n < specs->count; n++)
        if (str_equal(specs->items[n].resource_type, STR("instance")))
            return &specs->items[n].tags;
    return &none;
}

static void fleet_launch_pool(struct ctx *x, struct fleet *f, struct pool *p, bool spot) {
    struct arena *arena = &f->arena;
    const struct cloud *c = x->c;
    struct launch *l = &p->launch;
    l->fleet_id = f->id;
    /* EC2 launches under a token of its own: that of CreateFleet does not find the instances. */
    l->client_token = str_from(arena_printf(x->arena, "%s-%zu", f->id, f->made.instances.count));
    l->tags[l->tags_count++] = fleet_tags(&l->data.tag_specs);
    l->tags[l->tags_count++] = fleet_tags(&f->asked->tag_specs);
    struct ec2_strs ids = {0};
    launch_go(x, l, p->take, &ids);
    struct ec2_fleet_instances *set = LIST_ADD(arena, &f->made.instances);
    *set = (struct ec2_fleet_instances){
        .choice = fleet_choice(x, f, p),
        .lifecycle = spot ? STR("spot") : STR("on-demand"),
        .instance_type = str_from(l->type->name),
        .zone = str_from(c->zones[l->zone].name),
        .zone_id = str_from(c->zones[l->zone].id),
        .subnet_id = str_from(c->zones[l->zone].subnet_id),
    };
    for (size_t n = 0; n < ids.count; n++) /* the ids live as long as the instances: for ever */
        *LIST_ADD(arena, &set->ids) = ids.items[n];
}

/* ---- create --------------------------------------------------------------------------------- */

static int fleet_goal(struct ctx *x, bool spot, int64_t units, struct pools_goal *ret) {
    const struct ec2_create_fleet_in *in = &x->in->create_fleet;
    struct str total = spot ? in->spot.max_total_price : in->on_demand.max_total_price;
    *ret = (struct pools_goal){
        .spot = spot,
        .strategy = spot ? in->spot.strategy : in->on_demand.strategy,
        .target_micro = units * UNIT_MICRO,
        .pools_to_use = spot ? in->spot.pools_to_use : 0,
        .min_micro = (spot ? in->spot.target_min : in->on_demand.target_min) * UNIT_MICRO,
        .single_type = spot ? in->spot.single_type : in->on_demand.single_type,
        .single_zone = spot ? in->spot.single_zone : in->on_demand.single_zone,
    };
    if (ret->strategy.len == 0)
        ret->strategy = STR("lowest-price");
    return launch_max_price(x, total, &ret->total_usd_micro);
}

struct fleet_market {
    bool spot;
    int64_t units;
    struct pools pools;
    int64_t filled_micro;
};

static int fleet_plan(struct ctx *x, struct fleet_market *m) {
    struct pools_goal goal;
    if (m->units == 0)
        return 0;
    TRY(fleet_goal(x, m->spot, m->units, &goal));
    TRY(pools_collect(x, m->spot, &m->pools));
    m->filled_micro = pools_fill(x, &goal, &m->pools);
    return 0;
}

static void fleet_execute(struct ctx *x, struct fleet *f, struct fleet_market *m) {
    for (size_t n = 0; n < m->pools.count; n++)
        if (m->pools.items[n].take > 0)
            fleet_launch_pool(x, f, &m->pools.items[n], m->spot);
    /* Pools that gave all that was wanted, or were never asked, have nothing to report. */
    bool short_of = m->filled_micro < m->units * UNIT_MICRO;
    for (size_t n = 0; n < m->pools.count; n++) {
        const struct pool *p = &m->pools.items[n];
        if (p->code && (p->tried || p->weight_micro == 0 || short_of))
            fleet_add_error(x, f, p, m->spot);
    }
}

static uint32_t fleet_active_count(const struct cloud *c) {
    uint32_t count = 0;
    for (size_t n = 0; n < c->fleets.count; n++)
        count += c->fleets.items[n]->exists;
    return count;
}

static int fleet_repeat(struct ctx *x, const struct token *token) {
    const struct fleet *f = fleet_find(x->c, str_from(token->result));
    must(f);
    x->out->create_fleet = f->made;
    return 0;
}

static int fleet_check(struct ctx *x) {
    static const char *const types[] = {
        "fleet", "instance", "volume", "network-interface", "spot-instances-request", NULL};
    const struct ec2_create_fleet_in *in = &x->in->create_fleet;
    TRY(fleet_check_words(x, in));
    TRY(fleet_check_configs(x, in));
    TRY(fleet_check_instant(x, in));
    TRY(tags_check_specs(x, &in->tag_specs, types));
    if (fleet_active_count(x->c) >= x->c->options.fleets_max)
        return ec2_fault_set(x->fault, "MaxFleetCountExceeded",
                             "The account has its maximum of %u fleets", x->c->options.fleets_max);
    return 0;
}

int fleets_create(struct ctx *x) {
    struct token token;
    struct fleet_market spot = {.spot = true};
    struct fleet_market on_demand = {.spot = false};
    int known = token_check(x, STR_EMPTY, &token);
    if (known != 0)
        return known < 0 ? known : fleet_repeat(x, &token);
    TRY(fleet_check(x));
    TRY(fleet_targets(x, &x->in->create_fleet.target, &spot.units, &on_demand.units));
    TRY(fleet_plan(x, &on_demand));
    TRY(fleet_plan(x, &spot));
    struct fleet *f = mem_new(sizeof *f);
    const struct ec2_request *copy = request_dup(x, &f->arena);
    if (!copy) {
        fleet_free(f);
        return -1;
    }
    f->asked = &copy->create_fleet;
    struct str uuid = ctx_uuid(x);
    must(str_copy(f->id, sizeof f->id,
                  str_from(arena_printf(x->arena, "fleet-%.*s", STR_ARG(uuid)))));
    f->made.fleet_id = str_from(f->id);
    f->exists = true;
    f->created_ns = x->c->now_ns;
    tags_apply(x, &f->tags, &f->asked->tag_specs, "fleet");
    OWN_LIST_ADD(&x->c->fleets, f);
    fleet_execute(x, f, &on_demand);
    fleet_execute(x, f, &spot);
    f->fulfilled_micro = spot.filled_micro + on_demand.filled_micro;
    f->fulfilled_on_demand_micro = on_demand.filled_micro;
    token_keep(x, STR_EMPTY, f->id, 0);
    x->out->create_fleet = f->made;
    return 0;
}

/* ---- delete --------------------------------------------------------------------------------- */

static bool fleet_has_live(const struct cloud *c, const struct fleet *f) {
    for (size_t n = 0; n < c->instances.count; n++) {
        const struct instance *i = c->instances.items[n];
        if (instance_is_live(i) && str_equal(str_from(i->pub.fleet_id), str_from(f->id)))
            return true;
    }
    return false;
}

/* The state now: a fleet that is being deleted is deleted when its last instance is gone. */
const char *fleet_state(const struct cloud *c, const struct fleet *f) {
    if (f->exists)
        return "active";
    return fleet_has_live(c, f) ? "deleted_terminating" : "deleted";
}

static void fleet_delete(struct ctx *x, struct fleet *f) {
    struct cloud *c = x->c;
    struct ec2_fleet_deletion *d = LIST_ADD(x->arena, &x->out->delete_fleets.done);
    d->fleet_id = str_from(f->id);
    d->previous = str_from(fleet_state(c, f));
    f->exists = false;
    f->deleted_ns = c->now_ns;
    for (size_t n = 0; n < c->instances.count; n++)
        if (str_equal(str_from(c->instances.items[n]->pub.fleet_id), str_from(f->id)))
            x->ended += instance_terminate(c, c->instances.items[n], "Client.UserInitiatedShutdown",
                                           "Client.UserInitiatedShutdown: User initiated shutdown");
    d->current = STR("deleted_terminating");
}

static void fleet_refuse(struct ctx *x, struct str id, const char *code, const char *message) {
    *LIST_ADD(x->arena, &x->out->delete_fleets.failed) = (struct ec2_fleet_deletion_failure){
        .fleet_id = id, .reason = {.code = str_from(code), .message = str_from(message)}};
}

int fleets_delete(struct ctx *x) {
    const struct ec2_delete_fleets_in *in = &x->in->delete_fleets;
    if (in->terminate_instances == EC2_UNSET)
        return ec2_fault_set(x->fault, "MissingParameter",
                             "The request must contain the parameter TerminateInstances");
    if (in->terminate_instances == EC2_FALSE)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "Fleets of type instant are deleted with their instances");
    if (in->ids.count > DELETE_INSTANT_MAX)
        return ec2_fault_set(x->fault, "InvalidParameterValue",
                             "At most %d fleets of type instant a call", DELETE_INSTANT_MAX);
    for (size_t n = 0; n < in->ids.count; n++) {
        struct str id = in->ids.items[n];
        struct fleet *f = fleet_find(x->c, id);
        if (!str_starts_with(id, STR("fleet-")))
            fleet_refuse(x, id, "fleetIdMalformed", "The fleet id is malformed");
        else if (!f)
            fleet_refuse(x, id, "fleetIdDoesNotExist", "The fleet does not exist");
        else if (!f->exists)
            fleet_refuse(x, id, "fleetNotInDeletableState", "The fleet is deleted already");
        else
            fleet_delete(x, f);
    }
    return 0;
}

/* ---- describe ------------------------------------------------------------------------------- */

static bool fleet_filter_get(struct ctx *x, const void *object, struct str name,
                             struct values *ret) {
    const struct fleet *f = object;
    if (str_equal(name, STR("fleet-state"))) {
        /* filters write the states with hyphens */
        const char *state = f ? fleet_state(x->c, f) : "active";
        bool ending = str_equal(str_from(state), STR("deleted_terminating"));
        values_add(ret, ending ? STR("deleted-terminating") : str_from(state));
    } else if (str_equal(name, STR("type"))) {
        values_add(ret, STR("instant"));
    } else if (str_equal(name, STR("activity-status"))) {
        values_add(ret, STR("fulfilled"));
    } else if (str_equal(name, STR("excess-capacity-termination-policy")) ||
               str_equal(name, STR("replace-unhealthy-instances"))) {
        return true;
    } else {
        return filter_tags(x, f ? &f->tags : NULL, name, ret);
    }
    return true;
}

static void fleet_fill(struct ctx *x, const struct fleet *f, struct ec2_fleet *ret) {
    *ret = (struct ec2_fleet){
        .id = str_from(f->id),
        .state = str_from(fleet_state(x->c, f)),
        .activity = STR("fulfilled"), /* an instant fleet always is */
        .type = STR("instant"),
        .client_token = f->asked->client_token,
        .created_unix_ms = cloud_unix_ms(x->c, f->created_ns),
        .fulfilled_micro = EC2_INT(f->fulfilled_micro),
        .fulfilled_on_demand_micro = EC2_INT(f->fulfilled_on_demand_micro),
        .configs = f->asked->configs,
        .target = f->asked->target,
        .spot = f->asked->spot,
        .on_demand = f->asked->on_demand,
        .tags = tags_reply(x->arena, &f->tags, x->seen_ns),
        .errors = f->made.errors,
        .instances = f->made.instances,
    };
}

/* Fleets of type instant are listed only by id, and there is no other type here. */
int fleets_describe(struct ctx *x) {
    const struct ec2_describe_fleets_in *in = &x->in->describe_fleets;
    struct page page;
    TRY(filter_check(x, &in->filters, fleet_filter_get));
    TRY(page_open(x, in->max_results, 1, 1000, in->next_token, &page));
    for (size_t n = 0; n < in->ids.count; n++) {
        const struct fleet *f = fleet_find(x->c, in->ids.items[n]);
        if (!f)
            return ec2_fault_set(x->fault, "InvalidFleetId.NotFound",
                                 "The fleet ID '%.*s' does not exist", STR_ARG(in->ids.items[n]));
        if (n < page.start || !filter_match(x, &in->filters, fleet_filter_get, f))
            continue;
        if (x->out->describe_fleets.fleets.count == page.limit) {
            x->out->describe_fleets.next_token = page_token(x, n);
            break;
        }
        fleet_fill(x, f, LIST_ADD(x->arena, &x->out->describe_fleets.fleets));
    }
    return 0;
}
