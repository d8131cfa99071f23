#include "plan/doc_writer.h"

void doc_init(struct doc_writer *w, struct buf *out, bool json) {
    *w = (struct doc_writer){.out = out, .json = json};
}

void doc_add_quoted(struct buf *b, struct str text) {
    buf_add_byte(b, '"');
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c == '"' || c == '\\')
            buf_add_byte(b, '\\');
        if (c == '\n')
            buf_add_text(b, "\\n");
        else if (c == '\t')
            buf_add_text(b, "\\t");
        else if (c < ' ' || c == 0x7F)
            buf_printf(b, "\\u%04x", c);
        else
            buf_add_byte(b, (char)c);
    }
    buf_add_byte(b, '"');
}

/* Whether YAML reads the text as itself without quotes. */
static bool is_plain_safe(struct str text) {
    static const char *const words[] = {"true", "false", "null", "yes", "no",
                                        "on",   "off",   "y",    "n"};
    if (text.len == 0 || text.len > 200)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        bool inside = strchr("_-./%$+*<>=(),:", c) && i > 0 && c;
        bool front = (c == '/' || c == '.' || c == '$') && i == 0;
        bool blank = c == ' ' && i > 0 && i + 1 < text.len && text.ptr[i - 1] != ':';
        if (!letter && !inside && !front && !blank)
            return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_equal_nocase(text, str_from(words[i])))
            return false;
    return text.ptr[text.len - 1] != ':';
}

static void add_indent(struct doc_writer *w, uint32_t indent) {
    for (uint32_t i = 0; i < indent; i++)
        buf_add_byte(w->out, ' ');
}

/* The line break and comma before an entry, and its name. */
static void start_entry(struct doc_writer *w, const char *name) {
    if (w->depth == 0)
        return;
    struct doc_level *level = &w->levels[w->depth - 1];
    must((name == NULL) == level->is_list);
    bool first = level->empty;
    level->empty = false;
    if (w->json) {
        buf_add_text(w->out, first ? "\n" : ",\n");
        add_indent(w, level->indent);
        if (name) {
            doc_add_quoted(w->out, str_from(name));
            buf_add_text(w->out, ": ");
        }
        return;
    }
    if (first && level->deferred) {
        level->deferred = false;
        if (w->depth > 1 && w->levels[w->depth - 2].is_list)
            buf_add_byte(w->out, ' '); /* the first entry stands behind the dash */
        else
            buf_add_byte(w->out, '\n');
        if (w->out->len && w->out->ptr[w->out->len - 1] == '\n')
            add_indent(w, level->indent);
    } else {
        add_indent(w, level->indent);
    }
    if (!name) {
        buf_add_byte(w->out, '-');
        return;
    }
    if (is_plain_safe(str_from(name)))
        buf_add_text(w->out, name);
    else
        doc_add_quoted(w->out, str_from(name));
    buf_add_byte(w->out, ':');
}

static void open_level(struct doc_writer *w, const char *name, bool is_list) {
    must(w->depth < DOC_DEPTH_MAX);
    start_entry(w, name);
    uint32_t indent = w->depth == 0 ? (w->json ? 2 : 0) : w->levels[w->depth - 1].indent + 2;
    bool top = w->depth == 0;
    w->levels[w->depth++] =
        (struct doc_level){.is_list = is_list, .empty = true, .deferred = !top, .indent = indent};
    if (w->json)
        buf_add_byte(w->out, is_list ? '[' : '{');
}

void doc_map(struct doc_writer *w, const char *name) {
    open_level(w, name, false);
}

void doc_list(struct doc_writer *w, const char *name) {
    open_level(w, name, true);
}

void doc_end(struct doc_writer *w) {
    must(w->depth > 0);
    const struct doc_level *level = &w->levels[--w->depth];
    if (w->json) {
        if (!level->empty) {
            buf_add_byte(w->out, '\n');
            add_indent(w, level->indent - 2);
        }
        buf_add_byte(w->out, level->is_list ? ']' : '}');
        if (w->depth == 0)
            buf_add_byte(w->out, '\n');
    } else if (level->empty) {
        buf_printf(w->out, "%s%s\n", w->depth ? " " : "", level->is_list ? "[]" : "{}");
    }
}

/* Whether a text of several lines comes through a `|` block unchanged. */
static bool is_block_safe(struct str text) {
    if (!str_contains(text, STR("\n")) || text.ptr[0] == ' ' || text.ptr[0] == '\n')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (((unsigned char)text.ptr[i] < ' ' && text.ptr[i] != '\n') || text.ptr[i] == 0x7F)
            return false;
    return !str_ends_with(text, STR("\n\n"));
}

static void add_block(struct doc_writer *w, struct str text) {
    uint32_t indent = w->levels[w->depth - 1].indent + 2;
    struct str rest = text;
    buf_add_text(w->out, str_ends_with(text, STR("\n")) ? " |\n" : " |-\n");
    while (rest.len) {
        size_t end = str_index_of(rest, '\n');
        if (end > 0)
            add_indent(w, indent);
        buf_add_str(w->out, str_slice(rest, 0, end));
        buf_add_byte(w->out, '\n');
        rest = str_skip(rest, MIN(end + 1, rest.len));
    }
}

void doc_text(struct doc_writer *w, const char *name, struct str text) {
    start_entry(w, name);
    if (w->json) {
        doc_add_quoted(w->out, text);
        return;
    }
    must(w->depth > 0);
    if (is_block_safe(text)) {
        add_block(w, text);
        return;
    }
    buf_add_byte(w->out, ' ');
    if (is_plain_safe(text))
        buf_add_str(w->out, text);
    else
        doc_add_quoted(w->out, text);
    buf_add_byte(w->out, '\n');
}

void doc_raw(struct doc_writer *w, const char *name, struct str text) {
    start_entry(w, name);
    if (!w->json)
        buf_add_byte(w->out, ' ');
    buf_add_str(w->out, text);
    if (!w->json)
        buf_add_byte(w->out, '\n');
}
