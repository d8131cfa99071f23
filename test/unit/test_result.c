/* Files of a result: what is written is read back with parsers that we did not write. */
#include "fake_result.h"
#include "golden.h"

#include <expat.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "codec/hlog.h"
#include "core/hist.h"
#include "os/file.h"
#include "report/csv.h"
#include "report/html.h"
#include "report/junit.h"
#include "report/result_json.h"
#include "report/story.h"

static const struct fake_options PLAIN = {.seed = 7, .servers = 2, .clients = 6, .seconds = 120};
static const struct fake_options HOSTILE = {
    .seed = 7, .servers = 2, .clients = 6, .seconds = 120, .hostile = true, .rehearsal = true};

/* --- result.json --- */

static json_t *json_of(const struct result *r) {
    struct buf b = BUF_INIT(16 * MIB);
    result_add_json(&b, r);
    json_error_t error;
    json_t *j = json_loadb(b.ptr, b.len, JSON_REJECT_DUPLICATES, &error);
    if (!j)
        fail_msg("line %d: %s", error.line, error.text);
    buf_deinit(&b);
    return j;
}

static int64_t number(const json_t *object, const char *key) {
    const json_t *value = json_object_get(object, key);
    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void result_json_says_what_the_struct_says(void **state) {
    (void)state;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&PLAIN);
    const struct result *r = &fake->result;
    json_t *j = json_of(r);
    assert_string_equal(json_string_value(json_object_get(j, "schema")), "dayfly.result/1");
    assert_string_equal(json_string_value(json_object_get(j, "run")), r->run);
    assert_int_equal(number(j, "exit_code"), result_exit_code(r));
    json_t *phases = json_object_get(j, "phases");
    assert_int_equal(json_array_size(phases), r->phase_count);
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct result_phase *p = &r->phases[i];
        const json_t *phase = json_array_get(phases, i);
        assert_string_equal(json_string_value(json_object_get(phase, "name")), p->name);
        assert_int_equal(number(phase, "duration_ms"), p->duration_ns / NS_PER_MS);
        if (!p->has_load)
            continue;
        assert_int_equal(number(phase, "planned"), p->planned);
        assert_int_equal(number(phase, "done"), p->done);
        const json_t *latency = json_object_get(phase, "latency");
        assert_int_equal(number(latency, "count"), p->latency->count);
        assert_int_equal(number(latency, "p99_us"),
                         (hist_percentile_ns(p->latency, 990000) + 500) / 1000);
        assert_int_equal(json_array_size(json_object_get(phase, "requests")), p->request_count);
    }
    assert_int_equal(json_array_size(json_object_get(j, "nodes")), r->node_count);
    assert_true(json_is_true(json_object_get(json_object_get(j, "clean"), "verified")));
    json_decref(j);
}

static void percentiles_of_result_json_are_ordered(void **state) {
    (void)state;
    static const char *const names[] = {"min_us", "p50_us",   "p75_us",    "p90_us",     "p95_us",
                                        "p99_us", "p99_9_us", "p99_99_us", "p99_999_us", "max_us"};
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&PLAIN);
    json_t *j = json_of(&fake->result);
    size_t i;
    json_t *phase;
    json_array_foreach(json_object_get(j, "phases"), i, phase) {
        const json_t *latency = json_object_get(phase, "latency");
        int64_t last = 0;
        for (size_t k = 0; latency && k < ARRAY_LEN(names); k++) {
            assert_true(number(latency, names[k]) >= last);
            last = number(latency, names[k]);
        }
    }
    json_decref(j);
}

static void an_empty_result_is_written_too(void **state) {
    (void)state;
    struct result r = {.run = "7k2m", .name = "http", .verdict = RESULT_BROKEN};
    json_t *j = json_of(&r);
    assert_int_equal(number(j, "exit_code"), 0);
    json_decref(j);
    struct buf b = BUF_INIT(MIB);
    html_add(&b, &r);
    assert_true(str_contains(buf_str(&b), STR("BROKEN")));
    buf_reset(&b);
    junit_add(&b, &r);
    assert_true(b.len > 0);
    buf_deinit(&b);
}

static void hostile_text_survives_json_unchanged_but_for_bad_bytes(void **state) {
    (void)state;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&HOSTILE);
    json_t *j = json_of(&fake->result);
    const char *name = json_string_value(json_object_get(j, "name"));
    assert_non_null(name);
    assert_true(str_starts_with(str_from(name), STR("\"'><script>alert(1)</script>")));
    assert_true(str_ends_with(str_from(name), STR("\"x\"\ufffd")));
    json_decref(j);
}

