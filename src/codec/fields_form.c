#include "codec/fields.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/units.h"
#include "codec/fields_leaf.h"
#include "codec/form.h"

#define VALUE_BYTES_MAX (2 * REPLY_BYTES_MAX) /* base64 of the largest blob we could hold */

/* --- out --- */

struct form_writer {
    struct buf *out;
    struct buf value;
    char prefix[FORM_NAME_BYTES_MAX + 1];
    size_t prefix_len;
};

/* Go one level down: ".name" (no dot at the top); returns what to put back. */
static size_t writer_push(struct form_writer *w, const char *name) {
    size_t before = w->prefix_len;
    int size = snprintf(w->prefix + before, sizeof w->prefix - before, "%s%s",
                        before > 0 ? "." : "", name);
    must(size > 0 && (size_t)size < sizeof w->prefix - before);
    w->prefix_len = before + (size_t)size;
    return before;
}

static size_t writer_push_index(struct form_writer *w, size_t number) {
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    return writer_push(w, text);
}

static void writer_pop(struct form_writer *w, size_t before) {
    w->prefix_len = before;
    w->prefix[before] = '\0';
}

static void writer_value(struct form_writer *w, struct str value) {
    form_add(w->out, (struct str){w->prefix, w->prefix_len}, value);
}

static void form_write_struct(struct form_writer *w, const struct fields *fields, const void *base);

static void form_write_list(struct form_writer *w, const struct field *field, const void *at) {
    const struct any_list *list = at;
    for (size_t i = 0; i < list->count; i++) {
        size_t before = writer_push_index(w, i + 1);
        if (field->kind == FIELD_STRS)
            writer_value(w, ((const struct str *)list->items)[i]);
        else
            form_write_struct(w, field->child, field_list_item(field, list, i));
        writer_pop(w, before);
    }
}

static void form_write_field(struct form_writer *w, const struct field *field, const void *base) {
    const void *at = field_member(field, base);
    if (!field->form || field_absent(field, base))
        return;
    if (field->kind == FIELD_INLINE) {
        form_write_struct(w, field->child, at);
        return;
    }
    size_t before = writer_push(w, field->form);
    if (field->kind == FIELD_SUB) {
        form_write_struct(w, field->child, at);
    } else if (field->kind == FIELD_STRS || field->kind == FIELD_LIST) {
        form_write_list(w, field, at);
    } else {
        buf_reset(&w->value);
        leaf_text(field, at, false, &w->value);
        writer_value(w, buf_str(&w->value));
    }
    writer_pop(w, before);
}

static void form_write_struct(struct form_writer *w, const struct fields *fields,
                              const void *base) {
    for (size_t i = 0; i < fields->count; i++)
        form_write_field(w, &fields->items[i], base);
}

void fields_form_encode(const struct fields *fields, const void *from, struct buf *out) {
    struct form_writer w = {.out = out};
    buf_init(&w.value, VALUE_BYTES_MAX);
    form_write_struct(&w, fields, from);
    buf_deinit(&w.value);
}

/* --- in: cutting and sorting --- */

static bool fail(struct form_problem *problem, enum form_trouble trouble, struct str name,
                 struct str value) {
    *problem = (struct form_problem){.trouble = trouble, .name = name, .value = value};
    return false;
}

static struct str param_segment(const struct form_param *p, size_t index) {
    must(index < p->segments);
    return str_slice(p->name, p->starts[index], p->starts[index + 1] - 1u);
}

/* Note where the parts of the name start.  False when there are too many, or an empty one. */
static bool param_cut(struct form_param *p) {
    if (p->name.len == 0 || p->name.len > FORM_NAME_BYTES_MAX)
        return false;
    p->segments = 0;
    size_t start = 0;
    for (size_t i = 0; i <= p->name.len; i++) {
        if (i < p->name.len && p->name.ptr[i] != '.')
            continue;
        if (i == start || p->segments == FORM_SEGMENTS_MAX)
            return false;
        p->starts[p->segments++] = (uint16_t)start;
        start = i + 1;
    }
    p->starts[p->segments] = (uint16_t)start;
    return true;
}

/* Index of a list item: 1.. without sign or leading zero; 0 when it is none. */
static uint64_t segment_index(struct str s) {
    uint64_t value = 0;
    if (s.len == 0 || s.len > 6 || s.ptr[0] == '0')
        return 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return 0;
        value = value * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    return value;
}

