/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - the last words of a program that found its own bug. */
#include "base/check.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void say(const char *text)
{
    size_t n = strlen(text);

    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, text, n);
        if (done <= 0)
            return; /* nobody listens; aborting says enough */
        text += done;
        n -= (size_t)done;
    }
}

void check_failed(const char *file, int line, const char *what)
{
    char digits[16];
    size_t at = sizeof(digits) - 1;
    unsigned value = (unsigned)line;

    digits[at] = '\0';
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);

    say("evenkeel: this is a bug: ");
    say(file);
    say(":");
    say(digits + at);
    say(": ");
    say(what);
    say("\n");
    abort();
}
