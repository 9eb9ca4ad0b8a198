/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_sums.h - values of dimensions added up over nodes: the same value of two nodes is one. A tenant whom the log may not name is
 * another one on each, for their keys differ.
 * Pure but for memory. Next: where.h, which adds up. */
#ifndef EK_CONTROL_DIMENSION_SUMS_H
#define EK_CONTROL_DIMENSION_SUMS_H

#include "base/map.h"
#include "control/dimensions.h"

/* One value, of all nodes. */
struct dimension_sum {
    enum dimension dimension;
    struct dimension_row row; /* its texts are the sums' own; `retired` and `tenant` are not set */
};

/* Begins as zeroes, but for the memory. */
struct dimension_sums {
    struct arena *memory; /* lent */
    struct map by_name;
    struct dimension_sum **list;
    size_t count, room;
};

/* Copies what it keeps. */
void dimension_sums_add(struct dimension_sums *s, enum dimension which,
                        const struct dimension_row *r);

/* By dimension, and in each most bad ones first. */
void dimension_sums_sort(struct dimension_sums *s);

/* What was counted in one dimension. */
void dimension_sums_whole(const struct dimension_sums *s, enum dimension which,
                          uint64_t ret_counts[DIMENSION_OUTCOMES]);

void dimension_sums_free(struct dimension_sums *s);

#endif