/* Parts in byte order, numbers by their value: Tag.2 before Tag.10. */
static int param_compare(const void *left, const void *right) {
    const struct form_param *a = left, *b = right;
    for (size_t i = 0; i < a->segments && i < b->segments; i++) {
        struct str x = param_segment(a, i), y = param_segment(b, i);
        uint64_t xi = segment_index(x), yi = segment_index(y);
        if (xi > 0 && yi > 0 && xi != yi)
            return xi < yi ? -1 : 1;
        int order = str_compare(x, y);
        if (order != 0)
            return order;
    }
    return (int)a->segments - (int)b->segments;
}

static bool decode_text(struct str text, struct arena *arena, struct str *ret) {
    struct buf bytes;
    buf_init(&bytes, text.len + 1);
    bool ok = form_decode(text, true, &bytes);
    if (ok)
        *ret = arena_str(arena, buf_str(&bytes));
    buf_deinit(&bytes);
    return ok;
}

static size_t count_pairs(struct str body) {
    struct str name, value;
    size_t count = 0;
    while (form_next(&body, &name, &value))
        count++;
    return count;
}

bool form_params_parse(struct str body, struct arena *arena, struct form_params *ret_params,
                       struct form_problem *ret_problem) {
    size_t count = count_pairs(body);
    if (count > FORM_PARAMS_MAX)
        return fail(ret_problem, FORM_TOO_MANY, STR_EMPTY, STR_EMPTY);
    struct form_params params = {.items = arena_new_array(arena, count + 1, sizeof *params.items)};
    struct str name, value;
    while (form_next(&body, &name, &value)) {
        struct form_param *p = &params.items[params.count++];
        if (!decode_text(name, arena, &p->name) || !decode_text(value, arena, &p->value))
            return fail(ret_problem, FORM_MALFORMED, arena_str(arena, name), STR_EMPTY);
        if (!param_cut(p))
            return fail(ret_problem, FORM_UNKNOWN, p->name, STR_EMPTY);
    }
    must(params.count == count);
    qsort(params.items, params.count, sizeof *params.items, param_compare);
    for (size_t i = 1; i < params.count; i++)
        if (param_compare(&params.items[i - 1], &params.items[i]) == 0)
            return fail(ret_problem, FORM_TWICE, params.items[i].name, params.items[i].value);
    *ret_params = params;
    return true;
}

bool form_params_take(struct form_params *params, struct str name, struct str *ret_value) {
    for (size_t i = 0; i < params->count; i++) {
        if (!str_equal(params->items[i].name, name))
            continue;
        *ret_value = params->items[i].value;
        for (size_t j = i + 1; j < params->count; j++)
            params->items[j - 1] = params->items[j];
        params->count--;
        return true;
    }
    return false;
}

/* --- in: filling structs --- */

/* A run of sorted parameters that share their first `depth` parts. */
struct form_run {
    const struct form_param *first;
    size_t count;
    size_t depth;
};

struct form_reader {
    struct arena *arena;
    struct form_problem *problem;
};

/* Cut off the parameters that agree with the first one in the part at run->depth. */
static struct form_run run_take(struct form_run *run) {
    must(run->count > 0);
    struct str part = param_segment(run->first, run->depth);
    size_t count = 1;
    while (count < run->count && run->first[count].segments > run->depth &&
           str_equal(param_segment(&run->first[count], run->depth), part))
        count++;
    struct form_run head = {run->first, count, run->depth + 1};
    run->first += count;
    run->count -= count;
    return head;
}

static bool run_is_leaf(const struct form_run *run) {
    return run->first->segments == run->depth;
}

static bool fail_unknown(struct form_reader *r, const struct form_run *run) {
    return fail(r->problem, FORM_UNKNOWN, run->first->name, run->first->value);
}

/* The member named `name`, going into INLINE ones; *base moves to the struct it is in. */
static const struct field *find_by_form(const struct fields *fields, struct str name,
                                        const char **base) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        if (field->kind == FIELD_INLINE) {
            const char *inner = *base + field->offset;
            const struct field *found = find_by_form(field->child, name, &inner);
            if (found) {
                *base = inner;
                return found;
            }
        } else if (field->form && str_equal(str_from(field->form), name)) {
            return field;
        }
    }
    return NULL;
}

static bool read_struct(struct form_reader *r, const struct fields *fields, struct form_run run,
                        char *into);

