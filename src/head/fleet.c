#include "head/fleet_call.h"

#include "base/log.h"
#include "base/units.h"

#include <arpa/inet.h>

#define PAGES_MAX 64 /* of 1,000 instances */

/* ---- launch ---- */

static enum run_refusal refusal_of(enum aws_class class) {
    switch (class) {
    case AWS_CAPACITY:
        return RUN_REFUSED_CAPACITY;
    case AWS_QUOTA:
        return RUN_REFUSED_QUOTA;
    case AWS_AUTH:
    case AWS_DENIED:
        return RUN_REFUSED_DENIED;
    case AWS_INVALID:
        return RUN_REFUSED_INVALID;
    case AWS_MISMATCH:
        return RUN_REFUSED_MISMATCH;
    case AWS_OK:
    case AWS_THROTTLED:
    case AWS_NOT_FOUND: /* a template that is not visible yet: the core tries again */
    case AWS_TRANSIENT:
    case AWS_UNKNOWN_OUTCOME:
    case AWS_CLASS_COUNT:
        break;
    }
    return RUN_REFUSED_OTHER;
}

static uint32_t find_pool(const struct head *h, uint32_t role, struct str type, struct str subnet,
                          struct str zone) {
    if (role == RUN_NONE || !h->plan)
        return RUN_NONE;
    for (uint32_t i = 0; i < h->roles[role].pool_count; i++) {
        const struct head_pool *p = &h->roles[role].pools[i];
        if (str_equal(p->type, type) &&
            (str_equal(p->subnet_id, subnet) || (zone.len && str_equal(p->zone, zone))))
            return i;
    }
    return RUN_NONE;
}

static uint64_t pool_price(const struct head *h, uint32_t role, uint32_t pool, bool on_demand) {
    if (pool == RUN_NONE)
        return 0;
    const struct head_pool *p = &h->roles[role].pools[pool];
    return on_demand || !p->spot_usd_micro_per_hour ? p->demand_usd_micro_per_hour
                                                    : p->spot_usd_micro_per_hour;
}

static struct run_seen *add_seen(struct fleet_call *c) {
    if (c->seen_count == c->seen_capacity) {
        uint32_t capacity = MAX(c->seen_capacity * 2, 64u);
        struct run_seen *seen = arena_new_array(&c->arena, capacity, sizeof *seen);
        struct fleet_facts *facts = arena_new_array(&c->arena, capacity, sizeof *facts);
        if (c->seen_count) {
            memcpy(seen, c->seen, c->seen_count * sizeof *seen);
            memcpy(facts, c->facts, c->seen_count * sizeof *facts);
        }
        c->seen = seen;
        c->facts = facts;
        c->seen_capacity = capacity;
    }
    c->seen[c->seen_count] =
        (struct run_seen){.role = RUN_NONE, .intent = RUN_NONE, .pool = RUN_NONE};
    return &c->seen[c->seen_count++];
}

/* After the core knows the instances: remember what only people want to know of them. */
static void keep_facts(struct fleet_call *c) {
    struct head *h = c->h;
    head_learn_nodes(h);
    for (uint32_t i = 0; i < c->seen_count; i++) {
        uint32_t node = run_find_node(h->run, c->seen[i].id);
        if (node == RUN_NONE)
            continue;
        struct head_node *n = &h->nodes[node];
        const struct fleet_facts *f = &c->facts[i];
        if (f->type[0])
            memcpy(n->type, f->type, sizeof n->type);
        if (f->zone[0])
            memcpy(n->zone, f->zone, sizeof n->zone);
        if (f->private_ip[0] && h->server && !n->private_ip[0])
            link_server_expect(h->server, str_from(f->private_ip), true);
        if (f->private_ip[0])
            memcpy(n->private_ip, f->private_ip, sizeof n->private_ip);
        if (f->public_ip[0])
            memcpy(n->public_ip, f->public_ip, sizeof n->public_ip);
    }
}

static void read_set(struct fleet_call *c, const struct ec2_fleet_instances *set) {
    const struct ec2_fleet_override *o = &set->choice.override;
    struct str type = set->instance_type.len ? set->instance_type : o->instance_type;
    struct str subnet = set->subnet_id.len ? set->subnet_id : o->subnet_id;
    struct str zone = set->zone.len ? set->zone : o->zone;
    uint32_t pool = find_pool(c->h, c->role, type, subnet, zone);
    for (size_t i = 0; i < set->ids.count; i++) {
        struct run_seen *s = add_seen(c);
        struct fleet_facts *f = &c->facts[c->seen_count - 1];
        ignore(!str_copy(s->id, sizeof s->id, set->ids.items[i])); /* checked by the core */
        s->life = RUN_LIFE_PENDING;
        s->role = c->role;
        s->intent = c->intent;
        s->pool = pool;
        s->on_demand = c->on_demand;
        s->price_usd_micro_per_hour = pool_price(c->h, c->role, pool, c->on_demand);
        ignore(!str_copy(f->type, sizeof f->type, type));
        if (pool != RUN_NONE)
            ignore(!str_copy(f->zone, sizeof f->zone, c->h->roles[c->role].pools[pool].zone));
    }
}

