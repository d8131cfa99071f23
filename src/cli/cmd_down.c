#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/session.h"

#include "os/clock.h"

#include <unistd.h>

static bool confirmed(const struct args *args, const struct runs_info *info) {
    const char *name = args_text(args, "confirm");
    if (args_flag(args, "yes") ||
        (name && (strcmp(name, info->name) == 0 || strcmp(name, info->id) == 0)))
        return true;
    if (args_flag(args, "no-input") || !isatty(STDIN_FILENO))
        return false;
    fprintf(stderr, "end every instance of %s/%s in %s? type the name to go on: ", info->name,
            info->id, info->cloud[0] ? "its rehearsal" : info->region);
    char line[80];
    return fgets(line, sizeof line, stdin) &&
           str_equal(str_trim(str_from(line)), str_from(info->name));
}

/* Remember in the index that nothing is left. */
static void mark_clean(struct session *s, struct runs_info *info) {
    char dir[600];
    struct err err = {0};
    info->clean = true;
    strncpy(info->state, "ended", sizeof info->state - 1);
    if (!info->ended_unix_ms)
        info->ended_unix_ms = clock_wall_unix_ms();
    snprintf(dir, sizeof dir, "%s/%s", s->runs_dir, info->id);
    if (runs_write(dir, info, &err) < 0)
        fprintf(stderr, "warning: %s\n", err.text);
}

/* Its cloud was stopped or killed: there is nobody to ask and nothing to end. */
static int end_with_cloud(struct session *s, struct runs_info *info) {
    static const char what[] = "its rehearsal cloud has ended, and all its instances with it";
    if (runs_head_alive(s->runs_dir, info->id)) {
        struct err err = {0};
        ignore(err_set(&err, ERR_REFUSED, "%s; but its dayfly runs, and tells its end", what));
        return session_fail(s, &err, "stop that dayfly with Ctrl-C instead");
    }
    session_say(s, info->id, "%s/%s: %s", info->name, info->id, what);
    mark_clean(s, info);
    return EXIT_OK;
}

static int end_run(struct session *s, struct runs_info *info) {
    struct err err = {0};
    if (session_aws_of_run(s, info, &err) < 0) {
        if (info->cloud[0] && err.code == ERR_NOT_FOUND)
            return end_with_cloud(s, info);
        return session_fail(s, &err, "dayfly doctor");
    }
    int code = EXIT_ERROR;
    struct head_teardown_options o = {.loop = s->loop,
                                      .aws = &s->aws,
                                      .state_dir = s->runs_dir,
                                      .run = info->id,
                                      .owner = info->owner,
                                      .rehearsal = info->cloud[0] != '\0',
                                      .zone_offset_s = s->zone_offset_s,
                                      .observer = session_observer(s)};
    if (head_teardown(&o, &code, &err) < 0)
        return session_fail(
            s, &err, err.code == ERR_REFUSED ? "stop that dayfly with Ctrl-C instead" : NULL);
    screen_hide(s->screen);
    if (code == EXIT_OK)
        mark_clean(s, info);
    return code;
}

static int run(const struct args *args) {
    CLEANUP(session_close) struct session s = {0};
    struct err err = {0};
    struct runs_info info;
    if (session_open(&s, args, &err) < 0)
        return session_fail(&s, &err, NULL);
    if (session_find_run(&s, args_operand(args, 0), &info, &err) < 0)
        return session_fail(&s, &err,
                            "dayfly list shows what is up, dayfly gc ends what nobody owns");
    if (!confirmed(args, &info)) {
        ignore(err_set(&err, ERR_USAGE, "not confirmed: nothing was ended"));
        return session_fail(&s, &err, "add --yes, or --confirm with the name of the fleet");
    }
    return end_run(&s, &info);
}

static const struct opt OPTS[] = {
    {.name = "confirm", .kind = OPT_TEXT, .value = "NAME", .help = "the fleet's name, for scripts"},
    {0},
};

const struct cmd cmd_down = {
    .name = "down",
    .summary = "end a fleet and prove it",
    .operands = "[FLEET]",
    .operands_max = 1,
    .group = CMD_FLEET,
    .opts = OPTS,
    .examples = (const char *const[]){"dayfly down shop-http", "dayfly down 7k2m --yes", NULL},
    .details =
        "Works from any shell, also when the dayfly that started the fleet is dead. Exit 0:\n"
        "two complete listings found nothing; 9: it could not be proved.",
    .run = run,
};
