#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/json_print.h"
#include "cli/sources.h"
#include "base/table.h"
#include "base/units.h"
#include "os/clock.h"
#include "os/file.h"

#define EVENTS_BYTES_MAX (64 * MIB)

/* Which slot an instance has: what its head wrote down when it joined or was replaced. */
static void read_slots(struct session *s, const char *run, struct table *slots) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(EVENTS_BYTES_MAX);
    char path[600];
    snprintf(path, sizeof path, "%s/%s/events.ndjson", s->runs_dir, run);
    if (file_read(path, &text, NULL) < 0)
        return; /* started on another machine: roles are known from the tags */
    struct str rest = buf_str(&text), line;
    while (str_line(&rest, &line)) {
        json_t *event = json_loadb(line.ptr, line.len, 0, NULL);
        const char *node = json_string_value(json_object_get(event, "node"));
        const char *id = json_string_value(json_object_get(event, "id"));
        if (node && id && strchr(node, ':'))
            ignore(table_set(slots, str_from(id), arena_text(&s->arena, str_from(node))) !=
                   NULL); /* the latest */
        json_decref(event);
    }
}

static const struct fleets_run *find(struct session *s, const struct sources *all,
                                     const struct source **ret_source, struct err *err) {
    const char *operand = args_operand(s->args, 0);
    const struct fleets_run *match = NULL;
    CLEANUP(buf_deinit) struct buf names = BUF_INIT(4096);
    size_t found = 0;
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i].fleets.run_count; k++) {
            const struct fleets_run *run = &all->items[i].fleets.runs[k];
            if (operand && !str_equal(run->run, str_from(operand)) &&
                !str_equal(run->name, str_from(operand)))
                continue;
            buf_printf(&names, " %.*s", STR_ARG(run->run));
            match = run;
            *ret_source = &all->items[i];
            found++;
        }
    if (found == 1)
        return match;
    if (found == 0)
        ignore(err_set(err, ERR_NOT_FOUND, "nothing%s%s is up", operand ? " of " : "",
                       operand ? operand : ""));
    else
        ignore(err_set(err, ERR_USAGE, "which one?%s", buf_text(&names)));
    return NULL;
}

static void add_row(struct buf *out, const struct fleets_node *n, const char *slot) {
    CLEANUP(buf_deinit) struct buf age = BUF_INIT(40);
    int64_t ms = clock_wall_unix_ms() - n->launched_unix_ms;
    units_add_clock(&age, ms > 0 ? (uint64_t)ms * NS_PER_MS : 0);
    buf_printf(out, "%-16s %-14.*s %-21.*s %-14.*s %-12.*s %-10.*s %-15.*s %8s\n",
               slot          ? slot
               : n->role.ptr ? n->role.ptr
                             : "-",
               STR_ARG(n->state), STR_ARG(n->id), STR_ARG(n->type), STR_ARG(n->zone),
               STR_ARG(n->market), STR_ARG(n->private_ip), buf_text(&age));
}

static json_t *node_json(const struct fleets_node *n, const char *slot) {
    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", slot ? slot : "",
                     "role", json_text(n->role), "state", json_text(n->state), "id",
                     json_text(n->id), "type", json_text(n->type), "zone", json_text(n->zone),
                     "market", json_text(n->market), "private_ip", json_text(n->private_ip),
                     "public_ip", json_text(n->public_ip));
}

static void print_people(const struct fleets_run *run, const struct table *slots) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(16 * MIB);
    buf_printf(&out, "%-16s %-14s %-21s %-14s %-12s %-10s %-15s %8s\n", "NODE", "STATE", "ID",
               "TYPE", "ZONE", "MARKET", "ADDRESS", "AGE");
    for (size_t i = 0; i < run->node_count; i++)
        add_row(&out, &run->nodes[i], table_find(slots, run->nodes[i].id));
    cli_print(buf_str(&out));
}

static void print_json(const struct fleets_run *run, const struct table *slots) {
    json_t *list = json_array();
    for (size_t i = 0; i < run->node_count; i++)
        json_array_append_new(list, node_json(&run->nodes[i], table_find(slots, run->nodes[i].id)));
    json_print(json_pack("{s:s, s:o, s:o}", "schema", "dayfly.nodes/1", "run", json_text(run->run),
                         "nodes", list));
}

static int run(const struct args *args) {
    CLEANUP(session_close) struct session s = {0};
    CLEANUP(table_deinit) struct table slots = {0};
    struct err err = {0};
    struct sources all;
    const struct source *source = NULL;
    if (session_open(&s, args, &err) < 0)
        return session_fail(&s, &err, NULL);
    sources_find(&s, &all);
    const struct fleets_run *fleet = find(&s, &all, &source, &err);
    if (!fleet)
        return session_fail(&s, &err, "dayfly list");
    read_slots(&s, fleet->run.ptr, &slots);
    if (args_flag(args, "json"))
        print_json(fleet, &slots);
    else
        print_people(fleet, &slots);
    return all.failed ? EXIT_DEGRADED : EXIT_OK;
}

const struct cmd cmd_nodes = {
    .name = "nodes",
    .summary = "one line per instance of a fleet",
    .operands = "[FLEET]",
    .operands_max = 1,
    .group = CMD_FLEET,
    .examples = (const char *const[]){"dayfly nodes shop-http",
                                      "dayfly nodes --json | jq -r '.nodes[].private_ip'", NULL},
    .run = run,
};
