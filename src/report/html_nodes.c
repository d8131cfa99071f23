#include <inttypes.h>
#include <math.h>

#include "base/units.h"
#include "report/html_parts.h"
#include "report/say.h"

#define SMALL_BYTES_MAX 1024
#define ROWS_MAX 600     /* of the table and of the Gantt chart; nodes.csv has all */
#define ROWS_OPEN_MAX 24 /* more are folded away */
#define STRIP_HEIGHT 110.0
#define CURVE_HEIGHT 120.0
#define TOP 20.0

static const struct svg_ink GRID = {"grid", HTML_RULE, NULL, 1, 1};

static bool is_odd(const struct result_node *n) {
    return n->note || (n->fate != RESULT_NODE_GONE && n->fate != RESULT_NODE_SPARE);
}

/* --- one dot per node --- */

static void add_strip_axis(struct buf *b, const struct svg_scale *y, const char *unit) {
    double step = svg_step(y->to, 4);
    for (double value = 0; value <= y->to * 1.0001; value += step) {
        char text[32];
        snprintf(text, sizeof text, "%g%s", value, unit);
        double at = svg_at(y, value);
        svg_line(b, HTML_LEFT, at, HTML_WIDTH - HTML_RIGHT, at, &GRID);
        svg_text(b, HTML_LEFT - 6, at + 4, SVG_END, "", text);
    }
}

static void add_dot(struct html_page *page, const struct result_node *n, double x,
                    const struct svg_scale *y) {
    struct buf *b = page->b;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    double at = svg_at(y, (double)n->p99_ns / 1e6);
    bool odd = is_odd(n);
    if (odd) /* another shape, not only another colour */
        svg_rect(b, x - 4, at - 4, 8, 8, &(struct svg_ink){"f2", HTML_RED, NULL, 0, 1});
    else
        buf_printf(b, "<circle class=\"f1\" fill=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n",
                   HTML_BLUE, x, at);
    buf_printf(&text, "%s\np99 ", n->slot ? n->slot : n->instance_id);
    say_ms(&text, n->p99_ns);
    buf_printf(&text, " ms, cpu %" PRIu32 " %%\n%s %s %s", n->cpu_percent, n->type ? n->type : "",
               n->zone ? n->zone : "", n->note ? n->note : "");
    svg_hover(b, x - 5, TOP, 10, STRIP_HEIGHT, buf_text(&text));
    if (odd && n->slot)
        svg_text(b, x + (x < HTML_WIDTH - 120 ? 8 : -8), at + 4,
                 x < HTML_WIDTH - 120 ? SVG_START : SVG_END, "strong", n->slot);
    buf_deinit(&text);
}

static void add_strip(struct html_page *page) {
    const struct result *r = page->r;
    size_t count = 0;
    double top = 0;
    for (size_t i = 0; i < r->node_count; i++)
        if (r->nodes[i].has_load) {
            count++;
            top = fmax(top, (double)r->nodes[i].p99_ns / 1e6);
        }
    if (count < 2 || top <= 0)
        return;
    double step = svg_step(top, 4);
    struct svg_scale y = {0, ceil(top / step) * step, TOP + STRIP_HEIGHT, -STRIP_HEIGHT, false};
    double room = (HTML_WIDTH - HTML_LEFT - HTML_RIGHT) / (double)count;
    buf_add_text(page->b, "<div class=\"chart\">");
    svg_begin(page->b, "ns", HTML_WIDTH, TOP + STRIP_HEIGHT + 22, "p99 of each generator",
              "One mark per generator, in the order of the table; squares are outliers.");
    add_strip_axis(page->b, &y, " ms");
    svg_text(page->b, HTML_LEFT + 5, TOP - 6, SVG_START, "strong", "p99 of each generator");
    size_t number = 0;
    for (size_t i = 0; i < r->node_count; i++)
        if (r->nodes[i].has_load)
            add_dot(page, &r->nodes[i], HTML_LEFT + ((double)number++ + 0.5) * room, &y);
    svg_end(page->b);
    buf_add_text(page->b, "</div>\n");
}

/* --- the table --- */

