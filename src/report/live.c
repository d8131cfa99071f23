#include "report/live.h"

#include <inttypes.h>

#include "base/units.h"
#include "report/live_line.h"
#include "report/live_phase.h"
#include "report/say.h"
#include "report/width.h"

#define ROWS_BLOCK_MIN 14 /* below: one line */
#define COLUMNS_BLOCK_MIN 60
#define SMALL_BYTES_MAX 512
#define LABEL_COLUMNS 14

void live_init(struct live_view *view) {
    *view = (struct live_view){.stage = LIVE_START};
}

static const char *stage_label(enum live_stage stage) {
    switch (stage) {
    case LIVE_START:
        return "start";
    case LIVE_LAUNCH:
        return "launch";
    case LIVE_ROLLCALL:
        return "roll-call";
    case LIVE_SETUP:
        return "setup";
    case LIVE_SERVICES:
        return "services";
    case LIVE_PHASE:
        return "phase";
    case LIVE_COLLECT:
        return "collect";
    case LIVE_DOWN:
        return "down";
    case LIVE_DONE:
        return "done";
    }
    must(false);
}

static const char *stage_counted(enum live_stage stage) {
    switch (stage) {
    case LIVE_LAUNCH:
        return "running";
    case LIVE_ROLLCALL:
        return "answered";
    case LIVE_SETUP:
        return "set up";
    case LIVE_SERVICES:
        return "ready";
    case LIVE_COLLECT:
        return "collected";
    case LIVE_DOWN:
        return "gone";
    case LIVE_START:
    case LIVE_PHASE:
    case LIVE_DONE:
        return "";
    }
    must(false);
}

static const char *spinner(uint32_t frame, bool ascii) {
    static const char *const dots[] = {"\u280b", "\u2819", "\u2839", "\u2838", "\u283c",
                                       "\u2834", "\u2826", "\u2827", "\u2807", "\u280f"};
    static const char *const letters[] = {"-", "\\", "|", "/"};
    return ascii ? letters[frame % ARRAY_LEN(letters)] : dots[frame % ARRAY_LEN(dots)];
}

unsigned live_bar_width(unsigned columns) {
    unsigned width = columns > 57 ? columns - 47 : 10;
    return MIN(width, 48);
}

void live_emit(struct live_block *block, struct live_line *line) {
    must(block->lines < LIVE_LINES_MAX);
    if (block->lines)
        buf_add_byte(block->out, '\n');
    /* Trailing blanks would be painted for nothing. */
    struct str text = buf_str(&line->text);
    while (text.len && text.ptr[text.len - 1] == ' ')
        text.len--;
    buf_add_str(block->out, text);
    block->lines++;
    live_line_deinit(line);
}

/* Where to break a text that is wider than its line: the bytes of the first line, or 0. */
static size_t break_at(const struct live_style *style, struct str text) {
    unsigned room = style->columns > LABEL_COLUMNS ? style->columns - LABEL_COLUMNS : 0;
    if (width_of(text) <= room)
        return 0;
    size_t best = 0;
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] == ' ' && width_of(str_slice(text, 0, i)) <= room)
            best = i;
    return best;
}

unsigned live_text_lines(const struct live_style *style, const char *text) {
    if (!text[0])
        return 0;
    return break_at(style, str_from(text)) ? 2 : 1;
}

void live_emit_text_wrapped(struct live_block *block, const char *label, const char *text) {
    size_t first = break_at(block->style, str_from(text));
    if (first == 0) {
        live_emit_text(block, label, text);
        return;
    }
    char head[LIVE_TEXT_BYTES];
    ignore(!str_copy(head, sizeof head, (struct str){text, first})); /* shorter than the whole */
    live_emit_text(block, label, head);
    live_emit_text(block, "", text + first + 1);
}

void live_emit_text(struct live_block *block, const char *label, const char *text) {
    if (!text[0])
        return;
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", label);
    live_line_text(&line, 0, text, 0);
    live_emit(block, &line);
}

