/* The driver writes into a pipe; what it wrote is checked as a terminal would read it. */
#include "golden.h"

#include <fcntl.h>
#include <unistd.h>

#include "cli/screen.h"

struct tube {
    int read_fd, write_fd;
};

static void tube_open(struct tube *t) {
    int fds[2];
    assert_int_equal(pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    t->read_fd = fds[0];
    t->write_fd = fds[1];
}

static void tube_read(struct tube *t, struct buf *into) {
    char bytes[4096];
    buf_reset(into);
    for (ssize_t size; (size = read(t->read_fd, bytes, sizeof bytes)) > 0;)
        buf_add(into, bytes, (size_t)size);
}

static void tube_close(struct tube *t) {
    close(t->read_fd);
    close(t->write_fd);
}

static struct screen *open_screen(struct tube *t, enum screen_mode mode) {
    tube_open(t);
    return screen_new(&(struct screen_options){.mode = mode,
                                               .colour = SCREEN_COLOUR_NEVER,
                                               .story_fd = t->write_fd,
                                               .json_fd = t->write_fd});
}

static void make_view(struct live_view *view) {
    live_init(view);
    view->stage = LIVE_LAUNCH;
    view->have = 3;
    view->want = 8;
    view->elapsed_ns = 31 * NS_PER_S;
}

static void a_frame_is_one_synchronized_update_and_ends_with_the_cursor_shown(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_TTY);
    struct live_view view;
    make_view(&view);
    screen_view(s, &view, NS_PER_S);
    struct buf b = BUF_INIT(MIB);
    tube_read(&t, &b);
    assert_true(str_starts_with(buf_str(&b), STR("\x1b[?2026h\x1b[?25l")));
    assert_true(str_ends_with(buf_str(&b), STR("\x1b[?25h\x1b[?2026l")));
    assert_true(str_contains(buf_str(&b), STR("3/8 running")));
    assert_false(str_contains(buf_str(&b), STR("1049")));
    /* The next frame goes up by as many lines as were painted: the head and the money. */
    screen_tick(s, NS_PER_S + 100 * NS_PER_MS);
    tube_read(&t, &b);
    assert_true(str_contains(buf_str(&b), STR("\x1b[2A\r\x1b[J")));
    buf_deinit(&b);
    screen_hide(s);
    tube_close(&t);
}

static void there_are_at_most_ten_frames_a_second(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_TTY);
    struct live_view view;
    make_view(&view);
    struct buf b = BUF_INIT(MIB);
    unsigned frames = 0;
    for (uint64_t now_ns = NS_PER_S; now_ns < 2 * NS_PER_S; now_ns += NS_PER_MS) {
        screen_view(s, &view, now_ns);
        tube_read(&t, &b);
        frames += b.len > 0;
    }
    assert_in_range(frames, 9, 10);
    buf_deinit(&b);
    screen_hide(s);
    tube_close(&t);
}

static void event_lines_stand_above_the_block(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_TTY);
    struct live_view view;
    make_view(&view);
    screen_view(s, &view, NS_PER_S);
    struct buf b = BUF_INIT(MIB);
    tube_read(&t, &b);
    struct story_event e;
    story_init(&e, STORY_NOTE, 1000, "7k2m");
    story_text(&e, "something happened");
    screen_event(s, &e, NS_PER_S + 1);
    tube_read(&t, &b);
    size_t erase = str_index_of_str(buf_str(&b), STR("\x1b[J"));
    size_t line = str_index_of_str(buf_str(&b), STR("something happened\n"));
    size_t block = str_index_of_str(buf_str(&b), STR("3/8 running"));
    assert_true(erase < line && line < block && block < b.len);
    buf_deinit(&b);
    screen_hide(s);
    tube_close(&t);
}

