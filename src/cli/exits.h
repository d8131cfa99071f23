/* exits.h - exit codes of commands: the table of core/outcome.h as EXIT_LEAK, EXIT_USAGE, ... */
#ifndef EXITS_H
#define EXITS_H

#include "base/err.h"
#include "core/outcome.h"

enum exit_code {
    EXIT_OK = 0,
#define EXIT_ENUM(name, code, text) EXIT_##name = code,
    OUTCOME_MAP(EXIT_ENUM)
#undef EXIT_ENUM
};

/* What `dayfly help exit-codes` says of each code of core/outcome.h; 0 is the good one. */
#define EXIT_TEXT_MAP(X)                                                                         \
    X(OUTCOME_ERROR, "anything that is none of the others")                                      \
    X(OUTCOME_USAGE, "a wrong option or argument, or refused without --yes or --confirm")        \
    X(OUTCOME_CONFIG, "the plan file is invalid; nothing was started")                           \
    X(OUTCOME_ACCESS, "no credentials, or they are expired or not permitted")                    \
    X(OUTCOME_CAPACITY, "quota or Spot capacity: not enough nodes could be launched")            \
    X(OUTCOME_ROLLCALL, "launched, but too few nodes ever answered")                             \
    X(OUTCOME_WORKLOAD, "a set-up, a service or a phase failed")                                 \
    X(OUTCOME_LOST, "too few nodes were left during the run")                                    \
    X(OUTCOME_LEAK, "the end could not be proved: something may still cost money; outranks all") \
    X(OUTCOME_REGRESSION, "a comparison found a regression (later; no command yields it today)") \
    X(OUTCOME_DEGRADED, "list, status, nodes, doctor: answered, but not all is well")            \
    X(OUTCOME_CHANGES, "a plan would change something (later; no command yields it today)")      \
    X(OUTCOME_THRESHOLDS, "the run finished; one or more thresholds failed")                     \
    X(OUTCOME_INTERRUPTED, "stopped by Ctrl-C; everything was given back")                       \
    X(OUTCOME_TERMINATED, "stopped by SIGTERM; everything was given back")

/* The exit code that an error of this class means when nothing more is known. */
static inline int exit_of_err(const struct err *err) {
    switch (err->code) {
    case ERR_USAGE:
        return EXIT_USAGE;
    case ERR_CONFIG:
        return EXIT_CONFIG;
    case ERR_ACCESS:
        return EXIT_ACCESS;
    default:
        return EXIT_ERROR;
    }
}

#endif
