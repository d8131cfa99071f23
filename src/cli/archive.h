/* archive.h - the runs whose results are on this machine.
 *
 * Results lie in ./results/<name>-<run>/; an index in the state folder
 * ($XDG_STATE_HOME/dayfly/results.index, one absolute path a line) finds those that were made
 * elsewhere.  The index is a cache: lines that lead nowhere are skipped, and without it everything
 * works but from other folders.  result.json files may be anybody's: they are read with a limit and
 * every member is checked for its type.
 *
 * Tests: test/unit/test_archive.c
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

struct archive_entry {
    char *dir;     /* of the files */
    char *run;     /* "7k2m" */
    char *name;    /* of the plan */
    char *verdict; /* "PASS" */
    int64_t started_unix_ms;
    int64_t exit_code;
    uint64_t duration_ms;
    uint64_t nodes;
    bool rehearsal;
    bool has_latency; /* of the counted phase with most answers */
    uint64_t answers, p50_us, p99_us, p999_us;
    uint64_t errors;
    int64_t cost_usd_micro;
};

struct archive {
    struct archive_entry *entries; /* newest first */
    size_t count;
    size_t broken; /* folders whose result.json cannot be read */
};

/* Read every result below `results_dir` (usually "results"; may be missing) and, when not NULL,
 * those that the index names. */
void archive_init(struct archive *a, const char *results_dir, const char *index_path);
void archive_deinit(struct archive *a);
/* By run id, by "<name>-<run>", by folder, or "last"; NULL when there is none. */
const struct archive_entry *archive_find(const struct archive *a, const char *what);
/* Path of the index in the environment's state folder; false when there is none. */
NODISCARD bool archive_index_path(char *into, size_t size);
/* Append a results folder to the index (made when needed).  Errors: ERR_IO. */
NODISCARD int archive_remember(const char *index_path, const char *results_dir, struct err *err);

#endif
