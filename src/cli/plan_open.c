#include "cli/plan_open.h"
#include "cli/exits.h"
#include "cli/screen.h"
#include "os/file.h"
#include "plan/doc_writer.h"

#include <inttypes.h>

static const char *read_env(void *context, const char *name) {
    (void)context;
    return getenv(name);
}

static int read_file(void *context, struct arena *arena, struct str path, struct str *ret_text,
                     struct err *err) {
    const struct plan_open *opened = context;
    bool absolute = str_starts_with(path, STR("/"));
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(256 * KIB);
    const char *full = absolute ? arena_text(arena, path)
                                : arena_printf(arena, "%s/%.*s", opened->folder, STR_ARG(path));
    TRY(file_read(full, &text, err));
    *ret_text = arena_str(arena, buf_str(&text));
    return 0;
}

void plan_open_init(struct plan_open *opened) {
    memset(opened, 0, sizeof *opened);
    arena_init(&opened->arena, 0);
    buf_init(&opened->text, PLAN_BYTES_MAX);
}

void plan_open_set(struct plan_open *opened, struct str set) {
    must(opened->set_count < PLAN_SETS_MAX);
    opened->sets[opened->set_count++] = arena_str(&opened->arena, set);
}

void plan_open_deinit(struct plan_open *opened) {
    arena_deinit(&opened->arena);
    buf_deinit(&opened->text);
    opened->plan = NULL;
}

static void add_json_errors(struct buf *out, const struct plan_errors *errors) {
    struct doc_writer w;
    doc_init(&w, out, true);
    doc_map(&w, NULL);
    doc_text(&w, "schema", STR("dayfly.validate/1"));
    doc_text(&w, "file", errors->file);
    doc_raw(&w, "ok", STR("false"));
    doc_list(&w, "errors");
    for (uint32_t i = 0; i < errors->count; i++) {
        const struct plan_error *error = &errors->items[i];
        char line[16], column[16];
        doc_map(&w, NULL);
        snprintf(line, sizeof line, "%" PRId32, MAX(error->place.line, 0));
        snprintf(column, sizeof column, "%" PRId32, MAX(error->place.column, 0));
        doc_raw(&w, "line", str_from(line));
        doc_raw(&w, "column", str_from(column));
        doc_text(&w, "message", error->message);
        if (error->hint.len)
            doc_text(&w, "hint", error->hint);
        if (error->place.line < 0)
            doc_text(&w, "set", errors->sets[-error->place.line - 1]);
        doc_end(&w);
    }
    doc_end(&w);
    doc_end(&w);
}

static void show_errors(const struct plan_open *opened, const struct args *args) {
    const struct plan_errors *errors = &opened->errors;
    CLEANUP(buf_deinit) struct buf out = BUF_INIT(1 * MIB);
    if (args_flag(args, "json")) {
        add_json_errors(&out, errors);
        cli_print(buf_str(&out));
        return;
    }
    bool utf8 = !args_flag(args, "ascii") && !screen_needs_ascii();
    for (uint32_t i = 0; i < errors->count; i++) {
        if (i)
            buf_add_byte(&out, '\n');
        plan_error_add_block(&out, errors, i, utf8);
    }
    uint32_t total = errors->count + errors->dropped;
    buf_printf(&out, "\n%" PRIu32 " error%s in %.*s", total, total == 1 ? "" : "s",
               STR_ARG(errors->file));
    if (errors->dropped)
        buf_printf(&out, " (the first %d shown)", PLAN_ERRORS_MAX);
    buf_add_text(&out, "; nothing was started\n");
    fputs(buf_text(&out), stderr);
}

static const char *folder_of(struct arena *arena, const char *path) {
    const char *slash = strrchr(path, '/');
    if (!slash)
        return ".";
    return arena_text(arena, (struct str){path, (size_t)(slash - path) + (slash == path)});
}

int plan_open(struct plan_open *opened, const struct args *args, const char *path) {
    struct err err = {0};
    must(opened->text.max > 0);
    opened->folder = folder_of(&opened->arena, path);
    if (file_read(path, &opened->text, &err) < 0) {
        cli_error(&err, err.code == ERR_LIMIT ? "a plan has at most 1 MiB" : NULL);
        return err.code == ERR_LIMIT ? EXIT_CONFIG : EXIT_USAGE;
    }
    for (unsigned i = 0; args_list(args, "set", i); i++) {
        if (opened->set_count == PLAN_SETS_MAX) {
            ignore(err_set(&err, ERR_USAGE, "more than %d --set", PLAN_SETS_MAX));
            cli_error(&err, NULL);
            return EXIT_USAGE;
        }
        plan_open_set(opened, str_from(args_list(args, "set", i)));
    }
    struct plan_load_options options = {
        .file = str_from(path),
        .text = buf_str(&opened->text),
        .sets = opened->sets,
        .set_count = opened->set_count,
        .env = read_env,
        .read_file = read_file,
        .context = opened,
    };
    if (plan_load(&options, &opened->arena, &opened->plan, &opened->errors, &err) == 0)
        return EXIT_OK;
    show_errors(opened, args);
    return EXIT_CONFIG;
}