static void add_life_cells(struct html_page *page, const struct result_node *n, struct buf *cell) {
    buf_reset(cell);
    if (n->joined_unix_ms && n->launched_unix_ms)
        say_span(cell, (uint64_t)MAX(n->joined_unix_ms - n->launched_unix_ms, 0) * NS_PER_MS);
    html_number(page->b, cell);
    buf_reset(cell);
    if (n->setup_ns)
        say_span(cell, n->setup_ns);
    html_number(page->b, cell);
}

static void add_load_cells(struct html_page *page, const struct result_node *n, struct buf *cell) {
    const uint64_t latencies[] = {n->p50_ns, n->p99_ns, n->max_ns};
    buf_reset(cell);
    if (n->has_load)
        units_add_count(cell, n->requests);
    html_number(page->b, cell);
    for (size_t i = 0; i < ARRAY_LEN(latencies); i++) {
        buf_reset(cell);
        if (n->has_load)
            say_ms(cell, latencies[i]);
        html_number(page->b, cell);
    }
    buf_reset(cell);
    if (n->has_load)
        say_percent(cell, n->errors, n->requests + n->errors);
    html_number(page->b, cell);
    buf_reset(cell);
    if (n->has_cpu)
        buf_printf(cell, "%" PRIu32 " (%" PRIu32 ")", n->cpu_percent, n->cpu_percent_max);
    html_number(page->b, cell);
}

static void add_row(struct html_page *page, const struct result_node *n) {
    struct buf *b = page->b;
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    buf_printf(b, "<tr%s><td><b>",
               n->note     ? " class=\"odd noted\""
               : is_odd(n) ? " class=\"odd\""
                           : "");
    markup_add_text(b, n->slot ? n->slot : "\u2013");
    buf_add_text(b, "</b></td>");
    buf_add_text(b, "<td class=\"id\">");
    markup_add_text(b, n->instance_id);
    buf_add_text(b, "</td><td class=\"tz\">");
    markup_printf(b, "%s %s", n->type ? n->type : "", n->zone ? n->zone : "");
    buf_add_text(b, "</td>");
    html_cell(b, result_fate_name(n->fate));
    add_life_cells(page, n, &cell);
    add_load_cells(page, n, &cell);
    buf_add_text(b, "</tr>\n");
    if (n->note) { /* a line of its own: reasons are sentences */
        buf_add_text(b, "<tr class=\"odd note\"><td></td><td colspan=\"11\">");
        markup_add_text(b, n->note);
        buf_add_text(b, "</td></tr>\n");
    }
    buf_deinit(&cell);
}

static void add_rows(struct html_page *page, bool odd_only) {
    const struct result *r = page->r;
    size_t rows = 0;
    html_table(page, odd_only ? "Nodes that differ" : "All nodes",
               "node|instance|type, zone|end|#to join|#setup|#requests|#p50|#p99|#max ms|#errors|"
               "#cpu % (max)");
    for (size_t i = 0; i < r->node_count && rows < ROWS_MAX; i++)
        if (!odd_only || is_odd(&r->nodes[i])) {
            add_row(page, &r->nodes[i]);
            rows++;
        }
    html_table_end(page);
}

void html_add_nodes(struct html_page *page) {
    const struct result *r = page->r;
    if (r->node_count == 0)
        return;
    size_t odd = 0;
    for (size_t i = 0; i < r->node_count; i++)
        odd += is_odd(&r->nodes[i]);
    char lead[160];
    if (odd)
        snprintf(lead, sizeof lead,
                 "%zu of %zu instances differ from the rest; the reason is beside each.", odd,
                 r->node_count);
    else
        snprintf(lead, sizeof lead, "%zu instances, none differs from the rest.", r->node_count);
    html_section(page, "nodes", "Nodes", lead);
    add_strip(page);
    if (r->node_count <= ROWS_OPEN_MAX) {
        add_rows(page, false);
    } else {
        if (odd)
            add_rows(page, true);
        char summary[96];
        snprintf(summary, sizeof summary, "%s %zu nodes (nodes.csv has every column)",
                 r->node_count > ROWS_MAX ? "the first 600 of" : "all", r->node_count);
        html_details(page, summary);
        add_rows(page, false);
        html_details_end(page);
    }
    html_section_end(page);
}

