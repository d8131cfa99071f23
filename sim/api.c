/* api.c - calls of the head, over a bad network, to the cloud model. */
#include "base/units.h"
#include "sim.h"

static const char *const pool_types[SIM_POOLS] = {"c7i.large", "c7i.large", "m7i.large",
                                                  "m7i.large"};

/* ---------------------------------------------------------------------- small builders */

/* "<prefix><number>" */
static struct str text(struct sim *s, const char *prefix, uint32_t number) {
    return str_from(arena_printf(&s->arena, "%s%u", prefix, number));
}

static struct ec2_tags tags_new(struct sim *s, size_t count) {
    struct ec2_tags tags;
    tags.items = arena_new_array(&s->arena, count, sizeof *tags.items);
    tags.count = count;
    return tags;
}

static struct ec2_tag_specs tag_spec(struct sim *s, const char *type, struct ec2_tags tags) {
    struct ec2_tag_spec *spec = arena_new(&s->arena, sizeof *spec);
    spec->resource_type = str_from(type);
    spec->tags = tags;
    return (struct ec2_tag_specs){.items = spec, .count = 1};
}

static struct ec2_tags run_tags(struct sim *s) {
    struct ec2_tags tags = tags_new(s, 1);
    tags.items[0] = (struct ec2_tag){STR("dayfly:run"), STR(SIM_RUN_ID)};
    return tags;
}

static struct ec2_filters run_filter(struct sim *s) {
    struct ec2_filter *filter = arena_new(&s->arena, sizeof *filter);
    filter->name = STR("tag:dayfly:run");
    filter->values.items = arena_new(&s->arena, sizeof *filter->values.items);
    filter->values.items[0] = STR(SIM_RUN_ID);
    filter->values.count = 1;
    return (struct ec2_filters){.items = filter, .count = 1};
}

static struct str sim_image(struct sim *s) {
    return cloud_parameter(s->cloud, STR("/aws/service/ami-amazon-linux-latest/"
                                         "al2023-ami-kernel-default-x86_64"));
}

/* One request at the service.  True when it answered with success. */
static bool call(struct sim *s, const struct ec2_request *request, struct cloud_outcome *out) {
    struct cloud_call c = {.now_ns = s->now_ns, .request = request, .access_key = STR("AKIASIM")};
    cloud_handle(s->cloud, &c, &s->arena, out);
    if (out->failed && str_equal(str_from(out->fault->code), STR("RequestLimitExceeded")))
        sim_probe(s, SIM_throttled);
    return out->delivery == CLOUD_REPLY && !out->failed;
}

static bool fault_has(const struct cloud_outcome *out, const char *part) {
    return out->failed && str_contains(str_from(out->fault->code), str_from(part));
}

/* ---------------------------------------------------------------------- others' instances */

static const char *const foreign_runs[SIM_FOREIGN] = {"s1mU", "s1m", "s1mu2", ""};

void sim_api_plant_foreign(struct sim *s) {
    for (uint32_t i = 0; i < SIM_FOREIGN; i++) {
        struct ec2_request r = {.action = EC2_RUN_INSTANCES};
        struct cloud_outcome out;
        arena_reset(&s->arena);
        struct ec2_tags tags = tags_new(s, 2);
        tags.items[0] = (struct ec2_tag){STR("Name"), STR(SIM_RUN_ID)};
        tags.items[1] = (struct ec2_tag){STR("dayfly:run"), str_from(foreign_runs[i])};
        r.run_instances.min_count = r.run_instances.max_count = 1;
        r.run_instances.instance_type = STR("c7i.large");
        r.run_instances.image_id = sim_image(s);
        r.run_instances.client_token = text(s, "other-", i);
        r.run_instances.tag_specs = tag_spec(s, "instance", tags);
        if (!call(s, &r, &out))
            sim_fail(s, "cannot plant others' instances: %s", out.fault->code);
        struct str id = out.reply->run_instances.reservation.instances.items[0].id;
        must(str_copy(s->foreign[i], sizeof s->foreign[i], id));
    }
}

