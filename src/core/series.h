/* SPDX-License-Identifier: Apache-2.0 */
/* series.h - what is counted of a journey, and in which order.
 * The rings of window.h and the blobs of the store hold the counters of one version of a journey in this order, so it only
 * ever grows at its end:
 *
 *     GOOD SLOW FAILED EXCLUDED LATENCY_SUM_US  then for each objective  GOOD_i BAD_i
 *
 * Behind the room for all objectives a journey of steps has its funnel; it is in totals, not in windows:
 *
 *     attempts that reached step 1 to 8  ABANDONED LOST NO_IDENTITY
 *
 * Reactors count in fewer, from which these follow (verdict.h).
 * Always: every counter only grows. Each finished exchange adds one to exactly one of the first
 * four.
 * LATENCY_SUM_US and the histogram take in the judged answers, those that are GOOD or SLOW, so the
 * bins of a histogram add up to GOOD + SLOW.
 * Next: verdict.h, which says what adds to what. */
#ifndef EK_CORE_SERIES_H
#define EK_CORE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

enum {
    OBJECTIVES_MAX = 8, /* of one journey: one verdict fits bit sets of 8 */
    STEPS_MAX = 8,      /* the same of those that a request may be */
};

/* clang-format off */
#define SERIES(X) \
    /* name          word              what one of it is */ \
    X(GOOD,           "good",           "an exchange that missed no objective") \
    X(SLOW,           "slow",           "an answer that missed an objective on latency") \
    X(FAILED,         "failed",         "an exchange that is bad for the user whatever its time") \
    X(EXCLUDED,       "excluded",       "neither good nor bad: the client's mistake or choice") \
    X(LATENCY_SUM_US, "latency_sum_us", "a microsecond of a good or slow answer")
/* clang-format on */

enum series {
#define X(name, word, meaning) SERIES_##name,
    SERIES(X)
#undef X
        SERIES_OBJECTIVES, /* the first objective's pair begins here */
    SERIES_STEPS =
        SERIES_OBJECTIVES + 2 * OBJECTIVES_MAX, /* attempts that reached the first step, ... */
    SERIES_ABANDONED =
        SERIES_STEPS + STEPS_MAX, /* attempts that were not completed, and no step failed */
    SERIES_LOST,        /* that were under way when the process ended, or found no room any more */
    SERIES_NO_IDENTITY, /* requests of steps that name no user */
    SERIES_MAX,
    SERIES_OF_ONE_MAX = 2 + OBJECTIVES_MAX, /* so many of them one exchange can add to */

    /* A journey of jobs that are read by a query has these in the same places. */
    SERIES_QUERIED_MS = SERIES_STEPS, /* unix milliseconds: what ended until then is counted */
    SERIES_UNQUERIED_MS,              /* milliseconds in which its query failed */
};

/* How many counters a journey with so many objectives has, without its funnel; at most SERIES_STEPS. */
static inline unsigned series_count(unsigned objectives)
{
    return SERIES_OBJECTIVES + 2 * objectives;
}

/* The first so many are used, with its funnel if it has one. */
static inline unsigned series_used(unsigned objectives, bool funnel)
{
    return funnel ? SERIES_MAX : series_count(objectives);
}

static inline unsigned series_good(unsigned objective)
{
    return SERIES_OBJECTIVES + 2 * objective;
}

static inline unsigned series_bad(unsigned objective)
{
    return SERIES_OBJECTIVES + 2 * objective + 1;
}

/* What happened between two cumulative readings, counter by counter. A reading may only be smaller
 * than an earlier one when the wall clock stepped back between two epochs and the two came from the
 * store in the wrong order: that is no event, and never a huge number. */
static inline void series_delta(unsigned count, const uint64_t *later, const uint64_t *earlier,
                                uint64_t *ret_deltas)
{
    for (unsigned i = 0; i < count; i++)
        ret_deltas[i] = later[i] > earlier[i] ? later[i] - earlier[i] : 0;
}

#endif
