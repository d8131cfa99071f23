#include "head/state.h"

#include "base/log.h"
#include "base/units.h"
#include "base/when.h"
#include "node/bootstrap.h"

#include <arpa/inet.h>
#include <inttypes.h>

#define PAGES_MAX 64      /* of 1,000 instances */
#define FLEETS_PER_DELETE 25 /* instant fleets that one DeleteFleets takes */

/* One action under way; lives in the head's arena. */
struct fleet_call {
    struct head *h;
    uint32_t call;
    uint32_t intent, role;
    bool on_demand;
    uint32_t step, index;
    uint32_t left; /* what could not be deleted */
    uint32_t *nodes;
    uint32_t node_count;
    struct run_seen *seen;
    struct fleet_facts {
        char type[32], zone[24], private_ip[48], public_ip[48];
    } *facts;
    uint32_t seen_count, seen_capacity;
    struct str *names; /* templates or groups to delete */
    uint32_t name_count;
};

static struct fleet_call *new_call(struct head *h, uint32_t call) {
    struct fleet_call *c = arena_new(&h->arena, sizeof *c);
    c->h = h;
    c->call = call;
    return c;
}

/* ---- tags ---- */

#define TAGS_MAX 32

/* The tags of everything that we make; `intent` and `role` only for instances. */
static struct ec2_tags make_tags(struct head *h, const char *token, int role) {
    struct ec2_tag *tags = arena_new_array(&h->arena, TAGS_MAX, sizeof *tags);
    CLEANUP(buf_deinit) struct buf deadline = BUF_INIT(64);
    when_add_rfc3339(&deadline, h->deadline_unix_ms);
    size_t count = 0;
    tags[count++] = (struct ec2_tag){STR("dayfly:run"), str_from(h->id)};
    tags[count++] = (struct ec2_tag){STR("dayfly:name"), h->plan->name};
    tags[count++] = (struct ec2_tag){STR("dayfly:owner"), str_from(h->owner)};
    tags[count++] =
        (struct ec2_tag){STR("dayfly:deadline"), arena_str(&h->arena, buf_str(&deadline))};
    const struct plan_pairs *extra = &h->plan->fleet.tags;
    if (token) {
        tags[count++] = (struct ec2_tag){STR("dayfly:intent"),
                                         arena_str(&h->arena, str_from(token))};
        tags[count++] = (struct ec2_tag){STR("dayfly:role"), h->plan->roles[role].name};
        tags[count++] = (struct ec2_tag){
            STR("Name"),
            str_from(arena_printf(&h->arena, "dayfly %.*s %.*s", STR_ARG(h->plan->name),
                                  STR_ARG(h->plan->roles[role].name)))};
        extra = &h->plan->roles[role].tags;
    }
    for (uint32_t i = 0; i < extra->count && count < TAGS_MAX; i++)
        tags[count++] = (struct ec2_tag){extra->items[i].name, extra->items[i].value};
    return (struct ec2_tags){.items = tags, .count = count};
}

static struct ec2_tag_specs one_spec(struct head *h, const char *type, struct ec2_tags tags) {
    struct ec2_tag_spec *spec = arena_new(&h->arena, sizeof *spec);
    *spec = (struct ec2_tag_spec){.resource_type = str_from(type), .tags = tags};
    return (struct ec2_tag_specs){.items = spec, .count = 1};
}

static struct ec2_filters tag_filter(struct head *h) {
    struct ec2_filter *filter = arena_new(&h->arena, sizeof *filter);
    struct str *value = arena_new(&h->arena, sizeof *value);
    *value = str_from(h->id);
    *filter = (struct ec2_filter){.name = STR("tag:dayfly:run"),
                                  .values = {.items = value, .count = 1}};
    return (struct ec2_filters){.items = filter, .count = 1};
}

/* ---- prepare: one security group, one launch template per role and architecture ---- */

static const char *const ARCHS[] = {"x86_64", "arm64"};

static char *template_name(struct head *h, uint32_t role, uint32_t arch) {
    return arena_printf(&h->arena, "dayfly-%s-%.*s%s", h->id, STR_ARG(h->plan->roles[role].name),
                        arch ? "-arm64" : "");
}

