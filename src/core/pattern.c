/* SPDX-License-Identifier: Apache-2.0 */
/* pattern.c - reading and matching patterns. Matching looks at each byte of the path once. */
#include "core/pattern.h"

#include "base/arena.h"

static bool is_method(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((s.p[i] < 'A' || s.p[i] > 'Z') && s.p[i] != '-')
            return false;
    }
    return s.n > 0;
}

static bool is_host(struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        bool good = (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '-' || c == '.' || c == '_' ||
                    c == '[' || c == ']' || c == ':' || (c == '*' && i == 0);
        if (!good)
            return false;
    }
    return s.n > 0 && s.n <= 255;
}

static const char *read_segment(struct span text, bool last, struct segment *ret)
{
    if (span_equal(text, SPAN("*"))) {
        *ret = (struct segment){ SEGMENT_REST, text };
        return last ? NULL : "'*' stands only at the end; {name} stands for one segment";
    }
    if (text.n > 0 && text.p[0] == '{') {
        if (text.n < 3 || text.p[text.n - 1] != '}')
            return "a segment in braces is written {name}";
        *ret = (struct segment){ SEGMENT_ONE, span_of(text.p + 1, text.n - 2) };
        return NULL;
    }
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("{}*?# \t", text.p[i]))
            return "'{', '}', '*', '?', '#' and blanks cannot stand inside a segment";
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

const char *pattern_parse(struct arena *a, struct span text, struct pattern *ret_pattern)
{
    struct pattern p = { .text = text };
    struct span rest = span_trim(text);
    size_t blank = span_find(rest, ' ');

    if (rest.n == 0)
        return "a route is written METHOD /path, such as GET /product/{id}";
    if (blank < rest.n) {
        p.method = span_of(rest.p, blank);
        if (!is_method(p.method))
            return "a route begins with a method in capitals, such as GET, or with the path";
        rest = span_trim(span_after(rest, blank));
    }
    size_t slash = span_find(rest, '/');
    if (slash == rest.n)
        return "the path is missing; it begins with '/'";
    if (slash > 0) {
        p.host = span_of(rest.p, slash);
        if (!is_host(p.host))
            return "the host before the path is malformed";
    }
    p.path = span_after(rest, slash);
    const char *wrong = read_path(a, &p);
    if (!wrong)
        *ret_pattern = p;
    return wrong;
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
