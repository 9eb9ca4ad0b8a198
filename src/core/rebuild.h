/* SPDX-License-Identifier: Apache-2.0 */
/* rebuild.h - what a version of a journey would have counted of answers that another version counted, when the two differ in
 * their objectives only: same routes, same idea of what is bad.
 * A histogram says of each answer in which bin its time lies, so any threshold that is an edge of a bin is counted exactly:
 * good is what lies below, bad the rest. A threshold that both versions have, and availability, need no histogram.
 * An answer that its instance told to be slow counts by its time in what is rebuilt; the histogram knows nothing else of it.
 * Linear: rebuild_counts() of a sum is the sum of the results, so it may be fed with what came since some instant.
 * Pure.  Next: store/rebuilt_history.h, which rebuilds a history; control/lineage.c, which carries what is late. */
#ifndef EK_CORE_REBUILD_H
#define EK_CORE_REBUILD_H

#include "base/clock.h"
#include "base/str.h"
#include "core/histogram.h"
#include "core/series.h"

#include <stdbool.h>
#include <stdint.h>

enum rebuild_from {
    REBUILD_ANSWERS,   /* every answer is good, every failure bad */
    REBUILD_OBJECTIVE, /* the other version counted by the same threshold */
    REBUILD_BINS,      /* below a bin is good */
};

struct rebuild_pair {
    enum rebuild_from from;
    unsigned objective; /* of the other version */
    uint32_t bin;
};

struct rebuild_plan {
    struct rebuild_pair journey; /* good and slow */
    struct rebuild_pair objectives[OBJECTIVES_MAX];
    unsigned count;
    bool uses_bins;
};

/* `from`, `to`: the objectives' `under` of both versions in order, 0 for availability; at most OBJECTIVES_MAX. False when
 * objective *ret_missing of `to` has a threshold that `from` has not and that is no edge: the plan takes the edge below it
 * then, which is close but not exact. */
bool rebuild_plan(const ns_t *from, unsigned from_count, const ns_t *to, unsigned to_count,
                  struct rebuild_plan *ret_plan, unsigned *ret_missing);

/* `counts`: of the other version; `bins`: of the same answers, may be NULL when the plan uses none. */
void rebuild_counts(const struct rebuild_plan *plan, const uint64_t counts[SERIES_MAX],
                    const uint64_t *bins, uint64_t ret_counts[SERIES_MAX]);

/* Of a time that is no edge: "312ms is no edge of the histogram; 310ms and 315ms are". */
void rebuild_put_edges(ns_t under, struct str *out);

#endif