static void prepare_failed(struct fleet_call *c, const char *what,
                           const struct aws_result *result) {
    head_note(c->h, "%s: %s", what, result->err.text);
    struct run_event event = {.kind = RUN_EV_PREPARE_FAILED, .call = c->call};
    event.prepare_failed.refusal = result->class == AWS_DENIED || result->class == AWS_AUTH
                                       ? RUN_REFUSED_DENIED
                                   : result->class == AWS_QUOTA   ? RUN_REFUSED_QUOTA
                                   : result->class == AWS_INVALID ? RUN_REFUSED_INVALID
                                                                  : RUN_REFUSED_OTHER;
    head_feed(c->h, &event);
}

static void prepare_next(struct fleet_call *c);

static bool has_code(const struct aws_result *result, const char *code) {
    return strcmp(result->code, code) == 0;
}

static void on_template(void *user, const struct aws_result *result,
                        const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    bool there = has_code(result, "InvalidLaunchTemplateName.AlreadyExistsException");
    if (result->class != AWS_OK && !there) {
        prepare_failed(c, "launch template", result);
        return;
    }
    c->index++;
    prepare_next(c);
}

static int add_user_data(struct head *h, uint32_t role, struct buf *script, struct err *err) {
    struct str heads[BOOTSTRAP_HEADS_MAX];
    size_t count = 0;
    uint8_t pin[LINK_PIN_SIZE];
    char pin_text[LINK_PIN_TEXT_SIZE];
    link_key_pin(h->key, pin);
    link_pin_text(pin, pin_text);
    for (size_t i = 0; i < h->o.head_address_count && count < BOOTSTRAP_HEADS_MAX; i++)
        heads[count++] = str_from(arena_printf(&h->arena, "%s:%u", h->o.head_addresses[i],
                                               (unsigned)link_server_port(h->server)));
    struct bootstrap b = {
        .run = str_from(h->id),
        .name = h->plan->name,
        .role = h->plan->roles[role].name,
        .heads = heads,
        .heads_count = count,
        .pin = str_from(pin_text),
        .token = str_from(h->token),
        .agent_sha256 = str_from(h->agent_sha256),
        .cap_ns = h->plan->fleet.ttl_ns,
        .deadline_unix_ms = h->deadline_unix_ms,
    };
    return bootstrap_script(&b, script, err);
}

static void make_template(struct fleet_call *c, uint32_t role, uint32_t arch) {
    struct head *h = c->h;
    CLEANUP(buf_deinit) struct buf script = BUF_INIT(USER_DATA_BYTES_MAX);
    struct err err = {0};
    if (add_user_data(h, role, &script, &err) < 0) {
        struct aws_result result = {.class = AWS_INVALID, .err = err};
        prepare_failed(c, "user-data", &result);
        return;
    }
    struct ec2_request r = {.action = EC2_CREATE_LAUNCH_TEMPLATE};
    struct ec2_create_launch_template_in *in = &r.create_launch_template;
    in->name = str_from(template_name(h, role, arch));
    in->client_token = str_from(arena_printf(&h->arena, "%s-t%u-%u", h->id, role, arch));
    in->tag_specs = one_spec(h, "launch-template", make_tags(h, NULL, 0));
    in->data.image_id = arch ? h->roles[role].image_arm64 : h->roles[role].image_x86_64;
    in->data.user_data = buf_str(&script);
    in->data.shutdown_behavior = STR("terminate");
    in->data.metadata.http_tokens = STR("required");
    in->data.metadata.instance_tags = STR("enabled");
    in->data.group_ids = (struct ec2_strs){.items = &h->group_id, .count = 1};
    aws_ec2_call(h->aws, &r, 0, on_template, c);
}

static void on_ingress(void *user, const struct aws_result *result,
                       const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    if (result->class != AWS_OK && !has_code(result, "InvalidPermission.Duplicate")) {
        prepare_failed(c, "security group rule", result);
        return;
    }
    c->step++;
    prepare_next(c);
}

/* Nodes of a run may talk to each other; nobody else may talk to them. */
static void allow_each_other(struct fleet_call *c) {
    struct head *h = c->h;
    struct ec2_group_pair pair = {.group_id = h->group_id};
    struct ec2_ip_permission rule = {.protocol = STR("-1"), .groups = {.items = &pair, .count = 1}};
    struct ec2_request r = {.action = EC2_AUTHORIZE_SECURITY_GROUP_INGRESS};
    r.authorize_security_group_ingress.id = h->group_id;
    r.authorize_security_group_ingress.permissions =
        (struct ec2_ip_permissions){.items = &rule, .count = 1};
    aws_ec2_call(h->aws, &r, 0, on_ingress, c);
}

