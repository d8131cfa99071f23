/* The plan loader over test/vectors/plan: <case>.yaml gives <case>.expected, which is the list of
 * errors, or the resolved file.  Lines `# set: path=value` at the top are --set options. */
#include "golden.h"
#include "plan/plan.h"
#include "plan/plan_explain.h"
#include "plan/plan_keys.h"
#include "plan/yaml_tree.h"

#include <dirent.h>
#include <time.h>

#define CASES_LEAST 60
#define FOLDER "test/vectors/plan"

struct loaded {
    struct arena arena;
    struct buf text;
    struct str sets[32];
    uint32_t set_count;
    const struct plan *plan;
    struct plan_errors errors;
};

static const char *fake_env(void *context, const char *name) {
    (void)context;
    return strcmp(name, "TEST_HOME") == 0 ? "/home/test" : NULL;
}

static int fake_file(void *context, struct arena *arena, struct str path, struct str *ret_text,
                     struct err *err) {
    (void)context;
    (void)arena;
    if (str_equal(path, STR("p.txt")))
        *ret_text = STR("from a file\n");
    else if (str_equal(path, STR("inject.txt")))
        *ret_text = STR("${{ node.id }}");
    else if (str_equal(path, STR("bin")))
        *ret_text = STR("a\0b");
    else
        return err_set(err, ERR_NOT_FOUND, "cannot open '%.*s'", STR_ARG(path));
    return 0;
}

static void find_sets(struct loaded *l) {
    struct str rest = buf_str(&l->text), line;
    while (str_line(&rest, &line) && str_starts_with(line, STR("# set: ")))
        l->sets[l->set_count++] = str_skip(line, 7);
}

static int load_text(struct loaded *l, const char *name) {
    struct err err = {0};
    struct plan_load_options options = {.file = str_from(name),
                                        .text = buf_str(&l->text),
                                        .sets = l->sets,
                                        .set_count = l->set_count,
                                        .env = fake_env,
                                        .read_file = fake_file};
    arena_init(&l->arena, 0);
    int result = plan_load(&options, &l->arena, &l->plan, &l->errors, &err);
    assert_int_equal(result == 0, l->errors.count == 0);
    assert_int_equal(result == 0, l->plan != NULL);
    if (result < 0) {
        assert_int_equal(result, -ERR_CONFIG);
        assert_int_equal(err.code, ERR_CONFIG);
    }
    return result;
}

static int load(struct loaded *l, const char *text) {
    memset(l, 0, sizeof *l);
    buf_init(&l->text, 16 * MIB);
    buf_add_text(&l->text, text);
    return load_text(l, "t.yaml");
}

static void unload(struct loaded *l) {
    arena_deinit(&l->arena);
    buf_deinit(&l->text);
}

static void add_result(const struct loaded *l, struct buf *out) {
    if (l->plan) {
        plan_add_yaml(out, l->plan);
        return;
    }
    for (uint32_t i = 0; i < l->errors.count; i++)
        plan_error_add_line(out, &l->errors, i);
    if (l->errors.dropped)
        buf_printf(out, "and %u more\n", l->errors.dropped);
}

/* What was printed must load again, to the same text. */
static void check_round_trip(const char *name, const struct buf *printed) {
    struct loaded again;
    struct buf out = BUF_INIT(4 * MIB);
    if (load(&again, buf_text(printed)) < 0) {
        add_result(&again, &out);
        fail_msg("%s: the resolved file does not load:\n%s", name, buf_text(&out));
    }
    plan_add_yaml(&out, again.plan);
    if (!str_equal(buf_str(&out), buf_str(printed)))
        fail_msg("%s: printed twice differs:\n%s\n---\n%s", name, buf_text(printed),
                 buf_text(&out));
    buf_reset(&out);
    plan_add_json(&out, again.plan);
    struct loaded json;
    struct buf from_json = BUF_INIT(4 * MIB);
    assert_int_equal(load(&json, buf_text(&out)), 0);
    plan_add_yaml(&from_json, json.plan);
    assert_string_equal(buf_text(&from_json), buf_text(printed));
    buf_deinit(&from_json);
    buf_deinit(&out);
    unload(&json);
    unload(&again);
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check_case(const char *file) {
    char path[300], expected[310];
    struct loaded l = {0};
    struct buf out = BUF_INIT(4 * MIB);
    snprintf(path, sizeof path, FOLDER "/%s", file);
    snprintf(expected, sizeof expected, FOLDER "/%.*s.expected", (int)(strlen(file) - 5), file);
    buf_init(&l.text, 16 * MIB);
    golden_read(path, &l.text);
    find_sets(&l);
    double start = seconds();
    bool good = load_text(&l, file) == 0;
    if (seconds() - start > 1)
        fail_msg("%s: took %.2f s", file, seconds() - start);
    add_result(&l, &out);
    golden_check(expected, buf_str(&out));
    for (uint32_t i = 0; i < l.errors.count; i++) {
        struct buf block = BUF_INIT(16 * KIB);
        plan_error_add_block(&block, &l.errors, i, i % 2 == 0);
        assert_true(buf_ok(&block) && block.len > 0);
        buf_deinit(&block);
    }
    if (good)
        check_round_trip(file, &out);
    buf_deinit(&out);
    unload(&l);
}

static void every_case_gives_what_is_expected(void **state) {
    (void)state;
    unsigned count = 0;
    DIR *dir = opendir(FOLDER);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (!str_ends_with(str_from(entry->d_name), STR(".yaml")))
            continue;
        check_case(entry->d_name);
        count++;
    }
    closedir(dir);
    assert_true(count >= CASES_LEAST);
}

