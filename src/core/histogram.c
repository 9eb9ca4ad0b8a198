/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.c - finding bins and reading histograms.
 * A bin of decade k is 50 * 10^k ns wide and begins at a multiple of its width, so the bin is the
 * quotient of value and width. The divisor is 2^(k+1) * 5^(k+2): a shift, then a multiplication by
 * 2^64 / 5^(k+2) rounded up. The latter is exact as long as dividend * divisor < 2^64; within a
 * decade it stays below 2^55. */
#include "core/histogram.h"

#include "base/check.h"
#include "core/wide.h"

/* 1.00 is the 20th multiple of the width of a decade's bins (0.05). */
enum { FIRST_MULTIPLE = 20 };

#define INVERSE(divisor) (UINT64_MAX / UINT64_C(divisor) + 1)

static const struct decade {
    uint64_t inverse; /* of 5^(k+2) */
    ns_t width;       /* of a bin */
} decades[HISTOGRAM_DECADES] = {
    { INVERSE(25), 50 },
    { INVERSE(125), 500 },
    { INVERSE(625), 5000 },
    { INVERSE(3125), 50000 },
    { INVERSE(15625), 500000 },
    { INVERSE(78125), 5000000 },
    { INVERSE(390625), 50000000 },
    { INVERSE(1953125), 500000000 },
    { INVERSE(9765625), 5000000000 },
};

/* Where the decades begin; the last is the end of them all. */
static const uint64_t begins[HISTOGRAM_DECADES + 1] = {
    1000,      10000,      100000,      1000000,      10000000,
    100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
};

/* The decade of a value within the histogram's range. From the number of its bits comes log10 of
 * the power of two above it, which is right or one too high; 1233 / 4096 is log10(2), closely
 * enough. */
static uint32_t decade_of(uint64_t v)
{
    uint32_t bits = 64 - (uint32_t)__builtin_clzll(v);
    uint32_t k = (bits * 1233 >> 12) - 3; /* 10^3 ns is decade 0 */

    return k - (v < begins[k]);
}

uint32_t histogram_bin(ns_t ns)
{
    if ((uint64_t)ns - HISTOGRAM_LEAST >= HISTOGRAM_MOST - HISTOGRAM_LEAST)
        return ns < HISTOGRAM_LEAST ? HISTOGRAM_BELOW : HISTOGRAM_ABOVE;

    uint32_t k = decade_of((uint64_t)ns);
    uint64_t halves = (uint64_t)ns >> (k + 1);
    uint32_t multiple = (uint32_t)((u128)halves * decades[k].inverse >> 64);

    return 1 + k * HISTOGRAM_PER_DECADE + multiple - FIRST_MULTIPLE;
}

ns_t histogram_edge(uint32_t bin)
{
    check(bin <= HISTOGRAM_BINS);
    if (bin == HISTOGRAM_BELOW)
        return 0;
    if (bin == HISTOGRAM_ABOVE)
        return HISTOGRAM_MOST;
    if (bin == HISTOGRAM_BINS)
        return NS_NEVER;

    uint32_t k = (bin - 1) / HISTOGRAM_PER_DECADE;
    uint32_t multiple = (bin - 1) % HISTOGRAM_PER_DECADE + FIRST_MULTIPLE;

    return multiple * decades[k].width;
}

bool histogram_is_edge(ns_t ns)
{
    return ns >= 0 && histogram_edge(histogram_bin(ns)) == ns;
}

static uint64_t sum_until(const uint64_t *bins, uint32_t end)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < end; i++)
        sum += bins[i];
    return sum;
}

uint64_t histogram_total(const uint64_t *bins)
{
    return sum_until(bins, HISTOGRAM_BINS);
}

struct histogram_share histogram_share_below(const uint64_t *bins, ns_t threshold)
{
    uint32_t bin = histogram_bin(threshold);
    uint64_t least = sum_until(bins, bin);

    return (struct histogram_share){
        .least = least,
        .most = histogram_is_edge(threshold) ? least : least + bins[bin],
        .total = histogram_total(bins),
    };
}

/* Where the i-th of n values of a bin is taken to lie: at (2i - 1) / 2n of its width. */
static ns_t lies_at(uint32_t bin, uint64_t i, uint64_t n)
{
    ns_t low = histogram_edge(bin);

    if (bin == HISTOGRAM_ABOVE)
        return low;

    ns_t width = histogram_edge(bin + 1) - low;
    u128 part = (u128)width * (2 * (u128)i - 1);

    return low + (ns_t)(part / (2 * (u128)n));
}

ns_t histogram_percentile(const uint64_t *bins, uint32_t ppm)
{
    enum { MILLION = 1000000 };
    uint64_t total = histogram_total(bins);

    check(ppm >= 1 && ppm <= MILLION);
    if (total == 0)
        return -1;

    uint64_t rank = (uint64_t)(((u128)total * ppm + MILLION - 1) / MILLION);
    uint64_t before = 0;

    for (uint32_t bin = 0; bin < HISTOGRAM_BINS; bin++) {
        if (rank - before <= bins[bin])
            return lies_at(bin, rank - before, bins[bin]);
        before += bins[bin];
    }
    never("a rank lies within the total");
}

void histogram_merge(uint64_t *sum, const uint64_t *bins)
{
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        sum[i] += bins[i];
}
