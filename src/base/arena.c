#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>

#define BLOCK_BYTES (size_t)(16 * KIB)

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a, size_t limit) {
    *a = (struct arena){.limit = limit};
}

void arena_deinit(struct arena *a) {
    struct arena_block *block = a->first;
    while (block) {
        struct arena_block *next = block->next;
        mem_free(block);
        block = next;
    }
    a->first = NULL;
    a->used = 0;
}

void arena_reset(struct arena *a) {
    arena_deinit(a);
}

void *arena_try(struct arena *a, size_t size) {
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 4)
        return NULL;
    size = (size + align - 1) / align * align;
    if (a->limit && size > a->limit - MIN(a->used, a->limit))
        return NULL;
    if (!a->first || a->first->size - a->first->used < size) {
        size_t bytes = MAX(BLOCK_BYTES, size);
        struct arena_block *block = mem_new(sizeof *block + bytes);
        block->size = bytes;
        block->next = a->first;
        a->first = block;
    }
    void *ptr = a->first->bytes + a->first->used;
    a->first->used += size;
    a->used += size;
    return ptr;
}

void *arena_new(struct arena *a, size_t size) {
    void *ptr = arena_try(a, size);
    must(ptr != NULL);
    return ptr;
}

void *arena_new_array(struct arena *a, size_t count, size_t size) {
    size_t total;
    must(!__builtin_mul_overflow(count, size, &total));
    return arena_new(a, total);
}

char *arena_text(struct arena *a, struct str s) {
    char *copy = arena_new(a, s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

struct str arena_str(struct arena *a, struct str s) {
    return (struct str){arena_text(a, s), s.len};
}

char *arena_printf(struct arena *a, const char *fmt, ...) {
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    must(size >= 0);
    char *text = arena_new(a, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, fmt, again);
    va_end(again);
    return text;
}
