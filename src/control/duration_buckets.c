/* SPDX-License-Identifier: Apache-2.0 */
/* duration_buckets.c - see duration_buckets.h. */
#include "control/duration_buckets.h"

#include "base/check.h"

#include <stdlib.h>

void duration_cache_free(struct duration_cache *cache)
{
    free(cache->list);
    *cache = (struct duration_cache){};
}

static struct duration_buckets *of_journey(struct duration_cache *cache, uint32_t id)
{
    if (id >= cache->count) {
        size_t count = (size_t)id + 64;
        cache->list = realloc(cache->list, count * sizeof(cache->list[0]));
        check(cache->list != NULL);
        memset(cache->list + cache->count, 0, (count - cache->count) * sizeof(cache->list[0]));
        cache->count = count;
    }
    return &cache->list[id];
}

static void insert(struct duration_buckets *d, ns_t edge)
{
    unsigned at = 0;

    while (at < d->count && d->edges[at] < edge)
        at++;
    if (at < d->count && d->edges[at] == edge)
        return;
    check(d->count < DURATION_BUCKETS_MAX);
    memmove(d->edges + at + 1, d->edges + at, (d->count - at) * sizeof(d->edges[0]));
    d->edges[at] = edge;
    d->count++;
}

static void find_edges(const struct journey *j, struct duration_buckets *d)
{
    static const int common_ms[] = { 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000 };

    for (size_t i = 0; i < sizeof(common_ms) / sizeof(common_ms[0]); i++)
        insert(d, common_ms[i] * NS_PER_MS);
    for (size_t i = 0; i < j->objective_count; i++) {
        if (j->objectives[i].under)
            insert(d, j->objectives[i].under);
    }
}

static uint64_t sum_bins(const struct book *b, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;

    for (size_t p = 0; p < b->page_count; p++) {
        for (uint32_t i = from; i < to; i++)
            sum += counter_read(b->pages[p], i);
    }
    return sum;
}

/* Of a threshold within a bin: what its objective counted, as far as the bins allow. They are read one after the
 * other while threads count, and buckets may never fall. */
static uint64_t below_within(const struct journey *j, const uint64_t live[SERIES_MAX], ns_t edge,
                             uint64_t least, uint64_t most)
{
    for (unsigned i = 0; i < j->objective_count; i++) {
        if (j->objectives[i].under != edge)
            continue;
        uint64_t good = live[series_good(i)];
        return good < least ? least : good > most ? most : good;
    }
    return least;
}

static void add_up(const struct book *b, const struct journey *j, const uint64_t live[SERIES_MAX],
                   struct duration_buckets *d)
{
    uint64_t sum = 0, before = 0;
    uint32_t at = 0;

    for (unsigned i = 0; i < d->count; i++) {
        uint32_t bin = histogram_bin(d->edges[i]);
        sum += sum_bins(b, j->slots.histogram + at, j->slots.histogram + bin);
        at = bin;
        d->below[i] = sum;
        if (!histogram_is_edge(d->edges[i])) {
            uint64_t inside = sum_bins(b, j->slots.histogram + bin, j->slots.histogram + bin + 1);
            d->below[i] = below_within(j, live, d->edges[i], sum, sum + inside);
        }
        if (d->below[i] < before) /* two thresholds in one bin, read at two times */
            d->below[i] = before;
        before = d->below[i];
    }
    sum += sum_bins(b, j->slots.histogram + at, j->slots.histogram + HISTOGRAM_BINS);
    d->total = sum > before ? sum : before;
}

const struct duration_buckets *duration_buckets(struct duration_cache *cache, const struct book *b,
                                                const struct journey *j,
                                                const uint64_t live[SERIES_MAX])
{
    struct duration_buckets *d = of_journey(cache, j->id);
    uint64_t timed = live[SERIES_GOOD] + live[SERIES_SLOW];

    if (d->count == 0)
        find_edges(j, d);
    if (timed == 0 || (d->whole && d->total == timed))
        return d;
    add_up(b, j, live, d);
    d->whole = d->total == timed;
    return d;
}
