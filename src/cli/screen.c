#include "cli/screen.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "report/width.h"

#define FRAME_NS (100 * NS_PER_MS) /* at most ten frames a second */
#define HEARTBEAT_NS (30 * NS_PER_S)
#define PAINT_BYTES_MAX (64 * KIB)
#define COLUMNS_OTHERWISE 80
#define ROWS_OTHERWISE 24
#define COLUMNS_MAX 1000

/* Begin and end of a synchronized update with the cursor hidden in between; a terminal that does
 * not know them ignores them. */
#define FRAME_BEGIN "\x1b[?2026h\x1b[?25l"
#define FRAME_END "\x1b[?25h\x1b[?2026l"

struct screen {
    struct screen_options options;
    bool colour, ascii;
    bool story_gone, json_gone; /* the stream cannot be written to any more */
    bool said_version;
    struct live_view view;
    bool has_view;
    bool dirty;                            /* the view changed since the last frame */
    unsigned block_lines;                  /* painted now */
    unsigned block_widths[LIVE_LINES_MAX]; /* columns that each of them takes */
    uint64_t painted_ns;                   /* last frame */
    uint64_t spoken_ns;                    /* last plain line */
    bool has_progress;                     /* an event for the heartbeat of a running phase */
    struct story_event progress;
    int64_t last_unix_ms; /* of the last event, and when it came: the clock of heartbeats */
    uint64_t last_event_ns;
    char run[STORY_RUN_BYTES];
};

/* --- choices --- */

bool screen_mode_parse(const char *text, enum screen_mode *ret_mode) {
    static const char *const names[] = {"auto", "tty", "plain", "json", "quiet"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_mode = (enum screen_mode)i;
            return true;
        }
    return false;
}

bool screen_colour_parse(const char *text, enum screen_colour *ret_colour) {
    static const char *const names[] = {"auto", "always", "never"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret_colour = (enum screen_colour)i;
            return true;
        }
    return false;
}

static bool env_set(const char *name) {
    const char *value = getenv(name);
    return value && value[0];
}

static bool terminal_is_dumb(void) {
    const char *term = getenv("TERM");
    return !term || !term[0] || strcmp(term, "dumb") == 0;
}

bool screen_wants_colour(enum screen_colour colour, int fd) {
    if (colour != SCREEN_COLOUR_AUTO)
        return colour == SCREEN_COLOUR_ALWAYS;
    if (env_set("NO_COLOR"))
        return false;
    if (env_set("CLICOLOR_FORCE") || env_set("FORCE_COLOR"))
        return true;
    return isatty(fd) && !terminal_is_dumb();
}

bool screen_needs_ascii(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *value = getenv(names[i]);
        if (!value || !value[0])
            continue;
        struct str s = str_from(value);
        for (size_t at = 0; at < s.len; at++)
            if (str_equal_nocase(str_slice(s, at, at + 5), STR("utf-8")) ||
                str_equal_nocase(str_slice(s, at, at + 4), STR("utf8")))
                return false;
        return true;
    }
    return true;
}

int screen_zone_offset_s(int64_t unix_ms) {
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm local;
    return localtime_r(&seconds, &local) ? (int)local.tm_gmtoff : 0;
}

static enum screen_mode choose(const struct screen_options *options) {
    if (options->mode != SCREEN_AUTO)
        return options->mode;
    if (!isatty(options->story_fd) || terminal_is_dumb() || env_set("CI"))
        return SCREEN_PLAIN;
    return SCREEN_TTY;
}

/* --- writing --- */

/* Write all, or find the stream gone.  A slow terminal is waited for: the story is small. */
static void write_all(int fd, struct str bytes, bool *gone) {
    while (bytes.len && !*gone) {
        ssize_t written = write(fd, bytes.ptr, bytes.len);
        if (written > 0)
            bytes = str_skip(bytes, (size_t)written);
        else if (written < 0 && errno == EINTR)
            continue;
        else if (written < 0 && errno == EAGAIN)
            usleep(1000); /* somebody made the terminal non-blocking */
        else
            *gone = true;
    }
}

static void write_line(int fd, struct buf *line, bool *gone) {
    buf_add_byte(line, '\n');
    write_all(fd, buf_str(line), gone);
}

