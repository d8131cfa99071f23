/* plan_resolve.c - defaults that are computed, and rules between the keys of one section. */
#include "plan/plan_read.h"
#include "base/units.h"

#include <inttypes.h>

#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)

/* An error at a key of a section, or at the section when the key is not there.  What has been
 * found wrong before is not said again. */
static struct plan_error *key_error(struct plan_reader *r, const struct plan_section *section,
                                    const struct raw_head *head, const char *key,
                                    const char *message) {
    if (raw_is_bad(section, head, key))
        return &r->sink.spare;
    const struct yaml_entry *entry = head->node ? yaml_find_entry(head->node, str_from(key)) : NULL;
    if (entry)
        return plan_error_add(&r->sink, entry->value->place, entry->value->width, "%s", message);
    return plan_error_add(&r->sink, head->place, 1, "%s", message);
}

/* How many of the named keys have a value; names end with NULL. */
static unsigned given(const struct plan_section *section, const struct raw_head *head,
                      const char *const *names) {
    unsigned count = 0;
    for (; *names; names++)
        count += raw_has(section, head, *names);
    return count;
}

/* Exactly one of the keys must be there. */
static bool exactly_one(struct plan_reader *r, const struct plan_section *section,
                        const struct raw_head *head, const char *const *names, const char *what) {
    unsigned count = given(section, head, names);
    if (count == 1 || head->bad)
        return count == 1;
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(200);
    for (const char *const *name = names; *name; name++)
        buf_printf(&b, "%s%s", b.len ? ", " : "", *name);
    struct plan_error *error =
        plan_error_add(&r->sink, head->place, 1, "%s needs exactly one of %s; it has %u", what,
                       buf_text(&b), count);
    error->help = plan_read_help(&r->sink, section, NULL);
    return false;
}

/* ---- roles ---- */

static uint64_t nodes_of(struct raw_count count, uint64_t of) {
    return count.is_percent ? (of * count.value + MICRO - 1) / MICRO : count.value;
}

static void resolve_instances(struct plan_reader *r, struct raw_role *role) {
    static const char *const needs[] = {"vcpus", "memory", "arch", "exclude", NULL};
    static const struct str preset[] = {STR_INIT("c7g.large"), STR_INIT("c6g.large"),
                                        STR_INIT("c7i.large")};
    struct raw_instances *instances = &role->instances;
    bool has_types = raw_has(&PLAN_INSTANCES, &instances->head, "types");
    unsigned need_count = given(&PLAN_INSTANCES, &instances->head, needs);
    if (has_types && need_count) {
        key_error(r, &PLAN_INSTANCES, &instances->head, "types",
                  "instances: either a list of types or needs");
        return;
    }
    if (!has_types && need_count == 0) {
        instances->types = (struct plan_texts){preset, ARRAY_LEN(preset)};
        raw_mark(&PLAN_INSTANCES, &instances->head, "types");
        return;
    }
    if (instances->types.count > POOLS_MAX)
        key_error(r, &PLAN_INSTANCES, &instances->head, "types", "instances: at most 64 types");
    for (uint32_t i = 0; i < instances->types.count; i++) {
        struct str type = instances->types.items[i];
        size_t dot = str_index_of(type, '.');
        bool ok = dot > 0 && dot + 1 < type.len && type.len <= 32;
        for (size_t at = 0; ok && at < type.len; at++)
            ok = (type.ptr[at] >= 'a' && type.ptr[at] <= 'z') || type.ptr[at] == '-' ||
                 (type.ptr[at] >= '0' && type.ptr[at] <= '9') || at == dot;
        if (ok)
            continue;
        struct plan_error *error = key_error(
            r, &PLAN_ROLE, &role->head, "instances",
            arena_printf(r->arena, "instances: not an instance type: \"%.*s\"", STR_ARG(type)));
        error->note = STR("such as c7g.large");
    }
}

static void merge_tags(struct plan_reader *r, const struct plan_pairs *fleet,
                       struct raw_role *role) {
    uint32_t count = 0;
    struct plan_pair *items =
        arena_new_array(r->arena, fleet->count + role->tags.count, sizeof *items);
    for (uint32_t i = 0; i < fleet->count; i++) {
        bool mine = false;
        for (uint32_t k = 0; k < role->tags.count; k++)
            mine = mine || str_equal(fleet->items[i].name, role->tags.items[k].name);
        if (!mine)
            items[count++] = fleet->items[i];
    }
    for (uint32_t i = 0; i < role->tags.count; i++)
        items[count++] = role->tags.items[i];
    role->tags = (struct plan_pairs){items, count};
    if (count > 40)
        key_error(r, &PLAN_ROLE, &role->head, "tags",
                  "tags: at most 40, those of the fleet included");
    if (count)
        raw_mark(&PLAN_ROLE, &role->head, "tags");
}

