#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/json_print.h"
#include "cli/sources.h"
#include "base/units.h"
#include "base/when.h"
#include "os/clock.h"
#include "os/file.h"

#define EVENTS_BYTES_MAX (64 * MIB)
#define LAST_EVENTS 8

struct standing {
    bool up, head_alive;
    size_t instances, running;
    bool known; /* the cloud could be asked */
};

static struct standing stand(struct session *s, const struct runs_info *info) {
    struct standing st = {.head_alive = runs_head_alive(s->runs_dir, info->id)};
    struct fleets fleets;
    struct err err = {0};
    if (session_aws_of_run(s, info, &err) < 0) {
        st.known = info->cloud[0] != '\0'; /* a rehearsal that has ended holds nothing */
        return st;
    }
    if (fleets_find(s->loop, &s->aws, &s->arena, &fleets, &err) < 0) {
        fprintf(stderr, "warning: the cloud cannot be asked: %s\n", err.text);
        return st;
    }
    st.known = true;
    for (size_t i = 0; i < fleets.run_count; i++) {
        if (!str_equal(fleets.runs[i].run, str_from(info->id)))
            continue;
        st.up = true;
        st.instances = fleets.runs[i].node_count;
        for (size_t k = 0; k < fleets.runs[i].node_count; k++)
            st.running += str_equal(fleets.runs[i].nodes[k].state, STR("running"));
    }
    return st;
}

/* The last things that its head wrote down. */
static void add_events(struct session *s, const char *run, struct buf *out) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(EVENTS_BYTES_MAX);
    char path[600];
    snprintf(path, sizeof path, "%s/%s/events.ndjson", s->runs_dir, run);
    if (file_read(path, &text, NULL) < 0)
        return;
    struct str rest = buf_str(&text), line, last[LAST_EVENTS];
    size_t count = 0;
    while (str_line(&rest, &line))
        last[count++ % LAST_EVENTS] = line;
    for (size_t i = count > LAST_EVENTS ? count - LAST_EVENTS : 0; i < count; i++) {
        json_t *event = json_loadb(last[i % LAST_EVENTS].ptr, last[i % LAST_EVENTS].len, 0, NULL);
        const char *t = json_string_value(json_object_get(event, "t"));
        const char *type = json_string_value(json_object_get(event, "type"));
        const char *words = json_string_value(json_object_get(event, "text"));
        if (t && type && strlen(t) >= 19)
            buf_printf(out, "  %.8s  %-11s %s\n", t + 11, type, words ? words : "");
        json_decref(event);
    }
}

static const char *word_of(const struct runs_info *info, const struct standing *st) {
    if (st->head_alive)
        return "running";
    if (st->up)
        return "its head is dead and something is up";
    return !st->known ? "unknown" : info->clean ? "ended, clean" : "ended";
}

static void print_json(const struct runs_info *info, const struct standing *st) {
    json_t *root = json_pack("{s:s, s:s, s:s, s:s, s:b, s:i, s:i, s:b}", "schema",
                             "dayfly.status/1", "run", info->id, "name", info->name, "state",
                             word_of(info, st), "head_alive", st->head_alive, "instances",
                             (int)st->instances, "running", (int)st->running, "known", st->known);
    json_print(root);
}

static void print_people(struct session *s, const struct runs_info *info,
                         const struct standing *st) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1 * MIB);
    buf_printf(&out, "%s/%s  %s  %zu instances, %zu running", info->name, info->id,
               word_of(info, st), st->instances, st->running);
    int64_t left = info->deadline_unix_ms - clock_wall_unix_ms();
    if (st->up && left > 0) {
        buf_add_text(&out, ", every node ends itself in ");
        units_add_clock(&out, (uint64_t)left * NS_PER_MS);
    }
    buf_add_byte(&out, '\n');
    add_events(s, info->id, &out);
    if (st->up && !st->head_alive)
        buf_printf(&out, "next: dayfly down %s\n", info->id);
    cli_print(buf_str(&out));
}

/* The run that was meant: one that is up, else the newest. */
static int choose(struct session *s, struct runs_info *info, struct err *err) {
    if (args_operand(s->args, 0) || session_find_run(s, NULL, info, NULL) == 0)
        return session_find_run(s, args_operand(s->args, 0), info, err);
    struct runs_info *infos = NULL;
    size_t count = 0;
    TRY(runs_list(s->runs_dir, &infos, &count, err));
    if (count)
        *info = infos[0];
    mem_free(infos);
    return count ? 0 : err_set(err, ERR_NOT_FOUND, "no run is known on this machine");
}

static int run(const struct args *args) {
    CLEANUP(session_close) struct session s = {0};
    struct err err = {0};
    struct runs_info info;
    if (session_open(&s, args, &err) < 0 || choose(&s, &info, &err) < 0)
        return session_fail(&s, &err, "dayfly list");
    struct standing st = stand(&s, &info);
    if (args_flag(args, "json"))
        print_json(&info, &st);
    else
        print_people(&s, &info, &st);
    return !st.known || (st.up && !st.head_alive) ? EXIT_DEGRADED : EXIT_OK;
}

const struct cmd cmd_status = {
    .name = "status",
    .summary = "how a run stands: its head, its instances, its last events",
    .operands = "[FLEET]",
    .operands_max = 1,
    .group = CMD_FLEET,
    .examples = (const char *const[]){"dayfly status", "dayfly status 7k2m --json", NULL},
    .details = "Exit 11: not all is well (its head is dead and something is up, or the cloud\n"
               "cannot be asked).",
    .run = run,
};
