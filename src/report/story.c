#include "report/story.h"

#include <inttypes.h>
#include <stdarg.h>

#include "base/units.h"
#include "base/when.h"
#include "report/width.h"

struct kind_info {
    const char *name, *label;
};

static const struct kind_info KINDS[] = {
#define STORY_INFO(name, json, label) [name] = {json, label},
    STORY_MAP(STORY_INFO)
#undef STORY_INFO
};
_Static_assert(ARRAY_LEN(KINDS) == STORY_KIND_COUNT, "every kind has names");

const char *story_kind_name(enum story_kind kind) {
    must(kind < STORY_KIND_COUNT);
    return KINDS[kind].name;
}

const char *story_kind_label(enum story_kind kind) {
    must(kind < STORY_KIND_COUNT);
    return KINDS[kind].label;
}

/* --- making an event --- */

void story_init(struct story_event *e, enum story_kind kind, int64_t unix_ms, const char *run) {
    must(kind < STORY_KIND_COUNT);
    must(run != NULL);
    *e = (struct story_event){.kind = kind, .unix_ms = unix_ms};
    ignore(!str_copy(e->run, sizeof e->run, str_from(run))); /* ids are short; cut is fine */
}

void story_verb(struct story_event *e, const char *word) {
    must(strchr(word, ' ') == NULL);
    ignore(!str_copy(e->verb, sizeof e->verb, str_from(word))); /* ours, short */
}

void story_text(struct story_event *e, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    ignore(vsnprintf(e->text, sizeof e->text, fmt, args) < 0); /* cut on purpose */
    va_end(args);
}

