/* plan_open.h - a command's plan file: read, loaded with the command line's --set, or its errors
 * shown.
 *
 *     CLEANUP(plan_open_deinit) struct plan_open opened;
 *     plan_open_init(&opened);
 *     int code = plan_open(&opened, args, args_operand(args, 0));
 *     if (code) return code;      // everything has been said
 *     opened.plan->...
 *
 * A command that uses it has PLAN_SET_OPT among its options.
 */
#ifndef PLAN_OPEN_H
#define PLAN_OPEN_H

#include "base/arena.h"
#include "base/buf.h"
#include "cli/cmd.h"
#include "plan/plan.h"

#define PLAN_SETS_MAX 64

#define PLAN_SET_OPT                                                                    \
    {                                                                                   \
        .name = "set", .kind = OPT_LIST, .value = "PATH=VALUE",                         \
        .help = "override a key of the plan (fleet.budget=$5, phases.ramp.duration=2m)" \
    }

struct plan_open {
    struct arena arena;
    struct buf text; /* of the file */
    struct str sets[PLAN_SETS_MAX + 1];
    uint32_t set_count;
    const char *folder;      /* that file("p") is relative to */
    const struct plan *plan; /* NULL after an error */
    struct plan_errors errors;
};

void plan_open_init(struct plan_open *opened);
/* A --set by the command itself, weaker than those of the command line (before plan_open). */
void plan_open_set(struct plan_open *opened, struct str set);
/* Read and load `path`.  0, or the exit code after the errors were written to stderr (with --json:
 * to stdout, one document).  Deinit in either case. */
NODISCARD int plan_open(struct plan_open *opened, const struct args *args, const char *path);
void plan_open_deinit(struct plan_open *opened);

#endif
