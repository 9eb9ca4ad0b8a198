/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_pattern.c - a pattern and a path, a line each: a literal pattern takes exactly its own path, and
 * nothing but a leading GET matches another method. */
#include "fuzz.h"

#include "base/arena.h"
#include "core/pattern.h"

static bool is_literal(const struct pattern *p)
{
    for (size_t i = 0; i < p->segment_count; i++) {
        if (p->segments[i].kind != SEGMENT_LITERAL)
            return false;
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = span_of(data, size);
    size_t line = span_find(text, '\n');
    struct span path = span_after(text, line + 1);
    struct arena a = {};
    struct pattern p;

    if (!pattern_parse(&a, span_of(text.p, line), &p)) {
        bool any = p.method.n == 0;
        bool matches = pattern_match(&p, any ? SPAN("GET") : p.method, p.host, path);
        check(!matches || pattern_may_match(&p, pattern_beginning(path)));
        if (is_literal(&p) && p.host.n == 0)
            check(matches == span_equal(path, p.path));
        bool brews = span_equal(p.method, SPAN("BREW"));
        if (matches && !any)
            check(!pattern_match(&p, brews ? SPAN("STEEP") : SPAN("BREW"), p.host, path));
    }
    arena_free(&a);
    return 0;
}
