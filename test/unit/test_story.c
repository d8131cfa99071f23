#include "unit.h"

#include <jansson.h>

#include "base/when.h"
#include "report/story.h"
#include "report/width.h"

static int64_t at(const char *text) {
    int64_t unix_ms = 0;
    assert_int_equal(when_parse(str_from(text), &unix_ms, NULL), 0);
    return unix_ms;
}

static void plain(const struct story_event *e, const char *want) {
    struct buf b = BUF_INIT(16 * KIB);
    story_add_plain(&b, e);
    assert_text(&b, want);
    buf_deinit(&b);
}

/* The lines of interface 4.7. */
static void plain_lines_are_those_of_the_interface(void **state) {
    (void)state;
    struct story_event e;
    story_init(&e, STORY_PLAN, at("2026-03-02T15:02:12Z"), "7k2m");
    story_verb(&e, "ok");
    story_add_int(&e, "nodes", 38);
    story_add_money(&e, "usd_h", 2260000);
    plain(&e, "2026-03-02T15:02:12Z run=7k2m plan ok nodes=38 usd_h=2.26");
    story_init(&e, STORY_LAUNCH, at("2026-03-02T15:02:41Z"), "7k2m");
    story_add_of(&e, "running", 12, 38);
    story_add_duration(&e, "elapsed", 30 * NS_PER_S);
    plain(&e, "2026-03-02T15:02:41Z run=7k2m launch running=12/38 elapsed=30s");
    story_init(&e, STORY_ROLLCALL, at("2026-03-02T15:05:32Z"), "7k2m");
    story_verb(&e, "replace");
    story_add_text(&e, "node", STR("client:7"));
    story_add_text(&e, "id", STR("i-0a2c4bfd1"));
    story_add_text(&e, "why", STR("silent"));
    plain(&e, "2026-03-02T15:05:32Z run=7k2m rollcall replace node=client:7 id=i-0a2c4bfd1 "
              "why=silent");
    story_init(&e, STORY_INTERRUPT, at("2026-03-02T15:50:02Z"), "7k2m");
    story_add_text(&e, "node", STR("client:11"));
    story_add_instant(&e, "ends", at("2026-03-02T15:52:02Z"));
    plain(&e, "2026-03-02T15:50:02Z run=7k2m interrupt node=client:11 ends=15:52:02Z");
    story_init(&e, STORY_DOWN, at("2026-03-02T17:06:40Z"), "7k2m");
    story_add_of(&e, "gone", 40, 40);
    story_add_bool(&e, "verified", true);
    plain(&e, "2026-03-02T17:06:40Z run=7k2m down gone=40/40 verified=true");
}

static void progress_and_result_lines_need_no_word(void **state) {
    (void)state;
    struct story_event e;
    story_init(&e, STORY_PROGRESS, at("2026-03-02T15:49:08Z"), "7k2m");
    story_add_text(&e, "phase", STR("mixed"));
    story_add_int(&e, "trial", 2);
    story_add_duration(&e, "elapsed", 358 * NS_PER_S);
    story_add_rate(&e, "rate", UINT64_C(47900) * 1000000);
    story_add_latency(&e, "p99", 14800000);
    story_add_ratio(&e, "errors", 200);
    story_add_of(&e, "nodes", 36, 36);
    plain(&e, "2026-03-02T15:49:08Z run=7k2m phase=mixed trial=2 elapsed=358s rate=47900 "
              "p99_ms=14.8 errors=0.0002 nodes=36/36");
    story_init(&e, STORY_RESULT, at("2026-03-02T17:06:41Z"), "7k2m");
    story_add_text(&e, "verdict", STR("FAIL"));
    story_add_int(&e, "exit", 99);
    plain(&e, "2026-03-02T17:06:41Z run=7k2m verdict=FAIL exit=99");
}

static void values_with_blanks_are_quoted_and_cleaned(void **state) {
    (void)state;
    struct story_event e;
    story_init(&e, STORY_NOTE, 0, "r");
    story_add_text(&e, "why", STR("exit 1: \"no\"\n\x1b[31m"));
    story_add_text(&e, "empty", STR(""));
    plain(&e, "1970-01-01T00:00:00Z run=r note why=\"exit 1: \\\"no\\\" \ufffd[31m\" empty=\"\"");
}

