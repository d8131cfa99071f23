#include "head/state.h"

#include "base/log.h"
#include "codec/url.h"
#include "plan/template.h"

#include <arpa/inet.h>
#include <inttypes.h>

#define SETUP_TIMEOUT_NS (1800 * NS_PER_S)
#define STOP_GRACE_NS (10 * NS_PER_S)
#define ENV_MAX 256
#define COLLECT_FILES_MAX 1000
#define PHASE_COLLECT_BYTES (100 * MIB)

/* ---- what templates may ask for at node time ---- */

struct view {
    struct head *h;
    uint32_t node;  /* the one that the text is for */
    uint32_t phase; /* RUN_NONE: none */
};

static struct str ip_text(struct arena *arena, uint32_t ip) {
    struct in_addr address = {.s_addr = htonl(ip)};
    char text[INET_ADDRSTRLEN];
    return arena_str(arena, str_from(inet_ntop(AF_INET, &address, text, sizeof text)));
}

static int unknown_name(const struct template_name *name, struct err *err) {
    return err_set(err, ERR_NOT_FOUND, "no value for %.*s", STR_ARG(name->text));
}

static int set_text(struct template_value *ret, struct str text) {
    *ret = (struct template_value){.text = text};
    return 0;
}

static int set_count(struct template_value *ret, struct arena *arena, uint64_t count) {
    return set_text(ret, str_from(arena_printf(arena, "%" PRIu64, count)));
}

static int node_value(const struct view *v, uint32_t node, struct str what, struct arena *arena,
                      const struct template_name *name, struct template_value *ret,
                      struct err *err) {
    const struct run_node *r = &v->h->run->nodes[node];
    const struct head_node *n = &v->h->nodes[node];
    if (str_equal(what, STR("private_ip")) && r->private_ip)
        return set_text(ret, ip_text(arena, r->private_ip));
    if (str_equal(what, STR("public_ip")))
        return set_text(ret, r->public_ip ? ip_text(arena, r->public_ip) : STR(""));
    if (str_equal(what, STR("id")))
        return set_text(ret, str_from(r->id));
    if (str_equal(what, STR("zone")))
        return set_text(ret, str_from(n->zone));
    if (str_equal(what, STR("type")))
        return set_text(ret, str_from(n->type));
    if (str_equal(what, STR("vcpus")))
        return set_count(ret, arena, n->cpus);
    if (str_equal(what, STR("index")) && r->slot != RUN_NONE)
        return set_count(ret, arena, v->h->run->slots[r->slot].number);
    return unknown_name(name, err);
}

/* Node that fills slot `number` of a role, or RUN_NONE. */
static uint32_t node_of_slot(const struct head *h, uint32_t role, uint32_t number) {
    const struct run *run = h->run;
    if (number >= run->config.roles[role].want)
        return RUN_NONE;
    uint32_t node = run->slots[run->roles[role].first_slot + number].node;
    bool here = node != RUN_NONE && run->nodes[node].state >= RUN_NODE_JOINED &&
                run->nodes[node].state <= RUN_NODE_READY;
    return here ? node : RUN_NONE;
}

static int role_list(const struct view *v, uint32_t role, bool private_ip, struct arena *arena,
                     struct template_value *ret) {
    uint32_t want = v->h->run->config.roles[role].want;
    struct str *items = arena_new_array(arena, MAX(want, 1u), sizeof *items);
    size_t count = 0;
    for (uint32_t i = 0; i < want; i++) {
        uint32_t node = node_of_slot(v->h, role, i);
        if (node == RUN_NONE)
            continue;
        const struct run_node *r = &v->h->run->nodes[node];
        items[count++] = ip_text(arena, private_ip ? r->private_ip : r->public_ip);
    }
    *ret = (struct template_value){.is_list = true, .items = items, .count = count};
    return 0;
}

