#include "cli/session.h"

#include "cli/exits.h"
#include "os/clock.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <unistd.h>

static void on_stop_signal(void *arg, int number) {
    struct session *s = arg;
    s->stops++;
    if (s->head)
        head_stop(s->head, s->stops, number != SIGINT);
    else
        loop_stop(s->loop);
}

static void on_paint_signal(void *arg, int number) {
    struct session *s = arg;
    if (number == SIGWINCH && s->screen)
        screen_resized(s->screen);
    if (s->head)
        head_refresh(s->head);
}

static void on_paint(void *arg) {
    struct session *s = arg;
    screen_tick(s->screen, loop_now_ns(s->loop));
    uint64_t next = screen_next_ns(s->screen);
    if (next != UINT64_MAX)
        loop_timer_set(s->painter, next);
}

static void on_story(void *arg, const struct story_event *event) {
    struct session *s = arg;
    screen_event(s->screen, event, loop_now_ns(s->loop));
    on_paint(s);
}

static void on_live(void *arg, const struct live_view *view) {
    struct session *s = arg;
    screen_view(s->screen, view, loop_now_ns(s->loop));
    on_paint(s);
}

struct head_observer session_observer(struct session *s) {
    return (struct head_observer){.story = on_story, .live = on_live, .arg = s};
}

static struct screen *open_screen(const struct args *args, int zone_offset_s) {
    struct screen_options o = {.ascii = args_flag(args, "ascii") || screen_needs_ascii(),
                               .verbose = args_flag(args, "verbose"),
                               .story_fd = STDERR_FILENO,
                               .json_fd = STDOUT_FILENO,
                               .zone_offset_s = zone_offset_s};
    const char *progress = args_text(args, "progress"), *colour = args_text(args, "color");
    if (!progress)
        progress = getenv("DAYFLY_PROGRESS");
    if (progress && !screen_mode_parse(progress, &o.mode))
        o.mode = SCREEN_AUTO;
    if (args_flag(args, "json"))
        o.mode = SCREEN_JSON;
    else if (args_flag(args, "quiet"))
        o.mode = SCREEN_QUIET;
    if (colour)
        ignore(!screen_colour_parse(colour, &o.colour)); /* checked by args_parse */
    if (args_flag(args, "no-color"))
        o.colour = SCREEN_COLOUR_NEVER;
    return screen_new(&o);
}

int session_open(struct session *s, const struct args *args, struct err *err) {
    static const int stops[] = {SIGINT, SIGTERM, SIGHUP};
    static const int paints[] = {SIGWINCH, SIGUSR1};
    struct rlimit cores;
    if (getrlimit(RLIMIT_CORE, &cores) == 0) { /* keys and tokens do not belong on disk */
        cores.rlim_cur = 0;
        ignore(setrlimit(RLIMIT_CORE, &cores) < 0);
    }
    *s = (struct session){.args = args};
    TRY(runs_state_dir(s->state_dir, sizeof s->state_dir, err));
    snprintf(s->runs_dir, sizeof s->runs_dir, "%s/runs", s->state_dir);
    s->zone_offset_s = screen_zone_offset_s(clock_wall_unix_ms());
    s->loop = loop_new();
    s->screen = open_screen(args, s->zone_offset_s);
    s->painter = loop_timer_new(s->loop, on_paint, s);
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(stops); i++)
        s->signals[count++] = loop_signal_new(s->loop, stops[i], on_stop_signal, s);
    for (size_t i = 0; i < ARRAY_LEN(paints); i++)
        s->signals[count++] = loop_signal_new(s->loop, paints[i], on_paint_signal, s);
    return 0;
}

void session_close(struct session *s) {
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        if (s->signals[i])
            loop_signal_free(s->signals[i]);
    if (s->painter)
        loop_timer_free(s->painter);
    screen_free(s->screen);
    if (s->loop)
        loop_free(s->loop);
    arena_deinit(&s->arena);
    *s = (struct session){0};
}

