/* html_parts.h - the sections of report.html, in the order of the page.
 *
 * Internal to report/html*.c.  Each section adds itself only when there is something to show.
 */
#ifndef HTML_PARTS_H
#define HTML_PARTS_H

#include "core/hist.h"
#include "report/markup.h"
#include "report/result.h"
#include "report/series.h"
#include "report/svg.h"

#define HTML_WIDTH 1080.0 /* of a chart, in its own units */
#define HTML_LEFT 58.0    /* room for the labels of the y axis */
#define HTML_RIGHT 14.0

/* What several sections need, computed once. */
struct html_page {
    struct buf *b;
    const struct result *r;
    struct series series;
    struct hist latency, service; /* merged over the phases that count */
    struct result_totals totals;
};

/* The colours of Okabe and Ito, dark enough for white paper; the style sheet lightens them. */
#define HTML_BLUE "#0072b2"
#define HTML_RED "#c44e00"
#define HTML_GREEN "#00805c"
#define HTML_ORANGE "#b37400"
#define HTML_PURPLE "#a2487c"
#define HTML_SKY "#2b8fc4"
#define HTML_GREY "#7a828e"
#define HTML_RULE "#d5d9df"

/* "<section ...><h2>" and its end. */
void html_section(struct html_page *page, const char *id, const char *title, const char *lead);
void html_section_end(struct html_page *page);
/* "<details><summary>as table</summary>" ... the table of a chart. */
void html_details(struct html_page *page, const char *summary);
void html_details_end(struct html_page *page);
/* A table: header cells split at '|'; a title that starts with '#' heads a column of numbers. */
void html_table(struct html_page *page, const char *caption, const char *titles);
void html_table_end(struct html_page *page);
void html_cell(struct buf *b, const char *text);          /* NULL: a dash */
void html_number(struct buf *b, const struct buf *value); /* right-aligned */
void html_number_text(struct buf *b, const char *value);
/* "15:19:40" in the user's zone. */
void html_time(struct html_page *page, struct buf *into, int64_t unix_ms);

/* html_head.c */
void html_add_head(struct html_page *page);
void html_add_verdict(struct html_page *page);
void html_add_headline(struct html_page *page);
void html_add_thresholds(struct html_page *page);
/* html_time.c */
void html_add_timeline(struct html_page *page);
/* html_spectrum.c */
void html_add_spectrum(struct html_page *page);
/* html_load.c */
void html_add_requests(struct html_page *page);
void html_add_phases(struct html_page *page);
/* html_nodes.c */
void html_add_nodes(struct html_page *page);
void html_add_fleet(struct html_page *page);
/* html_tail.c */
void html_add_cost(struct html_page *page);
void html_add_validity(struct html_page *page);
void html_add_manifest(struct html_page *page);
void html_add_method(struct html_page *page);
void html_add_events(struct html_page *page);
/* html_style.c */
extern const char HTML_STYLE[];

#endif