static uint32_t read_errors(struct fleet_call *c, const struct ec2_fleet_errors *errors,
                            struct run_pool_error *into, uint32_t max) {
    uint32_t count = 0;
    for (size_t i = 0; i < errors->count && count < max; i++) {
        const struct ec2_fleet_override *o = &errors->items[i].choice.override;
        uint32_t pool = find_pool(c->h, c->role, o->instance_type, o->subnet_id, o->zone);
        into[count++] = (struct run_pool_error){
            .pool = pool, .refusal = refusal_of(aws_classify(errors->items[i].code, 400))};
        log_event(LOG_WARN, "fleet.error", "type=%.*s subnet=%.*s code=%.*s message=%.*s",
                  STR_ARG(o->instance_type), STR_ARG(o->subnet_id), STR_ARG(errors->items[i].code),
                  STR_ARG(errors->items[i].message));
    }
    return count;
}

static void on_fleet(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    struct head *h = c->h;
    struct run_pool_error errors[POOLS_MAX];
    struct run_event event = {.kind = RUN_EV_LAUNCH_REPLY, .call = c->call};
    event.launch.intent = c->intent;
    if (result->class == AWS_OK) {
        const struct ec2_create_fleet_out *out = &reply->create_fleet;
        if (h->fleet_count < ARRAY_LEN(h->fleet_ids))
            h->fleet_ids[h->fleet_count++] = arena_str(&h->arena, out->fleet_id);
        for (size_t i = 0; i < out->instances.count; i++)
            read_set(c, &out->instances.items[i]);
        event.launch.outcome = RUN_OUTCOME_OK;
        event.launch.error_count = read_errors(c, &out->errors, errors, POOLS_MAX);
        event.launch.errors = errors;
        event.launch.seen = c->seen;
        event.launch.seen_count = c->seen_count;
    } else {
        log_event(LOG_WARN, "launch", "intent=%u class=%s code=%s why=%s", c->intent,
                  aws_class_name(result->class), result->code, result->err.text);
        bool unknown = result->class == AWS_UNKNOWN_OUTCOME || result->class == AWS_MISMATCH;
        event.launch.outcome = unknown ? RUN_OUTCOME_UNKNOWN : RUN_OUTCOME_REFUSED;
        event.launch.refusal = refusal_of(result->class);
    }
    head_feed(h, &event);
    keep_facts(c);
    fleet_call_end(c);
}

/* Overrides of one architecture, in the order of preference. */
static struct ec2_fleet_overrides overrides_of(struct fleet_call *c, const struct run_action *a,
                                               const char *arch) {
    const struct head_role *role = &c->h->roles[a->launch.role];
    struct ec2_fleet_override *items =
        arena_new_array(&c->arena, MAX(role->pool_count, 1u), sizeof *items);
    size_t count = 0;
    for (uint32_t i = 0; i < role->pool_count; i++) {
        const struct head_pool *p = &role->pools[i];
        if ((a->launch.exclude >> i & 1) || !str_equal(p->arch, str_from(arch)))
            continue;
        struct ec2_fleet_override *o = &items[count++];
        o->instance_type = p->type;
        o->subnet_id = p->subnet_id;
        if (a->launch.on_demand)
            o->priority_micro = EC2_INT((int64_t)i * 1000000);
        else if (role->max_price[0])
            o->max_price = str_from(role->max_price);
    }
    return (struct ec2_fleet_overrides){.items = items, .count = count};
}

static void refuse_at_once(struct head *h, const struct run_action *a) {
    struct run_event event = {.kind = RUN_EV_LAUNCH_REPLY, .call = a->call};
    event.launch.intent = a->launch.intent;
    event.launch.outcome = RUN_OUTCOME_REFUSED;
    event.launch.refusal = RUN_REFUSED_CAPACITY;
    head_feed(h, &event);
}

