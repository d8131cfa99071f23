#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/sources.h"
#include "os/clock.h"

#include <unistd.h>

/* Why a run may be ended by whoever finds it; NULL: it is somebody's and in use. */
static const char *reason(struct session *s, const struct fleets_run *run) {
    char id[32];
    if (run->owner.len == 0)
        return NULL; /* dayfly writes all tags in the launch call: this is none of its */
    if (run->deadline_unix_ms && run->deadline_unix_ms < clock_wall_unix_ms())
        return "past its deadline";
    struct runs_info info;
    ignore(!str_copy(id, sizeof id, run->run)); /* a longer one is not in the index */
    if (runs_read(s->runs_dir, id, &info, NULL) < 0)
        return NULL; /* started elsewhere: its head may be alive there */
    if (info.owner[0] && !str_equal(run->owner, str_from(info.owner)))
        return NULL; /* another's run that has drawn the same id */
    return runs_head_alive(s->runs_dir, id) ? NULL : "its head is dead";
}

static bool wanted(const struct args *args, const struct fleets_run *run) {
    const char *only = args_text(args, "run");
    return !only || str_equal(str_from(only), run->run);
}

static int end_run(struct session *s, const struct source *source, const struct fleets_run *run) {
    struct err err = {0};
    int code = EXIT_ERROR;
    struct head_teardown_options o = {.loop = s->loop,
                                      .aws = &source->aws,
                                      .state_dir = s->runs_dir,
                                      .run = run->run.ptr,
                                      .owner = run->owner.ptr,
                                      .rehearsal = source->cloud != NULL,
                                      .zone_offset_s = s->zone_offset_s,
                                      .observer = session_observer(s)};
    if (head_teardown(&o, &code, &err) < 0)
        return session_fail(s, &err, NULL);
    return code;
}

struct found {
    const struct source *source;
    const struct fleets_run *run;
};

static size_t find_all(struct session *s, const struct sources *all, struct found *found,
                       size_t max) {
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i].fleets.run_count && count < max; k++) {
            const struct fleets_run *run = &all->items[i].fleets.runs[k];
            const char *why = args_text(s->args, "run") ? "asked for" : reason(s, run);
            if (!wanted(s->args, run))
                continue;
            session_say(s, run->run.ptr, "%.*s/%.*s  %s  %zu instances  owner %.*s  %s",
                        STR_ARG(run->name), STR_ARG(run->run), all->items[i].name, run->node_count,
                        STR_ARG(run->owner), why ? why : "in use: left alone");
            if (why)
                found[count++] = (struct found){&all->items[i], run};
        }
    return count;
}

static int run(const struct args *args) {
    CLEANUP(session_close) struct session s = {0};
    struct err err = {0};
    struct sources all;
    struct found found[256];
    if (session_open(&s, args, &err) < 0)
        return session_fail(&s, &err, NULL);
    sources_find(&s, &all);
    size_t count = find_all(&s, &all, found, ARRAY_LEN(found));
    if (count == 0) {
        session_say(&s, "", "nothing to end");
        return all.failed ? EXIT_DEGRADED : EXIT_OK;
    }
    if (args_flag(args, "dry-run"))
        return EXIT_OK;
    if (!args_flag(args, "yes")) {
        ignore(err_set(&err, ERR_USAGE, "%zu to end; nothing was ended yet", count));
        return session_fail(&s, &err, "add --yes to end them");
    }
    int worst = all.failed ? EXIT_DEGRADED : EXIT_OK;
    for (size_t i = 0; i < count; i++) {
        int code = end_run(&s, found[i].source, found[i].run);
        worst = code ? (worst == EXIT_LEAK ? worst : code) : worst;
    }
    return worst;
}

static const struct opt OPTS[] = {
    {.name = "dry-run", .letter = 'n', .kind = OPT_FLAG, .help = "only show what would be ended"},
    {.name = "run", .kind = OPT_TEXT, .value = "ID", .help = "this run, whoever owns it"},
    {0},
};

const struct cmd cmd_gc = {
    .name = "gc",
    .summary = "find and end what is expired or orphaned",
    .group = CMD_FLEET,
    .opts = OPTS,
    .examples = (const char *const[]){"dayfly gc --dry-run", "dayfly gc --yes",
                                      "dayfly gc --run 7k2m --yes", NULL},
    .details = "Looks at the tags in the account's region and in every rehearsal cloud of this\n"
               "machine. A run is ended when its deadline has passed or when its head ran here\n"
               "and is dead; fleets of others that are in use are never touched.",
    .run = run,
};
