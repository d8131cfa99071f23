/* fields_leaf.h - what the form and XML halves of fields.h share; nobody else includes it. */
#ifndef FIELDS_LEAF_H
#define FIELDS_LEAF_H

#include "codec/fields.h"

/* Every EC2_LIST_OF has this layout. */
struct any_list {
    void *items;
    size_t count;
};

/* Where the member is. */
static inline const void *field_member(const struct field *field, const void *base) {
    return (const char *)base + field->offset;
}

/* Item of a FIELD_LIST. */
static inline const void *field_list_item(const struct field *field, const struct any_list *list,
                                          size_t index) {
    must(index < list->count);
    return (const char *)list->items + index * field->child->size;
}

bool field_absent(const struct field *field, const void *base);

/* Append the text of a present leaf (a member without members). */
void leaf_text(const struct field *field, const void *at, bool xml, struct buf *out);

enum leaf_result { LEAF_OK, LEAF_BAD, LEAF_BAD_BLOB };

/* Set the leaf at `at` from its text. */
NODISCARD enum leaf_result leaf_parse(const struct field *field, struct str text,
                                      struct arena *arena, void *at);

/* Room for `count` items of a list whose kind is FIELD_STRS or FIELD_LIST; zeroed. */
void *list_new(const struct field *field, struct arena *arena, size_t count);

#endif
