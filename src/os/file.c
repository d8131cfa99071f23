#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/random.h"

#define FILE_DEPTH_MAX 128 /* of a tree that is removed */
#define FILE_PATH_MAX 4096

static enum err_code file_err_code(int errno_value) {
    switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
        return ERR_NOT_FOUND;
    case EACCES:
    case EPERM:
    case ELOOP:
        return ERR_ACCESS;
    case EEXIST:
        return ERR_EXISTS;
    default:
        return ERR_IO;
    }
}

static int file_failed(struct err *err, const char *what, const char *path) {
    int errno_value = errno;
    return err_set_errno(err, file_err_code(errno_value), errno_value, "%s '%s'", what, path);
}

void file_closep(int *fd) {
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void file_set_nonblocking(int fd, bool on) {
    int flags = fcntl(fd, F_GETFL);
    must(flags >= 0);
    must(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) == 0);
}

void file_set_cloexec(int fd, bool on) {
    must(fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) == 0);
}

/* read(2) that goes on after signals. */
static ssize_t file_read_some(int fd, void *into, size_t size) {
    ssize_t got;
    do
        got = read(fd, into, size);
    while (got < 0 && errno == EINTR);
    return got;
}

int file_read(const char *path, struct buf *into, struct err *err) {
    CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot open", path);
    size_t before = into->len;
    for (;;) {
        char *room = buf_reserve(into, MIN((size_t)(64 * KIB), into->max - into->len));
        char probe;
        bool full = room == NULL || into->len == into->max;
        size_t size = full ? 1 : MIN((size_t)(64 * KIB), into->max - into->len);
        ssize_t got = file_read_some(fd, full ? &probe : room, size);
        if (got == 0)
            return 0;
        if (got > 0 && !full) {
            buf_commit(into, (size_t)got);
            continue;
        }
        int errno_value = errno;
        into->len = before;
        if (into->ptr != NULL)
            into->ptr[before] = 0;
        errno = errno_value;
        if (got < 0)
            return file_failed(err, "cannot read", path);
        return err_set(err, ERR_LIMIT, "'%s' is longer than %zu bytes", path, into->max - before);
    }
}

static int file_write_all(int fd, struct str bytes) {
    while (bytes.len > 0) {
        ssize_t put = write(fd, bytes.ptr, bytes.len);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return -1;
        bytes = str_skip(bytes, (size_t)put);
    }
    return 0;
}

/* Split into directory and last part; the directory of "x" is ".". */
static void file_split(const char *path, char *directory, size_t size, const char **ret_name) {
    const char *slash = strrchr(path, '/');
    *ret_name = slash == NULL ? path : slash + 1;
    if (slash == NULL)
        str_copy(directory, size, STR("."));
    else
        str_copy(directory, size, (struct str){path, MAX((size_t)(slash - path), (size_t)1)});
}

int file_write(const char *path, struct str bytes, unsigned mode, struct err *err) {
    char directory[FILE_PATH_MAX];
    char temporary[300];
    char unique[9];
    const char *name;
    file_split(path, directory, sizeof directory, &name);
    random_hex(unique, sizeof unique);
    int length = snprintf(temporary, sizeof temporary, ".%s.%s", name, unique);
    if (length < 0 || (size_t)length >= sizeof temporary)
        return err_set(err, ERR_LIMIT, "the name of '%s' is too long", path);
    CLEANUP(file_closep) int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0)
        return file_failed(err, "cannot open", directory);
    CLEANUP(file_closep)
    int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0)
        return file_failed(err, "cannot create", path);
    /* fchmod: the mode that was asked for, whatever the umask. */
    if (fchmod(fd, mode) != 0 || file_write_all(fd, bytes) != 0 || fsync(fd) != 0 ||
        renameat(dir_fd, temporary, dir_fd, name) != 0) {
        int result = file_failed(err, "cannot write", path);
        unlinkat(dir_fd, temporary, 0);
        return result;
    }
    if (fsync(dir_fd) != 0)
        return file_failed(err, "cannot sync", directory);
    return 0;
}

int file_make_dirs(const char *path, unsigned mode, struct err *err) {
    char part[FILE_PATH_MAX];
    if (!str_copy(part, sizeof part, str_from(path)) || part[0] == 0)
        return err_set(err, ERR_LIMIT, "not a usable path: '%s'", path);
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != 0)
            continue;
        char end = *at;
        *at = 0;
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return file_failed(err, "cannot make", part);
        *at = end;
        if (end == 0)
            break;
    }
    struct stat status;
    if (stat(path, &status) != 0)
        return file_failed(err, "cannot make", path);
    if (!S_ISDIR(status.st_mode))
        return err_set(err, ERR_EXISTS, "'%s' is there and is not a directory", path);
    return 0;
}

static void file_closedirp(DIR **dir) {
    if (*dir != NULL)
        closedir(*dir);
}

static int file_remove_within(int parent_fd, const char *name, dev_t device, unsigned depth);

