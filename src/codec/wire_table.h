/* wire_table.h - how each struct of wire.h lies in its message of wire.proto; for wire.c only.
 *
 * A field's kind comes from the schema; here stand its place in the struct and its limits: of a
 * number the value, of text and bytes the length, of a list the number of entries.
 */
#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#include "codec/wire.h"
#include "codec/wire.pb-c.h"

struct wire_table;

struct wire_field {
    const char *name;    /* in the schema and in the struct */
    size_t offset;       /* in the struct */
    size_t count_offset; /* of a list */
    uint64_t min, max;
    size_t item_max; /* bytes of an entry of a list of text */
    bool by_pointer; /* the sub-message may be absent */
    const struct wire_table *sub;
};

struct wire_table {
    const ProtobufCMessageDescriptor *descriptor;
    size_t size; /* of the struct */
    const struct wire_field *fields;
    size_t count;
};

const struct wire_table *wire_table_get(enum wire_type type);

#endif
