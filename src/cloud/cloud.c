#include "cloud/state.h"

#include "base/when.h"

static handler_fn *const cloud_handlers[EC2_ACTION_COUNT] = {
    [EC2_DESCRIBE_REGIONS] = offers_regions,
    [EC2_DESCRIBE_AVAILABILITY_ZONES] = offers_zones,
    [EC2_DESCRIBE_VPCS] = network_vpcs,
    [EC2_DESCRIBE_SUBNETS] = network_subnets,
    [EC2_DESCRIBE_IMAGES] = offers_images,
    [EC2_DESCRIBE_INSTANCE_TYPES] = offers_types,
    [EC2_DESCRIBE_INSTANCE_TYPE_OFFERINGS] = offers_offerings,
    [EC2_DESCRIBE_SPOT_PRICE_HISTORY] = prices_history,
    [EC2_DESCRIBE_INSTANCES] = listing_instances,
    [EC2_DESCRIBE_INSTANCE_STATUS] = listing_status,
    [EC2_DESCRIBE_TAGS] = tags_describe,
    [EC2_DESCRIBE_LAUNCH_TEMPLATES] = templates_describe,
    [EC2_DESCRIBE_LAUNCH_TEMPLATE_VERSIONS] = templates_versions,
    [EC2_DESCRIBE_FLEETS] = fleets_describe,
    [EC2_DESCRIBE_SECURITY_GROUPS] = network_groups,
    [EC2_DESCRIBE_KEY_PAIRS] = keys_describe,
    [EC2_DESCRIBE_VOLUMES] = listing_volumes,
    [EC2_CREATE_LAUNCH_TEMPLATE] = templates_create,
    [EC2_CREATE_LAUNCH_TEMPLATE_VERSION] = templates_version,
    [EC2_DELETE_LAUNCH_TEMPLATE] = templates_delete,
    [EC2_CREATE_SECURITY_GROUP] = network_group_create,
    [EC2_DELETE_SECURITY_GROUP] = network_group_delete,
    [EC2_AUTHORIZE_SECURITY_GROUP_INGRESS] = network_authorize,
    [EC2_REVOKE_SECURITY_GROUP_INGRESS] = network_revoke,
    [EC2_CREATE_KEY_PAIR] = keys_create,
    [EC2_IMPORT_KEY_PAIR] = keys_import,
    [EC2_DELETE_KEY_PAIR] = keys_delete,
    [EC2_CREATE_TAGS] = tags_create,
    [EC2_DELETE_TAGS] = tags_delete,
    [EC2_CREATE_FLEET] = fleets_create,
    [EC2_DELETE_FLEETS] = fleets_delete,
    [EC2_RUN_INSTANCES] = launch_run,
    [EC2_STOP_INSTANCES] = ending_stop,
    [EC2_TERMINATE_INSTANCES] = ending_terminate,
    [EC2_GET_CONSOLE_OUTPUT] = listing_console,
};

/* ---- small things that every part uses ------------------------------------------------------ */

static void cloud_hex(char *into, uint64_t value, size_t digits) {
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < digits; i++)
        into[i] = hex[(value >> (4 * (digits - 1 - i))) & 15];
}

void cloud_make_id(struct cloud *c, const char *prefix, char *into, size_t size) {
    size_t len = strlen(prefix);
    must(size > len + 17);
    memcpy(into, prefix, len);
    into[len] = '0';
    cloud_hex(into + len + 1, prng_next(&c->ids), 16);
    into[len + 17] = '\0';
}

