/* session.h - what every command that talks to a cloud needs: loop, credentials, screen, signals.
 *
 * Use: session_open, session_aws (which cloud, as whom), then a head; session_close at the end.
 */
#ifndef SESSION_H
#define SESSION_H

#include "aws/config.h"
#include "base/arena.h"
#include "cli/cmd.h"
#include "cli/screen.h"
#include "emu/emu.h"
#include "head/head.h"
#include "os/loop.h"
#include "store/runs.h"

struct session {
    const struct args *args;
    struct arena arena;
    struct loop *loop;
    struct screen *screen;
    struct loop_timer *painter;
    struct loop_signal *signals[6];
    struct aws_config aws;
    struct head *head; /* who hears of Ctrl-C; NULL: the loop is stopped */
    unsigned stops;
    int zone_offset_s;
    char state_dir[400], runs_dir[420];
};

/* Errors: ERR_IO. */
NODISCARD int session_open(struct session *s, const struct args *args, struct err *err);
void session_close(struct session *s); /* accepts a zeroed struct, and twice */

/* Who and where: options of the command line first, then the given ones (from the plan or a run's
 * record; empty: none), then the usual AWS rules.  `cloud` (may be NULL) overrules all of them.
 * Errors: as aws_config_load. */
NODISCARD int session_aws(struct session *s, struct str profile, struct str region,
                          struct str endpoint, const struct emu_endpoint *cloud, struct err *err);
/* The cloud that a recorded run was on. */
NODISCARD int session_aws_of_run(struct session *s, const struct runs_info *info, struct err *err);

/* Whether the session's cloud has a numeric loopback address: its instances are processes here. */
bool session_is_local(const struct session *s);

struct head_observer session_observer(struct session *s);
/* Find the run that an operand names: an id, a plan's name or name/id; without one the only run
 * that is not clean.  Errors: ERR_NOT_FOUND, ERR_USAGE (more than one; they are listed). */
NODISCARD int session_find_run(struct session *s, const char *operand, struct runs_info *ret_info,
                               struct err *err);
/* Say on stdout what was found or done: a line for people, a note record with --json. */
void session_say(struct session *s, const char *run, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Print an error in the way of the session's screen and return its exit code. */
int session_fail(struct session *s, const struct err *err, const char *remedy);

#endif