/* ---------------------------------------------------------------------- one call's life */

void sim_api_release(struct sim_call *c) {
    if (!c || --c->references > 0)
        return;
    mem_free(c->nodes);
    mem_free(c->ids);
    mem_free(c);
}

static void plan_call(struct sim *s, uint64_t at_ns, enum sim_kind kind, struct sim_call *c) {
    c->references++;
    sim_plan(s, at_ns, kind)->call = c;
}

static uint64_t network_ns(struct sim *s) {
    return prng_range(&s->prng, 2 * NS_PER_MS, 200 * NS_PER_MS);
}

static struct sim_call *call_new(struct sim *s, const struct run_action *a) {
    struct sim_call *c = mem_new(sizeof *c);
    c->kind = a->kind;
    c->number = a->call;
    c->epoch = s->epoch;
    if (a->kind == RUN_ACT_LAUNCH) {
        c->intent = a->launch.intent;
        c->role = a->launch.role;
        c->count = a->launch.count;
        c->on_demand = a->launch.on_demand;
        c->exclude = a->launch.exclude;
        memcpy(c->token, a->launch.token, sizeof c->token);
    }
    if (a->kind == RUN_ACT_TERMINATE) {
        c->count = a->count;
        c->nodes = mem_new_array(a->count, sizeof *c->nodes);
        c->ids = mem_new_array(a->count, sizeof *c->ids);
        for (uint32_t i = 0; i < a->count; i++) {
            c->nodes[i] = s->act->refs[a->first + i];
            memcpy(c->ids[i], s->run->nodes[c->nodes[i]].id, sizeof c->ids[i]);
        }
    }
    return c;
}

void sim_api_send(struct sim *s, const struct run_action *a) {
    struct sim_call *c = call_new(s, a);
    uint64_t timeout_ns = s->config.call_ns - NS_PER_S;
    uint64_t arrive_ns = s->now_ns + network_ns(s);
    bool launch = a->kind == RUN_ACT_LAUNCH;
    if (launch) {
        sim_say(s, "   launch call %s: %u of role %u, try %u", c->token, c->count, c->role,
                s->run->intents[c->intent].tries);
        sim_check_launch(s, c);
    }
    if (a->kind == RUN_ACT_TERMINATE)
        sim_check_terminate(s, c);
    plan_call(s, s->now_ns + timeout_ns, SIM_CALL_TIMEOUT, c);
    if (sim_chance(s, s->faults.request_lost)) {
        if (launch)
            sim_probe(s, SIM_launch_request_lost);
        return;
    }
    /* A signed launch can act for T_late; other calls that come late change nothing for us. */
    if (launch && sim_chance(s, s->faults.request_late)) {
        c->late = true;
        arrive_ns = s->now_ns + prng_range(&s->prng, NS_PER_S, SIM_LATE_NS - 10 * NS_PER_S);
    }
    /* Heads like to die while a launch is under way: nobody but the journal knows of it then. */
    if (launch && s->faults.crash_writing > 0 && sim_chance(s, c->late ? 300000 : 50000))
        sim_plan(s, s->now_ns + prng_below(&s->prng, 3 * NS_PER_S), SIM_CRASH);
    c->lose_reply = sim_chance(s, s->faults.reply_lost);
    plan_call(s, arrive_ns, SIM_CALL, c);
}

