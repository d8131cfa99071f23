#include <inttypes.h>
#include <limits.h>
#include <spawn.h>
#include <unistd.h>

#include "base/when.h"
#include "cli/archive.h"
#include "cli/cmds.h"
#include "cli/exits.h"
#include "cli/screen.h"
#include "cli/summary_print.h"
#include "os/file.h"
#include "report/jsonw.h"
#include "report/say.h"
#include "report/width.h"

#define RESULTS_DIR "results"
#define OUT_BYTES_MAX (64 * MIB)

static const struct opt OPTS[] = {
    {.name = "out",
     .letter = 'o',
     .kind = OPT_TEXT,
     .value = "DIR",
     .help = "where results are (default ./results)"},
    {.name = "last", .kind = OPT_COUNT, .value = "N", .help = "list only the newest N"},
    {0},
};

extern char **environ;

/* --- list --- */

static void add_json_entry(struct jsonw *j, const struct archive_entry *e) {
    jsonw_open(j, NULL, '{');
    jsonw_text(j, "run", e->run);
    jsonw_text(j, "name", e->name);
    jsonw_text(j, "verdict", e->verdict);
    jsonw_int(j, "exit_code", e->exit_code);
    jsonw_bool(j, "real", !e->rehearsal);
    jsonw_instant(j, "started_at", e->started_unix_ms);
    jsonw_uint(j, "duration_ms", e->duration_ms);
    jsonw_uint(j, "nodes", e->nodes);
    if (e->has_latency) {
        jsonw_uint(j, "answers", e->answers);
        jsonw_uint(j, "errors", e->errors);
        jsonw_uint(j, "p50_us", e->p50_us);
        jsonw_uint(j, "p99_us", e->p99_us);
        jsonw_uint(j, "p99_9_us", e->p999_us);
    }
    jsonw_micro(j, "cost_usd", e->cost_usd_micro);
    jsonw_text(j, "dir", e->dir);
    jsonw_close(j);
}

static void list_json(const struct archive *a, size_t shown, struct buf *out) {
    struct jsonw j;
    jsonw_init(&j, out);
    jsonw_open_lines(&j, NULL, '{');
    jsonw_text(&j, "schema", "dayfly.results/1");
    jsonw_open_lines(&j, "results", '[');
    for (size_t i = 0; i < shown; i++)
        add_json_entry(&j, &a->entries[i]);
    jsonw_close(&j);
    jsonw_uint(&j, "unreadable", a->broken);
    jsonw_close(&j);
    buf_add_byte(out, '\n');
}

/* One cell, left-aligned in `width` columns, or right-aligned when it is negative. */
static void cell(struct buf *out, const char *text, int width, bool ascii) {
    struct buf clean = BUF_INIT(16 * KIB);
    width_add_clean(&clean, str_from(text), ascii);
    unsigned columns = (unsigned)(width < 0 ? -width : width);
    unsigned used = width_of(buf_str(&clean));
    unsigned pad = columns > used ? columns - used : 0;
    for (unsigned i = 0; width < 0 && i < pad; i++)
        buf_add_byte(out, ' ');
    buf_add_str(out, buf_str(&clean)); /* a name is not cut: it is needed to name the run */
    for (unsigned i = 0; width > 0 && i < pad; i++)
        buf_add_byte(out, ' ');
    buf_add_text(out, "  ");
    buf_deinit(&clean);
}

static void ms_cell(struct buf *out, const struct archive_entry *e, uint64_t us, int width) {
    struct buf text = BUF_INIT(64);
    if (e->has_latency)
        say_ms(&text, us * 1000);
    else
        buf_add_byte(&text, '-');
    cell(out, buf_text(&text), width, true);
    buf_deinit(&text);
}

static void add_entry(struct buf *out, const struct archive_entry *e, bool ascii) {
    struct buf text = BUF_INIT(KIB);
    cell(out, e->run, 6, ascii);
    cell(out, e->name, 14, ascii);
    cell(out, e->verdict, 7, ascii);
    buf_printf(&text, "%" PRId64, e->exit_code);
    cell(out, buf_text(&text), -4, ascii);
    buf_reset(&text);
    when_add_rfc3339(&text, e->started_unix_ms);
    cell(out, buf_text(&text), 20, ascii);
    buf_reset(&text);
    say_span(&text, e->duration_ms * NS_PER_MS);
    cell(out, buf_text(&text), -7, ascii);
    buf_reset(&text);
    buf_printf(&text, "%" PRIu64, e->nodes);
    cell(out, buf_text(&text), -5, ascii);
    ms_cell(out, e, e->p50_us, -8);
    ms_cell(out, e, e->p99_us, -8);
    buf_reset(&text);
    say_money(&text, e->cost_usd_micro);
    if (e->rehearsal)
        buf_add_text(&text, " (rehearsal)");
    cell(out, buf_text(&text), 8, ascii);
    while (out->len && out->ptr[out->len - 1] == ' ')
        out->ptr[--out->len] = 0;
    buf_add_byte(out, '\n');
    buf_deinit(&text);
}

