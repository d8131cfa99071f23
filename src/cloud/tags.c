#include "cloud/state.h"

#define TAG_KEY_MAX 128
#define TAG_VALUE_MAX 256

/* ---- a set of tags -------------------------------------------------------------------------- */

void tags_deinit(struct cloud_tags *t) {
    for (size_t i = 0; i < t->count; i++) {
        mem_free(t->items[i].key);
        mem_free(t->items[i].value);
    }
    mem_free(t->items);
    *t = (struct cloud_tags){0};
}

static size_t tags_index(const struct cloud_tags *t, struct str key) {
    size_t i = 0;
    while (i < t->count && !str_equal(str_from(t->items[i].key), key))
        i++;
    return i;
}

void tags_set(struct cloud_tags *t, struct str key, struct str value, uint64_t visible_ns) {
    size_t i = tags_index(t, key);
    if (i < t->count) {
        mem_free(t->items[i].value);
        t->items[i].value = str_dup(value);
        return;
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 8;
        t->items = mem_resize(t->items, t->capacity * sizeof *t->items);
    }
    t->items[t->count++] =
        (struct cloud_tag){.key = str_dup(key), .value = str_dup(value), .visible_ns = visible_ns};
}

void tags_remove(struct cloud_tags *t, struct str key) {
    size_t i = tags_index(t, key);
    if (i == t->count)
        return;
    mem_free(t->items[i].key);
    mem_free(t->items[i].value);
    t->count--;
    memmove(&t->items[i], &t->items[i + 1], (t->count - i) * sizeof *t->items);
}

struct ec2_tags tags_reply(struct arena *arena, const struct cloud_tags *t, uint64_t seen_ns) {
    struct ec2_tags reply = {0};
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].visible_ns <= seen_ns)
            *LIST_ADD(arena, &reply) = (struct ec2_tag){
                .key = arena_str(arena, str_from(t->items[i].key)),
                .value = arena_str(arena, str_from(t->items[i].value)),
            };
    return reply;
}

/* ---- rules ---------------------------------------------------------------------------------- */

int tags_check(struct ctx *x, const struct ec2_tags *tags) {
    if (tags->count > TAGS_PER_RESOURCE_MAX)
        return ec2_fault_set(x->fault, "TagLimitExceeded", "A resource has at most %d tags",
                             TAGS_PER_RESOURCE_MAX);
    for (size_t i = 0; i < tags->count; i++) {
        struct str key = tags->items[i].key;
        struct str value = tags->items[i].value;
        if (key.len == 0 || key.len > TAG_KEY_MAX)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Tag key must have 1 to %d characters", TAG_KEY_MAX);
        if (value.len > TAG_VALUE_MAX)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Tag value must have at most %d characters", TAG_VALUE_MAX);
        if (str_starts_with(key, STR("aws:")))
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Tag keys starting with 'aws:' are reserved for internal use");
        for (size_t k = 0; k < i; k++)
            if (str_equal(tags->items[k].key, key))
                return ec2_fault_set(x->fault, "InvalidParameterValue",
                                     "Duplicate tag key '%.*s' specified.", STR_ARG(key));
    }
    return 0;
}

int tags_check_specs(struct ctx *x, const struct ec2_tag_specs *specs, const char *const *types) {
    for (size_t i = 0; i < specs->count; i++) {
        const struct ec2_tag_spec *spec = &specs->items[i];
        bool allowed = false;
        for (const char *const *type = types; *type && !allowed; type++)
            allowed = str_equal(spec->resource_type, str_from(*type));
        if (!allowed)
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "'%.*s' is not a valid taggable resource type for this operation.",
                                 STR_ARG(spec->resource_type));
        TRY(tags_check(x, &spec->tags));
    }
    return 0;
}

uint64_t tags_visible_ns(struct ctx *x) {
    struct cloud *c = x->c;
    return c->now_ns + cloud_draw(&c->delays, c->options.visible_ns);
}

void tags_apply(struct ctx *x, struct cloud_tags *t, const struct ec2_tag_specs *specs,
                const char *type) {
    if (x->drop_tags)
        return;
    uint64_t visible_ns = tags_visible_ns(x);
    for (size_t i = 0; i < specs->count; i++) {
        const struct ec2_tag_spec *spec = &specs->items[i];
        if (!str_equal(spec->resource_type, str_from(type)))
            continue;
        for (size_t k = 0; k < spec->tags.count; k++)
            tags_set(t, spec->tags.items[k].key, spec->tags.items[k].value, visible_ns);
    }
}

