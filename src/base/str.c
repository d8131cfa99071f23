#include "base/str.h"

struct str str_from(const char *text) {
    return text ? (struct str){text, strlen(text)} : STR_EMPTY;
}

bool str_equal(struct str a, struct str b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static char to_lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool str_equal_nocase(struct str a, struct str b) {
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (to_lower(a.ptr[i]) != to_lower(b.ptr[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b) {
    size_t common = MIN(a.len, b.len);
    int order = common ? memcmp(a.ptr, b.ptr, common) : 0;
    if (order)
        return order;
    return a.len < b.len ? -1 : a.len > b.len;
}

bool str_starts_with(struct str s, struct str prefix) {
    return s.len >= prefix.len && str_equal((struct str){s.ptr, prefix.len}, prefix);
}

bool str_ends_with(struct str s, struct str suffix) {
    return s.len >= suffix.len &&
           str_equal((struct str){s.ptr + (s.len - suffix.len), suffix.len}, suffix);
}

size_t str_index_of(struct str s, char c) {
    const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : s.len;
}

size_t str_index_of_str(struct str s, struct str needle) {
    if (needle.len == 0)
        return 0;
    for (size_t i = 0; i + needle.len <= s.len; i++)
        if (memcmp(s.ptr + i, needle.ptr, needle.len) == 0)
            return i;
    return s.len;
}

bool str_contains(struct str s, struct str needle) {
    return needle.len == 0 || str_index_of_str(s, needle) < s.len;
}

struct str str_slice(struct str s, size_t from, size_t to) {
    to = MIN(to, s.len);
    from = MIN(from, to);
    return s.ptr ? (struct str){s.ptr + from, to - from} : STR_EMPTY;
}

struct str str_skip(struct str s, size_t count) {
    return str_slice(s, count, s.len);
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s) {
    while (s.len && is_blank(s.ptr[0]))
        s = str_skip(s, 1);
    while (s.len && is_blank(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_split(struct str *s, char c, struct str *ret_head) {
    if (!s->ptr)
        return false;
    size_t at = str_index_of(*s, c);
    *ret_head = str_slice(*s, 0, at);
    *s = at < s->len ? str_skip(*s, at + 1) : STR_EMPTY;
    return true;
}

bool str_line(struct str *s, struct str *ret_line) {
    if (s->len == 0)
        return false;
    if (!str_split(s, '\n', ret_line))
        return false;
    if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
        ret_line->len--;
    return true;
}

bool str_match(struct str s, struct str pattern) {
    size_t i = 0, p = 0, star = SIZE_MAX, star_i = 0;
    while (i < s.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            star = p++;
            star_i = i;
        } else if (p < pattern.len && (pattern.ptr[p] == '?' || pattern.ptr[p] == s.ptr[i])) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            i = ++star_i;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}

uint64_t str_hash(struct str s) {
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s.len; i++) {
        hash ^= (unsigned char)s.ptr[i];
        hash *= UINT64_C(1099511628211);
    }
    return hash;
}

char *str_dup(struct str s) {
    char *copy = mem_new(s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    return copy;
}

bool str_copy(char *into, size_t size, struct str s) {
    must(size > 0);
    size_t len = MIN(s.len, size - 1);
    if (len)
        memcpy(into, s.ptr, len);
    into[len] = '\0';
    return len == s.len;
}

unsigned str_distance(struct str a, struct str b) {
    enum { WORD_MAX = 63 };
    if (a.len > WORD_MAX || b.len > WORD_MAX)
        return WORD_MAX + 1;
    unsigned before[WORD_MAX + 1] = {0}, above[WORD_MAX + 1], row[WORD_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        above[j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned same = a.ptr[i - 1] == b.ptr[j - 1] ? 0 : 1;
            row[j] = MIN(MIN(above[j] + 1, row[j - 1] + 1), above[j - 1] + same);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                row[j] = MIN(row[j], before[j - 2] + 1);
        }
        memcpy(before, above, sizeof before);
        memcpy(above, row, sizeof above);
    }
    return above[b.len];
}
