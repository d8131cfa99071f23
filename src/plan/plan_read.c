#include "plan/plan_read.h"

#include <inttypes.h>

struct file_read {
    struct file_read *next;
    struct str path, text;
};

/* ---- places and help ---- */

static size_t line_offset(struct str text, int32_t line) {
    size_t at = 0;
    for (int32_t i = 1; i < line && at < text.len; i++)
        at += str_index_of(str_skip(text, at), '\n') + 1;
    return MIN(at, text.len);
}

/* Byte offset in the file of the k-th `${{` at or after a place; false when there is none. */
static bool find_template(struct str text, struct plan_place place, uint32_t number, size_t *ret) {
    size_t at = line_offset(text, place.line);
    for (int32_t i = 1; i < place.column && at < text.len; i++) {
        at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80)
            at++;
    }
    for (uint32_t i = 0;; i++) {
        at += str_index_of_str(str_skip(text, at), STR("${{"));
        if (at >= text.len)
            return false;
        if (i == number)
            break;
        at += 3;
    }
    *ret = at;
    return true;
}

struct plan_place plan_read_place(const struct plan_reader *reader, const struct yaml_node *node,
                                  size_t at) {
    struct plan_place place = node->place;
    struct str text = node->text, file = reader->options->text;
    if (place.line == 0)
        return place;
    uint32_t number = 0;
    size_t start = SIZE_MAX, offset;
    for (size_t i = 0; i <= at && i + 3 <= text.len; i++) {
        if (!str_starts_with(str_skip(text, i), STR("${{")))
            continue;
        number += start != SIZE_MAX;
        start = i;
    }
    if (place.line > 0 && start != SIZE_MAX && find_template(file, place, number, &offset)) {
        size_t line = 0, end = MIN(offset + (at - start), file.len);
        place.line = 1;
        for (size_t i = 0; i < end; i++) {
            place.line += file.ptr[i] == '\n';
            line = file.ptr[i] == '\n' ? i + 1 : line;
        }
        place.column = 1;
        for (size_t i = line; i < end; i++)
            place.column += ((unsigned char)file.ptr[i] & 0xC0) != 0x80;
        return place;
    }
    if (node->width > at)
        place.column += (int32_t)at + !node->plain;
    return place;
}

struct str plan_read_help(struct plan_sink *sink, const struct plan_section *section,
                          const struct plan_key *key) {
    CLEANUP(buf_deinit) struct buf b = BUF_INIT(200);
    struct str path = str_from(section->path), part;
    buf_add_text(&b, "dayfly explain");
    char before = ' ';
    while (str_split(&path, '.', &part)) {
        if (part.len == 0)
            break; /* the file itself has no path */
        if (str_ends_with(part, STR("[]")))
            part.len -= 2;
        if (str_equal(part, STR("NAME")))
            continue;
        buf_add_byte(&b, before);
        buf_add_str(&b, part);
        before = '.';
    }
    if (key)
        buf_printf(&b, "%c%s", before, key->name); /* " roles", ".count" */
    else if (before == ' ')
        buf_add_text(&b, " --all");
    return plan_error_text(sink, "%s", buf_text(&b));
}

/* ---- load-time templates ---- */

static int name_value(void *context, struct arena *arena, const struct template_name *name,
                      struct template_value *ret, struct err *err) {
    struct plan_reader *r = context;
    struct str wanted = name->part[1];
    if (str_equal(name->part[0], STR("env"))) {
        const char *value = r->options->env
                                ? r->options->env(r->options->context, arena_text(arena, wanted))
                                : NULL;
        if (!value)
            return err_set(err, ERR_NOT_FOUND, "\"env.%.*s\" is not set in the environment",
                           STR_ARG(wanted));
        ret->text = arena_str(arena, str_from(value));
        return 0;
    }
    struct str near = STR_EMPTY;
    unsigned least = 3;
    for (uint32_t i = 0; i < r->vars.count; i++) {
        if (str_equal(r->vars.items[i].name, wanted)) {
            ret->text = r->vars.items[i].value;
            if (ret->text.ptr)
                return 0;
            r->poisoned = true;
            return err_set(err, ERR_PARSE, "the variable is wrong itself");
        }
        unsigned distance = str_distance(r->vars.items[i].name, wanted);
        if (distance < least && distance < wanted.len) {
            least = distance;
            near = r->vars.items[i].name;
        }
    }
    if (near.len)
        return err_set(err, ERR_NOT_FOUND,
                       "\"vars.%.*s\" is not defined, did you mean \"vars.%.*s\"?", STR_ARG(wanted),
                       STR_ARG(near));
    return err_set(err, ERR_NOT_FOUND, "\"vars.%.*s\" is not defined (under vars, or above it)",
                   STR_ARG(wanted));
}

