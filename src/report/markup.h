/* markup.h - text inside XML and HTML.
 *
 * Every text that a report shows goes through markup_add: names, addresses, errors, tags and
 * output of nodes may be anybody's.  The result is the same in an element and in a quoted
 * attribute, in XML and in HTML.  Characters that XML forbids, control characters and marks that
 * reorder text become U+FFFD.
 *
 * Pure.   Tests: test/unit/test_report_parts.c, fuzz/fuzz_text.c
 */
#ifndef MARKUP_H
#define MARKUP_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

void markup_add(struct buf *b, struct str text);
/* The same for a C string; NULL adds nothing. */
void markup_add_text(struct buf *b, const char *text);
/* Formatted, then escaped; at most 4 KiB. */
void markup_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
