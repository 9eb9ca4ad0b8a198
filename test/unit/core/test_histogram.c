/* SPDX-License-Identifier: Apache-2.0 */
/* test_histogram.c - bins against division done by hand, shares and percentiles against sorted
 * values. */
#include "base/rand.h"
#include "core/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A value of any size, each number of digits equally often. */
static ns_t any_value(struct rng *r)
{
    ns_t limit = 10;

    for (uint64_t digits = rng_below(r, 14); digits > 0; digits--)
        limit *= 10;
    return (ns_t)rng_below(r, (uint64_t)limit);
}

/* The definition, written as a person would: scale down to two digits and a half, then count
 * steps. */
static uint32_t slow_bin(ns_t v)
{
    ns_t decade = 1000;
    uint32_t first = 1;

    if (v < 1000)
        return HISTOGRAM_BELOW;
    if (v >= INT64_C(1000000000000))
        return HISTOGRAM_ABOVE;
    while (v >= decade * 10) {
        decade *= 10;
        first += HISTOGRAM_PER_DECADE;
    }
    return first + (uint32_t)((v - decade) / (decade / 20));
}

static void bins_agree_with_the_definition(void **state)
{
    struct rng r = { .state = 1 };

    (void)state;
    for (int i = 0; i < 2000000; i++) {
        ns_t v = any_value(&r);
        assert_int_equal(histogram_bin(v), slow_bin(v));
    }
}

static void every_step_of_five_is_an_edge(void **state)
{
    (void)state;
    uint32_t bin = HISTOGRAM_BELOW;

    for (ns_t decade = 1000; decade < HISTOGRAM_MOST; decade *= 10) {
        for (ns_t n = 20; n < 200; n++) { /* n * 5 hundredths: 1.00, 1.05 ... 9.95 */
            ns_t edge = n * 5 * decade / 100;
            bin++;
            assert_int_equal(histogram_edge(bin), edge);
            assert_int_equal(histogram_bin(edge), bin);
            assert_int_equal(histogram_bin(edge - 1), bin - 1);
            assert_true(histogram_is_edge(edge));
            assert_false(histogram_is_edge(edge + 1));
            assert_false(histogram_is_edge(edge - 1));
        }
    }
    assert_int_equal(bin, HISTOGRAM_ABOVE - 1);
}

static void thresholds_that_people_write_are_edges(void **state)
{
    static const ns_t ms[] = {
        1,   2,   5,   10,  25,  50,  75,   100,  150,  200,   250,   300,
        400, 475, 500, 750, 800, 995, 1000, 1200, 2500, 10000, 30000, 60000
    };

    (void)state;
    for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++)
        assert_true(histogram_is_edge(ms[i] * NS_PER_MS));
    assert_false(histogram_is_edge(317 * NS_PER_MS));
    assert_false(histogram_is_edge(1234 * NS_PER_MS));
}

static void the_ends_take_everything_else(void **state)
{
    (void)state;
    assert_int_equal(HISTOGRAM_BINS, 1622);
    assert_int_equal(histogram_bin(INT64_MIN), HISTOGRAM_BELOW);
    assert_int_equal(histogram_bin(-1), HISTOGRAM_BELOW);
    assert_int_equal(histogram_bin(0), HISTOGRAM_BELOW);
    assert_int_equal(histogram_bin(999), HISTOGRAM_BELOW);
    assert_int_equal(histogram_bin(1000), 1);
    assert_int_equal(histogram_bin(HISTOGRAM_MOST - 1), HISTOGRAM_ABOVE - 1);
    assert_int_equal(histogram_bin(HISTOGRAM_MOST), HISTOGRAM_ABOVE);
    assert_int_equal(histogram_bin(INT64_MAX), HISTOGRAM_ABOVE);
    assert_int_equal(histogram_edge(HISTOGRAM_BELOW), 0);
    assert_int_equal(histogram_edge(HISTOGRAM_ABOVE), HISTOGRAM_MOST);
    assert_int_equal(histogram_edge(HISTOGRAM_BINS), NS_NEVER);
    assert_false(histogram_is_edge(-5));
    assert_true(histogram_is_edge(0));
    assert_true(histogram_is_edge(HISTOGRAM_MOST));
}

enum { VALUES = 4000 };

static int by_size(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

    return (x > y) - (x < y);
}

static void fill(struct rng *r, ns_t *values, size_t n, uint64_t *bins)
{
    memset(bins, 0, HISTOGRAM_BINS * sizeof(*bins));
    for (size_t i = 0; i < n; i++) {
        values[i] = any_value(r);
        bins[histogram_bin(values[i])]++;
    }
    qsort(values, n, sizeof(*values), by_size);
}

