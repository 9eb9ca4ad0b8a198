/* SPDX-License-Identifier: Apache-2.0 */
/* test_rebuild.c - what other objectives would have counted, compared with counting by them. */
#include "unit.h"

#include "base/rand.h"
#include "core/rebuild.h"
#include "core/verdict.h"

#define MS NS_PER_MS

struct version {
    ns_t under[4];
    unsigned count;
    struct verdict_rules rules;
    uint64_t counts[SERIES_MAX];
};

static void begin(struct version *v)
{
    status_set_add(&v->rules.bad, 503);
    for (unsigned i = 0; i < v->count; i++)
        verdict_rules_add(&v->rules, v->under[i]);
}

static void add(struct version *v, unsigned status, ns_t latency, uint64_t *bins)
{
    struct verdict verdict = verdict_of(&v->rules, CAUSE_ANSWERED, status, latency);

    verdict_add(&v->rules.objectives, verdict, v->counts);
    if (!verdict_timed(verdict))
        return;
    v->counts[SERIES_LATENCY_SUM_US] += (uint64_t)(latency / NS_PER_US);
    if (bins)
        bins[histogram_bin(latency)]++;
}

/* The same answers counted by both; times lie on edges, beside them and anywhere. */
static void count_both(struct version *one, struct version *other, uint64_t *bins)
{
    struct rng r = { 4711 };

    begin(one);
    begin(other);
    for (int i = 0; i < 20000; i++) {
        uint64_t x = rng_next(&r);
        ns_t latency = (ns_t)(x % 900) * MS + (x >> 32) % 3 - 1;
        unsigned status = x % 50 == 7 ? 503 : x % 40 == 3 ? 404 : 200;
        latency = latency < 0 ? 0 : latency;
        add(one, status, latency, bins);
        add(other, status, latency, NULL);
    }
}

static void expect_same(struct version from, struct version to, bool uses_bins)
{
    uint64_t bins[HISTOGRAM_BINS] = {};
    uint64_t rebuilt[SERIES_MAX];
    struct rebuild_plan plan;
    unsigned missing = 99;

    count_both(&from, &to, bins);
    assert_true(rebuild_plan(from.under, from.count, to.under, to.count, &plan, &missing));
    assert_int_equal(missing, 99);
    assert_int_equal(plan.uses_bins, uses_bins);
    rebuild_counts(&plan, from.counts, uses_bins ? bins : NULL, rebuilt);
    for (unsigned i = 0; i < SERIES_MAX; i++) {
        if (rebuilt[i] != to.counts[i])
            fail_msg("counter %u: %lu, counted %lu", i, (unsigned long)rebuilt[i],
                     (unsigned long)to.counts[i]);
    }
}

static void edges_are_exact(void **state)
{
    (void)state;
    expect_same((struct version){ .under = { 0, 300 * MS }, .count = 2 },
                (struct version){ .under = { 0, 450 * MS }, .count = 2 }, true);
    expect_same((struct version){ .under = { 300 * MS }, .count = 1 },
                (struct version){ .under = { 20 * MS, 0, 800 * MS }, .count = 3 }, true);
    expect_same((struct version){ .under = { 0 }, .count = 0 },
                (struct version){ .under = { 105 * MS }, .count = 1 }, true);
}

/* Nothing is asked of the histogram where both know the threshold, edge or not. */
static void what_both_have_needs_no_histogram(void **state)
{
    (void)state;
    expect_same((struct version){ .under = { 0, 312 * MS, 450 * MS }, .count = 3 },
                (struct version){ .under = { 450 * MS, 312 * MS }, .count = 2 }, false);
    /* slow is what misses the least threshold, which is another one now */
    expect_same((struct version){ .under = { 313 * MS, 451 * MS }, .count = 2 },
                (struct version){ .under = { 451 * MS, 0 }, .count = 2 }, false);
    expect_same((struct version){ .under = { 312 * MS }, .count = 1 },
                (struct version){ .under = { 0 }, .count = 1 }, false);
    expect_same((struct version){ .under = { 312 * MS }, .count = 1 },
                (struct version){ .under = { 0 }, .count = 0 }, false);
}

static void what_is_no_edge_is_named(void **state)
{
    const ns_t from[] = { 0, 313 * MS };
    const ns_t to[] = { 0, 313 * MS, 310 * MS, 312 * MS, 311 * MS };
    struct rebuild_plan plan;
    unsigned missing = 0;

    (void)state;
    assert_false(rebuild_plan(from, 2, to, 5, &plan, &missing));
    assert_int_equal(missing, 3);
    /* the edge below, for what cannot wait */
    assert_int_equal(histogram_edge(plan.objectives[3].bin), 310 * MS);
}

static void the_edges_around_are_told(void **state)
{
    static const struct {
        ns_t under;
        const char *text;
    } rows[] = {
        { 312 * MS, "312ms is no edge of the histogram; 310ms and 315ms are" },
        { 1234 * MS, "1.234s is no edge of the histogram; 1.2s and 1.25s are" },
        { 997 * MS, "997ms is no edge of the histogram; 995ms and 1s are" },
        { 1001 * NS_PER_S, "1001s is beyond the histogram, which ends at 1000s" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str out = str_growing();
        rebuild_put_edges(rows[i].under, &out);
        assert_string_equal(str_cstr(&out), rows[i].text);
        str_free(&out);
    }
}

/* How far users came through steps has nothing to do with objectives. */
static void a_funnel_goes_on(void **state)
{
    uint64_t counts[SERIES_MAX] = {};
    uint64_t rebuilt[SERIES_MAX];
    struct rebuild_plan plan;
    unsigned missing;

    (void)state;
    for (unsigned i = SERIES_STEPS; i < SERIES_MAX; i++)
        counts[i] = 100 + i;
    assert_true(rebuild_plan(NULL, 0, (ns_t[]){ 0 }, 1, &plan, &missing));
    rebuild_counts(&plan, counts, NULL, rebuilt);
    assert_memory_equal(rebuilt, counts, sizeof(counts));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges_are_exact),
        cmocka_unit_test(what_both_have_needs_no_histogram),
        cmocka_unit_test(a_funnel_goes_on),
        cmocka_unit_test(what_is_no_edge_is_named),
        cmocka_unit_test(the_edges_around_are_told),
    };
    return RUN(tests);
}
