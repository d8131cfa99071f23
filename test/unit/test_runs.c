#include "unit.h"

#include "store/runs.h"

static void an_id_is_four_small_letters_or_digits(void **state) {
    (void)state;
    assert_true(runs_id_ok(STR("7k2m")));
    assert_true(runs_id_ok(STR("abcd")));
}

static void nothing_else_becomes_part_of_a_path_or_a_filter(void **state) {
    (void)state;
    static const struct str strange[] = {
        STR_INIT(""),      STR_INIT("*"),       STR_INIT("????"),       STR_INIT("abc?"),
        STR_INIT("7k2*"),  STR_INIT("abc"),     STR_INIT("abcde"),      STR_INIT("ABCD"),
        STR_INIT("../x"),  STR_INIT("a/.."),    STR_INIT("a b "),       STR_INIT("abc\n"),
        STR_INIT("abc\0"), STR_INIT("\x1b[2J"), STR_INIT("ab\xc3\xa9"),
    };
    struct runs_info info;
    for (size_t i = 0; i < ARRAY_LEN(strange); i++) {
        assert_false(runs_id_ok(strange[i]));
        char id[16];
        assert_true(str_copy(id, sizeof id, strange[i]));
        assert_int_equal(runs_read("/nonexistent", id, &info, NULL), -ERR_NOT_FOUND);
        assert_false(runs_head_alive("/nonexistent", id));
    }
    assert_false(runs_id_ok(STR_EMPTY));
}

UNIT_MAIN(cmocka_unit_test(an_id_is_four_small_letters_or_digits),
          cmocka_unit_test(nothing_else_becomes_part_of_a_path_or_a_filter))
