/* plan_read.h - from the YAML tree to raw structs, by the key table (inside plan/). */
#ifndef PLAN_READ_H
#define PLAN_READ_H

#include "plan/plan_keys.h"
#include "plan/template.h"

#define PLAN_RESOLVED_BYTES_MAX (16 * 1024 * 1024) /* of all texts after templates */

/* A text that keeps node-time expressions: its names are checked when all roles are known. */
struct plan_pending {
    const struct yaml_node *node;
    const struct plan_key *key;
    bool in_phase; /* phase.name is known there */
};

struct plan_reader {
    const struct plan_load_options *options;
    struct arena *arena;
    struct plan_sink sink;
    struct plan_pairs vars; /* those read so far */
    struct plan_pending *pending;
    uint32_t pending_count, pending_capacity;
    struct file_read *files; /* file() by path */
    size_t resolved_bytes;
    bool in_phases; /* reading below `phases` */
    bool poisoned;  /* a template used a variable that is wrong itself: no second error */
};

/* Read the whole file; errors go to the sink.  `raw` is zeroed memory. */
void plan_read(struct plan_reader *reader, const struct yaml_node *root, struct raw_plan *raw);

/* Put a default into a field of a raw struct. */
void plan_read_preset(struct plan_reader *reader, const struct plan_key *key, const char *preset,
                      void *field);

/* Place of byte `at` of a scalar's text. */
struct plan_place plan_read_place(const struct plan_reader *reader, const struct yaml_node *node,
                                  size_t at);
/* "roles.instances": what `dayfly explain` calls a key (NULL: the section). */
struct str plan_read_help(struct plan_sink *sink, const struct plan_section *section,
                          const struct plan_key *key);

/* The short form of a section written out: `service: CMD` is {run: CMD}, `instances: TYPE` is
 * {types: TYPE}.  Other nodes come back as they are. */
struct yaml_node *plan_read_expand(struct plan_reader *reader, const struct plan_key *key,
                                   struct yaml_node *node);

/* ---- --set (plan_set.c) ---- */

/* Apply every --set to the tree; the root may be replaced (trees are shared, so what is changed is
 * copied).  Errors go to the sink. */
struct yaml_node *plan_set_apply(struct plan_reader *reader, struct yaml_node *root);

/* ---- after reading ---- */

/* Fill in computed defaults, check what needs more than one key (plan_resolve.c). */
void plan_resolve(struct plan_reader *reader, struct raw_plan *raw);
/* Check references from one part to another (plan_check.c). */
void plan_check(struct plan_reader *reader, struct raw_plan *raw);
/* Typed structs; only after a reading without errors (plan_build.c). */
struct plan *plan_build(struct plan_reader *reader, const struct raw_plan *raw);

#endif