static void inherit(struct plan_reader *r, const struct raw_fleet *fleet, struct raw_role *role) {
    struct raw_head *head = &role->head;
    if (!raw_has(&PLAN_ROLE, head, "market"))
        role->market = fleet->market;
    if (!raw_has(&PLAN_ROLE, head, "max_price"))
        role->max_price = fleet->max_price;
    if (!raw_has(&PLAN_ROLE, head, "image"))
        role->image = fleet->image;
    if (!raw_has(&PLAN_ROLE, head, "zones"))
        role->zones = fleet->zones;
    static const char *const keys[] = {"market", "max_price", "image", "zones"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        raw_mark(&PLAN_ROLE, head, keys[i]);
    merge_tags(r, &fleet->tags, role);
}

static void resolve_role(struct plan_reader *r, const struct raw_fleet *fleet,
                         struct raw_role *role) {
    static const char *const ready[] = {"tcp", "http", "run", NULL};
    struct raw_head *head = &role->head;
    uint64_t min = nodes_of(role->min, role->count);
    if ((min == 0 || min > role->count) && !raw_is_bad(&PLAN_ROLE, head, "count"))
        key_error(r, &PLAN_ROLE, head, "min",
                  arena_printf(r->arena, "min: %" PRIu64 " is not within 1 and count, %" PRIu64,
                               min, role->count));
    role->min = (struct raw_count){.value = min};
    uint64_t spare = raw_has(&PLAN_ROLE, head, "spare") ? nodes_of(role->spare, role->count)
                     : role->count < 20                 ? 0
                                                        : (role->count * 2 + 99) / 100;
    role->spare = (struct raw_count){.value = spare};
    raw_mark(&PLAN_ROLE, head, "spare");
    resolve_instances(r, role);
    inherit(r, fleet, role);
    if (raw_has(&PLAN_ROLE, head, "ready") && role->ready.head.node->kind == YAML_KIND_MAP)
        ignore(exactly_one(r, &PLAN_READY, &role->ready.head, ready, "ready")); /* noted */
    if (raw_has(&PLAN_ROLE, head, "service") && role->service.run.len == 0 &&
        role->service.head.node->kind == YAML_KIND_MAP)
        key_error(r, &PLAN_SERVICE, &role->service.head, "run", "service: the command is empty");
}

static void resolve_roles(struct plan_reader *r, struct raw_plan *raw) {
    struct raw_role *roles = (void *)raw->roles.items;
    uint64_t wanted = 0, slots = 0;
    for (uint32_t i = 0; i < raw->roles.count; i++) {
        if (roles[i].head.node->kind != YAML_KIND_MAP)
            continue;
        resolve_role(r, &raw->fleet, &roles[i]);
        wanted += roles[i].count;
        slots += roles[i].count + roles[i].spare.value;
    }
    if (wanted > NODES_MAX || slots > SLOTS_MAX)
        key_error(r, &PLAN_SECTION, &raw->head, "roles",
                  arena_printf(r->arena,
                               "roles: %" PRIu64 " nodes and %" PRIu64
                               " spares; a plan has at most 10000 nodes, 12000 with "
                               "spares",
                               wanted, slots - wanted));
}

/* ---- http ---- */

static void check_url(struct plan_reader *r, const struct plan_section *section,
                      const struct raw_head *head, const char *key, struct str url) {
    if (str_starts_with(url, STR("http://")) || str_starts_with(url, STR("https://")) ||
        str_starts_with(url, STR("${{")))
        return;
    key_error(r, section, head, key,
              arena_printf(r->arena, "%s: not a URL: write http://host:port/", key));
}

static void resolve_expect(struct plan_reader *r, struct raw_expect *expect,
                           const struct raw_expect *outer) {
    struct raw_head *head = &expect->head;
    if (!raw_has(&PLAN_EXPECT, head, "status")) {
        expect->status = outer ? outer->status : (struct plan_range){200, 399};
        raw_mark(&PLAN_EXPECT, head, "status");
    }
    if (!raw_has(&PLAN_EXPECT, head, "body") && outer && outer->body.len) {
        expect->body = outer->body;
        raw_mark(&PLAN_EXPECT, head, "body");
    }
    if (!raw_has(&PLAN_EXPECT, head, "max_time") && outer && outer->max_time) {
        expect->max_time = outer->max_time;
        raw_mark(&PLAN_EXPECT, head, "max_time");
    }
    if (expect->status.high > 599)
        key_error(r, &PLAN_EXPECT, head, "status", "status: a code or a range such as 200-399");
    struct str body = expect->body;
    if (body.len > 2 && body.ptr[0] == '/' && body.ptr[body.len - 1] == '/')
        key_error(r, &PLAN_EXPECT, head, "body",
                  "body: a /pattern/ is not available in this version");
}

static void resolve_requests(struct plan_reader *r, struct raw_http *http) {
    static const char *const methods[] = {"get", "post", "put", "patch", "delete", "head", NULL};
    struct raw_request *requests = (void *)http->requests.items;
    for (uint32_t i = 0; i < http->requests.count; i++) {
        struct raw_request *request = &requests[i];
        if (request->head.node->kind != YAML_KIND_MAP)
            continue;
        ignore(exactly_one(r, &PLAN_REQUEST, &request->head, methods, "a request")); /* noted */
        resolve_expect(r, &request->expect, &http->expect);
        for (uint32_t k = 0; k < i; k++)
            if (request->name.len && str_equal(requests[k].name, request->name))
                key_error(r, &PLAN_REQUEST, &request->head, "name",
                          arena_printf(r->arena, "request \"%.*s\" is there twice",
                                       STR_ARG(request->name)));
        for (size_t m = 0; m < ARRAY_LEN(request->method); m++) {
            struct str path = request->method[m];
            bool present = raw_has(&PLAN_REQUEST, &request->head, methods[m]);
            if (present && !str_starts_with(path, STR("/")))
                check_url(r, &PLAN_REQUEST, &request->head, methods[m], path);
            else if (present && !raw_has(&PLAN_HTTP, &http->head, "base"))
                key_error(r, &PLAN_REQUEST, &request->head, methods[m],
                          "a path needs \"base\" in http");
        }
    }
}

static uint64_t stages_duration(struct plan_reader *r, struct raw_http *http) {
    struct raw_stage *stages = (void *)http->stages.items;
    uint64_t total = 0;
    for (uint32_t i = 0; i < http->stages.count; i++) {
        const struct raw_head *head = &stages[i].head;
        if (head->node->kind != YAML_KIND_MAP || head->bad)
            continue;
        bool to = raw_has(&PLAN_STAGE, head, "to"), over = raw_has(&PLAN_STAGE, head, "over");
        bool hold = raw_has(&PLAN_STAGE, head, "hold");
        if (hold ? to || over : !(to && over))
            plan_error_add(&r->sink, head->place, 1,
                           "a stage is {to: 500/s, over: 1m} or {hold: 5m}");
        total += hold ? stages[i].hold : stages[i].over;
    }
    return total;
}

static void resolve_http(struct plan_reader *r, struct raw_phase *phase) {
    static const char *const targets[] = {"url", "requests", NULL};
    static const char *const shapes[] = {"rate", "stages", "users", NULL};
    struct raw_http *http = &phase->http;
    struct raw_head *head = &http->head;
    ignore(exactly_one(r, &PLAN_HTTP, head, targets, "http")); /* noted */
    bool shaped = exactly_one(r, &PLAN_HTTP, head, shapes, "http");
    if (raw_has(&PLAN_HTTP, head, "url"))
        check_url(r, &PLAN_HTTP, head, "url", http->url);
    if (raw_has(&PLAN_HTTP, head, "base"))
        check_url(r, &PLAN_HTTP, head, "base", http->base);
    if (raw_has(&PLAN_HTTP, head, "url") && raw_has(&PLAN_HTTP, head, "base"))
        key_error(r, &PLAN_HTTP, head, "base", "base goes with requests, not with url");
    if (raw_has(&PLAN_HTTP, head, "think") && !raw_has(&PLAN_HTTP, head, "users"))
        key_error(r, &PLAN_HTTP, head, "think", "think goes with users (a closed loop)");
    resolve_expect(r, &http->expect, NULL);
    resolve_requests(r, http);
    bool has_duration = raw_has(&PLAN_PHASE, &phase->head, "duration");
    if (raw_has(&PLAN_HTTP, head, "stages")) {
        if (has_duration)
            key_error(r, &PLAN_PHASE, &phase->head, "duration",
                      "duration: the stages give the length already");
        phase->duration = stages_duration(r, http);
        if (phase->duration == 0 && !head->bad)
            key_error(r, &PLAN_HTTP, head, "stages", "stages: the whole takes no time");
    } else if (shaped && !has_duration && !raw_is_bad(&PLAN_PHASE, &phase->head, "duration")) {
        struct plan_error *error = plan_error_add(
            &r->sink, phase->head.place, 1, "\"duration\" is missing: how long is the load on?");
        error->note = STR("duration: 30s");
        error->help = STR("dayfly explain phases.duration");
    }
}

/* ---- phases ---- */

static void resolve_phase(struct plan_reader *r, struct raw_phase *phase) {
    static const char *const kinds[] = {"run", "http", "wait", NULL};
    struct raw_head *head = &phase->head;
    bool wait = raw_has(&PLAN_PHASE, head, "wait");
    if (!exactly_one(r, &PLAN_PHASE, head, kinds, "a phase"))
        return;
    if (!wait && !raw_has(&PLAN_PHASE, head, "nodes") && !raw_is_bad(&PLAN_PHASE, head, "nodes"))
        plan_error_add(&r->sink, head->place, 1, "\"nodes\" is missing: who takes part?")->help =
            STR("dayfly explain phases.nodes");
    if (raw_has(&PLAN_PHASE, head, "http") && phase->http.head.node->kind == YAML_KIND_MAP)
        resolve_http(r, phase);
    if (wait) {
        if (raw_has(&PLAN_PHASE, head, "duration"))
            key_error(r, &PLAN_PHASE, head, "duration", "duration: wait is the length already");
        phase->duration = phase->wait;
    }
    if (raw_has(&PLAN_PHASE, head, "run") && phase->run.len == 0)
        key_error(r, &PLAN_PHASE, head, "run", "run: the command is empty");
    if (!raw_has(&PLAN_PHASE, head, "timeout")) {
        phase->timeout = phase->duration ? phase->duration + 2 * MINUTE : HOUR;
        raw_mark(&PLAN_PHASE, head, "timeout");
    } else if (phase->timeout < phase->duration) {
        key_error(r, &PLAN_PHASE, head, "timeout", "timeout: shorter than the phase itself");
    }
}

static void resolve_ttl(struct plan_reader *r, struct raw_plan *raw, uint64_t planned_ns) {
    if (raw_has(&PLAN_FLEET, &raw->fleet.head, "ttl")) {
        if (raw->fleet.ttl < planned_ns)
            key_error(r, &PLAN_FLEET, &raw->fleet.head, "ttl",
                      "ttl: shorter than the phases together; nodes would end in the middle");
        return;
    }
    uint64_t ttl = planned_ns + planned_ns / 2 + 30 * MINUTE;
    ttl = (ttl + MINUTE - 1) / MINUTE * MINUTE;
    raw->fleet.ttl = MIN(MAX(ttl, HOUR), 12 * HOUR);
    raw_mark(&PLAN_FLEET, &raw->fleet.head, "ttl");
    if (raw->fleet.ttl < planned_ns)
        key_error(r, &PLAN_SECTION, &raw->head, "phases",
                  "the phases take longer than 12h; say how long nodes may live: fleet.ttl");
}

static void check_name(struct plan_reader *r, struct raw_plan *raw) {
    for (size_t i = 0; i < raw->name.len; i++) {
        char c = raw->name.ptr[i];
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')
            continue;
        key_error(r, &PLAN_SECTION, &raw->head, "name", "name: small letters, digits and - only");
        return;
    }
}

void plan_resolve(struct plan_reader *r, struct raw_plan *raw) {
    struct raw_phase *phases = (void *)raw->phases.items;
    uint64_t planned_ns = 0;
    check_name(r, raw);
    resolve_roles(r, raw);
    for (uint32_t i = 0; i < raw->phases.count; i++) {
        if (phases[i].head.node->kind != YAML_KIND_MAP)
            continue;
        resolve_phase(r, &phases[i]);
        planned_ns += phases[i].duration;
        for (uint32_t k = 0; k < i; k++)
            if (phases[i].name.len && str_equal(phases[k].name, phases[i].name))
                key_error(r, &PLAN_PHASE, &phases[i].head, "name",
                          arena_printf(r->arena, "phase \"%.*s\" is there twice",
                                       STR_ARG(phases[i].name)));
    }
    resolve_ttl(r, raw, planned_ns);
}
