#include "fake_result.h"
#include "golden.h"

#include "report/summary.h"
#include "report/width.h"

static const struct fake_options OPTIONS = {.seed = 7, .servers = 2, .clients = 6, .seconds = 900};

static void check(const struct result *r, const char *path, bool ascii) {
    struct buf b = BUF_INIT(64 * KIB);
    summary_add(&b, r, &(struct summary_style){.ascii = ascii, .dir = "results/http-7k2m"});
    golden_check(path, buf_str(&b));
    buf_deinit(&b);
}

static void summaries_match_the_recorded_ones(void **state) {
    (void)state;
    struct fake_options options = OPTIONS;
    CLEANUP(fake_result_freep) struct fake_result *failing = fake_result_new(&options);
    check(&failing->result, "test/vectors/summary/failing.txt", false);
    check(&failing->result, "test/vectors/summary/failing-ascii.txt", true);
    options.passing = options.rehearsal = true;
    CLEANUP(fake_result_freep) struct fake_result *passing = fake_result_new(&options);
    check(&passing->result, "test/vectors/summary/rehearsal.txt", false);
    options.leak = true;
    CLEANUP(fake_result_freep) struct fake_result *leaking = fake_result_new(&options);
    check(&leaking->result, "test/vectors/summary/leak.txt", false);
    check(&(struct result){.run = "7k2m",
                           .name = "http",
                           .verdict = RESULT_BROKEN,
                           .why = "no capacity for client: 0 of 6 running after 10:00"},
          "test/vectors/summary/empty.txt", false);
}

static void outside_text_cannot_break_lines_or_colours(void **state) {
    (void)state;
    struct fake_options options = OPTIONS;
    options.hostile = true;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&options);
    struct buf b = BUF_INIT(64 * KIB);
    summary_add(&b, &fake->result, &(struct summary_style){0});
    for (size_t i = 0; i < b.len; i++)
        assert_true(b.ptr[i] == '\n' || (unsigned char)b.ptr[i] >= 0x20);
    assert_false(str_contains(buf_str(&b), STR("\u202e")));
    buf_deinit(&b);
}

static void the_text_is_coloured_by_its_signs(void **state) {
    (void)state;
    struct buf b = BUF_INIT(4096);
    summary_add_styled(&b, STR("FAIL  x\n    \u2713 a\n    \u2717 b\n  plain\n"),
                       &(struct summary_style){.colour = true});
    assert_text(&b, "\x1b[31mFAIL  x\x1b[0m\n\x1b[32m    \u2713 a\x1b[0m\n"
                    "\x1b[31m    \u2717 b\x1b[0m\n  plain\n");
    buf_deinit(&b);
}

UNIT_MAIN(T(the_text_is_coloured_by_its_signs), T(summaries_match_the_recorded_ones),
          T(outside_text_cannot_break_lines_or_colours))
