#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "report/html_parts.h"
#include "report/say.h"

#define SMALL_BYTES_MAX 1024

/* A mayfly in four strokes. */
static const char LOGO[] =
    "<svg class=\"logo\" viewBox=\"0 0 32 32\" width=\"28\" height=\"28\" aria-hidden=\"true\">"
    "<g fill=\"none\" stroke=\"#0072b2\" class=\"s1\" stroke-width=\"2\" "
    "stroke-linecap=\"round\" stroke-linejoin=\"round\"><path d=\"M16 9v13\"/>"
    "<path d=\"M16 12C11 2 3 4 5 11c1 4 6 5 11 4\"/><path d=\"M16 12C21 2 29 4 27 11c-1 4-6 "
    "5-11 4\"/><path d=\"M16 22c-1 3-3 5-6 7M16 22c1 3 3 5 6 7M16 22v8\"/></g></svg>";

void html_add_head(struct html_page *page) {
    struct buf *b = page->b;
    buf_add_text(b, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                    "style-src 'unsafe-inline'\">\n"
                    "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n"
                    "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
    buf_printf(b, "%s \u00b7 ", result_verdict_name(page->r->verdict));
    markup_printf(b, "%s \u00b7 run %s", page->r->name, page->r->run);
    buf_add_text(b, "</title>\n<style>\n");
    buf_add_text(b, HTML_STYLE);
    buf_printf(b, "</style></head>\n<body%s>\n", page->r->rehearsal ? " class=\"rehearsal\"" : "");
    if (page->r->rehearsal)
        buf_add_text(b, "<div class=\"ribbon\"><b>REHEARSAL</b> The cloud was this machine: the "
                        "same calls, the same nodes, no money. Rates and latencies are those of "
                        "one computer.</div>\n"
                        "<svg class=\"mark\" width=\"100%\" height=\"100%\" aria-hidden=\"true\">"
                        "<defs><pattern id=\"wm\" width=\"420\" height=\"260\" "
                        "patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(-24)\">"
                        "<text x=\"10\" y=\"130\" font-size=\"54\" font-weight=\"700\" "
                        "fill=\"#7a828e\" font-family=\"system-ui,sans-serif\">REHEARSAL</text>"
                        "</pattern></defs><rect width=\"100%\" height=\"100%\" "
                        "fill=\"url(#wm)\"/></svg>\n");
    buf_add_text(b, "<main>\n<header><div class=\"brand\">");
    buf_add_text(b, LOGO);
    buf_add_text(b, "<span>dayfly</span></div><nav aria-label=\"Sections\">");
    static const char *const links[][2] = {
        {"thresholds", "Thresholds"}, {"timeline", "Timeline"}, {"spectrum", "Latency"},
        {"requests", "Requests"},     {"phases", "Phases"},     {"nodes", "Nodes"},
        {"fleet", "Fleet"},           {"cost", "Cost"},         {"validity", "Validity"},
        {"manifest", "Again"},        {"events", "Events"}};
    for (size_t i = 0; i < ARRAY_LEN(links); i++)
        buf_printf(b, "<a href=\"#%s\">%s</a>", links[i][0], links[i][1]);
    buf_add_text(b, "</nav></header>\n");
}

/* --- verdict --- */

static void chip(struct buf *b, const char *kind, const char *text) {
    buf_printf(b, "<span class=\"chip %s\">", kind);
    markup_add_text(b, text);
    buf_add_text(b, "</span>");
}

static void add_chips(struct html_page *page) {
    const struct result *r = page->r;
    char text[128];
    buf_add_text(page->b, "<p class=\"chips\">");
    snprintf(text, sizeof text, "exit %d", result_exit_code(r));
    chip(page->b, "", text);
    uint32_t disturbed = result_disturbed(r);
    if (disturbed) {
        snprintf(text, sizeof text, "! disturbed %s", disturbed == 1 ? "once" : "more than once");
        chip(page->b, "warn", text);
    }
    bool doubtful = false;
    for (size_t i = 0; i < r->validity_count; i++)
        doubtful = doubtful || r->validity[i].state == RESULT_FAILED;
    if (doubtful)
        chip(page->b, "bad", "\u2717 numbers are not valid");
    if (r->clean.kept && !r->clean.leak) {
        snprintf(text, sizeof text, "! %" PRIu32 " kept until the ttl", r->clean.kept);
        chip(page->b, "warn", text);
    } else if (r->clean.leak || (!r->clean.verified && r->clean.launched))
        chip(page->b, "bad", "\u2717 LEAK? not all proved gone");
    else if (r->clean.verified)
        chip(page->b, "good", "\u2713 nothing left behind");
    for (size_t i = 0; i < r->tag_count; i++) {
        snprintf(text, sizeof text, "%s=%s", r->tags[i].key, r->tags[i].value);
        chip(page->b, "", text);
    }
    buf_add_text(page->b, "</p>\n");
}

static void add_when(struct html_page *page) {
    const struct result *r = page->r;
    struct buf *b = page->b;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(&text, "Run ");
    buf_add_text(&text, r->run);
    buf_add_text(&text, ", ");
    when_add_rfc3339(&text, r->start_unix_ms);
    buf_add_text(&text, ", ");
    say_span(&text, r->duration_ns);
    buf_printf(&text, ", %" PRIu32 " nodes", r->wanted);
    if (r->region)
        buf_printf(&text, " in %s", r->region);
    if (r->owner)
        buf_printf(&text, ", by %s", r->owner);
    buf_add_text(b, "<p class=\"when\">");
    markup_add(b, buf_str(&text));
    buf_add_text(b, "</p>\n");
    buf_deinit(&text);
}

void html_add_verdict(struct html_page *page) {
    static const char *const kinds[] = {"good", "bad", "bad", "warn"};
    static const char *const signs[] = {"\u2713", "\u2717", "\u2717", "\u25a0"};
    const struct result *r = page->r;
    struct buf *b = page->b;
    must(r->verdict < ARRAY_LEN(kinds));
    buf_printf(b, "<div class=\"verdict %s\" id=\"verdict\"><div class=\"badge\"><span>%s</span>%s",
               kinds[r->verdict], signs[r->verdict], result_verdict_name(r->verdict));
    buf_add_text(b, "</div><div><h1>");
    markup_add_text(b, r->name);
    buf_add_text(b, "</h1>\n");
    if (r->why) {
        buf_add_text(b, "<p class=\"why\">");
        markup_add_text(b, r->why);
        buf_add_text(b, "</p>\n");
    }
    if (r->clean.leak) {
        buf_add_text(b, "<p class=\"why bad\">LEAK? ");
        markup_add_text(b, r->clean.leak);
        buf_add_text(b, "</p>\n");
    }
    add_when(page);
    add_chips(page);
    buf_add_text(b, "</div></div>\n");
}

/* --- headline --- */

static void tile(struct html_page *page, const char *label, const struct buf *value,
                 const char *unit, const char *below) {
    struct buf *b = page->b;
    buf_printf(b, "<div class=\"tile\"><dt>%s</dt><dd>", label);
    markup_add(b, buf_str(value));
    buf_printf(b, "<small>%s</small>", unit);
    if (below) {
        buf_add_text(b, "<em>");
        markup_add_text(b, below);
        buf_add_text(b, "</em>");
    }
    buf_add_text(b, "</dd></div>\n");
}

static void add_latency_tiles(struct html_page *page) {
    static const struct {
        const char *label;
        uint32_t ppm;
    } tiles[] = {{"median", 500000}, {"p99", 990000}, {"p99.9", 999000}, {"slowest", 1000000}};
    if (page->latency.count == 0)
        return;
    struct buf value = BUF_INIT(SMALL_BYTES_MAX);
    struct buf below = BUF_INIT(SMALL_BYTES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(tiles); i++) {
        buf_reset(&value);
        buf_reset(&below);
        say_ms(&value, hist_percentile_ns(&page->latency, tiles[i].ppm));
        if (page->service.count) {
            buf_add_text(&below, "service ");
            say_ms(&below, hist_percentile_ns(&page->service, tiles[i].ppm));
        }
        tile(page, tiles[i].label, &value, "ms", below.len ? buf_text(&below) : NULL);
    }
    buf_deinit(&value);
    buf_deinit(&below);
}

static void add_load_tiles(struct html_page *page) {
    const struct result_totals *t = &page->totals;
    struct buf value = BUF_INIT(SMALL_BYTES_MAX);
    struct buf below = BUF_INIT(SMALL_BYTES_MAX);
    if (t->sent) {
        say_count_short(&value, t->done);
        say_percent(&below, t->sent, t->planned);
        buf_add_text(&below, " of the plan sent");
        tile(page, "answered", &value, "", t->planned ? buf_text(&below) : NULL);
        buf_reset(&value);
        buf_reset(&below);
        if (t->duration_ns)
            say_count_short(&value, (uint64_t)((double)t->done * 1e9 / (double)t->duration_ns));
        units_add_count(&below, t->late);
        buf_add_text(&below, " sent late");
        tile(page, "rate", &value, "/s", buf_text(&below));
    }
    add_latency_tiles(page);
    if (t->sent) {
        buf_reset(&value);
        buf_reset(&below);
        say_percent(&value, t->errors, t->done + t->errors);
        say_count_short(&below, t->errors);
        buf_add_text(&below, " requests");
        tile(page, "errors", &value, "", buf_text(&below));
    }
    buf_deinit(&value);
    buf_deinit(&below);
}

static uint64_t start_skew_ns(const struct result *r) {
    uint64_t worst_ns = 0;
    for (size_t i = 0; i < r->phase_count; i++)
        worst_ns = MAX(worst_ns, r->phases[i].start_skew_ns);
    return worst_ns;
}

void html_add_headline(struct html_page *page) {
    const struct result *r = page->r;
    struct buf value = BUF_INIT(SMALL_BYTES_MAX);
    struct buf below = BUF_INIT(SMALL_BYTES_MAX);
    buf_add_text(page->b, "<dl class=\"tiles\" aria-label=\"Headline numbers\">\n");
    add_load_tiles(page);
    buf_printf(&value, "%" PRIu32, r->wanted);
    buf_printf(&below, "%" PRIu32 " launched, %" PRIu32 " gone", r->clean.launched, r->clean.gone);
    tile(page, "nodes", &value, "", buf_text(&below));
    if (start_skew_ns(r)) {
        buf_reset(&value);
        say_ms(&value, start_skew_ns(r));
        tile(page, "start together", &value, "ms", "first to last node");
    }
    buf_reset(&value);
    buf_reset(&below);
    say_money(&value, result_cost_usd_micro(r));
    int64_t on_demand = result_on_demand_usd_micro(r);
    if (r->rehearsal)
        buf_add_text(&below, "would cost; nothing was paid");
    else if (on_demand > 0) {
        buf_add_text(&below, "on-demand ");
        say_money(&below, on_demand);
    }
    tile(page, "cost", &value, "", below.len ? buf_text(&below) : NULL);
    buf_add_text(page->b, "</dl>\n");
    buf_deinit(&value);
    buf_deinit(&below);
}

/* --- thresholds --- */

static void add_margin(struct html_page *page, const struct result_threshold *t, size_t number) {
    struct buf *b = page->b;
    buf_add_text(b, "<td class=\"bar\">");
    if (t->limit_number <= 0 || t->state == RESULT_NO_DATA || t->state == RESULT_SKIPPED) {
        buf_add_text(b, "</td>");
        return;
    }
    const double width = 170;
    const double limit_at = 110;
    double share = t->value_number / t->limit_number;
    double x = share * limit_at < width ? share * limit_at : width;
    bool ok = t->state == RESULT_OK;
    char id[32];
    char description[96];
    snprintf(id, sizeof id, "m%zu", number);
    snprintf(description, sizeof description, "The value is %.2f times the limit%s", share,
             t->more_is_better ? "; more is better" : "");
    svg_begin(b, id, width, 14, "Value against limit", description);
    svg_rect(b, 0, 4, width, 6, &(struct svg_ink){"track", HTML_RULE, NULL, 0, 1});
    svg_rect(b, 0, 4, x, 6,
             &(struct svg_ink){ok ? "f3" : "f2", ok ? HTML_GREEN : HTML_RED, NULL, 0, 1});
    svg_line(b, limit_at, 0, limit_at, 14, &(struct svg_ink){"ink", "#444", NULL, 2, 1});
    svg_end(b);
    buf_printf(b, "<small>%.2f\u00d7 limit</small></td>", share);
}

static void add_state_cell(struct buf *b, enum result_state state) {
    static const char *const kinds[] = {"good", "bad", "bad", "warn", ""};
    static const char *const signs[] = {"\u2713", "\u2717", "\u2717", "!", "\u00b7"};
    must(state < ARRAY_LEN(kinds));
    buf_printf(b, "<td class=\"st %s\">%s %s</td>", kinds[state], signs[state],
               result_state_name(state));
}

void html_add_thresholds(struct html_page *page) {
    const struct result *r = page->r;
    struct buf *b = page->b;
    html_section(page, "thresholds", "Thresholds",
                 r->threshold_count ? NULL
                                    : "The plan has none: the verdict says only that the run "
                                      "worked. A line such as \u201cp99 < 200ms in peak\u201d "
                                      "turns it into a test.");
    if (r->threshold_count + r->check_count == 0) {
        html_section_end(page);
        return;
    }
    html_table(page, "Thresholds and checks", "|sentence|#measured|margin|where");
    for (size_t i = 0; i < r->threshold_count; i++) {
        const struct result_threshold *t = &r->thresholds[i];
        buf_add_text(b, "<tr>");
        add_state_cell(b, t->state);
        buf_add_text(b, "<td><b>");
        markup_add_text(b, t->text);
        buf_add_text(b, "</b></td>");
        html_number_text(b, t->state == RESULT_NO_DATA ? "no data" : t->value);
        add_margin(page, t, i);
        buf_add_text(b, "<td>");
        if (t->worst)
            markup_printf(b, "worst: %s ", t->worst);
        markup_add_text(b, t->annotation);
        buf_add_text(b, "</td></tr>\n");
    }
    for (size_t i = 0; i < r->check_count; i++) {
        buf_add_text(b, "<tr>");
        add_state_cell(b, r->checks[i].state);
        html_cell(b, r->checks[i].name);
        buf_add_text(b, "<td class=\"n\">check</td><td></td>");
        html_cell(b, r->checks[i].detail);
        buf_add_text(b, "</tr>\n");
    }
    html_table_end(page);
    html_section_end(page);
}
