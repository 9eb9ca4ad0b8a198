/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - one line, one write. */
#include "base/log.h"

#include "base/clock.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 }; /* a longer line is cut: nobody reads it */

static _Atomic int current_level = LOG_INFO;

static const char *const level_names[] = { "error", "warn", "info", "debug" };

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&current_level, (int)level, memory_order_relaxed);
}

enum log_level log_get_level(void)
{
    return (enum log_level)atomic_load_explicit(&current_level, memory_order_relaxed);
}

bool log_level_parse(const char *text, enum log_level *ret_level)
{
    for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
        if (strcmp(text, level_names[i]) == 0) {
            *ret_level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

/* "2026-11-23T18:51:24.123Z warn " */
static size_t put_prefix(char *line, size_t size, enum log_level level)
{
    ns_t now = clock_wall();
    time_t seconds = (time_t)(now / NS_PER_S);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    size_t n = strftime(line, size, "%Y-%m-%dT%H:%M:%S", &utc);
    n += (size_t)snprintf(line + n, size - n, ".%03dZ %s ", (int)(now / NS_PER_MS % 1000),
                          level_names[level]);
    return n;
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    va_list args;

    if (level > log_get_level())
        return;
    size_t n = put_prefix(line, sizeof(line), level);
    va_start(args, format);
    int more = vsnprintf(line + n, sizeof(line) - n, format, args);
    va_end(args);
    if (more < 0)
        return;
    n += (size_t)more;
    if (n > sizeof(line) - 1)
        n = sizeof(line) - 1;
    line[n++] = '\n';
    ssize_t done = write(STDERR_FILENO, line, n);
    (void)done; /* a log that cannot be written must not stop the service */
}
