/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - our own bugs stop the program, in release builds too.
 * For what the world may do wrong (a peer, a disk, a file) use err.h instead: those are values.
 * A check is cheap (one predictable branch), so the data path uses it as well. */
#ifndef EK_BASE_CHECK_H
#define EK_BASE_CHECK_H

#include <stdio.h>

/* Writes file, line and text to standard error and aborts. Async-signal-safe. */
__attribute__((noreturn, cold)) void check_failed(const char *file, int line, const char *what);

#define check(condition) \
    (__builtin_expect(!!(condition), 1) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))

/* For a place that cannot be reached unless we made a mistake. */
#define never(why) check_failed(__FILE__, __LINE__, "never: " why)

#endif
