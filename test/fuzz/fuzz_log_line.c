/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_log_line.c - a log_format and a line: what is read lies within the line, and a request that was taken
 * is one that an edge takes. Without a '$' in the first line it is read in all usual formats. */
#include "fuzz.h"

#include "proto/http1.h"
#include "proto/log_line.h"

#include <stdlib.h>

static void check_within(struct span inner, const char *line, size_t n)
{
    if (inner.n > 0 && !span_equal(inner, SPAN("/")))
        check(inner.p >= line && inner.p + inner.n <= line + n);
}

static void check_line(const struct log_format *f, struct span text)
{
    char *line = malloc(text.n ? text.n : 1);
    struct log_line l;

    check(line != NULL);
    if (text.n)
        memcpy(line, text.p, text.n);
    if (!log_line_read(f, line, text.n, &l)) {
        check_within(l.method, line, text.n);
        check_within(l.path, line, text.n);
        check_within(l.host, line, text.n);
        check_within(l.reason, line, text.n);
        check(l.status <= 999 && l.took >= 0);
        check(l.malformed == (l.path.n == 0));
        struct http_head h;
        if (!l.malformed)
            check(http1_read_target(l.method, SPAN("/"), &h) == HTTP1_GOOD);
    }
    free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    size_t end = span_find(text, '\n');
    struct span first = span_of(text.p, end);
    struct span line = span_after(text, end + 1);
    struct log_format f;

    if (span_find(first, '$') == first.n) {
        for (size_t i = 0; log_format_name(i).n > 0; i++) {
            check(log_format_named(log_format_name(i), &f));
            check_line(&f, text);
        }
        return 0;
    }
    for (int escape = LOG_ESCAPE_DEFAULT; escape <= LOG_ESCAPE_NONE; escape++) {
        if (!log_format_compile(SPAN("x"), first, (enum log_escape)escape, &f))
            check_line(&f, line);
    }
    return 0;
}
