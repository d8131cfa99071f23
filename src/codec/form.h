/* form.h - application/x-www-form-urlencoded and query strings: `a=1&b=two%20words`.
 *
 * Encoding is that of RFC 3986: unreserved bytes stay, everything else is %XX in upper case; a
 * blank is %20, never '+'.  Decoding takes both.     Tests: test/unit/test_form.c
 */
#ifndef FORM_H
#define FORM_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

/* Append `text`, encoded. */
void form_encode(struct buf *out, struct str text);
/* The same, but '/' stays: for paths. */
void form_encode_path(struct buf *out, struct str text);
/* Append the decoded bytes; '+' is a blank when `plus_is_blank`.  False when a '%' has no two hex
 * digits behind it (what came before it is in `out`). */
NODISCARD bool form_decode(struct str text, bool plus_is_blank, struct buf *out);

/* Append `name=value` with a '&' before it unless `out` is empty or ends in '?'. */
void form_add(struct buf *out, struct str name, struct str value);

/* Cut the next pair off *rest, undecoded; empty pairs ("&&") are skipped.  False at the end. */
bool form_next(struct str *rest, struct str *ret_name, struct str *ret_value);

#endif
