/* SPDX-License-Identifier: Apache-2.0 */
/* test_retry_budget.c - what retries may add: share, floor, edges of the window, and over any minute. */
#include "base/rand.h"
#include "core/retry_budget.h"
#include "unit.h"

enum { TENTH = 100000, SEEDS = 50 };

#define AT(s) ((ns_t)((s)*1e9))

static void ask(struct retry_budget *b, unsigned n, ns_t now)
{
    while (n-- > 0)
        retry_budget_original(b, now);
}

static unsigned take_all(struct retry_budget *b, ns_t now, uint32_t ppm, uint32_t floor)
{
    unsigned n = 0;

    while (n < 100000 && retry_budget_take(b, now, ppm, floor))
        n++;
    return n;
}

static void a_share_of_the_requests(void **state)
{
    static const struct {
        unsigned originals;
        uint32_t ppm;
        uint32_t floor;
        unsigned retries;
    } cases[] = {
        { 1000, TENTH, 10, 100 }, { 1000, TENTH, 0, 100 }, { 99, TENTH, 0, 9 },
        { 100, TENTH, 0, 10 },    { 9, TENTH, 0, 0 },      { 9, TENTH, 5, 5 },
        { 50, TENTH, 5, 5 },      { 60, TENTH, 5, 6 },     { 100, 1000000, 5, 100 },
        { 3, 1, 2, 2 },           { 1000000, 1, 0, 1 },    { 999999, 1, 0, 0 },
        { 0, 1000000, 0, 0 },     { 0, 1000000, 3, 3 },    { 5000, 200000, 10, 1000 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct retry_budget b = {};
        ask(&b, cases[i].originals, AT(100));
        assert_int_equal(retry_budget_left(&b, AT(100), cases[i].ppm, cases[i].floor),
                         cases[i].retries);
        assert_int_equal(take_all(&b, AT(100), cases[i].ppm, cases[i].floor), cases[i].retries);
        assert_int_equal(retry_budget_left(&b, AT(100), cases[i].ppm, cases[i].floor), 0);
    }
}

static void none_at_all(void **state)
{
    struct retry_budget b = {};

    (void)state;
    ask(&b, 1000, AT(5));
    assert_int_equal(retry_budget_left(&b, AT(5), 0, RETRY_FLOOR), 0);
    assert_false(retry_budget_take(&b, AT(5), 0, RETRY_FLOOR));
    assert_int_equal(b.retries_sum, 0);
}

/* Ten slots of a second: what is asked in second 0 counts in seconds 0 to 9, and so do retries. */
static void the_window_has_edges(void **state)
{
    struct retry_budget b = {};

    (void)state;
    ask(&b, 100, AT(20.999));
    assert_int_equal(retry_budget_left(&b, AT(29.999), TENTH, 0), 10);
    assert_int_equal(retry_budget_left(&b, AT(30), TENTH, 0), 0);
    ask(&b, 100, AT(30));
    assert_true(retry_budget_take(&b, AT(30), TENTH, 0));
    ask(&b, 100, AT(35));
    assert_int_equal(take_all(&b, AT(39.999), TENTH, 0), 19);
    assert_int_equal(b.retries_sum, 20);
    /* second 30 leaves: 100 originals and the one retry of then */
    assert_int_equal(retry_budget_left(&b, AT(40), TENTH, 0), 0);
    assert_int_equal(b.originals_sum, 100);
    assert_int_equal(b.retries_sum, 19);
    /* those taken in second 39 are held until 49; the originals of 35 leave before */
    assert_int_equal(retry_budget_left(&b, AT(48.999), TENTH, 10), 0);
    assert_int_equal(retry_budget_left(&b, AT(49), TENTH, 10), 10);
}

static void long_gaps_and_old_times(void **state)
{
    static const double gaps[] = { 9, 9.5, 10, 10.5, 11, 60, 1e6 };

    (void)state;
    for (size_t i = 0; i < COUNT(gaps); i++) {
        struct retry_budget b = {};
        ask(&b, 100, AT(1000.25));
        assert_true(retry_budget_take(&b, AT(1000.25), TENTH, 0));
        bool in = gaps[i] < 9.75;
        assert_int_equal(retry_budget_left(&b, AT(1000.25 + gaps[i]), TENTH, 0), in ? 9 : 0);
        assert_int_equal(b.originals_sum, in ? 100 : 0);
        assert_int_equal(b.retries_sum, in ? 1 : 0);
        /* a clock that lags a little changes nothing */
        assert_int_equal(retry_budget_left(&b, AT(1000), TENTH, 0), in ? 9 : 0);
    }
}

static uint64_t sum(const uint32_t *a)
{
    uint64_t n = 0;

    for (int i = 0; i < RETRY_WINDOW_S; i++)
        n += a[i];
    return n;
}

enum { STORY_S = 400, MINUTE = 60 };

struct story {
    uint64_t originals[STORY_S];
    uint64_t retries[STORY_S];
};

/* Everything fails and wants to be tried again, under a load that comes and goes. */
static void storm(struct story *t, uint64_t seed, uint32_t ppm, uint32_t floor)
{
    struct rng rng = { seed };
    struct retry_budget b = {};

    *t = (struct story){};
    for (int s = 0; s < STORY_S; s++) {
        unsigned most = rng_below(&rng, 4) == 0 ? 0 : (unsigned)rng_below(&rng, 400);
        for (unsigned i = 0; i < most; i++) {
            ns_t now = AT(50) + s * NS_PER_S + (ns_t)i * (NS_PER_S / 400);
            retry_budget_original(&b, now);
            t->originals[s]++;
            while (rng_below(&rng, 3) && retry_budget_take(&b, now, ppm, floor)) {
                t->retries[s]++;
                uint64_t share = (uint64_t)b.originals_sum * ppm / 1000000;
                assert_true(b.retries_sum <= (share > floor ? share : floor));
            }
            assert_int_equal(sum(b.originals), b.originals_sum);
            assert_int_equal(sum(b.retries), b.retries_sum);
        }
    }
}

/* Over any minute: the share of its originals, and what one window holds; the floor at most once a window. */
static void amplification_is_bounded(void **state)
{
    static const uint32_t shares[] = { 10000, TENTH, 200000, 1000000 };
    static struct story t;

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        uint32_t ppm = shares[seed % COUNT(shares)];
        uint32_t floor = (uint32_t)(seed % 3) * 5;
        storm(&t, seed, ppm, floor);
        for (int from = RETRY_WINDOW_S; from + MINUTE <= STORY_S; from++) {
            uint64_t originals = 0;
            uint64_t retries = 0;
            for (int s = from - RETRY_WINDOW_S; s < from; s++)
                originals += t.originals[s]; /* the window before */
            for (int s = from; s < from + MINUTE; s++) {
                originals += t.originals[s];
                retries += t.retries[s];
            }
            assert_true(retries <= originals * ppm / 1000000 +
                                       (uint64_t)floor * (MINUTE / RETRY_WINDOW_S + 1));
        }
    }
}