static void every_example_loads(void **state) {
    (void)state;
    unsigned count = 0;
    DIR *dir = opendir("examples");
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        char path[300];
        struct loaded l = {0};
        struct buf out = BUF_INIT(1 * MIB);
        if (!str_ends_with(str_from(entry->d_name), STR(".yaml")))
            continue;
        snprintf(path, sizeof path, "examples/%s", entry->d_name);
        buf_init(&l.text, PLAN_BYTES_MAX);
        golden_read(path, &l.text);
        bool good = load_text(&l, path) == 0;
        add_result(&l, &out);
        if (!good)
            fail_msg("%s", buf_text(&out));
        check_round_trip(path, &out);
        buf_deinit(&out);
        unload(&l);
        count++;
    }
    closedir(dir);
    assert_true(count >= 3);
}

/* ---- bounds on work ---- */

static uint64_t events_of(const char *text) {
    struct arena arena = {0};
    struct plan_errors errors = {0};
    struct plan_sink sink = {.errors = &errors, .arena = &arena};
    uint64_t events = 0;
    ignore(yaml_parse(str_from(text), 0, 0, &sink, &events) != NULL);
    assert_true(errors.count > 0);
    arena_deinit(&arena);
    return events;
}

static void bombs_stop_early(void **state) {
    (void)state;
    struct buf text = BUF_INIT(4 * MIB);
    for (int i = 0; i < 100000; i++)
        buf_add_byte(&text, '[');
    assert_true(events_of(buf_text(&text)) < 100);
    buf_reset(&text);
    buf_add_text(&text, "a: &a [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "k%d: &%c [*%c, *%c, *%c, *%c, *%c, *%c]\n", i, 'b' + i % 20,
                   'a' + i % 20, 'a' + i % 20, 'a' + i % 20, 'a' + i % 20, 'a' + i % 20,
                   'a' + i % 20);
    assert_true(events_of(buf_text(&text)) < 200);
    buf_reset(&text);
    buf_add_text(&text, "a: &a [*a]\n");
    assert_true(events_of(buf_text(&text)) < 20);
    buf_deinit(&text);
}

static void a_file_beyond_the_limit_is_not_even_parsed(void **state) {
    (void)state;
    struct buf text = BUF_INIT(16 * MIB);
    for (int i = 0; i < 1024 * 1024; i++)
        buf_add_text(&text, "a: 12345\n");
    assert_int_equal(events_of(buf_text(&text)), 0);
    buf_deinit(&text);
}

/* ---- typed structs ---- */

#define HEAD "dayfly: 1\nname: t\nroles: {w: {count: 4, min: 3}, v: {}}\n"

static void values_come_out_in_base_units(void **state) {
    (void)state;
    struct loaded l;
    assert_int_equal(load(&l, "dayfly: 1\nname: t\n"
                              "fleet: {ttl: 90m, budget: $2.5, max_price: 60%,\n"
                              "  local: {dud: 2.5%, interrupt: 3/2m, speed: 10, boot: 1s-3s}}\n"
                              "roles: {w: {count: 20, min: 95%, instances: {vcpus: 4-8,\n"
                              "  memory: 16GiB+}}}\n"
                              "phases: [{name: a, nodes: w, wait: 250ms}]\n"
                              "collect: [{nodes: all, from: /x, max: 64KiB}]\n"),
                     0);
    const struct plan *plan = l.plan;
    assert_int_equal(plan->fleet.ttl_ns, 90 * 60 * NS_PER_S);
    assert_int_equal(plan->fleet.budget_usd_micro, 2500000);
    assert_int_equal(plan->fleet.max_price.of_on_demand_ppm, 600000);
    assert_int_equal(plan->fleet.local.dud_ppm, 25000);
    assert_int_equal(plan->fleet.local.interrupt_count, 3);
    assert_int_equal(plan->fleet.local.interrupt_every_ns, 120 * NS_PER_S);
    assert_int_equal(plan->fleet.local.speed_milli, 10000);
    assert_int_equal(plan->fleet.local.boot_ns.high, 3 * NS_PER_S);
    assert_int_equal(plan->fleet.local.capacity, UINT32_MAX);
    assert_int_equal(plan->roles[0].min, 19);
    assert_int_equal(plan->roles[0].spare, 1);
    assert_int_equal(plan->roles[0].instances.count, 0);
    assert_int_equal(plan->roles[0].needs.vcpus.high, 8);
    assert_int_equal(plan->roles[0].needs.memory_bytes.low, 16 * GIB);
    assert_true(plan->roles[0].needs.memory_bytes.high == UINT64_MAX);
    assert_int_equal(plan->phases[0].duration_ns, 250 * NS_PER_MS);
    assert_int_equal(plan->phases[0].timeout_ns, 120 * NS_PER_S + 250 * NS_PER_MS);
    assert_int_equal(plan->collect[0].max_bytes, 64 * KIB);
    assert_int_equal(plan_nodes_wanted(plan), 20);
    unload(&l);
}

