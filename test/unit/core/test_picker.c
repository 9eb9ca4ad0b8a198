/* SPDX-License-Identifier: Apache-2.0 */
/* test_picker.c - shares, movement and bounds of each way to choose, over many seeds, and a small model of
 * instances that take time, fail, or have just begun. */
#include "base/rand.h"
#include "core/picker.h"
#include "unit.h"

#include <math.h>
#include <stdlib.h>

enum { MOST = 16, SEEDS = 30, IN_FLIGHT_MAX = 4096 };

/* A list of candidates, and how often each was chosen. */
struct pool {
    struct candidate all[MOST];
    struct candidate *list[MOST];
    struct picker picker;
    unsigned chosen[MOST];
    struct rng rng;
};

static void fill(struct pool *p, const unsigned *weights, size_t n, uint64_t seed)
{
    *p = (struct pool){ .rng.state = seed };
    for (size_t i = 0; i < n; i++) {
        p->all[i] = (struct candidate){ .weight = weights[i] * RAMP_FULL,
                                        .ramp = RAMP_FULL,
                                        .index = (uint32_t)i,
                                        .hash = rng_next(&p->rng) };
        p->list[i] = &p->all[i];
    }
    p->picker = (struct picker){ .list = p->list, .count = n };
    picker_prepare(&p->picker);
}

static const unsigned ones[MOST] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };

static unsigned sum_of(const unsigned *a, size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += a[i];
    return sum;
}

static void assert_near(double is, double wanted, double slack, const char *what)
{
    if (fabs(is - wanted) > slack)
        fail_msg("%s: %.4f instead of %.4f", what, is, wanted);
}

/* ---- two choices */

static void draw_many(struct pool *p, unsigned n)
{
    while (n-- > 0)
        p->chosen[picker_p2c(&p->picker, rng_next(&p->rng))]++;
}

/* With nothing known and nothing in flight the draw decides alone. */
static void p2c_shares_by_weight(void **state)
{
    static const struct {
        unsigned weights[5];
        size_t n;
    } cases[] = {
        { { 1 }, 1 },          { { 1, 1 }, 2 },    { { 1, 1, 1 }, 3 }, { { 3, 1 }, 2 },
        { { 5, 3, 1, 1 }, 4 }, { { 1000, 1 }, 2 }, { { 1, 100 }, 2 },  { { 7, 7, 7, 7, 7 }, 5 },
    };
    enum { DRAWS = 40000 };

    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct pool p;
            fill(&p, cases[k].weights, cases[k].n, seed);
            draw_many(&p, DRAWS);
            for (size_t i = 0; i < cases[k].n; i++)
                assert_near(p.chosen[i] / (double)DRAWS,
                            cases[k].weights[i] / (double)sum_of(cases[k].weights, cases[k].n),
                            0.015, "share");
        }
    }
}

/* Both draws are in range and different whatever the bits are. */
static void p2c_draws_stay_in_range(void **state)
{
    static const uint64_t bits[] = { 0, UINT64_MAX,       UINT32_MAX, (uint64_t)UINT32_MAX << 32,
                                     1, UINT64_C(1) << 63 };
    static const unsigned uneven[] = { 1, 1000, 1, 1000 };

    (void)state;
    for (size_t n = 1; n <= 4; n++) {
        for (size_t k = 0; k < COUNT(bits); k++) {
            struct pool p;
            fill(&p, ones, n, 1);
            assert_true(picker_p2c(&p.picker, bits[k]) < n);
            assert_true(picker_least(&p.picker, bits[k]) < n);
            fill(&p, uneven, n, 1);
            assert_true(picker_p2c(&p.picker, bits[k]) < n);
            assert_true(picker_hash(&p.picker, bits[k]) < n);
        }
    }
}

