/* yaml_tree.h - YAML text to a tree with places (inside plan/).
 *
 * The YAML that plans are written in: 1.2 core schema, one document, block and flow style, anchors,
 * aliases and `<<`.  Refused, each with its place: tags, directives, more documents, keys that are
 * not scalars, duplicate keys, an alias inside its own anchor, tabs as indentation, bytes that are
 * not UTF-8 text.
 *
 * An alias is the same node again, not a copy, so a tree is a graph without cycles.  What it would
 * be when written out is counted and capped: a walk over the tree ends.
 *
 * Tests: test/unit/test_yaml_tree.c, test/vectors/plan, fuzz/fuzz_plan.c
 */
#ifndef YAML_TREE_H
#define YAML_TREE_H

#include "plan/plan_error.h"

#define YAML_DEPTH_MAX 40        /* levels; a plan has eight */
#define YAML_NODES_MAX 50000     /* in the text */
#define YAML_EXPANDED_MAX 200000 /* with every alias written out */
#define YAML_ANCHORS_MAX 1000
#define YAML_WEIGHT_BYTES 64 /* so many bytes of text count as one more node */

enum yaml_kind { YAML_KIND_SCALAR, YAML_KIND_LIST, YAML_KIND_MAP };

struct yaml_entry {
    struct yaml_node *key; /* NULL in a list */
    struct yaml_node *value;
};

struct yaml_node {
    enum yaml_kind kind;
    struct plan_place place;
    uint32_t width;  /* characters of a scalar on its first line, >= 1 */
    bool plain;      /* scalar without quotes */
    struct str text; /* scalar */
    struct yaml_entry *entries;
    uint32_t count;
    uint32_t capacity;
    uint64_t weight; /* nodes below and this one, aliases written out */
};

/* Parse into `arena`; NULL when there is no usable tree, with at least one error in the sink.  A
 * tree may come with errors too.  `set` > 0: the text is a value of --set number `set`, which
 * starts at `column`; places are made so.
 * *ret_events (may be NULL) counts parser events, the measure of work. */
NODISCARD struct yaml_node *yaml_parse(struct str text, int32_t set, int32_t column,
                                       struct plan_sink *sink, uint64_t *ret_events);

/* Whether the bytes are UTF-8 text without control bytes (tab, CR and LF are fine). */
NODISCARD bool yaml_is_text(struct str bytes);

/* Value of a key of a map, or NULL. */
struct yaml_node *yaml_find(const struct yaml_node *map, struct str key);
const struct yaml_entry *yaml_find_entry(const struct yaml_node *map, struct str key);
/* A null: `~`, `null` or nothing, unquoted. */
NODISCARD bool yaml_is_null(const struct yaml_node *node);
/* Make a node by hand (defaults, --set). */
struct yaml_node *yaml_new(struct arena *arena, enum yaml_kind kind, struct plan_place place);
void yaml_append(struct arena *arena, struct yaml_node *parent, struct yaml_node *key,
                 struct yaml_node *value);
/* A copy of this node alone: children are shared. */
struct yaml_node *yaml_copy(struct arena *arena, const struct yaml_node *node);

#endif
