/* live_line.h - one line of the live block: parts that are left out when they do not fit.
 *
 * Internal to report/live*.c.  A part is never cut in the middle of a number: it is shown whole or
 * not at all.  Only text from outside (names, reasons) is cut, with an ellipsis.
 */
#ifndef LIVE_LINE_H
#define LIVE_LINE_H

#include "report/live.h"

enum live_ink { INK_NONE, INK_GOOD, INK_WARN, INK_BAD, INK_BAR, INK_FAINT };

struct live_line {
    struct buf text;
    const struct live_style *style;
    unsigned used; /* columns */
};

void live_line_init(struct live_line *line, const struct live_style *style);
void live_line_deinit(struct live_line *line);
/* "  label       ", 14 columns. */
void live_line_label(struct live_line *line, const char *sign, const char *label);
/* `gap` blanks and the text, if both fit.  Returns whether they did. */
bool live_line_part(struct live_line *line, unsigned gap, enum live_ink ink, const char *text);
/* `gap` blanks and text from outside: cleaned, cut to what is left less `keep` columns. */
void live_line_text(struct live_line *line, unsigned gap, const char *text, unsigned keep);
/* Text that ends at the right edge, if it fits with two blanks before it. */
void live_line_right(struct live_line *line, const char *text);
/* A bar of `width` columns, part of whole. */
void live_line_bar(struct live_line *line, unsigned width, uint64_t part, uint64_t whole);
/* The last `width` values as block characters, scaled to `top`. */
void live_line_spark(struct live_line *line, unsigned width, const uint64_t *values, size_t count,
                     uint64_t top);
unsigned live_line_left(const struct live_line *line); /* columns */

#endif
