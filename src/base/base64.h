/* base64.h - RFC 4648 base64 with padding, and lower-case hexadecimal. */
#ifndef BASE64_H
#define BASE64_H

#include "base/base.h"
#include "base/buf.h"
#include "base/str.h"

void base64_add(struct buf *out, struct str bytes);
/* Append the decoded bytes.  Line breaks and blanks are skipped, missing padding is accepted.
 * False, and `out` as before, when anything else is not base64. */
NODISCARD bool base64_decode(struct str text, struct buf *out);

/* 2 * size lower-case digits and a NUL. */
void hex_write(const uint8_t *bytes, size_t size, char *into);

#endif
