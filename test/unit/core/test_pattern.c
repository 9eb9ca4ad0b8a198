/* SPDX-License-Identifier: Apache-2.0 */
/* test_pattern.c - which requests a pattern means. */
#include "unit.h"

#include "base/arena.h"
#include "base/rand.h"
#include "core/pattern.h"

static void matching(void **state)
{
    static const struct {
        const char *pattern;
        const char *method;
        const char *host;
        const char *path;
        bool matches;
    } cases[] = {
        { "/", "GET", "a", "/", true },
        { "/", "GET", "a", "/x", false },
        { "GET /", "POST", "a", "/", false },
        { "GET /", "HEAD", "a", "/", true },
        { "HEAD /", "GET", "a", "/", false },
        { "/cart", "GET", "a", "/cart", true },
        { "/cart", "GET", "a", "/cart/", false },
        { "/cart/", "GET", "a", "/cart/", true },
        { "/cart", "GET", "a", "/Cart", false },
        { "/cart", "GET", "a", "/carts", false },
        { "/product/{id}", "GET", "a", "/product/7", true },
        { "/product/{id}", "GET", "a", "/product/", false },
        { "/product/{id}", "GET", "a", "/product/7/x", false },
        { "/a/{b}/c", "GET", "a", "/a/x/c", true },
        { "/a/{b}/c", "GET", "a", "/a//c", false },
        { "/api/*", "GET", "a", "/api/x/y", true },
        { "/api/*", "GET", "a", "/api/", true },
        { "/api/*", "GET", "a", "/api", true },
        { "/api/*", "GET", "a", "/apix", false },
        { "/*", "DELETE", "", "/any/thing", true },
        { "/*", "OPTIONS", "a", "*", false },
        { "shop.example.com/cart", "GET", "SHOP.example.com:8080", "/cart", true },
        { "shop.example.com/cart", "GET", "shop.example.com.", "/cart", true },
        { "shop.example.com/cart", "GET", "example.com", "/cart", false },
        { "GET *.example.com/", "GET", "a.b.example.com", "/", true },
        { "GET *.example.com/", "GET", "example.com", "/", false },
        { "GET *.example.com/", "GET", "evilexample.com", "/", false },
        { "[::1]/", "GET", "[::1]:80", "/", true },
        { "[::1]/", "GET", "[::2]:80", "/", false },
        { "[::1]/", "GET", "[::1", "/", false },
        { "shop/", "GET", "", "/", false },
        { "*.a/", "GET", ".a", "/", false },
        { "/a//b", "GET", "a", "/a//b", true },
        { "/a//b", "GET", "a", "/a/b", false },
        { "/", "GET", "a", "", false },
        { "/{a}", "GET", "a", "/", false },
        { "/{a}/*", "GET", "a", "/x", true },
        { "/{a}/*", "GET", "a", "/", false },
        { "/*", "GET", "a", "/", true },
        { "/a%20b", "GET", "a", "/a%20b", true },
        { "  GET   /x  ", "GET", "a", "/x", true },
    };
    struct arena a = {};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern p;
        assert_null(pattern_parse(&a, span_from_text(cases[i].pattern), &p));
        if (pattern_match(&p, span_from_text(cases[i].method), span_from_text(cases[i].host),
                          span_from_text(cases[i].path)) != cases[i].matches)
            fail_msg("'%s' and %s %s%s", cases[i].pattern, cases[i].method, cases[i].host,
                     cases[i].path);
    }
    arena_free(&a);
}

