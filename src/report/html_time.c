#include <inttypes.h>
#include <math.h>

#include "base/units.h"
#include "report/html_parts.h"
#include "report/say.h"
#include "report/story.h"

#define TOP 24.0 /* names of the phases */
#define GAP 20.0
#define RATE_HEIGHT 150.0
#define ERRORS_HEIGHT 44.0
#define LATENCY_HEIGHT 190.0
#define NODES_HEIGHT 48.0
#define BOTTOM 24.0
#define SMALL_BYTES_MAX 1024
#define HOVERS_MAX 150
#define TABLE_ROWS_MAX 60
#define MARKS_MAX 40

struct chart {
    struct html_page *page;
    struct buf *b;
    struct svg_scale x;
    double rate_y, errors_y, latency_y, nodes_y, end_y; /* tops of the panels */
    double height;
};

static const struct svg_ink GRID = {"grid", HTML_RULE, NULL, 1, 1};
static const struct svg_ink DONE = {"s1", HTML_BLUE, NULL, 1.6, 1};
static const struct svg_ink ASKED = {"s7", HTML_GREY, "5 4", 1.4, 1};
static const struct svg_ink ERRORS = {"f2", HTML_RED, NULL, 0, 0.9};
static const struct svg_ink NODES = {"s3", HTML_GREEN, NULL, 1.6, 1};

static double bucket_x(const struct chart *c, const struct series_bucket *bucket, double share) {
    double ms = (double)(bucket->unix_ms - c->page->series.from_unix_ms) +
                share * c->page->series.bucket_s * 1000.0;
    return svg_at(&c->x, ms / 1000.0);
}

static double time_x(const struct chart *c, int64_t unix_ms) {
    return svg_at(&c->x, (double)(unix_ms - c->page->series.from_unix_ms) / 1000.0);
}

/* --- ground: phases, marks, time axis --- */

static void add_phases(struct chart *c) {
    const struct result *r = c->page->r;
    for (size_t i = 0; i < r->phase_count; i++) {
        const struct result_phase *p = &r->phases[i];
        if (p->start_unix_ms == 0)
            continue;
        double from = time_x(c, p->start_unix_ms);
        double to = time_x(c, p->end_unix_ms);
        struct svg_ink ink = {p->has_load ? "shade" : "f7", p->has_load ? HTML_BLUE : HTML_GREY,
                              NULL, 0, i % 2 ? 0.09 : 0.05};
        svg_rect(c->b, from, TOP, to - from, c->end_y - TOP, &ink);
        char name[64];
        snprintf(name, sizeof name, "%s%s", p->name, p->warmup ? " (warm-up)" : "");
        if (to - from > 6.2 * (double)strlen(name))
            svg_text(c->b, (from + to) / 2, TOP - 8, SVG_MIDDLE, "strong", name);
    }
}

static void add_marks(struct chart *c) {
    const struct result *r = c->page->r;
    unsigned count = 0;
    for (size_t i = 0; i < r->event_count && count < MARKS_MAX; i++) {
        const struct story_event *e = r->events[i];
        bool shown = e->kind == STORY_INTERRUPT || e->kind == STORY_CHAOS ||
                     e->kind == STORY_MARK || e->kind == STORY_LOST;
        if (!shown || e->unix_ms < c->page->series.from_unix_ms ||
            e->unix_ms > c->page->series.to_unix_ms)
            continue;
        double x = time_x(c, e->unix_ms);
        svg_line(c->b, x, TOP, x, c->end_y, &(struct svg_ink){"s2", HTML_RED, "2 3", 1.2, 1});
        svg_text(c->b, x + 3, TOP + 11, SVG_START, "strong",
                 e->kind == STORY_MARK ? "\u2691" : "\u203c");
        count++;
    }
}

static void add_time_axis(struct chart *c) {
    const struct series *s = &c->page->series;
    double span_s = (double)(s->to_unix_ms - s->from_unix_ms) / 1000.0;
    int64_t step_ms = (int64_t)(svg_step_time(span_s, 9) * 1000.0);
    int64_t zone_ms = (int64_t)c->page->r->zone_offset_s * 1000;
    int64_t first = (s->from_unix_ms + zone_ms + step_ms - 1) / step_ms * step_ms - zone_ms;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    for (int64_t at = first; at <= s->to_unix_ms; at += step_ms) {
        double x = time_x(c, at);
        svg_line(c->b, x, TOP, x, c->end_y, &GRID);
        buf_reset(&text);
        html_time(c->page, &text, at);
        if (x < HTML_WIDTH - 30)
            svg_text(c->b, x, c->end_y + 15, SVG_MIDDLE, "", buf_text(&text));
    }
    buf_deinit(&text);
}

