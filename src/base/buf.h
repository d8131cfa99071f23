/* buf.h - growable bytes with a maximum, always NUL-terminated.
 *
 * After every call `ptr[len] == 0` and `len <= max`.  Going past the maximum sets `overflow`,
 * keeps what fitted, and makes later appends no-ops: check buf_ok() once at the end.
 * A zeroed struct is not valid: use buf_init (or BUF_INIT).
 */
#ifndef BUF_H
#define BUF_H

#include "base/base.h"
#include "base/str.h"

struct buf {
    char *ptr; /* NULL until the first append */
    size_t len;
    size_t capacity;
    size_t max; /* largest len allowed */
    bool overflow;
};

#define BUF_INIT(max_bytes) \
    { .ptr = NULL, .len = 0, .capacity = 0, .max = (max_bytes) }

void buf_init(struct buf *b, size_t max);
void buf_deinit(struct buf *b); /* accepts a zeroed struct, and twice */
void buf_reset(struct buf *b);  /* empty, keeps memory and maximum, clears overflow */
static inline bool buf_ok(const struct buf *b) {
    return !b->overflow;
}
/* View valid until the next change. */
static inline struct str buf_str(const struct buf *b) {
    return (struct str){b->ptr ? b->ptr : "", b->len};
}
/* NUL-terminated text valid until the next change. */
static inline const char *buf_text(const struct buf *b) {
    return b->ptr ? b->ptr : "";
}
void buf_add(struct buf *b, const void *bytes, size_t size);
void buf_add_str(struct buf *b, struct str s);
void buf_add_text(struct buf *b, const char *text);
void buf_add_byte(struct buf *b, char byte);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Room for `size` more bytes to be written at ptr+len; NULL past the maximum.  Then buf_commit. */
char *buf_reserve(struct buf *b, size_t size);
void buf_commit(struct buf *b, size_t size);
/* Drop `size` bytes at the front. */
void buf_consume(struct buf *b, size_t size);
/* Give the memory to the caller (mem_free it); the buffer is empty afterwards. */
NODISCARD char *buf_detach(struct buf *b);

#endif