/* An answer for the core that asked; `own` memory goes with it. */
static void answer(struct sim *s, struct sim_call *c, const struct cloud_outcome *out,
                   const struct run_event *ev, void *own_a, void *own_b) {
    uint64_t delay_ns = (out ? out->reply_delay_ns : 0) + network_ns(s);
    if (!c->lose_reply && sim_chance(s, s->faults.reply_late)) {
        delay_ns += prng_range(&s->prng, NS_PER_S, 2 * s->config.call_ns);
        sim_probe(s, SIM_late_reply);
    }
    if (c->lose_reply || c->epoch != s->epoch) {
        if (c->kind == RUN_ACT_LAUNCH && ev->launch.seen_count > 0)
            sim_probe(s, SIM_launch_reply_lost);
        mem_free(own_a);
        mem_free(own_b);
        return;
    }
    /* Its client takes nothing for an answer that comes after the time-out, except a launch's. */
    uint64_t timeout_ns = s->config.call_ns - NS_PER_S;
    if (delay_ns < timeout_ns)
        c->answered = true;
    struct sim_item *item = sim_plan(s, s->now_ns + delay_ns, SIM_EVENT);
    item->event = *ev;
    item->event.call = c->number;
    item->own_a = own_a;
    item->own_b = own_b;
}

static void answer_failed(struct sim *s, struct sim_call *c, const struct cloud_outcome *out,
                          enum run_refusal refusal) {
    struct run_event ev = {0};
    switch (c->kind) {
    case RUN_ACT_PREPARE:
        ev.kind = RUN_EV_PREPARE_FAILED;
        ev.prepare_failed.refusal = refusal;
        break;
    case RUN_ACT_LAUNCH:
        ev.kind = RUN_EV_LAUNCH_REPLY;
        ev.launch.intent = c->intent;
        ev.launch.outcome = refusal == RUN_REFUSED_NONE ? RUN_OUTCOME_UNKNOWN : RUN_OUTCOME_REFUSED;
        ev.launch.refusal = refusal;
        break;
    case RUN_ACT_LIST:
        ev.kind = RUN_EV_LIST_FAILED;
        sim_probe(s, SIM_list_failed);
        break;
    case RUN_ACT_TERMINATE:
        ev.kind = RUN_EV_TERMINATED;
        ev.terminated.failed = c->nodes;
        ev.terminated.failed_count = c->count;
        break;
    default:
        ev.kind = RUN_EV_RESOURCES_FAILED;
        break;
    }
    uint32_t *nodes = NULL;
    if (c->kind == RUN_ACT_TERMINATE) {
        nodes = mem_new_array(c->count, sizeof *nodes);
        memcpy(nodes, c->nodes, c->count * sizeof *nodes);
        ev.terminated.failed = nodes;
    }
    answer(s, c, out, &ev, nodes, NULL);
}

void sim_api_timeout(struct sim *s, struct sim_call *c) {
    if (c->answered || c->epoch != s->epoch || !s->run)
        return;
    c->answered = true;
    bool lose = c->lose_reply;
    c->lose_reply = false;
    if (c->late)
        sim_probe(s, SIM_launch_late);
    answer_failed(s, c, NULL, c->kind == RUN_ACT_PREPARE ? RUN_REFUSED_OTHER : RUN_REFUSED_NONE);
    c->lose_reply = lose;
}

/* ---------------------------------------------------------------------- launch */

static struct ec2_tags launch_tags(struct sim *s, const struct sim_call *c) {
    struct ec2_tags tags = tags_new(s, 3);
    tags.items[0] = (struct ec2_tag){STR("dayfly:run"), STR(SIM_RUN_ID)};
    tags.items[1] = (struct ec2_tag){STR("dayfly:intent"), str_from(c->token)};
    tags.items[2] = (struct ec2_tag){STR("dayfly:role"), text(s, "", c->role)};
    return tags;
}