/* --- panels --- */

static void add_panel_name(struct chart *c, double y, const char *name) {
    svg_text(c->b, HTML_LEFT + 5, y - 5, SVG_START, "strong", name);
}

static void add_linear_axis(struct chart *c, const struct svg_scale *y, unsigned count,
                            void (*say)(struct buf *b, double value)) {
    double step = svg_step(y->to, count);
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    for (double value = 0; value <= y->to * 1.0001; value += step) {
        double at = svg_at(y, value);
        svg_line(c->b, HTML_LEFT, at, HTML_WIDTH - HTML_RIGHT, at, &GRID);
        buf_reset(&text);
        say(&text, value);
        svg_text(c->b, HTML_LEFT - 6, at + 4, SVG_END, "", buf_text(&text));
    }
    buf_deinit(&text);
}

static void say_rate_label(struct buf *b, double value) {
    if (value >= 1000)
        buf_printf(b, "%gk", value / 1000);
    else
        buf_printf(b, "%g", value);
}

static void say_percent_label(struct buf *b, double value) {
    buf_printf(b, "%g %%", value);
}

static void say_plain_label(struct buf *b, double value) {
    buf_printf(b, "%g", value);
}

static double top_of(double value, unsigned count) {
    double step = svg_step(value, count);
    return ceil(value / step - 0.0001) * step;
}

/* Area between two functions of a bucket, in pieces where there is data. */
static void add_area(struct chart *c, const struct svg_scale *y, const struct svg_ink *ink,
                     double (*upper)(const struct series_bucket *),
                     double (*lower)(const struct series_bucket *)) {
    const struct series *s = &c->page->series;
    struct svg_path path;
    svg_path_begin(&path, c->b, ink);
    for (size_t i = 0; i < s->count;) {
        if (upper(&s->buckets[i]) < 0) {
            i++;
            continue;
        }
        size_t end = i;
        while (end < s->count && upper(&s->buckets[end]) >= 0)
            end++;
        for (size_t k = i; k < end; k++) {
            const struct series_bucket *bucket = &s->buckets[k];
            svg_path_point(&path, bucket_x(c, bucket, 0), svg_at(y, upper(bucket)));
            svg_path_point(&path, bucket_x(c, bucket, 1), svg_at(y, upper(bucket)));
        }
        for (size_t k = end; k > i; k--) {
            const struct series_bucket *bucket = &s->buckets[k - 1];
            svg_path_point(&path, bucket_x(c, bucket, 1), svg_at(y, lower(bucket)));
            svg_path_point(&path, bucket_x(c, bucket, 0), svg_at(y, lower(bucket)));
        }
        svg_path_close(&path);
        i = end;
    }
    svg_path_end(&path);
}

static void add_series(struct chart *c, const struct svg_scale *y, const struct svg_ink *ink,
                       double (*value)(const struct series_bucket *)) {
    const struct series *s = &c->page->series;
    struct svg_path path;
    svg_path_begin(&path, c->b, ink);
    for (size_t i = 0; i < s->count; i++) {
        if (value(&s->buckets[i]) < 0) {
            svg_path_break(&path);
            continue;
        }
        double at = svg_at(y, value(&s->buckets[i]));
        svg_path_point(&path, bucket_x(c, &s->buckets[i], 0), at);
        svg_path_point(&path, bucket_x(c, &s->buckets[i], 1), at);
    }
    svg_path_end(&path);
}

