#include "emu/power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NOON (12 * 60)

static struct power_wish parse(const char *a, const char *b, const char *c, const char *d) {
    const char *words[] = {a, b, c, d};
    unsigned count = 0;
    while (count < 4 && words[count])
        count++;
    struct power_wish wish = {POWER_WARN, 999};
    struct err err = {0};
    assert_int_equal(power_parse(words, count, NOON, &wish, &err), 0);
    return wish;
}

static void assert_wish(struct power_wish wish, enum power_act act, uint64_t minutes) {
    assert_int_equal(wish.act, act);
    assert_int_equal(wish.minutes, minutes);
}

static void the_cap_of_user_data_powers_off_after_minutes(void **state) {
    (void)state;
    assert_wish(parse("shutdown", "-P", "+45", NULL), POWER_OFF, 45);
    assert_wish(parse("shutdown", "-h", "+45", "cap reached"), POWER_OFF, 45);
    assert_wish(parse("shutdown", "+45", NULL, NULL), POWER_OFF, 45);
}

static void now_means_now_and_nothing_means_a_minute(void **state) {
    (void)state;
    assert_wish(parse("shutdown", "-h", "now", NULL), POWER_OFF, 0);
    assert_wish(parse("shutdown", NULL, NULL, NULL), POWER_OFF, 1);
    assert_wish(parse("shutdown", "-r", "now", NULL), POWER_REBOOT, 0);
}

static void a_clock_time_is_the_next_such_time(void **state) {
    (void)state;
    assert_wish(parse("shutdown", "12:30", NULL, NULL), POWER_OFF, 30);
    assert_wish(parse("shutdown", "11:00", NULL, NULL), POWER_OFF, 23 * 60);
}

static void halt_only_halts_and_halt_p_powers_off(void **state) {
    (void)state;
    assert_wish(parse("halt", NULL, NULL, NULL), POWER_HALT, 0);
    assert_wish(parse("halt", "-p", NULL, NULL), POWER_OFF, 0);
    assert_wish(parse("shutdown", "-H", "now", NULL), POWER_HALT, 0);
    assert_wish(parse("poweroff", "-f", NULL, NULL), POWER_OFF, 0);
    assert_wish(parse("reboot", NULL, NULL, NULL), POWER_REBOOT, 0);
}

static void what_was_scheduled_can_be_cancelled(void **state) {
    (void)state;
    assert_wish(parse("shutdown", "-c", NULL, NULL), POWER_CANCEL, 0);
}

static void nonsense_is_refused_with_its_word(void **state) {
    (void)state;
    static const char *const BAD[][2] = {{"shutdown", "soon"},
                                         {"shutdown", "--frob"},
                                         {"shutdown", "25:00"},
                                         {"shutdown", "+x"},
                                         {"shutdown", "+99999999999999999999"},
                                         {"poweroff", "now"},
                                         {"poweroff", "-c"},
                                         {"explode", "now"}};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct power_wish wish;
        struct err err = {0};
        assert_int_equal(power_parse(BAD[i], 2, NOON, &wish, &err), -ERR_USAGE);
        assert_true(strstr(err.text, BAD[i][0]) || strstr(err.text, BAD[i][1]));
    }
}

static void a_message_reads_back_as_it_was_written(void **state) {
    (void)state;
    for (int act = POWER_OFF; act <= POWER_WARN; act++) {
        struct power_wish in = {(enum power_act)act, (uint64_t)act * 17};
        struct power_wish out = {POWER_OFF, 0};
        char text[64];
        power_format(&in, text, sizeof text);
        assert_int_equal(power_read(text, &out, NULL), 0);
        assert_wish(out, in.act, in.minutes);
    }
}

static void a_message_of_a_stranger_is_refused(void **state) {
    (void)state;
    static const char *const BAD[] = {"", "off", "off x", "off 1 2", "blow 1", "off -1"};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct power_wish wish;
        assert_int_equal(power_read(BAD[i], &wish, NULL), -ERR_PARSE);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cap_of_user_data_powers_off_after_minutes),
        cmocka_unit_test(now_means_now_and_nothing_means_a_minute),
        cmocka_unit_test(a_clock_time_is_the_next_such_time),
        cmocka_unit_test(halt_only_halts_and_halt_p_powers_off),
        cmocka_unit_test(what_was_scheduled_can_be_cancelled),
        cmocka_unit_test(nonsense_is_refused_with_its_word),
        cmocka_unit_test(a_message_reads_back_as_it_was_written),
        cmocka_unit_test(a_message_of_a_stranger_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
