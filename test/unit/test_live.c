/* Screens are compared with recorded files in test/vectors/screen at 80x24, 120x40 and 40x10. */
#include "golden.h"

#include "base/units.h"
#include "report/live.h"
#include "report/width.h"

static void set(char *into, size_t size, const char *text) {
    assert_true(str_copy(into, size, str_from(text)));
}
#define SET(field, text) set((field), sizeof(field), (text))

static void role(struct live_view *view, const char *name, uint32_t have, uint32_t want,
                 const char *note) {
    struct live_role *r = &view->roles[view->role_count++];
    SET(r->name, name);
    SET(r->note, note);
    r->have = have;
    r->want = want;
    view->have += have;
    view->want += want;
}

static void node(struct live_view *view, const char *who, const char *what, const char *then) {
    struct live_node *n = &view->nodes[view->node_count++];
    SET(n->who, who);
    SET(n->what, what);
    SET(n->then, then);
}

static void make_launch(struct live_view *view) {
    live_init(view);
    view->stage = LIVE_LAUNCH;
    view->frame = 2;
    view->elapsed_ns = 41 * NS_PER_S;
    role(view, "db", 12, 13, "i4i.xlarge \u00d712");
    role(view, "client", 15, 25, "c7g.large \u00d79, c6g.large \u00d76");
    SET(view->then, "roll-call \u2192 checks \u2192 schema \u2192 load \u2192 settle \u2192 mixed "
                    "2\u00d74 \u2192 degrade \u2192 collect \u2192 down");
    SET(view->until, "quorum db 12, client 22 by 15:12:12, otherwise give all back (exit 5)");
    view->spent_usd_micro = 30000;
    view->budget_usd_micro = 40000000;
}

static void make_rollcall(struct live_view *view) {
    live_init(view);
    view->stage = LIVE_ROLLCALL;
    view->frame = 7;
    view->elapsed_ns = 140 * NS_PER_S;
    role(view, "data", 200, 200, "");
    role(view, "client", 94, 100, "missing client:3,17,44,88,91,97");
    node(view, "4 silent", "client:17,44,88,91   running > 2m, no call home",
         "4 replacements requested, same numbers");
    node(view, "1 setup", "client:3   exit 100: apt lock held", "retry 2/3 in 0:05");
    node(view, "1 slow", "client:97   downloading image 61 %", "");
    view->nodes_more = 9;
    SET(view->until, "quorum 90/100 met; starting at 15:06:20 with whoever is here");
    view->spent_usd_micro = 210000;
    view->budget_usd_micro = 40000000;
    view->rehearsal = true;
}

static void make_phase(struct live_view *view) {
    live_init(view);
    view->stage = LIVE_PHASE;
    struct live_phase *phase = &view->phase;
    SET(phase->name, "mixed");
    SET(phase->detail, "read=9,write=1");
    phase->trial = 2;
    phase->trials = 4;
    phase->elapsed_ns = 358 * NS_PER_S;
    phase->total_ns = 600 * NS_PER_S;
    phase->has_load = true;
    phase->rate_micro_per_s = UINT64_C(47900) * MICRO;
    phase->rate_asked_micro_per_s = UINT64_C(48000) * MICRO;
    for (uint32_t i = 0; i < 60; i++)
        phase->spark_micro_per_s[i] = (i < 6 ? 8000 * i : 47000 + i * 7 % 13 * 80) * MICRO;
    phase->spark_count = 60;
    phase->latency =
        (struct live_latency){true, 1900000, 6400000, 14800000, 61000000, 412000000, 9700000};
    phase->requests = 17000000;
    phase->errors_total = 149 * 20;
    SET(phase->errors[0].name, "timeout");
    phase->errors[0].count = 118 * 20;
    SET(phase->errors[1].name, "status 503");
    phase->errors[1].count = 31 * 20;
    phase->error_count = 2;
    phase->reporting = phase->reporters = 24;
    static const char *const texts[] = {"p99<20ms", "p99.9<80ms", "errors<0.1%", "errors<2%"};
    for (uint32_t i = 0; i < ARRAY_LEN(texts); i++) {
        SET(view->thresholds[i].text, texts[i]);
        view->thresholds[i].state = i == 1 ? LIVE_FAILING : i == 3 ? LIVE_UNTESTED : LIVE_PASSING;
    }
    view->threshold_count = 4;
    view->cpu_known = true;
    view->cpu_percent = 48;
    view->cpu_worst_percent = 71;
    SET(view->cpu_worst, "client:3");
    SET(view->slowest, "client:3 p99 33 ms (2.2\u00d7 median)");
    view->fleet_up = view->fleet_want = 36;
    view->spent_usd_micro = 1840000;
    view->budget_usd_micro = 40000000;
    SET(view->ends, "run ends about 17:05");
}

static void make_overload(struct live_view *view) {
    make_phase(view);
    view->phase.trials = 1;
    view->phase.detail[0] = 0;
    view->phase.reporting = 22;
    view->cpu_percent = 96;
    view->cpu_worst_percent = 99;
    view->fleet_up = 34;
    view->stop_level = 1;
    SET(view->warning, "generators cpu 96 % on client:0-5: latency above is inflated and the rate "
                       "is not what you asked for");
}

