#include "plan/plan_explain.h"
#include "plan/plan_keys.h"

#include <inttypes.h>

#define TEXT_COLUMNS 78

/* "roles.instances" of section path "roles.NAME" and key "instances". */
static void add_path(struct buf *b, const struct plan_section *section,
                     const struct plan_key *key) {
    if (section->path[0])
        buf_printf(b, "%s.", section->path);
    buf_add_text(b, key->name);
}

static bool is_shown(const struct plan_key *key) {
    return !(key->flags & (KEY_HIDDEN | KEY_LATER));
}

/* "one of a, b, c" or the type's name. */
static void add_type(struct buf *b, const struct plan_key *key) {
    if (key->type != TYPE_WORD) {
        buf_add_text(b, plan_type_name(key->type));
        return;
    }
    struct str rest = str_from(key->words), word;
    bool first = true;
    while (str_split(&rest, '|', &word)) {
        if (str_starts_with(word, STR("~")))
            continue;
        buf_printf(b, "%s%.*s", first ? "" : ", ", STR_ARG(word));
        first = false;
    }
}

static void add_default(struct buf *b, const struct plan_key *key) {
    if (key->flags & KEY_REQUIRED)
        buf_add_text(b, "required");
    else if (key->preset)
        buf_add_text(b, key->preset);
    else
        buf_add_text(b, key->preset_text ? key->preset_text : "none");
}

static void add_wrapped(struct buf *b, const char *indent, struct str text) {
    size_t column = 0;
    struct str word;
    while (str_split(&text, ' ', &word)) {
        if (column && column + 1 + word.len > TEXT_COLUMNS) {
            buf_add_byte(b, '\n');
            column = 0;
        }
        if (column == 0) {
            buf_add_text(b, indent);
            column = strlen(indent);
        } else {
            buf_add_byte(b, ' ');
            column++;
        }
        buf_add_str(b, word);
        column += word.len;
    }
    buf_add_byte(b, '\n');
}

static void add_key_line(struct buf *b, const struct plan_key *key) {
    CLEANUP(buf_deinit) struct buf type = BUF_INIT(400);
    if (key->flags & KEY_LATER) {
        buf_printf(b, "  %-17s not available in this version\n", key->name);
        return;
    }
    add_type(&type, key);
    buf_printf(b, "  %-17s %-24s ", key->name, buf_text(&type));
    if (type.len > 24)
        buf_printf(b, "\n  %-17s %-24s ", "", "");
    add_default(b, key);
    buf_add_byte(b, '\n');
}

static void add_section_lines(struct buf *b, const struct plan_section *section) {
    for (const struct plan_key *key = section->keys; key->name; key++)
        if (!(key->flags & KEY_HIDDEN))
            add_key_line(b, key);
}

/* The first part of the path that is no key, and what it may have been. */
static int not_found(struct str path, struct err *err) {
    const struct plan_section *section = &PLAN_SECTION;
    for (size_t dot = 0; section && dot < path.len;) {
        size_t end = dot + str_index_of(str_skip(path, dot), '.');
        struct str part = str_slice(path, dot, end), before = str_slice(path, 0, end);
        const struct plan_key *key = plan_key_at(before, NULL);
        if (key) {
            section = key->section;
            dot = end + 1;
            continue;
        }
        const struct plan_key *near = plan_key_suggest(section, part);
        if (!near)
            break;
        return err_set(err, ERR_NOT_FOUND, "unknown key \"%.*s\", did you mean \"%.*s%s%.*s\"?",
                       STR_ARG(path), STR_ARG(str_slice(path, 0, dot)), near->name,
                       STR_ARG(str_skip(path, end)));
    }
    return err_set(err, ERR_NOT_FOUND, "unknown key \"%.*s\"", STR_ARG(path));
}

int plan_explain(struct buf *out, struct str path, struct err *err) {
    const struct plan_section *section = NULL;
    const struct plan_key *key = plan_key_at(path, &section);
    if (!key)
        return not_found(path, err);
    add_path(out, section, key);
    buf_add_byte(out, '\n');
    add_wrapped(out, "  ", str_from(key->help));
    if (key->flags & KEY_LATER) {
        buf_add_text(out, "\n  Not available in this version.\n");
        return 0;
    }
    buf_add_text(out, "\n  type      ");
    add_type(out, key);
    if (plan_type_is_scalar(key->type) && key->type != TYPE_WORD && key->type != TYPE_TEXT)
        buf_printf(out, " (%s)", plan_type_form(key->type));
    buf_add_text(out, "\n  default   ");
    add_default(out, key);
    if (plan_type_is_scalar(key->type) && key->max) {
        buf_add_text(out, "\n  limits    ");
        plan_type_print_number(out, key->type, key->min);
        buf_add_text(out, " to ");
        plan_type_print_number(out, key->type, key->max);
    }
    if (key->flags & KEY_NODE)
        buf_add_text(out, "\n  templates vars, env, file(); node, roles, run, phase");
    if (key->example)
        buf_printf(out, "\n  example   %s: %s", key->name, key->example);
    buf_add_byte(out, '\n');
    if (key->section) {
        buf_printf(out, "\n  %-17s %-24s default\n", "key", "type");
        add_section_lines(out, key->section);
    }
    return 0;
}

