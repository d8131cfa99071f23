#include "report/live_line.h"

#include "report/width.h"

#define LINE_BYTES_MAX (8 * KIB)
#define LABEL_COLUMNS 14

static const char *const INKS[] = {
    [INK_NONE] = "",        [INK_GOOD] = "\x1b[32m", [INK_WARN] = "\x1b[33m",
    [INK_BAD] = "\x1b[31m", [INK_BAR] = "\x1b[36m",  [INK_FAINT] = "\x1b[34m",
};

void live_line_init(struct live_line *line, const struct live_style *style) {
    must(style->columns > 0);
    *line = (struct live_line){.style = style};
    buf_init(&line->text, LINE_BYTES_MAX);
}

void live_line_deinit(struct live_line *line) {
    buf_deinit(&line->text);
}

unsigned live_line_left(const struct live_line *line) {
    must(line->used <= line->style->columns);
    return line->style->columns - line->used;
}

static void blanks(struct live_line *line, unsigned count) {
    must(count <= live_line_left(line));
    for (unsigned i = 0; i < count; i++)
        buf_add_byte(&line->text, ' ');
    line->used += count;
}

static void ink(struct live_line *line, enum live_ink which) {
    if (line->style->colour)
        buf_add_text(&line->text, INKS[which]);
}

static void ink_end(struct live_line *line, enum live_ink which) {
    if (line->style->colour && which != INK_NONE)
        buf_add_text(&line->text, "\x1b[0m");
}

bool live_line_part(struct live_line *line, unsigned gap, enum live_ink which, const char *text) {
    unsigned width = width_of(str_from(text));
    if (gap + width > live_line_left(line))
        return false;
    blanks(line, gap);
    ink(line, which);
    buf_add_text(&line->text, text);
    ink_end(line, which);
    line->used += width;
    return true;
}

void live_line_text(struct live_line *line, unsigned gap, const char *text, unsigned keep) {
    if (gap + keep + 1 > live_line_left(line))
        return;
    struct buf clean = BUF_INIT(4 * LIVE_TEXT_BYTES);
    width_add_clean(&clean, str_from(text), line->style->ascii);
    blanks(line, gap);
    line->used += width_add_cut(&line->text, buf_str(&clean), live_line_left(line) - keep,
                                line->style->ascii);
    buf_deinit(&clean);
}

void live_line_label(struct live_line *line, const char *sign, const char *label) {
    live_line_part(line, 0, INK_BAR, sign);
    if (line->used < 2 && live_line_left(line) >= 2)
        blanks(line, 2 - line->used);
    unsigned start = line->used;
    if (live_line_left(line) > LABEL_COLUMNS)
        live_line_text(line, 0, label, live_line_left(line) - (LABEL_COLUMNS - start - 1));
    else
        live_line_text(line, 0, label, 0);
    if (line->used < LABEL_COLUMNS && live_line_left(line) > LABEL_COLUMNS)
        blanks(line, LABEL_COLUMNS - line->used);
}

void live_line_right(struct live_line *line, const char *text) {
    unsigned width = width_of(str_from(text));
    if (width + 2 <= live_line_left(line))
        live_line_part(line, live_line_left(line) - width, INK_NONE, text);
}

/* Left-aligned blocks of 1/8 to 7/8 of a column. */
static const char *const EIGHTHS[] = {"",       "\u258f", "\u258e", "\u258d",
                                      "\u258c", "\u258b", "\u258a", "\u2589"};

void live_line_bar(struct live_line *line, unsigned width, uint64_t part, uint64_t whole) {
    if (width > live_line_left(line))
        return;
    part = MIN(part, whole);
    uint64_t eighths = whole ? (uint64_t)((double)part / (double)whole * 8.0 * width) : 0;
    unsigned full = (unsigned)(eighths / 8);
    unsigned rest = line->style->ascii ? 0 : (unsigned)(eighths % 8);
    ink(line, INK_BAR);
    for (unsigned i = 0; i < full; i++)
        buf_add_text(&line->text, line->style->ascii ? "#" : "\u2588");
    buf_add_text(&line->text, EIGHTHS[rest]);
    for (unsigned i = full + (rest > 0); i < width; i++)
        buf_add_text(&line->text, line->style->ascii ? "." : "\u2591");
    ink_end(line, INK_BAR);
    line->used += width;
}

void live_line_spark(struct live_line *line, unsigned width, const uint64_t *values, size_t count,
                     uint64_t top) {
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                         "\u2585", "\u2586", "\u2587", "\u2588"};
    static const char *const letters[] = {"_", "_", ".", "-", "=", "+", "*", "#"};
    if (width == 0 || width > live_line_left(line))
        return;
    size_t first = count > width ? count - width : 0;
    ink(line, INK_BAR);
    for (size_t i = first; i < count; i++) {
        size_t level = top ? (size_t)((double)MIN(values[i], top) / (double)top * 7.0 + 0.5) : 0;
        buf_add_text(&line->text, line->style->ascii ? letters[level] : blocks[level]);
    }
    ink_end(line, INK_BAR);
    line->used += (unsigned)(count - first);
}
