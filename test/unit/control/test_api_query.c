/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_query.c - what may stand behind the '?' of the admin API. */
#include "control/api_query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct query_row rows[2];

static const char *read(struct arena *a, const char *query)
{
    rows[0] = (struct query_row){ .key = "objective" };
    rows[1] = (struct query_row){ .key = "points" };
    return query_read(span_from_text(query), rows, 2, a);
}

static void keys_have_values(void **state)
{
    struct arena a = {};

    (void)state;
    assert_null(read(&a, ""));
    assert_false(rows[0].given || rows[1].given);
    assert_null(read(&a, "points=12&objective=a%2Fb+c"));
    assert_true(span_equal(rows[0].value, SPAN("a/b c")));
    assert_true(span_equal(rows[1].value, SPAN("12")));
    assert_null(read(&a, "objective="));
    assert_true(rows[0].given && rows[0].value.n == 0);
    arena_free(&a);
}

static void anything_else_is_said(void **state)
{
    struct arena a = {};

    (void)state;
    assert_string_equal(read(&a, "color=1"), "behind the '?' are known: objective, points");
    assert_string_equal(read(&a, "points=1&&objective=2"),
                        "behind the '?' are known: objective, points");
    assert_string_equal(read(&a, "points"), "points has no value: points=... was expected");
    assert_string_equal(read(&a, "points=1&points=1"), "points is given twice");
    assert_string_equal(read(&a, "points=%"), "the value of points is not encoded rightly");
    assert_string_equal(read(&a, "points=%1"), "the value of points is not encoded rightly");
    assert_string_equal(read(&a, "points=%zz"), "the value of points is not encoded rightly");
    assert_string_equal(read(&a, "points=%00"), "the value of points is not encoded rightly");
    assert_string_equal(read(&a, "points=%0a"), "the value of points is not encoded rightly");
    arena_free(&a);
}

static void numbers_are_whole(void **state)
{
    uint64_t n = 7;

    (void)state;
    assert_true(query_count(SPAN("400"), 2, 400, &n));
    assert_int_equal(n, 400);
    assert_false(query_count(SPAN("401"), 2, 400, &n));
    assert_false(query_count(SPAN("1"), 2, 400, &n));
    assert_false(query_count(SPAN(""), 0, 400, &n));
    assert_false(query_count(SPAN("-3"), 0, 400, &n));
    assert_false(query_count(SPAN("3x"), 0, 400, &n));
    assert_false(query_count(SPAN("18446744073709551619"), 0, 400, &n));
    assert_int_equal(n, 400);
}

static void seconds_have_decimals(void **state)
{
    ns_t t = 0;

    (void)state;
    assert_true(query_seconds(SPAN("0.25"), &t));
    assert_int_equal(t, 250 * NS_PER_MS);
    assert_true(query_seconds(SPAN("12"), &t));
    assert_int_equal(t, 12 * NS_PER_S);
    assert_true(query_seconds(SPAN("0.000000001"), &t));
    assert_int_equal(t, 1);
    assert_true(query_seconds(SPAN("1000000"), &t));
    assert_false(query_seconds(SPAN("1000001"), &t));
    assert_false(query_seconds(SPAN(""), &t));
    assert_false(query_seconds(SPAN("."), &t));
    assert_false(query_seconds(SPAN("1."), &t));
    assert_false(query_seconds(SPAN(".5"), &t));
    assert_false(query_seconds(SPAN("1e3"), &t));
    assert_false(query_seconds(SPAN("0.0000000001"), &t));
    assert_false(query_seconds(SPAN("0.2.5"), &t));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_have_values),
        cmocka_unit_test(anything_else_is_said),
        cmocka_unit_test(numbers_are_whole),
        cmocka_unit_test(seconds_have_decimals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
