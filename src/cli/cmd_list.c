#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/json_print.h"
#include "cli/sources.h"
#include "base/units.h"
#include "base/when.h"
#include "os/clock.h"

static uint64_t hourly(const struct fleets_run *run) {
    uint64_t sum = 0;
    for (size_t i = 0; i < run->node_count; i++)
        sum += run->nodes[i].usd_micro_per_hour;
    return sum;
}

static void add_since(struct buf *b, int64_t from_ms, int64_t to_ms) {
    if (from_ms && to_ms > from_ms)
        units_add_clock(b, (uint64_t)(to_ms - from_ms) * NS_PER_MS);
    else
        buf_add_text(b, "-");
}

static void add_row(struct buf *out, const struct source *source, const struct fleets_run *run) {
    CLEANUP(buf_deinit) struct buf age = BUF_INIT(40), left = BUF_INIT(40), price = BUF_INIT(40);
    int64_t now = clock_wall_unix_ms();
    add_since(&age, run->first_launch_unix_ms, now);
    add_since(&left, now, run->deadline_unix_ms);
    units_add_money(&price, hourly(run));
    buf_printf(out, "%-14.*s %-6.*s %-16s %5zu %7s %8s %7s  %.*s\n", STR_ARG(run->name),
               STR_ARG(run->run), source->name, run->node_count, buf_text(&age), buf_text(&left),
               buf_text(&price), STR_ARG(run->owner));
}

static json_t *run_json(const struct source *source, const struct fleets_run *run) {
    CLEANUP(buf_deinit) struct buf deadline = BUF_INIT(64);
    when_add_rfc3339(&deadline, run->deadline_unix_ms);
    return json_pack("{s:o, s:o, s:s, s:i, s:o, s:s, s:f}", "name", json_text(run->name), "run",
                     json_text(run->run), "where", source->name, "nodes", (int)run->node_count,
                     "owner", json_text(run->owner), "deadline_at", buf_text(&deadline),
                     "usd_per_hour_max", (double)hourly(run) / 1e6);
}

static void print_json(const struct sources *all) {
    json_t *list = json_array();
    for (size_t i = 0; i < all->count; i++)
        for (size_t k = 0; k < all->items[i].fleets.run_count; k++)
            json_array_append_new(list, run_json(&all->items[i], &all->items[i].fleets.runs[k]));
    json_t *root = json_pack("{s:s, s:b, s:o}", "schema", "dayfly.list/1", "complete",
                             all->failed == 0, "fleets", list);
    json_print(root);
}

static int run(const struct args *args) {
    CLEANUP(session_close) struct session s = {0};
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1 * MIB);
    struct err err = {0};
    struct sources all;
    if (session_open(&s, args, &err) < 0)
        return session_fail(&s, &err, NULL);
    sources_find(&s, &all);
    if (args_flag(args, "json")) {
        print_json(&all);
        return all.failed ? EXIT_DEGRADED : EXIT_OK;
    }
    buf_printf(&out, "%-14s %-6s %-16s %5s %7s %8s %7s  %s\n", "NAME", "RUN", "WHERE", "NODES",
               "AGE", "TTL LEFT", "$/H MAX", "OWNER");
    size_t count = 0;
    for (size_t i = 0; i < all.count; i++)
        for (size_t k = 0; k < all.items[i].fleets.run_count; k++, count++)
            add_row(&out, &all.items[i], &all.items[i].fleets.runs[k]);
    if (count == 0) {
        buf_reset(&out);
        buf_add_text(&out,
                     all.failed ? "nothing is up where it could be asked\n" : "nothing is up\n");
    }
    cli_print(buf_str(&out));
    return all.failed ? EXIT_DEGRADED : EXIT_OK;
}

const struct cmd cmd_list = {
    .name = "list",
    .summary = "fleets that are up: owner, nodes, age, ttl left, price",
    .group = CMD_FLEET,
    .examples = (const char *const[]){"dayfly list", "dayfly list --json", NULL},
    .details = "Asks the account's region and every rehearsal cloud of this machine, by tags.\n"
               "Exit 11: some place could not be asked.",
    .run = run,
};
