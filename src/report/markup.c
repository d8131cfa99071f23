#include "report/markup.h"

#include <stdarg.h>

#include "report/width.h"

#define PRINTF_BYTES_MAX 4096

static bool is_forbidden(uint32_t code) {
    return code == 0xfffe || code == 0xffff || (code >= 0xfdd0 && code <= 0xfdef);
}

static const char *entity_of(uint32_t code) {
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void markup_add(struct buf *b, struct str text) {
    for (size_t at = 0; at < text.len;) {
        uint32_t code = 0;
        size_t size = width_decode(text, at, &code);
        const char *entity = entity_of(code);
        if (entity)
            buf_add_text(b, entity);
        else if (is_forbidden(code))
            buf_add_text(b, "\ufffd");
        else if (code == '\n')
            buf_add_byte(b, '\n');
        else
            width_add_clean(b, str_slice(text, at, at + size), false);
        at += size;
    }
}

void markup_add_text(struct buf *b, const char *text) {
    markup_add(b, str_from(text));
}

void markup_printf(struct buf *b, const char *fmt, ...) {
    char text[PRINTF_BYTES_MAX];
    va_list args;
    va_start(args, fmt);
    int size = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    must(size >= 0);
    markup_add_text(b, text);
}
