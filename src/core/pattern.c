/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c - reading and matching patterns. Matching looks at each byte of the path once. */
#include "core/pattern.h"

#include "base/arena.h"

static bool is_capitals(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '-')
            return false;
    }
    return s.n > 0;
}

static bool is_name_byte(char c)
{
    c = ascii_lower(c);
    return (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '-' || c == '_';
}

const char *pattern_method_wrong(struct span method)
{
    return is_capitals(method) && method.p[0] != '-'
               ? NULL
               : "a method is written in capitals, such as GET";
}

static const char *v6_wrong(struct span host)
{
    bool good = host.n > 3 && host.p[host.n - 1] == ']';

    for (size_t i = 1; i + 1 < host.n; i++)
        good = good && (ascii_hex(host.p[i]) >= 0 || host.p[i] == ':' || host.p[i] == '.');
    return good ? NULL : "an IPv6 host is written [::1], without a port";
}

const char *pattern_host_wrong(struct span host)
{
    if (host.n > 0 && host.p[0] == '[')
        return v6_wrong(host);
    if (span_find(host, ':') < host.n)
        return "a host is written without scheme and port";
    if (span_starts_with(host, SPAN("*.")))
        host = span_after(host, 2);
    for (size_t i = 0; i < host.n; i++) {
        bool dot = host.p[i] == '.' && i > 0 && host.p[i - 1] != '.';
        if (!dot && !is_name_byte(host.p[i]))
            return "a host has letters, digits, '-', '_' and dots; '*.' stands only at its "
                   "beginning";
    }
    return host.n > 0 && host.n <= 253 ? NULL : "a host has from 1 to 253 bytes";
}

static const char *read_braces(struct span text, struct segment *ret)
{
    struct span name = span_of(text.p + 1, text.n - 1);
    size_t n = 0;

    while (n < name.n && is_name_byte(name.p[n]))
        n++;
    if (n == 0 || n + 1 != name.n || name.p[n] != '}')
        return "a segment in braces is written {name}, with nothing beside it";
    *ret = (struct segment){ SEGMENT_ONE, span_of(name.p, n) };
    return NULL;
}

static const char *read_segment(struct span text, bool last, struct segment *ret)
{
    if (span_equal(text, SPAN("*"))) {
        *ret = (struct segment){ SEGMENT_REST, text };
        return last ? NULL : "'*' stands only at the end; {name} stands for one segment";
    }
    if (text.n > 0 && text.p[0] == '{')
        return read_braces(text, ret);
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c <= ' ' || c >= 0x7F)
            return "blanks and characters beyond ASCII are written as in a request, such as %20";
        if (strchr("{}*?#", c))
            return "'{', '}', '*', '?' and '#' cannot stand inside a segment";
    }
    *ret = (struct segment){ SEGMENT_LITERAL, text };
    return NULL;
}

static const char *read_path(struct arena *a, struct pattern *p)
{
    struct segment segments[PATTERN_SEGMENTS_MAX];
    struct span rest = span_after(p->path, 1);
    size_t count = 0;

    for (bool last = false; !last;) {
        size_t slash = span_find(rest, '/');
        last = slash == rest.n;
        if (count == PATTERN_SEGMENTS_MAX)
            return "more than 32 segments";
        const char *wrong = read_segment(span_of(rest.p, slash), last, &segments[count++]);
        if (wrong)
            return wrong;
        rest = span_after(rest, slash + 1);
    }
    p->segments = arena_array(a, struct segment, count);
    memcpy(p->segments, segments, count * sizeof(segments[0]));
    p->segment_count = count;
    return NULL;
}

/* What stands before the first segment that is not literal. The '/' before a `*` need not be there, for it also
 * matches the folder itself. When all is literal the end is known too: a zero, which stands in no path. */
static void set_beginning(struct pattern *p)
{
    size_t n = 0;
    size_t i = 0;

    for (; i < p->segment_count && p->segments[i].kind == SEGMENT_LITERAL; i++)
        n += 1 + p->segments[i].text.n;
    if (i < p->segment_count && p->segments[i].kind == SEGMENT_ONE)
        n++;
    p->beginning = pattern_beginning(span_of(p->path.p, n));
    if (i == p->segment_count)
        n++;
    p->known = n >= WORD_BYTES ? UINT64_MAX : (UINT64_C(1) << 8 * n) - 1;
}

static const char *read_host(struct pattern *p, struct span host)
{
    static const char methods[] = " GET HEAD POST PUT PATCH DELETE OPTIONS ";

    p->host = host;
    for (const char *at = methods; p->method.n == 0 && (at = strchr(at, ' ')) && at[1]; at++) {
        if (span_equal(host, span_of(at + 1, strcspn(at + 1, " "))))
            return "a blank is missing between the method and the path";
    }
    return pattern_host_wrong(host);
}