static int role_value(const struct view *v, uint32_t role, struct str what, struct arena *arena,
                      const struct template_name *name, struct template_value *ret,
                      struct err *err) {
    struct run_tally tally = run_tally(v->h->run, role);
    if (str_equal(what, STR("count")))
        return set_count(ret, arena, tally.want);
    if (str_equal(what, STR("ready")))
        return set_count(ret, arena, tally.joined);
    if (str_equal(what, STR("private_ips")) || str_equal(what, STR("public_ips")))
        return role_list(v, role, str_starts_with(what, STR("private")), arena, ret);
    if (!str_equal(what, STR("vcpus")))
        return unknown_name(name, err);
    uint64_t vcpus = 0;
    for (uint32_t i = 0; i < tally.want; i++) {
        uint32_t node = node_of_slot(v->h, role, i);
        vcpus += node == RUN_NONE ? 0 : v->h->nodes[node].cpus;
    }
    return set_count(ret, arena, vcpus);
}

static int resolve_name(void *context, struct arena *arena, const struct template_name *name,
                        struct template_value *ret, struct err *err) {
    const struct view *v = context;
    struct head *h = v->h;
    if (str_equal(name->part[0], STR("node")) && name->count == 2)
        return node_value(v, v->node, name->part[1], arena, name, ret, err);
    if (str_equal(name->part[0], STR("run")) && name->count == 2 &&
        str_equal(name->part[1], STR("id")))
        return set_text(ret, str_from(h->id));
    if (str_equal(name->part[0], STR("phase")) && name->count == 2 && v->phase != RUN_NONE)
        return set_text(ret, h->plan->phases[v->phase].name);
    if (!str_equal(name->part[0], STR("roles")) || name->count != 3)
        return unknown_name(name, err);
    int role = plan_find_role(h->plan, name->part[1]);
    if (role < 0)
        return unknown_name(name, err);
    if (name->index < 0)
        return role_value(v, (uint32_t)role, name->part[2], arena, name, ret, err);
    uint32_t node =
        name->index < SLOTS_MAX ? node_of_slot(h, (uint32_t)role, (uint32_t)name->index) : RUN_NONE;
    if (node == RUN_NONE)
        return err_set(err, ERR_NOT_FOUND, "%.*s: that node is not here", STR_ARG(name->text));
    return node_value(v, node, name->part[2], arena, name, ret, err);
}

/* Resolved text in `arena`; on an error the empty text and *ret_bad set. */
static struct str resolve(const struct view *v, struct str text, struct arena *arena,
                          bool *ret_bad) {
    if (!template_has(text))
        return text;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEMPLATE_TEXT_MAX);
    struct template_env env = {.name = resolve_name, .context = (void *)v};
    struct err err = {0};
    if (template_resolve(text, &env, arena, &out, NULL, &err) < 0) {
        head_note(v->h, "%s", err.text);
        *ret_bad = true;
        return STR_EMPTY;
    }
    return arena_str(arena, buf_str(&out));
}

/* ---- the environment of commands (interface 1.8) ---- */

struct env {
    struct str items[ENV_MAX];
    size_t count;
};

static void env_add(struct env *env, const char *text) {
    if (env->count < ENV_MAX)
        env->items[env->count++] = str_from(text);
}

static void env_add_pairs(struct env *env, const struct view *v, const struct plan_pairs *pairs,
                          struct arena *arena, bool *ret_bad) {
    for (uint32_t i = 0; i < pairs->count; i++)
        env_add(env, arena_printf(arena, "%.*s=%.*s", STR_ARG(pairs->items[i].name),
                                  STR_ARG(resolve(v, pairs->items[i].value, arena, ret_bad))));
}

/* "DAYFLY_ROLE_<R>_IPS=a,b,c", the role in upper case with `_` for `-`. */
static void env_add_role(struct env *env, const struct view *v, uint32_t role,
                         struct arena *arena) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(512 * KIB);
    struct template_value list = {0};
    struct str name = v->h->plan->roles[role].name;
    buf_add_text(&text, "DAYFLY_ROLE_");
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        buf_add_byte(&text, c == '-' ? '_' : (char)(c >= 'a' && c <= 'z' ? c - 32 : c));
    }
    buf_add_text(&text, "_IPS=");
    ignore(role_list(v, role, true, arena, &list) < 0); /* cannot fail */
    for (size_t i = 0; i < list.count; i++)
        buf_printf(&text, "%s%.*s", i ? "," : "", STR_ARG(list.items[i]));
    env_add(env, arena_text(arena, buf_str(&text)));
}

