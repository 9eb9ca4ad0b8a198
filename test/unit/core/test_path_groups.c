/* SPDX-License-Identifier: Apache-2.0 */
/* test_path_groups.c - single requests become patterns, and every request is counted somewhere. */
#include "unit.h"

#include "base/str.h"
#include "core/path_groups.h"
#include "core/pattern.h"

#include <stdlib.h>

static struct path_groups *fresh(void)
{
    static struct path_groups g; /* 13 MiB */

    memset(&g, 0, sizeof(g));
    path_groups_init(&g);
    return &g;
}

static void ask(struct path_groups *g, const char *method, const char *path, unsigned status,
                unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        path_groups_add(g, &(struct path_event){ .method = span_from_text(method),
                                                 .path = span_from_text(path),
                                                 .status = status,
                                                 .outcome = status >= 500   ? OUTCOME_FAILED
                                                            : status >= 400 ? OUTCOME_EXCLUDED
                                                                            : OUTCOME_GOOD,
                                                 .took = NS_PER_MS });
}

/* The same with a number in the path. */
static void ask_many(struct path_groups *g, const char *format, unsigned from, unsigned to,
                     unsigned times)
{
    for (unsigned i = from; i < to; i++) {
        char path[200];
        snprintf(path, sizeof(path), "%.*s%u%s", (int)(strchr(format, '#') - format), format, i,
                 strchr(format, '#') + 1);
        ask(g, "GET", path, 200, times);
    }
}

/* "requests METHOD pattern" a line. Every request is in a group or in one of the other counts. */
static void expect_groups(struct path_groups *g, const char *expected)
{
    struct arena a = {};
    struct path_group *list;
    struct str out = str_growing();
    size_t count = path_groups_finish(g, &a, &list);
    uint64_t sum = g->assets + g->unfound + g->other_methods + g->lost;

    for (size_t i = 0; i < count; i++) {
        struct pattern p;
        uint64_t timed = 0;
        str_print(&out, "%lu %.*s %.*s\n", (unsigned long)list[i].counts->requests,
                  SPAN_ARG(list[i].method), SPAN_ARG(list[i].pattern));
        assert_null(pattern_parse(&a, list[i].pattern, &p));
        for (size_t b = 0; b < HISTOGRAM_BINS; b++)
            timed += list[i].counts->bins[b];
        assert_int_equal(timed, list[i].counts->timed);
        sum += list[i].counts->requests;
    }
    if (expected)
        assert_string_equal(str_cstr(&out), expected);
    assert_int_equal(sum, g->requests);
    str_free(&out);
    arena_free(&a);
}

/* Lists what g has and adds it to another one. */
static void add_rows(struct path_groups *to, struct path_groups *g)
{
    struct arena a = {};
    struct path_group *list;
    size_t count = path_groups_finish(g, &a, &list);

    for (size_t i = 0; i < count; i++) {
        const struct path_counts *c = list[i].counts;
        uint32_t *bins = arena_array(&a, uint32_t, HISTOGRAM_BINS);
        uint64_t *counts = arena_array(&a, uint64_t, HISTOGRAM_BINS);
        size_t n = 0;
        for (uint32_t b = 0; b < HISTOGRAM_BINS; b++) {
            if (c->bins[b]) {
                bins[n] = b;
                counts[n++] = c->bins[b];
            }
        }
        path_groups_add_row(to, &(struct path_row){ .method = list[i].method,
                                                    .pattern = list[i].pattern,
                                                    .requests = c->requests,
                                                    .failed = c->failed,
                                                    .excluded = c->excluded,
                                                    .bins = bins,
                                                    .bin_counts = counts,
                                                    .bin_count = n });
    }
    arena_free(&a);
}

