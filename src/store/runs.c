#include "store/runs.h"

#include "base/buf.h"
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUNS_ID_LETTERS 4
#define INFO_BYTES_MAX (64 * 1024)
#define RUNS_MAX 10000

int runs_state_dir(char *into, size_t size, struct err *err) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    int used;
    if (state && state[0] == '/')
        used = snprintf(into, size, "%s/dayfly", state);
    else if (home && home[0] == '/')
        used = snprintf(into, size, "%s/.local/state/dayfly", home);
    else
        return err_set(err, ERR_IO, "neither XDG_STATE_HOME nor HOME is set");
    if (used < 0 || (size_t)used >= size)
        return err_set(err, ERR_LIMIT, "the state directory's name is too long");
    return file_make_dirs(into, 0700, err);
}

/* Every field once: how it is named, where it is. */
enum field_kind { TEXT, INT, I64, U32, U64, BOOL };
#define FIELD(name, kind) \
    { #name, kind, offsetof(struct runs_info, name), sizeof(((struct runs_info *)0)->name) }
static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset, size;
} FIELDS[] = {
    FIELD(id, TEXT),
    FIELD(name, TEXT),
    FIELD(state, TEXT),
    FIELD(pid, INT),
    FIELD(region, TEXT),
    FIELD(account, TEXT),
    FIELD(profile, TEXT),
    FIELD(endpoint_url, TEXT),
    FIELD(cloud, TEXT),
    FIELD(results, TEXT),
    FIELD(verdict, TEXT),
    FIELD(exit_code, INT),
    FIELD(clean, BOOL),
    FIELD(started_unix_ms, I64),
    FIELD(ended_unix_ms, I64),
    FIELD(owner, TEXT),
    FIELD(nodes, U32),
    FIELD(usd_micro_per_hour, U64),
    FIELD(deadline_unix_ms, I64),
};

static json_t *field_to_json(const struct field *f, const struct runs_info *info) {
    const char *at = (const char *)info + f->offset;
    switch (f->kind) {
    case TEXT:
        return json_string(at);
    case INT:
        return json_integer(*(const int *)(const void *)at);
    case I64:
        return json_integer(*(const int64_t *)(const void *)at);
    case U32:
        return json_integer(*(const uint32_t *)(const void *)at);
    case U64:
        return json_integer((json_int_t) * (const uint64_t *)(const void *)at);
    case BOOL:
        return json_boolean(*(const bool *)(const void *)at);
    }
    return NULL;
}

static void field_from_json(const struct field *f, const json_t *value, struct runs_info *info) {
    char *at = (char *)info + f->offset;
    switch (f->kind) {
    case TEXT:
        if (json_is_string(value))
            ignore(!str_copy(at, f->size, str_from(json_string_value(value)))); /* cut to fit */
        return;
    case INT:
        *(int *)(void *)at = (int)json_integer_value(value);
        return;
    case I64:
        *(int64_t *)(void *)at = json_integer_value(value);
        return;
    case U32:
        *(uint32_t *)(void *)at = (uint32_t)json_integer_value(value);
        return;
    case U64:
        *(uint64_t *)(void *)at = (uint64_t)json_integer_value(value);
        return;
    case BOOL:
        *(bool *)(void *)at = json_is_true(value);
        return;
    }
}

bool runs_id_ok(struct str id) {
    if (id.len != RUNS_ID_LETTERS)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!((id.ptr[i] >= 'a' && id.ptr[i] <= 'z') || (id.ptr[i] >= '0' && id.ptr[i] <= '9')))
            return false;
    return true;
}

int runs_write(const char *dir, const struct runs_info *info, struct err *err) {
    char path[600];
    json_t *object = json_object();
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++)
        ignore(json_object_set_new(object, FIELDS[i].name, field_to_json(&FIELDS[i], info)) < 0);
    char *text = json_dumps(object, JSON_INDENT(2));
    json_decref(object);
    if (!text)
        return err_set(err, ERR_IO, "head.json cannot be written as JSON");
    snprintf(path, sizeof path, "%s/head.json", dir);
    int result = file_write(path, str_from(text), 0600, err);
    free(text);
    return result;
}

int runs_read(const char *runs_dir, const char *id, struct runs_info *ret_info, struct err *err) {
    char path[700];
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(INFO_BYTES_MAX);
    if (!runs_id_ok(str_from(id)))
        return err_set(err, ERR_NOT_FOUND, "'%s' is not the id of a run", id);
    snprintf(path, sizeof path, "%s/%s/head.json", runs_dir, id);
    TRY(file_read(path, &text, err));
    json_error_t where;
    json_t *object = json_loadb(buf_text(&text), text.len, 0, &where);
    if (!json_is_object(object)) {
        json_decref(object);
        return err_set(err, ERR_PARSE, "%s:%d: not a JSON object", path, where.line);
    }
    struct runs_info info = {0};
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++)
        field_from_json(&FIELDS[i], json_object_get(object, FIELDS[i].name), &info);
    json_decref(object);
    if (strcmp(info.id, id) != 0)
        return err_set(err, ERR_PARSE, "%s: of another run", path);
    *ret_info = info;
    return 0;
}

static int newest_first(const void *a, const void *b) {
    const struct runs_info *x = a, *y = b;
    return x->started_unix_ms > y->started_unix_ms   ? -1
           : x->started_unix_ms < y->started_unix_ms ? 1
                                                     : strcmp(x->id, y->id);
}

int runs_list(const char *runs_dir, struct runs_info **ret_infos, size_t *ret_count,
              struct err *err) {
    struct runs_info *infos = NULL;
    size_t count = 0, capacity = 0;
    DIR *dir = opendir(runs_dir);
    if (!dir && errno != ENOENT)
        return err_set_errno(err, ERR_IO, errno, "%s", runs_dir);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) && count < RUNS_MAX) {
        struct runs_info info;
        if (entry->d_name[0] == '.' || runs_read(runs_dir, entry->d_name, &info, NULL) < 0)
            continue;
        if (count == capacity) {
            capacity = MAX(capacity * 2, (size_t)16);
            infos = mem_resize(infos, capacity * sizeof *infos);
        }
        infos[count++] = info;
    }
    if (dir)
        closedir(dir);
    if (count)
        qsort(infos, count, sizeof *infos, newest_first);
    *ret_infos = infos;
    *ret_count = count;
    return 0;
}

bool runs_head_alive(const char *runs_dir, const char *id) {
    char path[700];
    if (!runs_id_ok(str_from(id)))
        return false;
    snprintf(path, sizeof path, "%s/%s/head.lock", runs_dir, id);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool held = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    close(fd);
    return held;
}
