#include "report/width.h"

#define CODE_INVALID 0xfffdu
#define ESC 0x1b

struct range {
    uint32_t first, last;
};

/* Combining and invisible code points: Unicode 15 general categories Mn, Me and Cf, folded. */
static const struct range ZERO[] = {
    {0x00ad, 0x00ad},   {0x0300, 0x036f},   {0x0483, 0x0489},   {0x0591, 0x05bd}, {0x05bf, 0x05bf},
    {0x05c1, 0x05c2},   {0x05c4, 0x05c5},   {0x0600, 0x0605},   {0x0610, 0x061a}, {0x061c, 0x061c},
    {0x064b, 0x065f},   {0x0670, 0x0670},   {0x06d6, 0x06dd},   {0x06df, 0x06e4}, {0x0730, 0x074a},
    {0x0900, 0x0902},   {0x093a, 0x093a},   {0x0941, 0x0948},   {0x0e31, 0x0e31}, {0x0e34, 0x0e3a},
    {0x0e47, 0x0e4e},   {0x1160, 0x11ff},   {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff}, {0x200b, 0x200f},
    {0x202a, 0x202e},   {0x2060, 0x2064},   {0x2066, 0x206f},   {0x20d0, 0x20f0}, {0x302a, 0x302d},
    {0x3099, 0x309a},   {0xfe00, 0xfe0f},   {0xfe20, 0xfe2f},   {0xfeff, 0xfeff}, {0xfff9, 0xfffb},
    {0x1d165, 0x1d169}, {0xe0001, 0xe007f}, {0xe0100, 0xe01ef},
};

