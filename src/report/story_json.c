#include "report/story.h"

#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "report/jsonw.h"

static void add_number(struct buf *b, const char *key, const char *suffix, int64_t value) {
    buf_printf(b, ",\"%s%s\":%" PRId64, key, suffix, value);
}

static void add_micro(struct buf *b, const char *key, const char *suffix, int64_t value) {
    buf_printf(b, ",\"%s%s\":", key, suffix);
    units_add_micro(b, value);
}

static void add_field(struct buf *b, const struct story_event *e, const struct story_field *field) {
    const char *key = field->key;
    switch (field->type) {
    case STORY_TYPE_TEXT:
        buf_printf(b, ",\"%s\":", key);
        jsonw_add_string(b, story_field_text(e, field));
        return;
    case STORY_TYPE_INT:
        add_number(b, key, "", field->value);
        return;
    case STORY_TYPE_BOOL:
        buf_printf(b, ",\"%s\":%s", key, field->value ? "true" : "false");
        return;
    case STORY_TYPE_OF:
        add_number(b, key, "", field->value);
        add_number(b, key, "_of", field->total);
        return;
    case STORY_TYPE_RATIO:
    case STORY_TYPE_MONEY:
        add_micro(b, key, "", field->value);
        return;
    case STORY_TYPE_DURATION:
        add_number(b, key, "_ms", (field->value + 500000) / 1000000);
        return;
    case STORY_TYPE_LATENCY:
        add_number(b, key, "_us", (field->value + 500) / 1000);
        return;
    case STORY_TYPE_RATE:
        add_micro(b, key, "_per_s", field->value);
        return;
    case STORY_TYPE_INSTANT:
        buf_printf(b, ",\"%s_at\":\"", key);
        when_add_rfc3339_ms(b, field->value);
        buf_add_byte(b, '"');
        return;
    }
    must(false);
}

static void add_head(struct buf *b, const char *type, int64_t unix_ms, struct str run) {
    buf_printf(b, "{\"type\":\"%s\",\"t\":\"", type);
    when_add_rfc3339_ms(b, unix_ms);
    buf_add_text(b, "\",\"run\":");
    jsonw_add_string(b, run);
}

void story_add_json(struct buf *b, const struct story_event *e) {
    static const char *const marks[] = {"", "ok", "warning", "failure", "alert"};
    must(e->field_count <= STORY_FIELDS_MAX);
    must(e->mark < ARRAY_LEN(marks));
    add_head(b, story_kind_name(e->kind), e->unix_ms, str_from(e->run));
    buf_printf(b, ",\"seq\":%" PRIu64, e->seq);
    if (e->verb[0]) {
        buf_add_text(b, ",\"verb\":");
        jsonw_add_string(b, str_from(e->verb));
    }
    if (e->mark != STORY_PLAIN)
        buf_printf(b, ",\"mark\":\"%s\"", marks[e->mark]);
    for (size_t i = 0; i < e->field_count; i++)
        add_field(b, e, &e->fields[i]);
    if (e->text[0]) {
        buf_add_text(b, ",\"text\":");
        jsonw_add_string(b, str_from(e->text));
    }
    buf_add_byte(b, '}');
}

void story_add_json_version(struct buf *b, int64_t unix_ms, const char *run) {
    add_head(b, "version", unix_ms, str_from(run));
    buf_add_text(b, ",\"seq\":0,\"schema\":\"1.0\",\"dayfly\":\"" DAYFLY_VERSION "\"}");
}