typedef void visit_fn(struct buf *out, const struct plan_section *section);

/* Every section, parents before children, without recursion: the tree is a list to be worked off.
 */
static void each_section(struct buf *out, visit_fn *visit) {
    const struct plan_section *todo[32] = {&PLAN_SECTION};
    size_t count = 1;
    for (size_t i = 0; i < count; i++) {
        visit(out, todo[i]);
        for (const struct plan_key *key = todo[i]->keys; key->name; key++) {
            bool seen = key->section == NULL;
            for (size_t k = 0; k < count; k++)
                seen = seen || todo[k] == key->section;
            must(count < ARRAY_LEN(todo));
            if (!seen)
                todo[count++] = key->section;
        }
    }
}

static void visit_lines(struct buf *out, const struct plan_section *section) {
    buf_printf(out, "%s%s: %s\n", section == &PLAN_SECTION ? "" : "\n",
               section->path[0] ? section->path : "top level", section->title);
    add_section_lines(out, section);
}

void plan_explain_all(struct buf *out) {
    each_section(out, visit_lines);
}

/* ---- Markdown ---- */

static void add_cell(struct buf *b, const char *text) {
    for (; *text; text++) {
        if (*text == '|')
            buf_add_byte(b, '\\');
        buf_add_byte(b, *text);
    }
}

static void visit_markdown(struct buf *out, const struct plan_section *section) {
    bool later = false;
    buf_printf(out, "\n## %s%s%s\n\n%s.\n\n| key | meaning | value | default | example |\n",
               section->path[0] ? "`" : "", section->path[0] ? section->path : "Top level",
               section->path[0] ? "`" : "", section->title);
    buf_add_text(out, "|---|---|---|---|---|\n");
    for (const struct plan_key *key = section->keys; key->name; key++) {
        later = later || key->flags & KEY_LATER;
        if (!is_shown(key))
            continue;
        CLEANUP(buf_deinit) struct buf type = BUF_INIT(400), preset = BUF_INIT(200);
        add_type(&type, key);
        add_default(&preset, key);
        buf_printf(out, "| `%s` | ", key->name);
        add_cell(out, key->help);
        buf_add_text(out, " | ");
        add_cell(out, buf_text(&type));
        buf_add_text(out, " | ");
        add_cell(out, buf_text(&preset));
        buf_add_text(out, " | `");
        add_cell(out, key->example ? key->example : "");
        buf_add_text(out, "` |\n");
    }
    if (!later)
        return;
    buf_add_text(out, "\nKnown, and refused in this version:");
    bool first = true;
    for (const struct plan_key *key = section->keys; key->name; key++) {
        if (!(key->flags & KEY_LATER))
            continue;
        buf_printf(out, "%s `%s`", first ? "" : ",", key->name);
        first = false;
    }
    buf_add_text(out, ".\n");
}

void plan_explain_markdown(struct buf *out) {
    buf_add_text(out,
                 "# The plan file\n\n"
                 "Made from the key table by `dayfly explain --markdown`; do not edit.\n\n"
                 "YAML 1.2, one document, block or flow style, anchors, aliases and `<<`. Tags, "
                 "duplicate keys, unknown\nkeys, tabs as indentation and numbers without their "
                 "unit are errors. A key that starts with `x-` is ignored.\nWhere a list is "
                 "meant, a single value will do.\n\n"
                 "| type | written |\n|---|---|\n");
    for (int type = 0; type < TYPE_COUNT_; type++) {
        if (!plan_type_is_scalar((enum plan_type)type) || type == TYPE_TEXT || type == TYPE_WORD)
            continue;
        buf_printf(out, "| %s | `%s` |\n", plan_type_name((enum plan_type)type),
                   plan_type_form((enum plan_type)type));
    }
    buf_add_text(out,
                 "\n`${{ }}` puts values into texts. When the plan is read: `vars.x`, `env.X`, "
                 "`file(\"path\")`. When the nodes are\nthere, in commands, URLs and the like: "
                 "`node.index node.id node.private_ip node.public_ip node.zone node.type\n"
                 "node.vcpus`, `roles.R.count .ready .vcpus .private_ips .public_ips`, "
                 "`roles.R[i].private_ip .public_ip .id .zone\n.type`, `run.id`, `phase.name`. "
                 "Functions: `join(list, sep)`, `default(a, b)`, `int(a)`.\n");
    each_section(out, visit_markdown);
}
