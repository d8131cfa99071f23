/* str.h - a borrowed view of bytes, passed by value.
 *
 * A view owns nothing and is not NUL-terminated; it lives as long as what it was made from.
 * {NULL, 0} is the empty view.  Print with "%.*s" and STR_ARG(s).
 */
#ifndef STR_H
#define STR_H

#include "base/base.h"

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
#define STR_INIT(literal) \
    { "" literal, sizeof(literal) - 1 } /* for static tables */
#define STR_EMPTY ((struct str){NULL, 0})
#define STR_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* View of a C string; NULL gives the empty view. */
struct str str_from(const char *text);
bool str_equal(struct str a, struct str b);
bool str_equal_nocase(struct str a, struct str b); /* ASCII only */
int str_compare(struct str a, struct str b);       /* byte order; <0, 0, >0 */
bool str_starts_with(struct str s, struct str prefix);
bool str_ends_with(struct str s, struct str suffix);
/* Index of the first `c` or `needle`, or s.len when there is none. */
size_t str_index_of(struct str s, char c);
size_t str_index_of_str(struct str s, struct str needle);
bool str_contains(struct str s, struct str needle);
/* Bytes from..to, clipped to the string. */
struct str str_slice(struct str s, size_t from, size_t to);
struct str str_skip(struct str s, size_t count);
struct str str_trim(struct str s); /* blanks, tabs, CR, LF at both ends */
/* Cut at the first `c`: *ret_head is before it, *s is after it.  False when s is used up;
 * the last part has no `c` behind it. */
bool str_split(struct str *s, char c, struct str *ret_head);
/* The same, by lines; a final CR is dropped. */
bool str_line(struct str *s, struct str *ret_line);
/* `*` any run, `?` one byte.  Bounded: no recursion. */
bool str_match(struct str s, struct str pattern);
/* FNV-1a, 64 bits. */
uint64_t str_hash(struct str s);
/* Own NUL-terminated copy; mem_free it. */
NODISCARD char *str_dup(struct str s);
/* Copy into `into[size]`, always NUL-terminated; false when it was cut. */
bool str_copy(char *into, size_t size, struct str s);
/* Optimal-string-alignment distance of two short words (<= 63 bytes; longer ones: 64). */
unsigned str_distance(struct str a, struct str b);

#endif
