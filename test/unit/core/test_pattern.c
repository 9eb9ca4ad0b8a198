/* SPDX-License-Identifier: Apache-2.0 */
/* test_pattern.c - which requests a pattern means. */
#include "unit.h"

#include "base/arena.h"
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
    static const char *const wrong[] = { "",     "GET",    "get /", "cart",     "GET cart", "/a*",
                                         "/*/b", "/{",     "/{}",   "/{a",      "/a{b}",    "/a?b",
                                         "/a#b", "/a b/c", "a b/c", "ex ample/" };
    struct arena a = {};

    (void)state;
    for (size_t i = 0; i < COUNT(wrong); i++) {
        struct pattern p = { .text = SPAN("untouched") };
        if (!pattern_parse(&a, span_from_text(wrong[i]), &p))
            fail_msg("'%s' was accepted", wrong[i]);
        assert_span(p.text, "untouched");
    }
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(matching),
                                        cmocka_unit_test(wrong_patterns) };
    return RUN(tests);
}
