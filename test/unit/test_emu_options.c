#include "emu/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct emu_options options;

static int set_up(void **state) {
    (void)state;
    emu_options_init(&options);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    emu_options_deinit(&options);
    return 0;
}

static void set(const char *name, const char *value) {
    struct err err = {0};
    if (emu_options_set(&options, name, value, &err) < 0)
        fail_msg("%s", err.text);
}

static void what_is_set_reaches_the_model(void **state) {
    (void)state;
    set("boot", "2s-4s");
    set("dud", "25%");
    set("slow", "0.5%");
    set("speed", "2");
    set("capacity", "c7i.large@us-east-1a=4");
    set("fault", "op=CreateFleet,nth=2,mode=lost-reply");
    set("region", "eu-central-1");
    struct cloud_options *o = mem_new(sizeof *o);
    struct err err = {0};
    assert_int_equal(options_to_cloud(&options, o, &err), 0);
    assert_int_equal(o->boot_ns.min, NS_PER_S);
    assert_int_equal(o->boot_ns.max, 2 * NS_PER_S);
    assert_int_equal(o->dud_ppm, 250000);
    assert_int_equal(o->slow_ppm, 5000);
    assert_int_equal(o->capacity_count, 1);
    assert_int_equal(o->faults.count, 1);
    assert_string_equal(o->region, "eu-central-1");
    mem_free(o);
}

static void a_wrong_value_says_what_the_option_takes(void **state) {
    (void)state;
    static const char *const BAD[][2] = {
        {"boot", "3s-1s"},      {"boot", "5"},  {"dud", "200%"},
        {"isolate", "jail"},    {"speed", "0"}, {"throttle", "maybe"},
        {"interrupt", "often"}, {"listen", ""}, {"minute", "1"}};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct err err = {0};
        assert_int_equal(emu_options_set(&options, BAD[i][0], BAD[i][1], &err), -ERR_USAGE);
        assert_non_null(strstr(err.text, BAD[i][0]));
        assert_non_null(strstr(err.text, "takes"));
    }
    struct err err = {0};
    assert_int_equal(emu_options_set(&options, "dudd", "1%", &err), -ERR_USAGE);
}

/* emu_spawn hands its options on as words: nothing may be lost on the way. */
static void the_command_line_gives_the_same_options_again(void **state) {
    (void)state;
    set("isolate", "namespace");
    set("boot", "1500ms-3s");
    set("dud", "12.5%");
    set("interrupt", "10%");
    set("interrupt", "1/2m");
    set("capacity", "*=3");
    set("fault", "op=RunInstances,mode=delay=5s");
    set("throttle", "no");
    set("minute", "250ms");
    set("seed", "42");
    char **argv = options_argv(&options);
    struct emu_options again;
    emu_options_init(&again);
    for (char **word = argv + 2; *word; word += 2)
        assert_int_equal(emu_options_set(&again, *word + 2, word[1], NULL), 0);
    assert_int_equal(again.isolate, EMU_NAMESPACE);
    assert_int_equal(again.boot_ns_min, 1500 * NS_PER_MS);
    assert_int_equal(again.dud_ppm, 125000);
    assert_int_equal(again.interrupt_ppm, 100000);
    assert_int_equal(again.interrupt_every_ns, 120 * NS_PER_S);
    assert_string_equal(again.capacity[0], "*=3");
    assert_string_equal(again.faults[0], "op=RunInstances,mode=delay=5s");
    assert_false(again.throttle);
    assert_int_equal(again.minute_ns, 250 * NS_PER_MS);
    assert_int_equal(again.seed, 42);
    assert_int_equal(again.notice_ns, options.notice_ns);
    emu_options_deinit(&again);
    options_argv_free(argv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_set_reaches_the_model, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_wrong_value_says_what_the_option_takes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_command_line_gives_the_same_options_again, set_up,
                                        tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
