/* html.h - report.html: the whole run on one page that needs nothing else.
 *
 * One file, no script, no network reference of any kind; charts are inline SVG with presentation
 * attributes, so they show with scripts blocked, in a mail, under a strict content security policy
 * and on paper.  Light and dark follow the reader's preference.  Every chart has a title, a
 * sentence that says what it shows, and a table of its numbers.  Series are reduced to at most
 * HTML_POINTS_MAX buckets that keep the extremes.
 *
 * Pure.   Tests: test/unit/test_result.c, test/browser/report.sh
 */
#ifndef HTML_H
#define HTML_H

#include "report/result.h"

#define HTML_POINTS_MAX 600 /* buckets of a series: about one for each pixel */

void html_add(struct buf *b, const struct result *r);

#endif
