#include "head/state.h"

#include "base/log.h"
#include "os/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define OUTPUT_BYTES_MAX (4 * MIB)           /* kept of one node's output */
#define RECEIVED_BYTES_MAX (64 * 1024 * MIB) /* kept of what all nodes send */
#define DISK_RESERVE_BYTES (256 * MIB)       /* or a twentieth of a small disk: not for nodes */
#define PATH_PARTS_MAX 8
#define PART_BYTES_MAX 100

/* A file that a node is sending.  Written under a temporary name, kept only when whole. */
struct head_file {
    uint32_t number;
    int fd;
    uint64_t size, received;
    char path[2048], temporary[2064]; /* folder of the node, phase, 8 parts of 100 bytes */
    EVP_MD_CTX *hash;
};

/* Nodes may neither fill the disk, which the journal and the report need, nor take more than a run
 * may: is there room for `bytes` of theirs? */
static bool has_room(struct head *h, uint64_t bytes) {
    struct statvfs disk;
    if (h->received_bytes + bytes > RECEIVED_BYTES_MAX)
        return false;
    if (statvfs(h->results_dir, &disk) < 0)
        return true; /* the write itself will tell */
    uint64_t all = (uint64_t)disk.f_blocks * disk.f_frsize;
    uint64_t left = (uint64_t)disk.f_bavail * disk.f_frsize;
    return left >= bytes && left - bytes >= MIN((uint64_t)DISK_RESERVE_BYTES, all / 20);
}

/* results/<run>/nodes/<role>-<i>, made when first used. */
static bool node_dir(struct head *h, uint32_t node, char *into, size_t size) {
    char name[64];
    head_node_name(h, node, name, sizeof name);
    for (char *c = name; *c; c++)
        if (*c == ':')
            *c = '-';
    snprintf(into, size, "%s/nodes/%s", h->results_dir, name);
    struct err err = {0};
    if (file_make_dirs(into, 0755, &err) == 0)
        return true;
    log_event(LOG_ERROR, "files", "why=%s", err.text);
    return false;
}

static const char *output_name(const struct head *h, const struct wire_output *output, char *into,
                               size_t size) {
    const char *stream = output->stream == 2 ? "stderr" : "stdout";
    if (output->source == WIRE_FROM_SETUP)
        snprintf(into, size, "setup.%s", stream);
    else if (output->source == WIRE_FROM_SERVICE)
        snprintf(into, size, "service.%s", stream);
    else if (output->phase >= 1 && output->phase <= h->plan->phase_count)
        snprintf(into, size, "%.*s.%s", STR_ARG(h->plan->phases[output->phase - 1].name), stream);
    else
        snprintf(into, size, "output.%s", stream);
    return into;
}

void files_output(struct head *h, uint32_t node, const struct wire_output *output) {
    struct head_node *n = &h->nodes[node];
    char dir[600], name[80], path[700];
    if (n->output_bytes >= OUTPUT_BYTES_MAX || !node_dir(h, node, dir, sizeof dir))
        return;
    snprintf(path, sizeof path, "%s/%s", dir, output_name(h, output, name, sizeof name));
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return;
    size_t size = MIN(output->bytes.len, OUTPUT_BYTES_MAX - n->output_bytes);
    bool room = has_room(h, size);
    if (!room)
        head_note(h, "output of nodes is dropped: the disk is nearly full, or the run's limit is "
                     "reached");
    else if (write(fd, output->bytes.ptr, size) < 0)
        log_event(LOG_ERROR, "files", "path=%s cannot be written", path);
    n->output_bytes += size;
    h->received_bytes += room ? size : 0;
    if (n->output_bytes >= OUTPUT_BYTES_MAX)
        ignore(write(fd, "\n[more was dropped]\n", 20) < 0); /* best effort, the limit is told */
    close(fd);
}

static void drop_file(struct head_node *n) {
    if (!n->file)
        return;
    if (n->file->fd >= 0) {
        close(n->file->fd);
        ignore(unlink(n->file->temporary) < 0); /* a part of a file is no result */
    }
    EVP_MD_CTX_free(n->file->hash);
    mem_free(n->file);
    n->file = NULL;
}

void files_end(struct head *h, uint32_t node) {
    drop_file(&h->nodes[node]);
}

