#include <inttypes.h>

#include "base/units.h"
#include "report/html_parts.h"
#include "report/say.h"

#define SMALL_BYTES_MAX 1024

static void number_count(struct buf *b, struct buf *cell, uint64_t count) {
    buf_reset(cell);
    units_add_count(cell, count);
    html_number(b, cell);
}

static void number_percentiles(struct buf *b, struct buf *cell, const struct hist *h) {
    static const uint32_t ppms[] = {500000, 950000, 990000, 999000, 1000000};
    for (size_t i = 0; i < ARRAY_LEN(ppms); i++) {
        buf_reset(cell);
        if (h && h->count)
            say_ms(cell, hist_percentile_ns(h, ppms[i]));
        html_number(b, cell);
    }
}

static void number_share(struct buf *b, struct buf *cell, uint64_t part, uint64_t whole) {
    buf_reset(cell);
    if (whole)
        say_percent(cell, part, whole);
    buf_printf(b, "<td class=\"n%s\">", part ? " bad" : "");
    markup_add_text(b, cell->len ? buf_text(cell) : "\u2013");
    buf_add_text(b, "</td>");
}

static void add_request(struct html_page *page, const struct result_phase *p,
                        const struct result_request *q) {
    struct buf *b = page->b;
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(b, "<tr><td class=\"wide\">");
    markup_add_text(b, q->name);
    buf_add_text(b, "</td>");
    html_cell(b, p->name);
    number_count(b, &cell, q->sent);
    number_count(b, &cell, q->done);
    buf_reset(&cell);
    if (p->duration_ns)
        say_rate(&cell, (uint64_t)((double)q->done * 1e15 / (double)p->duration_ns));
    html_number(b, &cell);
    number_percentiles(b, &cell, q->latency);
    number_share(b, &cell, q->errors, q->done + q->errors);
    buf_reset(&cell);
    units_add_size(&cell, q->bytes_in);
    html_number(b, &cell);
    buf_add_text(b, "</tr>\n");
    buf_deinit(&cell);
}

static void add_errors(struct html_page *page) {
    const struct result *r = page->r;
    struct buf *b = page->b;
    buf_add_text(b, "<h3>Errors</h3>\n");
    if (r->error_count == 0) {
        buf_add_text(b, "<p class=\"lead\">None.</p>\n");
        return;
    }
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    html_table(page, "Errors by kind", "kind|request|phase|#count|#share|first|last|example");
    for (size_t i = 0; i < r->error_count; i++) {
        const struct result_error *e = &r->errors[i];
        buf_add_text(b, "<tr><td><b>");
        markup_add_text(b, e->class_name);
        buf_add_text(b, "</b></td>");
        html_cell(b, e->request ? e->request : "any");
        html_cell(b, e->phase);
        number_count(b, &cell, e->count);
        buf_reset(&cell);
        say_percent(&cell, e->count, page->totals.errors + page->totals.done);
        html_number(b, &cell);
        buf_reset(&cell);
        html_time(page, &cell, e->first_unix_ms);
        html_cell(b, buf_text(&cell));
        buf_reset(&cell);
        html_time(page, &cell, e->last_unix_ms);
        html_cell(b, buf_text(&cell));
        buf_add_text(b, "<td class=\"wide\">");
        markup_add_text(b, e->sample);
        buf_add_text(b, "</td></tr>\n");
    }
    html_table_end(page);
    buf_deinit(&cell);
}

void html_add_requests(struct html_page *page) {
    const struct result *r = page->r;
    size_t requests = 0;
    for (size_t i = 0; i < r->phase_count; i++)
        requests += r->phases[i].request_count;
    if (requests == 0)
        return;
    html_section(page, "requests", "Requests and errors", NULL);
    html_table(page, "Requests, latencies in milliseconds",
               "request|phase|#sent|#answered|#rate|#p50|#p95|#p99|#p99.9|#max ms|#errors|#in");
    for (size_t i = 0; i < r->phase_count; i++)
        for (size_t k = 0; k < r->phases[i].request_count; k++)
            add_request(page, &r->phases[i], &r->phases[i].requests[k]);
    html_table_end(page);
    add_errors(page);
    html_section_end(page);
}

static void add_phase_cells(struct html_page *page, const struct result_phase *p,
                            struct buf *cell) {
    struct buf *b = page->b;
    if (!p->has_load) {
        buf_add_text(b, "<td colspan=\"9\">");
        markup_add_text(b, p->detail);
        buf_add_text(b, "</td>");
        return;
    }
    buf_reset(cell);
    if (p->rate_asked_micro_per_s)
        say_rate(cell, p->rate_asked_micro_per_s);
    html_number(b, cell);
    buf_reset(cell);
    say_rate(cell, p->rate_micro_per_s);
    html_number(b, cell);
    number_percentiles(b, cell, p->latency);
    number_share(b, cell, p->errors, p->done + p->errors);
    buf_reset(cell);
    if (p->sent)
        say_percent(cell, p->late, p->sent);
    html_number(b, cell);
}

static void add_phase(struct html_page *page, const struct result_phase *p) {
    struct buf *b = page->b;
    struct buf cell = BUF_INIT(SMALL_BYTES_MAX);
    bool ok = p->state == RESULT_OK || p->state == RESULT_SKIPPED;
    buf_printf(b, "<tr%s><td><b>", p->disturbed ? " class=\"odd\"" : "");
    markup_add_text(b, p->name);
    buf_add_text(b, "</b>");
    if (p->trials > 1)
        buf_printf(b, " %" PRIu32 "/%" PRIu32, p->trial, p->trials);
    if (p->warmup)
        buf_add_text(b, " <small>warm-up, not counted</small>");
    if (p->disturbed) {
        buf_add_text(b, "<br><small>disturbed: ");
        markup_add_text(b, p->disturbed);
        buf_add_text(b, "</small>");
    }
    buf_printf(b, "</td><td class=\"st %s\">%s %s", ok ? "good" : "bad", ok ? "\u2713" : "\u2717",
               result_state_name(p->state));
    if (!ok && p->has_load) {
        buf_add_text(b, "<br><small>");
        markup_add_text(b, p->detail);
        buf_add_text(b, "</small>");
    }
    buf_add_text(b, "</td>");
    html_time(page, &cell, p->start_unix_ms);
    html_cell(b, buf_text(&cell));
    buf_reset(&cell);
    say_span(&cell, p->duration_ns);
    html_number(b, &cell);
    buf_printf(b, "<td class=\"n\">%" PRIu32 "</td>", p->nodes);
    buf_reset(&cell);
    if (p->start_skew_ns)
        say_ms(&cell, p->start_skew_ns);
    html_number(b, &cell);
    add_phase_cells(page, p, &cell);
    buf_add_text(b, "</tr>\n");
    buf_deinit(&cell);
}

void html_add_phases(struct html_page *page) {
    if (page->r->phase_count == 0)
        return;
    html_section(page, "phases", "Phases", NULL);
    html_table(page, "Phases, latencies in milliseconds",
               "phase||from|#time|#nodes|#spread ms|#asked|#rate|#p50|#p95|#p99|#p99.9|#max ms|"
               "#errors|#late");
    for (size_t i = 0; i < page->r->phase_count; i++)
        add_phase(page, &page->r->phases[i]);
    html_table_end(page);
    html_section_end(page);
}
