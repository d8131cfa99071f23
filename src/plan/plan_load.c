/* plan_load.c - the whole way from bytes to a plan, and questions about a plan. */
#include "plan/plan_read.h"
#include "base/units.h"

#include <inttypes.h>

int plan_load(const struct plan_load_options *options, struct arena *arena,
              const struct plan **ret_plan, struct plan_errors *errors, struct err *err) {
    struct plan_reader r = {.options = options, .arena = arena};
    struct raw_plan *raw = arena_new(arena, sizeof *raw);
    *errors = (struct plan_errors){.file = options->file,
                                   .text = options->text,
                                   .sets = options->sets,
                                   .set_count = options->set_count};
    r.sink = (struct plan_sink){.errors = errors, .arena = arena};
    struct yaml_node *root = yaml_parse(options->text, 0, 0, &r.sink, NULL);
    if (root) {
        root = plan_set_apply(&r, root);
        plan_read(&r, root, raw);
        if (root->kind == YAML_KIND_MAP) {
            plan_resolve(&r, raw);
            plan_check(&r, raw);
        }
    }
    if (errors->count) {
        plan_error_sort(errors);
        CLEANUP(buf_deinit) struct buf line = BUF_INIT(4096);
        plan_error_add_line(&line, errors, 0);
        return err_set(err, ERR_CONFIG, "%.*s", STR_ARG(str_trim(buf_str(&line))));
    }
    *ret_plan = plan_build(&r, raw);
    return 0;
}

const char *plan_method_name(enum plan_method method) {
    static const char *const names[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
    must((size_t)method < ARRAY_LEN(names));
    return names[method];
}

int plan_find_role(const struct plan *plan, struct str name) {
    for (uint32_t i = 0; i < plan->role_count; i++)
        if (str_equal(plan->roles[i].name, name))
            return (int)i;
    return -1;
}

int plan_find_request(const struct plan_phase *phase, struct str name) {
    for (uint32_t i = 0; i < phase->http.request_count; i++)
        if (str_equal(phase->http.requests[i].name, name))
            return (int)i;
    return -1;
}

bool plan_nodes_has(const struct plan *plan, const struct nodeset *set, uint32_t role,
                    uint32_t index) {
    must(role < plan->role_count);
    struct nodeset_node node = {.role = plan->roles[role].name, .index = index};
    return nodeset_has(set, &node);
}

uint32_t plan_nodes_wanted(const struct plan *plan) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->role_count; i++)
        count += plan->roles[i].count;
    return count;
}

uint64_t plan_requests_planned(const struct plan_phase *phase) {
    unsigned __int128 twice = 0; /* micro/s x ns, doubled: the mean of two rates is exact */
    for (uint32_t i = 0; i < phase->http.stage_count; i++) {
        const struct plan_stage *stage = &phase->http.stages[i];
        unsigned __int128 rates = (unsigned __int128)stage->from_micro + stage->to_micro;
        twice += rates * stage->duration_ns;
    }
    unsigned __int128 per_request = (unsigned __int128)2 * MICRO * NS_PER_S;
    return (uint64_t)(twice / per_request);
}