static int file_text(void *context, struct arena *arena, struct str path, struct str *ret_text,
                     struct err *err) {
    struct plan_reader *r = context;
    for (struct file_read *file = r->files; file; file = file->next) {
        if (str_equal(file->path, path)) {
            *ret_text = file->text;
            return 0;
        }
    }
    if (!r->options->read_file)
        return err_set(err, ERR_NOT_FOUND, "file() cannot be used here");
    struct str text;
    TRY(r->options->read_file(r->options->context, arena, path, &text, err));
    if (memchr(text.ptr ? text.ptr : "", 0, text.len))
        return err_set(err, ERR_PARSE, "\"%.*s\" is not a text file", STR_ARG(path));
    struct file_read *file = arena_new(arena, sizeof *file);
    *file = (struct file_read){r->files, arena_str(arena, path), text};
    r->files = file;
    *ret_text = text;
    return 0;
}

static void add_pending(struct plan_reader *r, const struct yaml_node *node,
                        const struct plan_key *key) {
    if (r->pending_count == r->pending_capacity) {
        uint32_t capacity = r->pending_capacity ? 2 * r->pending_capacity : 32;
        struct plan_pending *grown = arena_new_array(r->arena, capacity, sizeof *grown);
        if (r->pending_count)
            memcpy(grown, r->pending, r->pending_count * sizeof *grown);
        r->pending = grown;
        r->pending_capacity = capacity;
    }
    r->pending[r->pending_count++] = (struct plan_pending){node, key, r->in_phases};
}

static bool resolve(struct plan_reader *r, const struct yaml_node *node, const struct plan_key *key,
                    struct str *ret) {
    struct template_env env = {.name = name_value, .file = file_text, .context = r};
    enum template_time time = key->flags & KEY_NODE ? TEMPLATE_NODE : TEMPLATE_LOAD_ONLY;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(TEMPLATE_TEXT_MAX + 1);
    struct err err = {0};
    size_t at = 0;
    r->poisoned = false;
    if (template_resolve_load(node->text, time, &env, r->arena, &out, &at, &err) < 0) {
        if (r->poisoned)
            return false;
        plan_error_add(&r->sink, plan_read_place(r, node, at), 1, "%s: %s", key->name, err.text);
        return false;
    }
    r->resolved_bytes += out.len;
    if (r->resolved_bytes > PLAN_RESOLVED_BYTES_MAX) {
        plan_error_add(&r->sink, node->place, 1,
                       "%s: all texts together are longer than 16 MiB when templates are put in",
                       key->name);
        return false;
    }
    *ret = arena_str(r->arena, buf_str(&out));
    if (template_has(*ret))
        add_pending(r, node, key);
    return true;
}

/* ---- scalars ---- */

static const char *kind_name(const struct yaml_node *node) {
    return node->kind == YAML_KIND_MAP    ? "a map"
           : node->kind == YAML_KIND_LIST ? "a list"
                                          : "one value";
}

static void wrong_kind(struct plan_reader *r, const struct plan_key *key, const char *name,
                       const struct yaml_node *node, const char *wanted) {
    if (yaml_is_null(node)) {
        plan_error_add(&r->sink, node->place, 1, "\"%s\" has no value: give it one or leave it out",
                       name);
        return;
    }
    struct plan_error *error =
        plan_error_add(&r->sink, node->place, node->width, "%s: must be %s, not %s", name, wanted,
                       kind_name(node));
    if (key && key->example)
        error->note = plan_error_text(&r->sink, "%s: %s", key->name, key->example);
}

/* The text of a scalar with its load-time templates put in. */
static bool scalar_text(struct plan_reader *r, const struct plan_key *key, const char *name,
                        const struct yaml_node *node, struct str *ret) {
    if (node->kind != YAML_KIND_SCALAR || yaml_is_null(node)) {
        wrong_kind(r, key, name, node, "one text");
        return false;
    }
    *ret = node->text;
    return template_has(node->text) ? resolve(r, node, key, ret) : true;
}

