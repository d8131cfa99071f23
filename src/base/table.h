/* table.h - hash table from text to pointer; iteration is in insertion order.
 *
 * Copies its keys, borrows its values.  Not for millions: removal leaves a tombstone until growth.
 */
#ifndef TABLE_H
#define TABLE_H

#include "base/base.h"
#include "base/str.h"

struct table_entry {
    char *key; /* NULL: removed */
    size_t key_len;
    uint64_t hash;
    void *value;
};

struct table {
    struct table_entry *entries; /* in insertion order */
    size_t used;                 /* entries in use, removed ones included */
    size_t count;                /* live entries */
    size_t capacity;
    uint32_t *index; /* open addressing; 0 free, else entry number + 1 */
    size_t index_size;
};

/* A zeroed struct is a valid empty table. */
void table_init(struct table *t);
void table_deinit(struct table *t); /* frees keys, not values */
/* The value, or NULL. */
void *table_find(const struct table *t, struct str key);
/* Set; returns the value that was there before, or NULL.  `value` must not be NULL. */
void *table_set(struct table *t, struct str key, void *value);
/* Remove; returns the value, or NULL. */
void *table_remove(struct table *t, struct str key);
/* Next live entry from *cursor (start at 0), or NULL. */
const struct table_entry *table_next(const struct table *t, size_t *cursor);

#endif