static void waits_grow_to_a_bound(void **state)
{
    static const struct {
        ns_t first;
        unsigned nth;
        ns_t most;
    } cases[] = {
        { 25 * NS_PER_MS, 1, 25 * NS_PER_MS },
        { 25 * NS_PER_MS, 2, 50 * NS_PER_MS },
        { 25 * NS_PER_MS, 3, 100 * NS_PER_MS },
        { 25 * NS_PER_MS, 7, 1600 * NS_PER_MS },
        { 25 * NS_PER_MS, 10, 10 * NS_PER_S },
        { 25 * NS_PER_MS, 4000000000, 10 * NS_PER_S },
        { 0, 1, 0 },
        { 0, 8, 0 },
        { 10 * NS_PER_S, 1, 10 * NS_PER_S },
        { 10 * NS_PER_S, 5, 10 * NS_PER_S },
        { 6 * NS_PER_S, 2, 10 * NS_PER_S },
        { 1, 8, 128 },
        { 25 * NS_PER_MS, 0, 25 * NS_PER_MS },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(retry_backoff_most(cases[i].first, cases[i].nth), cases[i].most);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_share_of_the_requests),  cmocka_unit_test(none_at_all),
        cmocka_unit_test(the_window_has_edges),     cmocka_unit_test(long_gaps_and_old_times),
        cmocka_unit_test(amplification_is_bounded), cmocka_unit_test(waits_grow_to_a_bound),
    };

    return RUN(tests);
}