static void fleet_request(struct sim *s, const struct sim_call *c, struct ec2_request *r) {
    struct ec2_create_fleet_in *in = &r->create_fleet;
    memset(r, 0, sizeof *r);
    r->action = EC2_CREATE_FLEET;
    in->type = STR("instant");
    in->client_token = str_from(c->token);
    in->configs.items = arena_new(&s->arena, sizeof *in->configs.items);
    in->configs.count = 1;
    struct ec2_fleet_config *config = in->configs.items;
    config->template.name = text(s, "dayfly-" SIM_RUN_ID "-", c->role);
    config->template.version = STR("$Latest");
    config->overrides.items =
        arena_new_array(&s->arena, SIM_POOLS, sizeof *config->overrides.items);
    for (uint32_t pool = 0; pool < SIM_POOLS; pool++) {
        if (c->exclude >> pool & 1)
            continue;
        struct ec2_fleet_override *o = &config->overrides.items[config->overrides.count++];
        o->instance_type = str_from(pool_types[pool]);
        o->zone = str_from(cloud_zone_name(s->cloud, pool % 2));
    }
    in->target.total = EC2_INT(c->count);
    in->target.default_type = c->on_demand ? STR("on-demand") : STR("spot");
    in->spot.strategy = STR("price-capacity-optimized");
    in->tag_specs = tag_spec(s, "instance", launch_tags(s, c));
}

static uint32_t pool_of(struct sim *s, struct str type, struct str zone) {
    for (uint32_t pool = 0; pool < SIM_POOLS; pool++)
        if (str_equal(type, str_from(pool_types[pool])) &&
            str_equal(zone, str_from(cloud_zone_name(s->cloud, pool % 2))))
            return pool;
    return RUN_NONE;
}

static enum run_refusal refusal_of(struct str code) {
    if (str_contains(code, STR("Capacity")) || str_contains(code, STR("MaxPrice")) ||
        str_contains(code, STR("Unsupported")))
        return RUN_REFUSED_CAPACITY;
    if (str_contains(code, STR("LimitExceeded")) && !str_equal(code, STR("RequestLimitExceeded")))
        return RUN_REFUSED_QUOTA;
    if (str_contains(code, STR("CountExceeded")))
        return RUN_REFUSED_QUOTA;
    if (str_equal(code, STR("IdempotentParameterMismatch")))
        return RUN_REFUSED_MISMATCH;
    return RUN_REFUSED_OTHER;
}

/* The same intent as RunInstances: the first pool that is not left out, all or some. */
static void plain_request(struct sim *s, const struct sim_call *c, struct ec2_request *r) {
    struct ec2_run_instances_in *in = &r->run_instances;
    uint32_t pool = 0;
    memset(r, 0, sizeof *r);
    r->action = EC2_RUN_INSTANCES;
    while (pool + 1 < SIM_POOLS && (c->exclude >> pool & 1))
        pool++;
    in->min_count = 1;
    in->max_count = c->count;
    in->client_token = str_from(c->token);
    in->image_id = sim_image(s);
    in->instance_type = str_from(pool_types[pool]);
    in->placement.zone = str_from(cloud_zone_name(s->cloud, pool % 2));
    in->shutdown_behavior = STR("terminate");
    if (!c->on_demand)
        in->market.type = STR("spot");
    in->tag_specs = tag_spec(s, "instance", launch_tags(s, c));
}

static void see_launched(struct sim *s, const struct sim_call *c, struct str id, struct str type,
                         struct str zone, struct run_seen *seen) {
    *seen = (struct run_seen){.life = RUN_LIFE_PENDING,
                              .role = c->role,
                              .intent = c->intent,
                              .pool = pool_of(s, type, zone),
                              .on_demand = c->on_demand,
                              .price_usd_micro_per_hour = 40000};
    must(str_copy(seen->id, sizeof seen->id, id));
}

static uint32_t launched_by_fleet(struct sim *s, const struct sim_call *c,
                                  const struct ec2_create_fleet_out *reply, struct run_seen *seen) {
    uint32_t count = 0;
    for (size_t i = 0; i < reply->instances.count; i++) {
        const struct ec2_fleet_instances *set = &reply->instances.items[i];
        for (size_t j = 0; j < set->ids.count; j++) {
            if (count == c->count)
                sim_fail(s, "the cloud launched more than asked: model error");
            see_launched(s, c, set->ids.items[j], set->instance_type, set->zone, &seen[count++]);
        }
    }
    return count;
}