/* A difference below a quarter is noise; a clear one decides. */
static void p2c_follows_clear_differences_only(void **state)
{
    static const struct {
        double latencies[2];
        uint32_t in_flight[2];
        double share; /* of the first */
    } cases[] = {
        { { 100, 120 }, { 0, 0 }, 0.5 }, { { 100, 200 }, { 0, 0 }, 1 },
        { { 100, 100 }, { 0, 1 }, 1 },   { { 100, 100 }, { 5, 6 }, 0.5 },
        { { 100, 100 }, { 8, 5 }, 0 },   { { 100, 200 }, { 3, 0 }, 0 },
        { { 0, 100 }, { 0, 0 }, 0.5 }, /* unknown counts as the average */
        { { 0, 0 }, { 0, 3 }, 1 },
    };
    enum { DRAWS = 4000 };

    (void)state;
    for (size_t k = 0; k < COUNT(cases); k++) {
        struct pool p;
        fill(&p, ones, 2, k + 1);
        for (int i = 0; i < 2; i++) {
            p.all[i].latency = cases[k].latencies[i];
            p.all[i].in_flight = cases[k].in_flight[i] / 2;
            p.all[i].others = cases[k].in_flight[i] - cases[k].in_flight[i] / 2;
        }
        picker_prepare(&p.picker);
        draw_many(&p, DRAWS);
        assert_near(p.chosen[0] / (double)DRAWS, cases[k].share, 0.04, "share of the first");
    }
}

/* ---- a model: requests come by chance, each instance takes its time */

struct behaviour {
    ns_t takes;
    bool fails;
};

struct flight {
    ns_t ends;
    ns_t took;
    unsigned at;
};

struct model {
    struct pool pool;
    const struct behaviour *how;
    struct flight flights[IN_FLIGHT_MAX];
    size_t count;
    ns_t now;
    ns_t refreshed;
    ns_t probed; /* last time that instance 0 was chosen */
};

static void land(struct model *m)
{
    for (size_t i = 0; i < m->count;) {
        struct flight f = m->flights[i];
        struct candidate *c = &m->pool.all[f.at];
        if (f.ends > m->now) {
            i++;
            continue;
        }
        c->in_flight--;
        if (m->how[f.at].fails)
            candidate_observe_failure(c, f.took, m->now);
        else
            candidate_observe(c, f.took, m->now);
        m->flights[i] = m->flights[--m->count];
    }
}

static void refresh(struct model *m)
{
    if (m->now - m->refreshed < NS_PER_MS)
        return;
    m->refreshed = m->now;
    for (size_t i = 0; i < m->pool.picker.count; i++)
        candidate_forget(&m->pool.all[i], m->now);
    picker_prepare(&m->pool.picker);
}

static unsigned take_off(struct model *m, uint64_t random)
{
    unsigned at = (unsigned)picker_p2c(&m->pool.picker, random);
    ns_t usual = m->how[at].takes;
    ns_t took = usual / 2 + (ns_t)rng_below(&m->pool.rng, (uint64_t)usual);

    assert_true(m->count < IN_FLIGHT_MAX);
    m->pool.all[at].in_flight++;
    m->pool.chosen[at]++;
    m->flights[m->count++] = (struct flight){ m->now + took, took, at };
    return at;
}

/* A request each `gap` on average, for so long; the first second is not counted. */
static void fly(struct model *m, ns_t gap, ns_t time)
{
    const ns_t warm = NS_PER_S;
    bool warmed = false;

    for (ns_t end = m->now + warm + time; m->now < end;) {
        m->now += (ns_t)rng_below(&m->pool.rng, (uint64_t)(2 * gap)) + 1;
        if (!warmed && m->now > end - time) {
            warmed = true;
            memset(m->pool.chosen, 0, sizeof(m->pool.chosen));
        }
        land(m);
        refresh(m);
        if (take_off(m, rng_next(&m->pool.rng)) == 0)
            m->probed = m->now;
    }
}

static struct model *model_new(const struct behaviour *how, size_t n, uint64_t seed)
{
    struct model *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    fill(&m->pool, ones, n, seed);
    m->how = how;
    m->now = 1000 * NS_PER_S;
    return m;
}