/* --- csv --- */

/* Cells of one row, RFC 4180; returns how many. */
static unsigned csv_row(struct str *rest, struct buf *first_text) {
    unsigned cells = 1;
    bool quoted = false;
    size_t at = 0;
    for (; at < rest->len && (quoted || rest->ptr[at] != '\n'); at++) {
        if (rest->ptr[at] == '"')
            quoted = !quoted;
        else if (rest->ptr[at] == ',' && !quoted)
            cells++;
        else if (cells == 1)
            buf_add_byte(first_text, rest->ptr[at]);
    }
    assert_false(quoted);
    *rest = str_skip(*rest, at + 1);
    return cells;
}

static unsigned csv_check(struct buf *b) {
    struct str rest = buf_str(b);
    struct buf text = BUF_INIT(MIB);
    unsigned columns = csv_row(&rest, &text);
    unsigned rows = 0;
    while (rest.len) {
        buf_reset(&text);
        assert_int_equal(csv_row(&rest, &text), columns);
        if (text.len)
            assert_null(strchr("=+-@", text.ptr[0]));
        rows++;
    }
    buf_deinit(&text);
    return rows;
}

static void csv_rows_have_as_many_cells_as_the_header(void **state) {
    (void)state;
    const struct fake_options *const options[] = {&PLAIN, &HOSTILE};
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(options[i]);
        struct buf b = BUF_INIT(16 * MIB);
        csv_add_timeline(&b, &fake->result);
        assert_int_equal(csv_check(&b), fake->result.second_count);
        buf_reset(&b);
        csv_add_nodes(&b, &fake->result);
        assert_int_equal(csv_check(&b), fake->result.node_count);
        buf_reset(&b);
        csv_add_requests(&b, &fake->result);
        assert_int_equal(csv_check(&b), 2 * (1 + 3));
        buf_deinit(&b);
    }
}

static void csv_text_is_no_formula(void **state) {
    (void)state;
    struct result_node node = {.slot = "=1+1", .role = "-x", .note = "@sum, \"a\"\nb"};
    struct result r = {.run = "r", .name = "n", .nodes = &node, .node_count = 1};
    struct buf b = BUF_INIT(MIB);
    csv_add_nodes(&b, &r);
    assert_true(str_contains(buf_str(&b), STR("\n'=1+1,'-x,")));
    assert_true(str_contains(buf_str(&b), STR("\"'@sum, \"\"a\"\" b\"\n")));
    buf_deinit(&b);
}

/* --- junit --- */

struct junit {
    unsigned cases, failures, skipped, claimed_tests, claimed_failures;
    bool saw_hostile;
};

static void junit_start(void *data, const char *name, const char **attributes) {
    struct junit *j = data;
    j->cases += strcmp(name, "testcase") == 0;
    j->failures += strcmp(name, "failure") == 0;
    j->skipped += strcmp(name, "skipped") == 0;
    for (size_t i = 0; attributes[i]; i += 2) {
        uint64_t value = 0;
        bool counts = strcmp(name, "testsuite") == 0 &&
                      units_u64(str_from(attributes[i + 1]), &value, NULL) == 0;
        if (counts && strcmp(attributes[i], "tests") == 0)
            j->claimed_tests = (unsigned)value;
        if (counts && strcmp(attributes[i], "failures") == 0)
            j->claimed_failures = (unsigned)value;
        if (str_contains(str_from(attributes[i + 1]), STR("<script>alert(1)</script>")))
            j->saw_hostile = true;
    }
}

static struct junit junit_of(const struct result *r) {
    struct buf b = BUF_INIT(MIB);
    struct junit j = {0};
    junit_add(&b, r);
    XML_Parser parser = XML_ParserCreate(NULL);
    XML_SetUserData(parser, &j);
    XML_SetStartElementHandler(parser, junit_start);
    if (XML_Parse(parser, b.ptr, (int)b.len, 1) != XML_STATUS_OK)
        fail_msg("line %lu: %s", XML_GetCurrentLineNumber(parser),
                 XML_ErrorString(XML_GetErrorCode(parser)));
    XML_ParserFree(parser);
    buf_deinit(&b);
    return j;
}

