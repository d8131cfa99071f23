/* Filters and pages, shared by all Describe calls. */
#include "cloud/state.h"

#include "base/units.h"

bool str_in(struct str s, const struct ec2_strs *list) {
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(s, list->items[i]))
            return true;
    return false;
}

int filter_check(struct ctx *x, const struct ec2_filters *filters, filter_get_fn *get) {
    for (size_t i = 0; i < filters->count; i++) {
        const struct ec2_filter *f = &filters->items[i];
        struct values none = {.count = 0};
        if (f->values.count > FILTER_VALUES_MAX)
            return ec2_fault_set(x->fault, "FilterLimitExceeded",
                                 "The filter '%.*s' has more than %d values", STR_ARG(f->name),
                                 FILTER_VALUES_MAX);
        if (!get(x, NULL, f->name, &none))
            return ec2_fault_set(x->fault, "InvalidParameterValue", "The filter '%.*s' is invalid",
                                 STR_ARG(f->name));
        if (f->values.count == 0)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "The filter '%.*s' has no values", STR_ARG(f->name));
    }
    return 0;
}

/* `\*` and `\?` stand for themselves: patterns with a backslash are compared as plain text. */
static bool filter_value_matches(struct str value, struct str pattern) {
    if (str_index_of(pattern, '\\') == pattern.len)
        return str_match(value, pattern);
    size_t v = 0;
    for (size_t p = 0; p < pattern.len; p++, v++) {
        if (pattern.ptr[p] == '\\' && p + 1 < pattern.len)
            p++;
        if (v >= value.len || value.ptr[v] != pattern.ptr[p])
            return false;
    }
    return v == value.len;
}

bool filter_match(struct ctx *x, const struct ec2_filters *filters, filter_get_fn *get,
                  const void *object) {
    must(object);
    for (size_t i = 0; i < filters->count; i++) {
        const struct ec2_filter *f = &filters->items[i];
        struct values have;
        have.count = 0;
        bool known = get(x, object, f->name, &have);
        must(known);
        bool hit = false;
        for (size_t v = 0; v < have.count && !hit; v++)
            for (size_t p = 0; p < f->values.count && !hit; p++)
                hit = filter_value_matches(have.items[v], f->values.items[p]);
        if (!hit)
            return false;
    }
    return true;
}

bool filter_tags(struct ctx *x, const struct cloud_tags *tags, struct str name,
                 struct values *ret) {
    bool key_only = str_equal(name, STR("tag-key"));
    if (!key_only && (!str_starts_with(name, STR("tag:")) || name.len == 4))
        return false;
    struct str key = key_only ? STR_EMPTY : str_skip(name, 4);
    for (size_t i = 0; tags && i < tags->count; i++) {
        if (tags->items[i].visible_ns > x->seen_ns)
            continue;
        if (key_only)
            values_add(ret, str_from(tags->items[i].key));
        else if (str_equal(key, str_from(tags->items[i].key)))
            values_add(ret, str_from(tags->items[i].value));
    }
    return true;
}

/* ---- pages ---------------------------------------------------------------------------------- */

static uint32_t page_check(const struct ctx *x, uint64_t position) {
    uint64_t z = position * UINT64_C(0x9e3779b97f4a7c15) + x->c->options.seed +
                 (uint64_t)x->in->action * 977;
    return (uint32_t)((z ^ (z >> 29)) * UINT64_C(0xbf58476d1ce4e5b9) >> 32);
}

struct str page_token(struct ctx *x, size_t position) {
    return str_from(arena_printf(x->arena, "%zu-%08x", position, page_check(x, position)));
}

int page_open(struct ctx *x, int64_t max_results, size_t low, size_t high, struct str next_token,
              struct page *ret_page) {
    struct page page = {.start = 0, .limit = SIZE_MAX};
    if (max_results != 0) {
        if (max_results < 0 || (uint64_t)max_results < low)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Value (%lld) for parameter maxResults is invalid. "
                                 "Expecting a value of %zu or more.",
                                 (long long)max_results, low);
        page.limit = MIN((size_t)max_results, high);
    }
    if (next_token.len > 0) {
        size_t dash = str_index_of(next_token, '-');
        uint64_t position = 0;
        if (units_u64(str_slice(next_token, 0, dash), &position, NULL) < 0 || position > UINT32_MAX)
            return ec2_fault_set(x->fault, "InvalidPaginationToken",
                                 "The pagination token is not valid");
        if (!str_equal(page_token(x, (size_t)position), next_token))
            return ec2_fault_set(x->fault, "InvalidPaginationToken",
                                 "The pagination token is not valid");
        page.start = (size_t)position;
    }
    *ret_page = page;
    return 0;
}
