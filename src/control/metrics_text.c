/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_text.c - see metrics_text.h. Numbers of samples are written without printf, for a scrape of many journeys is
 * some ten thousand lines. */
#include "control/metrics_text.h"

#include "base/check.h"
#include "bus/exemplars.h"
#include "proto/http.h"
#include "proto/traceparent.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const kinds[] = { "counter", "gauge", "histogram", "info" };

/* ---- which format */

/* A weight as thousandths (RFC 9110 section 12.4.2); what is none counts as 0. */
static unsigned weight_of(struct span text)
{
    unsigned w = 0;

    if (text.n == 0 || (text.p[0] != '0' && text.p[0] != '1'))
        return 0;
    w = text.p[0] == '1' ? 1000 : 0;
    for (size_t i = 2, part = 100; i < text.n && i < 5; i++, part /= 10) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return 0;
        w += (unsigned)((size_t)(text.p[i] - '0') * part);
    }
    return w > 1000 ? 1000 : w;
}

/* Up to the mark, without blanks around; the rest is what follows it. */
static struct span cut_at(struct span *rest, char mark)
{
    size_t n = span_find(*rest, mark);
    struct span piece = span_of(rest->p, n);

    *rest = n < rest->n ? span_after(*rest, n + 1) : SPAN("");
    while (piece.n > 0 && (piece.p[0] == ' ' || piece.p[0] == '\t'))
        piece = span_after(piece, 1);
    while (piece.n > 0 && (piece.p[piece.n - 1] == ' ' || piece.p[piece.n - 1] == '\t'))
        piece.n--;
    return piece;
}

/* One element of Accept: how much it wants of each format. */
static void read_range(struct span range, unsigned *open, unsigned *text, unsigned *any)
{
    struct span type = cut_at(&range, ';');
    unsigned weight = 1000;
    bool version = true;

    while (range.n > 0) {
        struct span value = cut_at(&range, ';');
        struct span name = cut_at(&value, '=');
        if (value.n > 1 && value.p[0] == '"' && value.p[value.n - 1] == '"')
            value = span_of(value.p + 1, value.n - 2);
        if (span_equal_nocase(name, SPAN("q")))
            weight = weight_of(value);
        else if (span_equal_nocase(name, SPAN("version")))
            version = span_equal(value, SPAN("1.0.0"));
    }
    if (span_equal_nocase(type, SPAN("application/openmetrics-text")) && version)
        *open = weight > *open ? weight : *open;
    else if (span_equal_nocase(type, SPAN("text/plain")) || span_equal_nocase(type, SPAN("text/*")))
        *text = weight > *text ? weight : *text;
    else if (span_equal(type, SPAN("*/*")))
        *any = weight > *any ? weight : *any;
}

enum metrics_format metrics_format_for(const struct http_head *h)
{
    unsigned open = 0, text = 0, any = 0;

    for (uint32_t i = 0; i < h->field_count; i++) {
        struct span rest = field_value(&h->fields[i]);
        if (h->fields[i].id != HTTP_ACCEPT)
            continue;
        while (rest.n > 0)
            read_range(cut_at(&rest, ','), &open, &text, &any);
    }
    if (text == 0)
        text = any;
    return open > 0 && open >= text ? METRICS_OPEN : METRICS_TEXT;
}

struct span metrics_content_type(enum metrics_format f)
{
    return f == METRICS_OPEN ? SPAN("application/openmetrics-text; version=1.0.0; charset=utf-8")
                             : SPAN("text/plain; version=0.0.4; charset=utf-8");
}

/* ---- families */

/* Backslash and newline are escaped; the quote too in label values, and in OpenMetrics' help. */
static void put_escaped(struct str *out, struct span text, bool quoted)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\n') {
            str_literal(out, "\\n");
            continue;
        }
        if (c == '\\' || (c == '"' && quoted))
            str_char(out, '\\');
        str_char(out, c);
    }
}

static bool ends_with(struct span text, struct span end)
{
    return text.n >= end.n && memcmp(text.p + text.n - end.n, end.p, end.n) == 0;
}

/* OpenMetrics names a family without what its samples add. */
static struct span family_name(const struct metrics_text *t, enum metric_kind kind)
{
    struct span name = span_from_text(t->family);
    struct span suffix = kind == METRIC_counter ? SPAN("_total")
                         : kind == METRIC_info  ? SPAN("_info")
                                                : SPAN("");

