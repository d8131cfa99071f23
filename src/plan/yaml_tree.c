#include "plan/yaml_tree.h"
#include "base/table.h"

#include <inttypes.h>
#include <yaml.h>

/* What is open while events come in. */
struct frame {
    struct yaml_node *node;
    struct yaml_node *key; /* of a map: waits for its value */
    struct str anchor;     /* empty: none */
};

struct builder {
    struct plan_sink *sink;
    int32_t set;
    int32_t column;
    struct frame frames[YAML_DEPTH_MAX];
    uint32_t depth;
    struct yaml_node *root;
    struct table anchors; /* name -> node; the node is &open_anchor while it is open */
    uint32_t anchor_count;
    uint32_t node_count;
    uint32_t documents;
    bool stop; /* no use in going on */
};

static struct yaml_node open_anchor;

static struct plan_place place_of(const struct builder *b, yaml_mark_t mark) {
    if (b->set)
        return (struct plan_place){-b->set, b->column + (int32_t)mark.column};
    return (struct plan_place){(int32_t)mark.line + 1, (int32_t)mark.column + 1};
}

struct yaml_node *yaml_new(struct arena *arena, enum yaml_kind kind, struct plan_place place) {
    struct yaml_node *node = arena_new(arena, sizeof *node);
    node->kind = kind;
    node->place = place;
    node->width = 1;
    node->weight = 1;
    return node;
}

void yaml_append(struct arena *arena, struct yaml_node *parent, struct yaml_node *key,
                 struct yaml_node *value) {
    must(parent->kind != YAML_KIND_SCALAR);
    must((key != NULL) == (parent->kind == YAML_KIND_MAP));
    if (parent->count == parent->capacity) {
        uint32_t capacity = parent->capacity ? parent->capacity * 2 : 8;
        struct yaml_entry *entries = arena_new_array(arena, capacity, sizeof *entries);
        if (parent->count)
            memcpy(entries, parent->entries, parent->count * sizeof *entries);
        parent->entries = entries;
        parent->capacity = capacity;
    }
    parent->entries[parent->count++] = (struct yaml_entry){key, value};
    parent->weight += value->weight + (key ? 1 : 0);
}

struct yaml_node *yaml_copy(struct arena *arena, const struct yaml_node *node) {
    struct yaml_node *copy = arena_new(arena, sizeof *copy);
    *copy = *node;
    copy->capacity = node->count;
    if (node->count) {
        copy->entries = arena_new_array(arena, node->count, sizeof *copy->entries);
        memcpy(copy->entries, node->entries, node->count * sizeof *copy->entries);
    }
    return copy;
}

