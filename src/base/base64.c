#include "base/base64.h"

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, struct str bytes) {
    for (size_t at = 0; at < bytes.len; at += 3) {
        size_t left = MIN(bytes.len - at, (size_t)3);
        uint32_t group = (uint32_t)(uint8_t)bytes.ptr[at] << 16;
        if (left > 1)
            group |= (uint32_t)(uint8_t)bytes.ptr[at + 1] << 8;
        if (left > 2)
            group |= (uint32_t)(uint8_t)bytes.ptr[at + 2];
        char four[4] = {base64_digits[group >> 18 & 63], base64_digits[group >> 12 & 63],
                        left > 1 ? base64_digits[group >> 6 & 63] : '=',
                        left > 2 ? base64_digits[group & 63] : '='};
        buf_add(out, four, sizeof four);
    }
}

/* 0..63, or -1. */
static int base64_value(char c) {
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Digits of `text` into `out`; the number of digits, or -1.  Padding must be at the end. */
static int64_t base64_decode_digits(struct str text, struct buf *out) {
    uint32_t group = 0;
    int64_t digits = 0;
    bool padded = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
            continue;
        if (c == '=') {
            padded = true;
            continue;
        }
        int value = base64_value(c);
        if (value < 0 || padded)
            return -1;
        group = group << 6 | (uint32_t)value;
        if (++digits % 4 != 1)
            buf_add_byte(out, (char)(group >> (digits % 4 == 0 ? 0 : digits % 4 == 3 ? 2 : 4)));
    }
    return digits;
}

bool base64_decode(struct str text, struct buf *out) {
    size_t before = out->len;
    int64_t digits = base64_decode_digits(text, out);
    if (digits >= 0 && digits % 4 != 1)
        return true;
    out->len = before;
    if (out->ptr)
        out->ptr[before] = '\0';
    return false;
}

void hex_write(const uint8_t *bytes, size_t size, char *into) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        into[2 * i] = digits[bytes[i] >> 4];
        into[2 * i + 1] = digits[bytes[i] & 15];
    }
    into[2 * size] = '\0';
}
