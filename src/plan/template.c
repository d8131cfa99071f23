/* template.c - scanner, parser and the two evaluations of `${{ }}`.
 *
 * An expression becomes a small tree in the arena; the load-time pass folds what it can and prints
 * the rest back, the node-time pass evaluates.
 */
#include "plan/template.h"
#include "base/units.h"

#include <inttypes.h>

#define ARGS_MAX 2

enum expr_kind { EXPR_TEXT, EXPR_NAME, EXPR_CALL };
enum function { FN_JOIN, FN_DEFAULT, FN_INT, FN_FILE };

struct expr {
    enum expr_kind kind;
    size_t at;       /* byte of the template */
    struct str text; /* EXPR_TEXT */
    struct template_name name;
    enum function function;
    struct expr *args[ARGS_MAX];
    uint32_t arg_count;
};

static const struct {
    struct str name;
    uint32_t arg_count;
} functions[] = {
    [FN_JOIN] = {STR_INIT("join"), 2},
    [FN_DEFAULT] = {STR_INIT("default"), 2},
    [FN_INT] = {STR_INIT("int"), 1},
    [FN_FILE] = {STR_INIT("file"), 1},
};

static const struct str functions_later[] = {STR_INIT("shard_first"), STR_INIT("shard_last"),
                                             STR_INIT("shard_len")};
static const struct str names_later[] = {STR_INIT("round"), STR_INIT("trial"), STR_INIT("matrix")};

/* ---- parser ---- */

struct parser {
    struct str text;
    size_t next; /* first byte not read */
    size_t at;   /* where an error is */
    uint32_t depth;
    struct arena *arena;
};

