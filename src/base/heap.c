#include "base/heap.h"

void heap_init(struct heap *h, size_t max) {
    must(max > 0);
    *h = (struct heap){.max = max};
}

void heap_deinit(struct heap *h) {
    mem_free(h->items);
    *h = (struct heap){.max = h->max};
}

static bool is_before(const struct heap_item *a, const struct heap_item *b) {
    return a->key != b->key ? a->key < b->key : a->order < b->order;
}

void heap_add(struct heap *h, uint64_t key, uint64_t value) {
    must(h->count < h->max);
    if (h->count == h->capacity) {
        h->capacity = MIN(MAX(h->capacity * 2, (size_t)16), h->max);
        h->items = mem_resize(h->items, h->capacity * sizeof *h->items);
    }
    size_t at = h->count++;
    struct heap_item item = {.key = key, .order = h->inserted++, .value = value};
    while (at > 0 && is_before(&item, &h->items[(at - 1) / 2])) {
        h->items[at] = h->items[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    h->items[at] = item;
}

const struct heap_item *heap_first(const struct heap *h) {
    return h->count ? &h->items[0] : NULL;
}

bool heap_take(struct heap *h, struct heap_item *ret_item) {
    if (h->count == 0)
        return false;
    *ret_item = h->items[0];
    struct heap_item last = h->items[--h->count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= h->count)
            break;
        if (child + 1 < h->count && is_before(&h->items[child + 1], &h->items[child]))
            child++;
        if (!is_before(&h->items[child], &last))
            break;
        h->items[at] = h->items[child];
        at = child;
    }
    if (h->count)
        h->items[at] = last;
    return true;
}
