/* nodeset.h - which nodes: "db", "db:0", "db:0-3,7", "all", "db:0-3+client".
 *
 * A nodeset is a list of parts joined by `+`.  It names roles, not nodes that exist: whether
 * `db:7` is there is known only later.  Printing folds: {db:0, db:1, db:2, db:7} -> "db:0-2,7".
 * Views in a nodeset point into the text that was parsed.
 *
 * Tests: test/unit/test_nodeset.c, fuzz/fuzz_nodeset.c
 */
#ifndef NODESET_H
#define NODESET_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define NODESET_PARTS_MAX 64
#define NODESET_INDEX_MAX (SLOTS_MAX - 1)

enum nodeset_kind {
    NODESET_ALL,
    NODESET_ROLE,  /* role name, first..last */
    NODESET_STATE, /* state:missing - of commands, not of plans */
    NODESET_ZONE,  /* zone:us-east-1c - of commands, not of plans */
};

struct nodeset_part {
    enum nodeset_kind kind;
    struct str name;      /* role, state or zone; empty for ALL */
    uint32_t first, last; /* indexes, inclusive; 0..NODESET_INDEX_MAX is the whole role */
};

struct nodeset {
    uint32_t count; /* 0: the empty set (a zeroed struct) */
    struct nodeset_part parts[NODESET_PARTS_MAX];
};

/* One node, as the question of nodeset_has sees it.  state and zone may be empty. */
struct nodeset_node {
    struct str role;
    uint32_t index;
    struct str state;
    struct str zone;
};

/* Parse.  Errors: ERR_PARSE, ERR_LIMIT (parts, index); *ret_at is then the byte where it went
 * wrong.  *ret is untouched on error. */
NODISCARD int nodeset_parse(struct str text, struct nodeset *ret, size_t *ret_at, struct err *err);

/* Whether the node is in the set. */
NODISCARD bool nodeset_has(const struct nodeset *set, const struct nodeset_node *node);

/* The set as text, as it was written. */
void nodeset_add_text(struct buf *b, const struct nodeset *set);

/* Fold the indexes of one role: sorted ascending, without repetition.  "client:0-3,7". */
void nodeset_add_folded(struct buf *b, struct str role, const uint32_t *indexes, size_t count);

/* A role, phase or request name: [A-Za-z][A-Za-z0-9_-]{0,39}.  Roles may not be called all,
 * state or zone (see nodeset_role_name_ok). */
NODISCARD bool nodeset_role_name_ok(struct str name);

#endif
