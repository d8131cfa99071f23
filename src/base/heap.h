/* heap.h - binary min-heap of (key, value) pairs: timers, event queues.
 *
 * Pairs with equal keys come out in the order they went in, so a replay is exact.
 * Grows as needed; `heap_init` sets how many it may ever hold (a bug beyond that).
 */
#ifndef HEAP_H
#define HEAP_H

#include "base/base.h"

struct heap_item {
    uint64_t key;
    uint64_t order; /* of insertion; breaks ties */
    uint64_t value;
};

struct heap {
    struct heap_item *items;
    size_t count;
    size_t capacity;
    size_t max;
    uint64_t inserted;
};

void heap_init(struct heap *h, size_t max);
void heap_deinit(struct heap *h);
void heap_add(struct heap *h, uint64_t key, uint64_t value);
/* Smallest item, or NULL; valid until the next change. */
const struct heap_item *heap_first(const struct heap *h);
/* Take the smallest; false when empty. */
bool heap_take(struct heap *h, struct heap_item *ret_item);

#endif
