/* ring.h - bounded queue of pointers between exactly one producer and one consumer thread.
 *
 * Lock-free; capacity is a power of two.  The producer owns what it could not push.
 */
#ifndef RING_H
#define RING_H

#include "base/base.h"
#include <stdatomic.h>

struct ring {
    void **slots;
    size_t mask;
    _Alignas(64) _Atomic size_t head; /* next to take: written by the consumer */
    _Alignas(64) _Atomic size_t tail; /* next to fill: written by the producer */
};

static inline void ring_init(struct ring *r, size_t capacity) {
    must(capacity >= 2 && (capacity & (capacity - 1)) == 0);
    r->slots = mem_new_array(capacity, sizeof *r->slots);
    r->mask = capacity - 1;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
}

/* The queue must be empty, or its pointers are lost. */
static inline void ring_deinit(struct ring *r) {
    mem_free(r->slots);
    r->slots = NULL;
}

/* False when full. */
NODISCARD static inline bool ring_push(struct ring *r, void *ptr) {
    size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    size_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    if (tail - head > r->mask)
        return false;
    r->slots[tail & r->mask] = ptr;
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

/* NULL when empty. */
static inline void *ring_take(struct ring *r) {
    size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    if (head == tail)
        return NULL;
    void *ptr = r->slots[head & r->mask];
    atomic_store_explicit(&r->head, head + 1, memory_order_release);
    return ptr;
}

#endif
