/* plan_error.h - collecting everything that is wrong with a plan (inside plan/). */
#ifndef PLAN_ERROR_H
#define PLAN_ERROR_H

#include "plan/plan.h"

/* Where errors go while a plan is read.  Texts are made in the arena. */
struct plan_sink {
    struct plan_errors *errors;
    struct arena *arena;
    struct plan_error spare; /* takes what is beyond PLAN_ERRORS_MAX */
};

/* Add an error; hint, note and help may be filled in through the result, which lives until the
 * next call.  Line breaks and control bytes of the message become `?`. */
struct plan_error *plan_error_add(struct plan_sink *sink, struct plan_place place, uint32_t width,
                                  const char *fmt, ...) PRINTF_LIKE(4, 5);
/* A text for hint, note or help. */
struct str plan_error_text(struct plan_sink *sink, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Put the list into the order of the file. */
void plan_error_sort(struct plan_errors *errors);

#endif
