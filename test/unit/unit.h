/* SPDX-License-Identifier: Apache-2.0 */
/* unit.h - what every unit test begins with: cmocka and the headers that it wants first. */
#ifndef EK_TEST_UNIT_H
#define EK_TEST_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/span.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define RUN(tests) cmocka_run_group_tests(tests, NULL, NULL)

static inline void assert_span(struct span s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.n ? s.p : "", expected, s.n);
}

#endif
