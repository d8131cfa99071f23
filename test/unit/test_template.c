#include "plan/template.h"
#include "unit.h"

static const struct str ips[] = {STR_INIT("10.0.0.1"), STR_INIT("10.0.0.2")};

static int name_of(void *context, struct arena *arena, const struct template_name *name,
                   struct template_value *ret, struct err *err) {
    (void)context;
    (void)arena;
    struct str text = name->text;
    if (str_equal(text, STR("node.index")))
        ret->text = STR("7");
    else if (str_equal(text, STR("vars.x")))
        ret->text = STR("a'b");
    else if (str_equal(text, STR("vars.empty")))
        ret->text = STR("");
    else if (str_equal(text, STR("vars.evil")))
        ret->text = STR("${{ node.id }}");
    else if (str_equal(text, STR("roles.web.private_ips")))
        *ret = (struct template_value){.is_list = true, .items = ips, .count = 2};
    else if (str_equal(text, STR("roles.none.private_ips")))
        *ret = (struct template_value){.is_list = true};
    else if (name->index == 1 && str_equal(name->part[1], STR("web")) && name->count == 3)
        ret->text = ips[1];
    else
        return err_set(err, ERR_NOT_FOUND, "no %.*s", STR_ARG(text));
    return 0;
}

static int file_of(void *context, struct arena *arena, struct str path, struct str *ret,
                   struct err *err) {
    (void)context;
    (void)arena;
    if (!str_equal(path, STR("p")))
        return err_set(err, ERR_NOT_FOUND, "no file");
    *ret = STR("text\n");
    return 0;
}

enum pass { NODE, LOAD, LOAD_ONLY };

static void check(enum pass pass, const char *text, const char *want) {
    struct template_env env = {.name = name_of, .file = pass == NODE ? NULL : file_of};
    struct arena arena = {0};
    struct buf out = BUF_INIT(TEMPLATE_TEXT_MAX + 1);
    struct err err = {0};
    size_t at = 999;
    struct str input = str_from(text);
    int result =
        pass == NODE
            ? template_resolve(input, &env, &arena, &out, &at, &err)
            : template_resolve_load(input, pass == LOAD ? TEMPLATE_NODE : TEMPLATE_LOAD_ONLY, &env,
                                    &arena, &out, &at, &err);
    if (result < 0) {
        buf_reset(&out);
        buf_printf(&out, "%zu %s", at, err_name(err.code));
    }
    assert_text(&out, want);
    buf_deinit(&out);
    arena_deinit(&arena);
}

static void plain_text_is_untouched(void **state) {
    (void)state;
    check(NODE, "", "");
    check(NODE, "a ${x} {{ y }} $(z) $ { } }}", "a ${x} {{ y }} $(z) $ { } }}");
    check(NODE, "$${{ node.index }}}", "$7}");
}

static void names_and_functions_give_texts(void **state) {
    (void)state;
    check(NODE, "n=${{ node.index }}, ${{node.index}}", "n=7, 7");
    check(NODE, "${{ roles.web[1].private_ip }}", "10.0.0.2");
    check(NODE, "${{ join(roles.web.private_ips, ',') }}", "10.0.0.1,10.0.0.2");
    check(NODE, "${{ join(roles.web.private_ips, '') }}", "10.0.0.110.0.0.2");
    check(NODE, "${{ join(roles.none.private_ips, ', ') }}", "");
    check(NODE, "${{ default(node.nope, 'x') }}", "x");
    check(NODE, "${{ default(vars.empty, node.index) }}", "7");
    check(NODE, "${{ default(node.index, nonsense) }}", "7");
    check(NODE, "${{ int('-3.9') }}${{ int( 4 ) }}", "-34");
    check(NODE, "${{ 'it''s' }} ${{ \"a\"\"b\" }} ${{ '}}' }}", "it's a\"b }}");
    check(NODE, "${{ default(default(a.b, c.d), 'e') }}", "e");
}

static void mistakes_are_placed(void **state) {
    (void)state;
    check(NODE, "ab ${{ node.nope }}", "7 ERR_NOT_FOUND");
    check(NODE, "ab ${{ ", "7 ERR_PARSE");
    check(NODE, "ab ${{ node.index", "3 ERR_PARSE");
    check(NODE, "${{ node.index }", "15 ERR_PARSE");
    check(NODE, "${{ 'x }}", "4 ERR_PARSE");
    check(NODE, "${{ roles.web.private_ips }}", "4 ERR_PARSE");
    check(NODE, "${{ join(node.index, ',') }}", "4 ERR_PARSE");
    check(NODE, "${{ join(roles.web.private_ips) }}", "4 ERR_PARSE");
    check(NODE, "${{ join(1,2,3) }}", "4 ERR_PARSE");
    check(NODE, "${{ int('x') }}", "4 ERR_PARSE");
    check(NODE, "${{ nope(1) }}", "4 ERR_PARSE");
    check(NODE, "${{ shard_len(1) }}", "4 ERR_PARSE");
    check(NODE, "${{ a. }}", "6 ERR_PARSE");
    check(NODE, "${{ a.b.c.d }}", "10 ERR_PARSE");
    check(NODE, "${{ a[0].b }}", "5 ERR_PARSE");
    check(NODE, "${{ roles.web[1 }}", "13 ERR_PARSE");
    check(NODE, "${{ roles.web[99999].private_ip }}", "13 ERR_PARSE");
    check(NODE, "${{ file('p') }}", "4 ERR_PARSE");
    check(NODE, "${{ ! }}", "4 ERR_PARSE");
}