/* Values of a bucket; below zero: there is none. */
static double asked_of(const struct series_bucket *k) {
    return k->has_data ? k->asked : -1;
}
static double done_of(const struct series_bucket *k) {
    return k->has_data ? k->done : -1;
}
static double done_min_of(const struct series_bucket *k) {
    return k->has_data ? k->done_min : -1;
}
static double done_max_of(const struct series_bucket *k) {
    return k->has_data ? k->done_max : -1;
}
static double zero_of(const struct series_bucket *k) {
    (void)k;
    return 0;
}
static double errors_of(const struct series_bucket *k) {
    return k->answers ? 100.0 * (double)k->errors / (double)k->answers : -1;
}
static double nodes_of(const struct series_bucket *k) {
    return k->has_data ? (double)k->nodes_min : -1;
}
static double p50_of(const struct series_bucket *k) {
    return k->has_latency ? (double)k->p50_ns / 1e6 : -1;
}
static double p95_of(const struct series_bucket *k) {
    return k->has_latency ? (double)k->p95_ns / 1e6 : -1;
}
static double p99_of(const struct series_bucket *k) {
    return k->has_latency ? (double)k->p99_ns / 1e6 : -1;
}
static double p999_of(const struct series_bucket *k) {
    return k->has_latency ? (double)k->p999_ns / 1e6 : -1;
}

static double highest(const struct series *s, double (*value)(const struct series_bucket *)) {
    double top = 0;
    for (size_t i = 0; i < s->count; i++)
        top = fmax(top, value(&s->buckets[i]));
    return top;
}

static void add_rate(struct chart *c) {
    const struct series *s = &c->page->series;
    double top = top_of(fmax(fmax(highest(s, asked_of), highest(s, done_max_of)), 1), 4);
    struct svg_scale y = {0, top, c->rate_y + RATE_HEIGHT, -RATE_HEIGHT, false};
    add_linear_axis(c, &y, 4, say_rate_label);
    add_area(c, &y, &(struct svg_ink){"f1", HTML_BLUE, NULL, 0, 0.18}, done_of, zero_of);
    if (s->bucket_s > 1)
        add_area(c, &y, &(struct svg_ink){"f1", HTML_BLUE, NULL, 0, 0.3}, done_max_of, done_min_of);
    add_series(c, &y, &ASKED, asked_of);
    add_series(c, &y, &DONE, done_of);
    add_panel_name(c, c->rate_y, "requests per second");
}

static void add_errors(struct chart *c) {
    double most = highest(&c->page->series, errors_of);
    double top = top_of(fmax(most, 0.1), 2);
    struct svg_scale y = {0, top, c->errors_y + ERRORS_HEIGHT, -ERRORS_HEIGHT, false};
    add_linear_axis(c, &y, 2, say_percent_label);
    add_area(c, &y, &ERRORS, errors_of, zero_of);
    add_panel_name(c, c->errors_y, "errors");
}

static void add_log_axis(struct chart *c, const struct svg_scale *y) {
    static const double leads[] = {1, 2, 5};
    bool crowded = log10(y->to / y->from) > 2.5;
    for (double power = 1e-3; power < 1e7; power *= 10)
        for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
            double value = power * leads[i];
            if (value < y->from * 0.999 || value > y->to * 1.001 || (crowded && i))
                continue;
            char text[32];
            snprintf(text, sizeof text, value >= 1000 ? "%g s" : "%g ms",
                     value >= 1000 ? value / 1000 : value);
            double at = svg_at(y, value);
            svg_line(c->b, HTML_LEFT, at, HTML_WIDTH - HTML_RIGHT, at, &GRID);
            svg_text(c->b, HTML_LEFT - 6, at + 4, SVG_END, "", text);
        }
}

/* Round outwards to 1, 2 or 5 times a power of ten. */
static double round_log(double value, bool up) {
    static const double leads[] = {1, 2, 5, 10};
    double power = pow(10, floor(log10(value)));
    double best = up ? power * 10 : power;
    for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
        double lead = power * leads[up ? ARRAY_LEN(leads) - 1 - i : i];
        if (up ? lead >= value * 0.999 : lead <= value * 1.001)
            best = lead;
    }
    return best;
}

static double lowest_p50(const struct series *s) {
    double low = 1e12;
    for (size_t i = 0; i < s->count; i++)
        if (s->buckets[i].has_latency)
            low = fmin(low, p50_of(&s->buckets[i]));
    return low < 1e12 ? fmax(low, 0.001) : 1;
}