/* "27/38 running" */
static void count_text(char *into, size_t size, uint32_t have, uint32_t want, const char *what) {
    snprintf(into, size, "%" PRIu32 "/%" PRIu32 "%s%s", have, want, what[0] ? " " : "", what);
}

static void emit_head(struct live_block *block, const struct live_view *view) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, spinner(view->frame, block->style->ascii), stage_label(view->stage));
    if (view->want) {
        char text[64];
        live_line_bar(&line, live_bar_width(block->style->columns), view->have, view->want);
        count_text(text, sizeof text, view->have, view->want, stage_counted(view->stage));
        live_line_part(&line, 2, INK_NONE, text);
    } else if (view->until[0]) {
        live_line_text(&line, 0, view->until, 10);
    }
    struct buf clock = BUF_INIT(SMALL_BYTES_MAX);
    units_add_clock(&clock, view->elapsed_ns);
    live_line_right(&line, buf_text(&clock));
    buf_deinit(&clock);
    live_emit(block, &line);
}

static void emit_role(struct live_block *block, const struct live_view *view,
                      const struct live_role *role) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", role->name);
    /* Roll call needs the room for names, not for a bar. */
    if (view->stage != LIVE_ROLLCALL) {
        live_line_bar(&line, live_bar_width(block->style->columns), role->have, role->want);
        live_line_part(&line, 2, INK_NONE, "");
    }
    char text[64];
    count_text(text, sizeof text, role->have, role->want, "");
    bool whole = role->have >= role->want;
    live_line_part(&line, 0, whole ? INK_GOOD : INK_NONE, text);
    if (whole)
        live_line_part(&line, 1, INK_GOOD, block->style->ascii ? "ok" : "\u2713");
    if (role->note[0])
        live_line_text(&line, 3, role->note, 0);
    live_emit(block, &line);
}

/* Roles in `room` lines; the last one says how many are not shown. */
static void emit_roles(struct live_block *block, const struct live_view *view, unsigned room) {
    must(view->role_count <= LIVE_ROLES_MAX);
    uint32_t shown = view->role_count;
    if (shown > room)
        shown = room > 0 ? room - 1 : 0;
    for (uint32_t i = 0; i < shown; i++)
        emit_role(block, view, &view->roles[i]);
    if (shown < view->role_count && room > 0) {
        char text[64];
        snprintf(text, sizeof text, "and %" PRIu32 " more roles", view->role_count - shown);
        live_emit_text(block, "", text);
    }
}

static void emit_node(struct live_block *block, const struct live_node *node) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", node->who);
    char then[LIVE_NAME_BYTES + 8];
    snprintf(then, sizeof then, "%s%s", block->style->ascii ? "-> " : "\u2192 ", node->then);
    unsigned keep = node->then[0] ? (unsigned)strlen(node->then) + 5 : 0;
    live_line_text(&line, 0, node->what, MIN(keep, live_line_left(&line) / 2));
    if (node->then[0])
        live_line_text(&line, 2, then, 0);
    live_emit(block, &line);
}

static void emit_nodes(struct live_block *block, const struct live_view *view) {
    must(view->node_count <= LIVE_NODES_MAX);
    for (uint32_t i = 0; i < view->node_count; i++)
        emit_node(block, &view->nodes[i]);
    if (view->nodes_more) {
        char text[96];
        snprintf(text, sizeof text, "and %" PRIu32 " more: dayfly nodes", view->nodes_more);
        live_emit_text(block, "", text);
    }
}

static const char *stop_hint(const struct live_view *view) {
    if (view->stage == LIVE_DOWN)
        return "^C: leave now, they still end";
    if (view->stop_level == 0)
        return "^C stop";
    return view->stop_level == 1 ? "^C: skip collecting" : "^C: leave now";
}