/* `shard` of `shards`: rank of the node in its phase; 0 of 0 outside one. */
static void env_fill(struct env *env, const struct view *v, uint32_t shard, uint32_t shards,
                     struct arena *arena, bool *ret_bad) {
    struct head *h = v->h;
    const struct run_node *r = &h->run->nodes[v->node];
    const struct plan_role *role = &h->plan->roles[r->role];
    uint32_t number = r->slot == RUN_NONE ? 0 : h->run->slots[r->slot].number;
    env_add(env, arena_printf(arena, "DAYFLY_RUN=%s", h->id));
    env_add(env, arena_printf(arena, "DAYFLY_ROLE=%.*s", STR_ARG(role->name)));
    env_add(env, arena_printf(arena, "DAYFLY_INDEX=%" PRIu32, number));
    env_add(env, arena_printf(arena, "DAYFLY_COUNT=%" PRIu32, role->count));
    env_add(env, arena_printf(arena, "DAYFLY_IP=%.*s", STR_ARG(ip_text(arena, r->private_ip))));
    if (shards) {
        env_add(env, arena_printf(arena, "DAYFLY_SHARD=%" PRIu32, shard));
        env_add(env, arena_printf(arena, "DAYFLY_SHARDS=%" PRIu32, shards));
    }
    if (v->phase != RUN_NONE) {
        env_add(env,
                arena_printf(arena, "DAYFLY_PHASE=%.*s", STR_ARG(h->plan->phases[v->phase].name)));
        env_add(env, "DAYFLY_ROUND=1");
        env_add(env, "DAYFLY_TRIAL=1");
    }
    for (uint32_t i = 0; i < h->plan->role_count; i++)
        env_add_role(env, v, i, arena);
    env_add_pairs(env, v, &role->env, arena, ret_bad);
}

/* A node whose text cannot be resolved has failed before it was asked. */
static void fail_node(struct head *h, enum run_event_kind kind, uint32_t node, uint32_t phase) {
    snprintf(h->nodes[node].note, sizeof h->nodes[node].note, "a template has no value here");
    struct run_event event = {.kind = kind, .node = node};
    event.done.ok = false;
    event.done.exit = -1;
    event.done.phase = phase;
    head_feed(h, &event);
}

/* ---- setup and services ---- */

void orders_setup(struct head *h, const uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        CLEANUP(arena_deinit) struct arena arena = {0};
        struct view v = {.h = h, .node = nodes[i], .phase = RUN_NONE};
        struct env env = {.count = 0};
        bool bad = false;
        env_fill(&env, &v, 0, 0, &arena, &bad);
        struct str script =
            resolve(&v, h->plan->roles[h->run->nodes[nodes[i]].role].setup, &arena, &bad);
        struct wire_message m = {
            .type = WIRE_SETUP,
            .setup = {.script = script,
                      .env = env.items,
                      .env_count = env.count,
                      .timeout_ns = SETUP_TIMEOUT_NS},
        };
        if (bad)
            fail_node(h, RUN_EV_SETUP_DONE, nodes[i], 0);
        else
            agents_order(h, nodes[i], &m);
    }
}

static enum wire_restart wire_restart_of(enum plan_restart restart) {
    switch (restart) {
    case PLAN_RESTART_NEVER:
        return WIRE_RESTART_NEVER;
    case PLAN_RESTART_ON_FAILURE:
        return WIRE_RESTART_ON_FAILURE;
    case PLAN_RESTART_ALWAYS:
        return WIRE_RESTART_ALWAYS;
    }
    return WIRE_RESTART_NEVER;
}

