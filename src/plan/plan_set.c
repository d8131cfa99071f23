/* plan_set.c - `--set path.to.key=value` on the tree, before it is read.
 *
 * The path goes down the tree and the key table side by side, so that a name that is in neither is
 * an error here, and a name of the table that the file leaves out is put in.
 */
#include "plan/plan_read.h"
#include "base/units.h"

#include <inttypes.h>

struct cursor {
    struct plan_reader *reader;
    struct plan_place place;            /* of the part of the path at hand */
    struct yaml_node *node;             /* our own copy */
    const struct plan_section *section; /* when the node is a map of known keys */
    const struct plan_key *key;         /* when it is what a key holds: named, list, pairs, texts */
};

static struct plan_error *set_error(struct cursor *c, struct str part, const char *what) {
    return plan_error_add(&c->reader->sink, c->place, (uint32_t)part.len, "%s \"%.*s\"", what,
                          STR_ARG(part));
}

/* The names of what is there, for the hint. */
static struct str names_of(struct cursor *c, const struct yaml_node *node) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(200);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *name = node->entries[i].key;
        if (!name)
            name = yaml_find(node->entries[i].value, STR("name"));
        if (name && name->kind == YAML_KIND_SCALAR)
            buf_printf(&b, "%s%.*s", b.len ? ", " : "there is ", STR_ARG(name->text));
    }
    return plan_error_text(&c->reader->sink, "%s", buf_text(&b));
}

static bool parse_item_number(struct str part, uint32_t count, uint32_t *ret) {
    uint64_t value;
    if (units_u64(part, &value, NULL) < 0 || value >= count)
        return false;
    *ret = (uint32_t)value;
    return true;
}

/* Item of a list by number or by the text of its label key. */
static bool find_item(struct cursor *c, struct str part, uint32_t *ret) {
    if (parse_item_number(part, c->node->count, ret))
        return true;
    for (uint32_t i = 0; i < c->node->count; i++) {
        const struct yaml_node *name = yaml_find(c->node->entries[i].value, STR("name"));
        if (!name || name->kind != YAML_KIND_SCALAR || !str_equal(name->text, part))
            continue;
        *ret = i;
        return true;
    }
    struct plan_error *error = set_error(c, part, "no item");
    error->hint = names_of(c, c->node);
    return false;
}

/* Whether a name that the map does not have may be put in. */
static bool may_add(struct cursor *c, struct str part) {
    if (c->section && !plan_key_find(c->section, part, NULL)) {
        const struct plan_key *near = plan_key_suggest(c->section, part);
        struct plan_error *error = set_error(c, part, "unknown key");
        if (near)
            error->hint = plan_error_text(&c->reader->sink, "did you mean \"%s\"?", near->name);
        error->help = plan_read_help(&c->reader->sink, c->section, near);
        return false;
    }
    if (c->key && c->key->type == TYPE_NAMED) {
        struct plan_error *error = set_error(c, part, "no role");
        error->hint = names_of(c, c->node);
        return false;
    }
    if (c->key && str_equal(str_from(c->key->name), STR("vars"))) {
        char used[160];
        snprintf(used, sizeof used, "vars.%.*s", STR_ARG(part));
        if (str_contains(c->reader->options->text, str_from(used)))
            return true;
        struct plan_error *error = set_error(c, part, "no variable");
        error->hint = names_of(c, c->node);
        return false;
    }
    return true;
}

/* Entry number of a part in the map at hand, which is added when it may be. */
static bool map_entry(struct cursor *c, struct str part, uint32_t *ret) {
    for (uint32_t i = 0; i < c->node->count; i++) {
        *ret = i;
        if (str_equal(c->node->entries[i].key->text, part))
            return true;
    }
    if (!may_add(c, part))
        return false;
    struct arena *arena = c->reader->arena;
    struct yaml_node *key = yaml_new(arena, YAML_KIND_SCALAR, c->place);
    key->text = arena_str(arena, part);
    key->width = (uint32_t)MAX(part.len, (size_t)1);
    yaml_append(arena, c->node, key, yaml_new(arena, YAML_KIND_MAP, c->place));
    *ret = c->node->count - 1;
    return true;
}

/* The entry that a part of the path names, or NULL after an error. */
static struct yaml_entry *find_entry(struct cursor *c, struct str part) {
    uint32_t index = 0;
    if (c->node->kind == YAML_KIND_SCALAR) {
        set_error(c, part, "one value has no key");
        return NULL;
    }
    bool found =
        c->node->kind == YAML_KIND_LIST ? find_item(c, part, &index) : map_entry(c, part, &index);
    return found ? &c->node->entries[index] : NULL;
}

/* Go down to what `part` names. */
static bool step(struct cursor *c, struct str part) {
    struct yaml_entry *entry = find_entry(c, part);
    if (!entry)
        return false;
    const struct plan_key *key = NULL;
    const struct plan_section *section = NULL;
    if (c->section)
        key = plan_key_find(c->section, part, NULL);
    else if (c->key && (c->key->type == TYPE_NAMED || c->key->type == TYPE_LIST))
        section = c->key->section;
    if (key && key->type == TYPE_MAP) {
        section = key->section;
        entry->value = plan_read_expand(c->reader, key, entry->value);
    }
    if (yaml_is_null(entry->value))
        entry->value = yaml_new(c->reader->arena, YAML_KIND_MAP, c->place);
    entry->value = yaml_copy(c->reader->arena, entry->value);
    c->node = entry->value;
    c->section = section;
    c->key = section ? NULL : key;
    return true;
}

static bool apply(struct cursor *c, struct str set, int32_t number) {
    size_t equals = str_index_of(set, '=');
    struct str path = str_slice(set, 0, equals), part;
    c->place = (struct plan_place){-number, 1};
    if (equals == set.len || equals == 0) {
        plan_error_add(&c->reader->sink, c->place, 1, "--set takes path=value: vars.peak=500/s");
        return false;
    }
    struct yaml_node *value =
        yaml_parse(str_skip(set, equals + 1), number, (int32_t)equals + 2, &c->reader->sink, NULL);
    if (!value)
        return false;
    for (int depth = 0; str_split(&path, '.', &part); depth++) {
        bool last = path.ptr == NULL || (size_t)(part.ptr - set.ptr) + part.len == equals;
        c->place.column = (int32_t)(part.ptr - set.ptr) + 1;
        if (part.len == 0 || depth == YAML_DEPTH_MAX) {
            set_error(c, part, "not a path:");
            return false;
        }
        if (!last) {
            if (!step(c, part))
                return false;
            continue;
        }
        struct yaml_entry *entry = find_entry(c, part);
        if (entry)
            entry->value = value;
        return entry != NULL;
    }
    return false;
}

struct yaml_node *plan_set_apply(struct plan_reader *r, struct yaml_node *root) {
    for (uint32_t i = 0; i < r->options->set_count; i++) {
        struct cursor c = {.reader = r, .section = &PLAN_SECTION};
        if (root->kind != YAML_KIND_MAP)
            return root;
        root = yaml_copy(r->arena, root);
        c.node = root;
        ignore(apply(&c, r->options->sets[i], (int32_t)i + 1)); /* errors are in the sink */
    }
    return root;
}
