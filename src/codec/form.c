#include "codec/form.h"

static bool is_unreserved(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

static void encode(struct buf *out, struct str text, bool keep_slash) {
    static const char digits[] = "0123456789ABCDEF";
    size_t plain = 0; /* start of the run of bytes that stay */
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (is_unreserved(c) || (keep_slash && c == '/'))
            continue;
        buf_add(out, text.ptr + plain, i - plain);
        char three[3] = {'%', digits[(uint8_t)c >> 4], digits[(uint8_t)c & 15]};
        buf_add(out, three, sizeof three);
        plain = i + 1;
    }
    if (text.len > plain)
        buf_add(out, text.ptr + plain, text.len - plain);
}

void form_encode(struct buf *out, struct str text) {
    encode(out, text, false);
}

void form_encode_path(struct buf *out, struct str text) {
    encode(out, text, true);
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool form_decode(struct str text, bool plus_is_blank, struct buf *out) {
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '%') {
            bool room = text.len - i > 2;
            int high = room ? hex_value(text.ptr[i + 1]) : -1;
            int low = room ? hex_value(text.ptr[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            buf_add_byte(out, (char)(high << 4 | low));
            i += 2;
        } else {
            buf_add_byte(out, c == '+' && plus_is_blank ? ' ' : c);
        }
    }
    return true;
}

void form_add(struct buf *out, struct str name, struct str value) {
    if (out->len > 0 && out->ptr[out->len - 1] != '?')
        buf_add_byte(out, '&');
    form_encode(out, name);
    buf_add_byte(out, '=');
    form_encode(out, value);
}

bool form_next(struct str *rest, struct str *ret_name, struct str *ret_value) {
    struct str pair;
    while (str_split(rest, '&', &pair)) {
        if (pair.len == 0)
            continue;
        size_t equals = str_index_of(pair, '=');
        *ret_name = str_slice(pair, 0, equals);
        *ret_value = equals < pair.len ? str_skip(pair, equals + 1) : STR_EMPTY;
        return true;
    }
    return false;
}