void live_emit_money(struct live_block *block, const struct live_view *view, bool fleet) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_label(&line, "", fleet ? "fleet" : "spent");
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    if (fleet) {
        buf_printf(&text, "%" PRIu32 "/%" PRIu32, view->fleet_up, view->fleet_want);
        live_line_part(&line, 0, view->fleet_up < view->fleet_want ? INK_WARN : INK_NONE,
                       buf_text(&text));
        buf_reset(&text);
        buf_add_text(&text, "spent ");
    }
    say_money(&text, view->spent_usd_micro);
    if (view->budget_usd_micro > 0) {
        buf_add_text(&text, " of ");
        say_money_round(&text, view->budget_usd_micro);
    }
    if (view->rehearsal)
        buf_add_text(&text, " (rehearsal)");
    live_line_part(&line, fleet ? 3 : 0, INK_NONE, buf_text(&text));
    buf_deinit(&text);
    /* What ^C would do now matters more than when the run would end. */
    unsigned hint = width_of(str_from(stop_hint(view))) + 2;
    if (fleet && view->ends[0] &&
        width_of(str_from(view->ends)) + 3 + hint <= live_line_left(&line))
        live_line_text(&line, 3, view->ends, hint);
    live_line_right(&line, stop_hint(view));
    live_emit(block, &line);
}

/* Lines that wait for a count: launch, roll call, setup, services, collect, down. */
static void emit_waiting(struct live_block *block, const struct live_view *view) {
    emit_head(block, view);
    const char *until = view->want > 0 ? view->until : "";
    unsigned below = view->node_count + (view->nodes_more > 0) + (view->then[0] != 0) +
                     (view->still[0] != 0) + (view->verified[0] != 0) + (view->safety[0] != 0) +
                     (view->warning[0] != 0) + 1;
    must(below + 2 <= LIVE_LINES_MAX);
    /* What happens at the end of the wait matters more than one more role. */
    bool wrap = below + live_text_lines(block->style, until) + MIN(view->role_count, 2) + 1 <=
                LIVE_LINES_MAX;
    below += wrap ? live_text_lines(block->style, until) : until[0] != 0;
    emit_roles(block, view, LIVE_LINES_MAX - 1 - below);
    emit_nodes(block, view);
    live_emit_text(block, "then", view->then);
    if (wrap)
        live_emit_text_wrapped(block, "until", until);
    else
        live_emit_text(block, "until", until);
    live_emit_text(block, "still", view->still);
    live_emit_text(block, "verified", view->verified);
    live_emit_text(block, "safety", view->safety);
    live_emit_text(block, "!", view->warning);
    live_emit_money(block, view, false);
}

/* The whole block in one line, for small terminals. */
static void emit_single(struct live_block *block, const struct live_view *view) {
    struct live_line line;
    live_line_init(&line, block->style);
    live_line_part(&line, 0, INK_BAR, spinner(view->frame, block->style->ascii));
    struct buf text = BUF_INIT(SMALL_BYTES_MAX);
    units_add_clock(&text, view->elapsed_ns);
    live_line_text(&line, 1, stage_label(view->stage), 0);
    if (view->want) {
        char count[64];
        count_text(count, sizeof count, view->have, view->want, stage_counted(view->stage));
        live_line_part(&line, 2, INK_NONE, count);
    }
    live_line_part(&line, 2, INK_NONE, buf_text(&text));
    if (view->node_count)
        live_line_text(&line, 2, view->nodes[0].who, 0);
    else if (view->until[0])
        live_line_text(&line, 2, view->until, 0);
    buf_deinit(&text);
    live_emit(block, &line);
}

unsigned live_render(const struct live_view *view, const struct live_style *style, struct buf *b) {
    must(view->stage <= LIVE_DONE);
    if (view->stage == LIVE_DONE || style->columns == 0 || style->rows < 2)
        return 0;
    struct live_block block = {.out = b, .style = style};
    bool single = style->rows < ROWS_BLOCK_MIN || style->columns < COLUMNS_BLOCK_MIN;
    if (view->stage == LIVE_PHASE && single)
        live_phase_single(&block, view);
    else if (view->stage == LIVE_PHASE)
        live_phase_block(&block, view);
    else if (single)
        emit_single(&block, view);
    else
        emit_waiting(&block, view);
    must(block.lines <= LIVE_LINES_MAX);
    return block.lines;
}
