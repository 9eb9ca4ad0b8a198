/* SPDX-License-Identifier: Apache-2.0 */
/* config_report.c - what is wrong with a file: collected in any order, told in that of the file. */
#include "control/config_tree.h"

#include "base/check.h"

#include <stdarg.h>
#include <stdlib.h>

/* Collected before sorting; behind this many only the count goes on. */
enum { FINDINGS_MAX = 512 };

void report_init(struct config_report *r, const char *file)
{
    *r = (struct config_report){ .file = file, .text = str_growing() };
    r->findings = arena_array(&r->arena, struct config_finding, FINDINGS_MAX);
}

__attribute__((format(printf, 4, 0))) static void add(struct config_report *r,
                                                      const struct node *at, bool warning,
                                                      const char *format, va_list args)
{
    char text[ERR_TEXT_MAX]; /* what is shown of the file is bounded, so this is enough */

    *(warning ? &r->warnings : &r->errors) += 1;
    if (r->count == FINDINGS_MAX)
        return;
    vsnprintf(text, sizeof(text), format, args);
    r->findings[r->count++] = (struct config_finding){
        .line = at->line,
        .column = at->column,
        .warning = warning,
        .text = arena_text(&r->arena, span_from_text(text)),
    };
}

void report_error(struct config_report *r, const struct node *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(r, at, false, format, args);
    va_end(args);
}

void report_warning(struct config_report *r, const struct node *at, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add(r, at, true, format, args);
    va_end(args);
}

static int by_place(const void *a, const void *b)
{
    const struct config_finding *x = a;
    const struct config_finding *y = b;

    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return x->warning - y->warning;
}

void report_finish(struct config_report *r)
{
    unsigned told[2] = { 0, 0 };
    size_t kept = 0;

    qsort(r->findings, r->count, sizeof(r->findings[0]), by_place);
    for (size_t i = 0; i < r->count; i++) {
        struct config_finding f = r->findings[i];
        if (++told[f.warning] > CONFIG_ERRORS_MAX)
            continue;
        r->findings[kept++] = f;
        str_print(&r->text, "%s:%zu:%zu: %s%s\n", r->file, f.line, f.column,
                  f.warning ? "warning: " : "", f.text);
    }
    r->count = kept;
}

void config_report_print(const struct config_report *report, FILE *to)
{
    if (report->text.n)
        fwrite(report->text.p, 1, report->text.n, to);
    if (report->errors > CONFIG_ERRORS_MAX)
        fprintf(to, "%s: and %u more errors\n", report->file, report->errors - CONFIG_ERRORS_MAX);
    if (report->warnings > CONFIG_ERRORS_MAX)
        fprintf(to, "%s: and %u more warnings\n", report->file,
                report->warnings - CONFIG_ERRORS_MAX);
}

void config_report_free(struct config_report *report)
{
    str_free(&report->text);
    arena_free(&report->arena);
}

struct shown shown(struct span s)
{
    struct shown out;
    size_t n = s.n;

    if (n > 64) {
        n = 64;
        while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
            n--; /* not in the middle of a character */
    }
    snprintf(out.text, sizeof(out.text), "%.*s%s", (int)n, n ? s.p : "", n < s.n ? "..." : "");
    return out;
}
