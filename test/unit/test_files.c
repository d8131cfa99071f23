#include "unit.h"

#include "head/state.h"

/* What nodes call their files is data: only plain names become paths of this machine. */

static void plain_names_are_taken(void **state) {
    (void)state;
    static const char *const fine[] = {
        "a",   "access.log", "var/log/nginx/access.log", "A_b-c.1", "1/2/3/4/5/6/7/8", ".hidden",
        "...", "-rf"};
    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_true(files_path_ok(str_from(fine[i])));
}

static void all_others_are_refused(void **state) {
    (void)state;
    static const struct str strange[] = {
        STR_INIT(""),
        STR_INIT("/"),
        STR_INIT("/etc/passwd"),
        STR_INIT("a/"),
        STR_INIT("a//b"),
        STR_INIT("."),
        STR_INIT(".."),
        STR_INIT("../a"),
        STR_INIT("a/../b"),
        STR_INIT("a/.."),
        STR_INIT("a/./b"),
        STR_INIT("./a"),
        STR_INIT("a/../../../root/.ssh/authorized_keys"),
        STR_INIT("a\\..\\b"),
        STR_INIT("C:\\x"),
        STR_INIT("a\0b"),
        STR_INIT("a\nb"),
        STR_INIT("a\tb"),
        STR_INIT("a b"),
        STR_INIT("\x1b]0;x\a"),
        STR_INIT("\x1b[2J"),
        STR_INIT("a\x7f"),
        STR_INIT("caf\xc3\xa9"),
        STR_INIT("cafe\xcc\x81"),
        STR_INIT("\xff"),
        STR_INIT("\xe2\x80\xaegpj.exe"),
        STR_INIT("\xc0\xae\xc0\xae/x"),
        STR_INIT("%2e%2e/x"),
        STR_INIT("$HOME"),
        STR_INIT("`id`"),
        STR_INIT("a;b"),
        STR_INIT("a|b"),
        STR_INIT("a*"),
        STR_INIT("~root"),
        STR_INIT("<script>"),
        STR_INIT("\"x\""),
        STR_INIT("'x'"),
        STR_INIT("a&b"),
        STR_INIT("1/2/3/4/5/6/7/8/9"),
    };
    for (size_t i = 0; i < ARRAY_LEN(strange); i++)
        assert_false(files_path_ok(strange[i]));
    char longest[102];
    memset(longest, 'a', sizeof longest);
    assert_true(files_path_ok((struct str){longest, 100}));
    assert_false(files_path_ok((struct str){longest, 101}));
}

UNIT_MAIN(cmocka_unit_test(plain_names_are_taken), cmocka_unit_test(all_others_are_refused))
