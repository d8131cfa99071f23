#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void buf_init(struct buf *b, size_t max) {
    must(max > 0 && max < SIZE_MAX / 4);
    *b = (struct buf)BUF_INIT(max);
}

void buf_deinit(struct buf *b) {
    mem_free(b->ptr);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b) {
    b->len = 0;
    b->overflow = false;
    if (b->ptr)
        b->ptr[0] = '\0';
}

static bool make_room(struct buf *b, size_t size) {
    must(b->max > 0);
    if (b->overflow)
        return false;
    if (size > b->max - b->len) {
        b->overflow = true;
        return false;
    }
    size_t need = b->len + size + 1;
    if (need <= b->capacity)
        return true;
    size_t capacity = MAX(b->capacity * 2, (size_t)64);
    capacity = MIN(MAX(capacity, need), b->max + 1);
    b->ptr = mem_resize(b->ptr, capacity);
    b->capacity = capacity;
    b->ptr[b->len] = '\0';
    return true;
}

void buf_add(struct buf *b, const void *bytes, size_t size) {
    if (!make_room(b, size))
        return;
    if (size)
        memcpy(b->ptr + b->len, bytes, size);
    b->len += size;
    b->ptr[b->len] = '\0';
}

void buf_add_str(struct buf *b, struct str s) {
    buf_add(b, s.ptr, s.len);
}

void buf_add_text(struct buf *b, const char *text) {
    buf_add(b, text, strlen(text));
}

void buf_add_byte(struct buf *b, char byte) {
    buf_add(b, &byte, 1);
}

void buf_printf(struct buf *b, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    must(size >= 0);
    if (make_room(b, (size_t)size)) {
        vsnprintf(b->ptr + b->len, (size_t)size + 1, fmt, again);
        b->len += (size_t)size;
    }
    va_end(again);
}

char *buf_reserve(struct buf *b, size_t size) {
    return make_room(b, size) ? b->ptr + b->len : NULL;
}

void buf_commit(struct buf *b, size_t size) {
    must(b->ptr && b->len + size < b->capacity);
    b->len += size;
    b->ptr[b->len] = '\0';
}

void buf_consume(struct buf *b, size_t size) {
    must(size <= b->len);
    if (size == 0)
        return;
    memmove(b->ptr, b->ptr + size, b->len - size);
    b->len -= size;
    b->ptr[b->len] = '\0';
}

char *buf_detach(struct buf *b) {
    char *own = b->ptr ? b->ptr : mem_new(1);
    *b = (struct buf){.max = b->max};
    return own;
}