static bool read_scalar(struct plan_reader *r, const struct plan_section *section,
                        const struct plan_key *key, const struct yaml_node *node, void *field) {
    struct str text;
    struct err err = {0};
    size_t at = 0;
    if (node->kind != YAML_KIND_SCALAR || yaml_is_null(node)) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "one value (%s)", plan_type_name(key->type));
        wrong_kind(r, key, key->name, node, wanted);
        return false;
    }
    if (!scalar_text(r, key, key->name, node, &text))
        return false;
    if (plan_type_parse(key, text, field, &at, &err) == 0)
        return true;
    bool same = text.ptr == node->text.ptr; /* no template moved the bytes */
    struct plan_place place = same && at ? plan_read_place(r, node, at) : node->place;
    struct plan_error *error = plan_error_add(&r->sink, place, same && at ? 1 : node->width,
                                              "%s: %s", key->name, err.text);
    if (key->type != TYPE_WORD)
        error->note = plan_error_text(&r->sink, "%s: %s", plan_type_name(key->type),
                                      plan_type_form(key->type));
    error->help = plan_read_help(&r->sink, section, key);
    return false;
}

void plan_read_preset(struct plan_reader *r, const struct plan_key *key, const char *preset,
                      void *field) {
    struct err err = {0};
    if (key->type == TYPE_ZONES) {
        *(struct plan_zone_choice *)field = (struct plan_zone_choice){.kind = PLAN_ZONES_ANY};
        must(str_equal(str_from(preset), STR("any")));
        return;
    }
    must(plan_type_parse(key, arena_str(r->arena, str_from(preset)), field, NULL, &err) == 0);
}

/* ---- lists and maps of texts ---- */

static bool read_texts(struct plan_reader *r, const struct plan_key *key,
                       const struct yaml_node *node, struct plan_texts *field) {
    uint32_t count = node->kind == YAML_KIND_LIST ? node->count : 1;
    bool ok = true;
    if (node->kind == YAML_KIND_MAP || count == 0 || count > 1000) {
        wrong_kind(r, key, key->name, node, "a list of 1 to 1000 texts");
        return false;
    }
    struct str *items = arena_new_array(r->arena, count, sizeof *items);
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_KIND_LIST ? node->entries[i].value : node;
        ok = scalar_text(r, key, key->name, item, &items[i]) && ok;
        if (ok && items[i].len == 0) {
            plan_error_add(&r->sink, item->place, item->width, "%s: an empty text", key->name);
            ok = false;
        }
    }
    *field = (struct plan_texts){items, count};
    return ok;
}

static bool read_zones(struct plan_reader *r, const struct plan_key *key,
                       const struct yaml_node *node, struct plan_zone_choice *field) {
    struct plan_texts texts;
    if (!read_texts(r, key, node, &texts))
        return false;
    struct str first = texts.items[0];
    field->kind = PLAN_ZONES_LIST;
    if (texts.count == 1 && str_equal(first, STR("any")))
        field->kind = PLAN_ZONES_ANY;
    else if (texts.count == 1 && str_equal(first, STR("one")))
        field->kind = PLAN_ZONES_ONE;
    else
        field->names = texts;
    return true;
}

static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What is wrong with the name of a pair, or NULL. */
static const char *pair_name_problem(const struct plan_key *key, struct str name) {
    struct str kind = str_from(key->name);
    bool tags = str_equal(kind, STR("tags")), headers = str_equal(kind, STR("headers"));
    bool vars = str_equal(kind, STR("vars"));
    if (name.len == 0 || name.len > 127)
        return "a name has 1 to 127 bytes";
    if (tags)
        return str_starts_with(name, STR("aws:")) || str_starts_with(name, STR("dayfly:"))
                   ? "tags that start with aws: or dayfly: are not yours"
                   : NULL;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool ok = is_letter(c) || c == '_' || (c >= '0' && c <= '9' && (i > 0 || headers)) ||
                  (c == '-' && (headers || (vars && i > 0)));
        if (!ok)
            return headers ? "a header name is made of letters, digits, - and _"
                           : "a name is made of letters, digits and _, and starts with no digit";
    }
    if (str_equal(kind, STR("env")) && str_starts_with(name, STR("DAYFLY_")))
        return "names that start with DAYFLY_ are set by dayfly";
    return NULL;
}