static void wrong_patterns(void **state)
{
    static const struct {
        const char *pattern;
        const char *expected; /* in the sentence */
    } cases[] = {
        { "", "METHOD /path" },
        { "GET", "the path is missing" },
        { "GET ", "the path is missing" },
        { "cart", "the path is missing" },
        { "GET cart", "the path is missing" },
        { "get /", "in capitals" },
        { "- /", "in capitals" },
        { "a b/c", "in capitals" },
        { "GET/x", "a blank is missing" },
        { "/a*", "inside a segment" },
        { "/*/b", "only at the end" },
        { "/{", "in braces" },
        { "/{}", "in braces" },
        { "/{a", "in braces" },
        { "/{a}{b}", "in braces" },
        { "/{a b}", "in braces" },
        { "/{a}x", "in braces" },
        { "/a{b}", "inside a segment" },
        { "/a?b", "inside a segment" },
        { "/a#b", "inside a segment" },
        { "/a b/c", "as in a request" },
        { "/caf\xC3\xA9", "as in a request" },
        { "ex\tample/", "a host has" },
        { "a..b/", "a host has" },
        { ".a/", "a host has" },
        { "*a/", "a host has" },
        { "a.*.b/", "a host has" },
        { "*/", "a host has" },
        { "*./", "from 1 to 253" },
        { "GET shop:80/x", "without scheme and port" },
        { "http://shop/x", "without scheme and port" },
        { "[::1/", "is written [::1]" },
        { "[::1]:80/", "is written [::1]" },
        { "[]/", "is written [::1]" },
    };
    struct arena a = {};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern p = { .text = SPAN("untouched") };
        const char *wrong = pattern_parse(&a, span_from_text(cases[i].pattern), &p);
        if (!wrong || !strstr(wrong, cases[i].expected))
            fail_msg("'%s' gave: %s", cases[i].pattern, wrong ? wrong : "nothing");
        assert_span(p.text, "untouched");
    }
    arena_free(&a);
}

static void the_number_of_segments_has_a_bound(void **state)
{
    char text[2 * PATTERN_SEGMENTS_MAX + 3];
    struct arena a = {};
    struct pattern p;

    (void)state;
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        text[i] = i % 2 ? 'x' : '/';
    assert_null(pattern_parse(&a, span_of(text, (size_t)2 * PATTERN_SEGMENTS_MAX), &p));
    assert_non_null(pattern_parse(&a, span_of(text, (size_t)2 * PATTERN_SEGMENTS_MAX + 2), &p));
    arena_free(&a);
}

static void covering(void **state)
{
    static const struct {
        const char *p;
        const char *q;
        bool covers;
    } cases[] = {
        { "/*", "GET a.b/x/{y}", true }, { "/x", "/x", true },
        { "/x", "GET a/x", true },       { "GET /x", "/x", false },
        { "GET /x", "HEAD /x", true },   { "HEAD /x", "GET /x", false },
        { "a/x", "/x", false },          { "*.a/x", "b.a/x", true },
        { "*.a/x", "*.b.a/x", true },    { "*.b.a/x", "*.a/x", false },
        { "*.a/x", "a/x", false },       { "b.a/x", "*.a/x", false },
        { "A/x", "a/x", true },          { "/x/*", "/x", true },
        { "/x/*", "/x/*", true },        { "/x/*", "/x/y/*", true },
        { "/x/y/*", "/x/*", false },     { "/x/{y}", "/x/z", true },
        { "/x/{y}", "/x/{z}", true },    { "/x/{y}", "/x/", false },
        { "/x/{y}", "/x/*", false },     { "/x/z", "/x/{y}", false },
        { "/x", "/x/y", false },         { "/x/y", "/x", false },
    };
    struct arena a = {};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern p;
        struct pattern q;
        assert_null(pattern_parse(&a, span_from_text(cases[i].p), &p));
        assert_null(pattern_parse(&a, span_from_text(cases[i].q), &q));
        if (pattern_covers(&p, &q) != cases[i].covers)
            fail_msg("'%s' and '%s'", cases[i].p, cases[i].q);
    }
    arena_free(&a);
}

static struct span pick(struct rng *rng, const char *const *words, size_t count)
{
    return span_from_text(words[rng_below(rng, count)]);
}

