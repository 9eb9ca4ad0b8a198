/* SPDX-License-Identifier: Apache-2.0 */
/* pack.h - counters and histograms as few bytes: the form in which the store keeps them.
 *     number     unsigned LEB128: seven bits a byte, least first, the high bit says "more follows"
 *     counters   one number each, in the order of series.h; trailing zeroes are left out
 *     histogram  for each bin that is not empty: bin - bin before (the first: its own number + 1,
 *                so never 0), then its count; ascending
 * Reading accepts exactly what writing makes, so damage is found: false, and the output is
 * untouched unless said otherwise. Pure.  Next: store/samples.h. */
#ifndef EK_CORE_PACK_H
#define EK_CORE_PACK_H

#include "base/span.h"
#include "base/str.h"
#include "core/histogram.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PACK_NUMBER_MAX = 10,                                        /* bytes of one number */
    PACK_HISTOGRAM_MAX = HISTOGRAM_BINS * (2 + PACK_NUMBER_MAX), /* every bin in use */
};

void pack_number(struct str *out, uint64_t value);

/* Takes a number from the front of *in. */
[[nodiscard]] bool unpack_number(struct span *in, uint64_t *ret_value);

void pack_counters(struct str *out, unsigned count, const uint64_t *values);

/* Fills all of ret_values[0..max): what is not there is 0. False as well when there are more. */
[[nodiscard]] bool unpack_counters(struct span in, unsigned max, uint64_t *ret_values);

/* What came to the bins since `before` (NULL: all of them). now[i] >= before[i]. Writes nothing
 * when nothing came. */
void pack_histogram(struct str *out, const uint64_t *now, const uint64_t *before);

/* Adds to the bins; on false they may have got a part of it. */
[[nodiscard]] bool unpack_histogram(struct span in, uint64_t *bins);

#endif