static struct wire_ready_probe probe_of(const struct view *v, const struct plan_ready *ready,
                                        const struct env *env, struct arena *arena, bool *bad) {
    struct wire_ready_probe probe = {.kind = WIRE_PROBE_ALIVE,
                                     .env = env->items,
                                     .env_count = env->count,
                                     .every_ns = ready->every_ns,
                                     .timeout_ns = ready->timeout_ns};
    switch (ready->kind) {
    case PLAN_READY_ALIVE:
        break;
    case PLAN_READY_TCP:
        probe.kind = WIRE_PROBE_TCP;
        probe.target = str_from(arena_printf(
            arena, "%.*s:%u", STR_ARG(ip_text(arena, v->h->run->nodes[v->node].private_ip)),
            (unsigned)ready->port));
        break;
    case PLAN_READY_HTTP:
        probe.kind = WIRE_PROBE_HTTP;
        probe.target = resolve(v, ready->url, arena, bad);
        break;
    case PLAN_READY_RUN:
        probe.kind = WIRE_PROBE_RUN;
        probe.command = resolve(v, ready->run, arena, bad);
        break;
    }
    return probe;
}

static void start_service(struct head *h, uint32_t node) {
    CLEANUP(arena_deinit) struct arena arena = {0};
    const struct plan_role *role = &h->plan->roles[h->run->nodes[node].role];
    struct view v = {.h = h, .node = node, .phase = RUN_NONE};
    struct env env = {.count = 0};
    bool bad = false;
    env_fill(&env, &v, 0, 0, &arena, &bad);
    env_add_pairs(&env, &v, &role->service.env, &arena, &bad);
    struct wire_message service = {
        .type = WIRE_SERVICE,
        .service = {.command = resolve(&v, role->service.run, &arena, &bad),
                    .env = env.items,
                    .env_count = env.count,
                    .restart = wire_restart_of(role->service.restart),
                    .stop_timeout_ns = role->service.stop_timeout_ns},
    };
    struct wire_message probe = {
        .type = WIRE_READY_PROBE,
        .ready_probe = probe_of(&v, &role->ready, &env, &arena, &bad),
    };
    if (bad) {
        fail_node(h, RUN_EV_NOT_READY, node, 0);
        return;
    }
    if (role->service.run.len)
        agents_order(h, node, &service);
    agents_order(h, node, &probe);
}

void orders_service(struct head *h, const uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        start_service(h, nodes[i]);
}

/* ---- phases ---- */

/* Cut "http://host:port/path?x" into origin and path. */
/* A text that a body must hold, as the extended expression that agents take. */
static struct str literal_pattern(struct str text, struct arena *arena) {
    char *pattern = arena_new(arena, text.len * 2 + 1);
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (strchr("\\.[]{}()*+?^$|", text.ptr[i]) && text.ptr[i])
            pattern[len++] = '\\';
        pattern[len++] = text.ptr[i];
    }
    return (struct str){pattern, len};
}

static void fill_headers(const struct view *v, const struct plan_pairs *pairs, struct arena *arena,
                         struct wire_load_request *into, bool *bad) {
    struct str *headers = arena_new_array(arena, MAX(pairs->count, 1u), sizeof *headers);
    for (uint32_t i = 0; i < pairs->count; i++)
        headers[i] = str_from(arena_printf(arena, "%.*s: %.*s", STR_ARG(pairs->items[i].name),
                                           STR_ARG(resolve(v, pairs->items[i].value, arena, bad))));
    into->headers = headers;
    into->headers_count = pairs->count;
}

