/* plan_schema.c - the key table as JSON Schema.  Every scalar may be a template instead. */
#include "plan/doc_writer.h"
#include "plan/plan_explain.h"
#include "plan/plan_keys.h"

static void add_keys(struct doc_writer *w, const struct plan_section *section);

static void add_scalar(struct doc_writer *w, const struct plan_key *key) {
    const char *pattern = plan_type_pattern(key->type);
    doc_list(w, "anyOf");
    doc_map(w, NULL);
    if (key->type == TYPE_INT) {
        doc_text(w, "type", STR("integer"));
    } else if (key->type == TYPE_BOOL) {
        doc_text(w, "type", STR("boolean"));
    } else if (key->type == TYPE_WORD) {
        struct str rest = str_from(key->words), word;
        doc_list(w, "enum");
        while (str_split(&rest, '|', &word))
            if (!str_starts_with(word, STR("~")))
                doc_text(w, NULL, word);
        doc_end(w);
    } else {
        doc_list(w, "type");
        doc_text(w, NULL, STR("string"));
        doc_text(w, NULL, STR("number"));
        doc_end(w);
        if (pattern)
            doc_text(w, "pattern", str_from(pattern));
    }
    doc_end(w);
    doc_map(w, NULL);
    doc_text(w, "type", STR("string"));
    doc_text(w, "pattern", STR("\\$\\{\\{"));
    doc_end(w);
    doc_end(w);
}

static void add_texts(struct doc_writer *w) {
    doc_list(w, "anyOf");
    doc_map(w, NULL);
    doc_text(w, "type", STR("string"));
    doc_end(w);
    doc_map(w, NULL);
    doc_text(w, "type", STR("array"));
    doc_map(w, "items");
    doc_text(w, "type", STR("string"));
    doc_end(w);
    doc_end(w);
    doc_end(w);
}

static void add_named(struct doc_writer *w, const struct plan_key *key, const char *name) {
    doc_map(w, name);
    add_keys(w, key->section);
    doc_end(w);
}

static void add_map(struct doc_writer *w, const struct plan_key *key) {
    if (!key->short_key) {
        add_keys(w, key->section);
        return;
    }
    doc_list(w, "anyOf");
    add_named(w, key, NULL);
    doc_map(w, NULL);
    add_texts(w);
    doc_end(w);
    doc_end(w);
}

static void add_key(struct doc_writer *w, const struct plan_key *key) {
    doc_map(w, key->name);
    doc_text(w, "description", str_from(key->help));
    if (key->preset)
        doc_text(w, "default", str_from(key->preset));
    switch (key->type) {
    case TYPE_MAP:
        add_map(w, key);
        break;
    case TYPE_NAMED:
        doc_text(w, "type", STR("object"));
        add_named(w, key, "additionalProperties");
        break;
    case TYPE_LIST:
        doc_text(w, "type", STR("array"));
        add_named(w, key, "items");
        break;
    case TYPE_PAIRS:
        doc_text(w, "type", STR("object"));
        break;
    case TYPE_TEXTS:
    case TYPE_ZONES:
    case TYPE_THRESHOLDS:
        add_texts(w);
        break;
    default:
        add_scalar(w, key);
    }
    doc_end(w);
}

static void add_keys(struct doc_writer *w, const struct plan_section *section) {
    doc_text(w, "type", STR("object"));
    doc_map(w, "properties");
    for (const struct plan_key *key = section->keys; key->name; key++)
        if (!(key->flags & KEY_LATER))
            add_key(w, key);
    doc_end(w);
    doc_map(w, "patternProperties");
    doc_map(w, "^x-");
    doc_end(w);
    doc_end(w);
    doc_list(w, "required");
    for (const struct plan_key *key = section->keys; key->name; key++)
        if (key->flags & KEY_REQUIRED)
            doc_text(w, NULL, str_from(key->name));
    doc_end(w);
    doc_raw(w, "additionalProperties", STR("false"));
}

void plan_explain_schema(struct buf *out) {
    struct doc_writer w;
    doc_init(&w, out, true);
    doc_map(&w, NULL);
    doc_text(&w, "$schema", STR("https://json-schema.org/draft/2020-12/schema"));
    doc_text(&w, "$id", STR("dayfly.plan/1"));
    doc_text(&w, "title", STR("dayfly plan"));
    add_keys(&w, &PLAN_SECTION);
    doc_end(&w);
}
