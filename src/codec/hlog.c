#include "codec/hlog.h"

#include "base/units.h"
#include "base/when.h"

#include <zlib.h>

#define COOKIE 0x1c849313u
#define COOKIE_COMPRESSED 0x1c849314u
#define HEAD_BYTES 40
#define COUNT_BYTES_MAX 9
#define PAYLOAD_BYTES_MAX (HIST_BUCKETS * COUNT_BYTES_MAX)
#define DIGITS 3

/* ---- numbers ---- */

static void put_be(struct buf *out, uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i > 0; i--)
        buf_add_byte(out, (char)(value >> (8 * (i - 1))));
}

static uint64_t get_be(struct str bytes, size_t at, unsigned count) {
    must(at + count <= bytes.len);
    uint64_t value = 0;
    for (unsigned i = 0; i < count; i++)
        value = value << 8 | (uint8_t)bytes.ptr[at + i];
    return value;
}

/* ZigZag LEB128 whose ninth byte has eight bits. */
static void put_zigzag(struct buf *out, int64_t number) {
    uint64_t value = ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
    for (unsigned i = 0; i < COUNT_BYTES_MAX - 1; i++) {
        if (value < 0x80) {
            buf_add_byte(out, (char)value);
            return;
        }
        buf_add_byte(out, (char)(value | 0x80));
        value >>= 7;
    }
    buf_add_byte(out, (char)value);
}

static bool get_zigzag(struct str *bytes, int64_t *ret) {
    uint64_t value = 0;
    for (unsigned i = 0; i < COUNT_BYTES_MAX; i++) {
        if (bytes->len == 0)
            return false;
        uint64_t byte = (uint8_t)bytes->ptr[0];
        *bytes = str_skip(*bytes, 1);
        bool last = i == COUNT_BYTES_MAX - 1;
        value |= (last ? byte : byte & 0x7f) << (7 * i);
        if (last || !(byte & 0x80))
            break;
    }
    *ret = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
    return true;
}

/* ---- base64 ---- */

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void put_base64(struct buf *out, struct str bytes) {
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t have = MIN(3, bytes.len - i);
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++)
            group = group << 8 | (k < have ? (uint8_t)bytes.ptr[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            buf_add_byte(out, k <= have ? ALPHABET[group >> (18 - 6 * k) & 63] : '=');
    }
}

static int sextet(char c) {
    const char *at = c ? strchr(ALPHABET, c) : NULL;
    return at ? (int)(at - ALPHABET) : -1;
}

/* Strict: groups of four, padding only at the end and with its spare bits zero. */
static bool get_base64(struct str text, struct buf *out) {
    if (text.len == 0 || text.len % 4 != 0)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t pad = 0;
        if (i + 4 == text.len)
            pad = text.ptr[i + 3] != '=' ? 0 : text.ptr[i + 2] != '=' ? 1 : 2;
        uint32_t group = 0;
        for (size_t k = 0; k < 4; k++) {
            int value = k < 4 - pad ? sextet(text.ptr[i + k]) : 0;
            if (value < 0)
                return false;
            group = group << 6 | (uint32_t)value;
        }
        if (pad > 0 && group & ((1u << (8 * pad)) - 1))
            return false;
        for (size_t k = 0; k < 3 - pad; k++)
            buf_add_byte(out, (char)(group >> (16 - 8 * k)));
    }
    return buf_ok(out);
}

/* ---- writing ---- */

static void put_counts(struct buf *out, const struct hist *hist) {
    uint32_t cursor = 0, next = 0;
    struct hist_bucket bucket;
    while (hist_next(hist, &cursor, &bucket)) {
        if (bucket.index > next)
            put_zigzag(out, -(int64_t)(bucket.index - next));
        put_zigzag(out, (int64_t)MIN(bucket.count, (uint64_t)INT64_MAX));
        next = bucket.index + 1;
    }
}