static double share_of_first(const struct model *m)
{
    return m->pool.chosen[0] / (double)sum_of(m->pool.chosen, m->pool.picker.count);
}

static void a_slow_one_is_left_out(void **state)
{
    static const struct behaviour how[] = { { 100 * NS_PER_MS, false },
                                            { 10 * NS_PER_MS, false },
                                            { 10 * NS_PER_MS, false } };

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model *m = model_new(how, COUNT(how), seed);
        fly(m, 5 * NS_PER_MS, 60 * NS_PER_S);
        assert_true(share_of_first(m) < 0.01);
        /* it is forgotten slowly: somebody looked again, and not only at the beginning */
        assert_true(m->probed > 1020 * NS_PER_S);
        assert_true(m->pool.chosen[0] > 0);
        free(m);
    }
}

static void one_that_fails_fast_attracts_nobody(void **state)
{
    static const struct behaviour how[] = { { 100 * NS_PER_US, true },
                                            { 10 * NS_PER_MS, false },
                                            { 10 * NS_PER_MS, false } };

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model *m = model_new(how, COUNT(how), seed);
        fly(m, 5 * NS_PER_MS, 60 * NS_PER_S);
        assert_true(share_of_first(m) < 0.02);
        free(m);
    }
}

/* It was slow and has recovered: it gets its share again. */
static void one_that_recovers_is_used_again(void **state)
{
    struct behaviour how[] = { { 1000 * NS_PER_MS, false },
                               { 10 * NS_PER_MS, false },
                               { 10 * NS_PER_MS, false } };

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct model *m = model_new(how, COUNT(how), seed);
        fly(m, 5 * NS_PER_MS, 30 * NS_PER_S);
        m->how = (struct behaviour[]){ how[1], how[1], how[1] };
        fly(m, 5 * NS_PER_MS, 100 * NS_PER_S);
        memset(m->pool.chosen, 0, sizeof(m->pool.chosen));
        fly(m, 5 * NS_PER_MS, 20 * NS_PER_S);
        assert_near(share_of_first(m), 1.0 / 3, 0.06, "share of the one that recovered");
        free(m);
    }
}

/* Of equals nobody is left out, busy or not. */
static void equals_share_alike(void **state)
{
    static const struct behaviour how[] = { { 10 * NS_PER_MS, false },
                                            { 10 * NS_PER_MS, false },
                                            { 10 * NS_PER_MS, false } };
    static const ns_t gaps[] = { 20 * NS_PER_MS, 2 * NS_PER_MS, NS_PER_MS / 5 };

    (void)state;
    for (size_t k = 0; k < COUNT(gaps); k++) {
        for (uint64_t seed = 1; seed <= SEEDS / 3; seed++) {
            struct model *m = model_new(how, COUNT(how), seed);
            fly(m, gaps[k], 20 * NS_PER_S);
            assert_near(share_of_first(m), 1.0 / 3, 0.05, "share");
            free(m);
        }
    }
}

/* ---- slow start */

/* The share of instance 0, which is at `ramp`, as it stands idle among others that are busy. */
static double share_at(size_t n, unsigned ramp, bool busy, uint64_t seed)
{
    enum { DRAWS = 40000 };
    struct pool p;

    fill(&p, ones, n, seed);
    p.all[0].ramp = (uint16_t)ramp;
    p.all[0].weight = ramp;
    for (size_t i = 1; busy && i < n; i++)
        p.all[i].in_flight = 4;
    picker_prepare(&p.picker);
    draw_many(&p, DRAWS);
    return p.chosen[0] / (double)DRAWS;
}