static void stages_become_pieces_that_join(void **state) {
    (void)state;
    struct loaded l;
    assert_int_equal(load(&l, HEAD
                          "phases:\n"
                          "  - {name: a, nodes: w, http: {url: 'http://x/', stages: [{to: 100/s, "
                          "over: 10s}, {hold: 5s}, {to: 50/s, over: 0s}, {hold: 2s}]}}\n"
                          "  - {name: b, nodes: w, duration: 3s, http: {url: 'http://x/', rate: "
                          "10/s}}\n"),
                     0);
    const struct plan_phase *phase = &l.plan->phases[0];
    const uint64_t wanted[][3] = {{0, 100, 10}, {100, 100, 5}, {100, 50, 0}, {50, 50, 2}};
    assert_int_equal(phase->http.stage_count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(phase->http.stages[i].from_micro, wanted[i][0] * 1000000);
        assert_int_equal(phase->http.stages[i].to_micro, wanted[i][1] * 1000000);
        assert_int_equal(phase->http.stages[i].duration_ns, wanted[i][2] * NS_PER_S);
    }
    assert_int_equal(phase->duration_ns, 17 * NS_PER_S);
    assert_int_equal(plan_requests_planned(phase), 500 + 500 + 100);
    assert_int_equal(plan_requests_planned(&l.plan->phases[1]), 30);
    assert_int_equal(l.plan->planned_ns, 20 * NS_PER_S);
    unload(&l);
}

static void requests_take_over_what_the_phase_says(void **state) {
    (void)state;
    struct loaded l;
    assert_int_equal(load(&l,
                          HEAD "phases:\n"
                               "- name: a\n"
                               "  nodes: w\n"
                               "  duration: 1s\n"
                               "  http:\n"
                               "    base: http://h:1/api/\n"
                               "    rate: 1/s\n"
                               "    headers: {Accept: a, X: b}\n"
                               "    expect: {status: 200, max_time: 1s}\n"
                               "    requests:\n"
                               "    - {name: q, post: /p, headers: {accept: c}, body: z}\n"
                               "    - {name: r, get: 'http://other/', expect: {status: 404}}\n"),
                     0);
    const struct plan_request *q = &l.plan->phases[0].http.requests[0], *r = q + 1;
    assert_int_equal(q->method, PLAN_POST);
    assert_string_equal(plan_method_name(q->method), "POST");
    assert_str(q->url, "http://h:1/api/p");
    assert_int_equal(q->headers.count, 2);
    assert_str(q->headers.items[0].name, "X");
    assert_str(q->headers.items[1].value, "c");
    assert_int_equal(q->expect.status_high, 200);
    assert_str(r->url, "http://other/");
    assert_int_equal(r->expect.status_low, 404);
    assert_int_equal(r->expect.time_max_ns, NS_PER_S);
    assert_int_equal(plan_find_request(&l.plan->phases[0], STR("r")), 1);
    assert_int_equal(plan_find_request(&l.plan->phases[0], STR("s")), -1);
    unload(&l);
}

static void nodes_of_a_phase_are_asked_by_role_and_index(void **state) {
    (void)state;
    struct loaded l;
    assert_int_equal(load(&l, HEAD "phases: [{name: a, nodes: 'w:0-1', run: x}]\n"), 0);
    const struct plan *plan = l.plan;
    int w = plan_find_role(plan, STR("w")), v = plan_find_role(plan, STR("v"));
    assert_true(w >= 0 && v >= 0 && plan_find_role(plan, STR("x")) == -1);
    assert_true(plan_nodes_has(plan, &plan->phases[0].nodes, (uint32_t)w, 1));
    assert_false(plan_nodes_has(plan, &plan->phases[0].nodes, (uint32_t)w, 2));
    assert_false(plan_nodes_has(plan, &plan->phases[0].nodes, (uint32_t)v, 0));
    unload(&l);
}