static void put_histogram(struct buf *out, const struct hist *hist) {
    CLEANUP(buf_deinit) struct buf counts = BUF_INIT(PAYLOAD_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf plain = BUF_INIT(HEAD_BYTES + PAYLOAD_BYTES_MAX);
    put_counts(&counts, hist);
    put_be(&plain, COOKIE, 4);
    put_be(&plain, counts.len, 4);
    put_be(&plain, 0, 4);
    put_be(&plain, DIGITS, 4);
    put_be(&plain, 1, 8);
    put_be(&plain, HIST_VALUE_US_MAX, 8);
    put_be(&plain, UINT64_C(0x3ff0000000000000), 8); /* 1.0 */
    buf_add_str(&plain, buf_str(&counts));
    must(buf_ok(&counts));
    must(buf_ok(&plain));
    uLongf size = compressBound(plain.len);
    CLEANUP(mem_freep) char *zipped = mem_new(size);
    must(compress2((Bytef *)zipped, &size, (const Bytef *)plain.ptr, plain.len, 6) == Z_OK);
    CLEANUP(buf_deinit) struct buf packed = BUF_INIT(8 + size);
    put_be(&packed, COOKIE_COMPRESSED, 4);
    put_be(&packed, size, 4);
    buf_add(&packed, zipped, size);
    put_base64(out, buf_str(&packed));
}

static void put_seconds(struct buf *out, uint64_t ns) {
    uint64_t ms = (ns + NS_PER_MS / 2) / NS_PER_MS;
    buf_printf(out, "%llu.%03llu", (unsigned long long)(ms / 1000),
               (unsigned long long)(ms % 1000));
}

void hlog_add_head(struct buf *out, int64_t start_unix_ms) {
    must(start_unix_ms >= 0);
    buf_add_text(out, "#[Histogram log format version 1.3]\n#[StartTime: ");
    put_seconds(out, (uint64_t)start_unix_ms * NS_PER_MS);
    buf_add_text(out, " (seconds since epoch), ");
    when_add_rfc3339_ms(out, start_unix_ms);
    buf_add_text(out, "]\n#[Values are in microseconds, Interval_Max in milliseconds]\n"
                      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                      "\"Interval_Compressed_Histogram\"\n");
}

void hlog_add_interval(struct buf *out, const struct hlog_line *line, const struct hist *hist) {
    if (line->tag.len > 0) {
        buf_add_text(out, "Tag=");
        for (size_t i = 0; i < MIN(line->tag.len, HLOG_TAG_BYTES_MAX); i++) {
            char c = line->tag.ptr[i];
            buf_add_byte(out, (unsigned char)c <= ' ' || c == ',' || c == 0x7f ? '_' : c);
        }
        buf_add_byte(out, ',');
    }
    put_seconds(out, line->start_ns);
    buf_add_byte(out, ',');
    put_seconds(out, line->length_ns);
    buf_add_byte(out, ',');
    put_seconds(out, (hist->count ? hist->max_ns : 0) * 1000); /* ms with three decimals */
    buf_add_byte(out, ',');
    put_histogram(out, hist);
    buf_add_byte(out, '\n');
}

/* ---- reading ---- */

static int get_counts(struct str counts, struct hist *into, struct err *err) {
    uint64_t index = 0, total = 0;
    while (counts.len > 0) {
        int64_t number = 0;
        if (!get_zigzag(&counts, &number))
            return err_set(err, ERR_PARSE, "histogram log: counts cut short");
        if (number < 0 && number >= -(int64_t)HIST_BUCKETS) {
            index += (uint64_t)-number;
        } else if (number < 0 || index >= HIST_BUCKETS) {
            return err_set(err, ERR_PARSE, "histogram log: values above one hour");
        } else {
            if ((uint64_t)number > (uint64_t)INT64_MAX - total ||
                total + (uint64_t)number > UINT64_MAX / 2 - MIN(into->count, UINT64_MAX / 2))
                return err_set(err, ERR_LIMIT, "histogram log: count overflows");
            total += (uint64_t)number;
            hist_record_n(into, hist_low_us((uint32_t)index) * NS_PER_US, (uint64_t)number);
            index++;
        }
        if (index > HIST_BUCKETS)
            return err_set(err, ERR_PARSE, "histogram log: values above one hour");
    }
    return 0;
}

static int get_plain(struct str plain, struct hist *into, struct err *err) {
    if (plain.len < HEAD_BYTES || get_be(plain, 0, 4) != COOKIE)
        return err_set(err, ERR_PARSE, "histogram log: not a V2 histogram");
    uint64_t size = get_be(plain, 4, 4); /* old versions of the C library count the head too */
    if (size != plain.len - HEAD_BYTES && size != plain.len)
        return err_set(err, ERR_PARSE, "histogram log: wrong size of counts");
    if (get_be(plain, 8, 4) != 0 || get_be(plain, 12, 4) != DIGITS || get_be(plain, 16, 8) != 1)
        return err_set(err, ERR_PARSE, "histogram log: buckets other than 1 us at 3 digits");
    /* into a copy first: nothing is added on error */
    struct hist all = {0};
    int result = get_counts(str_skip(plain, HEAD_BYTES), &all, err);
    if (result == 0 && all.count > UINT64_MAX - into->count)
        result = err_set(err, ERR_LIMIT, "histogram log: count overflows");
    if (result == 0)
        hist_merge(into, &all);
    hist_deinit(&all);
    return result;
}

static int get_histogram(struct str text, struct hist *into, struct err *err) {
    CLEANUP(buf_deinit) struct buf packed = BUF_INIT(HLOG_LINE_BYTES_MAX);
    CLEANUP(buf_deinit) struct buf plain = BUF_INIT(HEAD_BYTES + PAYLOAD_BYTES_MAX);
    if (!get_base64(text, &packed))
        return err_set(err, ERR_PARSE, "histogram log: not base64");
    struct str bytes = buf_str(&packed);
    if (bytes.len < 8 || get_be(bytes, 0, 4) != COOKIE_COMPRESSED ||
        get_be(bytes, 4, 4) != bytes.len - 8)
        return err_set(err, ERR_PARSE, "histogram log: not a compressed V2 histogram");
    uLongf size = plain.max;
    char *room = buf_reserve(&plain, size);
    must(room != NULL);
    bytes = str_skip(bytes, 8);
    if (uncompress((Bytef *)room, &size, (const Bytef *)bytes.ptr, bytes.len) != Z_OK)
        return err_set(err, ERR_PARSE, "histogram log: damaged zlib data");
    buf_commit(&plain, size);
    return get_plain(buf_str(&plain), into, err);
}

static int get_seconds(struct str text, uint64_t *ret_ns, struct err *err) {
    int64_t micro = 0;
    if (units_decimal_micro(text, &micro, NULL) < 0 || micro < 0 ||
        micro > INT64_MAX / (int64_t)NS_PER_US)
        return err_set(err, ERR_PARSE, "histogram log: not a time: '%.*s'", STR_ARG(text));
    *ret_ns = (uint64_t)micro * NS_PER_US;
    return 0;
}

static int get_line(struct str rest, struct hlog_line *ret_line, struct hist *into,
                    struct err *err) {
    struct str start, length, max;
    struct hlog_line line = {.tag = STR_EMPTY};
    if (str_starts_with(rest, STR("Tag="))) {
        if (!str_split(&rest, ',', &line.tag))
            return err_set(err, ERR_PARSE, "histogram log: a tag alone");
        line.tag = str_skip(line.tag, 4);
    }
    if (!str_split(&rest, ',', &start) || !str_split(&rest, ',', &length) ||
        !str_split(&rest, ',', &max) || rest.len == 0)
        return err_set(err, ERR_PARSE, "histogram log: fewer than four fields");
    TRY(get_seconds(start, &line.start_ns, err));
    TRY(get_seconds(length, &line.length_ns, err));
    TRY(get_histogram(rest, into, err));
    *ret_line = line;
    return 1;
}

int hlog_next(struct str *text, struct hlog_line *ret_line, struct hist *into, struct err *err) {
    struct str line;
    while (str_line(text, &line)) {
        if (line.len == 0 || line.ptr[0] == '#' || line.ptr[0] == '"')
            continue;
        if (line.len > HLOG_LINE_BYTES_MAX)
            return err_set(err, ERR_LIMIT, "histogram log: a line of more than %d bytes",
                           HLOG_LINE_BYTES_MAX);
        return get_line(line, ret_line, into, err);
    }
    return 0;
}
