#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "report/html_parts.h"
#include "report/say.h"
#include "report/story.h"

#define SMALL_BYTES_MAX 4096
#define EVENTS_MAX 2000
#define EVENTS_OPEN_MAX 40

/* --- cost --- */

static void number_money(struct html_page *page, struct buf *cell, int64_t usd_micro) {
    buf_reset(cell);
    say_money(cell, usd_micro);
    html_number(page->b, cell);
}

static void add_cost_row(struct html_page *page, const struct result_cost *c, struct buf *cell) {
    struct buf *b = page->b;
    buf_add_text(b, "<tr>");
    html_cell(b, c->role);
    html_cell(b, c->type);
    html_cell(b, c->zone);
    html_cell(b, c->market);
    buf_printf(b, "<td class=\"n\">%" PRIu32 "</td><td class=\"n\">%.2f</td>", c->nodes,
               (double)c->node_seconds / 3600.0);
    /* A price of a few cents an hour needs its fourth digit. */
    buf_printf(b, "<td class=\"n\">$%.4f</td><td class=\"n\">$%.4f</td>",
               (double)c->price_usd_micro_per_hour / 1e6,
               (double)c->on_demand_usd_micro_per_hour / 1e6);
    number_money(page, cell, c->cost_usd_micro);
    number_money(page, cell, c->on_demand_usd_micro);
    buf_add_text(b, "</tr>\n");
}

static void add_cost_sum(struct html_page *page, struct buf *cell) {
    const struct result *r = page->r;
    if (r->disk_usd_micro) {
        buf_add_text(page->b, "<tr><td colspan=\"8\">disks, estimated</td>");
        number_money(page, cell, r->disk_usd_micro);
        buf_add_text(page->b, "<td class=\"n\"></td></tr>\n");
    }
    buf_add_text(page->b, "<tr class=\"sum\"><td colspan=\"8\">together</td>");
    number_money(page, cell, result_cost_usd_micro(r));
    number_money(page, cell, result_on_demand_usd_micro(r));
    buf_add_text(page->b, "</tr>\n");
}

void html_add_cost(struct html_page *page) {
    const struct result *r = page->r;
    if (r->cost_count == 0)
        return;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    int64_t cost = result_cost_usd_micro(r);
    int64_t on_demand = result_on_demand_usd_micro(r);
    say_money(&text, cost);
    if (r->rehearsal)
        buf_add_text(&text, " on AWS");
    if (on_demand > cost)
        buf_printf(&text, ", %d %% less than on-demand",
                   (int)((double)(on_demand - cost) * 100 / (double)on_demand));
    if (page->totals.done >= 1000) {
        buf_add_text(&text, ", ");
        say_money(&text, (int64_t)((double)cost * 1e6 / (double)page->totals.done));
        buf_add_text(&text, " per million answers");
    }
    if (r->rehearsal)
        buf_add_text(&text, "; the rehearsal cost nothing");
    buf_add_text(&text, ". An estimate from public prices at the time, not the bill; without data "
                        "transfer, requests to other services, and tax.");
    html_section(page, "cost", "Cost", buf_text(&text));
    html_table(page, "Cost by role and pool",
               "role|type|zone|market|#nodes|#node hours|#$/h paid|#$/h on-demand|#cost|"
               "#on-demand");
    for (size_t i = 0; i < r->cost_count; i++)
        add_cost_row(page, &r->costs[i], &text);
    add_cost_sum(page, &text);
    html_table_end(page);
    html_section_end(page);
    buf_deinit(&text);
}

/* --- validity --- */

void html_add_validity(struct html_page *page) {
    static const char *const kinds[] = {"good", "bad", "bad", "warn", ""};
    static const char *const signs[] = {"\u2713", "\u2717", "\u2717", "!", "\u00b7"};
    const struct result *r = page->r;
    struct buf *b = page->b;
    if (r->validity_count + r->note_count == 0)
        return;
    html_section(page, "validity", "Can the numbers be trusted?", NULL);
    buf_add_text(b, "<ul class=\"plain\">\n");
    for (size_t i = 0; i < r->validity_count; i++) {
        const struct result_validity *v = &r->validity[i];
        must(v->state < ARRAY_LEN(kinds));
        buf_printf(b, "<li><span class=\"sign %s\">%s</span><b>", kinds[v->state], signs[v->state]);
        markup_add_text(b, v->what);
        buf_add_text(b, "</b> ");
        markup_add_text(b, v->why);
        buf_add_text(b, "</li>\n");
    }
    for (size_t i = 0; i < r->note_count; i++) {
        buf_add_text(b, "<li><span class=\"sign\">\u2192</span>");
        markup_add_text(b, r->notes[i]);
        buf_add_text(b, "</li>\n");
    }
    buf_add_text(b, "</ul>\n");
    html_section_end(page);
}

/* --- manifest --- */

static void add_pair(struct html_page *page, const char *key, const char *value) {
    buf_add_text(page->b, "<tr>");
    html_cell(page->b, key);
    buf_add_text(page->b, "<td class=\"wide\">");
    markup_add_text(page->b, value);
    buf_add_text(page->b, "</td></tr>\n");
}

