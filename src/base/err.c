/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - making errors that a person can read. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

err err_make(const char *format, ...)
{
    err e = { .failed = true };
    va_list args;

    va_start(args, format);
    vsnprintf(e.text, sizeof(e.text), format, args);
    va_end(args);
    return e;
}

err err_system(int error_number, const char *format, ...)
{
    err e = { .failed = true };
    va_list args;

    va_start(args, format);
    vsnprintf(e.text, sizeof(e.text), format, args);
    va_end(args);

    size_t n = strlen(e.text);
    snprintf(e.text + n, sizeof(e.text) - n, ": %s", strerrordesc_np(error_number));
    return e;
}