static void add_latency(struct chart *c) {
    static const struct svg_ink p50 = {"s1", HTML_BLUE, NULL, 1.6, 1};
    static const struct svg_ink p95 = {"s3", HTML_GREEN, NULL, 1.2, 1};
    static const struct svg_ink p99 = {"s5", HTML_PURPLE, NULL, 1.6, 1};
    static const struct svg_ink p999 = {"s4", HTML_ORANGE, "1.5 2", 1.2, 1};
    const struct series *s = &c->page->series;
    double from = round_log(lowest_p50(s) * 0.9, false);
    double to = round_log(fmax(highest(s, p999_of), from * 10), true);
    struct svg_scale y = {from, to, c->latency_y + LATENCY_HEIGHT, -LATENCY_HEIGHT, true};
    add_log_axis(c, &y);
    add_area(c, &y, &(struct svg_ink){"f4", HTML_ORANGE, NULL, 0, 0.13}, p999_of, p99_of);
    add_area(c, &y, &(struct svg_ink){"f5", HTML_PURPLE, NULL, 0, 0.16}, p99_of, p95_of);
    add_area(c, &y, &(struct svg_ink){"f3", HTML_GREEN, NULL, 0, 0.16}, p95_of, p50_of);
    add_series(c, &y, &p999, p999_of);
    add_series(c, &y, &p99, p99_of);
    add_series(c, &y, &p95, p95_of);
    add_series(c, &y, &p50, p50_of);
    add_panel_name(c, c->latency_y, "latency from the planned instant (logarithmic)");
}

static void add_nodes(struct chart *c) {
    double top = fmax(highest(&c->page->series, nodes_of), c->page->r->wanted);
    struct svg_scale y = {0, fmax(top, 1), c->nodes_y + NODES_HEIGHT, -NODES_HEIGHT, false};
    add_linear_axis(c, &y, 2, say_plain_label);
    add_area(c, &y, &(struct svg_ink){"f3", HTML_GREEN, NULL, 0, 0.15}, nodes_of, zero_of);
    add_series(c, &y, &NODES, nodes_of);
    add_panel_name(c, c->nodes_y, "nodes ready");
}

/* --- what the pointer shows, and the table --- */

static void say_bucket(struct chart *c, struct buf *b, const struct series_bucket *bucket) {
    html_time(c->page, b, bucket->unix_ms);
    if (!bucket->has_data) {
        buf_add_text(b, "\nnothing measured");
        return;
    }
    buf_printf(b, "\nasked %.0f/s, done %.0f/s, errors ", bucket->asked, bucket->done);
    say_percent(b, bucket->errors, bucket->answers);
    if (bucket->has_latency) {
        buf_add_text(b, "\np50 ");
        say_ms(b, bucket->p50_ns);
        buf_add_text(b, ", p95 ");
        say_ms(b, bucket->p95_ns);
        buf_add_text(b, ", p99 ");
        say_ms(b, bucket->p99_ns);
        buf_add_text(b, ", p99.9 ");
        say_ms(b, bucket->p999_ns);
        buf_add_text(b, " ms");
    }
    buf_printf(b, "\n%" PRIu32 " nodes", bucket->nodes_min);
}

static void add_hovers(struct chart *c) {
    const struct series *s = &c->page->series;
    size_t step = (s->count + HOVERS_MAX - 1) / HOVERS_MAX;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    for (size_t i = 0; i < s->count; i += step) {
        size_t last = MIN(i + step, s->count) - 1;
        size_t worst = i;
        for (size_t k = i; k <= last; k++)
            if (s->buckets[k].p99_ns > s->buckets[worst].p99_ns)
                worst = k;
        buf_reset(&text);
        say_bucket(c, &text, &s->buckets[worst]);
        double from = bucket_x(c, &s->buckets[i], 0);
        svg_hover(c->b, from, TOP, bucket_x(c, &s->buckets[last], 1) - from, c->end_y - TOP,
                  buf_text(&text));
    }
    buf_deinit(&text);
}

static void add_table(struct html_page *page) {
    struct series s;
    series_init(&s, page->r, TABLE_ROWS_MAX);
    struct buf *b = page->b;
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    html_details(page, "as table");
    html_table(page, "Timeline",
               "from|#asked/s|#done/s|#errors|#p50 ms|#p95 ms|#p99 ms|#p99.9 ms|#max ms|#nodes");
    for (size_t i = 0; i < s.count; i++) {
        const struct series_bucket *k = &s.buckets[i];
        if (!k->has_data)
            continue;
        buf_reset(&cell);
        html_time(page, &cell, k->unix_ms);
        buf_add_text(b, "<tr>");
        html_cell(b, buf_text(&cell));
        buf_printf(b, "<td class=\"n\">%.0f</td><td class=\"n\">%.0f</td>", k->asked, k->done);
        buf_reset(&cell);
        say_percent(&cell, k->errors, k->answers);
        html_number(b, &cell);
        const uint64_t values[] = {k->p50_ns, k->p95_ns, k->p99_ns, k->p999_ns, k->max_ns};
        for (size_t v = 0; v < ARRAY_LEN(values); v++) {
            buf_reset(&cell);
            if (k->has_latency)
                say_ms(&cell, values[v]);
            html_number(b, &cell);
        }
        buf_printf(b, "<td class=\"n\">%" PRIu32 "</td></tr>\n", k->nodes_min);
    }
    html_table_end(page);
    html_details_end(page);
    buf_deinit(&cell);
    series_deinit(&s);
}

