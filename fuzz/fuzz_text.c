/* Text from outside on its way to a terminal, a log, JSON, XML and HTML: whatever the bytes are,
 * what comes out cannot control what shows it, and JSON can be read back. */
#include "fuzz.h"

#include <jansson.h>

#include "report/jsonw.h"
#include "report/markup.h"
#include "report/story.h"
#include "report/width.h"

#define OUT_BYTES_MAX (4 * MIB)

static void check_shown(struct str s) {
    for (size_t at = 0; at < s.len;) {
        uint32_t code = 0;
        at += width_decode(s, at, &code);
        must(code >= 0x20);
        must(code < 0x7f || code >= 0xa0);
        must(code < 0x202a || code > 0x202e);
    }
}

static void check_clean(struct str text, struct buf *b) {
    width_add_clean(b, text, false);
    check_shown(buf_str(b));
    unsigned width = width_of(buf_str(b));
    struct buf cut = BUF_INIT(OUT_BYTES_MAX);
    for (unsigned columns = 0; columns < 20; columns++) {
        buf_reset(&cut);
        must(width_add_cut(&cut, buf_str(b), columns, false) <= columns);
        must(width_of(buf_str(&cut)) <= columns);
        must(width > columns || str_equal(buf_str(&cut), buf_str(b)));
    }
    buf_deinit(&cut);
    buf_reset(b);
    width_add_clean(b, text, true);
    for (size_t i = 0; i < b->len; i++)
        must(b->ptr[i] >= 0x20 && b->ptr[i] <= 0x7e);
}

static void check_markup(struct str text, struct buf *b) {
    markup_add(b, text);
    struct str s = buf_str(b);
    for (size_t i = 0; i < s.len; i++) {
        must(s.ptr[i] != '<' && s.ptr[i] != '>' && s.ptr[i] != '"' && s.ptr[i] != '\'');
        must((unsigned char)s.ptr[i] >= 0x20 || s.ptr[i] == '\n');
    }
}

static void check_json(struct str text, struct buf *b) {
    buf_add_byte(b, '[');
    jsonw_add_string(b, text);
    buf_add_byte(b, ']');
    must(!str_contains(buf_str(b), STR("<")));
    json_t *j = json_loadb(b->ptr, b->len, JSON_ALLOW_NUL, NULL);
    must(j != NULL);
    must(json_array_size(j) == 1);
    json_decref(j);
}

static void check_story(struct str text, struct buf *b) {
    struct story_event e;
    story_init(&e, STORY_NOTE, 1, "r");
    story_add_text(&e, "why", text);
    story_text(&e, "%.*s", STR_ARG(text));
    story_add_plain(b, &e);
    check_shown(buf_str(b));
    buf_reset(b);
    story_add_terminal(b, &e, &(struct story_style){.columns = 60});
    check_shown(buf_str(b));
    must(width_of(buf_str(b)) <= 60);
    buf_reset(b);
    story_add_json(b, &e);
    json_t *j = json_loadb(b->ptr, b->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    must(j != NULL);
    json_decref(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct str text = {(const char *)bytes, MIN(size, (size_t)4096)};
    struct buf b = BUF_INIT(OUT_BYTES_MAX);
    check_clean(text, &b);
    buf_reset(&b);
    check_markup(text, &b);
    buf_reset(&b);
    check_json(text, &b);
    buf_reset(&b);
    check_story(text, &b);
    buf_deinit(&b);
    return 0;
}
