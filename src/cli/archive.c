#include "cli/archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/table.h"
#include "base/when.h"
#include "os/file.h"

#define RESULT_BYTES_MAX (64 * MIB)
#define INDEX_BYTES_MAX (4 * MIB)
#define ENTRIES_MAX 10000
#define SCHEMA_PREFIX "dayfly.result/1"

static const char *text_of(const json_t *object, const char *key) {
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static int64_t integer_of(const json_t *object, const char *key) {
    return (int64_t)json_integer_value(json_object_get(object, key));
}

static uint64_t count_of(const json_t *object, const char *key) {
    int64_t value = integer_of(object, key);
    return value > 0 ? (uint64_t)value : 0;
}

/* Latency of the phase that says most about the run. */
static void read_phases(struct archive_entry *entry, const json_t *phases) {
    size_t i;
    const json_t *phase;
    json_array_foreach(phases, i, phase) {
        if (!json_is_true(json_object_get(phase, "counts")))
            continue;
        entry->errors += count_of(phase, "errors");
        const json_t *latency = json_object_get(phase, "latency");
        uint64_t answers = count_of(phase, "done");
        if (!json_is_object(latency) || answers <= entry->answers)
            continue;
        entry->has_latency = true;
        entry->answers = answers;
        entry->p50_us = count_of(latency, "p50_us");
        entry->p99_us = count_of(latency, "p99_us");
        entry->p999_us = count_of(latency, "p99_9_us");
    }
}

static void read_result(struct archive_entry *entry, const json_t *result) {
    entry->run = str_dup(str_from(text_of(result, "run")));
    entry->name = str_dup(str_from(text_of(result, "name")));
    entry->verdict = str_dup(str_from(text_of(result, "verdict")));
    entry->exit_code = integer_of(result, "exit_code");
    entry->duration_ms = count_of(result, "duration_ms");
    entry->nodes = count_of(result, "nodes_wanted");
    entry->rehearsal = json_is_false(json_object_get(result, "real"));
    entry->cost_usd_micro =
        (int64_t)(json_number_value(json_object_get(result, "cost_usd")) * 1e6 + 0.5);
    if (when_parse(str_from(text_of(result, "started_at")), &entry->started_unix_ms, NULL) < 0)
        entry->started_unix_ms = 0;
    read_phases(entry, json_object_get(result, "phases"));
}

static json_t *load(const char *dir) {
    char path[PATH_MAX];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(RESULT_BYTES_MAX);
    if (snprintf(path, sizeof path, "%s/result.json", dir) >= (int)sizeof path ||
        file_read(path, &text, NULL) < 0)
        return NULL;
    json_t *result = json_loadb(buf_text(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
    if (!json_is_object(result) ||
        !str_starts_with(str_from(text_of(result, "schema")), STR(SCHEMA_PREFIX))) {
        json_decref(result);
        return NULL;
    }
    return result;
}

static void add_dir(struct archive *a, struct table *seen, const char *dir) {
    char real[PATH_MAX];
    if (!realpath(dir, real) || a->count >= ENTRIES_MAX || table_find(seen, str_from(real)))
        return;
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/result.json", dir) >= (int)sizeof path ||
        !file_exists(path))
        return;
    table_set(seen, str_from(real), a);
    json_t *result = load(dir);
    if (!result) {
        a->broken++;
        return;
    }
    a->entries = mem_resize(a->entries, (a->count + 1) * sizeof *a->entries);
    struct archive_entry *entry = &a->entries[a->count++];
    *entry = (struct archive_entry){.dir = str_dup(str_from(dir))};
    read_result(entry, result);
    json_decref(result);
}

static void scan_dir(struct archive *a, struct table *seen, const char *results_dir) {
    DIR *dir = opendir(results_dir);
    if (!dir)
        return;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[PATH_MAX];
        if (entry->d_name[0] != '.' &&
            snprintf(path, sizeof path, "%s/%s", results_dir, entry->d_name) < (int)sizeof path)
            add_dir(a, seen, path);
    }
    closedir(dir);
}

static void scan_index(struct archive *a, struct table *seen, const char *index_path) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(INDEX_BYTES_MAX);
    if (file_read(index_path, &text, NULL) < 0)
        return;
    struct str rest = buf_str(&text);
    struct str line;
    while (str_line(&rest, &line)) {
        char path[PATH_MAX];
        if (line.len && line.ptr[0] == '/' && str_copy(path, sizeof path, line))
            add_dir(a, seen, path);
    }
}

static int compare(const void *left, const void *right) {
    const struct archive_entry *a = left;
    const struct archive_entry *b = right;
    if (a->started_unix_ms != b->started_unix_ms)
        return a->started_unix_ms < b->started_unix_ms ? 1 : -1;
    return strcmp(a->dir, b->dir);
}

void archive_init(struct archive *a, const char *results_dir, const char *index_path) {
    *a = (struct archive){0};
    struct table seen;
    table_init(&seen);
    scan_dir(a, &seen, results_dir);
    if (index_path)
        scan_index(a, &seen, index_path);
    table_deinit(&seen);
    if (a->count)
        qsort(a->entries, a->count, sizeof *a->entries, compare);
}

void archive_deinit(struct archive *a) {
    for (size_t i = 0; i < a->count; i++) {
        mem_free(a->entries[i].dir);
        mem_free(a->entries[i].run);
        mem_free(a->entries[i].name);
        mem_free(a->entries[i].verdict);
    }
    mem_free(a->entries);
    *a = (struct archive){0};
}

static bool is_named(const struct archive_entry *entry, const char *what) {
    char full[PATH_MAX];
    snprintf(full, sizeof full, "%s-%s", entry->name, entry->run);
    if (strcmp(entry->run, what) == 0 || strcmp(full, what) == 0 || strcmp(entry->dir, what) == 0)
        return true;
    char left[PATH_MAX];
    char right[PATH_MAX];
    return realpath(entry->dir, left) && realpath(what, right) && strcmp(left, right) == 0;
}

const struct archive_entry *archive_find(const struct archive *a, const char *what) {
    if (strcmp(what, "last") == 0)
        return a->count ? &a->entries[0] : NULL;
    for (size_t i = 0; i < a->count; i++)
        if (is_named(&a->entries[i], what))
            return &a->entries[i];
    return NULL;
}

bool archive_index_path(char *into, size_t size) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    int length = -1;
    if (state && state[0] == '/')
        length = snprintf(into, size, "%s/dayfly/results.index", state);
    else if (home && home[0] == '/')
        length = snprintf(into, size, "%s/.local/state/dayfly/results.index", home);
    return length > 0 && (size_t)length < size;
}

int archive_remember(const char *index_path, const char *results_dir, struct err *err) {
    char real[PATH_MAX];
    char folder[PATH_MAX];
    if (!realpath(results_dir, real))
        return err_set(err, ERR_IO, "no folder %s", results_dir);
    struct str path = str_from(index_path);
    size_t slash = path.len;
    while (slash > 0 && path.ptr[slash - 1] != '/')
        slash--;
    if (slash > 1 && str_copy(folder, sizeof folder, str_slice(path, 0, slash - 1)))
        TRY(file_make_dirs(folder, 0700, err));
    int fd = open(index_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set_errno(err, ERR_IO, errno, "cannot open %s", index_path);
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(2 * PATH_MAX);
    buf_printf(&line, "%s\n", real);
    ssize_t written = write(fd, line.ptr, line.len); /* one write: appends do not mix */
    int errno_value = errno;
    close(fd);
    if (written != (ssize_t)line.len)
        return err_set_errno(err, ERR_IO, errno_value, "cannot write %s", index_path);
    return 0;
}
