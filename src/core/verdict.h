/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.h - the judgement of one finished exchange: once, at its end, against every objective.
 * The journey's verdict is one of good, slow, failed, excluded. An objective says good, bad, or
 * does not count it:
 *     availability (no `under`)   good and slow answers are good, failed ones bad
 *     latency (`under`)           judges good and slow answers only: less than `under` is good
 * An excluded exchange counts in no objective. A slow one is neither failed nor excluded, and
 * missed at least one latency objective.
 * Pure and without allocation: data path.  Next: series.h, what is counted in the end. */
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

/* What the objectives say of an answer is said by one number: how many of their thresholds it missed, the shortest first. */
struct verdict_objectives {
    uint8_t count;      /* at most OBJECTIVES_MAX */
    uint8_t thresholds; /* of them, those on latency */
    /* objective i is bad for answers that miss so many thresholds or more; or one of the two below */
    uint8_t missed_by[OBJECTIVES_MAX];
};

enum {
    MISSED_BY_FAILURES = 0,     /* an availability objective */
    MISSED_BY_NONE = UINT8_MAX, /* it judges no exchange: it is about what waits */
};

/* What of the configuration a verdict needs; the caller owns it. Cleared: no objective, no status is bad. */
struct verdict_rules {
    struct status_set bad; /* statuses that are failures; 500-599 unless configured */
    bool client_gone_bad;  /* a client that leaves is a failure; else excluded */
    struct verdict_objectives objectives;
    ns_t thresholds[OBJECTIVES_MAX]; /* of those on latency, in order: a good answer takes less */
};

/* The next objective: on latency, `under` > 0; on availability, 0; VERDICT_AGE: on what waits. */
#define VERDICT_AGE (-1)
void verdict_rules_add(struct verdict_rules *rules, ns_t under);

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
    uint8_t missed; /* of the thresholds; more than 0 when SLOW */
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

/* Whether the exchange's latency belongs into the sum of latencies and the histogram. */
static inline bool verdict_timed(struct verdict v)
{
    return v.outcome == OUTCOME_GOOD || v.outcome == OUTCOME_SLOW;
}

/* The counters on which verdicts are kept: one for each way to be judged, so that a request adds to one of them, however many
 * objectives its journey has. What series.h has follows from them. */
enum verdict_counter {
    VERDICT_FAILED,
    VERDICT_EXCLUDED,
    VERDICT_LATENCY_SUM_US,
    VERDICT_MISSED, /* no threshold; then those that missed one, two, ... */
    VERDICT_COUNTERS_MAX = VERDICT_MISSED + OBJECTIVES_MAX + 1,
};

static inline unsigned verdict_counters(const struct verdict_objectives *o)
{
    return VERDICT_MISSED + o->thresholds + 1u;
}

/* The one of them to which this verdict adds one. VERDICT_LATENCY_SUM_US and the histogram bin are the caller's, see
 * verdict_timed(). */
static inline unsigned verdict_counter(struct verdict v)
{
    return verdict_timed(v) ? (unsigned)VERDICT_MISSED + v.missed
                            : (unsigned)(v.outcome - OUTCOME_FAILED);
}

/* What verdict_counters() of them make in the order of series.h: series_count() counters. */
void verdict_series(const struct verdict_objectives *o, const uint64_t *counters,
                    uint64_t *ret_series);

/* Adds one verdict to what is counted in that order; its time is the caller's. */
void verdict_add(const struct verdict_objectives *o, struct verdict v, uint64_t *series);

#endif