static bool is_word_start(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_word_byte(char c) {
    return is_word_start(c) || is_digit(c) || c == '-';
}

static char peek(const struct parser *p) {
    return p->next < p->text.len ? p->text.ptr[p->next] : '\0';
}

static void skip_blanks(struct parser *p) {
    while (peek(p) == ' ' || peek(p) == '\t' || peek(p) == '\n' || peek(p) == '\r')
        p->next++;
    p->at = p->next;
}

static struct str take_word(struct parser *p) {
    size_t from = p->next;
    while (p->next < p->text.len && is_word_byte(p->text.ptr[p->next]))
        p->next++;
    return str_slice(p->text, from, p->next);
}

static struct expr *new_expr(struct parser *p, enum expr_kind kind, size_t at) {
    struct expr *e = arena_new(p->arena, sizeof *e);
    e->kind = kind;
    e->at = at;
    return e;
}

static int parse_quoted(struct parser *p, struct expr **ret, struct err *err) {
    struct expr *e = new_expr(p, EXPR_TEXT, p->next);
    char quote = p->text.ptr[p->next++];
    size_t from = p->next, len = 0;
    for (; p->next < p->text.len; p->next++, len++) {
        if (p->text.ptr[p->next] != quote)
            continue;
        if (p->next + 1 >= p->text.len || p->text.ptr[p->next + 1] != quote)
            break;
        p->next++; /* a doubled quote is one */
    }
    if (p->next == p->text.len)
        return err_set(err, ERR_PARSE, "the quote in ${{ }} is not closed");
    char *copy = arena_new(p->arena, len + 1);
    for (size_t i = 0; i < len; i++) {
        copy[i] = p->text.ptr[from++];
        from += copy[i] == quote;
    }
    must(from == p->next);
    p->next++;
    e->text = (struct str){copy, len};
    *ret = e;
    return 0;
}

static int parse_number(struct parser *p, struct expr **ret) {
    struct expr *e = new_expr(p, EXPR_TEXT, p->next);
    size_t from = p->next;
    while (is_digit(peek(p)) || peek(p) == '.')
        p->next++;
    e->text = str_slice(p->text, from, p->next);
    *ret = e;
    return 0;
}

/* [3] behind the second part of a name. */
static int parse_index(struct parser *p, struct template_name *name, struct err *err) {
    p->at = p->next++;
    size_t from = p->next;
    while (is_digit(peek(p)))
        p->next++;
    uint64_t value;
    if (peek(p) != ']' || units_u64(str_slice(p->text, from, p->next), &value, NULL) < 0 ||
        value >= SLOTS_MAX)
        return err_set(err, ERR_PARSE, "an index is a number in brackets: roles.web[0].private_ip");
    if (name->count != 2)
        return err_set(err, ERR_PARSE, "an index belongs to a role: roles.web[0].private_ip");
    p->next++;
    name->index = (int64_t)value;
    return 0;
}

static int parse_name(struct parser *p, struct str first, struct expr *e, struct err *err) {
    struct template_name *name = &e->name;
    name->index = -1;
    name->part[name->count++] = first;
    while (peek(p) == '.' || peek(p) == '[') {
        if (peek(p) == '[') {
            TRY(parse_index(p, name, err));
            continue;
        }
        p->at = ++p->next;
        struct str word = take_word(p);
        if (word.len == 0)
            return err_set(err, ERR_PARSE, "a name is missing after the dot");
        if (name->count == ARRAY_LEN(name->part))
            return err_set(err, ERR_PARSE, "no name has so many parts");
        name->part[name->count++] = word;
    }
    name->text = str_slice(p->text, e->at, p->next);
    return 0;
}

static int parse_expr(struct parser *p, struct expr **ret, struct err *err);

static int function_of(struct str name, enum function *ret, struct err *err) {
    for (size_t i = 0; i < ARRAY_LEN(functions_later); i++)
        if (str_equal(functions_later[i], name))
            return err_set(err, ERR_PARSE, "%.*s() is not available in this version",
                           STR_ARG(name));
    for (size_t i = 0; i < ARRAY_LEN(functions); i++) {
        if (!str_equal(functions[i].name, name))
            continue;
        *ret = (enum function)i;
        return 0;
    }
    return err_set(err, ERR_PARSE, "unknown function \"%.*s\" (known: join, default, int, file)",
                   STR_ARG(name));
}

static int parse_call(struct parser *p, struct str name, struct expr *e, struct err *err) {
    e->kind = EXPR_CALL;
    TRY(function_of(name, &e->function, err));
    p->next++; /* the bracket */
    uint32_t wanted = functions[e->function].arg_count;
    bool more = false; /* than any function takes */
    for (;;) {
        skip_blanks(p);
        if (peek(p) == ')' && e->arg_count == 0)
            break;
        more = e->arg_count == ARGS_MAX;
        if (more)
            break;
        TRY(parse_expr(p, &e->args[e->arg_count++], err));
        skip_blanks(p);
        if (peek(p) != ',')
            break;
        p->next++;
    }
    p->at = e->at;
    if (e->arg_count != wanted || more)
        return err_set(err, ERR_PARSE, "%.*s() takes %" PRIu32 " value%s", STR_ARG(name), wanted,
                       wanted == 1 ? "" : "s");
    p->at = p->next;
    if (peek(p) != ')')
        return err_set(err, ERR_PARSE, "a closing bracket is missing after %.*s(", STR_ARG(name));
    p->next++;
    return 0;
}

static int parse_expr(struct parser *p, struct expr **ret, struct err *err) {
    skip_blanks(p);
    if (++p->depth > TEMPLATE_DEPTH_MAX)
        return err_set(err, ERR_LIMIT, "calls are nested deeper than %d", TEMPLATE_DEPTH_MAX);
    char c = peek(p);
    if (c == '\'' || c == '"') {
        TRY(parse_quoted(p, ret, err));
    } else if (is_digit(c)) {
        TRY(parse_number(p, ret));
    } else if (is_word_start(c)) {
        struct expr *e = new_expr(p, EXPR_NAME, p->next);
        struct str word = take_word(p);
        if (peek(p) == '(')
            TRY(parse_call(p, word, e, err));
        else
            TRY(parse_name(p, word, e, err));
        *ret = e;
    } else {
        return err_set(err, ERR_PARSE, "a name, a quoted text or a function is missing in ${{ }}");
    }
    p->depth--;
    return 0;
}

/* One `${{ ... }}` at p->next. */
static int parse_template(struct parser *p, struct expr **ret, struct err *err) {
    size_t from = p->next;
    p->next += 3;
    p->depth = 0;
    TRY(parse_expr(p, ret, err));
    skip_blanks(p);
    if (p->next >= p->text.len) {
        p->at = from;
        return err_set(err, ERR_PARSE, "${{ is not closed by }}");
    }
    if (!str_starts_with(str_skip(p->text, p->next), STR("}}")))
        return err_set(err, ERR_PARSE, "not understood in ${{ }}: \"%.*s\"",
                       (int)MIN(p->text.len - p->next, (size_t)20), p->text.ptr + p->next);
    p->next += 2;
    return 0;
}

bool template_has(struct str text) {
    return str_contains(text, STR("${{"));
}

/* ---- names ---- */

static bool one_of(struct str name, const char *words) {
    struct str list = str_from(words), word;
    while (str_split(&list, ' ', &word))
        if (str_equal(word, name))
            return true;
    return false;
}

static bool is_node_time(const struct template_name *name) {
    return one_of(name->part[0], "node roles run phase");
}

#define NODE_FIELDS "index id private_ip public_ip zone type vcpus"
#define ROLE_FIELDS "count ready vcpus private_ips public_ips"
#define ROLE_NODE_FIELDS "private_ip public_ip id zone type"

/* Whether a node-time name has a known form; roles' names are checked by the caller. */
static int check_node_name(const struct template_name *name, struct err *err) {
    struct str first = name->part[0], last = name->part[name->count - 1];
    if (str_equal(first, STR("node"))) {
        if (name->count == 2 && one_of(last, NODE_FIELDS))
            return 0;
        return err_set(err, ERR_NOT_FOUND, "unknown name \"%.*s\" (of a node: %s)",
                       STR_ARG(name->text), NODE_FIELDS);
    }
    if (str_equal(first, STR("roles"))) {
        const char *fields = name->index < 0 ? ROLE_FIELDS : ROLE_NODE_FIELDS;
        if (name->count == 3 && one_of(last, fields))
            return 0;
        return err_set(err, ERR_NOT_FOUND, "unknown name \"%.*s\" (of %s: %s)", STR_ARG(name->text),
                       name->index < 0 ? "a role" : "a node of a role", fields);
    }
    if (str_equal(name->text, STR("run.id")) || str_equal(name->text, STR("phase.name")))
        return 0;
    return err_set(err, ERR_NOT_FOUND, "unknown name \"%.*s\" (known: run.id, phase.name)",
                   STR_ARG(name->text));
}

static int check_load_name(const struct template_name *name, struct err *err) {
    if (one_of(name->part[0], "vars env")) {
        if (name->count == 2 && name->index < 0)
            return 0;
        return err_set(err, ERR_PARSE, "\"%.*s\" is not of the form %.*s.NAME", STR_ARG(name->text),
                       STR_ARG(name->part[0]));
    }
    for (size_t i = 0; i < ARRAY_LEN(names_later); i++)
        if (str_equal(names_later[i], name->part[0]))
            return err_set(err, ERR_PARSE, "\"%.*s\" is not available in this version",
                           STR_ARG(name->text));
    return err_set(err, ERR_NOT_FOUND,
                   "unknown name \"%.*s\" (names start with vars, env, node, roles, run or phase)",
                   STR_ARG(name->text));
}

/* ---- evaluation ---- */

struct evaluator {
    const struct template_env *env;
    struct arena *arena;
    size_t at; /* where an error is */
};

static int eval(struct evaluator *v, const struct expr *e, struct template_value *ret,
                struct err *err);

static struct template_value text_value(struct str text) {
    return (struct template_value){.text = text};
}

static int eval_join(struct evaluator *v, const struct expr *e, struct template_value *ret,
                     struct err *err) {
    struct template_value list, sep;
    TRY(eval(v, e->args[0], &list, err));
    TRY(eval(v, e->args[1], &sep, err));
    v->at = e->at;
    if (!list.is_list)
        return err_set(err, ERR_PARSE, "join() joins a list, such as roles.db.private_ips");
    if (sep.is_list)
        return err_set(err, ERR_PARSE, "the second value of join() is a text, such as ','");
    size_t size = 1;
    for (size_t i = 0; i < list.count; i++)
        size += list.items[i].len + sep.text.len;
    if (size > TEMPLATE_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "the joined text is longer than 256 KiB");
    char *text = arena_new(v->arena, size);
    size_t len = 0;
    for (size_t i = 0; i < list.count; i++) {
        if (i && sep.text.len)
            memcpy(text + len, sep.text.ptr, sep.text.len);
        len += i ? sep.text.len : 0;
        if (list.items[i].len)
            memcpy(text + len, list.items[i].ptr, list.items[i].len);
        len += list.items[i].len;
    }
    must(len < size);
    *ret = text_value((struct str){text, len});
    return 0;
}

static int eval_default(struct evaluator *v, const struct expr *e, struct template_value *ret,
                        struct err *err) {
    struct template_value first;
    int result = eval(v, e->args[0], &first, err);
    if (result < 0 && result != -ERR_NOT_FOUND)
        return result;
    bool empty = result < 0 || (first.is_list ? first.count == 0 : first.text.len == 0);
    if (empty) {
        err_reset(err);
        return eval(v, e->args[1], ret, err);
    }
    *ret = first;
    return 0;
}

static int eval_int(struct evaluator *v, const struct expr *e, struct template_value *ret,
                    struct err *err) {
    struct template_value value;
    int64_t micro;
    TRY(eval(v, e->args[0], &value, err));
    v->at = e->at;
    if (value.is_list)
        return err_set(err, ERR_PARSE, "int() takes a number, not a list");
    if (units_decimal_micro(str_trim(value.text), &micro, err) < 0)
        return err_wrap(err, "int()");
    const char *text = arena_printf(v->arena, "%" PRId64, micro / (int64_t)MICRO);
    *ret = text_value(str_from(text));
    return 0;
}

static int eval_file(struct evaluator *v, const struct expr *e, struct template_value *ret,
                     struct err *err) {
    struct template_value path;
    struct str text;
    TRY(eval(v, e->args[0], &path, err));
    v->at = e->at;
    if (path.is_list)
        return err_set(err, ERR_PARSE, "file() takes a path");
    if (!v->env->file)
        return err_set(err, ERR_PARSE, "file() can only be used when the plan is read");
    TRY(v->env->file(v->env->context, v->arena, path.text, &text, err));
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--; /* a text file ends in a line break that nobody means */
    *ret = text_value(text);
    return 0;
}

static int eval(struct evaluator *v, const struct expr *e, struct template_value *ret,
                struct err *err) {
    v->at = e->at;
    *ret = (struct template_value){0};
    switch (e->kind) {
    case EXPR_TEXT:
        *ret = text_value(e->text);
        return 0;
    case EXPR_NAME:
        return v->env->name(v->env->context, v->arena, &e->name, ret, err);
    case EXPR_CALL:
        break;
    }
    switch (e->function) {
    case FN_JOIN:
        return eval_join(v, e, ret, err);
    case FN_DEFAULT:
        return eval_default(v, e, ret, err);
    case FN_INT:
        return eval_int(v, e, ret, err);
    case FN_FILE:
        return eval_file(v, e, ret, err);
    }
    must(false);
    return 0;
}

static int eval_text(struct evaluator *v, const struct expr *e, struct buf *out, struct err *err) {
    struct template_value value;
    TRY(eval(v, e, &value, err));
    v->at = e->at;
    if (value.is_list)
        return err_set(err, ERR_PARSE, "\"%.*s\" is a list: write join(%.*s, ',')",
                       STR_ARG(e->name.text), STR_ARG(e->name.text));
    buf_add_str(out, value.text);
    return 0;
}

/* ---- the load-time pass ---- */

/* First node-time name below `e`, or NULL. */
static const struct expr *find_node_time(const struct expr *e) {
    if (e->kind == EXPR_NAME)
        return is_node_time(&e->name) ? e : NULL;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        const struct expr *found = find_node_time(e->args[i]);
        if (found)
            return found;
    }
    return NULL;
}

