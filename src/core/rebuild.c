/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.c - see rebuild.h. */
#include "core/rebuild.h"

#include "base/check.h"

#include <string.h>

/* False: its answers can only be told to the edge below. */
static bool pair_of(ns_t under, const ns_t *from, unsigned from_count, struct rebuild_pair *ret)
{
    *ret = (struct rebuild_pair){ .from = REBUILD_ANSWERS };
    if (under == 0)
        return true;
    for (unsigned i = 0; i < from_count; i++) {
        if (from[i] == under) {
            *ret = (struct rebuild_pair){ .from = REBUILD_OBJECTIVE, .objective = i };
            return true;
        }
    }
    *ret = (struct rebuild_pair){ .from = REBUILD_BINS, .bin = histogram_bin(under) };
    return histogram_is_edge(under);
}

bool rebuild_plan(const ns_t *from, unsigned from_count, const ns_t *to, unsigned to_count,
                  struct rebuild_plan *ret_plan, unsigned *ret_missing)
{
    ns_t least = 0; /* what misses the least threshold is slow */
    bool possible = true;

    check(from_count <= OBJECTIVES_MAX && to_count <= OBJECTIVES_MAX);
    *ret_plan = (struct rebuild_plan){ .count = to_count };
    for (unsigned i = 0; i < to_count; i++) {
        struct rebuild_pair *p = &ret_plan->objectives[i];
        if (!pair_of(to[i], from, from_count, p) && possible) {
            *ret_missing = i;
            possible = false;
        }
        ret_plan->uses_bins |= p->from == REBUILD_BINS;
        if (to[i] > 0 && (least == 0 || to[i] < least))
            least = to[i];
    }
    pair_of(least, from, from_count, &ret_plan->journey);
    return possible;
}

struct pair {
    uint64_t good, bad;
};

static struct pair count(const struct rebuild_pair *p, const uint64_t *counts, const uint64_t *bins)
{
    struct pair r = { 0, 0 };

    switch (p->from) {
    case REBUILD_ANSWERS:
        return (struct pair){ counts[SERIES_GOOD] + counts[SERIES_SLOW], counts[SERIES_FAILED] };
    case REBUILD_OBJECTIVE:
        return (struct pair){ counts[series_good(p->objective)], counts[series_bad(p->objective)] };
    case REBUILD_BINS:
        for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
            *(i < p->bin ? &r.good : &r.bad) += bins[i];
        return r;
    }
    never("a pair is from one of these");
}

void rebuild_counts(const struct rebuild_plan *plan, const uint64_t counts[SERIES_MAX],
                    const uint64_t *bins, uint64_t ret_counts[SERIES_MAX])
{
    struct pair journey = count(&plan->journey, counts, bins);

    memset(ret_counts, 0, SERIES_MAX * sizeof(ret_counts[0]));
    ret_counts[SERIES_GOOD] = journey.good;
    ret_counts[SERIES_SLOW] = plan->journey.from == REBUILD_ANSWERS ? 0 : journey.bad;
    ret_counts[SERIES_FAILED] = counts[SERIES_FAILED];
    ret_counts[SERIES_EXCLUDED] = counts[SERIES_EXCLUDED];
    ret_counts[SERIES_LATENCY_SUM_US] = counts[SERIES_LATENCY_SUM_US];
    memcpy(ret_counts + SERIES_STEPS, counts + SERIES_STEPS,
           (SERIES_MAX - SERIES_STEPS) * sizeof(counts[0]));
    for (unsigned i = 0; i < plan->count; i++) {
        struct pair p = count(&plan->objectives[i], counts, bins);
        ret_counts[series_good(i)] = p.good;
        ret_counts[series_bad(i)] = p.bad;
    }
}

static void put_time(struct str *out, ns_t t)
{
    bool seconds = t >= NS_PER_S;

    str_print(out, "%g%s", (double)t / (double)(seconds ? NS_PER_S : NS_PER_MS),
              seconds ? "s" : "ms");
}

void rebuild_put_edges(ns_t under, struct str *out)
{
    uint32_t bin = histogram_bin(under);

    put_time(out, under);
    if (bin == HISTOGRAM_ABOVE) {
        str_literal(out, " is beyond the histogram, which ends at 1000s");
        return;
    }
    str_literal(out, " is no edge of the histogram; ");
    if (bin != HISTOGRAM_BELOW) {
        put_time(out, histogram_edge(bin));
        str_literal(out, " and ");
    }
    put_time(out, histogram_edge(bin + 1));
    str_text(out, bin != HISTOGRAM_BELOW ? " are" : " is");
}
