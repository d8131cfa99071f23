/* exits.h - exit codes that only the command line uses; those of a run are in core/verdict.h. */
#ifndef EXITS_H
#define EXITS_H

#include "base/err.h"

enum exit_code_cli {
    EXIT_OK = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_CONFIG = 3,
    EXIT_ACCESS = 4,
    EXIT_LEAK = 9,
    EXIT_DEGRADED = 11,
    EXIT_CHANGES = 20,
    EXIT_STOPPED_INT = 130,
    EXIT_STOPPED_TERM = 143,
};

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