static void json_records_have_units_in_their_names(void **state) {
    (void)state;
    struct story_event e;
    story_init(&e, STORY_PROGRESS, at("2026-03-02T15:49:08Z"), "7k2m");
    e.seq = 9;
    story_add_latency(&e, "p99", 14800000);
    story_add_of(&e, "nodes", 35, 36);
    story_add_duration(&e, "elapsed", 358 * NS_PER_S);
    story_add_text(&e, "bad", STR("\x1b\xff\"</script>"));
    struct buf b = BUF_INIT(16 * KIB);
    story_add_json(&b, &e);
    json_t *j = json_loadb(b.ptr, b.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "type")), "progress");
    assert_string_equal(json_string_value(json_object_get(j, "t")), "2026-03-02T15:49:08.000Z");
    assert_int_equal(json_integer_value(json_object_get(j, "seq")), 9);
    assert_int_equal(json_integer_value(json_object_get(j, "p99_us")), 14800);
    assert_int_equal(json_integer_value(json_object_get(j, "nodes_of")), 36);
    assert_int_equal(json_integer_value(json_object_get(j, "elapsed_ms")), 358000);
    assert_string_equal(json_string_value(json_object_get(j, "bad")), "\x1b\ufffd\"</script>");
    json_decref(j);
    buf_reset(&b);
    story_add_json_version(&b, 0, "7k2m");
    j = json_loadb(b.ptr, b.len, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(j);
    assert_string_equal(json_string_value(json_object_get(j, "schema")), "1.0");
    json_decref(j);
    buf_deinit(&b);
}

static void a_terminal_line_is_aligned_and_cut_to_the_width(void **state) {
    (void)state;
    struct story_event e;
    story_init(&e, STORY_CAPACITY, at("2026-03-02T15:02:31Z"), "7k2m");
    story_text(&e, "c7g.large us-east-1c is short, taking c6g.large");
    struct buf b = BUF_INIT(16 * KIB);
    story_add_terminal(&b, &e, &(struct story_style){.columns = 0});
    assert_text(&b, "15:02:31  capacity   c7g.large us-east-1c is short, taking c6g.large");
    for (unsigned columns = 1; columns < 90; columns++) {
        buf_reset(&b);
        e.mark = (enum story_mark)(columns % 5);
        story_add_terminal(&b, &e, &(struct story_style){.columns = columns, .colour = true});
        assert_in_range(width_of(buf_str(&b)), 1, columns);
    }
    e.mark = STORY_ALERT;
    e.kind = STORY_INTERRUPT;
    buf_reset(&b);
    story_add_terminal(&b, &e, &(struct story_style){.zone_offset_s = 3600});
    assert_text(&b, "16:02:31  \u203c spot     c7g.large us-east-1c is short, taking c6g.large");
    buf_deinit(&b);
}

static void an_event_without_a_sentence_shows_its_fields(void **state) {
    (void)state;
    struct story_event e;
    story_init(&e, STORY_LAUNCH, at("2026-03-02T15:02:41Z"), "7k2m");
    story_add_of(&e, "running", 12, 38);
    struct buf b = BUF_INIT(16 * KIB);
    story_add_terminal(&b, &e, &(struct story_style){0});
    assert_text(&b, "15:02:41  launch     running=12/38");
    buf_deinit(&b);
}

static void more_text_than_an_event_holds_is_cut(void **state) {
    (void)state;
    char big[4000];
    memset(big, 'x', sizeof big);
    struct story_event e;
    story_init(&e, STORY_NOTE, 0, "a-run-id-that-is-far-too-long-to-be-one");
    story_add_text(&e, "a", (struct str){big, sizeof big});
    story_add_text(&e, "b", (struct str){big, sizeof big});
    assert_int_equal(story_field_text(&e, story_find(&e, "a")).len, STORY_POOL_BYTES);
    assert_int_equal(story_field_text(&e, story_find(&e, "b")).len, 0);
    assert_null(story_find(&e, "c"));
}

UNIT_MAIN(T(plain_lines_are_those_of_the_interface), T(progress_and_result_lines_need_no_word),
          T(values_with_blanks_are_quoted_and_cleaned), T(json_records_have_units_in_their_names),
          T(a_terminal_line_is_aligned_and_cut_to_the_width),
          T(an_event_without_a_sentence_shows_its_fields), T(more_text_than_an_event_holds_is_cut))