const struct yaml_entry *yaml_find_entry(const struct yaml_node *map, struct str key) {
    if (map->kind != YAML_KIND_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (str_equal(map->entries[i].key->text, key))
            return &map->entries[i];
    return NULL;
}

struct yaml_node *yaml_find(const struct yaml_node *map, struct str key) {
    const struct yaml_entry *entry = yaml_find_entry(map, key);
    return entry ? entry->value : NULL;
}

bool yaml_is_null(const struct yaml_node *node) {
    return node->kind == YAML_KIND_SCALAR && node->plain &&
           (node->text.len == 0 || str_equal(node->text, STR("~")) ||
            str_equal(node->text, STR("null")));
}

/* ---- maps ---- */

static bool is_merge_key(const struct yaml_node *key) {
    return key->plain && str_equal(key->text, STR("<<"));
}

static void merge_one(struct builder *b, struct yaml_node *into, struct table *seen,
                      struct yaml_node *from, struct plan_place place) {
    if (from->kind != YAML_KIND_MAP) {
        plan_error_add(b->sink, place, 2, "\"<<\" takes a map or a list of maps");
        return;
    }
    for (uint32_t i = 0; i < from->count; i++) {
        struct yaml_entry *entry = &from->entries[i];
        if (table_find(seen, entry->key->text))
            continue;
        ignore(table_set(seen, entry->key->text, entry->key)); /* was not there */
        yaml_append(b->sink->arena, into, entry->key, entry->value);
    }
}

/* Refuse keys that are there twice; then bring in what `<<` names.  Own keys win. */
static void close_map(struct builder *b, struct yaml_node *map) {
    CLEANUP(table_deinit) struct table seen;
    table_init(&seen);
    uint32_t own = map->count, kept = 0, merges = 0;
    struct yaml_entry *merge = NULL;
    if (own)
        merge = arena_new_array(b->sink->arena, own, sizeof *merge);
    for (uint32_t i = 0; i < own; i++) {
        struct yaml_entry entry = map->entries[i];
        struct yaml_node *first = table_find(&seen, entry.key->text);
        if (is_merge_key(entry.key)) {
            merge[merges++] = entry;
            continue;
        }
        if (first) {
            struct plan_error *error =
                plan_error_add(b->sink, entry.key->place, entry.key->width,
                               "key \"%.*s\" is there twice", STR_ARG(entry.key->text));
            error->note = plan_error_text(b->sink, "first in line %" PRId32, first->place.line);
            continue;
        }
        ignore(table_set(&seen, entry.key->text, entry.key)); /* was not there */
        map->entries[kept++] = entry;
    }
    map->count = kept;
    for (uint32_t i = 0; i < merges; i++) {
        struct yaml_node *from = merge[i].value;
        struct plan_place place = merge[i].key->place;
        if (from->kind != YAML_KIND_LIST) {
            merge_one(b, map, &seen, from, place);
            continue;
        }
        for (uint32_t item = 0; item < from->count; item++)
            merge_one(b, map, &seen, from->entries[item].value, place);
    }
}

/* ---- building ---- */

static void fail_fast(struct builder *b, struct plan_place place, const char *message) {
    plan_error_add(b->sink, place, 1, "%s", message);
    b->stop = true;
}

/* Hand a finished node (or an alias) to what is open. */
static void place_node(struct builder *b, struct yaml_node *node, struct plan_place place) {
    if (b->depth == 0) {
        b->root = node;
        return;
    }
    struct frame *top = &b->frames[b->depth - 1];
    if (top->node->kind == YAML_KIND_LIST) {
        yaml_append(b->sink->arena, top->node, NULL, node);
    } else if (!top->key) {
        if (node->kind != YAML_KIND_SCALAR) {
            fail_fast(b, place, "a key must be a plain text");
            return;
        }
        top->key = node;
    } else {
        yaml_append(b->sink->arena, top->node, take(top->key), node);
    }
    if (top->node->weight > YAML_EXPANDED_MAX)
        fail_fast(b, place, "the file grows beyond every plan when its aliases are written out");
}

static void set_anchor(struct builder *b, struct str name, struct yaml_node *node,
                       struct plan_place place) {
    if (name.len == 0)
        return;
    if (!table_set(&b->anchors, name, node) && ++b->anchor_count > YAML_ANCHORS_MAX)
        fail_fast(b, place, "more than 1000 anchors");
}

static struct str own_text(struct builder *b, const yaml_char_t *text) {
    return text ? arena_str(b->sink->arena, str_from((const char *)text)) : STR_EMPTY;
}

static bool refuse_tag(struct builder *b, const yaml_char_t *tag, struct plan_place place) {
    if (tag)
        plan_error_add(b->sink, place, (uint32_t)MIN(strlen((const char *)tag), (size_t)40),
                       "tags are not used in plans: \"%s\"", (const char *)tag);
    return tag != NULL;
}

static bool count_node(struct builder *b, struct plan_place place) {
    if (++b->node_count <= YAML_NODES_MAX)
        return true;
    fail_fast(b, place, "the file has more than 50000 values; it is not a plan");
    return false;
}

static void on_scalar(struct builder *b, const yaml_event_t *event) {
    struct plan_place place = place_of(b, event->start_mark);
    if (!count_node(b, place))
        return;
    ignore(refuse_tag(b, event->data.scalar.tag, place)); /* noted; the value still counts */
    struct yaml_node *node = yaml_new(b->sink->arena, YAML_KIND_SCALAR, place);
    node->text = arena_str(b->sink->arena, (struct str){(const char *)event->data.scalar.value,
                                                        event->data.scalar.length});
    node->weight += node->text.len / YAML_WEIGHT_BYTES;
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (event->end_mark.line == event->start_mark.line)
        node->width = (uint32_t)MAX((size_t)1, event->end_mark.column - event->start_mark.column);
    set_anchor(b, own_text(b, event->data.scalar.anchor), node, place);
    place_node(b, node, place);
}

static void on_start(struct builder *b, const yaml_event_t *event, enum yaml_kind kind,
                     const yaml_char_t *anchor, const yaml_char_t *tag) {
    struct plan_place place = place_of(b, event->start_mark);
    if (!count_node(b, place))
        return;
    ignore(refuse_tag(b, tag, place)); /* noted; the value still counts */
    if (b->depth == YAML_DEPTH_MAX) {
        fail_fast(b, place, "nested deeper than 40 levels");
        return;
    }
    struct frame frame = {.node = yaml_new(b->sink->arena, kind, place),
                          .anchor = own_text(b, anchor)};
    set_anchor(b, frame.anchor, &open_anchor, place);
    b->frames[b->depth++] = frame;
}

static void on_end(struct builder *b) {
    must(b->depth > 0);
    struct frame frame = b->frames[--b->depth];
    must(!frame.key);
    if (frame.node->kind == YAML_KIND_MAP)
        close_map(b, frame.node);
    /* The anchor may have been given again inside: the inner one then stands. */
    if (frame.anchor.len && table_find(&b->anchors, frame.anchor) == &open_anchor)
        set_anchor(b, frame.anchor, frame.node, frame.node->place);
    place_node(b, frame.node, frame.node->place);
}

static void on_alias(struct builder *b, const yaml_event_t *event) {
    struct plan_place place = place_of(b, event->start_mark);
    struct str name = str_from((const char *)event->data.alias.anchor);
    struct yaml_node *node = table_find(&b->anchors, name);
    if (!count_node(b, place))
        return;
    uint32_t width = (uint32_t)MIN(name.len + 1, (size_t)60);
    if (node == NULL || node == &open_anchor) {
        plan_error_add(b->sink, place, width,
                       node ? "alias \"*%.*s\" is inside its own anchor"
                            : "alias \"*%.*s\" has no anchor above it",
                       STR_ARG(name));
        b->stop = true;
        return;
    }
    place_node(b, node, place);
}

static void on_document(struct builder *b, const yaml_event_t *event) {
    struct plan_place place = place_of(b, event->start_mark);
    if (event->data.document_start.version_directive ||
        event->data.document_start.tag_directives.start !=
            event->data.document_start.tag_directives.end)
        plan_error_add(b->sink, place, 1, "directives (%%YAML, %%TAG) are not used in plans");
    if (++b->documents > 1)
        fail_fast(b, place, "a plan is one document; \"---\" starts another");
}

static void on_event(struct builder *b, const yaml_event_t *event) {
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        on_document(b, event);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(b, event);
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(b, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_start(b, event, YAML_KIND_LIST, event->data.sequence_start.anchor,
                 event->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        on_start(b, event, YAML_KIND_MAP, event->data.mapping_start.anchor,
                 event->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(b);
        break;
    case YAML_STREAM_END_EVENT:
        b->stop = true;
        break;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        break;
    }
}

/* ---- text ---- */

/* Length of the UTF-8 character at the front, 0 when it is none that text may hold. */
static size_t utf8_length(struct str s) {
    unsigned char c = (unsigned char)s.ptr[0];
    if (c < 0x80)
        return c >= ' ' || c == '\t' || c == '\n' || c == '\r' ? 1 : 0;
    size_t size = c >= 0xF0 && c <= 0xF4 ? 4 : c >= 0xE0 ? 3 : c >= 0xC2 ? 2 : 0;
    if (c > 0xF4 || size == 0 || size > s.len)
        return 0;
    uint32_t value = c & (0x7Fu >> size);
    for (size_t i = 1; i < size; i++) {
        unsigned char next = (unsigned char)s.ptr[i];
        if ((next & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (next & 0x3Fu);
    }
    bool overlong = (size == 3 && value < 0x800) || (size == 4 && value < 0x10000);
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    bool control = value >= 0x80 && value < 0xA0 && value != 0x85;
    bool special = value == 0xFFFE || value == 0xFFFF || value > 0x10FFFF || value == 0xFEFF;
    return overlong || surrogate || control || special ? 0 : size;
}

bool yaml_is_text(struct str bytes) {
    for (size_t i = 0; i < bytes.len;) {
        size_t size = utf8_length(str_skip(bytes, i));
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

/* Whether the bytes are text; else one error that says where they stop being. */
static bool check_text(struct builder *b, struct str text) {
    struct plan_place place = {1, 1};
    for (size_t i = 0; i < text.len;) {
        size_t size = utf8_length(str_skip(text, i));
        if (size == 0) {
            if (b->set)
                place = (struct plan_place){-b->set, b->column};
            plan_error_add(b->sink, place, 1, "not a text file: byte 0x%02x at %zu",
                           (unsigned char)text.ptr[i], i);
            return false;
        }
        place.column++;
        if (text.ptr[i] == '\n')
            place = (struct plan_place){place.line + 1, 1};
        i += size;
    }
    return true;
}

static void add_syntax_error(struct builder *b, const yaml_parser_t *parser, struct str text) {
    struct plan_place place = place_of(b, parser->problem_mark);
    struct str rest = text, line = STR_EMPTY;
    for (size_t i = 0; i <= parser->problem_mark.line && str_line(&rest, &line); i++)
        continue;
    struct str before = str_slice(line, 0, parser->problem_mark.column + 1);
    struct str indent = before;
    while (indent.len && (indent.ptr[0] == ' ' || indent.ptr[0] == '\t'))
        indent = str_skip(indent, 1);
    if (!b->set && before.len > indent.len && str_contains(before, STR("\t"))) {
        plan_error_add(b->sink, place, 1, "a tab in the indentation: use blanks");
        return;
    }
    const char *problem = parser->problem ? parser->problem : "not understood";
    struct plan_error *error = plan_error_add(b->sink, place, 1, "not YAML: %s", problem);
    if (parser->context)
        error->note = plan_error_text(b->sink, "%s that starts in line %zu", parser->context,
                                      parser->context_mark.line + 1);
}

static uint64_t build(struct builder *b, struct str text) {
    yaml_parser_t parser;
    uint64_t events = 0;
    must(yaml_parser_initialize(&parser) == 1);
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.ptr ? text.ptr : ""),
                                 text.len);
    while (!b->stop) {
        yaml_event_t event;
        if (yaml_parser_parse(&parser, &event) != 1) {
            add_syntax_error(b, &parser, text);
            b->root = NULL;
            break;
        }
        events++;
        on_event(b, &event);
        if (b->stop && event.type != YAML_STREAM_END_EVENT)
            b->root = NULL;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
    return events;
}

struct yaml_node *yaml_parse(struct str text, int32_t set, int32_t column, struct plan_sink *sink,
                             uint64_t *ret_events) {
    struct builder b = {.sink = sink, .set = set, .column = column};
    struct plan_place start = set ? (struct plan_place){-set, column} : (struct plan_place){1, 1};
    uint32_t errors = sink->errors->count;
    if (ret_events)
        *ret_events = 0;
    if (text.len > PLAN_BYTES_MAX) {
        plan_error_add(sink, (struct plan_place){0}, 1,
                       "%zu bytes; a plan has at most %" PRIu64 " (1 MiB)", text.len,
                       (uint64_t)PLAN_BYTES_MAX);
        return NULL;
    }
    if (str_starts_with(text, STR("\xEF\xBB\xBF")))
        text = str_skip(text, 3);
    if (!check_text(&b, text))
        return NULL;
    table_init(&b.anchors);
    uint64_t events = build(&b, text);
    table_deinit(&b.anchors);
    if (ret_events)
        *ret_events = events;
    if (!b.root && !set && sink->errors->count == errors)
        plan_error_add(sink, start, 1, "the file is empty");
    if (!b.root && set && sink->errors->count == errors) {
        b.root = yaml_new(sink->arena, YAML_KIND_SCALAR, start); /* `--set a=` is the empty text */
        b.root->text = STR("");
    }
    return b.root;
}
