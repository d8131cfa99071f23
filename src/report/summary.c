#include "report/summary.h"

#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "core/hist.h"
#include "report/say.h"
#include "report/width.h"

#define LINE_BYTES_MAX (16 * KIB)
#define COLUMNS 80

enum ink { INK_NONE, INK_GREEN, INK_RED, INK_YELLOW };

/* One line at a time is built as UTF-8, then cleaned and given to `out`. */
struct page {
    struct buf *out;
    const struct result *r;
    const struct summary_style *style;
    struct buf line;
    enum ink ink;
};

static void pad_to(struct page *page, unsigned columns) {
    for (unsigned used = width_of(buf_str(&page->line)); used < columns; used++)
        buf_add_byte(&page->line, ' ');
}

static void end_line(struct page *page) {
    static const char *const inks[] = {"", "\x1b[32m", "\x1b[31m", "\x1b[33m"};
    bool coloured = page->style->colour && page->ink != INK_NONE;
    struct str line = buf_str(&page->line);
    while (line.len && line.ptr[line.len - 1] == ' ')
        line.len--;
    if (coloured)
        buf_add_text(page->out, inks[page->ink]);
    width_add_clean(page->out, line, page->style->ascii);
    if (coloured)
        buf_add_text(page->out, "\x1b[0m");
    buf_add_byte(page->out, '\n');
    buf_reset(&page->line);
    page->ink = INK_NONE;
}

static void right_cell(struct page *page, unsigned end, struct buf *cell) {
    unsigned width = width_of(buf_str(cell));
    unsigned used = width_of(buf_str(&page->line));
    /* A cell that is too wide pushes the rest: a number is never cut. */
    pad_to(page, MAX(used + 1, end > width ? end - width : 0));
    buf_add_str(&page->line, buf_str(cell));
    buf_reset(cell);
}

static void heading(struct page *page, const char *label) {
    buf_printf(&page->line, "  %s", label);
}

/* --- banner --- */

static void add_banner(struct page *page) {
    const struct result *r = page->r;
    static const enum ink inks[] = {INK_GREEN, INK_RED, INK_RED, INK_YELLOW};
    must(r->verdict < ARRAY_LEN(inks));
    page->ink = inks[r->verdict];
    buf_printf(&page->line, "%s  %s \u00b7 run %s \u00b7 ", result_verdict_name(r->verdict),
               r->name ? r->name : "?", r->run ? r->run : "?");
    say_span(&page->line, r->duration_ns);
    buf_printf(&page->line, " \u00b7 %" PRIu32 " nodes", r->wanted);
    uint32_t disturbed = result_disturbed(r);
    if (disturbed == 1)
        buf_add_text(&page->line, " \u00b7 disturbed once");
    else if (disturbed > 1)
        buf_printf(&page->line, " \u00b7 disturbed %" PRIu32 " times", disturbed);
    if (r->rehearsal)
        buf_add_text(&page->line, " \u00b7 rehearsal");
    struct buf cell = BUF_INIT(64);
    buf_printf(&cell, "exit %d", result_exit_code(r));
    right_cell(page, COLUMNS, &cell);
    buf_deinit(&cell);
    end_line(page);
    if (r->why) {
        buf_printf(&page->line, "  %s", r->why);
        end_line(page);
    }
    for (size_t i = 1; i < r->exit_count; i++) {
        buf_printf(&page->line, "  also exit %d (%s)%s%s", r->exits[i].code, r->exits[i].name,
                   r->exits[i].why ? ": " : "", r->exits[i].why ? r->exits[i].why : "");
        end_line(page);
    }
}

/* --- thresholds and checks --- */

static void add_state(struct page *page, enum result_state state) {
    static const char *const signs[] = {"\u2713", "\u2717", "\u2717", "!", "\u00b7"};
    static const char *const words[] = {"ok  ", "FAIL", "FAIL", "!   ", "-   "};
    static const enum ink inks[] = {INK_GREEN, INK_RED, INK_RED, INK_YELLOW, INK_NONE};
    must(state < ARRAY_LEN(signs));
    page->ink = inks[state];
    if (page->style->ascii)
        buf_printf(&page->line, "    %s ", words[state]);
    else
        buf_printf(&page->line, "    %s ", signs[state]);
}

static void add_thresholds(struct page *page) {
    const struct result *r = page->r;
    end_line(page);
    heading(page, "THRESHOLDS");
    if (r->threshold_count == 0)
        buf_add_text(&page->line, "   none: the verdict says only that the run worked");
    end_line(page);
    unsigned width = 24;
    for (size_t i = 0; i < r->threshold_count; i++)
        width = MAX(width, width_of(str_from(r->thresholds[i].text)));
    for (size_t i = 0; i < r->threshold_count; i++) {
        const struct result_threshold *t = &r->thresholds[i];
        add_state(page, t->state);
        buf_add_text(&page->line, t->text);
        pad_to(page, MIN(width, 50) + (page->style->ascii ? 13 : 10));
        buf_add_text(&page->line, t->state == RESULT_NO_DATA ? "no data"
                                  : t->value                 ? t->value
                                                             : "-");
        if (t->worst)
            buf_printf(&page->line, "   worst: %s", t->worst);
        if (t->annotation)
            buf_printf(&page->line, "   %s", t->annotation);
        end_line(page);
    }
}

