/* arena.h - many small allocations with one end: a request, a command, a decoded message.
 *
 * Everything from an arena is zeroed, aligned for any type, and dies at arena_reset/deinit.
 * A zeroed struct is a valid, empty arena without a limit; arena_init sets one.
 */
#ifndef ARENA_H
#define ARENA_H

#include "base/base.h"
#include "base/str.h"

struct arena {
    struct arena_block *first;
    size_t used;  /* bytes handed out since init or reset */
    size_t limit; /* 0: none; past it arena_new aborts, arena_try returns NULL */
};

void arena_init(struct arena *a, size_t limit);
void arena_deinit(struct arena *a);
void arena_reset(struct arena *a);
NODISCARD void *arena_new(struct arena *a, size_t size);
NODISCARD void *arena_new_array(struct arena *a, size_t count, size_t size);
/* NULL when the limit would be passed: for memory that a stranger asks for. */
NODISCARD void *arena_try(struct arena *a, size_t size);
/* Copy of `s`, NUL-terminated, inside the arena. */
struct str arena_str(struct arena *a, struct str s);
char *arena_text(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