static void a_beginner_gets_more_and_more(void **state)
{
    static const unsigned ramps[] = { RAMP_LEAST, 32, 64, 128, RAMP_FULL };

    (void)state;
    for (size_t n = 2; n <= 3; n++) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            double before_idle = 0;
            double before_busy = 0;
            for (size_t i = 0; i < COUNT(ramps); i++) {
                double fair = ramps[i] / (double)(ramps[i] + (n - 1) * RAMP_FULL);
                double idle = share_at(n, ramps[i], false, seed);
                double busy = share_at(n, ramps[i], true, seed);
                assert_near(idle, fair, 0.015, "share of an idle beginner");
                /* what stands idle wins comparisons, but only as often as its ramp says */
                assert_true(busy >= fair - 0.015);
                assert_true(busy <= fair + ramps[i] / (double)RAMP_FULL + 0.015);
                assert_true(idle > before_idle && busy > before_busy);
                before_idle = idle;
                before_busy = busy;
            }
            assert_true(share_at(n, RAMP_LEAST, true, seed) < 0.14);
        }
    }
}

/* Whoever comes back into an overload is what ends it. */
static void a_beginner_takes_its_part_of_a_line(void **state)
{
    static const struct {
        unsigned ramp, own, others;
        double line;
        unsigned is;
    } cases[] = {
        { 32, 0, 0, 0, 32 },     { 32, 0, 0, 7, 32 },
        { 32, 0, 0, 8, 256 },    { 32, 1, 0, 15, 32 },
        { 32, 1, 0, 16, 256 },   { 32, 12, 12, 200, 256 },
        { 32, 12, 13, 200, 32 }, { RAMP_LEAST, 0, 0, 16, 256 },
        { 128, 3, 0, 7, 128 },   { RAMP_FULL, 90, 0, 1, RAMP_FULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct candidate c = { .ramp = (uint16_t)cases[i].ramp,
                                     .in_flight = cases[i].own,
                                     .others = cases[i].others };
        assert_int_equal(candidate_ramp_beside(&c, cases[i].line), cases[i].is);
    }
}

static void the_ramp_rises(void **state)
{
    static const struct {
        ns_t age;
        ns_t slow_start;
        unsigned ramp;
    } cases[] = {
        { 0, 10 * NS_PER_S, RAMP_LEAST },
        { -5, 10 * NS_PER_S, RAMP_LEAST },
        { 10 * NS_PER_S, 10 * NS_PER_S, RAMP_FULL },
        { 11 * NS_PER_S, 10 * NS_PER_S, RAMP_FULL },
        { 0, 0, RAMP_FULL },
        { 5, 0, RAMP_FULL },
        { 0, 1, RAMP_LEAST },
        { 1, 1, RAMP_FULL },
        { 100, 200, 100 },
    };
    unsigned before = 0;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(candidate_ramp(cases[i].age, cases[i].slow_start), cases[i].ramp);
    for (ns_t age = 0; age <= 10 * NS_PER_S; age += 10 * NS_PER_MS) {
        unsigned ramp = candidate_ramp(age, 10 * NS_PER_S);
        assert_true(ramp >= before && ramp >= RAMP_LEAST && ramp <= RAMP_FULL);
        before = ramp;
    }
    assert_near(candidate_ramp(5 * NS_PER_S, 10 * NS_PER_S), 128, 1, "half way");
}

/* ---- fewest requests */

static void least_fills_by_weight(void **state)
{
    static const unsigned weights[] = { 5, 3, 2 };

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct pool p;
        fill(&p, weights, COUNT(weights), seed);
        for (unsigned n = 1; n <= 300; n++) {
            p.all[picker_least(&p.picker, rng_next(&p.rng))].in_flight++;
            for (size_t i = 0; i < COUNT(weights); i++)
                assert_near(p.all[i].in_flight, n * weights[i] / 10.0, 1.6, "in flight");
        }
        for (size_t i = 0; i < COUNT(weights); i++)
            assert_near(p.all[i].in_flight, 30 * weights[i], 1, "in flight at the end");
    }
}

static void least_counts_what_others_have(void **state)
{
    struct pool p;

    (void)state;
    fill(&p, ones, 3, 1);
    p.all[0].others = 5;
    p.all[1].in_flight = 2;
    p.all[2].in_flight = 1;
    p.all[2].others = 2;
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(picker_least(&p.picker, rng_next(&p.rng)), 1);
}

