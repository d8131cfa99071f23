#include "node/collect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"

#define COLLECT_CHUNK_BYTES (128 * 1024)
#define COLLECT_TURN_CHUNKS 4 /* before the rest of the agent has its turn */
#define COLLECT_PATH_MAX 2048

static void collect_closedirp(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}

static void collect_add(struct collect_paths *into, const char *path) {
    if (into->count == into->max) {
        into->cut = true;
        return;
    }
    if (into->count == into->capacity) {
        into->capacity = MAX(into->capacity * 2, (size_t)64);
        into->paths = mem_resize(into->paths, into->capacity * sizeof *into->paths);
    }
    into->paths[into->count++] = str_dup(str_from(path));
}

/* Walks by descriptors and follows no link on the way.  `prefix` is the path so far, `rest` the
 * parts of the glob still to match; none left: everything beneath. */
static void collect_walk(struct collect_paths *into, int own_dir_fd, const char *prefix,
                         struct str rest, unsigned depth) {
    CLEANUP(collect_closedirp) DIR *dir = fdopendir(own_dir_fd);
    struct str part = STR("*"), below = rest;
    if (dir == NULL || depth > COLLECT_DEPTH_MAX) {
        if (dir == NULL)
            close(own_dir_fd);
        return;
    }
    while (below.len > 0 && below.ptr[0] == '/')
        below = str_skip(below, 1);
    bool everything = below.len == 0;
    if (!everything) {
        size_t slash = str_index_of(below, '/');
        part = str_slice(below, 0, slash);
        below = str_skip(below, MIN(slash + 1, below.len));
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char path[COLLECT_PATH_MAX];
        struct stat status;
        struct str name = str_from(entry->d_name);
        if (++into->visits > COLLECT_VISITS_MAX) {
            into->cut = true;
            return;
        }
        if (str_equal(name, STR(".")) || str_equal(name, STR("..")) || !str_match(name, part) ||
            (name.ptr[0] == '.' && !everything && part.ptr[0] != '.') ||
            fstatat(dirfd(dir), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        int length =
            snprintf(path, sizeof path, "%s%s%s", prefix, prefix[0] != 0 ? "/" : "", entry->d_name);
        if (length < 0 || (size_t)length >= sizeof path)
            continue;
        if (S_ISDIR(status.st_mode)) {
            int fd =
                openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (fd >= 0)
                collect_walk(into, fd, path, below, depth + 1);
        } else if (below.len == 0) {
            collect_add(into, path);
        }
    }
}

void collect_find(struct collect_paths *into, const char *root, struct str glob) {
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0)
        collect_walk(into, fd, "", glob, 0);
}

static int collect_compare(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void collect_sort(struct collect_paths *paths) {
    size_t kept = 0;
    if (paths->count > 0)
        qsort(paths->paths, paths->count, sizeof *paths->paths, collect_compare);
    for (size_t i = 0; i < paths->count; i++) {
        if (kept > 0 && strcmp(paths->paths[i], paths->paths[kept - 1]) == 0)
            mem_free(paths->paths[i]);
        else
            paths->paths[kept++] = paths->paths[i];
    }
    paths->count = kept;
}

void collect_paths_deinit(struct collect_paths *paths) {
    for (size_t i = 0; i < paths->count; i++)
        mem_free(paths->paths[i]);
    mem_free(paths->paths);
    *paths = (struct collect_paths){0};
}

struct collect_job {
    struct collect_job *next;
    uint32_t number;
    uint64_t file_bytes_max, total_left;
    uint32_t files_max;
    char dir[1024];
    struct collect_paths relative, absolute;
    size_t at; /* in relative, then in absolute */
    int fd;    /* of the file being sent, or -1 */
    uint32_t files;
    uint64_t size, offset; /* of that file */
    uint64_t total;
    EVP_MD_CTX *digest;
    struct str skipped[WIRE_SKIPPED_MAX]; /* owned texts */
    size_t skipped_count;
};

struct collects {
    struct agent *agent;
    struct collect_job *first; /* one at a time, in the order asked */
    struct loop_timer *pump;
};

static void collect_job_free(struct collect_job *own_job) {
    collect_paths_deinit(&own_job->relative);
    collect_paths_deinit(&own_job->absolute);
    file_closep(&own_job->fd);
    EVP_MD_CTX_free(own_job->digest);
    for (size_t i = 0; i < own_job->skipped_count; i++)
        mem_free((void *)(uintptr_t)own_job->skipped[i].ptr);
    mem_free(own_job);
}

static void collect_skip(struct collect_job *job, const char *path, const char *why) {
    CLEANUP(buf_deinit) struct buf text = BUF_INIT(WIRE_TEXT_BYTES_MAX * 2);
    CLEANUP(buf_deinit) struct buf line = BUF_INIT(WIRE_TEXT_BYTES_MAX);
    if (job->skipped_count == ARRAY_LEN(job->skipped))
        return;
    buf_printf(&text, "%s: %s", path, why);
    struct str fit = parts_line(&line, buf_str(&text));
    job->skipped[job->skipped_count++] = (struct str){str_dup(fit), fit.len};
}

/* A name that the head can use as it is: the wire allows no control characters. */
static bool collect_path_is_fine(const char *path) {
    for (const char *c = path; *c != 0; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return true;
}

/* Open the next file and announce it; false: this one is skipped. */
static bool collect_open(struct collects *c, struct collect_job *job) {
    bool relative = job->at < job->relative.count;
    const char *path = relative ? job->relative.paths[job->at]
                                : job->absolute.paths[job->at - job->relative.count];
    struct err why = {0};
    struct stat status;
    CLEANUP(file_closep)
    int root = open(relative ? job->dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    job->at++;
    if (!collect_path_is_fine(path)) {
        collect_skip(job, path, "its name has control characters");
        return false;
    }
    if (root < 0 || file_open_regular(root, path, &job->fd, &job->size, &why) < 0) {
        collect_skip(job, path, root < 0 ? "its directory is gone" : why.text);
        return false;
    }
    must(fstat(job->fd, &status) == 0);
    uint64_t most = MIN(job->file_bytes_max, job->total_left);
    if (most == 0 && job->size > 0) {
        collect_skip(job, path, "over the limit of the whole collection");
        file_closep(&job->fd);
        return false;
    }
    struct wire_message message = {.type = WIRE_FILE,
                                   .file = {.collect = job->number,
                                            .file = ++job->files,
                                            .path = str_from(path),
                                            .size_bytes = MIN(job->size, most),
                                            .mode = status.st_mode & 07777,
                                            .cut = job->size > most}};
    job->size = message.file.size_bytes;
    job->offset = 0;
    must(EVP_DigestInit_ex(job->digest, EVP_sha256(), NULL) == 1);
    agent_result(c->agent, &message);
    return true;
}

/* The next chunk of the open file.  A file that has become shorter ends where it ends. */
static void collect_send_chunk(struct collects *c, struct collect_job *job) {
    char block[COLLECT_CHUNK_BYTES];
    uint8_t hash[FILE_SHA256_SIZE];
    uint64_t want = MIN(job->size - job->offset, (uint64_t)sizeof block);
    ssize_t got = pread(job->fd, block, (size_t)want, (off_t)job->offset);
    size_t size = got > 0 ? (size_t)got : 0;
    bool last = job->offset + size == job->size || size == 0;
    struct wire_message message = {.type = WIRE_FILE_CHUNK,
                                   .file_chunk = {.collect = job->number,
                                                  .file = job->files,
                                                  .offset = job->offset,
                                                  .bytes = {block, size},
                                                  .last = last}};
    must(EVP_DigestUpdate(job->digest, block, size) == 1);
    if (last) {
        must(EVP_DigestFinal_ex(job->digest, hash, NULL) == 1);
        message.file_chunk.sha256 = (struct str){(const char *)hash, sizeof hash};
        file_closep(&job->fd);
    }
    job->offset += size;
    job->total += size;
    job->total_left -= MIN(size, job->total_left);
    agent_result(c->agent, &message);
}

static void collect_finish(struct collects *c, struct collect_job *job) {
    bool left = job->at < job->relative.count + job->absolute.count;
    if (left || job->relative.cut || job->absolute.cut)
        collect_skip(job, "...", "more files match than may be sent");
    struct wire_message message = {.type = WIRE_COLLECT_DONE,
                                   .collect_done = {.collect = job->number,
                                                    .files = job->files,
                                                    .total_bytes = job->total,
                                                    .skipped = job->skipped,
                                                    .skipped_count = job->skipped_count}};
    agent_result(c->agent, &message);
    c->first = job->next;
    collect_job_free(job);
}

static void collect_on_pump(void *arg) {
    struct collects *c = arg;
    for (int i = 0; i < COLLECT_TURN_CHUNKS && c->first != NULL; i++) {
        struct collect_job *job = c->first;
        if (!agent_has_room(c->agent))
            return; /* collects_go_on comes */
        if (job->fd >= 0)
            collect_send_chunk(c, job);
        else if (job->at < job->relative.count + job->absolute.count && job->files < job->files_max)
            ignore(!collect_open(c, job)); /* a skipped one is noted */
        else
            collect_finish(c, job);
    }
    if (c->first != NULL)
        loop_timer_after(c->pump, 0);
}

struct collects *collects_new(struct agent *agent) {
    struct collects *c = mem_new(sizeof *c);
    c->agent = agent;
    c->pump = loop_timer_new(agent_loop(agent), collect_on_pump, c);
    return c;
}

void collects_start(struct collects *collects, const struct wire_collect *order, const char *dir) {
    struct collect_job *job = mem_new(sizeof *job);
    job->number = order->collect;
    job->fd = -1;
    job->file_bytes_max = order->file_bytes_max;
    job->total_left = order->total_bytes_max;
    job->relative.max = job->absolute.max = job->files_max = order->files_max;
    job->digest = EVP_MD_CTX_new();
    must(job->digest != NULL);
    must(str_copy(job->dir, sizeof job->dir, str_from(dir)));
    for (size_t i = 0; i < order->globs_count; i++) {
        struct str glob = order->globs[i];
        if (str_starts_with(glob, STR("/")))
            collect_find(&job->absolute, "/", glob);
        else
            collect_find(&job->relative, dir, glob);
    }
    collect_sort(&job->relative);
    collect_sort(&job->absolute);
    struct collect_job **last = &collects->first;
    while (*last != NULL)
        last = &(*last)->next;
    *last = job;
    loop_timer_after(collects->pump, 0);
}

void collects_go_on(struct collects *collects) {
    if (collects->first != NULL)
        loop_timer_after(collects->pump, 0);
}

void collects_free(struct collects *own_collects) {
    if (own_collects == NULL)
        return;
    while (own_collects->first != NULL) {
        struct collect_job *next = own_collects->first->next;
        collect_job_free(own_collects->first);
        own_collects->first = next;
    }
    loop_timer_free(own_collects->pump);
    mem_free(own_collects);
}