static void key(struct buf *b, const struct svg_ink *ink, const char *text) {
    buf_add_text(b, "<li><svg width=\"22\" height=\"10\" aria-hidden=\"true\">");
    svg_line(b, 0, 5, 22, 5, &(struct svg_ink){ink->class_name, ink->colour, ink->dash, 2.5, 1});
    buf_printf(b, "</svg>%s</li>", text);
}

static void add_key(struct buf *b) {
    buf_add_text(b, "<ul class=\"key\">");
    key(b, &ASKED, "asked");
    key(b, &DONE, "answered, p50");
    key(b, &(struct svg_ink){"s3", HTML_GREEN, NULL, 2, 1}, "p95, nodes");
    key(b, &(struct svg_ink){"s5", HTML_PURPLE, NULL, 2, 1}, "p99");
    key(b, &(struct svg_ink){"s4", HTML_ORANGE, "1.5 2", 2, 1}, "p99.9");
    key(b, &(struct svg_ink){"s2", HTML_RED, NULL, 2, 1}, "errors, \u203c interruptions");
    buf_add_text(b, "</ul>\n");
}

static void describe(struct html_page *page, struct buf *into) {
    const struct series *s = &page->series;
    size_t worst = 0;
    for (size_t i = 0; i < s->count; i++)
        if (s->buckets[i].p99_ns > s->buckets[worst].p99_ns)
            worst = i;
    buf_add_text(into, "The fleet answered at most ");
    say_rate(into, (uint64_t)(highest(s, done_max_of) * 1e6));
    if (s->buckets[worst].has_latency) {
        buf_add_text(into, ". p99 was highest at ");
        html_time(page, into, s->buckets[worst].unix_ms);
        buf_add_text(into, " with ");
        say_ms(into, s->buckets[worst].p99_ns);
        buf_add_text(into, " ms");
    }
    buf_add_text(into, ". Shaded: phases.");
    if (s->bucket_s > 1)
        buf_printf(into, " One step is %" PRIu32 " s; of latencies it shows the worst second.",
                   s->bucket_s);
}

void html_add_timeline(struct html_page *page) {
    const struct series *s = &page->series;
    if (page->r->second_count == 0)
        return;
    struct chart c = {.page = page, .b = page->b};
    double span_s = (double)(s->to_unix_ms - s->from_unix_ms) / 1000.0;
    c.x = (struct svg_scale){0, span_s, HTML_LEFT, HTML_WIDTH - HTML_LEFT - HTML_RIGHT, false};
    c.rate_y = TOP + 18;
    c.errors_y = c.rate_y + RATE_HEIGHT + GAP + 4;
    c.latency_y = c.errors_y + ERRORS_HEIGHT + GAP + 4;
    c.nodes_y = c.latency_y + LATENCY_HEIGHT + GAP + 4;
    c.end_y = c.nodes_y + NODES_HEIGHT;
    c.height = c.end_y + BOTTOM;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    describe(page, &text);
    html_section(page, "timeline", "Timeline", buf_text(&text));
    add_key(page->b);
    buf_add_text(page->b, "<div class=\"chart\">");
    svg_begin(page->b, "tl", HTML_WIDTH, c.height, "Rate, errors, latency and nodes over time",
              buf_text(&text));
    add_phases(&c);
    add_time_axis(&c);
    add_rate(&c);
    add_errors(&c);
    add_latency(&c);
    add_nodes(&c);
    add_marks(&c);
    add_hovers(&c);
    svg_end(page->b);
    buf_add_text(page->b, "</div>\n");
    add_table(page);
    html_section_end(page);
    buf_deinit(&text);
}
