/* live_phase.h - the part of the live block that is shown while a phase runs.
 *
 * Internal to report/live*.c.
 */
#ifndef LIVE_PHASE_H
#define LIVE_PHASE_H

#include "report/live_line.h"

struct live_block {
    struct buf *out;
    const struct live_style *style;
    unsigned lines;
};

/* End a line: adds it to the block and frees it. */
void live_emit(struct live_block *block, struct live_line *line);
/* A line of text from outside; nothing when it is empty. */
void live_emit_text(struct live_block *block, const char *label, const char *text);
/* The same in up to two lines, and how many it takes (0 when empty). */
void live_emit_text_wrapped(struct live_block *block, const char *label, const char *text);
unsigned live_text_lines(const struct live_style *style, const char *text);
/* Money, and with `fleet` how many nodes are up; what ^C would do at the right. */
void live_emit_money(struct live_block *block, const struct live_view *view, bool fleet);
unsigned live_bar_width(unsigned columns);

void live_phase_block(struct live_block *block, const struct live_view *view);
void live_phase_single(struct live_block *block, const struct live_view *view);

#endif