static void launched(struct sim *s, struct sim_call *c, const struct cloud_outcome *out) {
    struct run_event ev = {.kind = RUN_EV_LAUNCH_REPLY};
    struct run_seen *seen = mem_new_array(c->count, sizeof *seen);
    struct run_pool_error *errors = NULL;
    uint32_t count = 0;
    if (s->plain) {
        const struct ec2_instances *list = &out->reply->run_instances.reservation.instances;
        must(list->count <= c->count);
        for (size_t i = 0; i < list->count; i++)
            see_launched(s, c, list->items[i].id, list->items[i].type,
                         list->items[i].placement.zone, &seen[count++]);
    } else {
        const struct ec2_create_fleet_out *reply = &out->reply->create_fleet;
        count = launched_by_fleet(s, c, reply, seen);
        errors = mem_new_array(reply->errors.count, sizeof *errors);
        for (size_t i = 0; i < reply->errors.count; i++) {
            const struct ec2_fleet_error *e = &reply->errors.items[i];
            errors[i].pool = pool_of(s, e->choice.override.instance_type, e->choice.override.zone);
            errors[i].refusal = refusal_of(e->code);
        }
        ev.launch.error_count = (uint32_t)reply->errors.count;
    }
    if (count > 0 && count < c->count)
        sim_probe(s, SIM_partial_fleet);
    sim_say(s, "   %s brought %u of %u", c->token, count, c->count);
    ev.launch.intent = c->intent;
    ev.launch.outcome = RUN_OUTCOME_OK;
    ev.launch.seen = seen;
    ev.launch.seen_count = count;
    ev.launch.errors = errors;
    answer(s, c, out, &ev, seen, errors);
}

static void arrive_launch(struct sim *s, struct sim_call *c) {
    struct ec2_request request;
    struct cloud_outcome out;
    if (s->plain)
        plain_request(s, c, &request);
    else
        fleet_request(s, c, &request);
    if (call(s, &request, &out)) {
        launched(s, c, &out);
        return;
    }
    enum run_refusal refusal = refusal_of(str_from(out.fault->code));
    sim_say(s, "   %s refused: %s", c->token, out.fault->code);
    if (refusal == RUN_REFUSED_MISMATCH) /* the shell calls this one UNKNOWN, with its reason */
        sim_fail(s, "%s was sent twice with different bytes", c->token);
    answer_failed(s, c, &out, refusal);
}

/* ---------------------------------------------------------------------- list */

static uint32_t parse_ip(struct str ip) {
    uint32_t value = 0;
    struct str part;
    uint64_t byte;
    while (str_split(&ip, '.', &part)) {
        if (units_u64(part, &byte, NULL) < 0)
            return 0;
        value = value << 8 | (uint32_t)byte;
    }
    return value;
}

static enum run_life life_of(struct str state) {
    if (str_equal(state, STR("pending")))
        return RUN_LIFE_PENDING;
    if (str_equal(state, STR("shutting-down")))
        return RUN_LIFE_ENDING;
    if (str_equal(state, STR("terminated")))
        return RUN_LIFE_GONE;
    return RUN_LIFE_RUNNING;
}

/* "<run>-<number>" to number, or RUN_NONE. */
static uint32_t intent_of(struct str token) {
    uint64_t number;
    struct str prefix = STR(SIM_RUN_ID "-");
    if (!str_starts_with(token, prefix) ||
        units_u64(str_skip(token, prefix.len), &number, NULL) < 0 || number >= RUN_NONE)
        return RUN_NONE;
    return (uint32_t)number;
}