bool files_path_ok(struct str path) {
    struct str part;
    unsigned parts = 0;
    if (path.len == 0 || path.ptr[path.len - 1] == '/')
        return false;
    while (str_split(&path, '/', &part)) {
        if (++parts > PATH_PARTS_MAX || part.len == 0 || part.len > PART_BYTES_MAX ||
            str_equal(part, STR(".")) || str_equal(part, STR("..")))
            return false;
        for (size_t i = 0; i < part.len; i++) {
            char c = part.ptr[i];
            bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
            if (!plain)
                return false;
        }
    }
    return true;
}

/* May this node send this file?  Takes it off what it may send. */
static bool may_send(struct head *h, uint32_t node, const struct wire_file *file) {
    struct head_node *n = &h->nodes[node];
    char name[64];
    const char *why = NULL;
    if (file->collect == 0 || file->collect > n->collects_asked)
        why = "nobody asked for it";
    else if (!files_path_ok(file->path))
        why = "its name is not plain";
    else if (n->files_left == 0 || file->size_bytes > n->file_bytes_left)
        why = "more than it may send";
    else if (!has_room(h, file->size_bytes))
        why = "the disk is nearly full, or the run's limit is reached";
    if (why) {
        head_node_name(h, node, name, sizeof name);
        head_note(h, "a file of %s was left out: %s", name, why);
        return false;
    }
    n->files_left--;
    n->file_bytes_left -= file->size_bytes;
    h->received_bytes += file->size_bytes;
    return true;
}

/* What two phases collect under one name is two files. */
static void name_file(const struct head *h, const struct head_node *n, const char *dir,
                      const struct wire_file *file, struct head_file *f) {
    uint16_t phase = n->collect_phases[file->collect - 1];
    struct str folder = phase ? h->plan->phases[phase - 1].name : STR_EMPTY;
    snprintf(f->path, sizeof f->path, "%s/files/%.*s%s%.*s", dir, STR_ARG(folder), phase ? "/" : "",
             STR_ARG(file->path));
}

void files_begin(struct head *h, uint32_t node, const struct wire_file *file) {
    struct head_node *n = &h->nodes[node];
    char dir[600], parent[2048];
    drop_file(n);
    if (!may_send(h, node, file) || !node_dir(h, node, dir, sizeof dir))
        return;
    struct head_file *f = mem_new(sizeof *f);
    n->file = f;
    f->number = file->file;
    f->size = file->size_bytes;
    f->fd = -1;
    name_file(h, n, dir, file, f);
    snprintf(f->temporary, sizeof f->temporary, "%s.part", f->path);
    snprintf(parent, sizeof parent, "%s", f->path);
    *strrchr(parent, '/') = '\0';
    if (file_make_dirs(parent, 0755, NULL) == 0)
        f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (f->fd < 0)
        log_event(LOG_ERROR, "files", "path=%s cannot be made", f->temporary);
    f->hash = EVP_MD_CTX_new();
    must(f->hash && EVP_DigestInit_ex(f->hash, EVP_sha256(), NULL) == 1);
}

static bool is_whole(struct head_file *f, struct str sha256) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (f->received != f->size || EVP_DigestFinal_ex(f->hash, hash, &size) != 1)
        return false;
    return sha256.len == size && memcmp(sha256.ptr, hash, size) == 0;
}

static void keep_file(struct head *h, uint32_t node, struct head_file *f, struct str sha256) {
    char name[64];
    head_node_name(h, node, name, sizeof name);
    bool whole = is_whole(f, sha256) && fsync(f->fd) == 0;
    if (!whole || renameat2(AT_FDCWD, f->temporary, AT_FDCWD, f->path, RENAME_NOREPLACE) < 0) {
        head_note(h, "a file of %s did not arrive whole and was left out: %s", name,
                  strrchr(f->path, '/') + 1);
        return;
    }
    close(f->fd);
    f->fd = -1;
}

void files_chunk(struct head *h, uint32_t node, const struct wire_file_chunk *chunk) {
    struct head_node *n = &h->nodes[node];
    struct head_file *f = n->file;
    if (!f || f->fd < 0 || chunk->file != f->number)
        return;
    bool fits = chunk->offset == f->received && chunk->bytes.len <= f->size - f->received;
    if (!fits || write(f->fd, chunk->bytes.ptr, chunk->bytes.len) != (ssize_t)chunk->bytes.len) {
        log_event(LOG_ERROR, "files", "path=%s chunk refused", f->path);
        drop_file(n);
        return;
    }
    must(EVP_DigestUpdate(f->hash, chunk->bytes.ptr, chunk->bytes.len) == 1);
    f->received += chunk->bytes.len;
    if (!chunk->last)
        return;
    keep_file(h, node, f, chunk->sha256);
    drop_file(n);
}