static struct wire_load_request request_of(const struct view *v, const struct plan_request *from,
                                           struct str *origin, struct arena *arena, bool *bad) {
    struct wire_load_request to = {
        .name = from->name,
        .method = str_from(plan_method_name(from->method)),
        .body = resolve(v, from->body, arena, bad),
        .status_min = from->expect.status_low,
        .status_max = from->expect.status_high,
        .body_pattern = literal_pattern(from->expect.body, arena),
        .time_max_ns = from->expect.time_max_ns,
        .weight = from->weight,
    };
    struct url url;
    struct err err = {0};
    if (url_parse(resolve(v, from->url, arena, bad), &url, &err) < 0) {
        head_note(v->h, "request %.*s: %s", STR_ARG(from->name), err.text);
        *bad = true;
        return to;
    }
    to.target = url.target;
    if (origin->ptr && !str_equal(*origin, url.origin)) {
        head_note(v->h, "request %.*s: one phase loads one target, not %.*s and %.*s",
                  STR_ARG(from->name), STR_ARG(*origin), STR_ARG(url.origin));
        *bad = true;
    }
    *origin = url.origin;
    fill_headers(v, &from->headers, arena, &to, bad);
    return to;
}

static void fill_load(const struct view *v, const struct plan_http *http, uint32_t shard,
                      uint32_t shards, struct wire_load *load, struct arena *arena, bool *bad) {
    struct wire_load_request *requests =
        arena_new_array(arena, http->request_count, sizeof *requests);
    struct wire_load_stage *stages =
        arena_new_array(arena, MAX(http->stage_count, 1u), sizeof *stages);
    struct str origin = STR_EMPTY;
    for (uint32_t i = 0; i < http->request_count; i++)
        requests[i] = request_of(v, &http->requests[i], &origin, arena, bad);
    for (uint32_t i = 0; i < http->stage_count; i++)
        stages[i] = (struct wire_load_stage){.from_micro = http->stages[i].from_micro,
                                             .to_micro = http->stages[i].to_micro,
                                             .duration_ns = http->stages[i].duration_ns};
    *load = (struct wire_load){
        .origin = origin,
        .requests = requests,
        .requests_count = http->request_count,
        .stages = stages,
        .stages_count = http->stage_count,
        .users = http->users,
        .think_ns_min = http->think_ns.low,
        .think_ns_max = http->think_ns.high,
        .connections = http->connections,
        .timeout_ns = http->timeout_ns,
        .duration_ns = v->h->plan->phases[v->phase].duration_ns,
        .seed = http->has_seed ? http->seed : v->h->seed,
        .shard_index = shard,
        .shard_count = shards,
        .close_each = !http->keepalive,
    };
}

static void prepare_node(struct head *h, uint32_t phase, uint32_t node, uint32_t shard,
                         uint32_t shards) {
    CLEANUP(arena_deinit) struct arena arena = {0};
    const struct plan_phase *spec = &h->plan->phases[phase];
    struct view v = {.h = h, .node = node, .phase = phase};
    struct env env = {.count = 0};
    struct wire_load load;
    bool bad = false;
    env_fill(&env, &v, shard, shards, &arena, &bad);
    env_add_pairs(&env, &v, &spec->env, &arena, &bad);
    struct wire_message m = {
        .type = WIRE_PHASE_PREPARE,
        .phase_prepare = {.phase = phase + 1,
                          .name = spec->name,
                          .env = env.items,
                          .env_count = env.count,
                          .duration_ns = spec->duration_ns,
                          .timeout_ns = spec->timeout_ns},
    };
    if (spec->kind == PLAN_PHASE_HTTP) {
        fill_load(&v, &spec->http, shard, shards, &load, &arena, &bad);
        m.phase_prepare.load = &load;
    } else {
        m.phase_prepare.command = resolve(&v, spec->run, &arena, &bad);
    }
    if (bad)
        fail_node(h, RUN_EV_PHASE_PREPARED, node, phase);
    else
        agents_order(h, node, &m);
}

void orders_phase_prepare(struct head *h, uint32_t phase, const uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        prepare_node(h, phase, nodes[i], i, count);
}