static void least_breaks_ties_by_chance(void **state)
{
    struct pool p;

    (void)state;
    fill(&p, ones, 4, 7);
    for (unsigned i = 0; i < 8000; i++)
        p.chosen[picker_least(&p.picker, rng_next(&p.rng))]++;
    for (size_t i = 0; i < 4; i++)
        assert_near(p.chosen[i] / 8000.0, 0.25, 0.03, "share among equals");
}

/* ---- in turn */

static void turns_are_exact_and_mixed(void **state)
{
    static const unsigned weights[] = { 5, 1, 1 };
    static const size_t order[] = { 0, 0, 1, 0, 2, 0, 0 }; /* as nginx does */
    struct pool p;

    (void)state;
    fill(&p, weights, COUNT(weights), 1);
    for (unsigned round = 0; round < 100; round++) {
        for (size_t i = 0; i < COUNT(order); i++)
            assert_int_equal(picker_turn(&p.picker), order[i]);
    }
}

/* After every single turn each has had its share, give or take less than one. */
static void turns_never_fall_behind(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = { seed };
        size_t n = 1 + (size_t)rng_below(&rng, 6);
        unsigned weights[MOST];
        for (size_t i = 0; i < n; i++)
            weights[i] = 1 + (unsigned)rng_below(&rng, 20);
        unsigned all = sum_of(weights, n);
        struct pool p;
        fill(&p, weights, n, seed);
        for (unsigned turn = 1; turn <= 10 * all; turn++) {
            p.chosen[picker_turn(&p.picker)]++;
            for (size_t i = 0; i < n; i++)
                assert_near(p.chosen[i], turn * weights[i] / (double)all, n > 2 ? 2 : 1, "turns");
        }
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p.chosen[i], 10 * weights[i]);
    }
}

static void turns_follow_the_ramp(void **state)
{
    struct pool p;

    (void)state;
    fill(&p, ones, 2, 1);
    p.all[0].weight = p.all[0].ramp = RAMP_LEAST;
    picker_prepare(&p.picker);
    for (unsigned i = 0; i < 17 * 20; i++)
        p.chosen[picker_turn(&p.picker)]++;
    assert_int_equal(p.chosen[0], 20);
    /* full: half of what follows, not more to make up for it */
    p.all[0].weight = p.all[0].ramp = RAMP_FULL;
    picker_prepare(&p.picker);
    memset(p.chosen, 0, sizeof(p.chosen));
    for (unsigned i = 0; i < 100; i++)
        p.chosen[picker_turn(&p.picker)]++;
    assert_near(p.chosen[0], 50, 1, "turns of the one that has begun");
}

/* ---- by hash */

enum { KEYS = 20000 };

static void place(struct pool *p, unsigned *ret_at)
{
    struct rng keys = { 99 };

    for (unsigned k = 0; k < KEYS; k++)
        ret_at[k] = p->list[picker_hash(&p->picker, rng_next(&keys))]->index;
}

static void keys_stay_and_spread_by_weight(void **state)
{
    static const unsigned weights[] = { 4, 2, 1, 1 };
    static unsigned first[KEYS];
    static unsigned again[KEYS];

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct pool p;
        fill(&p, weights, COUNT(weights), seed);
        place(&p, first);
        place(&p, again);
        assert_memory_equal(first, again, sizeof(first));
        for (unsigned k = 0; k < KEYS; k++)
            p.chosen[first[k]]++;
        for (size_t i = 0; i < COUNT(weights); i++)
            assert_near(p.chosen[i] / (double)KEYS, weights[i] / 8.0, 0.02, "share of the keys");
        /* the order of the list is of no meaning */
        struct candidate *swapped = p.list[0];
        p.list[0] = p.list[3];
        p.list[3] = swapped;
        place(&p, again);
        assert_memory_equal(first, again, sizeof(first));
    }
}

