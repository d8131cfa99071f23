/* screen.h - where the story of a run goes: a terminal, a log, a JSON stream, or nowhere.
 *
 *   tty     event lines scroll above a status block that is repainted in place (report/live.h)
 *   plain   one line per event and a heartbeat every 30 s; no escape sequences
 *   json    NDJSON on stdout, a version record first; progress once a second
 *   quiet   only leaks, failures and the result
 *   auto    tty when the stream is a terminal that can move its cursor, else plain
 *
 * A frame is one write between ESC[?2026h and ESC[?2026l, at most 10 a second, so nothing flickers
 * and nothing is left half painted.  The alternate screen is never used; the cursor is hidden only
 * inside a frame, so there is no state to restore after a crash.  The size of the terminal is read
 * before each frame, which makes a handler for SIGWINCH unnecessary; screen_resized only paints
 * sooner.  A stream that cannot be written to any more goes silent, it never ends the run.
 *
 * The caller reads the clock and calls screen_tick when screen_next_ns says so.
 *
 * Tests: test/unit/test_screen.c
 */
#ifndef SCREEN_H
#define SCREEN_H

#include "report/live.h"
#include "report/story.h"

enum screen_mode { SCREEN_AUTO, SCREEN_TTY, SCREEN_PLAIN, SCREEN_JSON, SCREEN_QUIET };
enum screen_colour { SCREEN_COLOUR_AUTO, SCREEN_COLOUR_ALWAYS, SCREEN_COLOUR_NEVER };

struct screen_options {
    enum screen_mode mode;
    enum screen_colour colour;
    bool ascii;        /* asked for; also when the locale is not UTF-8 */
    bool verbose;      /* also what goes well with single nodes (story_event.detail) */
    int story_fd;      /* borrowed; 2 for commands */
    int json_fd;       /* borrowed; 1 for commands */
    int zone_offset_s; /* local time on a terminal */
};

struct screen;

/* "auto" "tty" "plain" "json" "quiet"; false when it is none of them. */
NODISCARD bool screen_mode_parse(const char *text, enum screen_mode *ret_mode);
/* "auto" "always" "never". */
NODISCARD bool screen_colour_parse(const char *text, enum screen_colour *ret_colour);
/* NO_COLOR, TERM=dumb, CLICOLOR_FORCE and FORCE_COLOR against one stream. */
bool screen_wants_colour(enum screen_colour colour, int fd);
/* Is the locale of the environment (LC_ALL, LC_CTYPE, LANG) not UTF-8? */
bool screen_needs_ascii(void);
/* Seconds that local time is ahead of UTC at that instant. */
int screen_zone_offset_s(int64_t unix_ms);

NODISCARD struct screen *screen_new(const struct screen_options *options);
void screen_free(struct screen *s); /* clears the block */
DEFINE_FREEP(struct screen, screen_free)

/* The mode that AUTO became. */
enum screen_mode screen_mode(const struct screen *s);
/* Say what happened.  Written at once. */
void screen_event(struct screen *s, const struct story_event *e, uint64_t now_ns);
/* The state to show from now on; copied. */
void screen_view(struct screen *s, const struct live_view *view, uint64_t now_ns);
/* Paint or write the heartbeat when it is due. */
void screen_tick(struct screen *s, uint64_t now_ns);
/* When to call screen_tick again; UINT64_MAX: never. */
uint64_t screen_next_ns(const struct screen *s);
void screen_resized(struct screen *s);
/* Take the block away, before other text is written or the process is stopped (SIGTSTP).
 * The next view brings it back. */
void screen_hide(struct screen *s);

#endif