/* East Asian Width W and F, and the emoji that terminals draw wide. */
static const struct range WIDE[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},
    {0x23f0, 0x23f0},   {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267f, 0x267f},   {0x2693, 0x2693},   {0x26a1, 0x26a1},
    {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},   {0x26ce, 0x26ce},
    {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},
    {0x2728, 0x2728},   {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27b0, 0x27b0},   {0x2b1b, 0x2b1c},
    {0x2b50, 0x2b50},   {0x2b55, 0x2b55},   {0x2e80, 0x303e},   {0x3041, 0x33ff},
    {0x3400, 0x4dbf},   {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
    {0xffe0, 0xffe6},   {0x1f004, 0x1f004}, {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e},
    {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335}, {0x1f337, 0x1f37c},
    {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0},
    {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc},
    {0x1f4ff, 0x1f53d}, {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a},
    {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4}, {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5},
    {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc},
    {0x1f7e0, 0x1f7eb}, {0x1f90c, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x3fffd},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > ranges[middle].last)
            low = middle + 1;
        else if (code < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

static bool is_control(uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

/* Marks that reorder or hide text around them: a way to make a line lie. */
static bool is_deceptive(uint32_t code) {
    return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0x200e || code == 0x200f || code == 0x061c || code == 0x2028 || code == 0x2029 ||
           code == 0xfeff || (code >= 0xe0001 && code <= 0xe007f);
}

/* How many bytes the lead byte asks for, and its payload bits; 0: not a lead byte. */
static size_t lead_size(unsigned char lead, uint32_t *ret_bits) {
    if (lead >= 0xc2 && lead <= 0xdf) {
        *ret_bits = lead & 0x1fu;
        return 2;
    }
    if (lead >= 0xe0 && lead <= 0xef) {
        *ret_bits = lead & 0x0fu;
        return 3;
    }
    if (lead >= 0xf0 && lead <= 0xf4) {
        *ret_bits = lead & 0x07u;
        return 4;
    }
    return 0;
}

size_t width_decode(struct str s, size_t at, uint32_t *ret_code) {
    must(at < s.len);
    const unsigned char *bytes = (const unsigned char *)s.ptr + at;
    *ret_code = bytes[0];
    if (bytes[0] < 0x80)
        return 1;
    uint32_t code = 0;
    size_t size = lead_size(bytes[0], &code);
    *ret_code = CODE_INVALID;
    if (size == 0 || size > s.len - at)
        return 1;
    for (size_t i = 1; i < size; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 1;
        code = code << 6 | (bytes[i] & 0x3fu);
    }
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        return 1;
    *ret_code = code;
    return size;
}

unsigned width_of_code(uint32_t code) {
    if (is_control(code))
        return 0;
    if (code < 0x300)
        return code == 0xad ? 0 : 1;
    if (in_ranges(ZERO, ARRAY_LEN(ZERO), code))
        return 0;
    return in_ranges(WIDE, ARRAY_LEN(WIDE), code) ? 2 : 1;
}

/* Size of the colour sequence at s[at] (ESC [ digits and ; m), or 0. */
static size_t colour_size(struct str s, size_t at) {
    if (s.len - at < 3 || s.ptr[at] != ESC || s.ptr[at + 1] != '[')
        return 0;
    size_t end = at + 2;
    while (end < s.len && ((s.ptr[end] >= '0' && s.ptr[end] <= '9') || s.ptr[end] == ';'))
        end++;
    return end < s.len && s.ptr[end] == 'm' ? end + 1 - at : 0;
}

unsigned width_of(struct str s) {
    unsigned columns = 0;
    for (size_t at = 0; at < s.len;) {
        size_t skip = colour_size(s, at);
        if (skip) {
            at += skip;
            continue;
        }
        uint32_t code = 0;
        at += width_decode(s, at, &code);
        columns += width_of_code(code);
    }
    return columns;
}

/* Append the code points of s that fit; colour sequences always go through. */
static unsigned add_fitting(struct buf *b, struct str s, unsigned columns) {
    unsigned taken = 0;
    bool full = false;
    for (size_t at = 0; at < s.len;) {
        size_t skip = colour_size(s, at);
        if (skip) {
            buf_add(b, s.ptr + at, skip);
            at += skip;
            continue;
        }
        uint32_t code = 0;
        size_t size = width_decode(s, at, &code);
        unsigned width = width_of_code(code);
        full = full || taken + width > columns;
        if (!full) {
            buf_add(b, s.ptr + at, size);
            taken += width;
        }
        at += size;
    }
    return taken;
}

unsigned width_add_cut(struct buf *b, struct str s, unsigned columns, bool ascii) {
    if (width_of(s) <= columns) {
        buf_add_str(b, s);
        return width_of(s);
    }
    if (columns == 0)
        return 0;
    size_t start = b->len;
    unsigned taken = add_fitting(b, s, columns - 1);
    /* The mark of the cut belongs before trailing colour sequences, or it would lose its colour
     * reset; one reset at the end of a cut line is enough. */
    bool coloured = start < b->len && memchr(b->ptr + start, ESC, b->len - start) != NULL;
    buf_add_text(b, ascii ? "~" : "\u2026");
    if (coloured)
        buf_add_text(b, "\x1b[0m");
    return taken + 1;
}

/* Bytes of `s` up to the last blank within `columns`, or of what fits when there is none. */
static size_t wrap_at(struct str s, unsigned columns) {
    unsigned used = 0;
    size_t blank = 0;
    size_t at = 0;
    while (at < s.len) {
        size_t skip = colour_size(s, at);
        uint32_t code = 0;
        size_t size = skip ? skip : width_decode(s, at, &code);
        used += skip ? 0 : width_of_code(code);
        if (used > columns)
            return blank ? blank : at;
        if (code == ' ')
            blank = at;
        at += size;
    }
    return at;
}

void width_add_wrapped(struct buf *b, struct str s, unsigned columns, unsigned indent) {
    must(columns > indent + 10);
    size_t size = wrap_at(s, columns);
    buf_add_str(b, str_slice(s, 0, size));
    for (s = str_skip(s, size); s.len; s = str_skip(s, size)) {
        if (s.ptr[0] == ' ')
            s = str_skip(s, 1);
        buf_add_byte(b, '\n');
        for (unsigned i = 0; i < indent; i++)
            buf_add_byte(b, ' ');
        size = wrap_at(s, columns - indent);
        buf_add_str(b, str_slice(s, 0, size));
    }
}

/* Signs of our own sentences in ASCII; anything else is a question mark. */
static const char *ascii_form(uint32_t code) {
    switch (code) {
    case 0xb7: /* middle dot */
        return "-";
    case 0xb1: /* plus or minus */
        return "+-";
    case 0xd7: /* multiplication sign */
        return "x";
    case 0x2026: /* ellipsis */
        return "...";
    case 0x2192: /* arrow */
        return "->";
    case 0x2713: /* check mark */
        return "ok";
    case 0x2717: /* ballot x */
        return "FAIL";
    default:
        return "?";
    }
}

void width_add_clean(struct buf *b, struct str s, bool ascii) {
    for (size_t at = 0; at < s.len;) {
        uint32_t code = 0;
        size_t size = width_decode(s, at, &code);
        if (code == '\t' || code == '\n' || code == '\r')
            buf_add_byte(b, ' ');
        else if (is_control(code) || is_deceptive(code) || code == CODE_INVALID)
            buf_add_text(b, ascii ? "?" : "\ufffd");
        else if (ascii && code > 0x7e)
            buf_add_text(b, ascii_form(code));
        else
            buf_add(b, s.ptr + at, size);
        at += size;
    }
}