void orders_phase_start(struct head *h, uint32_t phase, const uint32_t *nodes, uint32_t count,
                        uint64_t at_ns) {
    uint64_t now = loop_now_ns(h->loop);
    for (uint32_t i = 0; i < count; i++) {
        int64_t offset;
        uint64_t error, at = at_ns;
        if (clocksync_offset(&h->nodes[nodes[i]].clock, now, &offset, &error))
            at = clocksync_theirs(&h->nodes[nodes[i]].clock, now, at_ns);
        struct wire_message m = {.type = WIRE_PHASE_START,
                                 .phase_start = {.phase = phase + 1, .at_ns = at}};
        agents_order(h, nodes[i], &m);
    }
}

void orders_phase_stop(struct head *h, uint32_t phase, const uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct wire_message m = {.type = WIRE_PHASE_STOP,
                                 .phase_stop = {.phase = phase + 1, .grace_ns = STOP_GRACE_NS}};
        agents_order(h, nodes[i], &m);
    }
}

/* ---- the end ---- */

static bool collects_from(const struct head *h, const struct plan_collect *c, uint32_t node) {
    const struct run_node *r = &h->run->nodes[node];
    if (r->slot == RUN_NONE || (c->when == PLAN_WHEN_FAIL && h->run->exits == 0))
        return false;
    return plan_nodes_has(h->plan, &c->nodes, r->role, h->run->slots[r->slot].number);
}

static void ask_for_files(struct head *h, uint32_t node, uint32_t phase, const struct str *globs,
                          size_t count, uint64_t bytes_max) {
    struct head_node *n = &h->nodes[node];
    if (count == 0 || n->collects_asked == ARRAY_LEN(n->collect_phases))
        return;
    n->collect_phases[n->collects_asked] = (uint16_t)phase;
    n->file_bytes_left += bytes_max;
    n->files_left += COLLECT_FILES_MAX;
    struct wire_message m = {
        .type = WIRE_COLLECT,
        .collect = {.collect = ++n->collects_asked,
                    .phase = phase,
                    .globs = globs,
                    .globs_count = count,
                    .files_max = COLLECT_FILES_MAX,
                    .file_bytes_max = bytes_max,
                    .total_bytes_max = bytes_max},
    };
    agents_order(h, node, &m);
}

static void collect_node(struct head *h, uint32_t node) {
    CLEANUP(arena_deinit) struct arena arena = {0};
    struct view v = {.h = h, .node = node, .phase = RUN_NONE};
    struct str globs[WIRE_GLOBS_MAX];
    size_t count = 0;
    uint64_t bytes_max = 0;
    bool bad = false, has_slot = h->run->nodes[node].slot != RUN_NONE;
    for (uint32_t i = 0; i < h->plan->collect_count && count < WIRE_GLOBS_MAX; i++) {
        if (!collects_from(h, &h->plan->collect[i], node))
            continue;
        globs[count++] = resolve(&v, h->plan->collect[i].from, &arena, &bad);
        bytes_max += h->plan->collect[i].max_bytes;
    }
    if (!bad)
        ask_for_files(h, node, 0, globs, count, bytes_max);
    for (uint32_t p = 0; has_slot && p < h->plan->phase_count; p++) {
        const struct plan_texts *from = &h->plan->phases[p].collect;
        const struct run_slot *slot = &h->run->slots[h->run->nodes[node].slot];
        if (plan_nodes_has(h->plan, &h->plan->phases[p].nodes, slot->role, slot->number))
            ask_for_files(h, node, p + 1, from->items, MIN(from->count, (uint32_t)WIRE_GLOBS_MAX),
                          PHASE_COLLECT_BYTES);
    }
    if (h->nodes[node].collects_asked)
        return; /* COLLECTED follows with the last of them */
    struct run_event event = {.kind = RUN_EV_COLLECTED, .node = node, .done = {.ok = !bad}};
    head_feed(h, &event);
}

void orders_collect(struct head *h, const uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        collect_node(h, nodes[i]);
}

void orders_release(struct head *h, const uint32_t *nodes, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        struct wire_message m = {
            .type = WIRE_POWER_OFF,
            .power_off = {.grace_ns = STOP_GRACE_NS, .why = STR("given back")},
        };
        if (h->nodes[nodes[i]].link)
            agents_order(h, nodes[i], &m);
    }
}