static void on_group_made(void *user, const struct aws_result *result,
                          const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        prepare_failed(c, "security group", result);
        return;
    }
    c->h->group_id = arena_str(&c->h->arena, reply->create_security_group.id);
    c->step++;
    prepare_next(c);
}

static void make_group(struct fleet_call *c) {
    struct head *h = c->h;
    struct ec2_request r = {.action = EC2_CREATE_SECURITY_GROUP};
    r.create_security_group.name = str_from(arena_printf(&h->arena, "dayfly-%s", h->id));
    r.create_security_group.description = STR("dayfly run: nodes of one run among themselves");
    r.create_security_group.vpc_id = h->vpc_id;
    r.create_security_group.tag_specs = one_spec(h, "security-group", make_tags(h, NULL, 0));
    aws_ec2_call(h->aws, &r, 0, on_group_made, c);
}

/* CreateSecurityGroup has no client token: look before making. */
static void on_group_found(void *user, const struct aws_result *result,
                           const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        prepare_failed(c, "security group", result);
        return;
    }
    if (reply->describe_security_groups.groups.count == 0) {
        make_group(c);
        return;
    }
    c->h->group_id =
        arena_str(&c->h->arena, reply->describe_security_groups.groups.items[0].id);
    c->step++;
    prepare_next(c);
}

static void find_group(struct fleet_call *c) {
    struct ec2_request r = {.action = EC2_DESCRIBE_SECURITY_GROUPS};
    r.describe_security_groups.filters = tag_filter(c->h);
    aws_ec2_call(c->h->aws, &r, 0, on_group_found, c);
}

static void prepare_next(struct fleet_call *c) {
    struct head *h = c->h;
    if (c->step == 0) {
        find_group(c);
        return;
    }
    if (c->step == 1) {
        allow_each_other(c);
        return;
    }
    for (; c->index < h->plan->role_count * ARRAY_LEN(ARCHS); c->index++) {
        uint32_t role = c->index / 2, arch = c->index % 2;
        if (arch ? h->roles[role].image_arm64.len : h->roles[role].image_x86_64.len) {
            make_template(c, role, arch);
            return;
        }
    }
    struct run_event event = {.kind = RUN_EV_PREPARED, .call = c->call};
    head_feed(h, &event);
}

void fleet_prepare(struct head *h, uint32_t call) {
    prepare_next(new_call(h, call));
}

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

static uint32_t find_pool(const struct head *h, uint32_t role, struct str type,
                          struct str subnet, struct str zone) {
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
        struct run_seen *seen = arena_new_array(&c->h->arena, capacity, sizeof *seen);
        struct fleet_facts *facts = arena_new_array(&c->h->arena, capacity, sizeof *facts);
        if (c->seen_count) {
            memcpy(seen, c->seen, c->seen_count * sizeof *seen);
            memcpy(facts, c->facts, c->seen_count * sizeof *facts);
        }
        c->seen = seen;
        c->facts = facts;
        c->seen_capacity = capacity;
    }
    c->seen[c->seen_count] = (struct run_seen){.role = RUN_NONE, .intent = RUN_NONE,
                                               .pool = RUN_NONE};
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
                  STR_ARG(o->instance_type), STR_ARG(o->subnet_id),
                  STR_ARG(errors->items[i].code), STR_ARG(errors->items[i].message));
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
}

