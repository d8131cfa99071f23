/* runs.h - the index of runs on this machine: one directory and one head.json each.
 *
 * `<state>/runs/<id>/` (0700) holds head.json, journal.db, debug.log and events.ndjson.  It is a
 * cache: the tags in the account are the truth, so losing it loses no instance.
 */
#ifndef RUNS_H
#define RUNS_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

#include <sys/types.h>

/* Texts are NUL-terminated copies. */
struct runs_info {
    char id[24];
    char name[48];
    char owner[64]; /* as in the tags; "": not recorded */
    char state[16]; /* "running": a head drives it, or died; "ended" */
    int pid;        /* of the head */
    char region[32];
    char account[24];
    char profile[64];
    char endpoint_url[256]; /* "": AWS */
    char cloud[512];        /* endpoint.json of the rehearsal cloud; "": none */
    char results[512];
    char verdict[16]; /* "PASS", ...; "" while it runs */
    int exit_code;
    bool clean; /* proved that nothing is left */
    int64_t started_unix_ms, ended_unix_ms, deadline_unix_ms;
    uint32_t nodes;
    uint64_t usd_micro_per_hour;
};

/* Has it the form of a run's id?  Ids come from tags and operands too; only such a one may become
 * part of a path or of a filter (where `*` would name every run). */
bool runs_id_ok(struct str id);
/* `$XDG_STATE_HOME/dayfly` or `~/.local/state/dayfly`, made with 0700.  Errors: ERR_IO. */
NODISCARD int runs_state_dir(char *into, size_t size, struct err *err);
/* Write `<dir>/head.json`, whole or not at all.  Errors: ERR_IO. */
NODISCARD int runs_write(const char *dir, const struct runs_info *info, struct err *err);
/* Read `<runs dir>/<id>/head.json`.  Errors: ERR_NOT_FOUND, ERR_PARSE, ERR_IO. */
NODISCARD int runs_read(const char *runs_dir, const char *id, struct runs_info *ret_info,
                        struct err *err);
/* All readable entries, newest first; *ret_infos is the caller's (mem_free). */
NODISCARD int runs_list(const char *runs_dir, struct runs_info **ret_infos, size_t *ret_count,
                        struct err *err);
/* Whether a head holds the run's lock now. */
bool runs_head_alive(const char *runs_dir, const char *id);

#endif
