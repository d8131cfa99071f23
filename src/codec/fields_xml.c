#include "codec/fields.h"

#include "codec/fields_leaf.h"

/* --- out --- */

static void open_element(struct buf *out, const char *name) {
    buf_add_byte(out, '<');
    buf_add_text(out, name);
    buf_add_byte(out, '>');
}

static void close_element(struct buf *out, const char *name) {
    buf_add_text(out, "</");
    buf_add_text(out, name);
    buf_add_byte(out, '>');
}

static void xml_write_list(const struct field *field, const void *at, struct buf *out) {
    const struct any_list *list = at;
    const char *item = field->item ? field->item : "item";
    if (list->count == 0) {
        buf_printf(out, "<%s/>", field->xml);
        return;
    }
    open_element(out, field->xml);
    for (size_t i = 0; i < list->count; i++) {
        open_element(out, item);
        if (field->kind == FIELD_STRS)
            xml_add_text(out, ((const struct str *)list->items)[i]);
        else
            fields_xml_encode(field->child, field_list_item(field, list, i), out);
        close_element(out, item);
    }
    close_element(out, field->xml);
}

static void xml_write_leaf(const struct field *field, const void *at, struct buf *out) {
    open_element(out, field->xml);
    if (field->kind == FIELD_STR)
        xml_add_text(out, *(const struct str *)at);
    else
        leaf_text(field, at, true, out); /* digits, words and base64 need no escapes */
    close_element(out, field->xml);
}

/* Booleans, prices and SHOWN lists are written even when they are "absent". */
static bool xml_is_written(const struct field *field, const void *base) {
    if (!field->xml)
        return false;
    return field->kind == FIELD_BOOL || field->kind == FIELD_PRICE ||
           (field->flags & FIELD_SHOWN) || !field_absent(field, base);
}

void fields_xml_encode(const struct fields *fields, const void *from, struct buf *out) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        const void *at = field_member(field, from);
        if (field->kind == FIELD_INLINE) {
            fields_xml_encode(field->child, at, out);
        } else if (!xml_is_written(field, from)) {
            continue;
        } else if (field->kind == FIELD_SUB) {
            open_element(out, field->xml);
            fields_xml_encode(field->child, at, out);
            close_element(out, field->xml);
        } else if (field->kind == FIELD_STRS || field->kind == FIELD_LIST) {
            xml_write_list(field, at, out);
        } else {
            xml_write_leaf(field, at, out);
        }
    }
}

/* --- in --- */

static int bad_value(const struct field *field, const struct xml_node *node, struct err *err) {
    struct str text = str_slice(node->text, 0, 60);
    return err_set(err, ERR_PROTOCOL, "<%s> has the value '%.*s'", field->xml, STR_ARG(text));
}

static size_t count_children(const struct xml_node *node) {
    size_t count = 0;
    for (const struct xml_node *child = node->first; child; child = child->next)
        count++;
    return count;
}

static int xml_read_list(const struct field *field, const struct xml_node *node,
                         struct arena *arena, struct any_list *list, struct err *err) {
    size_t count = count_children(node);
    char *items = list_new(field, arena, count);
    size_t i = 0;
    for (const struct xml_node *child = node->first; child; child = child->next, i++) {
        if (field->kind == FIELD_STRS)
            ((struct str *)(void *)items)[i] = child->text;
        else
            TRY(fields_xml_decode(field->child, child, arena, items + i * field->child->size, err));
    }
    must(i == count);
    list->items = items;
    list->count = count;
    return 0;
}

static int xml_read_field(const struct field *field, const struct xml_node *node,
                          struct arena *arena, char *base, struct err *err) {
    void *at = base + field->offset;
    switch ((enum field_kind)field->kind) {
    case FIELD_STRS:
    case FIELD_LIST:
        return xml_read_list(field, node, arena, at, err);
    case FIELD_SUB:
        return fields_xml_decode(field->child, node, arena, at, err);
    case FIELD_STR:
        *(struct str *)at = node->text;
        return 0;
    case FIELD_INLINE:
        return 0;
    case FIELD_BLOB:
    case FIELD_BOOL:
    case FIELD_FLAG:
    case FIELD_INT:
    case FIELD_OPT:
    case FIELD_MICRO:
    case FIELD_OPTMICRO:
    case FIELD_PRICE:
    case FIELD_TIME:
        break;
    }
    if (node->text.len == 0) /* <validUntil/>: absent */
        return 0;
    return leaf_parse(field, node->text, arena, at) == LEAF_OK ? 0 : bad_value(field, node, err);
}

/* The member with the element's name, going into INLINE ones; *base moves along. */
static const struct field *find_by_xml(const struct fields *fields, struct str name, char **base) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        if (field->kind == FIELD_INLINE) {
            char *inner = *base + field->offset;
            const struct field *found = find_by_xml(field->child, name, &inner);
            if (found) {
                *base = inner;
                return found;
            }
        } else if (field->xml && str_equal(str_from(field->xml), name)) {
            return field;
        }
    }
    return NULL;
}

int fields_xml_decode(const struct fields *fields, const struct xml_node *node, struct arena *arena,
                      void *into, struct err *err) {
    for (const struct xml_node *child = node->first; child; child = child->next) {
        char *base = into;
        const struct field *field = find_by_xml(fields, child->name, &base);
        if (field)
            TRY(xml_read_field(field, child, arena, base, err));
    }
    return 0;
}