static size_t fill_configs(struct fleet_call *c, const struct run_action *a,
                           struct ec2_fleet_config *configs) {
    size_t count = 0;
    for (uint32_t arch = 0; arch < ARRAY_LEN(FLEET_ARCHS); arch++) {
        struct ec2_fleet_overrides overrides = overrides_of(c, a, FLEET_ARCHS[arch]);
        if (overrides.count == 0)
            continue;
        configs[count].template.name = str_from(fleet_template(c, a->launch.role, arch));
        configs[count].template.version = STR("1");
        configs[count++].overrides = overrides;
    }
    return count;
}

void fleet_launch(struct head *h, const struct run_action *a) {
    struct ec2_fleet_config configs[ARRAY_LEN(FLEET_ARCHS)] = {0};
    struct fleet_call *c = fleet_call_new(h, a->call);
    size_t count = fill_configs(c, a, configs);
    if (count == 0) {
        fleet_call_end(c);
        refuse_at_once(h, a); /* every pool was left out for want of capacity */
        return;
    }
    c->intent = a->launch.intent;
    c->role = a->launch.role;
    c->on_demand = a->launch.on_demand;
    struct ec2_request r = {.action = EC2_CREATE_FLEET};
    struct ec2_create_fleet_in *in = &r.create_fleet;
    in->type = STR("instant");
    in->client_token = str_from(a->launch.token);
    in->configs = (struct ec2_fleet_configs){.items = configs, .count = count};
    in->target.total = EC2_INT(a->launch.count);
    in->target.default_type = a->launch.on_demand ? STR("on-demand") : STR("spot");
    if (a->launch.on_demand) {
        in->on_demand.strategy = STR("prioritized");
    } else {
        in->spot.strategy = STR("price-capacity-optimized");
        in->spot.interruption = STR("terminate");
    }
    in->tag_specs = fleet_spec(c, "instance", fleet_tags(c, a->launch.token, (int)a->launch.role));
    struct ec2_tag_spec *both = arena_new_array(&c->arena, 2, sizeof *both);
    both[0] = in->tag_specs.items[0];
    both[1] = (struct ec2_tag_spec){.resource_type = STR("fleet"), .tags = fleet_tags(c, NULL, 0)};
    in->tag_specs = (struct ec2_tag_specs){.items = both, .count = 2};
    aws_ec2_call(h->aws, &r, 0, on_fleet, c);
}

/* ---- list ---- */

static enum run_life life_of(const struct ec2_instance_state *state) {
    switch (state->code.value & 0xff) {
    case 0:
        return RUN_LIFE_PENDING;
    case 32:
        return RUN_LIFE_ENDING;
    case 48:
        return RUN_LIFE_GONE;
    default:
        return RUN_LIFE_RUNNING; /* running, and stopped: it is there and must be ended */
    }
}

static uint32_t parse_ip(struct str text) {
    char ip[48];
    struct in_addr address;
    if (!str_copy(ip, sizeof ip, text) || inet_pton(AF_INET, ip, &address) != 1)
        return 0;
    return ntohl(address.s_addr);
}

/* "<run>-<number>" of this run, else RUN_NONE. */
static uint32_t parse_intent(const struct head *h, struct str token) {
    uint64_t number;
    struct str rest = str_skip(token, strlen(h->id) + 1);
    bool ours = str_starts_with(token, str_from(h->id)) && token.len > strlen(h->id) + 1 &&
                token.ptr[strlen(h->id)] == '-';
    if (!ours || units_u64(rest, &number, NULL) < 0 || number >= RUN_NONE)
        return RUN_NONE;
    return (uint32_t)number;
}

static bool was_seen(const struct fleet_call *c, struct str id) {
    for (uint32_t i = 0; i < c->seen_count; i++)
        if (str_equal(str_from(c->seen[i].id), id))
            return true;
    return false;
}

