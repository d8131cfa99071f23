#include "aws/client_parts.h"
#include "base/when.h"

static bool two_digits(struct str text, size_t at, unsigned *ret) {
    char tens = text.ptr[at], ones = text.ptr[at + 1];
    *ret = (unsigned)(tens - '0') * 10 + (unsigned)(ones - '0');
    return tens >= '0' && tens <= '9' && ones >= '0' && ones <= '9';
}

static unsigned month_of(struct str name) {
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    size_t at = str_index_of_str(str_from(names), name);
    return at % 3 == 0 && at < sizeof names - 1 ? (unsigned)(at / 3) + 1 : 0;
}

/* RFC 9110, 5.6.7: "Fri, 20 Nov 2026 16:08:03 GMT", always 29 bytes. */
bool aws_http_date_parse(struct str text, int64_t *ret_unix_ms) {
    struct when w = {0};
    unsigned century, years;
    if (text.len != 29 || !str_ends_with(text, STR(" GMT")) || text.ptr[3] != ',')
        return false;
    bool digits = two_digits(text, 5, &w.day) && two_digits(text, 12, &century) &&
                  two_digits(text, 14, &years) && two_digits(text, 17, &w.hour) &&
                  two_digits(text, 20, &w.minute) && two_digits(text, 23, &w.second);
    w.month = month_of(str_slice(text, 8, 11));
    w.year = digits ? (int)(century * 100 + years) : 0;
    if (!digits || w.month == 0 || w.year < 1970 || w.day < 1 || w.day > 31 || w.hour > 23 ||
        w.minute > 59 || w.second > 60)
        return false;
    *ret_unix_ms = when_to_unix_ms(&w);
    return true;
}
