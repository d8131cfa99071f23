#include "aws/config.h"

/* Shared config files: `[section]`, `key = value`, and blocks of indented pairs beneath a key
 * without a value.  A comment starts the line with # or ;, or stands behind a blank in a value. */

struct reader {
    struct str section; /* empty: before the first one */
    struct str block;   /* key without value that an indented line belongs to */
    bool has_key;       /* a key came in this section: indented lines belong to it */
    unsigned line;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static struct str cut_comment(struct str value) {
    for (size_t i = 0; i + 1 < value.len; i++)
        if (is_blank(value.ptr[i]) && (value.ptr[i + 1] == '#' || value.ptr[i + 1] == ';'))
            return str_trim(str_slice(value, 0, i));
    return str_trim(value);
}

/* "[profile x]" gives "profile x"; quotes around a name with blanks are dropped by the user. */
static int read_section(struct reader *r, struct str line, struct err *err) {
    size_t end = str_index_of(line, ']');
    struct str name = str_trim(str_slice(line, 1, end));
    if (end == line.len || name.len == 0)
        return err_set(err, ERR_PARSE, "line %u: a section is written [name]", r->line);
    r->section = name;
    r->block = STR_EMPTY;
    r->has_key = false;
    return 0;
}

int aws_config_parse(struct str text,
                     int (*visit)(void *user, struct str section, struct str nested, struct str key,
                                  struct str value, struct err *err),
                     void *user, struct err *err) {
    struct reader r = {.line = 0};
    struct str raw;
    while (str_line(&text, &raw)) {
        r.line++;
        struct str line = str_trim(raw);
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == ';')
            continue;
        bool indented = is_blank(raw.ptr[0]) && r.has_key;
        if (line.ptr[0] == '[' && !indented) {
            TRY(read_section(&r, line, err));
            continue;
        }
        size_t equals = str_index_of(line, '=');
        if (indented && (r.block.len == 0 || equals == line.len))
            continue; /* a value that goes on: none of ours does */
        struct str key = str_trim(str_slice(line, 0, equals));
        if (equals == line.len || key.len == 0)
            return err_set(err, ERR_PARSE, "line %u: expected 'key = value'", r.line);
        if (r.section.len == 0)
            return err_set(err, ERR_PARSE, "line %u: '%.*s' is in no [section]", r.line,
                           STR_ARG(str_slice(key, 0, 40)));
        struct str value = cut_comment(str_skip(line, equals + 1));
        if (!indented) {
            r.has_key = true;
            r.block = value.len == 0 ? key : STR_EMPTY;
        }
        TRY(visit(user, r.section, indented ? r.block : STR_EMPTY, key, value, err));
    }
    return 0;
}
