/* base.h - what every file of dayfly may use: the compiler words, the bug check, allocation.
 *
 * Three kinds of trouble are never mixed:
 *   bug              must(cond): aborts with the place, in release builds too
 *   operating error  int, 0 or -ERR_x, and a struct err as last parameter (base/err.h)
 *   absence          NULL or false, no err
 * Running out of memory aborts; in return every buffer that is fed from outside has a maximum.
 */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/banned.h"

#define NODISCARD __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

/* Run `fn(&variable)` when the variable leaves its scope. */
#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Define `name_freep(struct **)` for CLEANUP from a `name_free(struct *)`. */
#define DEFINE_FREEP(type, free_fn)                        \
    UNUSED static inline void free_fn##p(type **own_ptr) { \
        free_fn(*own_ptr);                                 \
        *own_ptr = NULL;                                   \
    }

/* Move a pointer out of a CLEANUP variable. */
#define take(ptr)                            \
    __extension__({                          \
        __typeof__(ptr) take_value_ = (ptr); \
        (ptr) = NULL;                        \
        take_value_;                         \
    })

/* A result that is ignored on purpose; say why beside it. */
#define ignore(expr) \
    do {             \
        if (expr) {  \
        }            \
    } while (0)

/* Return the error of `expr` to our caller.  Safe because locals clean themselves up. */
#define TRY(expr)                 \
    do {                          \
        int try_result_ = (expr); \
        if (try_result_ < 0)      \
            return try_result_;   \
    } while (0)

/* A condition that only a bug of ours can break. */
#define must(cond) ((cond) ? (void)0 : must_failed(#cond, __FILE__, __LINE__))
NORETURN void must_failed(const char *cond, const char *file, int line);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

/* Allocation that aborts when memory is out.  mem_new(0) is a valid pointer; memory is zeroed. */
NODISCARD void *mem_new(size_t size);
NODISCARD void *mem_new_array(size_t count, size_t size); /* aborts on overflow too */
/* Grow or shrink; bytes beyond the old size are not initialised. */
NODISCARD void *mem_resize(void *own_ptr, size_t size);
void mem_free(void *own_ptr);
void mem_freep(void *own_ptr); /* for CLEANUP: takes the address of the pointer */

#endif
