/* SPDX-License-Identifier: Apache-2.0 */
/* duration_buckets.h - how many answers of a journey took less than each edge: every threshold that its objectives promise,
 * and a dozen more for a picture of the whole.
 * A threshold that is no edge of the histogram (12.34 ms) has the count of its objective, which is as exact.
 * Adding up the 1,600 bins of a journey costs some microseconds: it is done again only when answers have come.
 * Owned by control. */
#ifndef EK_CONTROL_DURATION_BUCKETS_H
#define EK_CONTROL_DURATION_BUCKETS_H

#include "control/book.h"

enum { DURATION_BUCKETS_MAX = OBJECTIVES_MAX + 12 };

struct duration_buckets {
    unsigned count;
    ns_t edges[DURATION_BUCKETS_MAX];     /* rising */
    uint64_t below[DURATION_BUCKETS_MAX]; /* never falling, at most total */
    uint64_t total;
    bool whole; /* all answers that were counted are in it */
};

/* By the journey's stable id. */
struct duration_cache {
    struct duration_buckets *list;
    size_t count;
};

void duration_cache_free(struct duration_cache *cache);

/* Valid until the next call. `live`: of book_live(), just now. */
const struct duration_buckets *duration_buckets(struct duration_cache *cache, const struct book *b,
                                                const struct journey *j,
                                                const uint64_t live[SERIES_MAX]);

#endif
