#include "report/html.h"

#include "base/when.h"
#include "report/html_parts.h"

void html_section(struct html_page *page, const char *id, const char *title, const char *lead) {
    struct buf *b = page->b;
    buf_printf(b, "<section id=\"%s\"><h2>%s</h2>\n", id, title);
    if (lead) {
        buf_add_text(b, "<p class=\"lead\">");
        markup_add_text(b, lead);
        buf_add_text(b, "</p>\n");
    }
}

void html_section_end(struct html_page *page) {
    buf_add_text(page->b, "</section>\n");
}

void html_details(struct html_page *page, const char *summary) {
    buf_printf(page->b, "<details><summary>%s</summary>\n", summary);
}

void html_details_end(struct html_page *page) {
    buf_add_text(page->b, "</details>\n");
}

void html_table(struct html_page *page, const char *caption, const char *titles) {
    struct buf *b = page->b;
    buf_printf(b, "<div class=\"scroll\"><table><caption>%s</caption><thead><tr>", caption);
    struct str rest = str_from(titles);
    struct str title;
    while (str_split(&rest, '|', &title)) {
        bool number = str_starts_with(title, STR("#"));
        buf_printf(b, "<th scope=\"col\"%s>%.*s</th>", number ? " class=\"n\"" : "",
                   STR_ARG(str_skip(title, number)));
    }
    buf_add_text(b, "</tr></thead><tbody>\n");
}

void html_table_end(struct html_page *page) {
    buf_add_text(page->b, "</tbody></table></div>\n");
}

void html_cell(struct buf *b, const char *text) {
    buf_add_text(b, "<td>");
    if (text)
        markup_add_text(b, text);
    else
        buf_add_text(b, "\u2013");
    buf_add_text(b, "</td>");
}

void html_number_text(struct buf *b, const char *value) {
    buf_add_text(b, "<td class=\"n\">");
    markup_add_text(b, value && value[0] ? value : "\u2013");
    buf_add_text(b, "</td>");
}

void html_number(struct buf *b, const struct buf *value) {
    html_number_text(b, buf_text(value));
}

void html_time(struct html_page *page, struct buf *into, int64_t unix_ms) {
    if (unix_ms == 0)
        buf_add_text(into, "\u2013");
    else
        when_add_time(into, unix_ms, page->r->zone_offset_s);
}

static void merge_phases(struct html_page *page) {
    for (size_t i = 0; i < page->r->phase_count; i++) {
        const struct result_phase *p = &page->r->phases[i];
        if (p->warmup || !p->has_load)
            continue;
        if (p->latency)
            hist_merge(&page->latency, p->latency);
        if (p->service)
            hist_merge(&page->service, p->service);
    }
}

void html_add(struct buf *b, const struct result *r) {
    struct html_page page = {.b = b, .r = r};
    series_init(&page.series, r, HTML_POINTS_MAX);
    result_totals(r, &page.totals);
    merge_phases(&page);
    html_add_head(&page);
    html_add_verdict(&page);
    html_add_headline(&page);
    html_add_thresholds(&page);
    html_add_timeline(&page);
    html_add_spectrum(&page);
    html_add_requests(&page);
    html_add_phases(&page);
    html_add_nodes(&page);
    html_add_fleet(&page);
    html_add_cost(&page);
    html_add_validity(&page);
    html_add_manifest(&page);
    html_add_method(&page);
    html_add_events(&page);
    buf_add_text(b, "</main></body></html>\n");
    hist_deinit(&page.latency);
    hist_deinit(&page.service);
    series_deinit(&page.series);
}