static bool read_leaf(struct form_reader *r, const struct field *field, struct form_run run,
                      void *at) {
    if (!run_is_leaf(&run) || run.count != 1)
        return fail_unknown(r, &run);
    enum leaf_result result = leaf_parse(field, run.first->value, r->arena, at);
    bool zero = result == LEAF_OK && field->kind == FIELD_INT && (field->flags & FIELD_REQUIRED) &&
                *(const int64_t *)at == 0;
    if (result == LEAF_BAD_BLOB)
        return fail(r->problem, FORM_BAD_BLOB, run.first->name, run.first->value);
    if (result == LEAF_BAD || zero)
        return fail(r->problem, FORM_BAD_VALUE, run.first->name, run.first->value);
    return true;
}

static size_t run_count_items(struct form_run run) {
    size_t count = 0;
    while (run.count > 0) {
        ignore(run_take(&run).count); /* only how often */
        count++;
    }
    return count;
}

/* Name.1, Name.2, ...: gaps in the numbers are closed, as AWS does it. */
static bool read_list(struct form_reader *r, const struct field *field, struct form_run run,
                      struct any_list *list) {
    if (run_is_leaf(&run))
        return fail_unknown(r, &run);
    size_t count = run_count_items(run);
    char *items = list_new(field, r->arena, count);
    for (size_t i = 0; i < count; i++) {
        struct form_run item = run_take(&run);
        if (segment_index(param_segment(item.first, item.depth - 1)) == 0)
            return fail_unknown(r, &item);
        if (field->kind == FIELD_STRS) {
            static const struct field text = {.kind = FIELD_STR};
            if (!read_leaf(r, &text, item, items + i * sizeof(struct str)))
                return false;
        } else if (!read_struct(r, field->child, item, items + i * field->child->size)) {
            return false;
        }
    }
    must(run.count == 0);
    list->items = items;
    list->count = count;
    return true;
}

static bool read_field(struct form_reader *r, const struct field *field, struct form_run run,
                       char *base) {
    void *at = base + field->offset;
    switch ((enum field_kind)field->kind) {
    case FIELD_STRS:
    case FIELD_LIST:
        return read_list(r, field, run, at);
    case FIELD_SUB:
        return read_struct(r, field->child, run, at);
    case FIELD_INLINE:
        break; /* find_by_form went into it */
    case FIELD_STR:
    case FIELD_BLOB:
    case FIELD_BOOL:
    case FIELD_FLAG:
    case FIELD_INT:
    case FIELD_OPT:
    case FIELD_MICRO:
    case FIELD_OPTMICRO:
    case FIELD_PRICE:
    case FIELD_TIME:
        return read_leaf(r, field, run, at);
    }
    must(field->kind != FIELD_INLINE);
    return false;
}

static bool read_struct(struct form_reader *r, const struct fields *fields, struct form_run run,
                        char *into) {
    if (run.count > 0 && run_is_leaf(&run))
        return fail_unknown(r, &run);
    while (run.count > 0) {
        struct form_run part = run_take(&run);
        const char *base = into;
        const struct field *field =
            find_by_form(fields, param_segment(part.first, part.depth - 1), &base);
        if (!field)
            return fail_unknown(r, &part);
        if (!read_field(r, field, part, into + (base - into)))
            return false;
    }
    return true;
}

static bool check_required(const struct fields *fields, const void *from,
                           struct form_problem *problem) {
    for (size_t i = 0; i < fields->count; i++) {
        const struct field *field = &fields->items[i];
        bool absent = field_absent(field, from);
        if ((field->flags & FIELD_REQUIRED) && absent)
            return fail(problem, FORM_MISSING, str_from(field->form), STR_EMPTY);
        bool inner = field->kind == FIELD_INLINE || (field->kind == FIELD_SUB && !absent);
        if (inner && !check_required(field->child, field_member(field, from), problem))
            return false;
    }
    return true;
}

bool fields_form_decode(const struct fields *fields, const struct form_params *params,
                        struct arena *arena, void *into, struct form_problem *ret_problem) {
    struct form_reader r = {.arena = arena, .problem = ret_problem};
    struct form_run run = {params->items, params->count, 0};
    *ret_problem = (struct form_problem){.trouble = FORM_OK};
    return read_struct(&r, fields, run, into) && check_required(fields, into, ret_problem);
}