static int list(const struct args *args, const struct archive *a) {
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(OUT_BYTES_MAX);
    bool ascii = args_flag(args, "ascii") || screen_needs_ascii();
    size_t shown = (size_t)MIN(args_count(args, "last", UINT64_MAX), (uint64_t)a->count);
    if (args_flag(args, "json")) {
        list_json(a, shown, &out);
    } else {
        if (shown && isatty(1))
            buf_add_text(&out, "RUN     NAME            VERDICT  EXIT  STARTED                  "
                               "TIME  NODES    P50 MS    P99 MS  COST\n");
        for (size_t i = 0; i < shown; i++)
            add_entry(&out, &a->entries[i], ascii);
        if (a->count == 0)
            fprintf(stderr, "no results here; dayfly rehearse examples/http.yaml makes some\n");
        if (a->broken)
            fprintf(stderr, "%zu folder(s) with a result.json that cannot be read\n", a->broken);
    }
    cli_print(buf_str(&out));
    return EXIT_OK;
}

/* --- show and open --- */

static int show(const struct args *args, const struct archive_entry *entry) {
    char path[PATH_MAX];
    struct err err = {0};
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(OUT_BYTES_MAX);
    const char *file = args_flag(args, "json") ? "result.json" : "summary.txt";
    if (snprintf(path, sizeof path, "%s/%s", entry->dir, file) >= (int)sizeof path)
        return EXIT_ERROR;
    if (file_read(path, &out, &err) < 0) {
        cli_error(&err, NULL);
        return EXIT_ERROR;
    }
    if (args_flag(args, "json"))
        cli_print(buf_str(&out));
    else
        summary_print(args, buf_str(&out));
    return EXIT_OK;
}

/* The path goes to stdout; where there is a desktop, its browser opens the page. */
static int open_report(const struct args *args, const struct archive_entry *entry) {
    char dir[PATH_MAX];
    CLEANUP(buf_deinit) struct buf path = BUF_INIT(2 * PATH_MAX);
    buf_printf(&path, "%s/report.html", realpath(entry->dir, dir) ? dir : entry->dir);
    if (!file_exists(buf_text(&path))) {
        struct err err = {0};
        ignore(err_set(&err, ERR_NOT_FOUND, "no %s", buf_text(&path)));
        cli_error(&err, NULL);
        return EXIT_ERROR;
    }
    bool desktop = getenv("DISPLAY") || getenv("WAYLAND_DISPLAY");
    if (desktop && isatty(1) && !args_flag(args, "json")) {
        char program[] = "xdg-open";
        char *argv[] = {program, path.ptr, NULL};
        pid_t pid = 0;
        if (posix_spawnp(&pid, program, NULL, NULL, argv, environ) != 0)
            fprintf(stderr, "no xdg-open here; open the file yourself\n");
    }
    if (args_flag(args, "json")) {
        CLEANUP(buf_deinit) struct buf out = BUF_INIT(64 * KIB);
        struct jsonw j;
        jsonw_init(&j, &out);
        jsonw_open(&j, NULL, '{');
        jsonw_text(&j, "schema", "dayfly.results.open/1");
        jsonw_text(&j, "report", buf_text(&path));
        jsonw_close(&j);
        buf_add_byte(&out, '\n');
        cli_print(buf_str(&out));
    } else {
        buf_add_byte(&path, '\n');
        cli_print(buf_str(&path));
    }
    return EXIT_OK;
}

/* --- the command --- */

static int usage(const char *text) {
    struct err err = {0};
    ignore(err_set(&err, ERR_USAGE, "%s", text));
    cli_error(&err, "dayfly help results");
    return EXIT_USAGE;
}

static int one(const struct args *args, const struct archive *a, const char *verb) {
    const char *what = args_operand(args, 1);
    const struct archive_entry *entry = archive_find(a, what ? what : "last");
    if (!entry) {
        struct err err = {0};
        if (what)
            ignore(err_set(&err, ERR_NOT_FOUND, "no results of a run '%s'", what));
        else
            ignore(err_set(&err, ERR_NOT_FOUND, "no results here"));
        cli_error(&err, "dayfly results list");
        return EXIT_ERROR;
    }
    return strcmp(verb, "show") == 0 ? show(args, entry) : open_report(args, entry);
}

static int run(const struct args *args) {
    const char *verb = args_operand(args, 0) ? args_operand(args, 0) : "list";
    bool lists = strcmp(verb, "list") == 0;
    if (!lists && strcmp(verb, "show") != 0 && strcmp(verb, "open") != 0)
        return usage("results takes list, show or open");
    if (lists && args_operand(args, 1))
        return usage("results list takes no run");
    char index_path[PATH_MAX];
    const char *out_dir = args_text(args, "out");
    bool indexed = !out_dir && archive_index_path(index_path, sizeof index_path);
    struct archive archive;
    archive_init(&archive, out_dir ? out_dir : RESULTS_DIR, indexed ? index_path : NULL);
    int code = lists ? list(args, &archive) : one(args, &archive, verb);
    archive_deinit(&archive);
    return code;
}

const struct cmd cmd_results = {
    .name = "results",
    .summary = "list past runs, show one again, open its report",
    .operands = "[list|show|open] [RUN]",
    .operands_max = 2,
    .group = CMD_RESULTS,
    .opts = OPTS,
    .examples =
        (const char *const[]){"dayfly results list", "dayfly results show 7k2m",
                              "dayfly results show last --json", "dayfly results open last", NULL},
    .details = "RUN is a run id, <name>-<run>, a folder, or \"last\" (the default).\n"
               "Results are looked for in ./results and in the index of runs made elsewhere.",
    .run = run,
};