static bool read_pair(struct plan_reader *r, const struct plan_key *key,
                      const struct yaml_entry *entry, struct plan_pair *ret) {
    const char *problem = pair_name_problem(key, entry->key->text);
    if (problem) {
        plan_error_add(&r->sink, entry->key->place, entry->key->width, "%s: %s", key->name,
                       problem);
        return false;
    }
    *ret = (struct plan_pair){.name = entry->key->text, .place = entry->key->place};
    const char *name = arena_printf(r->arena, "%s.%.*s", key->name, STR_ARG(entry->key->text));
    if (!scalar_text(r, key, name, entry->value, &ret->value))
        return false;
    bool one_line = str_equal(str_from(key->name), STR("headers"));
    if (one_line && (str_contains(ret->value, STR("\n")) || str_contains(ret->value, STR("\r")))) {
        plan_error_add(&r->sink, entry->value->place, 1, "%s: a header is one line", name);
        return false;
    }
    return true;
}

static bool read_pairs(struct plan_reader *r, const struct plan_key *key,
                       const struct yaml_node *node, struct plan_pairs *field) {
    bool ok = true, vars = str_equal(str_from(key->name), STR("vars"));
    if (node->kind != YAML_KIND_MAP || node->count > 1000) {
        wrong_kind(r, key, key->name, node, "a map of at most 1000 texts");
        return false;
    }
    struct plan_pair *items = arena_new_array(r->arena, node->count, sizeof *items);
    uint32_t count = 0;
    for (uint32_t i = 0; i < node->count; i++) {
        if (str_starts_with(node->entries[i].key->text, STR("x-")) && vars)
            continue;
        bool good = read_pair(r, key, &node->entries[i], &items[count]);
        if (!good && vars) /* its name stays, so that its use is no second error */
            items[count] = (struct plan_pair){.name = node->entries[i].key->text};
        ok = good && ok;
        count += good || vars;
        if (vars)
            r->vars = (struct plan_pairs){items, count}; /* the next may use those above */
    }
    *field = (struct plan_pairs){items, count};
    return ok;
}

static bool read_thresholds(struct plan_reader *r, const struct plan_key *key,
                            const struct yaml_node *node, struct raw_thresholds *field) {
    uint32_t count = node->kind == YAML_KIND_LIST ? node->count : 1;
    bool ok = true;
    if (node->kind == YAML_KIND_MAP || count > key->max) {
        wrong_kind(r, key, key->name, node, "a list of at most 256 sentences");
        return false;
    }
    field->items = arena_new_array(r->arena, count, sizeof *field->items);
    field->nodes = arena_new_array(r->arena, count, sizeof *field->nodes);
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_KIND_LIST ? node->entries[i].value : node;
        struct str text;
        struct err err = {0};
        size_t at = 0;
        if (!scalar_text(r, key, key->name, item, &text)) {
            ok = false;
            continue;
        }
        if (threshold_parse(text, &field->items[field->count], &at, &err) < 0) {
            bool same = text.ptr == item->text.ptr;
            struct plan_error *error =
                plan_error_add(&r->sink, same ? plan_read_place(r, item, at) : item->place, 1,
                               "threshold: %s", err.text);
            error->help = plan_read_help(&r->sink, &PLAN_SECTION, key);
            ok = false;
            continue;
        }
        field->nodes[field->count++] = item;
    }
    return ok;
}

/* ---- sections ---- */

static bool read_section(struct plan_reader *r, const struct plan_section *section,
                         const char *name, const struct yaml_node *node, struct raw_head *head);

static bool read_list(struct plan_reader *r, const struct plan_key *key,
                      const struct yaml_node *node, struct raw_list *field) {
    uint32_t count = node->kind == YAML_KIND_LIST ? node->count : 1;
    bool ok = true;
    if (node->kind == YAML_KIND_SCALAR || count == 0 || count > key->max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "a list of 1 to %" PRIu64 " maps", key->max);
        wrong_kind(r, key, key->name, node, wanted);
        return false;
    }
    field->items = arena_new_array(r->arena, count, key->section->size);
    field->count = count;
    for (uint32_t i = 0; i < count; i++) {
        const struct yaml_node *item = node->kind == YAML_KIND_LIST ? node->entries[i].value : node;
        void *raw = field->items + i * key->section->size;
        ok = read_section(r, key->section, key->name, item, raw) && ok;
    }
    return ok;
}

