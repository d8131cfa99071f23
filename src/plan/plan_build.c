/* plan_build.c - raw structs that have been read, resolved and checked to the typed ones. */
#include "plan/plan_read.h"

static enum plan_ready_kind ready_kind(const struct raw_ready *ready) {
    if (ready->head.node == NULL)
        return PLAN_READY_ALIVE;
    if (raw_has(&PLAN_READY, &ready->head, "tcp"))
        return PLAN_READY_TCP;
    return raw_has(&PLAN_READY, &ready->head, "http") ? PLAN_READY_HTTP : PLAN_READY_RUN;
}

static void build_local(const struct raw_local *raw, struct plan_local *local) {
    bool limited = raw_has(&PLAN_LOCAL, &raw->head, "capacity");
    *local = (struct plan_local){
        .nodes_max = (uint32_t)raw->nodes_max,
        .isolate = (enum plan_isolate)raw->isolate,
        .boot_ns = raw->boot,
        .dud_ppm = (uint32_t)raw->dud,
        .slow_ppm = (uint32_t)raw->slow,
        .interrupt_count = (uint32_t)raw->interrupt.count,
        .interrupt_every_ns = raw->interrupt.every_ns,
        .speed_milli = (uint32_t)raw->speed,
        .capacity = limited ? (uint32_t)raw->capacity : UINT32_MAX,
    };
}

static void build_fleet(const struct raw_fleet *raw, struct plan_fleet *fleet) {
    *fleet = (struct plan_fleet){
        .profile = raw->profile,
        .region = raw->region,
        .endpoint = raw->endpoint,
        .zones = raw->zones,
        .market = (enum plan_market)raw->market,
        .max_price = raw->max_price,
        .ttl_ns = raw->ttl,
        .budget_usd_micro = raw->budget,
        .launch_timeout_ns = raw->launch_timeout,
        .rollcall_timeout_ns = raw->rollcall_timeout,
        .image = raw->image,
        .tags = raw->tags,
    };
    build_local(&raw->local, &fleet->local);
    must(fleet->ttl_ns > 0);
}

static void build_role(const struct raw_role *raw, struct plan_role *role) {
    static const char *const arches[] = {"", "x86_64", "arm64"};
    const struct plan_range any = {0, UINT64_MAX};
    const struct raw_instances *instances = &raw->instances;
    *role = (struct plan_role){
        .name = raw->head.name,
        .place = raw->head.place,
        .count = (uint32_t)raw->count,
        .min = (uint32_t)raw->min.value,
        .spare = (uint32_t)raw->spare.value,
        .instances = instances->types,
        .needs = {.vcpus = any,
                  .memory_bytes = any,
                  .arch = str_from(arches[instances->arch]),
                  .exclude = instances->exclude},
        .market = (enum plan_market)raw->market,
        .max_price = raw->max_price,
        .image = raw->image,
        .zones = raw->zones,
        .tags = raw->tags,
        .setup = raw->setup,
        .env = raw->env,
        .service = {.run = raw->service.run,
                    .env = raw->service.env,
                    .restart = (enum plan_restart)raw->service.restart,
                    .stop_timeout_ns = raw->service.stop_timeout},
        .ready = {.kind = ready_kind(&raw->ready),
                  .port = (uint16_t)raw->ready.tcp,
                  .url = raw->ready.http,
                  .run = raw->ready.run,
                  .every_ns = raw->ready.every,
                  .timeout_ns = raw->ready.timeout},
        .replace_after_ns = raw->replace_after,
        .on_interrupt = (enum plan_on_interrupt)raw->on_interrupt,
    };
    if (raw_has(&PLAN_INSTANCES, &instances->head, "vcpus"))
        role->needs.vcpus = instances->vcpus;
    if (raw_has(&PLAN_INSTANCES, &instances->head, "memory"))
        role->needs.memory_bytes = instances->memory;
    if (role->ready.kind == PLAN_READY_ALIVE) {
        role->ready.every_ns = 2 * NS_PER_S;
        role->ready.timeout_ns = 300 * NS_PER_S;
    }
    must(role->min >= 1 && role->min <= role->count);
}

