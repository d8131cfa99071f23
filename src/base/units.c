#include "base/units.h"

#include <inttypes.h>

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

int units_u64(struct str text, uint64_t *ret, struct err *err) {
    if (text.len == 0)
        return err_set(err, ERR_PARSE, "not a number: ''");
    uint64_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]))
            return err_set(err, ERR_PARSE, "not a number: '%.*s'", STR_ARG(text));
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(text.ptr[i] - '0'), &value))
            return err_set(err, ERR_LIMIT, "number too large: '%.*s'", STR_ARG(text));
    }
    *ret = value;
    return 0;
}

int units_i64(struct str text, int64_t *ret, struct err *err) {
    bool negative = str_starts_with(text, STR("-"));
    uint64_t value;
    TRY(units_u64(negative ? str_skip(text, 1) : text, &value, err));
    if (value > (uint64_t)INT64_MAX)
        return err_set(err, ERR_LIMIT, "number too large: '%.*s'", STR_ARG(text));
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return 0;
}

/* Read "12.5" at the front of *text as micro units; what follows stays in *text. */
static int take_decimal(struct str *text, uint64_t *ret_micro, struct err *err) {
    struct str all = *text;
    uint64_t value = 0, scale = MICRO;
    size_t i = 0, digits = 0;
    bool fraction = false;
    for (; i < all.len && (is_digit(all.ptr[i]) || (all.ptr[i] == '.' && !fraction)); i++) {
        if (all.ptr[i] == '.') {
            fraction = true;
            continue;
        }
        digits++;
        if (fraction && scale == 1)
            continue; /* finer than we keep */
        if (fraction)
            scale /= 10;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(all.ptr[i] - '0'), &value))
            return err_set(err, ERR_LIMIT, "number too large: '%.*s'", STR_ARG(all));
    }
    if (digits == 0 || (fraction && all.ptr[i - 1] == '.'))
        return err_set(err, ERR_PARSE, "not a number: '%.*s'", STR_ARG(all));
    if (__builtin_mul_overflow(value, scale, &value))
        return err_set(err, ERR_LIMIT, "number too large: '%.*s'", STR_ARG(all));
    *ret_micro = value;
    *text = str_skip(all, i);
    return 0;
}

int units_decimal_micro(struct str text, int64_t *ret, struct err *err) {
    bool negative = str_starts_with(text, STR("-"));
    struct str rest = negative ? str_skip(text, 1) : text;
    uint64_t micro;
    TRY(take_decimal(&rest, &micro, err));
    if (rest.len)
        return err_set(err, ERR_PARSE, "not a number: '%.*s'", STR_ARG(text));
    if (micro > (uint64_t)INT64_MAX)
        return err_set(err, ERR_LIMIT, "number too large: '%.*s'", STR_ARG(text));
    *ret = negative ? -(int64_t)micro : (int64_t)micro;
    return 0;
}

struct unit {
    struct str name;
    uint64_t factor;
};

/* Longest name first where one starts another. */
static const struct unit DURATIONS[] = {
    {STR_INIT("ns"), 1},
    {STR_INIT("us"), NS_PER_US},
    {STR_INIT("ms"), NS_PER_MS},
    {STR_INIT("s"), NS_PER_S},
    {STR_INIT("m"), 60 * NS_PER_S},
    {STR_INIT("h"), 3600 * NS_PER_S},
    {STR_INIT("d"), 86400 * NS_PER_S},
};
static const struct unit SIZES[] = {
    {STR_INIT("KiB"), KIB},          {STR_INIT("MiB"), MIB},
    {STR_INIT("GiB"), GIB},          {STR_INIT("TiB"), GIB * 1024},
    {STR_INIT("kB"), 1000},          {STR_INIT("KB"), 1000},
    {STR_INIT("MB"), 1000000},       {STR_INIT("GB"), 1000000000},
    {STR_INIT("TB"), 1000000000000}, {STR_INIT("B"), 1},
};

static const struct unit *take_unit(struct str *text, const struct unit *units, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (str_starts_with(*text, units[i].name)) {
            *text = str_skip(*text, units[i].name.len);
            return &units[i];
        }
    return NULL;
}

