/* width.h - how many columns text takes on a terminal, and cutting it to a width.
 *
 * UTF-8 in; invalid bytes count as one column and are drawn as U+FFFD (or '?').  A small table
 * knows combining marks (0 columns) and wide East Asian and emoji ranges (2 columns); it is a
 * table of ours because the C library's depends on the user's locale.
 *
 * Pure.   Tests: test/unit/test_width.c, fuzz/fuzz_text.c
 */
#ifndef WIDTH_H
#define WIDTH_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* Decode one code point at s[at]; returns its size in bytes (>= 1), U+FFFD when invalid. */
size_t width_decode(struct str s, size_t at, uint32_t *ret_code);
/* Columns of one code point: 0, 1 or 2.  Control characters: 0. */
unsigned width_of_code(uint32_t code);
/* Columns of a text; ANSI colour sequences (ESC [ ... m) take none. */
unsigned width_of(struct str s);
/* Append at most `columns` columns of `s`; when cut, the last is an ellipsis ("~" in ASCII).
 * Colour sequences are passed on whole.  Returns the columns taken. */
unsigned width_add_cut(struct buf *b, struct str s, unsigned columns, bool ascii);
/* Append `s` in lines of at most `columns`, broken at blanks; later lines start with `indent`
 * blanks.  A word that is wider than a line is cut.  columns > indent + 10. */
void width_add_wrapped(struct buf *b, struct str s, unsigned columns, unsigned indent);
/* Append text from outside as it may be shown: control characters, escape sequences, bidi
 * overrides and invalid UTF-8 become U+FFFD ('?' in ASCII), tab and line break one blank. */
void width_add_clean(struct buf *b, struct str s, bool ascii);

#endif