/* Empty the directory; its descriptor is taken over. */
static int file_remove_entries(int own_fd, dev_t device, unsigned depth) {
    CLEANUP(file_closedirp) DIR *dir = fdopendir(own_fd);
    if (dir == NULL) {
        close(own_fd);
        return -1;
    }
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (file_remove_within(dirfd(dir), entry->d_name, device, depth + 1) != 0)
            return -1;
    }
    return 0;
}

/* -1 with errno.  `device` 0: not known yet, the root of the tree. */
static int file_remove_within(int parent_fd, const char *name, dev_t device, unsigned depth) {
    struct stat status;
    if (fstatat(parent_fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(status.st_mode))
        return unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT ? 0 : -1;
    if (device != 0 && status.st_dev != device) {
        errno = EXDEV;
        return -1;
    }
    if (depth > FILE_DEPTH_MAX) {
        errno = ELOOP;
        return -1;
    }
    int fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == EACCES && fchmodat(parent_fd, name, 0700, 0) == 0)
        fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || file_remove_entries(fd, status.st_dev, depth) != 0)
        return -1;
    return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT ? 0 : -1;
}

int file_remove_tree(const char *path, struct err *err) {
    if (file_remove_within(AT_FDCWD, path, 0, 0) != 0)
        return file_failed(err, "cannot remove", path);
    return 0;
}

bool file_exists(const char *path) {
    struct stat status;
    return stat(path, &status) == 0;
}

void file_hex(const uint8_t *bytes, size_t size, char *into) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        into[2 * i] = digits[bytes[i] >> 4];
        into[2 * i + 1] = digits[bytes[i] & 15];
    }
    into[2 * size] = 0;
}

void file_sha256_bytes(struct str bytes, uint8_t ret_hash[FILE_SHA256_SIZE]) {
    SHA256((const uint8_t *)(bytes.ptr ? bytes.ptr : ""), bytes.len, ret_hash);
}

static void file_digest_freep(EVP_MD_CTX **context) {
    EVP_MD_CTX_free(*context);
}

int file_sha256(const char *path, char ret_hex[FILE_SHA256_HEX_SIZE], struct err *err) {
    CLEANUP(file_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot open", path);
    CLEANUP(file_digest_freep) EVP_MD_CTX *context = EVP_MD_CTX_new();
    CLEANUP(mem_freep) uint8_t *block = mem_new(64 * KIB);
    must(context != NULL);
    must(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    for (;;) {
        ssize_t got = file_read_some(fd, block, 64 * KIB);
        if (got < 0)
            return file_failed(err, "cannot read", path);
        if (got == 0)
            break;
        must(EVP_DigestUpdate(context, block, (size_t)got) == 1);
    }
    uint8_t hash[FILE_SHA256_SIZE];
    must(EVP_DigestFinal_ex(context, hash, NULL) == 1);
    file_hex(hash, sizeof hash, ret_hex);
    return 0;
}

void file_self_path(char *into, size_t size) {
    static const char deleted[] = " (deleted)";
    char path[FILE_PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
    struct str name = {path, length > 0 ? (size_t)length : 0};
    if (name.len == 0 || str_ends_with(name, (struct str){deleted, sizeof deleted - 1}) ||
        !str_copy(into, size, name))
        str_copy(into, size, STR("/proc/self/exe"));
}

/* Open the directory part of `path` beneath `root_fd`, part by part, following nothing. */
static int file_open_beneath(int root_fd, const char *path, int *ret_fd, const char **ret_name) {
    int fd = fcntl(root_fd, F_DUPFD_CLOEXEC, 0);
    struct str rest = str_from(path), part;
    while (fd >= 0 && str_split(&rest, '/', &part)) {
        char name[256];
        bool is_last = part.ptr + part.len == path + strlen(path);
        if (part.len == 0 || str_equal(part, STR(".")) || str_equal(part, STR("..")) ||
            !str_copy(name, sizeof name, part)) {
            close(fd);
            errno = EACCES;
            return -1;
        }
        if (is_last) {
            *ret_name = part.ptr;
            *ret_fd = fd;
            return 0;
        }
        int next = openat(fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int errno_value = errno;
        close(fd);
        errno = errno_value;
        fd = next;
    }
    return -1;
}

int file_open_regular(int root_fd, const char *path, int *ret_fd, uint64_t *ret_size,
                      struct err *err) {
    CLEANUP(file_closep) int dir_fd = -1;
    const char *name = path;
    if (root_fd >= 0 && file_open_beneath(root_fd, path, &dir_fd, &name) != 0)
        return file_failed(err, "cannot open", path);
    /* O_NONBLOCK: a pipe planted here must not make us wait; for a regular file it means nothing.
     */
    CLEANUP(file_closep)
    int fd = openat(root_fd >= 0 ? dir_fd : AT_FDCWD, name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return file_failed(err, "cannot open", path);
    struct stat status;
    if (fstat(fd, &status) != 0)
        return file_failed(err, "cannot look at", path);
    if (!S_ISREG(status.st_mode))
        return err_set(err, ERR_ACCESS, "'%s' is not a regular file", path);
    *ret_size = (uint64_t)status.st_size;
    *ret_fd = fd;
    fd = -1;
    return 0;
}