static bool key_ok(const char *key) {
    size_t len = strlen(key);
    if (len == 0 || len >= STORY_KEY_BYTES)
        return false;
    return strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

static struct story_field *add(struct story_event *e, const char *key, enum story_type type,
                               int64_t value) {
    must(key_ok(key));
    must(e->field_count < STORY_FIELDS_MAX);
    struct story_field *field = &e->fields[e->field_count++];
    *field = (struct story_field){.type = type, .value = value};
    memcpy(field->key, key, strlen(key) + 1);
    return field;
}

void story_add_text(struct story_event *e, const char *key, struct str value) {
    must(e->pool_used <= sizeof e->pool);
    size_t size = MIN(value.len, sizeof e->pool - e->pool_used);
    struct story_field *field = add(e, key, STORY_TYPE_TEXT, (int64_t)e->pool_used);
    field->total = (int64_t)size;
    if (size)
        memcpy(e->pool + e->pool_used, value.ptr, size);
    e->pool_used += size;
}

void story_add_int(struct story_event *e, const char *key, int64_t value) {
    add(e, key, STORY_TYPE_INT, value);
}

void story_add_bool(struct story_event *e, const char *key, bool value) {
    add(e, key, STORY_TYPE_BOOL, value);
}

void story_add_of(struct story_event *e, const char *key, int64_t value, int64_t total) {
    add(e, key, STORY_TYPE_OF, value)->total = total;
}

void story_add_ratio(struct story_event *e, const char *key, int64_t ppm) {
    add(e, key, STORY_TYPE_RATIO, ppm);
}

void story_add_duration(struct story_event *e, const char *key, uint64_t ns) {
    add(e, key, STORY_TYPE_DURATION, (int64_t)MIN(ns, (uint64_t)INT64_MAX));
}

void story_add_latency(struct story_event *e, const char *key, uint64_t ns) {
    add(e, key, STORY_TYPE_LATENCY, (int64_t)MIN(ns, (uint64_t)INT64_MAX));
}

void story_add_rate(struct story_event *e, const char *key, uint64_t micro_per_s) {
    add(e, key, STORY_TYPE_RATE, (int64_t)MIN(micro_per_s, (uint64_t)INT64_MAX));
}

void story_add_money(struct story_event *e, const char *key, int64_t usd_micro) {
    add(e, key, STORY_TYPE_MONEY, usd_micro);
}

void story_add_instant(struct story_event *e, const char *key, int64_t unix_ms) {
    add(e, key, STORY_TYPE_INSTANT, unix_ms);
}

/* --- reading --- */

const struct story_field *story_find(const struct story_event *e, const char *key) {
    must(e->field_count <= STORY_FIELDS_MAX);
    for (size_t i = 0; i < e->field_count; i++)
        if (strcmp(e->fields[i].key, key) == 0)
            return &e->fields[i];
    return NULL;
}

struct str story_field_text(const struct story_event *e, const struct story_field *field) {
    must(field->type == STORY_TYPE_TEXT);
    must(field->value >= 0 && field->total >= 0);
    must((size_t)(field->value + field->total) <= sizeof e->pool);
    return (struct str){e->pool + field->value, (size_t)field->total};
}

bool story_on_terminal(enum story_kind kind) {
    return kind != STORY_PROGRESS && kind != STORY_VERSION && kind != STORY_RESULT;
}

/* --- the plain line --- */

/* Seconds, with milliseconds only below ten: "112s", "0.4s", "3.125s". */
static void add_seconds(struct buf *b, int64_t ns) {
    int64_t ms = (ns + 500000) / 1000000;
    if (ms >= 10000)
        buf_printf(b, "%" PRId64, (ms + 500) / 1000);
    else
        units_add_micro(b, ms * 1000);
    buf_add_byte(b, 's');
}

/* Milliseconds to a tenth, to three digits below one: "14.8", "0.412". */
static void add_ms(struct buf *b, int64_t ns) {
    int64_t us = (ns + 500) / 1000;
    units_add_micro(b, us >= 1000 ? (us + 50) / 100 * 100000 : us * 1000);
}

/* A value of logfmt: bare when it can be, else in quotes. */
static void add_logfmt(struct buf *b, struct str value) {
    struct buf clean = BUF_INIT(8 * STORY_POOL_BYTES);
    width_add_clean(&clean, value, false);
    struct str s = buf_str(&clean);
    bool bare = s.len > 0;
    for (size_t i = 0; i < s.len && bare; i++)
        bare = s.ptr[i] != ' ' && s.ptr[i] != '"' && s.ptr[i] != '=' && s.ptr[i] != '\\';
    if (!bare)
        buf_add_byte(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            buf_add_byte(b, '\\');
        buf_add_byte(b, s.ptr[i]);
    }
    if (!bare)
        buf_add_byte(b, '"');
    buf_deinit(&clean);
}

static void add_plain_value(struct buf *b, const struct story_event *e,
                            const struct story_field *field) {
    switch (field->type) {
    case STORY_TYPE_TEXT:
        add_logfmt(b, story_field_text(e, field));
        return;
    case STORY_TYPE_INT:
        buf_printf(b, "%" PRId64, field->value);
        return;
    case STORY_TYPE_BOOL:
        buf_add_text(b, field->value ? "true" : "false");
        return;
    case STORY_TYPE_OF:
        buf_printf(b, "%" PRId64 "/%" PRId64, field->value, field->total);
        return;
    case STORY_TYPE_RATIO:
        units_add_micro(b, field->value);
        return;
    case STORY_TYPE_DURATION:
        add_seconds(b, field->value);
        return;
    case STORY_TYPE_LATENCY:
        add_ms(b, field->value);
        return;
    case STORY_TYPE_RATE:
        /* Below a hundred a second the fraction matters. */
        if (field->value >= 100 * (int64_t)MICRO)
            buf_printf(b, "%" PRId64, (field->value + (int64_t)MICRO / 2) / (int64_t)MICRO);
        else
            units_add_micro(b, (field->value + 5000) / 10000 * 10000);
        return;
    case STORY_TYPE_MONEY:
        units_add_micro(b, field->value);
        return;
    case STORY_TYPE_INSTANT:
        when_add_time(b, field->value, 0);
        buf_add_byte(b, 'Z');
        return;
    }
    must(false);
}

void story_add_plain(struct buf *b, const struct story_event *e) {
    when_add_rfc3339(b, e->unix_ms);
    if (e->run[0]) {
        buf_add_text(b, " run=");
        add_logfmt(b, str_from(e->run));
    }
    /* A progress line starts with phase=, the last one with verdict=: no word needed. */
    if (e->kind != STORY_PROGRESS && e->kind != STORY_RESULT)
        buf_printf(b, " %s", story_kind_name(e->kind));
    if (e->verb[0])
        buf_printf(b, " %s", e->verb);
    for (size_t i = 0; i < e->field_count; i++) {
        const struct story_field *field = &e->fields[i];
        buf_printf(b, field->type == STORY_TYPE_LATENCY ? " %s_ms=" : " %s=", field->key);
        add_plain_value(b, e, field);
    }
    if (e->field_count == 0 && e->text[0]) {
        buf_add_text(b, " text=");
        add_logfmt(b, str_from(e->text));
    }
}