    check(ends_with(name, suffix));
    return t->format == METRICS_OPEN ? span_of(name.p, name.n - suffix.n) : name;
}

static void put_line(struct metrics_text *t, const char *what, struct span name, struct span text)
{
    str_print(t->out, "# %s ", what);
    str_put(t->out, name);
    str_char(t->out, ' ');
    put_escaped(t->out, text, t->format == METRICS_OPEN);
    str_char(t->out, '\n');
}

void metrics_family(struct metrics_text *t, enum metric_kind kind, const char *name,
                    const char *help)
{
    static const struct span units[] = { SPAN("seconds"), SPAN("bytes"), SPAN("ratio") };
    bool open = t->format == METRICS_OPEN;

    t->family = name;
    struct span family = family_name(t, kind);
    put_line(t, "HELP", family, span_from_text(help));
    put_line(t, "TYPE", family,
             span_from_text(kinds[!open && kind == METRIC_info ? METRIC_gauge : kind]));
    for (size_t i = 0; open && i < sizeof(units) / sizeof(units[0]); i++) {
        if (ends_with(family, units[i]))
            put_line(t, "UNIT", family, units[i]);
    }
}

/* ---- samples */

void metrics_sample(struct metrics_text *t, const char *suffix)
{
    str_text(t->out, t->family);
    str_text(t->out, suffix);
    t->labelled = false;
}

static void begin_label(struct metrics_text *t, const char *name)
{
    str_char(t->out, t->labelled ? ',' : '{');
    str_text(t->out, name);
    str_literal(t->out, "=\"");
    t->labelled = true;
}

void metrics_label(struct metrics_text *t, const char *name, struct span value)
{
    begin_label(t, name);
    put_escaped(t->out, value, true);
    str_char(t->out, '"');
}

/* As OpenMetrics has it ("Canonical Numbers"): 0.3, 1.0, 5e-05. */
static void put_seconds(struct str *out, ns_t ns)
{
    char digits[16];
    uint64_t part = (uint64_t)(ns % NS_PER_S);
    size_t n = 9;

    if (ns < 100 * NS_PER_US) { /* all that is shorter has an exponent */
        double s = (double)ns / (double)NS_PER_S;
        char text[32];
        for (int i = 1; i <= 17; i++) {
            snprintf(text, sizeof(text), "%.*g", i, s);
            if (strtod(text, NULL) == s)
                break;
        }
        str_text(out, text);
        return;
    }
    str_u64(out, (uint64_t)(ns / NS_PER_S));
    for (size_t i = 9; i > 0; i--, part /= 10)
        digits[i - 1] = (char)('0' + part % 10);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    str_char(out, '.');
    str_put(out, span_of(digits, n));
}

void metrics_edge(struct metrics_text *t, ns_t le)
{
    begin_label(t, "le");
    if (le == NS_NEVER)
        str_literal(t->out, "+Inf");
    else
        put_seconds(t->out, le);
    str_char(t->out, '"');
}

static void end_labels(struct metrics_text *t)
{
    metrics_label(t, "node", span_from_text(t->node));
    str_literal(t->out, "} ");
}

/* The trace that it is an example of, what it took, and when it was. */
static void put_exemplar(struct str *out, const struct exemplar *x, ns_t wall)
{
    char id[32];

    hex_write(x->trace_high, 16, id);
    hex_write(x->trace_low, 16, id + 16);
    str_literal(out, " # {trace_id=\"");
    str_put(out, span_of(id, sizeof(id)));
    str_literal(out, "\"} ");
    put_seconds(out, x->took);
    str_print(out, " %ld.%03d", (long)(wall / NS_PER_S), (int)(wall % NS_PER_S / NS_PER_MS));
}

void metrics_count_of(struct metrics_text *t, uint64_t value, const struct exemplar *x, ns_t wall)
{
    end_labels(t);
    str_u64(t->out, value);
    if (x && t->format == METRICS_OPEN)
        put_exemplar(t->out, x, wall);
    str_char(t->out, '\n');
}

void metrics_count(struct metrics_text *t, uint64_t value)
{
    metrics_count_of(t, value, NULL, 0);
}

void metrics_number(struct metrics_text *t, double value)
{
    end_labels(t);
    if (isnan(value))
        str_literal(t->out, "NaN\n");
    else
        str_print(t->out, "%.12g\n", value);
}

void metrics_end(struct metrics_text *t)
{
    if (t->format == METRICS_OPEN)
        str_literal(t->out, "# EOF\n");
}