static struct plan_expect build_expect(const struct raw_expect *raw) {
    return (struct plan_expect){.status_low = (uint16_t)raw->status.low,
                                .status_high = (uint16_t)raw->status.high,
                                .body = raw->body,
                                .time_max_ns = raw->max_time};
}

static bool same_header(struct str a, struct str b) {
    return str_equal_nocase(a, b);
}

/* Headers of the phase and the request; the latter win. */
static struct plan_pairs merge_headers(struct arena *arena, const struct plan_pairs *outer,
                                       const struct plan_pairs *inner) {
    struct plan_pair *items = arena_new_array(arena, outer->count + inner->count, sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0; i < outer->count; i++) {
        bool covered = false;
        for (uint32_t k = 0; k < inner->count; k++)
            covered = covered || same_header(outer->items[i].name, inner->items[k].name);
        if (!covered)
            items[count++] = outer->items[i];
    }
    for (uint32_t i = 0; i < inner->count; i++)
        items[count++] = inner->items[i];
    return (struct plan_pairs){items, count};
}

static struct str join_url(struct arena *arena, struct str base, struct str path) {
    if (!str_starts_with(path, STR("/")))
        return path;
    while (base.len && base.ptr[base.len - 1] == '/')
        base.len--;
    return str_from(arena_printf(arena, "%.*s%.*s", STR_ARG(base), STR_ARG(path)));
}

static void build_requests(struct arena *arena, const struct raw_http *raw,
                           const struct raw_head *phase, struct plan_http *http) {
    const struct raw_request *from = (const void *)raw->requests.items;
    uint32_t count = MAX(raw->requests.count, 1u);
    struct plan_request *requests = arena_new_array(arena, count, sizeof *requests);
    if (raw->requests.count == 0)
        requests[0] = (struct plan_request){.name = STR("url"),
                                            .place = phase->place,
                                            .url = raw->url,
                                            .headers = raw->headers,
                                            .expect = build_expect(&raw->expect),
                                            .weight = 1};
    for (uint32_t i = 0; i < raw->requests.count; i++) {
        uint32_t method = 0;
        while (method < PLAN_HEAD && from[i].method[method].ptr == NULL)
            method++;
        requests[i] = (struct plan_request){
            .name = from[i].name,
            .place = from[i].head.place,
            .method = (enum plan_method)method,
            .url = join_url(arena, raw->base, from[i].method[method]),
            .headers = merge_headers(arena, &raw->headers, &from[i].headers),
            .body = from[i].body,
            .expect = build_expect(&from[i].expect),
            .weight = (uint32_t)from[i].weight,
        };
        must(requests[i].weight >= 1);
    }
    http->requests = requests;
    http->request_count = count;
}

static void build_stages(struct arena *arena, const struct raw_http *raw, uint64_t duration_ns,
                         struct plan_http *http) {
    const struct raw_stage *from = (const void *)raw->stages.items;
    uint32_t count = raw->rate ? 1 : raw->stages.count;
    uint64_t rate = 0;
    if (count == 0)
        return;
    struct plan_stage *stages = arena_new_array(arena, count, sizeof *stages);
    if (raw->rate)
        stages[0] = (struct plan_stage){raw->rate, raw->rate, duration_ns};
    for (uint32_t i = 0; i < raw->stages.count; i++) {
        bool hold = raw_has(&PLAN_STAGE, &from[i].head, "hold");
        uint64_t to = hold ? rate : from[i].to;
        stages[i] = (struct plan_stage){rate, to, hold ? from[i].hold : from[i].over};
        rate = to;
    }
    http->stages = stages;
    http->stage_count = count;
}

static void build_http(struct arena *arena, const struct raw_phase *phase, struct plan_http *http) {
    const struct raw_http *raw = &phase->http;
    *http = (struct plan_http){
        .users = (uint32_t)raw->users,
        .think_ns = raw->think,
        .connections = (uint32_t)raw->connections,
        .timeout_ns = raw->timeout,
        .keepalive = raw->keepalive != 0,
        .has_seed = raw_has(&PLAN_HTTP, &raw->head, "seed"),
        .seed = raw->seed,
    };
    build_requests(arena, raw, &phase->head, http);
    build_stages(arena, raw, phase->duration, http);
    must((http->users > 0) != (http->stage_count > 0));
}

