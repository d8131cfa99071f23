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
