#include "unit.h"

#include "report/width.h"

static void wide_and_combining_characters_are_known(void **state) {
    (void)state;
    assert_int_equal(width_of(STR("abc")), 3);
    assert_int_equal(width_of(STR("\u6f22\u5b57")), 4);
    assert_int_equal(width_of(STR("e\u0301")), 1);
    assert_int_equal(width_of(STR("\u2588\u2591\u2713\u25b6\u283c")), 5);
    assert_int_equal(width_of(STR("\U0001f680")), 2);
    assert_int_equal(width_of(STR("\xff\xc3")), 2);
    assert_int_equal(width_of(STR("\x1b[31mred\x1b[0m")), 3);
}

static void overlong_and_surrogate_bytes_are_invalid(void **state) {
    (void)state;
    static const struct str bad[] = {STR_INIT("\xc0\xaf"), STR_INIT("\xe0\x80\xaf"),
                                     STR_INIT("\xed\xa0\x80"), STR_INIT("\xf4\x90\x80\x80"),
                                     STR_INIT("\xe2\x82")};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        uint32_t code = 0;
        assert_int_equal(width_decode(bad[i], 0, &code), 1);
        assert_int_equal(code, 0xfffd);
    }
    uint32_t code = 0;
    assert_int_equal(width_decode(STR("\u20ac"), 0, &code), 3);
    assert_int_equal(code, 0x20ac);
}

static void cut(const char *text, unsigned columns, const char *want) {
    struct buf b = BUF_INIT(1024);
    unsigned taken = width_add_cut(&b, str_from(text), columns, false);
    assert_text(&b, want);
    assert_int_equal(taken, width_of(buf_str(&b)));
    assert_true(taken <= columns);
    buf_deinit(&b);
}

static void a_cut_text_ends_in_an_ellipsis_within_the_width(void **state) {
    (void)state;
    cut("hello", 5, "hello");
    cut("hello!", 5, "hell\u2026");
    cut("\u6f22\u5b57\u6f22", 4, "\u6f22\u2026");
    cut("hello", 1, "\u2026");
    cut("hello", 0, "");
    cut("\x1b[31mhello!\x1b[0m", 5, "\x1b[31mhell\x1b[0m\u2026\x1b[0m");
}

static void clean_text_has_no_control_character(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1024);
    width_add_clean(&b,
                    STR("a\x1b[2Jb\tc\r\nd\x7f\xc2\x9b"
                        "1m\xff\u202ex\u00e9"),
                    false);
    assert_text(&b, "a\ufffd[2Jb c  d\ufffd\ufffd1m\ufffd\ufffdx\u00e9");
    buf_reset(&b);
    width_add_clean(&b, STR("a\x1b\u00e9"), true);
    assert_text(&b, "a??");
    buf_deinit(&b);
}

static void long_lines_are_wrapped_at_blanks(void **state) {
    (void)state;
    struct buf b = BUF_INIT(1024);
    width_add_wrapped(&b, STR("12:00  note  one two three four five"), 24, 7);
    assert_text(&b, "12:00  note  one two\n       three four five");
    buf_reset(&b);
    width_add_wrapped(&b, STR("12:00  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), 24, 7);
    struct str rest = buf_str(&b);
    struct str line;
    while (str_split(&rest, '\n', &line))
        assert_in_range(width_of(line), 1, 24);
    buf_reset(&b);
    width_add_wrapped(&b, STR("\x1b[31mshort\x1b[0m"), 24, 7);
    assert_text(&b, "\x1b[31mshort\x1b[0m");
    buf_deinit(&b);
}

UNIT_MAIN(T(long_lines_are_wrapped_at_blanks), T(wide_and_combining_characters_are_known),
          T(overlong_and_surrogate_bytes_are_invalid),
          T(a_cut_text_ends_in_an_ellipsis_within_the_width),
          T(clean_text_has_no_control_character))