static bool read_named(struct plan_reader *r, const struct plan_key *key,
                       const struct yaml_node *node, struct raw_list *field) {
    bool ok = true;
    if (node->kind != YAML_KIND_MAP || node->count == 0 || node->count > key->max) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "a map of 1 to %" PRIu64 " roles", key->max);
        wrong_kind(r, key, key->name, node, wanted);
        return false;
    }
    field->items = arena_new_array(r->arena, node->count, key->section->size);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_entry *entry = &node->entries[i];
        if (str_starts_with(entry->key->text, STR("x-")))
            continue;
        struct raw_head *head = (void *)(field->items + field->count++ * key->section->size);
        head->name = entry->key->text;
        if (!nodeset_role_name_ok(head->name)) {
            plan_error_add(&r->sink, entry->key->place, entry->key->width,
                           "not a role name: \"%.*s\" (letters, digits, - and _, starting with a "
                           "letter; not all, state or zone)",
                           STR_ARG(head->name));
            ok = false;
        }
        ok = read_section(r, key->section, arena_text(r->arena, head->name), entry->value, head) &&
             ok;
        head->place = entry->key->place;
    }
    return ok;
}

static bool read_key(struct plan_reader *r, const struct plan_section *section,
                     const struct plan_key *key, const struct yaml_node *node,
                     struct raw_head *head) {
    void *field = (char *)head + key->offset;
    if (section == &PLAN_SECTION)
        r->in_phases = str_equal(str_from(key->name), STR("phases"));
    switch (key->type) {
    case TYPE_MAP:
        return read_section(r, key->section, key->name, node, field);
    case TYPE_NAMED:
        return read_named(r, key, node, field);
    case TYPE_LIST:
        return read_list(r, key, node, field);
    case TYPE_ZONES:
        return read_zones(r, key, node, field);
    case TYPE_TEXTS:
        return read_texts(r, key, node, field);
    case TYPE_PAIRS:
        return read_pairs(r, key, node, field);
    case TYPE_THRESHOLDS:
        return read_thresholds(r, key, node, field);
    default:
        return read_scalar(r, section, key, node, field);
    }
}

/* A key that is not in the section: what was meant, or where it belongs. */
static void unknown_key(struct plan_reader *r, const struct plan_section *section,
                        const struct yaml_node *key, struct raw_head *head) {
    struct plan_error *error = plan_error_add(&r->sink, key->place, key->width,
                                              "unknown key \"%.*s\"", STR_ARG(key->text));
    const struct plan_key *near = plan_key_suggest(section, key->text);
    error->help = plan_read_help(&r->sink, section, near);
    if (near) {
        head->bad |= UINT64_C(1) << (near - section->keys);
        error->hint = plan_error_text(&r->sink, "did you mean \"%s\"?", near->name);
        error->note = near->flags & KEY_LATER ? STR("not available in this version")
                      : near->section
                          ? plan_error_text(&r->sink, "such as %s: %s", near->name, near->example)
                          : plan_error_text(&r->sink, "%s, such as %s", plan_type_name(near->type),
                                            near->example);
        return;
    }
    for (const struct plan_key *top = PLAN_SECTION.keys; top->name; top++) {
        const struct plan_section *other = top->section;
        if (!other || other == section || !plan_key_find(other, key->text, NULL))
            continue;
        error->hint = plan_error_text(&r->sink, "it belongs under \"%s\"", top->name);
        error->help = plan_read_help(&r->sink, other, plan_key_find(other, key->text, NULL));
        return;
    }
    if (section != &PLAN_SECTION && plan_key_find(&PLAN_SECTION, key->text, NULL))
        error->hint = STR("it belongs at the top of the file");
}

static bool check_known(struct plan_reader *r, const struct plan_section *section,
                        const struct yaml_node *node, struct raw_head *head) {
    bool ok = true;
    for (uint32_t i = 0; i < node->count; i++) {
        const struct yaml_node *name = node->entries[i].key;
        if (name->plain && str_starts_with(name->text, STR("x-")))
            continue;
        const struct plan_key *key = plan_key_find(section, name->text, NULL);
        if (key && !(key->flags & KEY_LATER))
            continue;
        ok = false;
        if (!key) {
            unknown_key(r, section, name, head);
            continue;
        }
        head->bad |= UINT64_C(1) << (key - section->keys);
        struct plan_error *error =
            plan_error_add(&r->sink, name->place, name->width,
                           "\"%s\" is not available in this version", key->name);
        error->note = plan_error_text(&r->sink, "%s", key->help);
    }
    return ok;
}