static void build_phase(struct arena *arena, const struct raw_phase *raw,
                        struct plan_phase *phase) {
    *phase = (struct plan_phase){
        .name = raw->name,
        .place = raw->head.place,
        .nodes = raw->nodes,
        .run = raw->run,
        .duration_ns = raw->duration,
        .timeout_ns = raw->timeout,
        .warmup = raw->warmup != 0,
        .on_fail = (enum plan_on_fail)raw->on_fail,
        .env = raw->env,
        .collect = raw->collect,
    };
    phase->kind = raw_has(&PLAN_PHASE, &raw->head, "run")    ? PLAN_PHASE_RUN
                  : raw_has(&PLAN_PHASE, &raw->head, "wait") ? PLAN_PHASE_WAIT
                                                             : PLAN_PHASE_HTTP;
    if (phase->kind == PLAN_PHASE_HTTP)
        build_http(arena, raw, &phase->http);
    must(phase->timeout_ns >= phase->duration_ns);
}

static void build_lists(struct arena *arena, const struct raw_plan *raw, struct plan *plan) {
    const struct raw_role *roles = (const void *)raw->roles.items;
    const struct raw_phase *phases = (const void *)raw->phases.items;
    const struct raw_collect *collect = (const void *)raw->collect.items;
    struct plan_role *role = arena_new_array(arena, raw->roles.count, sizeof *role);
    struct plan_phase *phase = arena_new_array(arena, raw->phases.count, sizeof *phase);
    struct plan_collect *item = arena_new_array(arena, raw->collect.count, sizeof *item);
    struct plan_place *place = arena_new_array(arena, raw->thresholds.count, sizeof *place);
    for (uint32_t i = 0; i < raw->roles.count; i++)
        build_role(&roles[i], &role[i]);
    for (uint32_t i = 0; i < raw->phases.count; i++) {
        build_phase(arena, &phases[i], &phase[i]);
        plan->planned_ns += phase[i].duration_ns;
        plan->planned_longest_ns += phase[i].timeout_ns;
    }
    for (uint32_t i = 0; i < raw->collect.count; i++)
        item[i] = (struct plan_collect){.nodes = collect[i].nodes,
                                        .from = collect[i].from,
                                        .to = collect[i].to,
                                        .max_bytes = collect[i].max,
                                        .when = (enum plan_when)collect[i].when,
                                        .place = collect[i].head.place};
    for (uint32_t i = 0; i < raw->thresholds.count; i++)
        place[i] = raw->thresholds.nodes[i]->place;
    plan->roles = role;
    plan->role_count = raw->roles.count;
    plan->phases = phase;
    plan->phase_count = raw->phases.count;
    plan->collect = item;
    plan->collect_count = raw->collect.count;
    plan->thresholds = raw->thresholds.items;
    plan->threshold_places = place;
    plan->threshold_count = raw->thresholds.count;
}

struct plan *plan_build(struct plan_reader *r, const struct raw_plan *raw) {
    struct plan *plan = arena_new(r->arena, sizeof *plan);
    must(r->sink.errors->count == 0);
    plan->file = r->options->file;
    plan->text = r->options->text;
    plan->version = (uint32_t)raw->dayfly;
    plan->name = raw->name;
    plan->description = raw->description;
    plan->vars = raw->vars;
    build_fleet(&raw->fleet, &plan->fleet);
    build_lists(r->arena, raw, plan);
    plan->teardown = (enum plan_teardown)raw->teardown;
    plan->disturbed = (enum plan_disturbed)raw->disturbed;
    plan->outputs = (struct plan_outputs){
        .dir = raw->outputs.dir,
        .html = raw->outputs.html != 0,
        .json = raw->outputs.json != 0,
        .csv = raw->outputs.csv != 0,
        .junit = raw->outputs.junit != 0,
        .hdr = raw->outputs.hdr != 0,
        .events = raw->outputs.events != 0,
    };
    plan->raw = raw;
    return plan;
}
