/* summary.h - the end of a run as text: thresholds first, warnings last (interface 4.6).
 *
 * The same text, without colour and in UTF-8, is summary.txt.
 * Pure.   Tests: test/unit/test_summary.c
 */
#ifndef SUMMARY_H
#define SUMMARY_H

#include "report/result.h"

struct summary_style {
    bool colour;
    bool ascii;
    const char *dir; /* where the files are, to be named at the end; NULL: not named */
};

/* The text of summary.txt as a terminal shows it: coloured by the sign of each line, or ASCII. */
void summary_add_styled(struct buf *b, struct str text, const struct summary_style *style);
/* Append the summary, lines ended by '\n'. */
void summary_add(struct buf *b, const struct result *r, const struct summary_style *style);

#endif
