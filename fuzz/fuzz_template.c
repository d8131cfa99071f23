/* Any text as a template: both passes end, and what the first leaves is understood by the second.
 */
#include "fuzz.h"

#include "plan/nodeset.h"
#include "plan/template.h"

static const struct str ips[] = {STR_INIT("10.0.0.1"), STR_INIT("10.0.0.2")};

static int load_name(void *context, struct arena *arena, const struct template_name *name,
                     struct template_value *ret, struct err *err) {
    (void)context;
    (void)arena;
    if (name->text.len % 3 == 0)
        return err_set(err, ERR_NOT_FOUND, "none");
    ret->text = name->part[1];
    return 0;
}

static int node_name(void *context, struct arena *arena, const struct template_name *name,
                     struct template_value *ret, struct err *err) {
    (void)context;
    (void)arena;
    struct str first = name->part[0];
    must(str_equal(first, STR("node")) || str_equal(first, STR("roles")) ||
         str_equal(first, STR("run")) || str_equal(first, STR("phase")));
    if (str_ends_with(name->text, STR("s")))
        *ret = (struct template_value){.is_list = true, .items = ips, .count = 2};
    else if (name->text.len % 2)
        return err_set(err, ERR_NOT_FOUND, "none");
    else
        ret->text = name->text;
    return 0;
}

static void check_nodeset(struct str input) {
    struct nodeset set, again;
    size_t at = 0;
    if (nodeset_parse(input, &set, &at, NULL) < 0) {
        must(at <= input.len);
        return;
    }
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
    CLEANUP(buf_deinit) struct buf twice = BUF_INIT(64 * KIB);
    nodeset_add_text(&out, &set);
    must(nodeset_parse(buf_str(&out), &again, NULL, NULL) == 0);
    nodeset_add_text(&twice, &again);
    must(str_equal(buf_str(&out), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct str input = {(const char *)data, size};
    struct template_env load = {.name = load_name}, node = {.name = node_name};
    struct arena arena = {0};
    struct buf out = BUF_INIT(TEMPLATE_TEXT_MAX + 1), last = BUF_INIT(TEMPLATE_TEXT_MAX + 1);
    struct err err = {0};
    size_t at = 0;
    if (template_resolve_load(input, TEMPLATE_NODE, &load, &arena, &out, &at, &err) == 0) {
        int result = template_resolve(buf_str(&out), &node, &arena, &last, &at, &err);
        must(result == 0 || err.text[0]);
    } else {
        must(at <= size && err.text[0]);
    }
    check_nodeset(input);
    buf_deinit(&out);
    buf_deinit(&last);
    arena_deinit(&arena);
    return 0;
}
