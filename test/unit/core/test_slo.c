/* SPDX-License-Identifier: Apache-2.0 */
/* test_slo.c - the figures of an objective: by hand, at the edges, and against long sums. */
#include "base/rand.h"
#include "core/slo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MONTH_S = 28 * 86400 };

static struct slo_counts counts(uint64_t good, uint64_t bad)
{
    return (struct slo_counts){ .good = good, .bad = bad };
}

static void near(double value, double expected)
{
    double off = value - expected;

    if (!(off < 1e-9 && off > -1e-9))
        fail_msg("%.12f instead of %.12f", value, expected);
}

static void targets_are_exact(void **state)
{
    (void)state;
    assert_int_equal(slo_target(0.999), 999000000);
    assert_int_equal(slo_target(99.9 / 100), 999000000);
    assert_int_equal(slo_target(0.95), 950000000);
    assert_int_equal(slo_target(0.9999999), 999999900);
    assert_int_equal(slo_target(1), 999999999);
    assert_int_equal(slo_target(7), 999999999);
    assert_int_equal(slo_target(0), 1);
    assert_int_equal(slo_target(-1), 1);
    assert_int_equal(slo_target(__builtin_nan("")), 1);
}

static void no_events_are_no_data(void **state)
{
    uint32_t target = slo_target(0.999);

    (void)state;
    assert_int_equal(slo_state(target, counts(0, 0)), SLO_NO_DATA);
    near(slo_share(counts(0, 0)), 1);
    near(slo_burn(target, counts(0, 0)), 0);
    near(slo_budget_left(target, counts(0, 0)), 1);
    assert_int_equal(slo_bad_left(target, counts(0, 0)), 0);
}

static void one_event_decides(void **state)
{
    uint32_t target = slo_target(0.999);

    (void)state;
    assert_int_equal(slo_state(target, counts(999, 1)), SLO_MET);
    assert_int_equal(slo_state(target, counts(998, 1)), SLO_MISSED);
    assert_int_equal(slo_state(target, counts(1998, 2)), SLO_MET);
    assert_int_equal(slo_state(target, counts(1, 0)), SLO_MET);
    assert_int_equal(slo_state(target, counts(0, 1)), SLO_MISSED);
    /* beyond what a double can tell apart */
    uint64_t million_millions = UINT64_C(1000000000000000);
    assert_int_equal(slo_state(target, counts(999 * million_millions, million_millions)), SLO_MET);
    assert_int_equal(slo_state(target, counts(999 * million_millions - 1, million_millions)),
                     SLO_MISSED);
}

static void the_budget_is_spent_by_bad_events(void **state)
{
    uint32_t target = slo_target(0.99);

    (void)state;
    near(slo_budget_left(target, counts(1000, 0)), 1);
    near(slo_budget_left(target, counts(995, 5)), 0.5);
    near(slo_budget_left(target, counts(990, 10)), 0);
    near(slo_budget_left(target, counts(980, 20)), -1);
    assert_int_equal(slo_bad_left(target, counts(995, 5)), 5);
    assert_int_equal(slo_bad_left(target, counts(990, 10)), 0);
    assert_int_equal(slo_bad_left(target, counts(980, 20)), -10);
    assert_int_equal(slo_bad_left(target, counts(50, 0)), 0);
    assert_int_equal(slo_bad_left(1, counts(UINT64_MAX, 0)), INT64_MAX);
    assert_int_equal(slo_bad_left(999999999, counts(0, UINT64_MAX)), -INT64_MAX);
}

static void burn_is_bad_share_over_budget(void **state)
{
    (void)state;
    near(slo_burn(slo_target(0.999), counts(9856, 144)), 14.4);
    near(slo_burn(slo_target(0.95), counts(0, 100)), 20); /* the most: 1 / (1 - 0.95) */
    near(slo_burn(slo_target(0.999), counts(100, 0)), 0);
    near(slo_burn(slo_target(0.999), counts(UINT64_MAX / 2, 0)), 0);
    near(slo_burn(999999999, counts(0, UINT64_MAX)) / 1e9, 1);
    near(slo_share(counts(3, 1)), 0.75);
}

static void days_left_follow_the_burn(void **state)
{
    double days = -7;

    (void)state;
    assert_true(slo_days_left(1, 1, MONTH_S, &days));
    near(days, 28);
    assert_true(slo_days_left(1, 14, MONTH_S, &days));
    near(days, 2);
    assert_true(slo_days_left(0.25, 7, MONTH_S, &days));
    near(days, 1);
    assert_true(slo_days_left(0, 0, MONTH_S, &days));
    near(days, 0);
    assert_true(slo_days_left(-3, 0.1, MONTH_S, &days));
    near(days, 0);
    days = -7;
    assert_false(slo_days_left(1, 0, MONTH_S, &days));
    assert_false(slo_days_left(0.5, 0.4, MONTH_S, &days)); /* older spending leaves sooner */
    near(days, -7);
}

static void coverage_is_a_share_of_the_window(void **state)
{
    (void)state;
    near(slo_coverage(0, MONTH_S), 0);
    near(slo_coverage(UINT64_C(3) * 86400 * 1000, MONTH_S), 3.0 / 28);
    near(slo_coverage(UINT64_C(29) * 86400 * 1000, MONTH_S), 1);
}

/* With few events all products fit 64 bits, so long sums are an independent check. */
static void figures_agree_with_long_sums(void **state)
{
    struct rng r = { .state = 5 };

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t good = rng_below(&r, 2000), bad = rng_below(&r, 50), all = good + bad;
        uint32_t target = 1 + (uint32_t)rng_below(&r, SLO_PARTS - 1);
        enum slo_state state_expected = all == 0                           ? SLO_NO_DATA
                                        : good * SLO_PARTS >= target * all ? SLO_MET
                                                                           : SLO_MISSED;
        assert_int_equal(slo_state(target, counts(good, bad)), state_expected);
        if (all == 0)
            continue;
        double left = slo_budget_left(target, counts(good, bad));
        assert_true(state_expected == SLO_MET ? left > -1e-9 : left < 1e-9);
        near(slo_burn(target, counts(good, bad)) + left, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_exact),
        cmocka_unit_test(no_events_are_no_data),
        cmocka_unit_test(one_event_decides),
        cmocka_unit_test(the_budget_is_spent_by_bad_events),
        cmocka_unit_test(burn_is_bad_share_over_budget),
        cmocka_unit_test(days_left_follow_the_burn),
        cmocka_unit_test(coverage_is_a_share_of_the_window),
        cmocka_unit_test(figures_agree_with_long_sums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