static void make_down(struct live_view *view) {
    live_init(view);
    view->stage = LIVE_DOWN;
    view->frame = 7;
    view->elapsed_ns = 18 * NS_PER_S;
    view->have = 29;
    view->want = 36;
    SET(view->still, "shutting down: db:3,7 client:0-4");
    SET(view->verified, "29 gone by tag query; the security group follows the last node");
    SET(view->safety, "every node also ends itself at 19:04 (ttl)");
    view->spent_usd_micro = 4710000;
}

/* Text that a hostile node could send. */
static void make_hostile(struct live_view *view) {
    make_rollcall(view);
    SET(view->nodes[0].who, "\x1b[2J\x1b]0;owned\a");
    SET(view->nodes[1].what, "line\nbreak\r\x1b[31mred \xe2\x80\xae"
                             "evil \xff\xfe wide \u6f22\u5b57");
    SET(view->roles[0].note, "\x9b"
                             "31m \u202d \b\b\b\b");
}

struct screen_case {
    const char *name;
    void (*make)(struct live_view *view);
};

static const struct screen_case CASES[] = {
    {"launch", make_launch},     {"rollcall", make_rollcall}, {"phase", make_phase},
    {"overload", make_overload}, {"down", make_down},         {"hostile", make_hostile},
};

static const struct live_style SIZES[] = {
    {80, 24, false, false}, {120, 40, false, false}, {40, 10, false, false}};

static void screens_match_the_recorded_ones(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
        for (size_t j = 0; j < ARRAY_LEN(SIZES); j++) {
            struct live_view view;
            CASES[i].make(&view);
            struct buf b = BUF_INIT(64 * KIB);
            live_render(&view, &SIZES[j], &b);
            buf_add_byte(&b, '\n');
            char path[128];
            snprintf(path, sizeof path, "test/vectors/screen/%s-%ux%u.txt", CASES[i].name,
                     SIZES[j].columns, SIZES[j].rows);
            golden_check(path, buf_str(&b));
            buf_deinit(&b);
        }
}

static void the_ascii_form_has_no_other_character(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct live_view view;
        CASES[i].make(&view);
        struct buf b = BUF_INIT(64 * KIB);
        live_render(&view, &(struct live_style){80, 24, false, true}, &b);
        for (size_t at = 0; at < b.len; at++)
            assert_true(b.ptr[at] == '\n' || (b.ptr[at] >= 0x20 && b.ptr[at] <= 0x7e));
        if (i == 2)
            golden_check("test/vectors/screen/phase-80x24-ascii.txt", buf_str(&b));
        buf_deinit(&b);
    }
}

/* Every line fits, colours or not, and the height rule holds. */
static void check_size(const struct live_view *view, unsigned columns, unsigned rows) {
    for (unsigned form = 0; form < 4; form++) {
        struct live_style style = {columns, rows, form & 1, form & 2};
        struct buf b = BUF_INIT(64 * KIB);
        unsigned lines = live_render(view, &style, &b);
        assert_in_range(lines, 1, rows < 14 || columns < 60 ? 1 : MIN(12, rows - 2));
        struct str rest = buf_str(&b);
        struct str line;
        unsigned counted = 0;
        while (str_split(&rest, '\n', &line)) {
            counted++;
            if (width_of(line) > columns)
                fail_msg("%ux%u: %u columns: %.*s", columns, rows, width_of(line), STR_ARG(line));
        }
        assert_int_equal(counted, lines);
        buf_deinit(&b);
    }
}

static void no_size_of_terminal_is_exceeded(void **state) {
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct live_view view;
        CASES[i].make(&view);
        for (unsigned columns = 1; columns <= 160; columns++)
            check_size(&view, columns, 24);
        for (unsigned rows = 2; rows <= 50; rows++)
            check_size(&view, 80, rows);
    }
}

static void many_roles_are_folded_into_one_line(void **state) {
    (void)state;
    struct live_view view;
    make_rollcall(&view);
    while (view.role_count < LIVE_ROLES_MAX)
        role(&view, "another", 1, 2, "note");
    struct buf b = BUF_INIT(64 * KIB);
    assert_int_equal(live_render(&view, &(struct live_style){80, 24, false, false}, &b), 12);
    assert_true(str_contains(buf_str(&b), STR("more roles")));
    buf_deinit(&b);
}

static void nothing_from_a_node_controls_the_terminal(void **state) {
    (void)state;
    struct live_view view;
    make_hostile(&view);
    struct buf b = BUF_INIT(64 * KIB);
    live_render(&view, &(struct live_style){200, 50, false, false}, &b);
    for (size_t at = 0; at < b.len; at++)
        assert_true((unsigned char)b.ptr[at] >= 0x20 || b.ptr[at] == '\n');
    assert_false(str_contains(buf_str(&b), STR("\u202e")));
    assert_false(str_contains(buf_str(&b), STR("\xc2\x9b")));
    buf_deinit(&b);
}

UNIT_MAIN(T(screens_match_the_recorded_ones), T(the_ascii_form_has_no_other_character),
          T(no_size_of_terminal_is_exceeded), T(many_roles_are_folded_into_one_line),
          T(nothing_from_a_node_controls_the_terminal))
