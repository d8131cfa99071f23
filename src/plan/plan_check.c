/* plan_check.c - references from one part of the plan to another: roles in nodesets and templates,
 * phases and requests in thresholds. */
#include "plan/plan_read.h"

#include <inttypes.h>

static const struct raw_role *find_role(const struct raw_plan *raw, struct str name) {
    const struct raw_role *roles = (const void *)raw->roles.items;
    for (uint32_t i = 0; i < raw->roles.count; i++)
        if (str_equal(roles[i].head.name, name))
            return &roles[i];
    return NULL;
}

/* "did you mean "web"?" or the list of roles. */
static struct str role_hint(struct plan_reader *r, const struct raw_plan *raw, struct str name) {
    const struct raw_role *roles = (const void *)raw->roles.items, *near = NULL;
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(200);
    unsigned least = 3;
    for (uint32_t i = 0; i < raw->roles.count; i++) {
        unsigned distance = str_distance(roles[i].head.name, name);
        if (distance < least) {
            least = distance;
            near = &roles[i];
        }
        buf_printf(&b, "%s%.*s", i ? ", " : "", STR_ARG(roles[i].head.name));
    }
    if (near)
        return plan_error_text(&r->sink, "did you mean \"%.*s\"?", STR_ARG(near->head.name));
    return plan_error_text(&r->sink, "there is %s", buf_text(&b));
}

/* ---- nodesets ---- */

static void check_nodes(struct plan_reader *r, const struct raw_plan *raw,
                        const struct raw_head *head, const struct nodeset *set) {
    const struct yaml_node *node = yaml_find(head->node, STR("nodes"));
    for (uint32_t i = 0; i < set->count; i++) {
        const struct nodeset_part *part = &set->parts[i];
        if (part->kind != NODESET_ROLE || !node)
            continue;
        const struct raw_role *role = find_role(raw, part->name);
        if (!role) {
            struct plan_error *error = plan_error_add(&r->sink, node->place, node->width,
                                                      "no role \"%.*s\"", STR_ARG(part->name));
            error->hint = role_hint(r, raw, part->name);
        } else if (part->last != NODESET_INDEX_MAX && part->last >= role->count) {
            plan_error_add(&r->sink, node->place, node->width,
                           "no node \"%.*s:%" PRIu32 "\": the role has %" PRIu64 ", 0 to %" PRIu64,
                           STR_ARG(part->name), part->last, role->count, role->count - 1);
        }
    }
}

/* ---- templates ---- */

struct name_check {
    struct plan_reader *reader;
    const struct raw_plan *raw;
    const struct plan_pending *pending;
};

static int check_name(void *context, const struct template_name *name, size_t at, struct err *err) {
    struct name_check *c = context;
    struct plan_reader *r = c->reader;
    (void)err;
    struct plan_place place = plan_read_place(r, c->pending->node, at);
    if (str_equal(name->part[0], STR("phase")) && !c->pending->in_phase)
        plan_error_add(&r->sink, place, (uint32_t)name->text.len,
                       "%s: phase.name is known only in phases", c->pending->key->name);
    if (!str_equal(name->part[0], STR("roles")))
        return 0;
    const struct raw_role *role = find_role(c->raw, name->part[1]);
    if (!role) {
        struct plan_error *error =
            plan_error_add(&r->sink, place, (uint32_t)name->text.len, "%s: no role \"%.*s\"",
                           c->pending->key->name, STR_ARG(name->part[1]));
        error->hint = role_hint(r, c->raw, name->part[1]);
    } else if (name->index >= 0 && (uint64_t)name->index >= role->count) {
        plan_error_add(&r->sink, place, (uint32_t)name->text.len,
                       "%s: no node %" PRId64 " in role \"%.*s\": it has %" PRIu64
                       ", counted from 0",
                       c->pending->key->name, name->index, STR_ARG(name->part[1]), role->count);
    }
    return 0;
}

/* ---- thresholds ---- */

static const struct raw_phase *find_phase(const struct raw_plan *raw, const char *name) {
    const struct raw_phase *phases = (const void *)raw->phases.items;
    for (uint32_t i = 0; i < raw->phases.count; i++)
        if (str_equal(phases[i].name, str_from(name)))
            return &phases[i];
    return NULL;
}

static bool is_http(const struct raw_phase *phase) {
    return raw_has(&PLAN_PHASE, &phase->head, "http") || phase->head.bad;
}

static bool has_request(const struct raw_phase *phase, struct str name) {
    const struct raw_request *requests = (const void *)phase->http.requests.items;
    for (uint32_t i = 0; i < phase->http.requests.count; i++)
        if (str_equal(requests[i].name, name))
            return true;
    return phase->head.bad || phase->http.head.bad;
}

