/* err.h - operating errors: a code that callers branch on and one line that a person reads.
 *
 * Raise with err_set, add context going up with err_wrap ("plan 'demo': not a rate: '2x'").
 * Both return the negative code, so `return err_set(...)` is the usual form.
 * Functions take `struct err *err` last; it may be NULL when the caller wants only the code.
 */
#ifndef ERR_H
#define ERR_H

#include "base/base.h"

/* Add a code only when a caller branches on it. */
#define ERR_MAP(X)                                               \
    X(ERR_PARSE, "cannot be parsed")                             \
    X(ERR_LIMIT, "beyond a limit")                               \
    X(ERR_NOT_FOUND, "not found")                                \
    X(ERR_EXISTS, "already there")                               \
    X(ERR_USAGE, "wrong usage")                                  \
    X(ERR_CONFIG, "the plan is invalid")                         \
    X(ERR_ACCESS, "no access")                                   \
    X(ERR_CAPACITY, "no capacity")                               \
    X(ERR_IO, "input or output failed")                          \
    X(ERR_NETWORK, "the network failed")                         \
    X(ERR_TIMEOUT, "timed out")                                  \
    X(ERR_CLOSED, "closed by the other side")                    \
    X(ERR_PROTOCOL, "the other side broke the protocol")         \
    X(ERR_REFUSED, "refused")                                    \
    X(ERR_REMOTE, "the service answered with an error")          \
    X(ERR_THROTTLED, "throttled")                                \
    X(ERR_UNKNOWN_OUTCOME, "sent, but the outcome is not known") \
    X(ERR_INTERRUPTED, "interrupted")

enum err_code {
    ERR_NONE = 0,
#define ERR_ENUM(name, text) name,
    ERR_MAP(ERR_ENUM)
#undef ERR_ENUM
        ERR_CODE_COUNT
};

#define ERR_TEXT_SIZE 512

struct err {
    enum err_code code;
    char text[ERR_TEXT_SIZE]; /* one line, no newline, cut to fit */
};

/* Set code and text; returns -code.  A line break in the text becomes a blank. */
int err_set(struct err *err, enum err_code code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with ": <text of errno>" appended. */
int err_set_errno(struct err *err, enum err_code code, int errno_value, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Put "<context>: " in front of the text; returns -err->code (or -1 when err is NULL). */
int err_wrap(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);
void err_reset(struct err *err);

/* "ERR_PARSE" and "cannot be parsed". */
const char *err_name(enum err_code code);
const char *err_meaning(enum err_code code);

#endif