static void an_error_block_shows_line_caret_and_help(void **state) {
    (void)state;
    struct loaded l;
    struct buf out = BUF_INIT(4 * KIB);
    assert_true(load(&l, HEAD "phases: [{name: a, nodes: w, run: x}]\nfleet:\n  ttl: 90\n") < 0);
    plan_error_add_block(&out, &l.errors, 0, true);
    assert_text(&out, "t.yaml:6:8: ttl: a duration needs a unit: '90'; did you mean '90s'?\n"
                      "   ╷\n"
                      " 6 │   ttl: 90\n"
                      "   │        ^^ duration: 250us 5ms 30s 5m 1h30m 2d\n"
                      "   help: dayfly explain fleet.ttl\n");
    buf_deinit(&out);
    unload(&l);
}

/* ---- the key table itself ---- */

static void check_section(const struct plan_section *section, unsigned *keys) {
    for (const struct plan_key *key = section->keys; key->name; key++) {
        (*keys)++;
        assert_non_null(key->help);
        if (key->flags & KEY_LATER)
            continue;
        assert_non_null(key->example);
        assert_true(key->offset >= sizeof(struct raw_head) && key->offset < section->size);
        assert_int_equal(key->type == TYPE_WORD, key->words != NULL);
        bool nested = key->type == TYPE_MAP || key->type == TYPE_NAMED || key->type == TYPE_LIST;
        assert_int_equal(nested, key->section != NULL);
        assert_true(key - section->keys < 64);
        if (key->section && key->section != section)
            check_section(key->section, keys);
    }
}

static void every_key_has_help_and_an_example(void **state) {
    (void)state;
    unsigned keys = 0;
    check_section(&PLAN_SECTION, &keys);
    assert_true(keys > 100);
}

static void scalar_examples_parse(void **state) {
    (void)state;
    const struct plan_section *sections[] = {&PLAN_SECTION, &PLAN_FLEET, &PLAN_LOCAL, &PLAN_ROLE,
                                             &PLAN_PHASE,   &PLAN_HTTP,  &PLAN_STAGE, &PLAN_READY};
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        for (const struct plan_key *key = sections[i]->keys; key->name; key++) {
            union {
                struct nodeset nodeset;
                struct str text;
                uint64_t number[4];
            } field;
            struct err err = {0};
            if (key->flags & KEY_LATER || !plan_type_is_scalar(key->type) || !key->example)
                continue;
            if (plan_type_parse(key, str_from(key->example), &field, NULL, &err) < 0)
                fail_msg("%s.%s: %s", sections[i]->path, key->name, err.text);
        }
    }
}

static void explain_finds_keys_with_and_without_names(void **state) {
    (void)state;
    struct buf out = BUF_INIT(1 * MIB);
    struct err err = {0};
    const char *const good[] = {"roles.spare",
                                "roles.web.spare",
                                "phases.http.rate",
                                "thresholds",
                                "phases[].http.requests.get",
                                "fleet.local.dud",
                                "chaos",
                                "roles.NAME.instances.vcpus"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(plan_explain(&out, str_from(good[i]), &err), 0);
    assert_true(plan_explain(&out, STR("roles.spaer"), &err) < 0);
    assert_string_equal(err.text, "unknown key \"roles.spaer\", did you mean \"roles.spare\"?");
    assert_true(plan_explain(&out, STR("role.spare"), &err) < 0);
    assert_string_equal(err.text, "unknown key \"role.spare\", did you mean \"roles.spare\"?");
    assert_true(plan_explain(&out, STR(""), &err) < 0);
    assert_true(plan_explain(&out, STR("..."), &err) < 0);
    buf_deinit(&out);
}

static void the_page_of_keys_is_up_to_date(void **state) {
    (void)state;
    struct buf out = BUF_INIT(1 * MIB);
    plan_explain_markdown(&out);
    golden_check("docs/plan.md", buf_str(&out));
    buf_deinit(&out);
}

UNIT_MAIN(T(every_case_gives_what_is_expected), T(every_example_loads), T(bombs_stop_early),
          T(a_file_beyond_the_limit_is_not_even_parsed), T(values_come_out_in_base_units),
          T(stages_become_pieces_that_join), T(requests_take_over_what_the_phase_says),
          T(nodes_of_a_phase_are_asked_by_role_and_index),
          T(an_error_block_shows_line_caret_and_help), T(every_key_has_help_and_an_example),
          T(scalar_examples_parse), T(explain_finds_keys_with_and_without_names),
          T(the_page_of_keys_is_up_to_date))