/* ---- every resource that has tags ----------------------------------------------------------- */

struct tagged {
    struct str id;
    const char *type;
    struct cloud_tags *tags;
};

/* The n-th tagged resource of the cloud, existing or visible ones only; false at the end. */
static bool tagged_next(struct ctx *x, size_t *cursor, struct tagged *ret) {
    struct cloud *c = x->c;
    for (;; (*cursor)++) {
        size_t n = *cursor;
        if (n < c->instances.count) {
            struct instance *i = c->instances.items[n];
            if (!instance_is_visible(c, i, x->seen_ns))
                continue;
            *ret = (struct tagged){str_from(i->pub.id), "instance", &i->pub.tags};
        } else if ((n -= c->instances.count) < c->groups.count) {
            struct group *g = c->groups.items[n];
            if (!g->exists)
                continue;
            *ret = (struct tagged){str_from(g->id), "security-group", &g->tags};
        } else if ((n -= c->groups.count) < c->keys.count) {
            struct key_pair *k = c->keys.items[n];
            if (!k->exists)
                continue;
            *ret = (struct tagged){str_from(k->id), "key-pair", &k->tags};
        } else if ((n -= c->keys.count) < c->templates.count) {
            struct template *t = c->templates.items[n];
            if (!t->exists)
                continue;
            *ret = (struct tagged){str_from(t->id), "launch-template", &t->tags};
        } else if ((n -= c->templates.count) < c->fleets.count) {
            struct fleet *f = c->fleets.items[n];
            if (!f->exists)
                continue;
            *ret = (struct tagged){str_from(f->id), "fleet", &f->tags};
        } else if ((n -= c->fleets.count) < c->options.zones) {
            struct zone *z = &c->zones[n];
            *ret = (struct tagged){str_from(z->subnet_id), "subnet", &z->subnet_tags};
        } else if (n - c->options.zones == 0) {
            *ret = (struct tagged){str_from(c->vpc_id), "vpc", &c->vpc_tags};
        } else {
            return false;
        }
        (*cursor)++;
        return true;
    }
}