static void see(const struct ec2_instance *in, struct run_seen *seen) {
    uint64_t number;
    *seen = (struct run_seen){.role = RUN_NONE, .intent = RUN_NONE, .pool = RUN_NONE};
    must(str_copy(seen->id, sizeof seen->id, in->id));
    seen->life = life_of(in->state.name);
    seen->private_ip = parse_ip(in->private_ip);
    seen->on_demand = !str_equal(in->lifecycle, STR("spot"));
    for (size_t i = 0; i < in->tags.count; i++) {
        const struct ec2_tag *tag = &in->tags.items[i];
        if (str_equal(tag->key, STR("dayfly:intent")))
            seen->intent = intent_of(tag->value);
        if (str_equal(tag->key, STR("dayfly:role")) && units_u64(tag->value, &number, NULL) == 0)
            seen->role = (uint32_t)number;
    }
}

/* One page into `seen`; ids that another page had already are dropped. */
static uint32_t list_page(const struct ec2_describe_instances_out *page, struct run_seen *seen,
                          uint32_t count, uint32_t max) {
    for (size_t i = 0; i < page->reservations.count; i++) {
        const struct ec2_instances *list = &page->reservations.items[i].instances;
        for (size_t j = 0; j < list->count; j++) {
            bool known = false;
            must(count < max);
            see(&list->items[j], &seen[count]);
            for (uint32_t k = 0; k < count; k++)
                known |= strcmp(seen[k].id, seen[count].id) == 0;
            count += !known;
        }
    }
    return count;
}

static void arrive_list(struct sim *s, struct sim_call *c) {
    const uint32_t max = 4 * SIM_AGENTS_MAX;
    struct run_event ev = {.kind = RUN_EV_LISTED};
    struct run_seen *seen = mem_new_array(max, sizeof *seen);
    struct ec2_request r = {.action = EC2_DESCRIBE_INSTANCES};
    struct cloud_outcome out;
    r.describe_instances.filters = run_filter(s);
    r.describe_instances.max_results = prng_chance(&s->prng, 300000) ? 5 : 1000;
    for (uint32_t page = 0;; page++) {
        must(page < max);
        if (sim_chance(s, s->faults.call_failed / 4) || !call(s, &r, &out)) {
            mem_free(seen);
            answer_failed(s, c, NULL, RUN_REFUSED_OTHER);
            return;
        }
        const struct ec2_describe_instances_out *reply = &out.reply->describe_instances;
        ev.listed.seen_count = list_page(reply, seen, ev.listed.seen_count, max);
        if (reply->next_token.len == 0)
            break;
        r.describe_instances.next_token = arena_str(&s->arena, reply->next_token);
    }
    ev.listed.seen = seen;
    answer(s, c, &out, &ev, seen, NULL);
}

/* ---------------------------------------------------------------------- the other calls */

static void arrive_terminate(struct sim *s, struct sim_call *c) {
    struct run_event ev = {.kind = RUN_EV_TERMINATED};
    struct ec2_request r = {.action = EC2_TERMINATE_INSTANCES};
    struct cloud_outcome out;
    bool rejected = false;
    r.terminate_instances.ids.items =
        arena_new_array(&s->arena, c->count, sizeof *r.terminate_instances.ids.items);
    r.terminate_instances.ids.count = c->count;
    for (uint32_t i = 0; i < c->count; i++) {
        r.terminate_instances.ids.items[i] = str_from(c->ids[i]);
        rejected |=
            !s->healed && s->now_ns < s->rejects_until_ns && strcmp(c->ids[i], s->rejected_id) == 0;
    }
    /* From time to time one id is "not found" for a while, although it lives. */
    if (!rejected && s->now_ns >= s->rejects_until_ns && sim_chance(s, s->faults.rejected_id)) {
        memcpy(s->rejected_id, c->ids[prng_below(&s->prng, c->count)], INSTANCE_ID_BYTES);
        s->rejects_until_ns = s->now_ns + prng_range(&s->prng, 1, 120) * NS_PER_S;
        rejected = true;
    }
    if (rejected || !call(s, &r, &out)) {
        answer_failed(s, c, NULL, RUN_REFUSED_OTHER);
        return;
    }
    uint32_t *nodes = mem_new_array(c->count, sizeof *nodes);
    memcpy(nodes, c->nodes, c->count * sizeof *nodes);
    ev.terminated.ok = nodes;
    ev.terminated.ok_count = c->count;
    answer(s, c, &out, &ev, nodes, NULL);
}

