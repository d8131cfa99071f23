/* template.h - `${{ expression }}` inside a text.
 *
 *   expression  NAME | 'text' | "text" | number | FUNCTION(expression, ...)
 *   NAME        a.b.c  with indexes: roles.web[0].private_ip
 *   FUNCTION    join(list, sep)   default(a, b)   int(a)   file("path") (load time only)
 *
 * Everything outside `${{ }}` is copied untouched, so shell `${x}` and YAML braces need no escape.
 * A quote inside a quoted text is doubled ('it''s').
 *
 * Two times:
 *   load time   vars.x  env.X  file("p")          known when the plan is read
 *   node time   node.*  roles.*  run.id  phase.name    known once the roll call is over
 * template_resolve_load replaces what is known at load time and leaves expressions that need a node
 * in place, with their load-time parts turned into quoted texts.  So a text that comes out
 * of a loaded plan holds node-time names only, and template_resolve gives the final text.
 *
 * Node-time names (the environment answers them):
 *   node.index node.id node.private_ip node.public_ip node.zone node.type node.vcpus
 *   roles.R.count roles.R.ready roles.R.vcpus roles.R.private_ips roles.R.public_ips (the last two
 *   are lists)   roles.R[i].private_ip roles.R[i].public_ip roles.R[i].id roles.R[i].zone
 *   roles.R[i].type   run.id   phase.name
 *
 * Tests: test/unit/test_template.c, fuzz/fuzz_template.c
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"

#define TEMPLATE_TEXT_MAX (256 * 1024) /* result of one template */
#define TEMPLATE_DEPTH_MAX 16          /* nested calls */

/* A value: a text, or a list of texts. */
struct template_value {
    bool is_list;
    struct str text;         /* !is_list */
    const struct str *items; /* is_list */
    size_t count;
};

/* A name, taken apart: roles . web [0] . private_ip -> part[0]="roles" part[1]="web" index=0 ...
 * `index` is that of part[1], -1 when there is none. */
struct template_name {
    struct str text; /* as written */
    struct str part[3];
    uint32_t count; /* parts, 1..3 */
    int64_t index;
};

/* Where names get their values.  Both callbacks answer 0 and a value whose memory lives until the
 * resolve returns (use `arena`), or -ERR_NOT_FOUND with a message that says what is known
 * instead.  `file` may be NULL: file() is then an error. */
struct template_env {
    int (*name)(void *context, struct arena *arena, const struct template_name *name,
                struct template_value *ret, struct err *err);
    int (*file)(void *context, struct arena *arena, struct str path, struct str *ret_text,
                struct err *err);
    void *context;
};

/* Whether the text holds a `${{`. */
NODISCARD bool template_has(struct str text);

/* Resolve every expression of `text` into `out` (appended).  Temporary values live in `arena`.
 * Errors: ERR_PARSE (syntax), ERR_NOT_FOUND (a name), ERR_LIMIT; *ret_at (may be NULL) is the byte
 * of `text` at which it went wrong. */
NODISCARD int template_resolve(struct str text, const struct template_env *env, struct arena *arena,
                               struct buf *out, size_t *ret_at, struct err *err);

/* What an expression may use where it stands. */
enum template_time {
    TEMPLATE_LOAD_ONLY, /* a node-time name is an error that says so */
    TEMPLATE_NODE,      /* node-time names stay, as `${{ }}` */
};

/* The first of the two times; see above.  `env` answers vars.*, env.* and file(). */
NODISCARD int template_resolve_load(struct str text, enum template_time time,
                                    const struct template_env *env, struct arena *arena,
                                    struct buf *out, size_t *ret_at, struct err *err);

/* Check every name that stays for node time: called once per name with its place in the text.
 * Stops at the first error of `check` and returns it. */
typedef int template_check_fn(void *context, const struct template_name *name, size_t at,
                              struct err *err);
NODISCARD int template_check(struct str text, struct arena *arena, template_check_fn *check,
                             void *context, size_t *ret_at, struct err *err);

#endif
