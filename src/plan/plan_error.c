#include "plan/plan_error.h"
#include "plan/yaml_tree.h"

#include <inttypes.h>
#include <stdarg.h>

#define MESSAGE_MAX 400
#define SOURCE_COLUMNS_MAX 100 /* of a source line that are shown */

PRINTF_LIKE(2, 0)
static struct str make_text(struct arena *arena, const char *fmt, va_list args) {
    char text[MESSAGE_MAX];
    int len = vsnprintf(text, sizeof text, fmt, args);
    must(len >= 0);
    size_t size = MIN((size_t)len, sizeof text - 1);
    while (size && (size_t)len > size && ((unsigned char)text[size] & 0xC0) == 0x80)
        size--; /* do not cut inside a character */
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
            text[i] = '?';
    return arena_str(arena, (struct str){text, size});
}

struct plan_error *plan_error_add(struct plan_sink *sink, struct plan_place place, uint32_t width,
                                  const char *fmt, ...) {
    struct plan_errors *errors = sink->errors;
    must(errors->count <= PLAN_ERRORS_MAX);
    if (errors->count == PLAN_ERRORS_MAX) {
        errors->dropped++;
        return &sink->spare;
    }
    struct plan_error *error = &errors->items[errors->count];
    *error = (struct plan_error){.place = place, .width = width ? width : 1};
    va_list args;
    va_start(args, fmt);
    error->message = make_text(sink->arena, fmt, args);
    va_end(args);
    for (uint32_t i = 0; i < errors->count; i++) { /* an alias brings its mistakes along */
        const struct plan_error *other = &errors->items[i];
        if (other->place.line == place.line && other->place.column == place.column &&
            str_equal(other->message, error->message))
            return &sink->spare;
    }
    errors->count++;
    return error;
}

struct str plan_error_text(struct plan_sink *sink, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    struct str text = make_text(sink->arena, fmt, args);
    va_end(args);
    return text;
}

static bool comes_before(const struct plan_error *a, const struct plan_error *b) {
    bool a_set = a->place.line < 0, b_set = b->place.line < 0;
    if (a_set != b_set)
        return b_set;
    if (a->place.line != b->place.line)
        return a_set ? a->place.line > b->place.line : a->place.line < b->place.line;
    return a->place.column < b->place.column;
}

void plan_error_sort(struct plan_errors *errors) {
    for (uint32_t i = 1; i < errors->count; i++) {
        struct plan_error moved = errors->items[i];
        uint32_t at = i;
        for (; at > 0 && comes_before(&moved, &errors->items[at - 1]); at--)
            errors->items[at] = errors->items[at - 1];
        errors->items[at] = moved;
    }
}

static struct str source_line(const struct plan_errors *errors, struct plan_place place) {
    if (place.line < 0) {
        uint32_t number = (uint32_t)-place.line - 1;
        return number < errors->set_count ? errors->sets[number] : STR_EMPTY;
    }
    struct str rest = errors->text, line = STR_EMPTY;
    for (int32_t i = 0; i < place.line; i++)
        if (!str_line(&rest, &line))
            return STR_EMPTY;
    return line;
}

static void add_headline(struct buf *b, const struct plan_errors *errors,
                         const struct plan_error *error) {
    if (error->place.line < 0)
        buf_printf(b, "--set %.*s", STR_ARG(source_line(errors, error->place)));
    else if (error->place.line == 0)
        buf_add_str(b, errors->file);
    else
        buf_printf(b, "%.*s:%" PRId32 ":%" PRId32, STR_ARG(errors->file), error->place.line,
                   error->place.column);
    buf_printf(b, ": %.*s", STR_ARG(error->message));
    if (error->hint.len)
        buf_printf(b, ", %.*s", STR_ARG(error->hint));
}

void plan_error_add_line(struct buf *b, const struct plan_errors *errors, uint32_t index) {
    must(index < errors->count);
    add_headline(b, errors, &errors->items[index]);
    buf_add_byte(b, '\n');
}

/* The line with tabs as one blank, cut to what fits; control bytes as `?`. */
static void add_source(struct buf *b, struct str line, size_t *ret_columns) {
    size_t columns = 0;
    for (size_t i = 0; i < line.len; i++) {
        unsigned char c = (unsigned char)line.ptr[i];
        if ((c & 0xC0) != 0x80 && columns++ == SOURCE_COLUMNS_MAX)
            break;
        buf_add_byte(b, c == '\t' ? ' ' : (c < ' ' || c == 0x7F) ? '?' : (char)c);
    }
    *ret_columns = MIN(columns, (size_t)SOURCE_COLUMNS_MAX);
}

static void add_blanks(struct buf *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        buf_add_byte(b, ' ');
}

void plan_error_add_block(struct buf *b, const struct plan_errors *errors, uint32_t index,
                          bool utf8) {
    must(index < errors->count);
    const struct plan_error *error = &errors->items[index];
    add_headline(b, errors, error);
    buf_add_byte(b, '\n');
    struct str line = source_line(errors, error->place);
    if (error->place.line != 0 && line.len && yaml_is_text(line)) {
        char number[16] = "";
        if (error->place.line > 0)
            snprintf(number, sizeof number, "%" PRId32, error->place.line);
        size_t margin = MAX(strlen(number), (size_t)2) + 1, columns;
        add_blanks(b, margin);
        buf_add_text(b, utf8 ? "╷\n" : "|\n");
        add_blanks(b, margin - 1 - strlen(number));
        buf_printf(b, "%s %s ", number, utf8 ? "│" : "|");
        add_source(b, line, &columns);
        buf_add_byte(b, '\n');
        add_blanks(b, margin);
        buf_add_text(b, utf8 ? "│ " : "| ");
        size_t at = error->place.column > 0 ? (size_t)error->place.column - 1 : 0;
        at = MIN(at, columns);
        add_blanks(b, at);
        size_t width = MAX((size_t)1, MIN((size_t)error->width, columns - at));
        for (size_t i = 0; i < width; i++)
            buf_add_byte(b, '^');
        if (error->note.len)
            buf_printf(b, " %.*s", STR_ARG(error->note));
        buf_add_byte(b, '\n');
    }
    if (error->help.len)
        buf_printf(b, "   help: %.*s\n", STR_ARG(error->help));
}