/* Overrides of one architecture, in the order of preference. */
static struct ec2_fleet_overrides overrides_of(struct head *h, const struct run_action *a,
                                               const char *arch) {
    const struct head_role *role = &h->roles[a->launch.role];
    struct ec2_fleet_override *items =
        arena_new_array(&h->arena, MAX(role->pool_count, 1u), sizeof *items);
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

static size_t fill_configs(struct head *h, const struct run_action *a,
                           struct ec2_fleet_config *configs) {
    size_t count = 0;
    for (uint32_t arch = 0; arch < ARRAY_LEN(ARCHS); arch++) {
        struct ec2_fleet_overrides overrides = overrides_of(h, a, ARCHS[arch]);
        if (overrides.count == 0)
            continue;
        configs[count].template.name = str_from(template_name(h, a->launch.role, arch));
        configs[count].template.version = STR("1");
        configs[count++].overrides = overrides;
    }
    return count;
}

void fleet_launch(struct head *h, const struct run_action *a) {
    struct ec2_fleet_config configs[ARRAY_LEN(ARCHS)] = {0};
    size_t count = fill_configs(h, a, configs);
    if (count == 0) {
        refuse_at_once(h, a); /* every pool was left out for want of capacity */
        return;
    }
    struct fleet_call *c = new_call(h, a->call);
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
    in->tag_specs = one_spec(h, "instance", make_tags(h, a->launch.token, (int)a->launch.role));
    struct ec2_tag_spec *both = arena_new_array(&h->arena, 2, sizeof *both);
    both[0] = in->tag_specs.items[0];
    both[1] = (struct ec2_tag_spec){.resource_type = STR("fleet"), .tags = make_tags(h, NULL, 0)};
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

static struct str find_tag(const struct ec2_tags *tags, struct str key) {
    for (size_t i = 0; i < tags->count; i++)
        if (str_equal(tags->items[i].key, key))
            return tags->items[i].value;
    return STR_EMPTY;
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
    if (may_repeat && was_seen(c, from->id))
        return;
    struct run_seen *s = add_seen(c);
    struct fleet_facts *f = &c->facts[c->seen_count - 1];
    ignore(!str_copy(s->id, sizeof s->id, from->id)); /* EC2's ids fit */
    s->life = life_of(&from->state);
    int role = h->plan ? plan_find_role(h->plan, find_tag(&from->tags, STR("dayfly:role"))) : -1;
    s->role = role < 0 ? RUN_NONE : (uint32_t)role;
    s->intent = parse_intent(h, find_tag(&from->tags, STR("dayfly:intent")));
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
}

void fleet_list(struct head *h, uint32_t call) {
    struct fleet_call *c = new_call(h, call);
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCES};
    r.describe_instances.filters = tag_filter(h);
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
}

void fleet_terminate(struct head *h, uint32_t call, const uint32_t *nodes, uint32_t count) {
    struct fleet_call *c = new_call(h, call);
    c->nodes = arena_new_array(&h->arena, count, sizeof *c->nodes);
    memcpy(c->nodes, nodes, count * sizeof *nodes);
    c->node_count = count;
    struct str ids[RUN_TERMINATE_MAX];
    for (uint32_t i = 0; i < count; i++)
        ids[i] = str_from(h->run->nodes[nodes[i]].id);
    struct ec2_request r = {.action = EC2_TERMINATE_INSTANCES};
    r.terminate_instances.ids = (struct ec2_strs){.items = ids, .count = count};
    aws_ec2_call(h->aws, &r, AWS_URGENT, on_terminated, c);
}

/* ---- templates, groups, fleet records ---- */

enum { DELETE_FLEETS, LIST_TEMPLATES, DELETE_TEMPLATES, LIST_GROUPS, DELETE_GROUPS, DELETED };

static void delete_next(struct fleet_call *c);

static void on_fleets_deleted(void *user, const struct aws_result *result,
                              const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    if (result->class != AWS_OK)
        log_event(LOG_WARN, "fleets.delete", "why=%s", result->err.text);
    c->index += FLEETS_PER_DELETE; /* a record without instances costs nothing: one try */
    delete_next(c);
}

static void delete_fleets(struct fleet_call *c) {
    struct head *h = c->h;
    struct ec2_request r = {.action = EC2_DELETE_FLEETS};
    uint32_t count = MIN(h->fleet_count - c->index, (uint32_t)FLEETS_PER_DELETE);
    r.delete_fleets.ids = (struct ec2_strs){.items = h->fleet_ids + c->index, .count = count};
    r.delete_fleets.terminate_instances = EC2_TRUE;
    aws_ec2_call(h->aws, &r, AWS_URGENT, on_fleets_deleted, c);
}

static void list_failed(struct fleet_call *c, const struct aws_result *result) {
    log_event(LOG_WARN, "resources.list", "why=%s", result->err.text);
    struct run_event event = {.kind = RUN_EV_RESOURCES_FAILED, .call = c->call};
    event.resources.count = c->left;
    head_feed(c->h, &event);
}

static void keep_names(struct fleet_call *c, size_t count) {
    c->names = arena_new_array(&c->h->arena, MAX(count, (size_t)1), sizeof *c->names);
    c->name_count = 0;
    c->index = 0;
    c->step++;
}

static void on_templates(void *user, const struct aws_result *result,
                         const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        list_failed(c, result);
        return;
    }
    const struct ec2_templates *all = &reply->describe_launch_templates.templates;
    keep_names(c, all->count);
    for (size_t i = 0; i < all->count; i++)
        c->names[c->name_count++] = arena_str(&c->h->arena, all->items[i].id);
    delete_next(c);
}