static void add_checks(struct page *page) {
    const struct result *r = page->r;
    if (r->check_count == 0)
        return;
    end_line(page);
    heading(page, "CHECKS");
    end_line(page);
    for (size_t i = 0; i < r->check_count; i++) {
        const struct result_check *check = &r->checks[i];
        add_state(page, check->state);
        buf_add_text(&page->line, check->name);
        if (check->detail)
            buf_printf(&page->line, "   %s", check->detail);
        end_line(page);
    }
}

/* --- phases --- */

static void add_phase_numbers(struct page *page, const struct result_phase *phase,
                              struct buf *cell) {
    static const uint32_t ppms[] = {500000, 990000, 999000, 1000000};
    uint64_t rate = (phase->rate_micro_per_s + MICRO / 2) / MICRO;
    if (rate >= 10)
        units_add_count(cell, rate);
    else
        buf_printf(cell, "%.1f", (double)phase->rate_micro_per_s / 1e6);
    right_cell(page, 42, cell);
    for (size_t i = 0; i < ARRAY_LEN(ppms); i++) {
        if (phase->latency && phase->latency->count)
            say_ms(cell, hist_percentile_ns(phase->latency, ppms[i]));
        else
            buf_add_byte(cell, '-');
        right_cell(page, 50 + 7 * (unsigned)i, cell);
    }
    say_percent(cell, phase->errors, phase->done + phase->errors);
    right_cell(page, COLUMNS, cell);
}

static void add_phase(struct page *page, const struct result_phase *phase) {
    struct buf cell = BUF_INIT(1024);
    bool ok = phase->state == RESULT_OK || phase->state == RESULT_SKIPPED;
    page->ink = ok ? INK_NONE : INK_RED;
    buf_printf(&cell, "%s", phase->name);
    if (phase->trials > 1)
        buf_printf(&cell, " %" PRIu32 "/%" PRIu32, phase->trial, phase->trials);
    if (phase->warmup)
        buf_add_text(&cell, " (warm-up)");
    buf_add_text(&page->line, "    ");
    width_add_cut(&page->line, buf_str(&cell), 20, page->style->ascii);
    buf_reset(&cell);
    units_add_clock(&cell, phase->duration_ns + NS_PER_S / 2);
    right_cell(page, 32, &cell);
    if (phase->has_load)
        add_phase_numbers(page, phase, &cell);
    else
        buf_printf(&page->line, "   %s",
                   phase->detail ? phase->detail : result_state_name(phase->state));
    end_line(page);
    if (phase->has_load && !ok) {
        page->ink = INK_RED;
        buf_printf(&page->line, "      %s",
                   phase->detail ? phase->detail : result_state_name(phase->state));
        end_line(page);
    }
    if (phase->disturbed) {
        buf_printf(&page->line, "      disturbed: %s", phase->disturbed);
        end_line(page);
    }
    buf_deinit(&cell);
}

static void add_phases(struct page *page) {
    if (page->r->phase_count == 0)
        return;
    static const char *const titles[] = {"time",  "rate/s", "p50",   "p99",
                                         "p99.9", "max ms", "errors"};
    static const unsigned ends[] = {32, 42, 50, 57, 64, 71, 80};
    end_line(page);
    heading(page, "PHASES");
    struct buf cell = BUF_INIT(64);
    for (size_t i = 0; i < ARRAY_LEN(titles); i++) {
        buf_add_text(&cell, titles[i]);
        right_cell(page, ends[i], &cell);
    }
    buf_deinit(&cell);
    end_line(page);
    for (size_t i = 0; i < page->r->phase_count; i++)
        add_phase(page, &page->r->phases[i]);
}

/* --- fleet and cost --- */

static void add_fate(struct page *page, enum result_fate fate, const char *name, bool *some) {
    uint32_t count = result_count_fate(page->r, fate);
    if (count == 0)
        return;
    buf_printf(&page->line, "%s%" PRIu32 " %s", *some ? ", " : ": ", count, name);
    *some = true;
}