static const char *tagged_missing_code(struct str id) {
    static const struct {
        const char *prefix, *code;
    } codes[] = {
        {"i-", "InvalidInstanceID.NotFound"},  {"sg-", "InvalidGroup.NotFound"},
        {"key-", "InvalidKeyPair.NotFound"},   {"lt-", "InvalidLaunchTemplateId.NotFound"},
        {"fleet-", "InvalidFleetId.NotFound"}, {"subnet-", "InvalidSubnetID.NotFound"},
        {"vpc-", "InvalidVpcID.NotFound"},
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (str_starts_with(id, str_from(codes[i].prefix)))
            return codes[i].code;
    return "InvalidID";
}

static int tagged_find(struct ctx *x, struct str id, struct tagged *ret) {
    struct instance *i = instance_find(x->c, id);
    if (i && instance_is_visible(x->c, i, x->seen_ns)) {
        *ret = (struct tagged){str_from(i->pub.id), "instance", &i->pub.tags};
        return 0;
    }
    size_t cursor = x->c->instances.count;
    while (tagged_next(x, &cursor, ret))
        if (str_equal(ret->id, id))
            return 0;
    return ec2_fault_set(x->fault, tagged_missing_code(id), "The ID '%.*s' does not exist",
                         STR_ARG(id));
}

/* ---- calls ---------------------------------------------------------------------------------- */

struct tag_row {
    struct tagged of;
    const struct cloud_tag *tag;
};

static bool tags_filter_get(struct ctx *x, const void *object, struct str name,
                            struct values *ret) {
    (void)x;
    const struct tag_row *row = object;
    if (str_equal(name, STR("resource-id")))
        values_add(ret, row ? row->of.id : STR_EMPTY);
    else if (str_equal(name, STR("resource-type")))
        values_add(ret, row ? str_from(row->of.type) : STR_EMPTY);
    else if (str_equal(name, STR("key")))
        values_add(ret, row ? str_from(row->tag->key) : STR_EMPTY);
    else if (str_equal(name, STR("value")))
        values_add(ret, row ? str_from(row->tag->value) : STR_EMPTY);
    else if (str_starts_with(name, STR("tag:")) && row) {
        if (str_equal(str_skip(name, 4), str_from(row->tag->key)))
            values_add(ret, str_from(row->tag->value));
    } else {
        return str_starts_with(name, STR("tag:"));
    }
    return true;
}

int tags_describe(struct ctx *x) {
    const struct ec2_describe_tags_in *in = &x->in->describe_tags;
    struct ec2_describe_tags_out *out = &x->out->describe_tags;
    struct page page;
    TRY(filter_check(x, &in->filters, tags_filter_get));
    TRY(page_open(x, in->max_results, 5, 1000, in->next_token, &page));
    size_t cursor = 0;
    size_t position = 0; /* counts rows that match */
    struct tag_row row;
    while (tagged_next(x, &cursor, &row.of)) {
        for (size_t i = 0; i < row.of.tags->count; i++) {
            row.tag = &row.of.tags->items[i];
            if (row.tag->visible_ns > x->seen_ns ||
                !filter_match(x, &in->filters, tags_filter_get, &row) || position++ < page.start)
                continue;
            if (out->tags.count == page.limit) {
                out->next_token = page_token(x, position - 1);
                return 0;
            }
            *LIST_ADD(x->arena, &out->tags) = (struct ec2_resource_tag){
                .resource_id = row.of.id,
                .resource_type = str_from(row.of.type),
                .key = str_from(row.tag->key),
                .value = str_from(row.tag->value),
            };
        }
    }
    return 0;
}

int tags_create(struct ctx *x) {
    const struct ec2_create_tags_in *in = &x->in->create_tags;
    if (in->resource_ids.count > 1000)
        return ec2_fault_set(x->fault, "InvalidParameterValue", "At most 1000 resources a call");
    TRY(tags_check(x, &in->tags));
    /* All or nothing: every resource is looked up before the first is changed. */
    for (size_t i = 0; i < in->resource_ids.count; i++) {
        struct tagged found;
        TRY(tagged_find(x, in->resource_ids.items[i], &found));
        size_t after = found.tags->count;
        for (size_t k = 0; k < in->tags.count; k++)
            after += tags_index(found.tags, in->tags.items[k].key) == found.tags->count;
        if (after > TAGS_PER_RESOURCE_MAX + 3) /* aws: tags do not count */
            return ec2_fault_set(x->fault, "TagLimitExceeded", "A resource has at most %d tags",
                                 TAGS_PER_RESOURCE_MAX);
    }
    uint64_t visible_ns = tags_visible_ns(x);
    for (size_t i = 0; i < in->resource_ids.count && !x->drop_tags; i++) {
        struct tagged found;
        TRY(tagged_find(x, in->resource_ids.items[i], &found));
        for (size_t k = 0; k < in->tags.count; k++)
            tags_set(found.tags, in->tags.items[k].key, in->tags.items[k].value, visible_ns);
    }
    x->out->create_tags.done = true;
    return 0;
}

static bool tags_delete_hits(const struct ec2_tags *wanted, const struct cloud_tag *tag) {
    if (str_starts_with(str_from(tag->key), STR("aws:")))
        return false;
    if (wanted->count == 0)
        return true;
    for (size_t i = 0; i < wanted->count; i++) {
        const struct ec2_tag *w = &wanted->items[i];
        if (str_equal(w->key, str_from(tag->key)) &&
            (!w->value.ptr || str_equal(w->value, str_from(tag->value))))
            return true;
    }
    return false;
}

int tags_delete(struct ctx *x) {
    const struct ec2_delete_tags_in *in = &x->in->delete_tags;
    for (size_t i = 0; i < in->tags.count; i++)
        if (str_starts_with(in->tags.items[i].key, STR("aws:")))
            return ec2_fault_set(x->fault, "InvalidParameterValue",
                                 "Tag keys starting with 'aws:' are reserved for internal use");
    struct tagged found;
    for (size_t i = 0; i < in->resource_ids.count; i++)
        TRY(tagged_find(x, in->resource_ids.items[i], &found));
    for (size_t i = 0; i < in->resource_ids.count; i++) {
        TRY(tagged_find(x, in->resource_ids.items[i], &found));
        for (size_t k = found.tags->count; k > 0; k--)
            if (tags_delete_hits(&in->tags, &found.tags->items[k - 1]))
                tags_remove(found.tags, str_from(found.tags->items[k - 1].key));
    }
    x->out->delete_tags.done = true;
    return 0;
}