static void shares_agree_with_counting(void **state)
{
    static uint64_t bins[HISTOGRAM_BINS];
    static ns_t values[VALUES];
    struct rng r = { .state = 2 };

    (void)state;
    for (int round = 0; round < 200; round++) {
        size_t n = 1 + rng_below(&r, VALUES);
        fill(&r, values, n, bins);
        bool edge = round % 2 == 0;
        ns_t t = edge ? histogram_edge((uint32_t)rng_below(&r, HISTOGRAM_BINS)) : any_value(&r);
        uint64_t below = 0;
        while (below < n && values[below] < t)
            below++;

        struct histogram_share s = histogram_share_below(bins, t);
        assert_int_equal(s.total, n);
        assert_true(s.least <= below && below <= s.most);
        if (histogram_is_edge(t))
            assert_int_equal(s.least, s.most);
    }
}

static void percentiles_are_within_the_bin_of_their_rank(void **state)
{
    static uint64_t bins[HISTOGRAM_BINS];
    static ns_t values[VALUES];
    struct rng r = { .state = 3 };

    (void)state;
    for (int round = 0; round < 200; round++) {
        size_t n = 1 + rng_below(&r, VALUES);
        ns_t before = 0;
        fill(&r, values, n, bins);
        for (uint32_t ppm = 1; ppm <= 1000000; ppm += 12345) {
            size_t rank = (n * (uint64_t)ppm + 999999) / 1000000;
            ns_t p = histogram_percentile(bins, ppm);
            assert_int_equal(histogram_bin(p), histogram_bin(values[rank - 1]));
            assert_true(p >= before);
            before = p;
        }
    }
}

static void percentiles_interpolate_as_documented(void **state)
{
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    (void)state;
    assert_int_equal(histogram_percentile(bins, 500000), -1);
    bins[histogram_bin(300 * NS_PER_MS)] = 1; /* [300, 305) ms */
    assert_int_equal(histogram_percentile(bins, 1), 302500 * NS_PER_US);
    assert_int_equal(histogram_percentile(bins, 1000000), 302500 * NS_PER_US);
    bins[histogram_bin(300 * NS_PER_MS)] = 5; /* at 300.5, 301.5 ... 304.5 */
    assert_int_equal(histogram_percentile(bins, 200000), 300500 * NS_PER_US);
    assert_int_equal(histogram_percentile(bins, 200001), 301500 * NS_PER_US);
    assert_int_equal(histogram_percentile(bins, 990000), 304500 * NS_PER_US);
    bins[HISTOGRAM_ABOVE] = 95;
    assert_int_equal(histogram_percentile(bins, 50000), 304500 * NS_PER_US);
    assert_int_equal(histogram_percentile(bins, 50001), HISTOGRAM_MOST);
}

static void huge_counts_do_not_overflow(void **state)
{
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    (void)state;
    bins[1] = UINT64_C(1) << 62;
    bins[HISTOGRAM_ABOVE - 1] = UINT64_C(1) << 62;
    assert_int_equal(histogram_bin(histogram_percentile(bins, 500000)), 1);
    assert_int_equal(histogram_bin(histogram_percentile(bins, 500001)), HISTOGRAM_ABOVE - 1);
    assert_int_equal(histogram_total(bins), UINT64_C(1) << 63);
}

static void merging_adds_every_bin(void **state)
{
    uint64_t a[HISTOGRAM_BINS], b[HISTOGRAM_BINS];
    struct rng r = { .state = 4 };
    uint64_t expected = 0;

    (void)state;
    for (int i = 0; i < HISTOGRAM_BINS; i++) {
        a[i] = rng_below(&r, 1000);
        b[i] = rng_below(&r, 1000);
        expected += a[i] + b[i];
    }
    uint64_t first = a[0] + b[0], last = a[HISTOGRAM_ABOVE] + b[HISTOGRAM_ABOVE];
    histogram_merge(a, b);
    assert_int_equal(histogram_total(a), expected);
    assert_int_equal(a[0], first);
    assert_int_equal(a[HISTOGRAM_ABOVE], last);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_agree_with_the_definition),
        cmocka_unit_test(every_step_of_five_is_an_edge),
        cmocka_unit_test(thresholds_that_people_write_are_edges),
        cmocka_unit_test(the_ends_take_everything_else),
        cmocka_unit_test(shares_agree_with_counting),
        cmocka_unit_test(percentiles_are_within_the_bin_of_their_rank),
        cmocka_unit_test(percentiles_interpolate_as_documented),
        cmocka_unit_test(huge_counts_do_not_overflow),
        cmocka_unit_test(merging_adds_every_bin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
