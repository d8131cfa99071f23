#include <inttypes.h>
#include <math.h>

#include "base/units.h"
#include "report/html_parts.h"
#include "report/say.h"

#define TOP 14.0
#define HEIGHT 300.0
#define BOTTOM 40.0
#define SMALL_BYTES_MAX 1024
#define CURVES_MAX 6

/* x is the number of nines: -log10(1 - q). */
static const struct {
    const char *name;
    uint32_t ppm;
} QUANTILES[] = {{"p50", 500000}, {"p75", 750000},   {"p90", 900000},    {"p95", 950000},
                 {"p99", 990000}, {"p99.9", 999000}, {"p99.99", 999900}, {"p99.999", 999990}};

struct spectrum {
    struct buf *b;
    struct svg_scale x, y;
    double nines_max;
};

static double nines(double q) {
    return -log10(1 - q);
}

static const char *const CLASSES[CURVES_MAX] = {"s1", "s5", "s3", "s4", "s2", "s6"};
static const char *const COLOURS[CURVES_MAX] = {HTML_BLUE,   HTML_PURPLE, HTML_GREEN,
                                                HTML_ORANGE, HTML_RED,    HTML_SKY};

static void add_axes(struct spectrum *s) {
    static const struct svg_ink grid = {"grid", HTML_RULE, NULL, 1, 1};
    static const double leads[] = {1, 2, 5};
    for (double power = 1e-3; power < 1e7; power *= 10)
        for (size_t i = 0; i < ARRAY_LEN(leads); i++) {
            double value = power * leads[i];
            if (value < s->y.from * 0.999 || value > s->y.to * 1.001)
                continue;
            char text[32];
            snprintf(text, sizeof text, value >= 1000 ? "%g s" : "%g ms",
                     value >= 1000 ? value / 1000 : value);
            double at = svg_at(&s->y, value);
            svg_line(s->b, HTML_LEFT, at, HTML_WIDTH - HTML_RIGHT, at, &grid);
            if (i == 0 || log10(s->y.to / s->y.from) < 3)
                svg_text(s->b, HTML_LEFT - 6, at + 4, SVG_END, "", text);
        }
    svg_text(s->b, svg_at(&s->x, 0), TOP + HEIGHT + 16, SVG_MIDDLE, "", "min");
    for (size_t i = 0; i < ARRAY_LEN(QUANTILES); i++) {
        double at_nines = nines(QUANTILES[i].ppm / 1e6);
        if (at_nines > s->nines_max)
            continue;
        double at = svg_at(&s->x, at_nines);
        svg_line(s->b, at, TOP, at, TOP + HEIGHT, &grid);
        svg_text(s->b, at, TOP + HEIGHT + 16, SVG_MIDDLE, "", QUANTILES[i].name);
    }
    svg_text(s->b, (HTML_LEFT + HTML_WIDTH) / 2, TOP + HEIGHT + 33, SVG_MIDDLE, "",
             "share of requests that were at least this fast; one more nine with each step");
}

/* The curve steps through the buckets of the histogram, thinned to about a point per pixel. */
static void add_curve(struct spectrum *s, const struct hist *h, const struct svg_ink *ink) {
    struct svg_path path;
    struct hist_bucket bucket;
    uint32_t cursor = 0;
    uint64_t below = 0;
    double last_x = -10;
    svg_path_begin(&path, s->b, ink);
    svg_path_point(&path, svg_at(&s->x, 0), svg_at(&s->y, (double)h->min_ns / 1e6));
    while (hist_next(h, &cursor, &bucket)) {
        below += bucket.count;
        double q = (double)below / (double)h->count;
        double at_nines = below >= h->count ? nines(1 - 1.0 / (double)h->count / 2) : nines(q);
        double x = svg_at(&s->x, fmin(at_nines, s->nines_max));
        if (x - last_x < 1.2 && below < h->count)
            continue;
        double ms = fmin((double)(bucket.low_us + bucket.width_us) / 1e3, (double)h->max_ns / 1e6);
        svg_path_point(&path, x, svg_at(&s->y, ms));
        last_x = x;
    }
    svg_path_end(&path);
}

static bool has_curve(const struct result_phase *p) {
    return p->has_load && !p->warmup && p->latency && p->latency->count;
}

