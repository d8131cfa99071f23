#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/json_print.h"
#include "cli/sources.h"
#include "base/units.h"
#include "base/when.h"
#include "os/clock.h"
#include "os/file.h"
#include "report/width.h"

#define EVENTS_BYTES_MAX (64 * MIB)
#define LAST_EVENTS 8

struct standing {
    bool up, head_alive;
    size_t instances, running;
    bool known;       /* the cloud could be asked */
    bool cloud_ended; /* it was a rehearsal's, and everything in it has ended too */
};

static struct standing stand(struct session *s, const struct runs_info *info) {
    struct standing st = {.head_alive = runs_head_alive(s->runs_dir, info->id)};
    struct fleets fleets;
    struct err err = {0};
    if (session_aws_of_run(s, info, &err) < 0) {
        st.cloud_ended = info->cloud[0] && err.code == ERR_NOT_FOUND;
        st.known = st.cloud_ended; /* a cloud that has ended holds nothing */
        if (!st.known)
            fprintf(stderr, "warning: the cloud cannot be asked: %s\n", err.text);
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

/* One line: local time, what, and the words, which may come from a node and are made harmless. */
static void add_event(struct session *s, struct str line, struct buf *out) {
    int64_t unix_ms = 0;
    bool ascii = args_flag(s->args, "ascii") || screen_needs_ascii();
    json_t *event = json_loadb(line.ptr, line.len, 0, NULL);
    const char *t = json_string_value(json_object_get(event, "t"));
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *words = json_string_value(json_object_get(event, "text"));
    if (t && type && when_parse(str_from(t), &unix_ms, NULL) == 0) {
        buf_add_text(out, "  ");
        when_add_time(out, unix_ms, s->zone_offset_s);
        buf_printf(out, "  %-11.20s ", type);
        width_add_clean(out, str_from(words ? words : ""), ascii);
        buf_add_byte(out, '\n');
    }
    json_decref(event);
}

/* What the load does right now. */
static void add_now(struct str line, struct buf *out) {
    json_t *e = json_loadb(line.ptr, line.len, 0, NULL);
    const char *phase = json_string_value(json_object_get(e, "phase"));
    buf_printf(out, "  now       %-11s ", phase ? phase : "?");
    uint64_t elapsed_ms = (uint64_t)json_integer_value(json_object_get(e, "elapsed_ms"));
    units_add_clock(out, elapsed_ms * NS_PER_MS);
    buf_printf(out, "  %.0f/s", json_number_value(json_object_get(e, "rate_per_s")));
    const json_t *p99 = json_object_get(e, "p99_us");
    if (p99)
        buf_printf(out, "  p99 %.1f ms", json_number_value(p99) / 1e3);
    buf_printf(out, "  errors %.2f %%  nodes %lld/%lld\n",
               json_number_value(json_object_get(e, "errors")) * 100,
               (long long)json_integer_value(json_object_get(e, "nodes")),
               (long long)json_integer_value(json_object_get(e, "nodes_of")));
    json_decref(e);
}

/* The last things that its head wrote down. */
static void add_events(struct session *s, const char *run, struct buf *out) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(EVENTS_BYTES_MAX);
    char path[600];
    snprintf(path, sizeof path, "%s/%s/events.ndjson", s->runs_dir, run);
    if (file_read(path, &text, NULL) < 0)
        return;
    struct str rest = buf_str(&text), line, last[LAST_EVENTS], progress = STR_EMPTY;
    size_t count = 0;
    while (str_line(&rest, &line)) {
        bool beat = str_starts_with(line, STR("{\"type\":\"progress\""));
        progress = beat                                                    ? line
                   : str_starts_with(line, STR("{\"type\":\"phase_end\"")) ? STR_EMPTY
                                                                           : progress;
        if (!beat)
            last[count++ % LAST_EVENTS] = line;
    }
    for (size_t i = count > LAST_EVENTS ? count - LAST_EVENTS : 0; i < count; i++)
        add_event(s, last[i % LAST_EVENTS], out);
    if (progress.len && runs_head_alive(s->runs_dir, run))
        add_now(progress, out);
}

static const char *word_of(const struct runs_info *info, const struct standing *st) {
    if (st->head_alive)
        return "running";
    if (st->up)
        return "its head is dead and something is up";
    if (st->cloud_ended && !info->clean)
        return "its rehearsal cloud has ended, and all its instances with it";
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