static bool read_defaults(struct plan_reader *r, const struct plan_section *section,
                          struct raw_head *head);

static bool read_missing(struct plan_reader *r, const struct plan_section *section,
                         const struct plan_key *key, uint32_t index, struct raw_head *head) {
    bool bad = head->bad & UINT64_C(1) << index;
    if (key->flags & KEY_REQUIRED && bad)
        return false;
    if (key->flags & KEY_REQUIRED) {
        head->bad |= UINT64_C(1) << index;
        struct plan_error *error =
            plan_error_add(&r->sink, head->place, 1, "\"%s\" is missing%s%s", key->name,
                           section->path[0] ? " in " : "", section->path);
        error->note = plan_error_text(&r->sink, "%s: %s", key->name, key->example);
        error->help = plan_read_help(&r->sink, section, key);
        return false;
    }
    if (key->flags & KEY_ALWAYS) {
        head->present |= UINT64_C(1) << index;
        return read_defaults(r, key->section, (void *)((char *)head + key->offset));
    }
    if (key->preset) {
        head->present |= UINT64_C(1) << index;
        plan_read_preset(r, key, key->preset, (char *)head + key->offset);
    }
    return true;
}

static bool read_defaults(struct plan_reader *r, const struct plan_section *section,
                          struct raw_head *head) {
    bool ok = true;
    for (uint32_t i = 0; section->keys[i].name; i++)
        ok = read_missing(r, section, &section->keys[i], i, head) && ok;
    return ok;
}

struct yaml_node *plan_read_expand(struct plan_reader *r, const struct plan_key *key_of_section,
                                   struct yaml_node *node) {
    if (!key_of_section->short_key || node->kind == YAML_KIND_MAP || yaml_is_null(node))
        return node;
    struct yaml_node *map = yaml_new(r->arena, YAML_KIND_MAP, node->place);
    struct yaml_node *key = yaml_new(r->arena, YAML_KIND_SCALAR, node->place);
    struct yaml_node *value = yaml_copy(r->arena, node);
    key->text = str_from(key_of_section->short_key);
    yaml_append(r->arena, map, key, value);
    return map;
}

static bool read_section(struct plan_reader *r, const struct plan_section *section,
                         const char *name, const struct yaml_node *node, struct raw_head *head) {
    head->node = node;
    head->place = node->place;
    if (node->kind != YAML_KIND_MAP) {
        wrong_kind(r, NULL, name, node, "a map");
        return false;
    }
    bool ok = check_known(r, section, node, head);
    for (uint32_t i = 0; section->keys[i].name; i++) {
        const struct plan_key *key = &section->keys[i];
        struct yaml_node *value = yaml_find(node, str_from(key->name));
        if (key->flags & KEY_LATER || head->present & UINT64_C(1) << i)
            continue;
        if (!value) {
            ok = read_missing(r, section, key, i, head) && ok;
            continue;
        }
        if (key->type == TYPE_MAP)
            value = plan_read_expand(r, key, value);
        head->present |= UINT64_C(1) << i;
        if (read_key(r, section, key, value, head))
            continue;
        head->bad |= UINT64_C(1) << i;
        ok = false;
        if (key->preset)
            plan_read_preset(r, key, key->preset, (char *)head + key->offset);
    }
    return ok;
}

void plan_read(struct plan_reader *r, const struct yaml_node *root, struct raw_plan *raw) {
    if (root->kind != YAML_KIND_MAP) {
        plan_error_add(&r->sink, root->place, root->width,
                       "a plan is a map of keys that starts with \"dayfly: 1\"");
        return;
    }
    uint32_t index = 0;
    const struct plan_key *vars = plan_key_find(&PLAN_SECTION, STR("vars"), &index);
    const struct yaml_node *node = yaml_find(root, STR("vars"));
    if (node) { /* first, so that every other key may use them */
        raw->head.present |= UINT64_C(1) << index;
        ignore(read_pairs(r, vars, node, &raw->vars)); /* errors are in the sink */
    }
    ignore(read_section(r, &PLAN_SECTION, "plan", root, &raw->head)); /* the same */
}