static void add_curves(struct html_page *page, struct spectrum *s) {
    size_t number = 0;
    for (size_t i = 0; i < page->r->phase_count && number < CURVES_MAX; i++) {
        const struct result_phase *p = &page->r->phases[i];
        if (!has_curve(p))
            continue;
        struct svg_ink solid = {CLASSES[number], COLOURS[number], NULL, 2.2, 1};
        struct svg_ink dotted = {CLASSES[number], COLOURS[number], "2 4", 1.8, 1};
        if (p->service && p->service->count)
            add_curve(s, p->service, &dotted);
        add_curve(s, p->latency, &solid);
        number++;
    }
}

static void add_hovers(struct html_page *page, struct spectrum *s) {
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    double from = HTML_LEFT;
    for (size_t i = 0; i < ARRAY_LEN(QUANTILES); i++) {
        double at = nines(QUANTILES[i].ppm / 1e6);
        if (at > s->nines_max)
            break;
        double next = i + 1 < ARRAY_LEN(QUANTILES) ? nines(QUANTILES[i + 1].ppm / 1e6) : at * 1.1;
        double to = svg_at(&s->x, fmin((at + next) / 2, s->nines_max));
        buf_reset(&text);
        buf_printf(&text, "%s: latency ", QUANTILES[i].name);
        say_ms(&text, hist_percentile_ns(&page->latency, QUANTILES[i].ppm));
        buf_add_text(&text, " ms");
        if (page->service.count) {
            buf_add_text(&text, ", service ");
            say_ms(&text, hist_percentile_ns(&page->service, QUANTILES[i].ppm));
            buf_add_text(&text, " ms");
        }
        svg_hover(s->b, from, TOP, to - from, HEIGHT, buf_text(&text));
        from = to;
    }
    buf_deinit(&text);
}

static void add_key(struct html_page *page) {
    struct buf *b = page->b;
    size_t number = 0;
    buf_add_text(b, "<ul class=\"key\">");
    for (size_t i = 0; i < page->r->phase_count && number < CURVES_MAX; i++) {
        if (!has_curve(&page->r->phases[i]))
            continue;
        buf_add_text(b, "<li><svg width=\"22\" height=\"10\" aria-hidden=\"true\">");
        svg_line(b, 0, 5, 22, 5, &(struct svg_ink){CLASSES[number], COLOURS[number], NULL, 2.5, 1});
        buf_add_text(b, "</svg>");
        markup_add_text(b, page->r->phases[i].name);
        buf_add_text(b, "</li>");
        number++;
    }
    buf_add_text(b, "<li><svg width=\"22\" height=\"10\" aria-hidden=\"true\">");
    svg_line(b, 0, 5, 22, 5, &(struct svg_ink){"s7", HTML_GREY, "2 4", 2, 1});
    buf_add_text(b, "</svg>service time, from the actual send</li></ul>\n");
}

static void add_row(struct html_page *page, const char *phase, const char *kind,
                    const struct hist *h) {
    struct buf *b = page->b;
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(b, "<tr>");
    html_cell(b, phase);
    html_cell(b, kind);
    for (size_t i = 0; i < ARRAY_LEN(QUANTILES); i++) {
        buf_reset(&cell);
        /* A percentile that fewer than one sample stands beyond says nothing of its own. */
        if ((double)h->count * (1 - QUANTILES[i].ppm / 1e6) >= 1)
            say_ms(&cell, hist_percentile_ns(h, QUANTILES[i].ppm));
        html_number(b, &cell);
    }
    buf_reset(&cell);
    say_ms(&cell, h->max_ns);
    html_number(b, &cell);
    buf_reset(&cell);
    units_add_count(&cell, h->count);
    html_number(b, &cell);
    buf_add_text(b, "</tr>\n");
    buf_deinit(&cell);
}

static void add_table(struct html_page *page) {
    html_table(page, "Percentiles in milliseconds",
               "phase||#p50|#p75|#p90|#p95|#p99|#p99.9|#p99.99|#p99.999|#max|#samples");
    for (size_t i = 0; i < page->r->phase_count; i++) {
        const struct result_phase *p = &page->r->phases[i];
        if (!has_curve(p))
            continue;
        add_row(page, p->name, "latency", p->latency);
        if (p->service && p->service->count)
            add_row(page, p->name, "service", p->service);
    }
    html_table_end(page);
}

/* --- where the tail comes from --- */

