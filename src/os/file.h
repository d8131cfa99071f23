/* file.h - whole files and directories, safely: bounded reads, atomic writes, no symlink tricks.
 *
 * Every path function that makes or removes something beneath a directory walks it by
 * descriptors with O_NOFOLLOW, so that a link planted inside leads nowhere.
 * Tests: test/unit/test_file.c
 */
#ifndef FILE_H
#define FILE_H

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define FILE_SHA256_SIZE 32
#define FILE_SHA256_HEX_SIZE 65 /* with the NUL */

/* Append the whole file to `into`.  Errors: ERR_NOT_FOUND, ERR_ACCESS, ERR_IO, ERR_LIMIT when it
 * does not fit into the buffer's maximum (`into` is as before then). */
NODISCARD int file_read(const char *path, struct buf *into, struct err *err);
/* Replace the file atomically: temporary name beside it, fsync, rename, fsync of the directory. */
NODISCARD int file_write(const char *path, struct str bytes, unsigned mode, struct err *err);
/* `mkdir -p`; directories made get `mode`.  Fine when it is there already. */
NODISCARD int file_make_dirs(const char *path, unsigned mode, struct err *err);
/* Remove a directory and all beneath it; links are removed, never followed; other file systems
 * are not entered.  Fine when it is not there. */
NODISCARD int file_remove_tree(const char *path, struct err *err);
bool file_exists(const char *path);
/* SHA-256 of a file as 64 lower-case hex digits. */
NODISCARD int file_sha256(const char *path, char ret_hex[FILE_SHA256_HEX_SIZE], struct err *err);
/* SHA-256 of bytes. */
void file_sha256_bytes(struct str bytes, uint8_t ret_hash[FILE_SHA256_SIZE]);
void file_hex(const uint8_t *bytes, size_t size, char *into); /* 2 * size digits and a NUL */
/* Path of the program that is running, for starting it again.  Survives its file's removal
 * ("/proc/self/exe" when the name cannot be read). */
void file_self_path(char *into, size_t size);

/* Open a regular file for reading beneath `root_fd` (a directory descriptor) or, with root_fd < 0,
 * anywhere.  The last part must not be a link; beneath a root no part may be and ".." is refused.
 * Devices, pipes and directories are refused.  The descriptor is the caller's. */
NODISCARD int file_open_regular(int root_fd, const char *path, int *ret_fd, uint64_t *ret_size,
                                struct err *err);

/* Set or clear O_NONBLOCK and close-on-exec. */
void file_set_nonblocking(int fd, bool on);
void file_set_cloexec(int fd, bool on);
/* Close unless negative and set to -1; for CLEANUP. */
void file_closep(int *fd);

#endif