static int scale_micro(uint64_t micro, uint64_t factor, uint64_t *ret) {
    __extension__ unsigned __int128 wide = (unsigned __int128)micro * factor / MICRO;
    if (wide > UINT64_MAX)
        return -1;
    *ret = (uint64_t)wide;
    return 0;
}

int units_duration(struct str text, uint64_t *ret_ns, struct err *err) {
    uint64_t total = 0;
    struct str rest = text;
    if (text.len == 0)
        return err_set(err, ERR_PARSE, "not a duration: ''");
    while (rest.len) {
        uint64_t micro, ns;
        if (take_decimal(&rest, &micro, NULL) < 0)
            return err_set(err, ERR_PARSE, "not a duration: '%.*s' (write 90s, 5m, 1h30m)",
                           STR_ARG(text));
        const struct unit *unit = take_unit(&rest, DURATIONS, ARRAY_LEN(DURATIONS));
        if (!unit && rest.len == 0)
            return err_set(err, ERR_PARSE, "a duration needs a unit: '%.*s'; did you mean '%.*ss'?",
                           STR_ARG(text), STR_ARG(text));
        if (!unit)
            return err_set(err, ERR_PARSE, "not a duration: '%.*s' (units: us ms s m h d)",
                           STR_ARG(text));
        if (scale_micro(micro, unit->factor, &ns) < 0 || __builtin_add_overflow(total, ns, &total))
            return err_set(err, ERR_LIMIT, "duration too long: '%.*s'", STR_ARG(text));
    }
    *ret_ns = total;
    return 0;
}

int units_size(struct str text, uint64_t *ret_bytes, struct err *err) {
    struct str rest = text;
    uint64_t micro, bytes;
    if (take_decimal(&rest, &micro, NULL) < 0)
        return err_set(err, ERR_PARSE, "not a size: '%.*s' (write 64KiB, 1GB)", STR_ARG(text));
    if (rest.len == 0)
        return err_set(err, ERR_PARSE, "a size needs a unit: '%.*s'; did you mean '%.*sMiB'?",
                       STR_ARG(text), STR_ARG(text));
    const struct unit *unit = take_unit(&rest, SIZES, ARRAY_LEN(SIZES));
    if (!unit || rest.len)
        return err_set(err, ERR_PARSE, "not a size: '%.*s' (units: B KB KiB MB MiB GB GiB)",
                       STR_ARG(text));
    if (scale_micro(micro, unit->factor, &bytes) < 0)
        return err_set(err, ERR_LIMIT, "size too large: '%.*s'", STR_ARG(text));
    *ret_bytes = bytes;
    return 0;
}

int units_rate(struct str text, uint64_t *ret_micro_per_s, struct err *err) {
    struct str rest = text;
    uint64_t micro, factor = 1;
    if (take_decimal(&rest, &micro, NULL) < 0)
        return err_set(err, ERR_PARSE, "not a rate: '%.*s' (write 500/s, 30000/m)", STR_ARG(text));
    if (rest.len && (rest.ptr[0] == 'k' || rest.ptr[0] == 'M')) {
        factor = rest.ptr[0] == 'k' ? 1000 : 1000000;
        rest = str_skip(rest, 1);
    }
    if (rest.len == 0)
        return err_set(err, ERR_PARSE, "a rate needs a unit: '%.*s'; did you mean '%.*s/s'?",
                       STR_ARG(text), STR_ARG(text));
    uint64_t divisor = str_equal(rest, STR("/s")) ? 1 : 0;
    if (str_equal(rest, STR("/m")))
        divisor = 60;
    if (str_equal(rest, STR("/h")))
        divisor = 3600;
    if (!divisor)
        return err_set(err, ERR_PARSE, "not a rate: '%.*s' (units: /s /m /h)", STR_ARG(text));
    if (__builtin_mul_overflow(micro, factor, &micro))
        return err_set(err, ERR_LIMIT, "rate too large: '%.*s'", STR_ARG(text));
    *ret_micro_per_s = micro / divisor;
    return 0;
}

