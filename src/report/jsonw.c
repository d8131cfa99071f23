#include "report/jsonw.h"

#include <inttypes.h>
#include <math.h>

#include "base/units.h"
#include "base/when.h"
#include "report/width.h"

void jsonw_add_string(struct buf *b, struct str text) {
    buf_add_byte(b, '"');
    for (size_t at = 0; at < text.len;) {
        uint32_t code = 0;
        size_t size = width_decode(text, at, &code);
        if (code == '"' || code == '\\')
            buf_printf(b, "\\%c", (char)code);
        else if (code == '\n')
            buf_add_text(b, "\\n");
        else if (code < 0x20 || code == 0x7f || code == '<' || code == 0x2028 || code == 0x2029)
            buf_printf(b, "\\u%04x", (unsigned)code);
        else if (code == 0xfffd)
            buf_add_text(b, "\ufffd");
        else
            buf_add(b, text.ptr + at, size);
        at += size;
    }
    buf_add_byte(b, '"');
}

void jsonw_init(struct jsonw *j, struct buf *b) {
    *j = (struct jsonw){.b = b};
}

static void begin(struct jsonw *j, const char *key) {
    if (j->depth) {
        unsigned level = j->depth - 1;
        must((key != NULL) == (j->closer[level] == '}'));
        if (j->filled[level])
            buf_add_text(j->b, j->wrap[level] ? "," : ", ");
        if (j->wrap[level])
            buf_printf(j->b, "\n%*s", (int)(2 * j->depth), "");
        j->filled[level] = true;
    }
    if (key) {
        jsonw_add_string(j->b, str_from(key));
        buf_add_text(j->b, ": ");
    }
}

static void open_level(struct jsonw *j, const char *key, char kind, bool wrap) {
    must(kind == '{' || kind == '[');
    must(j->depth < JSONW_DEPTH_MAX);
    begin(j, key);
    buf_add_byte(j->b, kind);
    j->filled[j->depth] = false;
    j->wrap[j->depth] = wrap;
    j->closer[j->depth] = kind == '{' ? '}' : ']';
    j->depth++;
}

void jsonw_open(struct jsonw *j, const char *key, char kind) {
    open_level(j, key, kind, false);
}

void jsonw_open_lines(struct jsonw *j, const char *key, char kind) {
    open_level(j, key, kind, true);
}

void jsonw_close(struct jsonw *j) {
    must(j->depth > 0);
    j->depth--;
    if (j->wrap[j->depth] && j->filled[j->depth])
        buf_printf(j->b, "\n%*s", (int)(2 * j->depth), "");
    buf_add_byte(j->b, j->closer[j->depth]);
}

void jsonw_null(struct jsonw *j, const char *key) {
    begin(j, key);
    buf_add_text(j->b, "null");
}

void jsonw_str(struct jsonw *j, const char *key, struct str text) {
    begin(j, key);
    jsonw_add_string(j->b, text);
}

void jsonw_text(struct jsonw *j, const char *key, const char *text) {
    if (text)
        jsonw_str(j, key, str_from(text));
    else
        jsonw_null(j, key);
}

void jsonw_int(struct jsonw *j, const char *key, int64_t value) {
    begin(j, key);
    buf_printf(j->b, "%" PRId64, value);
}

void jsonw_uint(struct jsonw *j, const char *key, uint64_t value) {
    begin(j, key);
    buf_printf(j->b, "%" PRIu64, value);
}

void jsonw_bool(struct jsonw *j, const char *key, bool value) {
    begin(j, key);
    buf_add_text(j->b, value ? "true" : "false");
}

void jsonw_micro(struct jsonw *j, const char *key, int64_t value) {
    begin(j, key);
    units_add_micro(j->b, value);
}

void jsonw_double(struct jsonw *j, const char *key, double value) {
    if (!isfinite(value)) {
        jsonw_null(j, key);
        return;
    }
    begin(j, key);
    buf_printf(j->b, "%.9g", value);
}

void jsonw_instant(struct jsonw *j, const char *key, int64_t unix_ms) {
    if (unix_ms == 0) {
        jsonw_null(j, key);
        return;
    }
    begin(j, key);
    buf_add_byte(j->b, '"');
    when_add_rfc3339_ms(j->b, unix_ms);
    buf_add_byte(j->b, '"');
}