/* What several counted is as if one had. */
static void of_others(void **state)
{
    struct path_groups *other = calloc(1, sizeof(*other));
    struct path_groups *g = fresh();

    (void)state;
    assert_non_null(other);
    path_groups_init(other);
    ask_many(other, "/product/#", 0, 5, 2);
    ask_many(other, "/shirts/blue-#", 0, 20, 1);
    ask(other, "POST", "/cart", 500, 3);
    ask(other, "GET", "/only/there", 200, 1);
    ask(other, "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n", 200, 1);
    ask_many(g, "/product/#", 7, 9, 2);
    ask_many(g, "/shirts/red-#", 0, 20, 1);
    ask(g, "POST", "/cart", 200, 4);
    add_rows(g, other);
    static const char *const wrong[] = { "/x/*", "x", "", "/a b", "/{other}" };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        path_groups_add_row(g, &(struct path_row){ .method = SPAN("GET"),
                                                   .pattern = span_from_text(wrong[i]),
                                                   .requests = 10 });
    path_groups_add_row(
        g, &(struct path_row){ .method = SPAN("BREW"), .pattern = SPAN("/x"), .requests = 1 });
    assert_int_equal(g->lost, 51);
    expect_groups(g, "40 GET /shirts/{name}\n14 GET /product/{id}\n7 POST /cart\n"
                     "1 GET /a/b/c/d/e/f/g/h/i/j/k/l/*\n1 GET /only/there\n");
    free(other);
}

static void ids(void **state)
{
    static const char *const yes[] = { "7",
                                       "20240131",
                                       "2024-01-31",
                                       "1.5",
                                       "123-blue-shirt",
                                       "order_1234",
                                       "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
                                       "d41d8cd98f00b204e9800998ecf8427e",
                                       "deadbeef1",
                                       "01ARZ3NDEKTSV4RRFFQ69G5FAV",
                                       "cus_NffrFeUfNV2Hib4" };
    static const char *const no[] = {
        "",       "-",      "cart",   "v1",     "v2",      "blue-shirt", "2fa",
        "oauth2", "decade", "step-2", "facade", "favicon", "sign-up",    "how-to-do-it-in-ten-days"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++) {
        if (!path_is_id(span_from_text(yes[i])))
            fail_msg("%s is an id", yes[i]);
    }
    for (size_t i = 0; i < COUNT(no); i++) {
        if (path_is_id(span_from_text(no[i])))
            fail_msg("%s is no id", no[i]);
    }
}

static void assets(void **state)
{
    static const char *const yes[] = { "/a.css", "/x/app.3f2a.js", "/IMG.PNG", "/f.woff2",
                                       "/site.webmanifest" };
    static const char *const no[] = {
        "/", "/a", "/a.css/b", "/a.", "/a.php", "/.well-known", "/a.verylongextension", "/v1.2"
    };

    (void)state;
    for (size_t i = 0; i < COUNT(yes); i++) {
        if (!path_is_asset(span_from_text(yes[i])))
            fail_msg("%s is static", yes[i]);
    }
    for (size_t i = 0; i < COUNT(no); i++) {
        if (path_is_asset(span_from_text(no[i])))
            fail_msg("%s is not static", no[i]);
    }
}

static void plain_paths_and_ids(void **state)
{
    struct path_groups *g = fresh();

    (void)state;
    ask(g, "GET", "/", 200, 3);
    ask(g, "HEAD", "/", 200, 1);
    ask_many(g, "/product/#", 1, 11, 2);
    ask_many(g, "/user/#/orders/7", 1, 6, 1);
    ask(g, "POST", "/cart", 200, 2);
    ask(g, "POST", "/cart", 500, 1);
    ask(g, "GET", "/cart/", 200, 1);
    ask(g, "GET", "/app.js", 200, 9);
    ask(g, "OPTIONS", "/cart", 200, 1);
    ask(g, "GET", "*", 200, 1);
    expect_groups(g, "20 GET /product/{id}\n"
                     "5 GET /user/{id}/orders/{id}\n"
                     "4 GET /\n"
                     "3 POST /cart\n"
                     "1 GET /cart/\n");
    assert_int_equal(g->assets, 9);
    assert_int_equal(g->other_methods, 1);
}

