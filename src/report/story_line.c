#include "report/story.h"

#include <inttypes.h>

#include "base/units.h"
#include "base/when.h"
#include "report/width.h"

#define LABEL_COLUMNS 10 /* of the longest label */
#define LINE_BYTES_MAX (16 * KIB)

struct mark_info {
    const char *sign, *sign_ascii;
    const char *colour; /* one of the eight base colours: the user's theme picks the shade */
};

static const struct mark_info MARKS[] = {
    [STORY_PLAIN] = {"", "", ""},
    [STORY_OK] = {"", "", "\x1b[32m"},
    [STORY_WARN] = {"! ", "! ", "\x1b[33m"},
    [STORY_FAIL] = {"\u2717 ", "FAIL ", "\x1b[31m"},
    [STORY_ALERT] = {"\u203c ", "!! ", "\x1b[31m"},
};

/* "node client:7, replaces i-1, elapsed 30s": for events without a sentence. */
static void add_fields(struct buf *b, const struct story_event *e) {
    struct buf plain = BUF_INIT(LINE_BYTES_MAX);
    story_add_plain(&plain, e);
    struct str s = buf_str(&plain);
    /* Skip the time and the run; the kind is the label already. */
    struct str word = STR_EMPTY;
    ignore(!str_split(&s, ' ', &word)); /* always there */
    if (e->run[0])
        ignore(!str_split(&s, ' ', &word)); /* always there */
    if (e->kind != STORY_PROGRESS && e->kind != STORY_RESULT)
        ignore(!str_split(&s, ' ', &word)); /* always there */
    buf_add_str(b, s);
    buf_deinit(&plain);
}

static void add_sentence(struct buf *b, const struct story_event *e,
                         const struct story_style *style) {
    if (e->text[0])
        width_add_clean(b, str_from(e->text), style->ascii);
    else
        add_fields(b, e);
    if (e->mark == STORY_OK)
        buf_add_text(b, style->ascii ? " ok" : " \u2713");
}

void story_add_terminal(struct buf *b, const struct story_event *e,
                        const struct story_style *style) {
    must(e->mark < ARRAY_LEN(MARKS));
    const struct mark_info *mark = &MARKS[e->mark];
    bool coloured = style->colour && mark->colour[0];
    struct buf line = BUF_INIT(LINE_BYTES_MAX);
    when_add_time(&line, e->unix_ms, style->zone_offset_s);
    buf_add_text(&line, "  ");
    if (coloured)
        buf_add_text(&line, mark->colour);
    buf_add_text(&line, style->ascii ? mark->sign_ascii : mark->sign);
    buf_add_text(&line, story_kind_label(e->kind));
    unsigned used = width_of(buf_str(&line));
    for (unsigned i = used; i < 10 + LABEL_COLUMNS; i++)
        buf_add_byte(&line, ' ');
    if (coloured)
        buf_add_text(&line, "\x1b[0m");
    buf_add_byte(&line, ' ');
    add_sentence(&line, e, style);
    if (style->columns)
        ignore(width_add_cut(b, buf_str(&line), style->columns, style->ascii) == 0);
    else
        buf_add_str(b, buf_str(&line));
    buf_deinit(&line);
}
