/* outcome.h - why a run (or a command) ends, and the exit code of that: the only table of them.
 *
 * Words
 *   outcome   one reason for an end other than "all was well"; several may apply at once
 *   set       the outcomes that apply, a bit each; its first member in the order of the table
 *             gives the exit code, the others are printed beside it
 *
 * Pure.  Tests: test/unit/test_outcome.c
 */
#ifndef OUTCOME_H
#define OUTCOME_H

#include "base/base.h"

/* Name, exit code and name in JSON, in the order in which the first one wins: what may still cost
 * money before all, then what explains the others, an unclassified error last.
 *
 * It makes OUTCOME_<name> here, the bits RUN_EXIT_<name> of core/run.h and the codes EXIT_<name> of
 * cli/exits.h. */
#define OUTCOME_MAP(X)                                                                   \
    X(LEAK, 9, "leak")                 /* not proved that nothing is left */             \
    X(CONFIG, 3, "config")             /* the plan is invalid */                         \
    X(ACCESS, 4, "access")             /* no credentials, or not permitted */            \
    X(CAPACITY, 5, "capacity")         /* the quorum could not be launched */            \
    X(ROLLCALL, 6, "roll-call")        /* launched, but the quorum never answered */     \
    X(LOST, 8, "lost")                 /* fell below quorum later */                     \
    X(WORKLOAD, 7, "workload")         /* a check or a command of a phase failed */      \
    X(INTERRUPTED, 130, "interrupted") /* by SIGINT */                                   \
    X(TERMINATED, 143, "terminated")   /* by SIGTERM or SIGHUP */                        \
    X(THRESHOLDS, 99, "thresholds")    /* ran to its end, a threshold failed */          \
    X(REGRESSION, 10, "regression")    /* worse than the results it was compared with */ \
    X(USAGE, 2, "usage")               /* wrong command line, or not confirmed */        \
    X(DEGRADED, 11, "degraded")        /* answered, but not all is well */               \
    X(CHANGES, 20, "changes")          /* there is something to do */                    \
    X(ERROR, 1, "error")               /* anything else */

enum outcome {
#define OUTCOME_ENUM(name, code, text) OUTCOME_##name,
    OUTCOME_MAP(OUTCOME_ENUM)
#undef OUTCOME_ENUM
        OUTCOME_COUNT
};

/* Bit (1u << OUTCOME_x). */
typedef uint32_t outcome_set;
#define OUTCOME_BIT(outcome) (UINT32_C(1) << (outcome))

/* The exit code of a set: that of its first member; 0 for the empty set. */
int outcome_exit_code(outcome_set set);
/* The first member, or OUTCOME_COUNT for the empty set. */
enum outcome outcome_first(outcome_set set);
int outcome_code(enum outcome outcome);         /* 9 */
const char *outcome_name(enum outcome outcome); /* "leak" */

#endif
