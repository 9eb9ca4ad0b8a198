/* SPDX-License-Identifier: Apache-2.0 */
/* test_suggest.c - journeys and round numbers from what was observed. */
#include "unit.h"

#include "base/str.h"
#include "core/slo.h"
#include "core/suggest.h"

#include <stdlib.h>

static void targets(void **state)
{
    static const struct {
        uint64_t judged;
        uint64_t failed;
        const char *target;
        bool kept;
    } cases[] = {
        { 1000000, 0, "99.99%", true },
        { 1000000, 100, "99.99%", true },
        { 1000000, 101, "99.95%", true },
        { 1000000, 1000, "99.9%", true },
        { 1000000, 1001, "99.5%", true },
        { 1000000, 20000, "98%", true },
        { 1000000, 20001, "95%", true },
        { 1000000, 60000, "95%", false },
        /* too little was seen for more */
        { 1000, 0, "99.9%", true },
        { 999, 0, "99.5%", true },
        { 100, 0, "99%", true },
        { 20, 0, "95%", true },
        { 1, 0, "95%", true },
        { 1, 1, "95%", false },
        { 0, 0, "95%", true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t target;
        bool kept;
        const char *text = suggest_target(cases[i].judged, cases[i].failed, &target, &kept);
        if (strcmp(text, cases[i].target) != 0 || kept != cases[i].kept)
            fail_msg("%lu of %lu: %s, %d", (unsigned long)cases[i].failed,
                     (unsigned long)cases[i].judged, text, kept);
        assert_int_equal(target, slo_target(atof(text) / 100));
    }
}

static void thresholds(void **state)
{
    static const struct {
        ns_t observed;
        ns_t under;
    } cases[] = {
        { 0, 10 * NS_PER_MS },
        { 8 * NS_PER_MS, 10 * NS_PER_MS },
        { 9 * NS_PER_MS, 12 * NS_PER_MS },
        { 100 * NS_PER_MS, 120 * NS_PER_MS },
        { 101 * NS_PER_MS, 150 * NS_PER_MS },
        { 250 * NS_PER_MS, 300 * NS_PER_MS },
        { 700 * NS_PER_MS, NS_PER_S },
        { 3 * NS_PER_S, 4 * NS_PER_S },
        { 999 * NS_PER_S, 1000 * NS_PER_S },
        { INT64_MAX, 1000 * NS_PER_S },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        ns_t under = suggest_under(cases[i].observed);
        if (under != cases[i].under || !histogram_is_edge(under))
            fail_msg("%ld gave %ld", (long)cases[i].observed, (long)under);
    }
}

/* "METHOD pattern requests failed excluded" */
struct seen {
    const char *method;
    const char *pattern;
    unsigned requests, failed, excluded;
};

static void expect_journeys(const struct seen *seen, size_t count, const char *expected)
{
    struct path_counts *counts = calloc(count, sizeof(*counts));
    struct path_group *groups = calloc(count, sizeof(*groups));
    struct suggested_journey *journeys = calloc(SUGGEST_JOURNEYS_MAX, sizeof(*journeys));
    struct str out = str_growing();

    for (size_t i = 0; i < count; i++) {
        counts[i] = (struct path_counts){ .requests = seen[i].requests,
                                          .failed = seen[i].failed,
                                          .excluded = seen[i].excluded };
        groups[i] = (struct path_group){ span_from_text(seen[i].method),
                                         span_from_text(seen[i].pattern), &counts[i] };
    }
    size_t n = suggest_journeys(groups, count, journeys);
    for (size_t i = 0; i < n; i++) {
        const struct suggested_journey *j = &journeys[i];
        str_print(&out, "%s%s %lu:", j->name, j->must_have ? "!" : "", (unsigned long)j->requests);
        for (size_t k = 0; k < j->route_count; k++)
            str_print(&out, " %.*s %.*s", SPAN_ARG(j->routes[k]->method),
                      SPAN_ARG(j->routes[k]->pattern));
        str_char(&out, '\n');
    }
    assert_string_equal(str_cstr(&out), expected);
    str_free(&out);
    free(counts);
    free(groups);
    free(journeys);
}

static void journeys(void **state)
{
    static const struct seen shop[] = {
        { "GET", "/", 5000, 0, 0 },
        { "GET", "/product/{id}", 4000, 3, 9 },
        { "GET", "/healthz", 3000, 0, 0 },
        { "GET", "/cart", 400, 0, 0 },
        { "POST", "/cart", 300, 0, 0 },
        { "POST", "/checkout", 200, 1, 0 },
        { "GET", "/login", 100, 0, 0 },
        { "POST", "/login", 100, 0, 40 },
        { "POST", "/api/v1/comments", 50, 0, 0 },
        { "DELETE", "/api/v1/comments/{id}", 20, 0, 0 },
        { "GET", "/imprint", 10, 0, 0 },
        { "POST", "/secret", 9, 0, 9 },
        { "POST", "/{id}", 5, 0, 0 },
        { "PUT", "/browse", 4, 0, 0 },
        { "POST", "/once", 1, 0, 0 },
    };

    (void)state;
    expect_journeys(shop, COUNT(shop),
                    "checkout! 900: GET /cart POST /cart POST /checkout\n"
                    "account! 200: GET /login POST /login\n"
                    "comments! 70: POST /api/v1/comments DELETE /api/v1/comments/{id}\n"
                    "changes! 5: POST /{id}\n"
                    "browse2! 4: PUT /browse\n"
                    "browse 9000: GET / GET /product/{id}\n");
    expect_journeys(shop, 0, "");
}

static void there_are_never_too_many(void **state)
{
    static struct seen many[200];
    static char paths[200][16];
    struct suggested_journey *found = calloc(SUGGEST_JOURNEYS_MAX, sizeof(*found));
    struct path_counts counts = { .requests = 10 };
    struct path_group groups[200];

    (void)state;
    for (size_t i = 0; i < COUNT(many); i++) {
        snprintf(paths[i], sizeof(paths[i]), "/w%zu", i);
        groups[i] = (struct path_group){ i < 100 ? SPAN("POST") : SPAN("GET"),
                                         span_from_text(paths[i]), &counts };
    }
    assert_int_equal(suggest_journeys(groups, COUNT(many), found), SUGGEST_JOURNEYS_MAX);
    assert_string_equal(found[SUGGEST_JOURNEYS_MAX - 1].name, "browse");
    assert_int_equal(found[SUGGEST_JOURNEYS_MAX - 1].route_count, SUGGEST_ROUTES_MAX);
    free(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets),
        cmocka_unit_test(thresholds),
        cmocka_unit_test(journeys),
        cmocka_unit_test(there_are_never_too_many),
    };

    return RUN(tests);
}
