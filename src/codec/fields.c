#include "codec/fields.h"

#include <inttypes.h>

#include "base/base64.h"
#include "base/units.h"
#include "base/when.h"
#include "codec/fields_leaf.h"

_Static_assert(sizeof(struct any_list) == sizeof(struct ec2_strs), "one layout for all lists");

/* --- what is absent --- */

bool field_absent(const struct field *field, const void *base) {
    const void *at = field_member(field, base);
    switch ((enum field_kind)field->kind) {
    case FIELD_STR:
    case FIELD_BLOB:
        return ((const struct str *)at)->ptr == NULL;
    case FIELD_BOOL:
        return !*(const bool *)at;
    case FIELD_FLAG:
        return *(const enum ec2_flag *)at == EC2_UNSET;
    case FIELD_INT:
    case FIELD_MICRO:
    case FIELD_PRICE:
    case FIELD_TIME:
        return *(const int64_t *)at == 0;
    case FIELD_OPT:
    case FIELD_OPTMICRO:
        return !((const struct ec2_int *)at)->set;
    case FIELD_STRS:
    case FIELD_LIST:
        return ((const struct any_list *)at)->count == 0;
    case FIELD_SUB:
    case FIELD_INLINE:
        return fields_absent(field->child, at);
    }
    return true;
}

bool fields_absent(const struct fields *fields, const void *from) {
    for (size_t i = 0; i < fields->count; i++)
        if (!field_absent(&fields->items[i], from))
            return false;
    return true;
}

/* --- values as text --- */

static void add_micro(struct buf *out, int64_t micro) {
    units_add_micro(out, micro);
    if (micro % (int64_t)MICRO == 0)
        buf_add_text(out, ".0");
}

void leaf_text(const struct field *field, const void *at, bool xml, struct buf *out) {
    must(field->kind < FIELD_STRS);
    switch ((enum field_kind)field->kind) {
    case FIELD_STR:
        buf_add_str(out, *(const struct str *)at);
        break;
    case FIELD_BLOB:
        base64_add(out, *(const struct str *)at);
        break;
    case FIELD_BOOL:
        buf_add_text(out, *(const bool *)at ? "true" : "false");
        break;
    case FIELD_FLAG:
        buf_add_text(out, *(const enum ec2_flag *)at == EC2_TRUE ? "true" : "false");
        break;
    case FIELD_INT:
        buf_printf(out, "%" PRId64, *(const int64_t *)at);
        break;
    case FIELD_OPT:
        buf_printf(out, "%" PRId64, ((const struct ec2_int *)at)->value);
        break;
    case FIELD_MICRO:
        add_micro(out, *(const int64_t *)at);
        break;
    case FIELD_OPTMICRO:
        add_micro(out, ((const struct ec2_int *)at)->value);
        break;
    case FIELD_PRICE:
        must(*(const int64_t *)at >= 0);
        buf_printf(out, "%" PRId64 ".%06" PRId64, *(const int64_t *)at / (int64_t)MICRO,
                   *(const int64_t *)at % (int64_t)MICRO);
        break;
    case FIELD_TIME:
        if (xml)
            when_add_rfc3339_ms(out, *(const int64_t *)at);
        else
            when_add_rfc3339(out, *(const int64_t *)at);
        break;
    case FIELD_STRS:
    case FIELD_LIST:
    case FIELD_SUB:
    case FIELD_INLINE:
        break;
    }
}

static bool parse_flag(struct str text, bool *ret) {
    *ret = str_equal_nocase(text, STR("true")) || str_equal(text, STR("1"));
    return *ret || str_equal_nocase(text, STR("false")) || str_equal(text, STR("0"));
}

static bool parse_blob(struct str text, struct arena *arena, struct str *ret) {
    struct buf bytes;
    buf_init(&bytes, text.len + 1);
    bool ok = base64_decode(text, &bytes);
    if (ok)
        *ret = arena_str(arena, buf_str(&bytes));
    buf_deinit(&bytes);
    return ok;
}

static bool parse_number(const struct field *field, struct str text, int64_t *ret) {
    if (field->kind == FIELD_TIME)
        return when_parse(text, ret, NULL) == 0;
    if (field->kind == FIELD_INT || field->kind == FIELD_OPT)
        return units_i64(text, ret, NULL) == 0;
    return units_decimal_micro(text, ret, NULL) == 0;
}

enum leaf_result leaf_parse(const struct field *field, struct str text, struct arena *arena,
                            void *at) {
    must(field->kind < FIELD_STRS);
    bool truth = false;
    struct ec2_int number = {.set = true, .value = 0};
    switch ((enum field_kind)field->kind) {
    case FIELD_STR:
        *(struct str *)at = arena_str(arena, text);
        return LEAF_OK;
    case FIELD_BLOB:
        return parse_blob(text, arena, at) ? LEAF_OK : LEAF_BAD_BLOB;
    case FIELD_BOOL:
        if (!parse_flag(text, &truth))
            return LEAF_BAD;
        *(bool *)at = truth;
        return LEAF_OK;
    case FIELD_FLAG:
        if (!parse_flag(text, &truth))
            return LEAF_BAD;
        *(enum ec2_flag *)at = ec2_flag(truth);
        return LEAF_OK;
    case FIELD_INT:
    case FIELD_MICRO:
    case FIELD_PRICE:
    case FIELD_TIME:
    case FIELD_OPT:
    case FIELD_OPTMICRO:
        if (!parse_number(field, text, &number.value))
            return LEAF_BAD;
        if (field->kind == FIELD_OPT || field->kind == FIELD_OPTMICRO)
            *(struct ec2_int *)at = number;
        else
            *(int64_t *)at = number.value;
        return LEAF_OK;
    case FIELD_STRS:
    case FIELD_LIST:
    case FIELD_SUB:
    case FIELD_INLINE:
        break;
    }
    return LEAF_BAD;
}

void *list_new(const struct field *field, struct arena *arena, size_t count) {
    must(field->kind == FIELD_STRS || field->kind == FIELD_LIST);
    size_t size = field->kind == FIELD_STRS ? sizeof(struct str) : field->child->size;
    return count > 0 ? arena_new_array(arena, count, size) : NULL;
}
