#include "base/table.h"

void table_init(struct table *t) {
    *t = (struct table){0};
}

void table_deinit(struct table *t) {
    for (size_t i = 0; i < t->used; i++)
        mem_free(t->entries[i].key);
    mem_free(t->entries);
    mem_free(t->index);
    *t = (struct table){0};
}

static struct table_entry *find_entry(const struct table *t, struct str key, uint64_t hash) {
    if (t->index_size == 0)
        return NULL;
    size_t mask = t->index_size - 1;
    for (size_t at = hash & mask; t->index[at]; at = (at + 1) & mask) {
        struct table_entry *entry = &t->entries[t->index[at] - 1];
        if (entry->key && entry->hash == hash &&
            str_equal((struct str){entry->key, entry->key_len}, key))
            return entry;
    }
    return NULL;
}

void *table_find(const struct table *t, struct str key) {
    struct table_entry *entry = find_entry(t, key, str_hash(key));
    return entry ? entry->value : NULL;
}

static void add_to_index(struct table *t, size_t number) {
    size_t mask = t->index_size - 1;
    size_t at = t->entries[number].hash & mask;
    while (t->index[at])
        at = (at + 1) & mask;
    t->index[at] = (uint32_t)number + 1;
}

/* Drop removed entries, make room for one more, rebuild the index. */
static void rebuild(struct table *t) {
    size_t live = 0;
    for (size_t i = 0; i < t->used; i++)
        if (t->entries[i].key)
            t->entries[live++] = t->entries[i];
    t->used = live;
    size_t capacity = MAX(live * 2, (size_t)8);
    must(capacity < UINT32_MAX / 2);
    t->entries = mem_resize(t->entries, capacity * sizeof *t->entries);
    t->capacity = capacity;
    size_t index_size = 16;
    while (index_size < capacity * 2)
        index_size *= 2;
    mem_free(t->index);
    t->index = mem_new_array(index_size, sizeof *t->index);
    t->index_size = index_size;
    for (size_t i = 0; i < t->used; i++)
        add_to_index(t, i);
}

void *table_set(struct table *t, struct str key, void *value) {
    must(value != NULL);
    uint64_t hash = str_hash(key);
    struct table_entry *entry = find_entry(t, key, hash);
    if (entry) {
        void *before = entry->value;
        entry->value = value;
        return before;
    }
    if (t->used == t->capacity)
        rebuild(t);
    t->entries[t->used] =
        (struct table_entry){.key = str_dup(key), .key_len = key.len, .hash = hash, .value = value};
    add_to_index(t, t->used);
    t->used++;
    t->count++;
    return NULL;
}

void *table_remove(struct table *t, struct str key) {
    struct table_entry *entry = find_entry(t, key, str_hash(key));
    if (!entry)
        return NULL;
    mem_free(entry->key);
    entry->key = NULL;
    t->count--;
    return entry->value;
}

const struct table_entry *table_next(const struct table *t, size_t *cursor) {
    while (*cursor < t->used) {
        const struct table_entry *entry = &t->entries[(*cursor)++];
        if (entry->key)
            return entry;
    }
    return NULL;
}
