#include "emu/endpoint.h"

#include "os/clock.h"
#include "os/file.h"
#include "os/random.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDPOINT_BYTES_MAX (16 * KIB)
#define FOLDERS_SEEN_MAX 1000
#define NEW_PREFIX ".new-"
#define FRESH_S 60 /* a folder without its name is locked within that */
#define REMOVE_TRIES 10
#define REMOVE_AGAIN_NS (20 * NS_PER_MS)

static void json_freep(json_t **json) {
    json_decref(*json);
}

int endpoint_state_dir(struct buf *out, struct err *err) {
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state && state[0] == '/')
        buf_printf(out, "%s/dayfly/clouds", state);
    else if (home && home[0] == '/')
        buf_printf(out, "%s/.local/state/dayfly/clouds", home);
    else
        return err_set(err, ERR_NOT_FOUND, "neither XDG_STATE_HOME nor HOME is set");
    return 0;
}

/* ---- the folder ----------------------------------------------------------------------------- */

static int lock_folder(const char *folder, int flags) {
    char path[600];
    snprintf(path, sizeof path, "%s/lock", folder);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    close(fd);
    return -1;
}

/* A world that ends may still write while we remove: tried again, here, at our end, and at the
 * next start, for which the lock is put back. */
static void remove_locked(const char *folder) {
    for (unsigned i = 0; i < REMOVE_TRIES; i++) {
        if (file_remove_tree(folder, NULL) == 0)
            return;
        clock_sleep_until_ns(clock_monotonic_ns() + REMOVE_AGAIN_NS);
    }
    int fd = lock_folder(folder, O_CREAT);
    file_closep(&fd);
}

/* A folder is seen under its own name only once it is locked: a free lock is a dead cloud. */
static void remove_if_dead(const char *folder) {
    int fd = lock_folder(folder, 0);
    if (fd < 0)
        return;
    remove_locked(folder);
    close(fd);
}

/* Killed before it had its name: nothing shows that but its age. */
static void remove_if_old(const char *folder) {
    struct stat info;
    if (lstat(folder, &info) == 0 && S_ISDIR(info.st_mode) &&
        info.st_mtime + FRESH_S < clock_wall_unix_ms() / 1000)
        ignore(file_remove_tree(folder, NULL)); /* tried again at the next start */
}

static void remove_dead_folders(const char *state_dir) {
    DIR *dir = opendir(state_dir);
    const struct dirent *entry;
    unsigned seen = 0;
    while (dir && seen++ < FOLDERS_SEEN_MAX && (entry = readdir(dir))) {
        char folder[512];
        int length = snprintf(folder, sizeof folder, "%s/%s", state_dir, entry->d_name);
        if (length < 0 || (size_t)length >= sizeof folder)
            continue;
        if (str_starts_with(str_from(entry->d_name), STR(NEW_PREFIX)))
            remove_if_old(folder);
        else if (entry->d_name[0] != '.')
            remove_if_dead(folder);
    }
    if (dir)
        closedir(dir);
}

/* Made and locked under a name that nobody looks at, then moved into place. */
static int make_locked(const char *state_dir, struct endpoint_folder *f, struct err *err) {
    char making[512];
    if ((size_t)snprintf(f->path, sizeof f->path, "%s/%s", state_dir, f->id) >= 400)
        return err_set(err, ERR_LIMIT, "name of the state folder is too long: %s", state_dir);
    snprintf(making, sizeof making, "%.400s/" NEW_PREFIX "%s", state_dir, f->id);
    TRY(file_make_dirs(making, 0700, err));
    f->lock_fd = lock_folder(making, O_CREAT);
    if (f->lock_fd >= 0 && rename(making, f->path) == 0)
        return 0;
    int result = err_set_errno(err, ERR_IO, errno, "cannot lock %s", making);
    ignore(file_remove_tree(making, NULL)); /* by its age at a later start */
    file_closep(&f->lock_fd);
    return result;
}