static void plain_output_has_no_escape_and_a_heartbeat_every_30_s(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_PLAIN);
    struct live_view view;
    make_view(&view);
    struct story_event e;
    story_init(&e, STORY_PLAN, 0, "7k2m");
    story_verb(&e, "ok");
    screen_event(s, &e, NS_PER_S);
    struct buf b = BUF_INIT(MIB);
    struct buf all = BUF_INIT(MIB);
    for (uint64_t now_ns = NS_PER_S; now_ns <= 62 * NS_PER_S; now_ns += 100 * NS_PER_MS) {
        screen_view(s, &view, now_ns);
        tube_read(&t, &b);
        buf_add_str(&all, buf_str(&b));
    }
    assert_text(&all, "1970-01-01T00:00:00Z run=7k2m plan ok\n"
                      "1970-01-01T00:00:30Z run=7k2m launch running=3/8 elapsed=31s\n"
                      "1970-01-01T00:01:00Z run=7k2m launch running=3/8 elapsed=31s\n");
    buf_deinit(&b);
    buf_deinit(&all);
    tube_close(&t);
}

static void json_output_starts_with_a_version_record(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_JSON);
    struct story_event e;
    story_init(&e, STORY_LAUNCH, 0, "7k2m");
    screen_event(s, &e, 0);
    screen_event(s, &e, 0);
    struct buf b = BUF_INIT(MIB);
    tube_read(&t, &b);
    struct str rest = buf_str(&b);
    struct str line;
    assert_true(str_line(&rest, &line));
    assert_true(str_starts_with(line, STR("{\"type\":\"version\"")));
    assert_true(str_contains(line, STR("\"schema\":\"1.0\"")));
    unsigned lines = 0;
    while (str_line(&rest, &line) && line.len)
        lines++;
    assert_int_equal(lines, 2);
    buf_deinit(&b);
    tube_close(&t);
}

static void quiet_output_has_only_what_failed(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_QUIET);
    struct story_event e;
    story_init(&e, STORY_LAUNCH, 0, "7k2m");
    screen_event(s, &e, 0);
    struct buf b = BUF_INIT(MIB);
    tube_read(&t, &b);
    assert_int_equal(b.len, 0);
    story_init(&e, STORY_LEAK, 0, "7k2m");
    screen_event(s, &e, 0);
    tube_read(&t, &b);
    assert_true(b.len > 0);
    buf_deinit(&b);
    tube_close(&t);
}

static void a_closed_stream_goes_silent(void **state) {
    (void)state;
    struct tube t;
    CLEANUP(screen_freep) struct screen *s = open_screen(&t, SCREEN_PLAIN);
    tube_close(&t);
    struct story_event e;
    story_init(&e, STORY_LAUNCH, 0, "7k2m");
    screen_event(s, &e, 0);
    screen_event(s, &e, 0);
    struct live_view view;
    make_view(&view);
    screen_view(s, &view, 1);
    assert_true(screen_next_ns(s) == UINT64_MAX);
}

static void the_environment_decides_about_colour_and_letters(void **state) {
    (void)state;
    assert_false(screen_wants_colour(SCREEN_COLOUR_AUTO, -1));
    assert_true(screen_wants_colour(SCREEN_COLOUR_ALWAYS, -1));
    setenv("CLICOLOR_FORCE", "1", 1);
    assert_true(screen_wants_colour(SCREEN_COLOUR_AUTO, -1));
    setenv("NO_COLOR", "1", 1);
    assert_false(screen_wants_colour(SCREEN_COLOUR_AUTO, -1));
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    assert_false(screen_needs_ascii());
    setenv("LC_ALL", "C", 1);
    assert_true(screen_needs_ascii());
}

UNIT_MAIN(T(a_frame_is_one_synchronized_update_and_ends_with_the_cursor_shown),
          T(there_are_at_most_ten_frames_a_second), T(event_lines_stand_above_the_block),
          T(plain_output_has_no_escape_and_a_heartbeat_every_30_s),
          T(json_output_starts_with_a_version_record), T(quiet_output_has_only_what_failed),
          T(a_closed_stream_goes_silent), T(the_environment_decides_about_colour_and_letters))