int session_aws(struct session *s, struct str profile, struct str region, struct str endpoint,
                const struct emu_endpoint *cloud, struct err *err) {
    const char *o_profile = args_text(s->args, "profile"), *o_region = args_text(s->args, "region");
    const char *o_endpoint = args_text(s->args, "endpoint-url");
    struct aws_config_options o = {
        .profile = o_profile ? str_from(o_profile) : profile,
        .region = o_region ? str_from(o_region) : region,
        .endpoint_url = o_endpoint ? str_from(o_endpoint) : endpoint,
    };
    if (cloud)
        o = (struct aws_config_options){
            .region = str_from(cloud->region),
            .endpoint_url = str_from(cloud->url),
            .keys = {.access_key = str_from(cloud->access_key_id),
                     .secret_key = str_from(cloud->secret_access_key)},
        };
    struct aws_environment environment = aws_environment_real();
    return aws_config_load(&o, &environment, &s->arena, &s->aws, err);
}

int session_aws_of_run(struct session *s, const struct runs_info *info, struct err *err) {
    if (!info->cloud[0])
        return session_aws(s, arena_str(&s->arena, str_from(info->profile)),
                           arena_str(&s->arena, str_from(info->region)),
                           arena_str(&s->arena, str_from(info->endpoint_url)), NULL, err);
    struct emu_endpoint *cloud = arena_new(&s->arena, sizeof *cloud);
    TRY(emu_endpoint_read(info->cloud, cloud, err));
    if (!emu_endpoint_lives(cloud)) /* killed: it left its endpoint.json */
        return err_set(err, ERR_NOT_FOUND, "the rehearsal cloud %s has ended", cloud->id);
    return session_aws(s, STR_EMPTY, STR_EMPTY, STR_EMPTY, cloud, err);
}

bool session_is_local(const struct session *s) {
    return str_contains(s->aws.endpoint_url[AWS_EC2], STR("//127."));
}

static bool is_named(const struct runs_info *info, const char *operand) {
    const char *slash = strchr(operand, '/');
    if (slash)
        return strcmp(slash + 1, info->id) == 0 &&
               str_equal(str_from(info->name), (struct str){operand, (size_t)(slash - operand)});
    return strcmp(info->id, operand) == 0 || (!info->clean && strcmp(info->name, operand) == 0);
}

int session_find_run(struct session *s, const char *operand, struct runs_info *ret_info,
                     struct err *err) {
    struct runs_info *infos = NULL;
    size_t count = 0, found = 0;
    CLEANUP(buf_deinit) struct buf names = BUF_INIT(4096);
    TRY(runs_list(s->runs_dir, &infos, &count, err));
    struct runs_info match = {0};
    for (size_t i = 0; i < count; i++) {
        if (operand ? !is_named(&infos[i], operand) : infos[i].clean)
            continue;
        buf_printf(&names, " %s/%s", infos[i].name, infos[i].id);
        if (found++ == 0)
            match = infos[i];
    }
    mem_free(infos);
    if (found == 0)
        return err_set(err, ERR_NOT_FOUND,
                       operand ? "no run '%s' is known on this machine"
                               : "no run%s that may still have something up",
                       operand ? operand : "");
    if (found > 1)
        return err_set(err, ERR_USAGE, "which one?%s", buf_text(&names));
    *ret_info = match;
    return 0;
}

void session_say(struct session *s, const char *run, const char *fmt, ...) {
    char text[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (args_flag(s->args, "json")) {
        struct story_event e;
        story_init(&e, STORY_NOTE, clock_wall_unix_ms(), run);
        story_text(&e, "%s", text);
        on_story(s, &e);
    } else {
        printf("%s\n", text);
    }
}

int session_fail(struct session *s, const struct err *err, const char *remedy) {
    if (s->screen)
        screen_hide(s->screen);
    cli_error(err, remedy);
    if (err->code == ERR_CAPACITY)
        return EXIT_CAPACITY;
    if (err->code == ERR_INTERRUPTED)
        return EXIT_INTERRUPTED;
    return err->code == ERR_REFUSED ? EXIT_USAGE : exit_of_err(err);
}