static void only_the_lost_ones_keys_move(void **state)
{
    static unsigned before[KEYS];
    static unsigned after[KEYS];

    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct pool p;
        unsigned moved_to[MOST] = { 0 };
        unsigned moved = 0;
        fill(&p, ones, 5, seed);
        place(&p, before);
        unsigned lost = p.list[2]->index;
        p.list[2] = p.list[4];
        p.picker.count = 4;
        picker_prepare(&p.picker);
        place(&p, after);
        for (unsigned k = 0; k < KEYS; k++) {
            assert_true(before[k] == lost || before[k] == after[k]);
            if (before[k] == lost) {
                moved_to[after[k]]++;
                moved++;
            }
        }
        for (size_t i = 0; i < 4; i++) /* and they spread over all that are left */
            assert_near(moved_to[p.list[i]->index] / (double)moved, 0.25, 0.05, "moved");
    }
}

/* More weight takes keys from others, and gives none away. */
static void weight_only_attracts(void **state)
{
    static unsigned before[KEYS];
    static unsigned after[KEYS];
    struct pool p;

    (void)state;
    fill(&p, ones, 4, 5);
    place(&p, before);
    p.all[1].weight *= 3;
    picker_prepare(&p.picker);
    place(&p, after);
    for (unsigned k = 0; k < KEYS; k++)
        assert_true(after[k] == before[k] || after[k] == 1);
}

/* However hot a key is, nobody has more than a quarter above its share. */
static void load_is_bounded(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct rng rng = { seed };
        struct pool p;
        size_t n = 2 + (size_t)rng_below(&rng, 6);
        unsigned weights[MOST];
        for (size_t i = 0; i < n; i++)
            weights[i] = 1 + (unsigned)rng_below(&rng, 4);
        fill(&p, weights, n, seed);
        uint64_t hot = rng_next(&rng);
        for (unsigned all = 1; all <= 400; all++) {
            uint64_t key = rng_below(&rng, 4) ? hot : rng_next(&rng);
            struct candidate *c = p.list[picker_hash(&p.picker, key)];
            c->in_flight++;
            double share = all * (double)c->weight / (double)p.picker.weights;
            assert_true(c->in_flight <= ceil(1.25 * share));
        }
    }
}

static void a_hot_key_goes_to_its_second_choice(void **state)
{
    struct pool p;

    (void)state;
    fill(&p, ones, 3, 11);
    size_t home = picker_hash(&p.picker, 42);
    p.all[home].in_flight = 30;
    p.all[(home + 1) % 3].in_flight = 3;
    p.all[(home + 2) % 3].in_flight = 3;
    size_t away = picker_hash(&p.picker, 42);
    assert_int_not_equal(away, home);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(picker_hash(&p.picker, 42), away);
    p.all[home].in_flight = 3;
    assert_int_equal(picker_hash(&p.picker, 42), home);
}

/* ---- learning */

static void averages_rise_faster_than_they_fall(void **state)
{
    struct candidate c = {};

    (void)state;
    candidate_observe(&c, 100, 1);
    assert_near(c.latency, 100, 0.001, "the first one");
    candidate_observe(&c, 200, 2);
    assert_near(c.latency, 125, 0.001, "rising");
    candidate_observe(&c, 25, 3);
    assert_near(c.latency, 115, 0.001, "falling");
    candidate_observe(&c, 0, 4);
    assert_true(c.latency >= 1);
    for (int i = 0; i < 1000; i++)
        candidate_observe(&c, 0, 5);
    assert_near(c.latency, 1, 0.001, "never nothing: that would mean unknown");
}