/* Covering, put to the proof by requests: behind a pattern that covers, nothing else is matched. */
static void what_covers_also_matches(void **state)
{
    static const char *const patterns[] = { "/",      "/*",      "/a",      "/a/*",    "/a/",
                                            "/{x}",   "/a/{x}",  "/a/b",    "/{x}/b",  "/{x}/*",
                                            "/a/b/*", "GET /a",  "HEAD /a", "GET /*",  "h/a",
                                            "h/*",    "*.h/a/*", "g.h/a",   "*.g.h/*", "//" };
    static const char *const methods[] = { "GET", "HEAD", "POST" };
    static const char *const hosts[] = { "h", "g.h", "f.g.h:80", "H.", "" };
    static const char *const paths[] = { "/",  "/a",    "/a/",   "/a/b",  "/b/b",
                                         "//", "/a//b", "/a/b/", "/x/y/z" };
    struct arena a = {};
    struct rng rng = { 7 };
    unsigned covered = 0;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        struct pattern p;
        struct pattern q;
        assert_null(pattern_parse(&a, pick(&rng, patterns, COUNT(patterns)), &p));
        assert_null(pattern_parse(&a, pick(&rng, patterns, COUNT(patterns)), &q));
        struct span method = pick(&rng, methods, COUNT(methods));
        struct span host = pick(&rng, hosts, COUNT(hosts));
        struct span path = pick(&rng, paths, COUNT(paths));
        if (pattern_match(&p, method, host, path))
            assert_true(pattern_may_match(&p, pattern_beginning(path)));
        if (!pattern_covers(&p, &q) || !pattern_match(&q, method, host, path))
            continue;
        covered++;
        if (!pattern_match(&p, method, host, path))
            fail_msg("%.*s does not cover %.*s: %.*s %.*s%.*s", SPAN_ARG(p.text), SPAN_ARG(q.text),
                     SPAN_ARG(method), SPAN_ARG(host), SPAN_ARG(path));
    }
    assert_true(covered > 100);
    arena_free(&a);
}

/* What is left to look at closer: never less than what matches, and little else. */
static void beginnings(void **state)
{
    static const struct {
        const char *pattern, *path;
        bool may;
    } cases[] = {
        { "/cart", "/cart", true },
        { "/cart", "/carts", false },
        { "/cart", "/car", false },
        { "/cart/{x}", "/carts/1", false },
        { "/cart/*", "/cart", true },
        { "/", "/", true },
        { "/", "/a", false },
        { "/*", "/a", true },
        { "/{x}", "/a", true },
        { "/product", "/product", true }, /* eight bytes: what comes behind is not looked at */
        { "/product", "/products", true },
        { "/longer/than/a/word", "/longer/than", true },
        { "/longer/than/a/word", "/long/than/a/word", false },
    };
    struct arena a = {};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pattern p;
        assert_null(pattern_parse(&a, span_from_text(cases[i].pattern), &p));
        if (pattern_may_match(&p, pattern_beginning(span_from_text(cases[i].path))) != cases[i].may)
            fail_msg("'%s' and %s", cases[i].pattern, cases[i].path);
    }
    arena_free(&a);
}

static bool overlap(const char *p, const char *q)
{
    struct arena a = {};
    struct pattern one;
    struct pattern other;

    assert_null(pattern_parse(&a, span_from_text(p), &one));
    assert_null(pattern_parse(&a, span_from_text(q), &other));
    bool both = pattern_overlaps(&one, &other);
    assert_int_equal(both, pattern_overlaps(&other, &one));
    arena_free(&a);
    return both;
}

static void test_overlaps(void **state)
{
    static const struct {
        const char *p, *q;
        bool both;
    } rows[] = {
        { "GET /a", "GET /a", true },
        { "GET /a", "POST /a", false },
        { "GET /a", "HEAD /a", true },
        { "GET /a", "/*", true },
        { "/api/*", "/api", true },
        { "/api/*", "/other/*", false },
        { "/a/{x}/c", "/a/b/{y}", true },
        { "/a/{x}/c", "/a/b/d", false },
        { "/a/{x}", "/a", false },
        { "/a", "/a/b", false },
        { "shop.test/a", "GET /a", true },
        { "shop.test/a", "other.test/a", false },
        { "*.shop.test/a", "www.shop.test/{x}", true },
        { "/averylongbeginning/a", "/averylongbeginning/b", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (overlap(rows[i].p, rows[i].q) != rows[i].both)
            fail_msg("%s and %s", rows[i].p, rows[i].q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matching),
        cmocka_unit_test(wrong_patterns),
        cmocka_unit_test(the_number_of_segments_has_a_bound),
        cmocka_unit_test(covering),
        cmocka_unit_test(what_covers_also_matches),
        cmocka_unit_test(beginnings),
        cmocka_unit_test(test_overlaps),
    };
    return RUN(tests);
}
