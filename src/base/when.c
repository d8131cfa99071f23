#include "base/when.h"

/* Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, "chrono-compatible low-level
 * date algorithms"). */
static int64_t days_from_date(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned year_of_era = (unsigned)(year - era * 400);
    unsigned day_of_year = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + (int64_t)day_of_era - 719468;
}

struct when when_from_unix_ms(int64_t unix_ms) {
    int64_t days = unix_ms / 86400000, ms = unix_ms % 86400000;
    if (ms < 0) {
        ms += 86400000;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    unsigned day_of_era = (unsigned)(z - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted = (5 * day_of_year + 2) / 153;
    unsigned month = shifted < 10 ? shifted + 3 : shifted - 9;
    unsigned s = (unsigned)(ms / 1000);
    return (struct when){
        .year = (int)((int64_t)year_of_era + era * 400 + (month <= 2)),
        .month = month,
        .day = day_of_year - (153 * shifted + 2) / 5 + 1,
        .hour = s / 3600,
        .minute = s / 60 % 60,
        .second = s % 60,
        .ms = (unsigned)(ms % 1000),
    };
}

int64_t when_to_unix_ms(const struct when *w) {
    int64_t days = days_from_date(w->year, w->month, w->day);
    return ((days * 24 + w->hour) * 60 + w->minute) * 60000 + w->second * 1000 + w->ms;
}

void when_add_rfc3339(struct buf *b, int64_t unix_ms) {
    struct when w = when_from_unix_ms(unix_ms);
    buf_printf(b, "%04d-%02u-%02uT%02u:%02u:%02uZ", w.year, w.month, w.day, w.hour, w.minute,
               w.second);
}

void when_add_rfc3339_ms(struct buf *b, int64_t unix_ms) {
    struct when w = when_from_unix_ms(unix_ms);
    buf_printf(b, "%04d-%02u-%02uT%02u:%02u:%02u.%03uZ", w.year, w.month, w.day, w.hour, w.minute,
               w.second, w.ms);
}

void when_add_basic(struct buf *b, int64_t unix_ms) {
    struct when w = when_from_unix_ms(unix_ms);
    buf_printf(b, "%04d%02u%02uT%02u%02u%02uZ", w.year, w.month, w.day, w.hour, w.minute, w.second);
}

void when_add_time(struct buf *b, int64_t unix_ms, int offset_s) {
    struct when w = when_from_unix_ms(unix_ms + (int64_t)offset_s * 1000);
    buf_printf(b, "%02u:%02u:%02u", w.hour, w.minute, w.second);
}

/* Exactly `count` digits at the front of *text. */
static bool take_digits(struct str *text, size_t count, unsigned *ret) {
    unsigned value = 0;
    if (text->len < count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (text->ptr[i] < '0' || text->ptr[i] > '9')
            return false;
        value = value * 10 + (unsigned)(text->ptr[i] - '0');
    }
    *text = str_skip(*text, count);
    *ret = value;
    return true;
}

static bool take_byte(struct str *text, char c) {
    if (text->len == 0 || text->ptr[0] != c)
        return false;
    *text = str_skip(*text, 1);
    return true;
}

static bool take_fraction(struct str *text, unsigned *ret_ms) {
    unsigned digit, scale = 100;
    *ret_ms = 0;
    if (!take_byte(text, '.'))
        return true;
    if (!take_digits(text, 1, &digit))
        return false;
    do {
        *ret_ms += digit * scale;
        scale /= 10;
    } while (take_digits(text, 1, &digit));
    return true;
}

int when_parse(struct str text, int64_t *ret_unix_ms, struct err *err) {
    struct str rest = text;
    struct when w = {0};
    unsigned year = 0;
    bool dashes = text.len > 4 && text.ptr[4] == '-';
    bool good = take_digits(&rest, 4, &year) && (!dashes || take_byte(&rest, '-')) &&
                take_digits(&rest, 2, &w.month) && (!dashes || take_byte(&rest, '-')) &&
                take_digits(&rest, 2, &w.day) && take_byte(&rest, 'T') &&
                take_digits(&rest, 2, &w.hour) && (!dashes || take_byte(&rest, ':')) &&
                take_digits(&rest, 2, &w.minute) && (!dashes || take_byte(&rest, ':')) &&
                take_digits(&rest, 2, &w.second) && take_fraction(&rest, &w.ms) &&
                take_byte(&rest, 'Z') && rest.len == 0;
    good = good && year >= 1970 && w.month >= 1 && w.month <= 12 && w.day >= 1 && w.day <= 31 &&
           w.hour < 24 && w.minute < 60 && w.second <= 60;
    if (!good)
        return err_set(err, ERR_PARSE, "not a time: '%.*s' (write 2026-11-20T16:08:03Z)",
                       STR_ARG(text));
    w.year = (int)year;
    *ret_unix_ms = when_to_unix_ms(&w);
    return 0;
}
