/* plan_print.c - a loaded plan as a document, by the key table. */
#include "plan/doc_writer.h"
#include "plan/plan_keys.h"

static void print_section(struct doc_writer *w, const struct plan_section *section,
                          const struct raw_head *head);

static void print_texts(struct doc_writer *w, const char *name, const struct plan_texts *texts) {
    doc_list(w, name);
    for (uint32_t i = 0; i < texts->count; i++)
        doc_text(w, NULL, texts->items[i]);
    doc_end(w);
}

static void print_zones(struct doc_writer *w, const char *name,
                        const struct plan_zone_choice *zones) {
    if (zones->kind == PLAN_ZONES_LIST)
        print_texts(w, name, &zones->names);
    else
        doc_text(w, name, zones->kind == PLAN_ZONES_ONE ? STR("one") : STR("any"));
}

static void print_pairs(struct doc_writer *w, const char *name, const struct plan_pairs *pairs) {
    doc_map(w, name);
    for (uint32_t i = 0; i < pairs->count; i++) {
        CLEANUP(mem_freep) char *pair_name = str_dup(pairs->items[i].name);
        doc_text(w, pair_name, pairs->items[i].value);
    }
    doc_end(w);
}

static void print_thresholds(struct doc_writer *w, const char *name,
                             const struct raw_thresholds *thresholds) {
    doc_list(w, name);
    for (uint32_t i = 0; i < thresholds->count; i++)
        doc_text(w, NULL, str_from(thresholds->items[i].text));
    doc_end(w);
}

static void print_items(struct doc_writer *w, const struct plan_key *key,
                        const struct raw_list *list) {
    bool named = key->type == TYPE_NAMED;
    if (named)
        doc_map(w, key->name);
    else
        doc_list(w, key->name);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct raw_head *head = (const void *)(list->items + i * key->section->size);
        CLEANUP(mem_freep) char *name = named ? str_dup(head->name) : NULL;
        doc_map(w, name);
        print_section(w, key->section, head);
        doc_end(w);
    }
    doc_end(w);
}

/* A section whose only value is the one that its short form stands for. */
static const struct plan_key *only_short(const struct plan_key *key, const struct raw_head *head) {
    uint32_t index = 0;
    if (!key->short_key)
        return NULL;
    const struct plan_key *inner = plan_key_find(key->section, str_from(key->short_key), &index);
    return head->present == UINT64_C(1) << index ? inner : NULL;
}

static void print_map(struct doc_writer *w, const struct plan_key *key,
                      const struct raw_head *head) {
    const struct plan_key *inner = only_short(key, head);
    if (head->present == 0)
        return;
    if (inner && inner->type == TYPE_TEXTS) {
        print_texts(w, key->name, (const void *)((const char *)head + inner->offset));
        return;
    }
    doc_map(w, key->name);
    print_section(w, key->section, head);
    doc_end(w);
}

static void print_scalar(struct doc_writer *w, const struct plan_key *key, const void *field) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(PLAN_BYTES_MAX);
    plan_type_print(&text, key, field);
    if (key->type == TYPE_INT || key->type == TYPE_BOOL)
        doc_raw(w, key->name, buf_str(&text));
    else
        doc_text(w, key->name, buf_str(&text));
}

static void print_key(struct doc_writer *w, const struct plan_key *key,
                      const struct raw_head *head) {
    const void *field = (const char *)head + key->offset;
    switch (key->type) {
    case TYPE_MAP:
        print_map(w, key, field);
        break;
    case TYPE_NAMED:
    case TYPE_LIST:
        print_items(w, key, field);
        break;
    case TYPE_ZONES:
        print_zones(w, key->name, field);
        break;
    case TYPE_TEXTS:
        print_texts(w, key->name, field);
        break;
    case TYPE_PAIRS:
        print_pairs(w, key->name, field);
        break;
    case TYPE_THRESHOLDS:
        print_thresholds(w, key->name, field);
        break;
    default:
        print_scalar(w, key, field);
    }
}

static void print_section(struct doc_writer *w, const struct plan_section *section,
                          const struct raw_head *head) {
    for (uint32_t i = 0; section->keys[i].name; i++)
        if (head->present & UINT64_C(1) << i)
            print_key(w, &section->keys[i], head);
}

static void print(struct buf *b, const struct plan *plan, bool json) {
    struct doc_writer w;
    doc_init(&w, b, json);
    doc_map(&w, NULL);
    print_section(&w, &PLAN_SECTION, &plan->raw->head);
    doc_end(&w);
}

void plan_add_yaml(struct buf *b, const struct plan *plan) {
    print(b, plan, false);
}

void plan_add_json(struct buf *b, const struct plan *plan) {
    print(b, plan, true);
}