static void loading_leaves_what_needs_a_node(void **state) {
    (void)state;
    check(LOAD, "${{ vars.x }} ${{ file('p') }}", "a'b text");
    check(LOAD, "${{ node.index }}", "${{ node.index }}");
    check(LOAD, "${{ join( roles.web.private_ips,vars.x ) }}",
          "${{ join(roles.web.private_ips, 'a''b') }}");
    check(LOAD, "${{ default(vars.nope, node.id) }}", "${{ node.id }}");
    check(LOAD, "${{ default(vars.x, node.id) }}", "${{ 'a''b' }}");
    check(LOAD, "${{ default(node.zone, vars.x) }}", "${{ default(node.zone, 'a''b') }}");
    check(LOAD, "${{ roles.web[1].private_ip }}", "${{ roles.web[1].private_ip }}");
}

static void loading_refuses_names_that_will_never_be(void **state) {
    (void)state;
    check(LOAD_ONLY, "x ${{ node.index }}", "6 ERR_PARSE");
    check(LOAD_ONLY, "${{ default(vars.nope, roles.web.count) }}", "23 ERR_PARSE");
    check(LOAD, "${{ node.indx }}", "4 ERR_NOT_FOUND");
    check(LOAD, "${{ roles.web.private_ip }}", "4 ERR_NOT_FOUND");
    check(LOAD, "${{ roles.web[0].private_ips }}", "4 ERR_NOT_FOUND");
    check(LOAD, "${{ roles.web }}", "4 ERR_NOT_FOUND");
    check(LOAD, "${{ run.idd }}", "4 ERR_NOT_FOUND");
    check(LOAD, "${{ vars }}", "4 ERR_PARSE");
    check(LOAD, "${{ vars.x.y }}", "4 ERR_PARSE");
    check(LOAD, "${{ trial }}", "4 ERR_PARSE");
    check(LOAD, "${{ vars.nope }}", "4 ERR_NOT_FOUND");
}

static void a_value_cannot_bring_an_expression_with_it(void **state) {
    (void)state;
    check(LOAD, "${{ vars.evil }}", "4 ERR_PARSE");
    check(LOAD, "${{ default(node.zone, vars.evil) }}", "23 ERR_PARSE");
    check(LOAD_ONLY, "${{ vars.evil }}", "4 ERR_PARSE");
}

static void deep_calls_and_long_texts_are_refused(void **state) {
    (void)state;
    struct buf text = BUF_INIT(2 * MIB);
    struct arena arena = {0};
    struct template_env env = {.name = name_of};
    struct buf out = BUF_INIT(TEMPLATE_TEXT_MAX + 1);
    buf_add_text(&text, "${{ ");
    for (int i = 0; i < 10000; i++)
        buf_add_text(&text, "int(");
    assert_int_equal(template_resolve(buf_str(&text), &env, &arena, &out, NULL, NULL), -ERR_LIMIT);
    buf_reset(&text);
    for (int i = 0; i < 300 * 1024; i++)
        buf_add_byte(&text, 'x');
    buf_add_text(&text, "${{ node.index }}");
    assert_int_equal(template_resolve(buf_str(&text), &env, &arena, &out, NULL, NULL), -ERR_LIMIT);
    buf_deinit(&out);
    buf_deinit(&text);
    arena_deinit(&arena);
}

static int count_name(void *context, const struct template_name *name, size_t at, struct err *err) {
    struct buf *out = context;
    (void)err;
    buf_printf(out, "%zu:%.*s ", at, STR_ARG(name->text));
    return 0;
}

static void checking_visits_node_time_names_only(void **state) {
    (void)state;
    struct buf out = BUF_INIT(400);
    struct arena arena = {0};
    assert_int_equal(template_check(STR("${{ vars.a }} ${{ join(roles.w.private_ips, node.id) }}"),
                                    &arena, count_name, &out, NULL, NULL),
                     0);
    assert_text(&out, "23:roles.w.private_ips 44:node.id ");
    buf_deinit(&out);
    arena_deinit(&arena);
}

UNIT_MAIN(T(plain_text_is_untouched), T(names_and_functions_give_texts), T(mistakes_are_placed),
          T(loading_leaves_what_needs_a_node), T(loading_refuses_names_that_will_never_be),
          T(a_value_cannot_bring_an_expression_with_it), T(deep_calls_and_long_texts_are_refused),
          T(checking_visits_node_time_names_only))