int endpoint_folder_open(const char *state_dir, struct endpoint_folder *ret, struct err *err) {
    struct endpoint_folder f = {.lock_fd = -1};
    remove_dead_folders(state_dir);
    random_id(f.id, 7);
    char absolute[400];
    if (state_dir[0] != '/') {
        TRY(file_make_dirs(state_dir, 0700, err));
        char *resolved = realpath(state_dir, NULL);
        bool fits = resolved && str_copy(absolute, sizeof absolute, str_from(resolved));
        free(resolved);
        if (!fits)
            return err_set(err, ERR_IO, "cannot use the folder %s", state_dir);
        state_dir = absolute;
    }
    TRY(make_locked(state_dir, &f, err));
    *ret = f;
    return 0;
}

void endpoint_folder_close(struct endpoint_folder *f) {
    if (f->path[0] != '\0')
        remove_locked(f->path);
    file_closep(&f->lock_fd);
    char *slash = strrchr(f->path, '/');
    if (!slash)
        return;
    *slash = '\0'; /* what could not be removed when we started */
    remove_dead_folders(f->path);
}

/* ---- the file ------------------------------------------------------------------------------- */

int endpoint_write(const struct emu_endpoint *e, struct err *err) {
    CLEANUP(json_freep)
    json_t *root = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i}", "schema", "dayfly.endpoint/1",
                             "id", e->id, "url", e->url, "access_key_id", e->access_key_id,
                             "secret_access_key", e->secret_access_key, "region", e->region,
                             "token", e->token, "gateway", e->gateway, "pid", e->pid);
    must(root);
    char *text = json_dumps(root, JSON_INDENT(2));
    must(text);
    int result = file_write(e->path, str_from(text), 0600, err);
    free(text);
    return result;
}

static bool take_text(const json_t *root, const char *key, char *into, size_t size) {
    const char *text = json_string_value(json_object_get(root, key));
    return text && str_copy(into, size, str_from(text));
}

int emu_endpoint_read(const char *path, struct emu_endpoint *ret, struct err *err) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(ENDPOINT_BYTES_MAX);
    TRY(file_read(path, &text, err));
    CLEANUP(json_freep)
    json_t *root = json_loadb(buf_text(&text), text.len, JSON_REJECT_DUPLICATES, NULL);
    struct emu_endpoint e = {0};
    const json_t *pid = json_object_get(root, "pid");
    bool whole =
        json_is_integer(pid) && take_text(root, "id", e.id, sizeof e.id) &&
        take_text(root, "url", e.url, sizeof e.url) &&
        take_text(root, "access_key_id", e.access_key_id, sizeof e.access_key_id) &&
        take_text(root, "secret_access_key", e.secret_access_key, sizeof e.secret_access_key) &&
        take_text(root, "region", e.region, sizeof e.region) &&
        take_text(root, "token", e.token, sizeof e.token) &&
        take_text(root, "gateway", e.gateway, sizeof e.gateway);
    if (!whole || !str_copy(e.path, sizeof e.path, str_from(path)))
        return err_set(err, ERR_PARSE, "%s is not an endpoint file", path);
    e.pid = (int)json_integer_value(pid);
    if (e.pid <= 1)
        return err_set(err, ERR_PARSE, "%s names no process", path);
    *ret = e;
    return 0;
}

/* The folder's lock; ERR_NOT_FOUND: there is none. */
int endpoint_lock_held(const struct emu_endpoint *e, bool *ret_held, struct err *err) {
    char path[600];
    size_t folder = strlen(e->path);
    while (folder > 0 && e->path[folder - 1] != '/')
        folder--;
    snprintf(path, sizeof path, "%.*slock", (int)folder, e->path);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_ACCESS, errno, "%s", path);
    *ret_held = flock(fd, LOCK_SH | LOCK_NB) != 0; /* shared: two who look do not see each other */
    close(fd);
    return 0;
}

bool emu_endpoint_lives(const struct emu_endpoint *endpoint) {
    bool held = false;
    if (endpoint_lock_held(endpoint, &held, NULL) == 0)
        return held;
    return file_exists(endpoint->path) && (kill(endpoint->pid, 0) == 0 || errno == EPERM);
}
