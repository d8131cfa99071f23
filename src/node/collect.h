/* collect.h - files of this node on their way to the head.
 *
 * Globs (`*`, `?` within a part of a path) are absolute, or beneath the phase's or the agent's
 * directory; a directory that matches stands for all beneath it.  Only regular files are sent;
 * links, devices and pipes are named as skipped.  Bytes are read as the head takes them.
 * Tests: test/unit/test_outbox.c
 */
#ifndef COLLECT_H
#define COLLECT_H

#include "node/parts.h"

#define COLLECT_DEPTH_MAX 32      /* parts of a path */
#define COLLECT_VISITS_MAX 200000 /* directory entries looked at */

/* Paths that match, sorted, each once. */
struct collect_paths {
    char **paths; /* beneath `root`; without the first slash when the glob was absolute */
    size_t count, capacity, max;
    uint64_t visits;
    bool cut; /* there were more than max, or too many visits */
};

/* Walk `glob` beneath `root` ("/" or a directory) and add what matches. */
void collect_find(struct collect_paths *into, const char *root, struct str glob);
void collect_sort(struct collect_paths *paths);
void collect_paths_deinit(struct collect_paths *paths);

struct collects;

NODISCARD struct collects *collects_new(struct agent *agent);
/* Begin; CollectDone follows in any case.  `dir` is where relative globs start. */
void collects_start(struct collects *collects, const struct wire_collect *order, const char *dir);
/* The outbox has room again. */
void collects_go_on(struct collects *collects);
void collects_free(struct collects *own_collects);

#endif
