/* unit.h - what every unit test includes: cmocka in the order that it wants, and short words.
 *
 * A test is a function named as a sentence; list it with T(name) in main's UNIT_MAIN.
 */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#define T(name) cmocka_unit_test(name)
#define UNIT_MAIN(...)                                    \
    int main(void) {                                      \
        const struct CMUnitTest tests[] = {__VA_ARGS__};  \
        return cmocka_run_group_tests(tests, NULL, NULL); \
    }

/* Both values are printed when they differ. */
#define assert_text(got, want) assert_string_equal(buf_text(got), want)
#define assert_str(got, want)            \
    do {                                 \
        char *got_ = str_dup(got);       \
        assert_string_equal(got_, want); \
        mem_free(got_);                  \
    } while (0)

#endif