static void on_groups(void *user, const struct aws_result *result, const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    if (result->class != AWS_OK) {
        list_failed(c, result);
        return;
    }
    const struct ec2_security_groups *all = &reply->describe_security_groups.groups;
    keep_names(c, all->count);
    for (size_t i = 0; i < all->count; i++)
        c->names[c->name_count++] = arena_str(&c->h->arena, all->items[i].id);
    delete_next(c);
}

static void on_deleted(void *user, const struct aws_result *result,
                       const struct ec2_reply *reply) {
    (void)reply;
    struct fleet_call *c = user;
    if (result->class != AWS_OK && result->class != AWS_NOT_FOUND) {
        log_event(LOG_WARN, "resources.delete", "why=%s", result->err.text);
        c->left++;
    } else if (c->step == DELETE_TEMPLATES) {
        c->h->templates_deleted++;
    } else {
        c->h->groups_deleted++;
    }
    c->index++;
    delete_next(c);
}

static void delete_one(struct fleet_call *c) {
    struct ec2_request r = {.action = EC2_DELETE_LAUNCH_TEMPLATE};
    r.delete_launch_template.id = c->names[c->index];
    if (c->step == DELETE_GROUPS) {
        r = (struct ec2_request){.action = EC2_DELETE_SECURITY_GROUP};
        r.delete_security_group.id = c->names[c->index];
    }
    aws_ec2_call(c->h->aws, &r, AWS_URGENT, on_deleted, c);
}

static void delete_next(struct fleet_call *c) {
    struct head *h = c->h;
    if (c->step == DELETE_FLEETS && c->index < h->fleet_count) {
        delete_fleets(c);
        return;
    }
    if (c->step == DELETE_FLEETS) {
        h->fleet_count = 0;
        c->step = LIST_TEMPLATES;
    }
    bool deleting = c->step == DELETE_TEMPLATES || c->step == DELETE_GROUPS;
    if (deleting && c->index < c->name_count) {
        delete_one(c);
        return;
    }
    if (deleting)
        c->step++;
    if (c->step == LIST_TEMPLATES) {
        struct ec2_request r = {.action = EC2_DESCRIBE_LAUNCH_TEMPLATES};
        r.describe_launch_templates.filters = tag_filter(h);
        aws_ec2_call(h->aws, &r, AWS_URGENT, on_templates, c);
    } else if (c->step == LIST_GROUPS) {
        struct ec2_request r = {.action = EC2_DESCRIBE_SECURITY_GROUPS};
        r.describe_security_groups.filters = tag_filter(h);
        aws_ec2_call(h->aws, &r, AWS_URGENT, on_groups, c);
    } else {
        struct run_event event = {
            .kind = c->left ? RUN_EV_RESOURCES_FAILED : RUN_EV_RESOURCES_DELETED, .call = c->call};
        event.resources.count = c->left;
        head_feed(h, &event);
    }
}

void fleet_delete_resources(struct head *h, uint32_t call) {
    delete_next(new_call(h, call));
}

/* ---- console output of a silent node ---- */

static void on_console(void *user, const struct aws_result *result,
                       const struct ec2_reply *reply) {
    struct fleet_call *c = user;
    struct head_node *n = &c->h->nodes[c->index];
    struct run_event event = {.kind = RUN_EV_CONSOLE, .node = c->index};
    if (result->class == AWS_OK) {
        struct str text = str_trim(reply->get_console_output.output), line = text;
        while (str_contains(line, STR("\n")))
            line = str_skip(line, str_index_of(line, '\n') + 1);
        event.console.has_text = text.len > 0;
        if (line.len && !n->note[0])
            snprintf(n->note, sizeof n->note, "console: %.*s", STR_ARG(line));
    }
    head_feed(c->h, &event);
}

void fleet_console(struct head *h, uint32_t node) {
    struct fleet_call *c = new_call(h, 0);
    c->index = node;
    struct ec2_request r = {.action = EC2_GET_CONSOLE_OUTPUT};
    r.get_console_output.instance_id = str_from(h->run->nodes[node].id);
    aws_ec2_call(h->aws, &r, AWS_ONCE, on_console, c);
}
