#include "plan/nodeset.h"
#include "unit.h"

/* What a text prints as after parsing, or the error with its place. */
static void check(const char *text, const char *want) {
    struct nodeset set;
    struct err err = {0};
    size_t at = 99;
    struct buf out = BUF_INIT(2000);
    if (nodeset_parse(str_from(text), &set, &at, &err) == 0)
        nodeset_add_text(&out, &set);
    else
        buf_printf(&out, "%zu %s", at, err_name(err.code));
    assert_text(&out, want);
    buf_deinit(&out);
}

static void nodesets_print_as_they_are_meant(void **state) {
    (void)state;
    check("db", "db");
    check("all", "all");
    check("db:0", "db:0");
    check("db:0-3,7", "db:0-3,7");
    check("db:3-4", "db:3-4");
    check("db:5-5", "db:5");
    check(" db : 0", "1 ERR_PARSE");
    check("db + client:1", "db+client:1");
    check("db:0+client+db:7", "db:0+client+db:7");
    check("state:missing+zone:us-east-1c", "state:missing+zone:us-east-1c");
    check("db:11999", "db:11999");
}

static void mistakes_are_placed(void **state) {
    (void)state;
    check("", "0 ERR_PARSE");
    check("+", "0 ERR_PARSE");
    check("db+", "0 ERR_PARSE");
    check("db+:1", "3 ERR_PARSE");
    check("db:", "0 ERR_PARSE");
    check("db:1,", "0 ERR_PARSE");
    check("db:1,,2", "5 ERR_PARSE");
    check("db:2-1", "3 ERR_PARSE");
    check("db:1-", "3 ERR_PARSE");
    check("db:-1", "3 ERR_PARSE");
    check("db:x", "3 ERR_PARSE");
    check("db:1:2", "3 ERR_PARSE");
    check("db:12000", "3 ERR_LIMIT");
    check("db:99999999999999999999", "3 ERR_PARSE");
    check("0db", "0 ERR_PARSE");
    check("d b", "0 ERR_PARSE");
    check("all:1", "0 ERR_PARSE");
    check("state:", "0 ERR_PARSE");
}

static void too_many_parts_are_refused(void **state) {
    (void)state;
    struct buf text = BUF_INIT(1000);
    struct nodeset set;
    struct err err = {0};
    buf_add_text(&text, "db:0");
    for (int i = 1; i < NODESET_PARTS_MAX; i++)
        buf_printf(&text, ",%d", i * 2);
    assert_int_equal(nodeset_parse(buf_str(&text), &set, NULL, &err), 0);
    assert_int_equal(set.count, NODESET_PARTS_MAX);
    buf_add_text(&text, ",1");
    assert_int_equal(nodeset_parse(buf_str(&text), &set, NULL, &err), -ERR_LIMIT);
    assert_int_equal(set.count, NODESET_PARTS_MAX);
    buf_deinit(&text);
}

static bool has(const char *text, const char *role, uint32_t index) {
    struct nodeset set;
    struct nodeset_node node = {
        .role = str_from(role), .index = index, .state = STR("missing"), .zone = STR("us-east-1c")};
    assert_int_equal(nodeset_parse(str_from(text), &set, NULL, NULL), 0);
    return nodeset_has(&set, &node);
}

static void membership_follows_role_index_state_and_zone(void **state) {
    (void)state;
    assert_true(has("all", "db", 5));
    assert_true(has("db", "db", 11999));
    assert_false(has("db", "dbs", 0));
    assert_true(has("db:0-3,7", "db", 7));
    assert_false(has("db:0-3,7", "db", 4));
    assert_false(has("db:0-3,7", "client", 0));
    assert_true(has("client+db:4", "db", 4));
    assert_true(has("state:missing", "db", 0));
    assert_false(has("state:up", "db", 0));
    assert_true(has("zone:us-east-1c", "db", 0));
    struct nodeset empty = {0};
    struct nodeset_node node = {.role = STR("db")};
    assert_false(nodeset_has(&empty, &node));
}

static void folding_joins_neighbours(void **state) {
    (void)state;
    const uint32_t indexes[] = {0, 1, 2, 4, 6, 7, 9};
    struct buf out = BUF_INIT(200);
    nodeset_add_folded(&out, STR("db"), indexes, ARRAY_LEN(indexes));
    assert_text(&out, "db:0-2,4,6-7,9");
    buf_reset(&out);
    nodeset_add_folded(&out, STR("db"), indexes, 1);
    assert_text(&out, "db:0");
    buf_reset(&out);
    nodeset_add_folded(&out, STR("db"), indexes, 0);
    assert_text(&out, "");
    buf_deinit(&out);
}

static void some_names_are_not_for_roles(void **state) {
    (void)state;
    assert_true(nodeset_role_name_ok(STR("a-b_C9")));
    assert_false(nodeset_role_name_ok(STR("all")));
    assert_false(nodeset_role_name_ok(STR("state")));
    assert_false(nodeset_role_name_ok(STR("zone")));
    assert_false(nodeset_role_name_ok(STR("9a")));
    assert_false(nodeset_role_name_ok(STR("")));
    assert_true(nodeset_role_name_ok(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
    assert_false(nodeset_role_name_ok(STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
}

UNIT_MAIN(T(nodesets_print_as_they_are_meant), T(mistakes_are_placed),
          T(too_many_parts_are_refused), T(membership_follows_role_index_state_and_zone),
          T(folding_joins_neighbours), T(some_names_are_not_for_roles))
