/* head.h - the process that drives a run: it performs what core/run decides and feeds it events.
 *
 * head_run does a whole run (or, in teardown mode, ends what is left of one) on the calling
 * thread: preflight, launch, roll call, phases, collection, teardown, results.  What a user sees
 * goes to the observer as it happens.  Signals are the caller's: it calls head_stop from the loop.
 *
 * The head does not know whether the cloud is AWS or the rehearsal cloud.
 */
#ifndef HEAD_H
#define HEAD_H

#include "aws/config.h"
#include "base/arena.h"
#include "base/base.h"
#include "base/err.h"
#include "emu/emu.h"
#include "os/loop.h"
#include "plan/plan.h"
#include "report/live.h"
#include "report/story.h"

#define HEAD_RUN_ID_SIZE 5 /* "7k2m" and NUL */

struct head_observer {
    void (*story)(void *arg, const struct story_event *event); /* in order; may be NULL */
    void (*live)(void *arg, const struct live_view *view);     /* may be NULL */
    void *arg;
};

struct head_options {
    struct loop *loop;       /* borrowed; head_run runs it */
    const struct plan *plan; /* borrowed */
    const struct aws_config *aws;
    const char *command;               /* to run it again, one line */
    const char *state_dir;             /* ".../dayfly/runs" */
    const char *out_dir;               /* where <name>-<run>/ is made */
    const char *listen_address;        /* numeric address that nodes can reach, or "0.0.0.0" */
    const char *const *head_addresses; /* numeric, that nodes try; none: the listen address */
    size_t head_address_count;
    const struct emu_endpoint *cloud; /* rehearsal: watermark and ground truth; or NULL */
    bool any_arch;     /* instances are this machine's own processes, whatever type they claim */
    int zone_offset_s; /* local time, for texts */
    struct head_observer observer;
};

/* What came of it. */
struct head_outcome {
    char run[HEAD_RUN_ID_SIZE];
    int exit_code;
    char results_dir[512];
    char summary_path[600];
};

struct head;

/* Make a run id and its directories; nothing is called yet.  Errors: ERR_IO. */
NODISCARD int head_new(const struct head_options *options, struct head **ret_head, struct err *err);
void head_free(struct head *own_head);
DEFINE_FREEP(struct head, head_free)
/* Drive it to its end.  An error here means that nothing was launched (exit_code says which);
 * whatever happens after the first launch ends in *ret_outcome. */
NODISCARD int head_run(struct head *head, struct head_outcome *ret_outcome, struct err *err);
/* The user wants an end: level 1 collect and give back, 2 skip collecting, 3 leave now. */
void head_stop(struct head *head, unsigned level, bool by_signal);
/* Have the observer told the present state again. */
void head_refresh(struct head *head);

/* ---- what it would cost: `dayfly plan` ---- */

struct head_preview_role {
    char name[48];
    uint32_t count, spare, pools;
    bool spot;
    char type[32], zone[24];               /* first choice */
    char others[160];                      /* further types, blank-separated */
    uint64_t usd_micro_per_hour;           /* of one node; 0: unknown */
    uint64_t on_demand_usd_micro_per_hour; /* the same, on demand */
};

struct head_preview {
    char account[24], region[32];
    struct head_preview_role roles[ROLES_MAX];
    uint32_t role_count;
    uint64_t expected_usd_micro; /* for the planned time */
    uint64_t worst_usd_micro;    /* every node to its ttl at the on-demand price */
};

/* The preflight alone: nothing is made, nothing is launched.  Errors: as the calls. */
NODISCARD int head_preview(const struct head_options *options, struct head_preview *ret_preview,
                           struct err *err);

/* ---- ending what an earlier head left behind: `dayfly down`, `dayfly gc` ---- */

struct head_teardown_options {
    struct loop *loop;
    const struct aws_config *aws;
    const char *state_dir;
    const char *run;   /* id */
    const char *owner; /* as in the tags: what somebody else owns is left alone; "": anybody */
    bool rehearsal;    /* the times of a rehearsal cloud instead of those of AWS */
    int zone_offset_s;
    struct head_observer observer;
};

/* End everything that carries the run's tag and prove it, with the journal's help when it is
 * there.  *ret_exit_code: 0 clean, 9 not proved.  Errors: ERR_REFUSED (its head is alive), and
 * those of the calls. */
NODISCARD int head_teardown(const struct head_teardown_options *options, int *ret_exit_code,
                            struct err *err);

#endif