/* A UUID of version 4. */
static struct str cloud_make_uuid(struct arena *arena, struct prng *p) {
    char text[37];
    uint64_t high = (prng_next(p) & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    uint64_t low = (prng_next(p) & ~(UINT64_C(3) << 62)) | (UINT64_C(2) << 62);
    cloud_hex(text, high >> 32, 8);
    text[8] = '-';
    cloud_hex(text + 9, high >> 16, 4);
    text[13] = '-';
    cloud_hex(text + 14, high, 4);
    text[18] = '-';
    cloud_hex(text + 19, low >> 48, 4);
    text[23] = '-';
    cloud_hex(text + 24, low, 12);
    return arena_str(arena, (struct str){text, 36});
}

struct str ctx_uuid(struct ctx *x) {
    return cloud_make_uuid(x->arena, &x->c->ids);
}

uint64_t cloud_draw(struct prng *p, struct cloud_range range) {
    must(range.min <= range.max);
    return range.max == 0 ? 0 : prng_range(p, range.min, range.max);
}

void cloud_remember(struct cloud *c, uint64_t fact) {
    uint64_t z = (c->history_hash ^ fact) * UINT64_C(0x9e3779b97f4a7c15);
    c->history_hash = z ^ (z >> 31);
}

int64_t cloud_unix_ms(const struct cloud *c, uint64_t now_ns) {
    must(now_ns >= c->options.start_ns);
    return c->options.start_unix_ms + (int64_t)((now_ns - c->options.start_ns) / NS_PER_MS);
}

/* ---- life ----------------------------------------------------------------------------------- */

static void cloud_init_network(struct cloud *c) {
    const struct cloud_options *o = &c->options;
    unsigned order[CLOUD_ZONES_MAX] = {1, 2, 3, 4, 5, 6};
    unsigned letters = (unsigned)strlen(c->region->zone_letters);
    /* Which letter is which place differs from account to account; the ids do not. */
    for (unsigned i = letters; i > 1; i--) {
        uint64_t k = prng_below(&c->ids, i);
        unsigned other = order[k];
        order[k] = order[i - 1];
        order[i - 1] = other;
    }
    cloud_make_id(c, "vpc-", c->vpc_id, sizeof c->vpc_id);
    for (unsigned i = 0; i < o->zones; i++) {
        struct zone *z = &c->zones[i];
        struct arena arena = {0};
        must(str_copy(
            z->name, sizeof z->name,
            str_from(arena_printf(&arena, "%s%c", c->region->name, c->region->zone_letters[i]))));
        must(str_copy(z->id, sizeof z->id,
                      str_from(arena_printf(&arena, "%s-az%u", c->region->zone_id, order[i]))));
        arena_deinit(&arena);
        cloud_make_id(c, "subnet-", z->subnet_id, sizeof z->subnet_id);
        z->ip = o->vpc_ip + (i << (32 - o->subnet_prefix));
        z->cursor = 3; /* EC2 keeps the first four addresses and the last */
    }
    struct group *g = group_make(c, STR("default"), STR("default VPC security group"));
    g->built_in = true;
}

struct cloud *cloud_new(const struct cloud_options *o) {
    must(o && cloud_options_check(o, NULL) == 0);
    struct cloud *c = mem_new(sizeof *c);
    c->options = *o;
    c->region = catalog_region_find(str_from(o->region));
    c->now_ns = o->start_ns;
    prng_init(&c->ids, o->seed);
    prng_init(&c->fates, o->seed ^ UINT64_C(0x66617465));
    prng_init(&c->delays, o->seed ^ UINT64_C(0x64656c61));
    heap_init(&c->events, EVENTS_MAX);
    table_init(&c->instance_by_id);
    table_init(&c->tokens);
    c->calls = mem_new_array(CLOUD_CALLS_MAX, sizeof *c->calls);
    c->interrupt_next_ns = o->interrupt_every_ns ? o->start_ns + o->interrupt_every_ns : NEVER;
    cloud_init_network(c);
    offers_init(c);
    return c;
}

static void cloud_free_resources(struct cloud *c) {
    for (size_t n = 0; n < c->groups.count; n++)
        group_free(c->groups.items[n]);
    for (size_t n = 0; n < c->keys.count; n++)
        key_free(c->keys.items[n]);
    for (size_t n = 0; n < c->templates.count; n++)
        template_free(c->templates.items[n]);
    for (size_t n = 0; n < c->fleets.count; n++)
        fleet_free(c->fleets.items[n]);
    mem_free(c->groups.items);
    mem_free(c->keys.items);
    mem_free(c->templates.items);
    mem_free(c->fleets.items);
}

void cloud_free(struct cloud *own_cloud) {
    struct cloud *c = own_cloud;
    if (!c)
        return;
    for (size_t n = 0; n < c->instances.count; n++)
        instance_free(c->instances.items[n]);
    mem_free(c->instances.items);
    cloud_free_resources(c);
    size_t cursor = 0;
    const struct table_entry *entry = NULL;
    while ((entry = table_next(&c->tokens, &cursor)))
        mem_free(entry->value);
    table_deinit(&c->tokens);
    table_deinit(&c->instance_by_id);
    heap_deinit(&c->events);
    for (size_t i = 0; i < CLOUD_ZONES_MAX; i++)
        tags_deinit(&c->zones[i].subnet_tags);
    tags_deinit(&c->vpc_tags);
    mem_free(c->effects);
    mem_free(c->calls);
    mem_free(c);
}

uint64_t cloud_next_ns(const struct cloud *c) {
    must(c);
    const struct heap_item *first = heap_first(&c->events);
    return MIN(first ? first->key : NEVER, c->interrupt_next_ns);
}

void cloud_tick(struct cloud *c, uint64_t now_ns) {
    must(c && now_ns >= c->options.start_ns);
    instances_tick(c, now_ns);
}

uint64_t cloud_hash(const struct cloud *c) {
    must(c);
    uint64_t parts[] = {c->history_hash,    c->instances.count, c->groups.count, c->keys.count,
                        c->templates.count, c->fleets.count,    c->call_count,   c->ids.state[0],
                        c->fates.state[0],  c->delays.state[0], c->running,      c->effect_count};
    uint64_t hash = 0;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        hash = (hash ^ parts[i]) * UINT64_C(0x100000001b3) + (hash >> 29);
    for (size_t n = 0; n < c->instances.count; n++)
        hash = (hash ^ c->instances.items[n]->pub.billed_usd_micro) * UINT64_C(0x100000001b3);
    return hash;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static const char *cloud_perform(struct ctx *x) {
    if (throttle_take(x) < 0)
        return x->fault->code;
    if (x->in->dry_run) {
        ec2_fault_set(x->fault, "DryRunOperation",
                      "Request would have succeeded, but DryRun flag is set.");
        return x->fault->code;
    }
    handler_fn *handler = cloud_handlers[x->in->action];
    must(handler);
    if (handler(x) < 0) {
        must(x->fault->code[0]);
        return x->fault->code;
    }
    must(!x->fault->code[0]);
    return "ok";
}

static struct cloud_call_record *cloud_record(struct cloud *c, const struct cloud_call *call) {
    struct cloud_call_record *r = &c->calls[c->call_count++ % CLOUD_CALLS_MAX];
    *r = (struct cloud_call_record){.number = c->call_count,
                                    .now_ns = call->now_ns,
                                    .dry_run = call->request->dry_run,
                                    .late = call->late};
    ignore(str_copy(r->action, sizeof r->action, ec2_action_name(call->request->action)));
    ignore(str_copy(r->token, sizeof r->token, ec2_request_client_token(call->request)));
    /* cut when longer: the log is for reading */
    return r;
}

/* What the planned trouble leaves to do: true when the call is to be performed. */
static bool cloud_apply_fault(const struct fault_rule *rule, struct ctx *x,
                              struct cloud_outcome *outcome) {
    switch (rule->mode) {
    case FAULT_ERROR:
        ec2_fault_set(x->fault, rule->code, "Planned by a fault rule.");
        return false;
    case FAULT_DROP_BEFORE:
        outcome->delivery = CLOUD_DROPPED;
        return false;
    case FAULT_DELAY_EFFECT:
        outcome->delivery = CLOUD_LATER;
        outcome->effect_delay_ns = rule->delay_ns;
        return false;
    case FAULT_LOST_REPLY:
        outcome->delivery = CLOUD_LOST;
        return true;
    case FAULT_DELAY:
        outcome->reply_delay_ns += rule->delay_ns;
        return true;
    case FAULT_DROP_TAGS:
        x->drop_tags = true;
        return true;
    case FAULT_TRUNCATE:
        outcome->delivery = CLOUD_CUT;
        return true;
    case FAULT_NONE:
        return true;
    }
    return true;
}

static uint64_t cloud_seen_ns(struct cloud *c) {
    if (!prng_chance(&c->delays, c->options.stale_ppm))
        return c->now_ns;
    uint64_t lag = prng_range(&c->delays, 0, c->options.stale_lag_ns_max);
    return c->now_ns - MIN(lag, c->now_ns - c->options.start_ns);
}

void cloud_handle(struct cloud *c, const struct cloud_call *call, struct arena *arena,
                  struct cloud_outcome *ret_outcome) {
    must(c && call && call->request && arena && ret_outcome);
    must(call->request->action < EC2_ACTION_COUNT);
    cloud_tick(c, call->now_ns);
    struct ctx x = {.c = c, .in = call->request, .arena = arena};
    x.out = arena_new(arena, sizeof *x.out);
    x.fault = arena_new(arena, sizeof *x.fault);
    x.out->action = call->request->action;
    x.out->request_id = ctx_uuid(&x);
    x.seen_ns = cloud_seen_ns(c);
    struct cloud_outcome outcome = {.delivery = CLOUD_REPLY, .reply = x.out, .fault = x.fault};
    outcome.request_id = x.out->request_id;
    outcome.reply_delay_ns = cloud_draw(&c->delays, c->options.api_ns);
    struct cloud_call_record *record = cloud_record(c, call);
    const struct fault_rule *rule =
        call->late ? NULL : fault_match(&c->options.faults, str_from(record->action));
    const char *result = "";
    if (rule)
        ignore(str_copy(record->fault, sizeof record->fault,
                        str_from(fault_mode_name(rule->mode)))); /* the names fit */
    if (!rule || cloud_apply_fault(rule, &x, &outcome))
        result = cloud_perform(&x);
    else if (rule->mode == FAULT_ERROR)
        result = x.fault->code;
    if (call->late)
        outcome.delivery = CLOUD_LOST; /* its connection is long gone */
    ignore(str_copy(record->outcome, sizeof record->outcome, str_from(result))); /* cut: a log */
    record->launched = x.launched;
    record->ended = x.ended;
    outcome.failed = x.fault->code[0] != '\0';
    outcome.number = record->number;
    c->calls_failed += outcome.failed;
    cloud_remember(c, str_hash(str_from(record->action)) + str_hash(str_from(result)));
    *ret_outcome = outcome;
}

/* ---- while running -------------------------------------------------------------------------- */

struct str cloud_account(const struct cloud *c) {
    return str_from(c->options.account);
}

struct str cloud_region(const struct cloud *c) {
    return str_from(c->options.region);
}

int cloud_fault_add(struct cloud *c, const struct fault_rule *rule, struct err *err) {
    must(c && rule);
    return fault_table_add(&c->options.faults, rule, err);
}

void cloud_faults_reset(struct cloud *c) {
    must(c);
    c->options.faults.count = 0;
}

void cloud_capacity_set(struct cloud *c, const struct cloud_capacity_rule *rules, size_t count) {
    must(c && count <= CLOUD_CAPACITY_RULES_MAX);
    if (count > 0)
        memcpy(c->options.capacity, rules, count * sizeof *rules);
    c->options.capacity_count = count;
}