/* Column of a name inside a sentence, for the caret. */
static struct plan_place place_of_word(const struct plan_reader *r, const struct yaml_node *node,
                                       const char *word) {
    char blank_word[NAME_BYTES_MAX + 3];
    snprintf(blank_word, sizeof blank_word, " %s", word);
    size_t at = str_index_of_str(node->text, str_from(blank_word));
    return at < node->text.len ? plan_read_place(r, node, at + 1) : node->place;
}

static void check_in(struct plan_reader *r, const struct raw_plan *raw, const struct threshold *t,
                     const struct yaml_node *node) {
    const struct raw_phase *phases = (const void *)raw->phases.items;
    const struct raw_phase *phase = find_phase(raw, t->in);
    bool of_requests = t->metric <= METRIC_ERROR_COUNT;
    unsigned least = 3;
    struct plan_place place = place_of_word(r, node, t->in);
    if (!phase) {
        struct plan_error *error =
            plan_error_add(&r->sink, place, (uint32_t)strlen(t->in),
                           "threshold \"%s\": no phase \"%s\"", t->text, t->in);
        for (uint32_t i = 0; i < raw->phases.count; i++) {
            unsigned distance = str_distance(phases[i].name, str_from(t->in));
            if (distance >= least)
                continue;
            least = distance;
            error->hint =
                plan_error_text(&r->sink, "did you mean \"%.*s\"?", STR_ARG(phases[i].name));
        }
    } else if (phase->warmup) {
        plan_error_add(&r->sink, place, (uint32_t)strlen(t->in),
                       "threshold \"%s\": phase \"%s\" is a warm-up, which is not measured",
                       t->text, t->in);
    } else if (of_requests && !is_http(phase)) {
        plan_error_add(&r->sink, place, (uint32_t)strlen(t->in),
                       "threshold \"%s\": phase \"%s\" sends no requests", t->text, t->in);
    } else if (t->window_ns && phase->duration && t->window_ns + t->delay_ns > phase->duration) {
        plan_error_add(&r->sink, node->place, node->width,
                       "threshold \"%s\": the window is longer than the phase", t->text);
    }
}

static void check_threshold(struct plan_reader *r, const struct raw_plan *raw,
                            const struct threshold *t, const struct yaml_node *node) {
    const struct raw_phase *phases = (const void *)raw->phases.items;
    const struct raw_phase *phase = t->in[0] ? find_phase(raw, t->in) : NULL;
    bool requests = false, named = false;
    if (t->in[0])
        check_in(r, raw, t, node);
    for (uint32_t i = 0; i < raw->phases.count; i++) {
        if (phase && phase != &phases[i])
            continue;
        requests = requests || (is_http(&phases[i]) && !phases[i].warmup);
        named = named || has_request(&phases[i], str_from(t->of));
    }
    if (t->metric <= METRIC_ERROR_COUNT && !requests && !t->in[0])
        plan_error_add(&r->sink, node->place, node->width,
                       "threshold \"%s\": no measured phase sends requests", t->text);
    if (t->of[0] && !named)
        plan_error_add(&r->sink, place_of_word(r, node, t->of), (uint32_t)strlen(t->of),
                       "threshold \"%s\": no request \"%s\"%s%s", t->text, t->of,
                       phase ? " in phase " : "", phase ? t->in : "");
}

void plan_check(struct plan_reader *r, struct raw_plan *raw) {
    const struct raw_phase *phases = (const void *)raw->phases.items;
    const struct raw_collect *collect = (const void *)raw->collect.items;
    bool roles = raw->roles.count > 0;
    for (uint32_t i = 0; roles && i < raw->phases.count; i++)
        if (phases[i].head.node->kind == YAML_KIND_MAP)
            check_nodes(r, raw, &phases[i].head, &phases[i].nodes);
    for (uint32_t i = 0; roles && i < raw->collect.count; i++)
        if (collect[i].head.node->kind == YAML_KIND_MAP)
            check_nodes(r, raw, &collect[i].head, &collect[i].nodes);
    for (uint32_t i = 0; roles && i < r->pending_count; i++) {
        struct name_check context = {r, raw, &r->pending[i]};
        struct err err = {0};
        /* Its syntax was checked when it was read. */
        ignore(
            template_check(r->pending[i].node->text, r->arena, check_name, &context, NULL, &err));
    }
    for (uint32_t i = 0; i < raw->thresholds.count; i++)
        check_threshold(r, raw, &raw->thresholds.items[i], raw->thresholds.nodes[i]);
}