static void junit_has_a_case_for_every_promise(void **state) {
    (void)state;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&PLAIN);
    struct junit j = junit_of(&fake->result);
    const struct result *r = &fake->result;
    assert_int_equal(j.cases,
                     r->threshold_count + r->check_count + r->phase_count + 1 + r->exit_count);
    assert_int_equal(j.cases, j.claimed_tests);
    assert_int_equal(j.failures, j.claimed_failures);
    assert_true(j.failures >= 1);
}

static void junit_stays_xml_whatever_the_names_are(void **state) {
    (void)state;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&HOSTILE);
    assert_true(junit_of(&fake->result).saw_hostile);
}

static void a_leak_and_missing_data_are_failures_in_junit(void **state) {
    (void)state;
    struct result_threshold t = {.text = "p99 < 1ms", .state = RESULT_NO_DATA};
    struct result r = {.run = "r",
                       .name = "n",
                       .thresholds = &t,
                       .threshold_count = 1,
                       .clean = {.leak = "i-1 may be left"}};
    struct junit j = junit_of(&r);
    assert_int_equal(j.cases, 2);
    assert_int_equal(j.failures, 2);
}

/* --- html --- */

/* Elements without an end tag, and text that opened none. */
static bool is_void(struct str name) {
    static const char *const names[] = {"meta", "br", "!DOCTYPE"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_equal(name, str_from(names[i])))
            return true;
    return false;
}

/* A strict reading of our own page: every tag closed in order, nothing but known elements. */
static void html_check(struct str page) {
    struct str stack[64];
    size_t depth = 0;
    for (size_t at = 0; at < page.len; at++) {
        if (page.ptr[at] != '<')
            continue;
        size_t end = at + str_index_of(str_skip(page, at), '>');
        assert_true(end < page.len);
        struct str tag = str_slice(page, at + 1, end);
        assert_false(str_contains(tag, STR("<")));
        bool closing = str_starts_with(tag, STR("/"));
        struct str name = str_skip(tag, closing);
        name = str_slice(name, 0, str_index_of(name, ' '));
        name = str_slice(name, 0, str_index_of(name, '/'));
        if (closing) {
            if (depth == 0 || !str_equal(stack[depth - 1], name))
                fail_msg("</%.*s> closes <%.*s>", STR_ARG(name),
                         depth ? (int)stack[depth - 1].len : 0, depth ? stack[depth - 1].ptr : "");
            depth--;
        } else if (!is_void(name) && !str_ends_with(tag, STR("/"))) {
            assert_true(depth < ARRAY_LEN(stack));
            stack[depth++] = name;
        }
        at = end;
    }
    assert_int_equal(depth, 0);
}

static void the_page_is_well_formed_whatever_the_texts_are(void **state) {
    (void)state;
    const struct fake_options *const options[] = {&PLAIN, &HOSTILE};
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(options[i]);
        struct buf b = BUF_INIT(16 * MIB);
        html_add(&b, &fake->result);
        html_check(buf_str(&b));
        buf_deinit(&b);
    }
}

static void the_page_needs_no_script_and_no_network(void **state) {
    (void)state;
    static const struct str forbidden[] = {
        STR_INIT("<script"),  STR_INIT("<img"),         STR_INIT("<link"), STR_INIT("<iframe"),
        STR_INIT("onerror="), STR_INIT(" href=\"http"), STR_INIT("src="),  STR_INIT("@import"),
        STR_INIT("url(http"), STR_INIT("\x1b"),         STR_INIT("\u202e")};
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&HOSTILE);
    struct buf b = BUF_INIT(16 * MIB);
    html_add(&b, &fake->result);
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
        /* The attack texts are on the page, escaped; as markup they may not be. */
        if (str_equal(forbidden[i], STR("onerror=")) || str_equal(forbidden[i], STR("src=")))
            continue;
        if (str_contains(buf_str(&b), forbidden[i]))
            fail_msg("the page contains %.*s", STR_ARG(forbidden[i]));
    }
    assert_true(str_contains(buf_str(&b), STR("&lt;img src=x onerror=alert(2)&gt;")));
    assert_true(str_contains(buf_str(&b), STR("default-src 'none'")));
    buf_deinit(&b);
}

static void every_chart_has_a_title_a_description_and_a_table(void **state) {
    (void)state;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&PLAIN);
    struct buf b = BUF_INIT(16 * MIB);
    html_add(&b, &fake->result);
    static const struct str needed[] = {STR_INIT("id=\"tl-t\""),
                                        STR_INIT("id=\"tl-d\""),
                                        STR_INIT("id=\"sp-t\""),
                                        STR_INIT("id=\"fl-t\""),
                                        STR_INIT("id=\"ga-t\""),
                                        STR_INIT("id=\"ns-t\""),
                                        STR_INIT("<caption>Timeline"),
                                        STR_INIT("<caption>Percentiles"),
                                        STR_INIT("<caption>From launch to ready"),
                                        STR_INIT("<caption>All nodes")};
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        if (!str_contains(buf_str(&b), needed[i]))
            fail_msg("the page lacks %.*s", STR_ARG(needed[i]));
    buf_deinit(&b);
}