static void read_instance(struct fleet_call *c, const struct ec2_instance *from, bool may_repeat) {
    struct head *h = c->h;
    uint32_t intent = parse_intent(h, fleet_tag(&from->tags, STR("dayfly:intent")));
    if (!fleet_is_ours(h, &from->tags) || intent == RUN_NONE) {
        head_note(h,
                  "%.*s carries the tag of run %s, but no head of this run launched it: "
                  "left alone",
                  STR_ARG(from->id), h->id);
        return;
    }
    if (may_repeat && was_seen(c, from->id))
        return;
    struct run_seen *s = add_seen(c);
    struct fleet_facts *f = &c->facts[c->seen_count - 1];
    ignore(!str_copy(s->id, sizeof s->id, from->id)); /* EC2's ids fit */
    s->life = life_of(&from->state);
    int role = h->plan ? plan_find_role(h->plan, fleet_tag(&from->tags, STR("dayfly:role"))) : -1;
    s->role = role < 0 ? RUN_NONE : (uint32_t)role;
    s->intent = intent;
    s->on_demand = !str_equal(from->lifecycle, STR("spot"));
    s->pool = find_pool(h, s->role, from->type, from->subnet_id, from->placement.zone);
    s->price_usd_micro_per_hour = pool_price(h, s->role, s->pool, s->on_demand);
    s->private_ip = parse_ip(from->private_ip);
    s->public_ip = parse_ip(from->public_ip);
    ignore(!str_copy(f->type, sizeof f->type, from->type));
    ignore(!str_copy(f->zone, sizeof f->zone, from->placement.zone));
    ignore(!str_copy(f->private_ip, sizeof f->private_ip, from->private_ip));
    ignore(!str_copy(f->public_ip, sizeof f->public_ip, from->public_ip));
}

static void on_list_page(void *user, const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    bool may_repeat = c->step++ > 0; /* only across pages */
    const struct ec2_reservations *all = &reply->describe_instances.reservations;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i].instances.count; k++)
            read_instance(c, &all->items[i].instances.items[k], may_repeat);
}

static void on_list_done(void *user, const struct aws_result *result,
                         const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    struct run_event event = {.kind = RUN_EV_LIST_FAILED, .call = c->call};
    if (result->class == AWS_OK) {
        event.kind = RUN_EV_LISTED;
        event.listed.seen = c->seen;
        event.listed.seen_count = c->seen_count;
    } else {
        log_event(LOG_WARN, "list", "why=%s", result->err.text);
    }
    head_feed(c->h, &event);
    keep_facts(c);
    fleet_call_end(c);
}

void fleet_list(struct head *h, uint32_t call) {
    struct fleet_call *c = fleet_call_new(h, call);
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCES};
    r.describe_instances.filters = fleet_filter(c);
    r.describe_instances.max_results = 1000;
    unsigned flags = h->run->stage == RUN_STAGE_TEARDOWN ? AWS_URGENT : 0;
    aws_ec2_list(h->aws, &r, flags, PAGES_MAX, on_list_page, on_list_done, c);
}

/* ---- terminate ---- */

static void on_terminated(void *user, const struct aws_result *result,
                          const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    struct run_event event = {.kind = RUN_EV_TERMINATED, .call = c->call};
    if (result->class == AWS_OK) {
        event.terminated.ok = c->nodes;
        event.terminated.ok_count = c->node_count;
    } else {
        log_event(LOG_WARN, "terminate", "count=%u why=%s", c->node_count, result->err.text);
        event.terminated.failed = c->nodes;
        event.terminated.failed_count = c->node_count;
    }
    head_feed(c->h, &event);
    fleet_call_end(c);
}

void fleet_terminate(struct head *h, uint32_t call, const uint32_t *nodes, uint32_t count) {
    struct fleet_call *c = fleet_call_new(h, call);
    c->nodes = arena_new_array(&c->arena, count, sizeof *c->nodes);
    memcpy(c->nodes, nodes, count * sizeof *nodes);
    c->node_count = count;
    struct str ids[RUN_TERMINATE_MAX];
    for (uint32_t i = 0; i < count; i++)
        ids[i] = str_from(h->run->nodes[nodes[i]].id);
    struct ec2_request r = {.action = EC2_TERMINATE_INSTANCES};
    r.terminate_instances.ids = (struct ec2_strs){.items = ids, .count = count};
    aws_ec2_call(h->aws, &r, AWS_URGENT, on_terminated, c);
}

/* ---- console output of a silent node ---- */

static void on_console(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    struct head_node *n = &c->h->nodes[c->index];
    struct run_event event = {.kind = RUN_EV_CONSOLE, .node = c->index};
    if (result->class == AWS_OK) {
        struct str text = str_trim(reply->get_console_output.output);
        event.console.has_text = text.len > 0;
        if (text.len && !n->note[0])
            agents_note(n, text, "console: ");
    }
    head_feed(c->h, &event);
    fleet_call_end(c);
}

void fleet_console(struct head *h, uint32_t node) {
    struct fleet_call *c = fleet_call_new(h, 0);
    c->index = node;
    struct ec2_request r = {.action = EC2_GET_CONSOLE_OUTPUT};
    r.get_console_output.instance_id = str_from(h->run->nodes[node].id);
    aws_ec2_call(h->aws, &r, AWS_ONCE, on_console, c);
}
