/* junit.h - junit.xml in the form that Jenkins, GitLab and GitHub read.
 *
 * One case per threshold, check and phase, and one for "everything was given back".  A failed case
 * carries the value that was measured.  A threshold without data is a failure, never a pass.
 *
 * Pure.   Tests: test/unit/test_result.c
 */
#ifndef JUNIT_H
#define JUNIT_H

#include "report/result.h"

void junit_add(struct buf *b, const struct result *r);

#endif