static struct live_style style_of(const struct screen *s) {
    struct winsize size;
    struct live_style style = {COLUMNS_OTHERWISE, ROWS_OTHERWISE, s->colour, s->ascii};
    if (ioctl(s->options.story_fd, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row) {
        style.columns = MIN(size.ws_col, COLUMNS_MAX);
        style.rows = size.ws_row;
    }
    return style;
}

/* Bytes that take the painted block away and leave the cursor where it began. */
static void add_erase(const struct screen *s, unsigned columns, struct buf *b) {
    if (s->block_lines == 0)
        return;
    /* A terminal that became narrower has wrapped what was painted: go up by the lines that it
     * takes now, and by no line more, for above it stands the story. */
    unsigned up = 0;
    for (unsigned i = 0; i < s->block_lines; i++)
        up += MAX((s->block_widths[i] + columns - 1) / columns, 1u);
    buf_printf(b, "\x1b[%uA\r\x1b[J", up);
}

/* Remember how wide each line of a block is.  Blanks at its end are not painted again by a
 * terminal that wraps, so they do not count. */
static void note_widths(struct screen *s, struct str block) {
    struct str line;
    must(s->block_lines <= LIVE_LINES_MAX);
    for (unsigned i = 0; i < s->block_lines; i++) {
        bool more = str_line(&block, &line);
        while (more && line.len && line.ptr[line.len - 1] == ' ')
            line.len--;
        s->block_widths[i] = more ? width_of(line) : 0;
    }
}

/* One frame: take the block away, print `lines`, paint the block again. */
static void frame(struct screen *s, struct str lines, bool with_block) {
    struct live_style style = style_of(s);
    struct buf b = BUF_INIT(PAINT_BYTES_MAX);
    buf_add_text(&b, FRAME_BEGIN);
    add_erase(s, style.columns, &b);
    buf_add_str(&b, lines);
    s->block_lines = 0;
    if (with_block && s->has_view) {
        size_t begin = b.len;
        s->block_lines = live_render(&s->view, &style, &b);
        note_widths(s, str_skip(buf_str(&b), begin));
        if (s->block_lines)
            buf_add_byte(&b, '\n');
    }
    buf_add_text(&b, FRAME_END);
    must(buf_ok(&b));
    write_all(s->options.story_fd, buf_str(&b), &s->story_gone);
    s->dirty = false;
    buf_deinit(&b);
}

/* --- life --- */

struct screen *screen_new(const struct screen_options *options) {
    struct screen *s = mem_new(sizeof *s);
    s->options = *options;
    s->options.mode = choose(options);
    s->colour = screen_wants_colour(options->colour, options->story_fd);
    s->ascii = options->ascii || screen_needs_ascii();
    live_init(&s->view);
    return s;
}

void screen_free(struct screen *s) {
    if (!s)
        return;
    screen_hide(s);
    mem_free(s);
}

enum screen_mode screen_mode(const struct screen *s) {
    must(s->options.mode != SCREEN_AUTO);
    return s->options.mode;
}

static void event_tty(struct screen *s, const struct story_event *e, uint64_t now_ns) {
    if (!story_on_terminal(e->kind))
        return;
    struct story_style style = {s->options.zone_offset_s, s->colour, s->ascii, 0};
    struct buf line = BUF_INIT(PAINT_BYTES_MAX / 2);
    story_add_terminal(&line, e, &style);
    struct buf wrapped = BUF_INIT(PAINT_BYTES_MAX / 2);
    unsigned columns = style_of(s).columns;
    unsigned indent = columns > STORY_LABEL_END + 20 ? STORY_LABEL_END : 2;
    if (columns > 20)
        width_add_wrapped(&wrapped, buf_str(&line), columns, indent);
    else
        buf_add_str(&wrapped, buf_str(&line)); /* the terminal breaks it where it must */
    buf_add_byte(&wrapped, '\n');
    frame(s, buf_str(&wrapped), true);
    s->painted_ns = now_ns;
    buf_deinit(&line);
    buf_deinit(&wrapped);
}

static void event_plain(struct screen *s, const struct story_event *e, uint64_t now_ns) {
    if (e->kind == STORY_VERSION)
        return;
    if (e->kind == STORY_PROGRESS) { /* the heartbeat says it */
        s->progress = *e;
        s->has_progress = true;
        return;
    }
    if (e->kind == STORY_PHASE_END)
        s->has_progress = false;
    struct buf line = BUF_INIT(PAINT_BYTES_MAX);
    story_add_plain(&line, e);
    write_line(s->options.story_fd, &line, &s->story_gone);
    buf_deinit(&line);
    s->spoken_ns = now_ns;
}

static void event_json(struct screen *s, const struct story_event *e) {
    struct buf line = BUF_INIT(PAINT_BYTES_MAX);
    if (!s->said_version) {
        s->said_version = true;
        story_add_json_version(&line, e->unix_ms, e->run);
        write_line(s->options.json_fd, &line, &s->json_gone);
        buf_reset(&line);
    }
    if (e->kind != STORY_VERSION) {
        story_add_json(&line, e);
        write_line(s->options.json_fd, &line, &s->json_gone);
    }
    buf_deinit(&line);
}

static void event_quiet(struct screen *s, const struct story_event *e) {
    bool worth = e->kind == STORY_LEAK || e->kind == STORY_LOST || e->mark == STORY_FAIL ||
                 e->mark == STORY_ALERT;
    if (!worth)
        return;
    struct story_style style = {s->options.zone_offset_s, s->colour, s->ascii, 0};
    struct buf line = BUF_INIT(PAINT_BYTES_MAX);
    story_add_terminal(&line, e, &style);
    write_line(s->options.story_fd, &line, &s->story_gone);
    buf_deinit(&line);
}

void screen_event(struct screen *s, const struct story_event *e, uint64_t now_ns) {
    must(e->kind < STORY_KIND_COUNT);
    if (e->detail && !s->options.verbose && s->options.mode != SCREEN_JSON)
        return;
    s->last_unix_ms = e->unix_ms;
    s->last_event_ns = now_ns;
    memcpy(s->run, e->run, sizeof s->run);
    switch (s->options.mode) {
    case SCREEN_TTY:
        event_tty(s, e, now_ns);
        return;
    case SCREEN_PLAIN:
        event_plain(s, e, now_ns);
        return;
    case SCREEN_JSON:
        event_json(s, e);
        return;
    case SCREEN_QUIET:
        event_quiet(s, e);
        return;
    case SCREEN_AUTO:
        break;
    }
    must(false);
}

void screen_view(struct screen *s, const struct live_view *view, uint64_t now_ns) {
    uint32_t turn = s->view.frame;
    s->view = *view;
    s->view.frame = turn; /* the spinner is ours */
    s->has_view = true;
    s->dirty = true;
    screen_tick(s, now_ns);
}

/* What is being waited for, when nothing else was said for half a minute. */
static void heartbeat(struct screen *s, uint64_t now_ns) {
    static const enum story_kind kinds[] = {
        [LIVE_START] = STORY_PLAN,        [LIVE_LAUNCH] = STORY_LAUNCH,
        [LIVE_ROLLCALL] = STORY_ROLLCALL, [LIVE_SETUP] = STORY_SETUP,
        [LIVE_SERVICES] = STORY_SERVICE,  [LIVE_PHASE] = STORY_PROGRESS,
        [LIVE_COLLECT] = STORY_COLLECT,   [LIVE_DOWN] = STORY_DOWN,
        [LIVE_DONE] = STORY_NOTE,
    };
    static const char *const counted[] = {
        [LIVE_START] = "nodes",       [LIVE_LAUNCH] = "running", [LIVE_ROLLCALL] = "answered",
        [LIVE_SETUP] = "set_up",      [LIVE_SERVICES] = "ready", [LIVE_PHASE] = "nodes",
        [LIVE_COLLECT] = "collected", [LIVE_DOWN] = "gone",      [LIVE_DONE] = "nodes",
    };
    must(s->view.stage < ARRAY_LEN(kinds));
    if (s->view.stage == LIVE_DONE)
        return;
    struct story_event e;
    int64_t unix_ms = s->last_unix_ms + (int64_t)((now_ns - s->last_event_ns) / NS_PER_MS);
    story_init(&e, kinds[s->view.stage], unix_ms, s->run);
    if (s->view.stage == LIVE_PHASE && s->has_progress) {
        e = s->progress;
    } else if (s->view.stage == LIVE_PHASE) {
        story_add_text(&e, "phase", str_from(s->view.phase.name));
        story_add_duration(&e, "elapsed", s->view.phase.elapsed_ns);
        story_add_of(&e, "nodes", s->view.fleet_up, s->view.fleet_want);
    } else {
        if (s->view.want)
            story_add_of(&e, counted[s->view.stage], s->view.have, s->view.want);
        story_add_duration(&e, "elapsed", s->view.elapsed_ns);
    }
    struct buf line = BUF_INIT(PAINT_BYTES_MAX);
    story_add_plain(&line, &e);
    write_line(s->options.story_fd, &line, &s->story_gone);
    buf_deinit(&line);
}

void screen_tick(struct screen *s, uint64_t now_ns) {
    if (now_ns < screen_next_ns(s))
        return;
    if (s->options.mode == SCREEN_TTY) {
        s->view.frame++;
        frame(s, STR_EMPTY, true);
        s->painted_ns = now_ns;
    } else if (s->options.mode == SCREEN_PLAIN) {
        if (s->spoken_ns)
            heartbeat(s, now_ns);
        s->spoken_ns = now_ns;
    }
}

uint64_t screen_next_ns(const struct screen *s) {
    if (!s->has_view)
        return UINT64_MAX;
    switch (s->options.mode) {
    case SCREEN_TTY:
        return s->story_gone ? UINT64_MAX : s->painted_ns + FRAME_NS;
    case SCREEN_PLAIN:
        return s->story_gone ? UINT64_MAX : s->spoken_ns + HEARTBEAT_NS;
    case SCREEN_JSON:
    case SCREEN_QUIET:
        return UINT64_MAX;
    case SCREEN_AUTO:
        break;
    }
    must(false);
}

void screen_resized(struct screen *s) {
    s->painted_ns = 0; /* due at once */
    s->dirty = true;
}

void screen_hide(struct screen *s) {
    if (s->options.mode == SCREEN_TTY && s->block_lines)
        frame(s, STR_EMPTY, false);
    s->has_view = false;
}
