#include "base/base.h"

#include <stdio.h>
#include <stdlib.h>

void must_failed(const char *cond, const char *file, int line) {
    fprintf(stderr, "dayfly: bug: %s:%d: expected %s\n", file, line, cond);
    abort();
}

static NORETURN void out_of_memory(size_t size) {
    fprintf(stderr, "dayfly: out of memory (%zu bytes asked)\n", size);
    abort();
}

void *mem_new(size_t size) {
    void *ptr = calloc(1, size ? size : 1);
    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void *mem_new_array(size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory(SIZE_MAX);
    return mem_new(total);
}

void *mem_resize(void *own_ptr, size_t size) {
    void *ptr = realloc(own_ptr, size ? size : 1);
    if (!ptr)
        out_of_memory(size);
    return ptr;
}

void mem_free(void *own_ptr) {
    free(own_ptr);
}

void mem_freep(void *own_ptr) {
    void **ptr = own_ptr;
    free(*ptr);
    *ptr = NULL;
}