static void add_tail_row(struct html_page *page, const struct result_request *q, uint64_t limit_ns,
                         uint64_t tail) {
    struct buf *b = page->b;
    uint64_t slow = q->latency->count - hist_count_to(q->latency, limit_ns);
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(b, "<tr>");
    html_cell(b, q->name);
    say_percent(&cell, slow, tail);
    html_number(b, &cell);
    buf_reset(&cell);
    say_percent(&cell, q->latency->count, page->latency.count);
    html_number(b, &cell);
    buf_add_text(b, "<td class=\"bar\"><svg width=\"200\" height=\"10\" aria-hidden=\"true\">");
    svg_rect(b, 0, 2, 200, 6, &(struct svg_ink){"track", HTML_RULE, NULL, 0, 1});
    svg_rect(b, 0, 2, tail ? 200.0 * (double)slow / (double)tail : 0, 6,
             &(struct svg_ink){"f5", HTML_PURPLE, NULL, 0, 1});
    buf_add_text(b, "</svg></td></tr>\n");
    buf_deinit(&cell);
}

/* Which requests the slowest thousandth is made of: the largest phase that counts. */
static void add_tail(struct html_page *page) {
    const struct result_phase *largest = NULL;
    for (size_t i = 0; i < page->r->phase_count; i++) {
        const struct result_phase *p = &page->r->phases[i];
        if (has_curve(p) && p->request_count > 1 &&
            (!largest || p->latency->count > largest->latency->count))
            largest = p;
    }
    if (!largest)
        return;
    uint64_t limit_ns = hist_percentile_ns(largest->latency, 999000);
    uint64_t tail = largest->latency->count - hist_count_to(largest->latency, limit_ns);
    if (tail == 0)
        return;
    buf_add_text(page->b, "<h3>Where the slowest thousandth comes from: ");
    markup_add_text(page->b, largest->name);
    buf_add_text(page->b, "</h3>\n");
    html_table(page, "Share of requests above p99.9", "request|#of the slowest|#of all|");
    for (size_t i = 0; i < largest->request_count; i++)
        if (largest->requests[i].latency && largest->requests[i].latency->count)
            add_tail_row(page, &largest->requests[i], limit_ns, tail);
    html_table_end(page);
}

static double low_ms(const struct html_page *page) {
    double ms = fmax((double)page->latency.min_ns / 1e6, 0.001);
    if (page->service.count)
        ms = fmin(ms, fmax((double)page->service.min_ns / 1e6, 0.001));
    double power = pow(10, floor(log10(ms)));
    return ms >= power * 5 ? power * 5 : ms >= power * 2 ? power * 2 : power;
}

static double high_ms(double ms) {
    double power = pow(10, floor(log10(ms)));
    return ms <= power       ? power
           : ms <= power * 2 ? power * 2
           : ms <= power * 5 ? power * 5
                             : power * 10;
}

void html_add_spectrum(struct html_page *page) {
    if (page->latency.count == 0)
        return;
    struct spectrum s = {.b = page->b};
    s.nines_max = fmin(fmax(log10((double)page->latency.count * 2), 2.1), 6);
    s.x = (struct svg_scale){0, s.nines_max, HTML_LEFT, HTML_WIDTH - HTML_LEFT - HTML_RIGHT, false};
    double from = low_ms(page);
    double to = high_ms(fmax((double)page->latency.max_ns / 1e6, from * 10));
    s.y = (struct svg_scale){from, to, TOP + HEIGHT, -HEIGHT, true};
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(&text, "Half of all requests took at most ");
    say_ms(&text, hist_percentile_ns(&page->latency, 500000));
    buf_add_text(&text, " ms, 99 % at most ");
    say_ms(&text, hist_percentile_ns(&page->latency, 990000));
    buf_add_text(&text, " ms, the slowest ");
    say_ms(&text, page->latency.max_ns);
    buf_add_text(&text, " ms. All samples of all generators are in one histogram.");
    html_section(page, "spectrum", "Latency spectrum", buf_text(&text));
    add_key(page);
    buf_add_text(page->b, "<div class=\"chart\">");
    svg_begin(page->b, "sp", HTML_WIDTH, TOP + HEIGHT + BOTTOM, "Latency by percentile",
              buf_text(&text));
    add_axes(&s);
    add_curves(page, &s);
    add_hovers(page, &s);
    svg_end(page->b);
    buf_add_text(page->b, "</div>\n");
    add_table(page);
    add_tail(page);
    html_section_end(page);
    buf_deinit(&text);
}