/* Made already is as good as made now: names are fixed. */
static void arrive_prepare(struct sim *s, struct sim_call *c) {
    struct ec2_request r = {.action = EC2_CREATE_SECURITY_GROUP};
    struct cloud_outcome out;
    r.create_security_group.name = STR("dayfly-" SIM_RUN_ID);
    r.create_security_group.description = STR("dayfly run " SIM_RUN_ID);
    r.create_security_group.tag_specs = tag_spec(s, "security-group", run_tags(s));
    bool ok = call(s, &r, &out) || fault_has(&out, "Duplicate");
    for (uint32_t role = 0; role < s->config.role_count && ok; role++) {
        struct ec2_create_launch_template_in *in = &r.create_launch_template;
        memset(&r, 0, sizeof r);
        r.action = EC2_CREATE_LAUNCH_TEMPLATE;
        in->name = text(s, "dayfly-" SIM_RUN_ID "-", role);
        in->client_token = text(s, SIM_RUN_ID "-t", role);
        in->data.image_id = sim_image(s);
        in->data.user_data = STR("#!/bin/sh\n");
        in->data.shutdown_behavior = STR("terminate");
        in->tag_specs = tag_spec(s, "launch-template", run_tags(s));
        ok = call(s, &r, &out) || fault_has(&out, "AlreadyExists");
    }
    struct run_event ev = {.kind = RUN_EV_PREPARED};
    if (ok)
        answer(s, c, &out, &ev, NULL, NULL);
    else
        answer_failed(s, c, &out, RUN_REFUSED_OTHER);
}

static void arrive_delete(struct sim *s, struct sim_call *c) {
    struct ec2_request r = {.action = EC2_DELETE_LAUNCH_TEMPLATE};
    struct cloud_outcome out;
    bool ok = true;
    for (uint32_t role = 0; role < SIM_ROLES_MAX; role++) {
        r.delete_launch_template.name = text(s, "dayfly-" SIM_RUN_ID "-", role);
        ok &= call(s, &r, &out) || fault_has(&out, "NotFound");
    }
    memset(&r, 0, sizeof r);
    r.action = EC2_DELETE_SECURITY_GROUP;
    r.delete_security_group.name = STR("dayfly-" SIM_RUN_ID);
    ok &= call(s, &r, &out) || fault_has(&out, "NotFound");
    struct run_event ev = {.kind = RUN_EV_RESOURCES_DELETED};
    if (ok)
        answer(s, c, &out, &ev, NULL, NULL);
    else
        answer_failed(s, c, NULL, RUN_REFUSED_OTHER);
}

void sim_api_arrive(struct sim *s, struct sim_call *c) {
    arena_reset(&s->arena);
    if (sim_chance(s, s->faults.call_failed)) {
        answer_failed(s, c, NULL, RUN_REFUSED_OTHER);
        return;
    }
    switch (c->kind) {
    case RUN_ACT_PREPARE:
        arrive_prepare(s, c);
        return;
    case RUN_ACT_LAUNCH:
        arrive_launch(s, c);
        return;
    case RUN_ACT_LIST:
        arrive_list(s, c);
        return;
    case RUN_ACT_TERMINATE:
        arrive_terminate(s, c);
        return;
    case RUN_ACT_DELETE_RESOURCES:
        arrive_delete(s, c);
        return;
    default:
        sim_fail(s, "no such call");
    }
}