static void failures_are_slow(void **state)
{
    struct candidate fast = {};
    struct candidate unknown = {};
    struct candidate slow = {};

    (void)state;
    candidate_observe(&fast, NS_PER_MS, 1);
    candidate_observe_failure(&fast, 10, 2);
    assert_true(fast.latency > 20.0 * (double)NS_PER_MS);
    candidate_observe_failure(&unknown, 10, 2);
    assert_near(unknown.latency, 100.0 * (double)NS_PER_MS, 1, "the first failure");
    for (int i = 0; i < 100; i++)
        candidate_observe_failure(&fast, 10, 3);
    assert_true(fast.latency <= 5.0 * (double)NS_PER_S);
    candidate_observe_failure(&slow, 20 * NS_PER_S, 1);
    assert_near(slow.latency, 20.0 * (double)NS_PER_S, 1, "one that took longer");
}

/* A hanging instance answers nothing that could be observed: that nothing is heard of it is what tells. */
static void silence_is_slow(void **state)
{
    struct candidate c = {};
    struct pool p;

    (void)state;
    candidate_asked(&c, 100);
    candidate_asked(&c, 200);
    assert_int_equal(c.heard, 100); /* since the first that waits */
    candidate_told(&c, true, 300);
    assert_int_equal(c.heard, 300);
    candidate_told(&c, false, 400); /* given up: nothing was heard */
    assert_int_equal(c.heard, 300);
    assert_int_equal(c.waiting, 0);
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        fill(&p, ones, 3, seed);
        for (size_t i = 0; i < 3; i++)
            candidate_observe(&p.all[i], 20 * NS_PER_MS, 1);
        p.all[1].silent = 200.0 * (double)NS_PER_MS;
        picker_prepare(&p.picker);
        draw_many(&p, 3000);
        assert_int_equal(p.chosen[1], 0);
    }
}

static void the_past_fades(void **state)
{
    struct candidate c = {};
    struct candidate often = {};

    (void)state;
    candidate_forget(&c, 100 * NS_PER_S);
    assert_true(c.latency == 0); /* nothing known, nothing forgotten */
    candidate_observe(&c, NS_PER_S, 0);
    often = c;
    candidate_forget(&c, NS_PER_S / 2);
    assert_near(c.latency, 1e9, 1, "at once");
    candidate_forget(&c, 10 * NS_PER_S);
    assert_near(c.latency / 1e9, exp(-1), 0.001, "after ten seconds");
    for (ns_t now = 0; now <= 10 * NS_PER_S; now += 7 * NS_PER_MS)
        candidate_forget(&often, now);
    assert_near(often.latency / 1e9, exp(-1), 0.04, "in many small steps");
    candidate_forget(&c, 100000 * NS_PER_S);
    assert_near(c.latency, 1, 0.001, "after a day");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(p2c_shares_by_weight),
        cmocka_unit_test(p2c_draws_stay_in_range),
        cmocka_unit_test(p2c_follows_clear_differences_only),
        cmocka_unit_test(a_slow_one_is_left_out),
        cmocka_unit_test(one_that_fails_fast_attracts_nobody),
        cmocka_unit_test(one_that_recovers_is_used_again),
        cmocka_unit_test(equals_share_alike),
        cmocka_unit_test(a_beginner_gets_more_and_more),
        cmocka_unit_test(a_beginner_takes_its_part_of_a_line),
        cmocka_unit_test(the_ramp_rises),
        cmocka_unit_test(least_fills_by_weight),
        cmocka_unit_test(least_counts_what_others_have),
        cmocka_unit_test(least_breaks_ties_by_chance),
        cmocka_unit_test(turns_are_exact_and_mixed),
        cmocka_unit_test(turns_never_fall_behind),
        cmocka_unit_test(turns_follow_the_ramp),
        cmocka_unit_test(keys_stay_and_spread_by_weight),
        cmocka_unit_test(only_the_lost_ones_keys_move),
        cmocka_unit_test(weight_only_attracts),
        cmocka_unit_test(load_is_bounded),
        cmocka_unit_test(a_hot_key_goes_to_its_second_choice),
        cmocka_unit_test(averages_rise_faster_than_they_fall),
        cmocka_unit_test(failures_are_slow),
        cmocka_unit_test(silence_is_slow),
        cmocka_unit_test(the_past_fades),
    };

    return RUN(tests);
}