static void add_fleet(struct page *page) {
    const struct result *r = page->r;
    const struct result_clean *clean = &r->clean;
    bool some = false;
    end_line(page);
    heading(page, "FLEET");
    if (clean->launched == 0 && !clean->leak) {
        buf_printf(&page->line, "   %" PRIu32 " wanted, none was launched", r->wanted);
        end_line(page);
        return;
    }
    buf_printf(&page->line, "   %" PRIu32 " wanted, %" PRIu32 " launched", r->wanted,
               clean->launched);
    add_fate(page, RESULT_NODE_DUD, "dud", &some);
    add_fate(page, RESULT_NODE_INTERRUPTED, "interrupted", &some);
    add_fate(page, RESULT_NODE_DIED, "died", &some);
    add_fate(page, RESULT_NODE_SPARE, "spare", &some);
    if (clean->verified) {
        buf_add_text(&page->line, "; 0 left behind (verified ");
        when_add_time(&page->line, clean->verified_unix_ms, r->zone_offset_s);
        buf_add_byte(&page->line, ')');
    } else if (clean->kept > 0 && !clean->leak) {
        page->ink = INK_YELLOW;
        buf_printf(&page->line, "; %" PRIu32 " kept until the ttl: dayfly down %s", clean->kept,
                   r->run);
    } else {
        page->ink = INK_RED;
        buf_printf(&page->line, "; NOT VERIFIED that all are gone");
    }
    end_line(page);
    if (clean->leak) {
        page->ink = INK_RED;
        buf_printf(&page->line, "  \u203c LEAK?  %s", clean->leak);
        end_line(page);
    }
    if (clean->has_truth) {
        buf_printf(&page->line,
                   "  TRUTH   rehearsal cloud: %" PRIu32 " instances, %" PRIu32
                   " resources left after %" PRIu32 " calls",
                   clean->truth_instances_left, clean->truth_resources_left, clean->truth_calls);
        end_line(page);
    }
}

static void add_cost(struct page *page) {
    const struct result *r = page->r;
    int64_t cost = result_cost_usd_micro(r);
    int64_t on_demand = result_on_demand_usd_micro(r);
    heading(page, "COST");
    buf_add_text(&page->line, "    ");
    if (r->rehearsal)
        buf_add_text(&page->line, "nothing; on AWS about ");
    say_money(&page->line, cost - r->disk_usd_micro);
    if (r->disk_usd_micro) {
        buf_add_text(&page->line, " + ");
        say_money(&page->line, r->disk_usd_micro);
        buf_add_text(&page->line, " disk");
    }
    if (on_demand > cost) {
        buf_add_text(&page->line, "   on-demand ");
        say_money(&page->line, on_demand);
        buf_printf(&page->line, ", saved %d %%",
                   (int)((double)(on_demand - cost) * 100.0 / (double)on_demand));
    }
    const char *caveat = "   estimate, without data transfer";
    if (width_of(buf_str(&page->line)) + strlen(caveat) > COLUMNS) {
        end_line(page);
        buf_add_text(&page->line, "       ");
    }
    buf_add_text(&page->line, caveat);
    end_line(page);
}

/* --- the end --- */

static void add_notes(struct page *page) {
    const struct result *r = page->r;
    bool first = true;
    for (size_t i = 0; i < r->validity_count; i++) {
        const struct result_validity *v = &r->validity[i];
        if (v->state == RESULT_OK || v->state == RESULT_SKIPPED)
            continue;
        if (first)
            end_line(page);
        first = false;
        page->ink = INK_YELLOW;
        buf_printf(&page->line, "  ! %s%s%s", v->what, v->why ? ": " : "", v->why ? v->why : "");
        end_line(page);
    }
    for (size_t i = 0; i < r->note_count; i++) {
        if (first)
            end_line(page);
        first = false;
        buf_printf(&page->line, "  note: %s", r->notes[i]);
        end_line(page);
    }
}

static void add_paths(struct page *page) {
    if (!page->style->dir)
        return;
    end_line(page);
    buf_printf(&page->line, "  %s/report.html   result.json   junit.xml   latency.hlog",
               page->style->dir);
    end_line(page);
    buf_printf(&page->line, "  next: dayfly results open %s \u00b7 dayfly results show %s",
               page->r->run ? page->r->run : "last", page->r->run ? page->r->run : "last");
    end_line(page);
}

void summary_add(struct buf *b, const struct result *r, const struct summary_style *style) {
    struct page page = {.out = b, .r = r, .style = style, .line = BUF_INIT(LINE_BYTES_MAX)};
    add_banner(&page);
    add_thresholds(&page);
    add_checks(&page);
    add_phases(&page);
    add_fleet(&page);
    add_cost(&page);
    add_notes(&page);
    add_paths(&page);
    buf_deinit(&page.line);
}

static enum ink ink_of_line(struct str line) {
    static const struct {
        struct str start;
        enum ink ink;
    } starts[] = {
        {STR_INIT("PASS "), INK_GREEN},       {STR_INIT("FAIL "), INK_RED},
        {STR_INIT("BROKEN "), INK_RED},       {STR_INIT("STOPPED "), INK_YELLOW},
        {STR_INIT("    \u2713 "), INK_GREEN}, {STR_INIT("    \u2717 "), INK_RED},
        {STR_INIT("    ! "), INK_YELLOW},     {STR_INIT("  ! "), INK_YELLOW},
        {STR_INIT("  \u203c "), INK_RED},
    };
    for (size_t i = 0; i < ARRAY_LEN(starts); i++)
        if (str_starts_with(line, starts[i].start))
            return starts[i].ink;
    return INK_NONE;
}

void summary_add_styled(struct buf *b, struct str text, const struct summary_style *style) {
    struct page page = {.out = b, .style = style, .line = BUF_INIT(LINE_BYTES_MAX)};
    struct str line;
    while (str_line(&text, &line)) {
        page.ink = ink_of_line(line);
        buf_add_str(&page.line, line);
        end_line(&page);
    }
    buf_deinit(&page.line);
}