static int check_names(struct evaluator *v, const struct expr *e, struct err *err) {
    if (e->kind == EXPR_NAME) {
        v->at = e->at;
        return is_node_time(&e->name) ? check_node_name(&e->name, err)
                                      : check_load_name(&e->name, err);
    }
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(check_names(v, e->args[i], err));
    return 0;
}

static void add_quoted(struct buf *out, struct str text) {
    buf_add_byte(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_add_byte(out, '\'');
        buf_add_byte(out, text.ptr[i]);
    }
    buf_add_byte(out, '\'');
}

/* Print `e` with its load-time parts folded into quoted texts. */
static int fold(struct evaluator *v, const struct expr *e, struct buf *out, struct err *err) {
    if (!find_node_time(e)) {
        struct template_value value;
        TRY(eval(v, e, &value, err));
        must(!value.is_list); /* load time knows no lists */
        if (template_has(value.text))
            return err_set(err, ERR_PARSE, "a value that is put in holds \"${{\" itself");
        add_quoted(out, value.text);
        return 0;
    }
    if (e->kind == EXPR_NAME) {
        buf_add_str(out, e->name.text);
        return 0;
    }
    if (e->function == FN_FILE) {
        v->at = e->at;
        return err_set(err, ERR_PARSE, "file() is read with the plan, before any node is there");
    }
    if (e->function == FN_DEFAULT && !find_node_time(e->args[0])) {
        struct template_value value;
        int result = eval(v, e->args[0], &value, err);
        if (result < 0 && result != -ERR_NOT_FOUND)
            return result;
        err_reset(err);
        return fold(v, e->args[result < 0 || value.text.len == 0 ? 1 : 0], out, err);
    }
    buf_add_str(out, functions[e->function].name);
    buf_add_byte(out, '(');
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (i)
            buf_add_text(out, ", ");
        TRY(fold(v, e->args[i], out, err));
    }
    buf_add_byte(out, ')');
    return 0;
}