static void add_text(struct html_page *page, const char *summary, const char *text) {
    if (!text)
        return;
    html_details(page, summary);
    buf_add_text(page->b, "<pre>");
    markup_add_text(page->b, text);
    buf_add_text(page->b, "</pre>");
    html_details_end(page);
}

void html_add_manifest(struct html_page *page) {
    const struct result *r = page->r;
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    html_section(page, "manifest", "To run it again", NULL);
    if (r->command) {
        buf_add_text(page->b, "<pre>");
        markup_add_text(page->b, r->command);
        buf_add_text(page->b, "</pre>\n");
    }
    html_table(page, "Manifest", "what|");
    add_pair(page, "dayfly", r->version ? r->version : DAYFLY_VERSION);
    when_add_rfc3339(&text, r->start_unix_ms);
    buf_add_text(&text, " to ");
    when_add_rfc3339(&text, r->end_unix_ms);
    add_pair(page, "time", buf_text(&text));
    if (r->clock_spread_ns) {
        buf_reset(&text);
        say_ms(&text, r->clock_spread_ns);
        buf_add_text(&text, " ms at most between the nodes\u2019 clocks after correction");
        add_pair(page, "clocks", buf_text(&text));
    }
    for (size_t i = 0; i < r->manifest_count; i++)
        add_pair(page, r->manifest[i].key, r->manifest[i].value);
    html_table_end(page);
    add_text(page, "the plan as written", r->config_text);
    add_text(page, "the plan as understood, with every default", r->config_resolved_text);
    html_section_end(page);
    buf_deinit(&text);
}

/* --- method --- */

void html_add_method(struct html_page *page) {
    const struct result_totals *t = &page->totals;
    struct buf *b = page->b;
    html_section(page, "method", "How it was measured", NULL);
    buf_add_text(
        b, "<p class=\"lead\"><b>Latency</b> counts from the instant at which the plan wanted a "
           "request to leave, not from when it left: a server that stalls cannot hide its stall "
           "by slowing the generators. <b>Service time</b> counts from the actual send and is "
           "shown beside it. With users instead of a rate both are the same.</p>\n"
           "<p class=\"lead\"><b>Percentiles</b> come from histograms with three significant "
           "digits from one microsecond to an hour, one per request, sent by every generator "
           "each second and added up bucket by bucket. Nothing is averaged; least and greatest "
           "values are exact.</p>\n<p class=\"lead\">");
    size_t warm = 0;
    for (size_t i = 0; i < page->r->phase_count; i++)
        warm += page->r->phases[i].warmup;
    buf_printf(b,
               "<b>Counted</b>: %" PRIu64 " requests planned, %" PRIu64 " sent, %" PRIu64
               " answered as expected, %" PRIu64 " errors, %" PRIu64 " left late. ",
               t->planned, t->sent, t->done, t->errors, t->late);
    if (warm)
        buf_printf(b, "%zu warm-up phase%s left out of every total. ", warm,
                   warm == 1 ? " is" : "s are");
    buf_add_text(b, "Errors are in no latency histogram.</p>\n");
    html_section_end(page);
}

/* --- events --- */

static void add_event(struct html_page *page, const struct story_event *e) {
    struct buf *b = page->b;
    struct buf cell = BUF_INIT(64 * KIB);
    bool alert = e->mark == STORY_ALERT || e->mark == STORY_FAIL;
    buf_printf(b, "<tr%s>", alert ? " class=\"alert\"" : "");
    html_time(page, &cell, e->unix_ms);
    html_cell(b, buf_text(&cell));
    html_cell(b, story_kind_label(e->kind));
    buf_reset(&cell);
    if (e->text[0]) {
        buf_add_text(&cell, e->text);
    } else {
        story_add_plain(&cell, e);
    }
    buf_add_text(b, "<td class=\"wide\">");
    markup_add(b, buf_str(&cell));
    buf_add_text(b, "</td></tr>\n");
    buf_deinit(&cell);
}

void html_add_events(struct html_page *page) {
    const struct result *r = page->r;
    if (r->event_count == 0)
        return;
    html_section(page, "events", "What happened", NULL);
    bool folded = r->event_count > EVENTS_OPEN_MAX;
    if (folded) {
        char summary[96];
        snprintf(summary, sizeof summary, "%zu events (events.ndjson has all fields)",
                 r->event_count);
        html_details(page, summary);
    }
    buf_add_text(page->b, "<div class=\"events\">");
    html_table(page, "Events", "time|kind|");
    size_t shown = 0;
    for (size_t i = 0; i < r->event_count && shown < EVENTS_MAX; i++)
        if (r->events[i]->kind != STORY_PROGRESS) {
            add_event(page, r->events[i]);
            shown++;
        }
    html_table_end(page);
    buf_add_text(page->b, "</div>\n");
    if (folded)
        html_details_end(page);
    html_section_end(page);
}