static void what_was_not_found_makes_no_paths(void **state)
{
    struct path_groups *g = fresh();

    (void)state;
    ask(g, "GET", "/wp-login.php", 404, 5);
    ask(g, "GET", "/product/1", 200, 2);
    ask(g, "GET", "/product/2", 404, 3);
    expect_groups(g, "5 GET /product/{id}\n");
    assert_int_equal(g->unfound, 5);
}

static void names_are_folded(void **state)
{
    struct path_groups *g = fresh();

    (void)state;
    for (int i = 0; i < 30; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/blog/how-to-%c%c", 'a' + i % 26, 'a' + i / 26);
        ask(g, "GET", path, 200, 1);
        snprintf(path, sizeof(path), "/blog/how-to-%c%c/comments", 'a' + i % 26, 'a' + i / 26);
        ask(g, "GET", path, 200, 2);
        snprintf(path, sizeof(path), "/tag/x%c%c", 'a' + i % 26, 'a' + i / 26);
        ask(g, "GET", path, 200, 1);
    }
    ask(g, "GET", "/blog/archive", 200, 7);
    expect_groups(g, "60 GET /blog/{name}/comments\n"
                     "30 GET /blog/{name}\n"
                     "30 GET /tag/{name}\n"
                     "7 GET /blog/archive\n");
}

static void more_names_than_are_kept(void **state)
{
    struct path_groups *g = fresh();

    (void)state;
    ask(g, "GET", "/shop/sale", 200, 1000);
    for (int i = 0; i < 2000; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/shop/%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26,
                 'a' + i / 676);
        ask(g, "GET", path, 200, 1);
    }
    expect_groups(g, "2000 GET /shop/{name}\n1000 GET /shop/sale\n");
    assert_true(g->node_count < 100);
}

static void bytes_that_no_pattern_holds(void **state)
{
    struct path_groups *g = fresh();
    char longer[300] = "/x/";

    (void)state;
    memset(longer + 3, 'a', sizeof(longer) - 4);
    ask(g, "GET", "/a/{b}", 200, 1);
    ask(g, "GET", "/a/*", 200, 1);
    ask(g, "GET", "/a/caf\xC3\xA9", 200, 1);
    ask(g, "GET", "/a/b%20c", 200, 1);
    ask(g, "GET", longer, 200, 1);
    ask(g, "GET", "/a//b", 200, 1);
    ask(g, "GET", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14", 200, 2);
    expect_groups(g, "4 GET /a/{name}\n"
                     "2 GET /{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/{id}/*\n"
                     "1 GET /a//b\n"
                     "1 GET /x/{name}\n");
}

/* A log that wants to fill the memory: nothing is written beyond it, and nothing is uncounted. */
static void memory_is_bounded(void **state)
{
    struct path_groups *g = fresh();

    (void)state;
    for (unsigned i = 0; i < 60000; i++) {
        char path[100];
        /* words only, so that no segment is an id */
        snprintf(path, sizeof(path), "/%c%c/%c%c/%c%c", 'a' + i % 23, 'a' + i / 23 % 23,
                 'a' + i % 19, 'a' + i / 7 % 26, 'a' + i % 17, 'a' + i / 11 % 26);
        ask(g, i % 2 ? "GET" : "POST", path, 200, 1);
    }
    assert_true(g->lost > 0);
    assert_true(g->counts_count == PATH_COUNTS_MAX);
    expect_groups(g, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_others),
        cmocka_unit_test(ids),
        cmocka_unit_test(assets),
        cmocka_unit_test(plain_paths_and_ids),
        cmocka_unit_test(what_was_not_found_makes_no_paths),
        cmocka_unit_test(names_are_folded),
        cmocka_unit_test(more_names_than_are_kept),
        cmocka_unit_test(bytes_that_no_pattern_holds),
        cmocka_unit_test(memory_is_bounded),
    };

    return RUN(tests);
}