static int load_expr(struct evaluator *v, const struct expr *e, enum template_time time,
                     struct buf *out, struct err *err) {
    TRY(check_names(v, e, err));
    const struct expr *node_time = find_node_time(e);
    if (node_time && time == TEMPLATE_LOAD_ONLY) {
        v->at = node_time->at;
        return err_set(err, ERR_PARSE,
                       "\"%.*s\" is known only once the nodes are there; here only vars, env and "
                       "file() can be used",
                       STR_ARG(node_time->name.text));
    }
    if (node_time) {
        buf_add_text(out, "${{ ");
        TRY(fold(v, e, out, err));
        buf_add_text(out, " }}");
        return 0;
    }
    size_t before = out->len;
    TRY(eval_text(v, e, out, err));
    v->at = e->at;
    if (template_has(str_skip(buf_str(out), before)))
        return err_set(err, ERR_PARSE, "a value that is put in holds \"${{\" itself");
    return 0;
}

/* ---- over a whole text ---- */

enum pass { PASS_LOAD, PASS_NODE, PASS_CHECK };

struct walk {
    enum pass pass;
    enum template_time time;
    const struct template_env *env;
    template_check_fn *check;
    void *context;
    struct buf *out; /* NULL: PASS_CHECK */
};

static int walk_check(const struct walk *w, const struct expr *e, size_t *at, struct err *err) {
    *at = e->at;
    if (e->kind == EXPR_NAME)
        return is_node_time(&e->name) ? w->check(w->context, &e->name, e->at, err) : 0;
    for (uint32_t i = 0; i < e->arg_count; i++)
        TRY(walk_check(w, e->args[i], at, err));
    return 0;
}