int units_money(struct str text, uint64_t *ret_usd_micro, struct err *err) {
    struct str rest = str_starts_with(text, STR("$")) ? str_skip(text, 1) : text;
    uint64_t micro;
    if (take_decimal(&rest, &micro, NULL) < 0 || rest.len)
        return err_set(err, ERR_PARSE, "not an amount: '%.*s' (write $5 or $0.25)", STR_ARG(text));
    *ret_usd_micro = micro;
    return 0;
}

int units_percent(struct str text, uint64_t *ret_ppm, struct err *err) {
    struct str rest = text;
    uint64_t micro;
    if (take_decimal(&rest, &micro, NULL) < 0 || !str_equal(rest, STR("%")))
        return err_set(err, ERR_PARSE, "not a percentage: '%.*s' (write 95%%)", STR_ARG(text));
    *ret_ppm = micro / 100;
    return 0;
}

void units_add_duration(struct buf *b, uint64_t ns) {
    static const struct unit order[] = {
        {STR_INIT("d"), 86400 * NS_PER_S},
        {STR_INIT("h"), 3600 * NS_PER_S},
        {STR_INIT("m"), 60 * NS_PER_S},
        {STR_INIT("s"), NS_PER_S},
        {STR_INIT("ms"), NS_PER_MS},
        {STR_INIT("us"), NS_PER_US},
        {STR_INIT("ns"), 1},
    };
    if (ns == 0)
        buf_add_text(b, "0s");
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (ns >= order[i].factor) {
            buf_printf(b, "%" PRIu64 "%.*s", ns / order[i].factor, STR_ARG(order[i].name));
            ns %= order[i].factor;
        }
}

void units_add_clock(struct buf *b, uint64_t ns) {
    uint64_t s = ns / NS_PER_S;
    if (s >= 3600)
        buf_printf(b, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned)(s / 60 % 60),
                   (unsigned)(s % 60));
    else
        buf_printf(b, "%u:%02u", (unsigned)(s / 60), (unsigned)(s % 60));
}

void units_add_latency(struct buf *b, uint64_t ns) {
    double us = (double)ns / 1e3;
    if (us < 1000)
        buf_printf(b, us < 10 ? "%.1f us" : "%.0f us", us);
    else if (us < 1e6)
        buf_printf(b, us < 1e5 ? "%.1f ms" : "%.0f ms", us / 1e3);
    else
        buf_printf(b, "%.2f s", us / 1e6);
}

void units_add_size(struct buf *b, uint64_t bytes) {
    if (bytes < 1000)
        buf_printf(b, "%" PRIu64 " B", bytes);
    else if (bytes < 1000000)
        buf_printf(b, "%.1f kB", (double)bytes / 1e3);
    else if (bytes < 1000000000)
        buf_printf(b, "%.1f MB", (double)bytes / 1e6);
    else
        buf_printf(b, "%.2f GB", (double)bytes / 1e9);
}

void units_add_money(struct buf *b, uint64_t usd_micro) {
    if (usd_micro == 0 || usd_micro >= 10000) {
        uint64_t cents = (usd_micro + 5000) / 10000;
        buf_printf(b, "$%" PRIu64 ".%02u", cents / 100, (unsigned)(cents % 100));
    } else {
        buf_printf(b, "$0.%04u", (unsigned)((usd_micro + 50) / 100));
    }
}

void units_add_count(struct buf *b, uint64_t count) {
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%" PRIu64, count);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_add_byte(b, ',');
        buf_add_byte(b, digits[i]);
    }
}

void units_add_micro(struct buf *b, int64_t micro) {
    uint64_t value = micro < 0 ? (uint64_t)-micro : (uint64_t)micro;
    char fraction[8];
    snprintf(fraction, sizeof fraction, "%06u", (unsigned)(value % MICRO));
    size_t len = 6;
    while (len && fraction[len - 1] == '0')
        len--;
    buf_printf(b, "%s%" PRIu64 "%s%.*s", micro < 0 ? "-" : "", value / MICRO, len ? "." : "",
               (int)len, fraction);
}