static void a_large_run_stays_small_on_paper(void **state) {
    (void)state;
    struct fake_options options = {.seed = 1, .servers = 60, .clients = 240, .seconds = 7200};
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&options);
    struct buf b = BUF_INIT(16 * MIB);
    html_add(&b, &fake->result);
    assert_in_range(b.len, 100000, 1000000);
    buf_deinit(&b);
}

/* --- the folder --- */

static void every_file_is_written_and_none_is_left_half(void **state) {
    (void)state;
    static const char *const names[] = {"result.json",          "summary.txt", "timeline.csv",
                                        "requests.csv",         "nodes.csv",   "junit.xml",
                                        "events.ndjson",        "report.html", "config.yaml",
                                        "config.resolved.yaml", "latency.hlog"};
    char dir[] = "/tmp/dayfly-result-XXXXXX";
    assert_non_null(mkdtemp(dir));
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&HOSTILE);
    struct err err = {0};
    if (result_write_all(&fake->result, dir, &err) < 0)
        fail_msg("%s", err.text);
    char path[256];
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        assert_true(file_exists(path));
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(dir), 0); /* nothing else was left there */
}

static void an_error_of_the_disk_is_returned(void **state) {
    (void)state;
    struct err err = {0};
    struct result r = {.run = "r", .name = "n"};
    assert_true(result_write_all(&r, "/nonexistent/folder", &err) < 0);
    assert_true(err.text[0] != 0);
}

static void latency_hlog_gives_the_histograms_back(void **state) {
    (void)state;
    char dir[] = "/tmp/dayfly-result-XXXXXX";
    assert_non_null(mkdtemp(dir));
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&PLAIN);
    assert_int_equal(result_write_all(&fake->result, dir, NULL), 0);
    char path[256];
    snprintf(path, sizeof path, "%s/latency.hlog", dir);
    struct buf text = BUF_INIT(16 * MIB);
    golden_read(path, &text);
    struct str rest = buf_str(&text);
    struct hlog_line line;
    struct hist h = {0};
    unsigned intervals = 0;
    struct err err = {0};
    while (hlog_next(&rest, &line, &h, &err) == 1) {
        if (str_equal(line.tag, STR("steps"))) {
            struct hist one = {0};
            hist_merge(&one, &h);
            assert_int_equal(one.count, fake->result.phases[3].latency->count);
            hist_deinit(&one);
        }
        hist_reset(&h);
        intervals++;
    }
    assert_string_equal(err.text, "");
    assert_int_equal(intervals, 2 * (2 + 3));
    hist_deinit(&h);
    buf_deinit(&text);
    assert_int_equal(file_remove_tree(dir, NULL), 0);
}

static void totals_leave_out_the_warm_up(void **state) {
    (void)state;
    CLEANUP(fake_result_freep) struct fake_result *fake = fake_result_new(&PLAIN);
    struct result_totals totals;
    result_totals(&fake->result, &totals);
    assert_int_equal(totals.done, fake->result.phases[3].done);
    assert_int_equal(totals.duration_ns, fake->result.phases[3].duration_ns);
}

UNIT_MAIN(T(result_json_says_what_the_struct_says), T(percentiles_of_result_json_are_ordered),
          T(an_empty_result_is_written_too),
          T(hostile_text_survives_json_unchanged_but_for_bad_bytes),
          T(csv_rows_have_as_many_cells_as_the_header), T(csv_text_is_no_formula),
          T(junit_has_a_case_for_every_promise), T(junit_stays_xml_whatever_the_names_are),
          T(a_leak_and_missing_data_are_failures_in_junit),
          T(the_page_is_well_formed_whatever_the_texts_are),
          T(the_page_needs_no_script_and_no_network),
          T(every_chart_has_a_title_a_description_and_a_table), T(a_large_run_stays_small_on_paper),
          T(every_file_is_written_and_none_is_left_half), T(an_error_of_the_disk_is_returned),
          T(latency_hlog_gives_the_histograms_back), T(totals_leave_out_the_warm_up))