static int walk_expr(const struct walk *w, struct parser *p, struct err *err) {
    struct expr *e;
    TRY(parse_template(p, &e, err));
    struct evaluator v = {.env = w->env, .arena = p->arena, .at = e->at};
    size_t at = e->at;
    int result = 0;
    switch (w->pass) {
    case PASS_LOAD:
        result = load_expr(&v, e, w->time, w->out, err);
        at = v.at;
        break;
    case PASS_NODE:
        result = eval_text(&v, e, w->out, err);
        at = v.at;
        break;
    case PASS_CHECK:
        result = walk_check(w, e, &at, err);
        break;
    }
    p->at = at;
    return result;
}

static int walk_text(const struct walk *w, struct parser *p, struct err *err) {
    struct str text = p->text;
    while (p->next < text.len) {
        size_t plain = str_index_of_str(str_skip(text, p->next), STR("${{"));
        if (w->out)
            buf_add_str(w->out, str_slice(text, p->next, p->next + plain));
        p->next += plain;
        p->at = p->next;
        if (p->next < text.len)
            TRY(walk_expr(w, p, err));
        if (w->out && (!buf_ok(w->out) || w->out->len > TEMPLATE_TEXT_MAX))
            return err_set(err, ERR_LIMIT, "the text is longer than 256 KiB");
    }
    return 0;
}

static int walk(const struct walk *w, struct str text, struct arena *arena, size_t *ret_at,
                struct err *err) {
    struct parser p = {.text = text, .arena = arena};
    struct err local;
    err_reset(&local);
    int result = walk_text(w, &p, err ? err : &local);
    if (result < 0 && ret_at)
        *ret_at = MIN(p.at, text.len);
    return result;
}

int template_resolve(struct str text, const struct template_env *env, struct arena *arena,
                     struct buf *out, size_t *ret_at, struct err *err) {
    must(env && env->name && out);
    struct walk w = {.pass = PASS_NODE, .env = env, .out = out};
    return walk(&w, text, arena, ret_at, err);
}

int template_resolve_load(struct str text, enum template_time time, const struct template_env *env,
                          struct arena *arena, struct buf *out, size_t *ret_at, struct err *err) {
    must(env && env->name && out);
    struct walk w = {.pass = PASS_LOAD, .time = time, .env = env, .out = out};
    return walk(&w, text, arena, ret_at, err);
}

int template_check(struct str text, struct arena *arena, template_check_fn *check, void *context,
                   size_t *ret_at, struct err *err) {
    must(check != NULL);
    struct walk w = {.pass = PASS_CHECK, .check = check, .context = context};
    return walk(&w, text, arena, ret_at, err);
}
