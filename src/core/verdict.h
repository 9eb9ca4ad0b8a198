/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - the judgement of one finished exchange: once, at its end, against every objective.
 * The journey's verdict is one of good, slow, failed, excluded. An objective says good, bad, or
 * does not count it:
 *     availability (no `under`)   good and slow answers are good, failed ones bad
 *     latency (`under`)           judges good and slow answers only: less than `under` is good
 * An excluded exchange counts in no objective. A slow one is neither failed nor excluded, and
 * missed at least one latency objective.
 * Pure and without allocation: data path.  Next: series.h, the counters that a verdict adds to. */
#ifndef EK_CORE_VERDICT_H
#define EK_CORE_VERDICT_H

#include "base/clock.h"
#include "core/series.h"
#include "core/status_set.h"

#include <stdbool.h>
#include <stdint.h>

/* clang-format off */
#define VERDICT_CAUSES(X) \
    /* name          a status in the bad set fails it, else    how the exchange ended */ \
    X(ANSWERED,       BY_STATUS,    "the whole answer was given to the client") \
    X(MALFORMED,      EXCLUDED,     "the client's request was malformed or beyond a limit") \
    X(CLIENT_GONE,    AS_CONFIGURED,"the client left before the answer's end") \
    X(TIMEOUT,        FAILED,       "a deadline passed before the answer") \
    X(CONNECT_FAILED, FAILED,       "no instance took a connection") \
    X(REFUSED,        FAILED,       "refused by ourselves under load") \
    X(ANSWER_BROKEN,  FAILED,       "the instance's answer was cut short or was not HTTP") \
    X(TOLD_FAILED,    FAILED,       "the instance said itself that the answer is a failure")
/* clang-format on */

enum verdict_cause {
#define X(name, judged, words) CAUSE_##name,
    VERDICT_CAUSES(X)
#undef X
        CAUSES_COUNT
};

/* How the exchange ended, in words for people. */
const char *verdict_cause_words(enum verdict_cause cause);

/* What of the configuration a verdict needs; the caller owns it. */
struct verdict_rules {
    struct status_set bad; /* statuses that are failures; 500-599 unless configured */
    bool client_gone_bad;  /* a client that leaves is a failure; else excluded */
    uint8_t objectives;    /* at most OBJECTIVES_MAX */
    uint8_t ages; /* bit i: objective i is about what waits, and no event is judged by it */
    ns_t under[OBJECTIVES_MAX]; /* a good answer takes less; 0: an availability objective */
};

/* The same order as the first four of enum series, so that a verdict is the series that it adds
 * to. */
enum outcome {
    OUTCOME_GOOD = SERIES_GOOD,
    OUTCOME_SLOW = SERIES_SLOW,
    OUTCOME_FAILED = SERIES_FAILED,
    OUTCOME_EXCLUDED = SERIES_EXCLUDED,
};

struct verdict {
    enum outcome outcome;
    uint8_t good; /* bit i: good in objective i */
    uint8_t bad;  /* bit i: bad in objective i; in neither: not counted by it */
};

/* The judgement, by the first line that fits. `status` is that of the answer's head as far as the
 * client got one, 0 for none:
 *     a cause that is a failure   failed
 *     in the bad set              failed, also when the client left afterwards: hanging up on an
 *                                 error page does not unmake the error
 *     CLIENT_GONE                 failed or excluded, as configured
 *     MALFORMED                   excluded
 *     400-499                     excluded
 *     not within 100-599          failed: RFC 9110 section 15 has it treated as a 5xx
 *     anything else               good or slow by `latency` >= 0
 */
struct verdict verdict_of(const struct verdict_rules *rules, enum verdict_cause cause,
                          unsigned status, ns_t latency);

/* The judgement of what was told by the one who knows: an instance about its whole answer, a worker about its
 * job. GOOD is good or slow by `latency` >= 0; SLOW misses every latency objective whatever the time (and is
 * good where there is none); FAILED and EXCLUDED are that. */
struct verdict verdict_told(const struct verdict_rules *rules, enum outcome told, ns_t latency);

/* Whether the exchange's latency belongs into LATENCY_SUM_US and the histogram. */
static inline bool verdict_timed(struct verdict v)
{
    return v.outcome == OUTCOME_GOOD || v.outcome == OUTCOME_SLOW;
}

/* Of the two counters of objective i, the one that a verdict which it judges adds to. */
static inline unsigned verdict_side(struct verdict v, unsigned i)
{
    return series_good(i) + (v.bad >> i & 1u);
}

/* The counters (enum series) to which this verdict adds one; returns how many, at most
 * 1 + OBJECTIVES_MAX. LATENCY_SUM_US and the histogram bin are the caller's, see
 * verdict_timed(). */
enum { VERDICT_SERIES_MAX = 1 + OBJECTIVES_MAX };
unsigned verdict_series(struct verdict v, uint8_t ret_series[VERDICT_SERIES_MAX]);

#endif