const char *pattern_parse(struct arena *a, struct span text, struct pattern *ret_pattern)
{
    struct pattern p = { .text = text };
    struct span rest = span_trim(text);
    size_t blank = span_find(rest, ' ');
    size_t slash = span_find(rest, '/');
    const char *wrong = NULL;

    if (rest.n == 0)
        return "a route is written METHOD /path, such as GET /product/{id}";
    if (blank < slash) {
        p.method = span_of(rest.p, blank);
        wrong = pattern_method_wrong(p.method);
        rest = span_trim(span_after(rest, blank));
        slash = span_find(rest, '/');
    }
    if (!wrong && slash == rest.n)
        wrong = "the path is missing; it begins with '/'";
    if (!wrong && slash > 0)
        wrong = read_host(&p, span_of(rest.p, slash));
    if (wrong)
        return wrong;
    p.path = span_after(rest, slash);
    wrong = read_path(a, &p);
    if (wrong)
        return wrong;
    set_beginning(&p);
    *ret_pattern = p;
    return NULL;
}

static bool match_method(struct span wanted, struct span method)
{
    if (wanted.n == 0 || span_equal(wanted, method))
        return true;
    return span_equal(wanted, SPAN("GET")) && span_equal(method, SPAN("HEAD"));
}

/* Without the port; an IPv6 address in brackets keeps its colons. */
static struct span bare_host(struct span host)
{
    if (host.n > 0 && host.p[0] == '[') {
        size_t end = span_find(host, ']');
        return end < host.n ? span_of(host.p, end + 1) : host;
    }
    return span_of(host.p, span_find(host, ':'));
}

static bool match_host(struct span wanted, struct span host)
{
    if (wanted.n == 0)
        return true;
    host = bare_host(host);
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--; /* a fully qualified name may end with the root's dot */
    if (wanted.p[0] != '*')
        return span_equal_nocase(bare_host(wanted), host);
    struct span tail = span_after(wanted, 1); /* ".example.com" */
    return host.n > tail.n && span_equal_nocase(tail, span_after(host, host.n - tail.n));
}

static bool match_path(const struct pattern *p, struct span path)
{
    if (path.n == 0 || path.p[0] != '/')
        return false;
    struct span rest = span_after(path, 1);
    bool more = true; /* a segment, perhaps empty, is left in `rest` */
    for (size_t i = 0; i < p->segment_count; i++) {
        const struct segment *s = &p->segments[i];
        if (s->kind == SEGMENT_REST)
            return true;
        if (!more)
            return false;
        size_t n = span_find(rest, '/');
        struct span here = span_of(rest.p, n);
        if (s->kind == SEGMENT_ONE ? n == 0 : !span_equal(s->text, here))
            return false;
        more = n < rest.n;
        rest = span_after(rest, n + 1);
    }
    return !more;
}

bool pattern_match(const struct pattern *p, struct span method, struct span host, struct span path)
{
    return match_method(p->method, method) && match_path(p, path) && match_host(p->host, host);
}

/* ---- one pattern within another */

static bool covers_path(const struct pattern *p, const struct pattern *q)
{
    for (size_t i = 0; i < p->segment_count; i++) {
        const struct segment *s = &p->segments[i];
        if (s->kind == SEGMENT_REST)
            return true; /* also the folder itself: /api/x/... or /api */
        if (i == q->segment_count || q->segments[i].kind == SEGMENT_REST)
            return false;
        const struct segment *t = &q->segments[i];
        bool one = t->kind == SEGMENT_ONE || t->text.n > 0;
        bool same = t->kind == SEGMENT_LITERAL && span_equal(s->text, t->text);
        if (s->kind == SEGMENT_ONE ? !one : !same)
            return false;
    }
    return p->segment_count == q->segment_count;
}

bool pattern_covers(const struct pattern *p, const struct pattern *q)
{
    bool method = p->method.n == 0 || (q->method.n > 0 && match_method(p->method, q->method));
    bool host = p->host.n == 0 || (q->host.n > 0 && match_host(p->host, q->host));

    return method && host && covers_path(p, q);
}

/* ---- one pattern beside another */

static bool overlap_path(const struct pattern *p, const struct pattern *q)
{
    for (size_t i = 0;; i++) {
        const struct segment *s = i < p->segment_count ? &p->segments[i] : NULL;
        const struct segment *t = i < q->segment_count ? &q->segments[i] : NULL;
        if ((s && s->kind == SEGMENT_REST) || (t && t->kind == SEGMENT_REST))
            return true;
        if (!s || !t)
            return !s && !t;
        if (s->kind == SEGMENT_LITERAL && t->kind == SEGMENT_LITERAL &&
            !span_equal(s->text, t->text))
            return false;
    }
}

bool pattern_overlaps(const struct pattern *p, const struct pattern *q)
{
    bool method = p->method.n == 0 || q->method.n == 0 || match_method(p->method, q->method) ||
                  match_method(q->method, p->method);
    bool host = p->host.n == 0 || q->host.n == 0 || match_host(p->host, q->host) ||
                match_host(q->host, p->host);

    return ((p->beginning ^ q->beginning) & p->known & q->known) == 0 && method && host &&
           overlap_path(p, q);
}
