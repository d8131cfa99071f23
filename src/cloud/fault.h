/* fault.h - planned trouble: which call of the API goes wrong, and how.
 *
 * Pure.  A table of rules is matched against each call in turn; the shell in front of the model
 * does to the connection what the verdict says.
 *
 *   op=CreateFleet,nth=2,mode=lost-reply
 *   op=Terminate*,mode=error=RequestLimitExceeded,times=10
 *   op=DescribeInstances,mode=delay=5s,times=always
 *   op=RunInstances,mode=delay-effect=3m
 *
 *   op     action name, `*` and `?` allowed; default every action
 *   nth    first matching call that is hit, from 1; default 1
 *   times  how many calls from there on; `always`; default 1
 *   mode   error=CODE    answered with that error, nothing done
 *          lost-reply    done, then the connection is cut without an answer
 *          drop-before   the connection is cut, nothing done
 *          delay=DUR     done at once, answered DUR later than usual
 *          delay-effect=DUR  the connection is cut; done DUR later (a request stuck on its way)
 *          drop-tags     done, but tags in the call are silently lost
 *          truncate      done, the answer is cut in its middle
 *
 * Tests: test/unit/test_fault.c, fuzz/fuzz_fault.c
 */
#ifndef CLOUD_FAULT_H
#define CLOUD_FAULT_H

#include "base/base.h"
#include "base/err.h"
#include "base/str.h"

#define FAULT_RULES_MAX 64
#define FAULT_OP_BYTES_MAX 64
#define FAULT_CODE_BYTES_MAX 64
#define FAULT_ALWAYS UINT32_MAX

enum fault_mode {
    FAULT_NONE,
    FAULT_ERROR,
    FAULT_LOST_REPLY,
    FAULT_DROP_BEFORE,
    FAULT_DELAY,
    FAULT_DELAY_EFFECT,
    FAULT_DROP_TAGS,
    FAULT_TRUNCATE,
};

struct fault_rule {
    char op[FAULT_OP_BYTES_MAX];     /* pattern of action names */
    char code[FAULT_CODE_BYTES_MAX]; /* of FAULT_ERROR */
    enum fault_mode mode;
    uint32_t nth;      /* from 1 */
    uint32_t times;    /* FAULT_ALWAYS: for ever */
    uint64_t delay_ns; /* of FAULT_DELAY and FAULT_DELAY_EFFECT */
    uint32_t seen;     /* matching calls so far */
    uint32_t applied;  /* calls hit so far */
};

struct fault_table {
    struct fault_rule rules[FAULT_RULES_MAX];
    size_t count;
};

/* Parse one rule.  *ret_rule is untouched on error.  Errors: ERR_PARSE (the message names the part
 * that is wrong and what is allowed), ERR_LIMIT (a name that is too long). */
NODISCARD int fault_parse(struct str text, struct fault_rule *ret_rule, struct err *err);

/* Append a rule.  Errors: ERR_LIMIT (table full). */
NODISCARD int fault_table_add(struct fault_table *t, const struct fault_rule *rule,
                              struct err *err);

/* Count this call against every rule and return the first that hits, or NULL.  The view is valid
 * until the table changes. */
const struct fault_rule *fault_match(struct fault_table *t, struct str action);

/* "lost-reply" and so on; "" for FAULT_NONE. */
const char *fault_mode_name(enum fault_mode mode);

#endif