/* --- fleet life: how many were where, and when --- */

enum stage { LAUNCHED, RUNNING, JOINED, READY, STAGE_COUNT };

static int64_t instant_of(const struct result_node *n, enum stage stage) {
    switch (stage) {
    case LAUNCHED:
        return n->launched_unix_ms;
    case RUNNING:
        return n->running_unix_ms;
    case JOINED:
        return n->joined_unix_ms;
    case READY:
        return n->ready_unix_ms;
    case STAGE_COUNT:
        break;
    }
    must(false);
}

static const struct svg_ink STAGE_INKS[STAGE_COUNT] = {{"s7", HTML_GREY, "5 4", 1.6, 1},
                                                       {"s4", HTML_ORANGE, "1.5 2", 1.8, 1},
                                                       {"s6", HTML_SKY, NULL, 1.8, 1},
                                                       {"s3", HTML_GREEN, NULL, 2.2, 1}};
static const char *const STAGE_NAMES[STAGE_COUNT] = {"asked for", "running", "called home",
                                                     "ready"};

static int compare_instants(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static void add_curve(struct html_page *page, enum stage stage, const struct svg_scale *x,
                      const struct svg_scale *y) {
    const struct result *r = page->r;
    int64_t *instants = mem_new_array(r->node_count, sizeof *instants);
    size_t count = 0;
    for (size_t i = 0; i < r->node_count; i++)
        if (instant_of(&r->nodes[i], stage))
            instants[count++] = instant_of(&r->nodes[i], stage);
    qsort(instants, count, sizeof *instants, compare_instants);
    struct svg_path path;
    svg_path_begin(&path, page->b, &STAGE_INKS[stage]);
    svg_path_point(&path, x->at, svg_at(y, 0));
    for (size_t i = 0; i < count; i++) {
        double at = svg_at(x, (double)(instants[i] - r->start_unix_ms) / 1e3);
        svg_path_point(&path, at, svg_at(y, (double)i));
        svg_path_point(&path, at, svg_at(y, (double)i + 1));
    }
    svg_path_point(&path, x->at + x->size, svg_at(y, (double)count));
    svg_path_end(&path);
    mem_free(instants);
}

static void add_clock_axis(struct buf *b, const struct svg_scale *x, double top, double bottom) {
    double step = svg_step_time(x->to, 9);
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    for (double at = 0; at <= x->to; at += step) {
        svg_line(b, svg_at(x, at), top, svg_at(x, at), bottom, &GRID);
        buf_reset(&text);
        units_add_clock(&text, (uint64_t)(at * 1e9));
        svg_text(b, svg_at(x, at), bottom + 15, SVG_MIDDLE, "", buf_text(&text));
    }
    buf_deinit(&text);
}

static double launch_span_s(const struct result *r) {
    int64_t last = r->start_unix_ms + 10000;
    int64_t first_phase = r->phase_count ? r->phases[0].start_unix_ms : 0;
    for (size_t i = 0; i < r->node_count; i++)
        if (first_phase == 0 || r->nodes[i].launched_unix_ms < first_phase)
            last = MAX(last, MAX(r->nodes[i].ready_unix_ms, r->nodes[i].joined_unix_ms));
    return (double)(last - r->start_unix_ms) / 1e3 * 1.04;
}

static void add_curves(struct html_page *page) {
    const struct result *r = page->r;
    struct svg_scale x = {0, launch_span_s(r), HTML_LEFT, HTML_WIDTH - HTML_LEFT - HTML_RIGHT,
                          false};
    struct svg_scale y = {0, (double)r->node_count, TOP + CURVE_HEIGHT, -CURVE_HEIGHT, false};
    buf_add_text(page->b, "<ul class=\"key\">");
    for (unsigned i = 0; i < STAGE_COUNT; i++) {
        buf_add_text(page->b, "<li><svg width=\"22\" height=\"10\" aria-hidden=\"true\">");
        svg_line(page->b, 0, 5, 22, 5, &STAGE_INKS[i]);
        buf_printf(page->b, "</svg>%s</li>", STAGE_NAMES[i]);
    }
    buf_add_text(page->b, "</ul>\n<div class=\"chart\">");
    svg_begin(page->b, "fl", HTML_WIDTH, TOP + CURVE_HEIGHT + 24, "From launch to ready",
              "How many instances were asked for, running, calling home and ready, over time.");
    add_strip_axis(page->b, &y, "");
    add_clock_axis(page->b, &x, TOP, TOP + CURVE_HEIGHT);
    svg_text(page->b, HTML_LEFT + 5, TOP - 6, SVG_START, "strong",
             "instances, from the start of the run");
    for (unsigned i = 0; i < STAGE_COUNT; i++)
        add_curve(page, (enum stage)i, &x, &y);
    svg_end(page->b);
    buf_add_text(page->b, "</div>\n");
}

/* --- one row per instance --- */

struct gantt {
    struct html_page *page;
    struct svg_scale x;
    double row;
};

static void add_piece(struct gantt *g, double y, int64_t from, int64_t to,
                      const struct svg_ink *ink) {
    if (from == 0 || to <= from)
        return;
    int64_t start = g->page->r->start_unix_ms;
    double left = svg_at(&g->x, (double)(from - start) / 1e3);
    double right = svg_at(&g->x, (double)(to - start) / 1e3);
    double height = g->row > 3 ? g->row - 1.5 : g->row;
    svg_rect(g->page->b, left, y, fmax(right - left, 0.5), height, ink);
}

static void add_bar(struct gantt *g, const struct result_node *n, double y) {
    static const struct svg_ink boot = {"f7", HTML_GREY, NULL, 0, 0.45};
    static const struct svg_ink setup = {"f4", HTML_ORANGE, NULL, 0, 0.9};
    static const struct svg_ink work = {"f1", HTML_BLUE, NULL, 0, 0.9};
    static const struct svg_ink dud = {"f2", HTML_RED, NULL, 0, 0.9};
    int64_t end = n->ended_unix_ms ? n->ended_unix_ms : g->page->r->end_unix_ms;
    int64_t gone = n->gone_unix_ms ? n->gone_unix_ms : g->page->r->end_unix_ms;
    int64_t joined = n->joined_unix_ms ? n->joined_unix_ms : end;
    int64_t ready = n->ready_unix_ms ? n->ready_unix_ms : joined;
    bool failed =
        n->fate == RESULT_NODE_DUD || n->fate == RESULT_NODE_DIED || n->fate == RESULT_NODE_LEFT;
    add_piece(g, y, n->launched_unix_ms, joined, failed ? &dud : &boot);
    add_piece(g, y, joined, ready, &setup);
    add_piece(g, y, ready, end, failed ? &dud : &work);
    add_piece(g, y, end, gone, &boot);
}

static void add_gantt(struct html_page *page) {
    const struct result *r = page->r;
    size_t rows = MIN(r->node_count, (size_t)ROWS_MAX);
    struct gantt g = {.page = page};
    g.row = fmax(1.2, fmin(15, 300.0 / (double)rows));
    double bottom = TOP + g.row * (double)rows;
    g.x = (struct svg_scale){0, (double)(r->end_unix_ms - r->start_unix_ms) / 1e3, HTML_LEFT + 20,
                             HTML_WIDTH - HTML_LEFT - HTML_RIGHT - 20, false};
    if (g.x.to <= 0)
        return;
    buf_add_text(page->b, "<div class=\"chart\">");
    svg_begin(page->b, "ga", HTML_WIDTH, bottom + 24, "Life of each instance",
              "One row per instance: booting, setup, at work, ending; duds and deaths in red.");
    svg_text(page->b, HTML_LEFT + 25, TOP - 6, SVG_START, "strong", "life of each instance");
    add_clock_axis(page->b, &g.x, TOP, bottom);
    for (size_t i = 0; i < rows; i++) {
        const struct result_node *n = &r->nodes[i];
        double y = TOP + g.row * (double)i;
        add_bar(&g, n, y);
        if (g.row >= 11)
            svg_text(page->b, HTML_LEFT + 14, y + g.row - 4, SVG_END, "",
                     n->slot ? n->slot : "\u2013");
        struct buf text = BUF_INIT(SMALL_BYTES_MAX);
        buf_printf(&text, "%s %s\n%s%s%s", n->slot ? n->slot : "",
                   n->instance_id ? n->instance_id : "", result_fate_name(n->fate),
                   n->note ? ": " : "", n->note ? n->note : "");
        svg_hover(page->b, HTML_LEFT + 20, y, g.x.size, g.row, buf_text(&text));
        buf_deinit(&text);
    }
    svg_end(page->b);
    buf_add_text(page->b, "</div>\n<ul class=\"key\"><li>grey: booting, ending</li>"
                          "<li>orange: setup</li><li>blue: at work</li>"
                          "<li>red: never answered or died</li></ul>\n");
}

/* Table of the curves: when the first, half and the last instance got there. */
static void add_curve_table(struct html_page *page) {
    const struct result *r = page->r;
    int64_t *instants = mem_new_array(r->node_count, sizeof *instants);
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    html_details(page, "as table");
    html_table(page, "From launch to ready", "|#instances|#first|#half|#last");
    for (unsigned stage = 0; stage < STAGE_COUNT; stage++) {
        size_t count = 0;
        for (size_t i = 0; i < r->node_count; i++)
            if (instant_of(&r->nodes[i], (enum stage)stage))
                instants[count++] = instant_of(&r->nodes[i], (enum stage)stage);
        qsort(instants, count, sizeof *instants, compare_instants);
        buf_printf(page->b, "<tr><td>%s</td><td class=\"n\">%zu</td>", STAGE_NAMES[stage], count);
        const size_t at[] = {0, count / 2, count ? count - 1 : 0};
        for (size_t i = 0; i < ARRAY_LEN(at); i++) {
            buf_reset(&cell);
            if (count)
                units_add_clock(&cell,
                                (uint64_t)MAX(instants[at[i]] - r->start_unix_ms, 0) * NS_PER_MS);
            html_number(page->b, &cell);
        }
        buf_add_text(page->b, "</tr>\n");
    }
    html_table_end(page);
    html_details_end(page);
    buf_deinit(&cell);
    mem_free(instants);
}

static void add_lead(struct html_page *page, struct buf *text) {
    static const enum result_fate fates[] = {RESULT_NODE_DUD, RESULT_NODE_INTERRUPTED,
                                             RESULT_NODE_DIED, RESULT_NODE_SPARE, RESULT_NODE_LEFT};
    const struct result *r = page->r;
    buf_printf(text, "%" PRIu32 " nodes wanted, %" PRIu32 " instances launched", r->wanted,
               r->clean.launched);
    for (size_t i = 0; i < ARRAY_LEN(fates); i++)
        if (result_count_fate(r, fates[i]))
            buf_printf(text, ", %" PRIu32 " %s", result_count_fate(r, fates[i]),
                       result_fate_name(fates[i]));
    if (r->clean.verified) {
        buf_printf(text, ". All %" PRIu32 " are gone, proved at ", r->clean.gone);
        html_time(page, text, r->clean.verified_unix_ms);
        buf_printf(text, " by %zu sweeps of everything that carries the run\u2019s tag",
                   r->clean.sweep_count);
    } else {
        buf_add_text(text, ". It could NOT be proved that all are gone");
    }
    if (r->clean.has_truth)
        buf_printf(text,
                   ". The rehearsal cloud confirms: %" PRIu32 " instances and %" PRIu32
                   " resources left after %" PRIu32 " calls",
                   r->clean.truth_instances_left, r->clean.truth_resources_left,
                   r->clean.truth_calls);
    buf_add_byte(text, '.');
}

void html_add_fleet(struct html_page *page) {
    if (page->r->node_count == 0)
        return;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    add_lead(page, &text);
    html_section(page, "fleet", "Fleet life", buf_text(&text));
    buf_deinit(&text);
    add_curves(page);
    add_curve_table(page);
    add_gantt(page);
    html_section_end(page);
}
