/* SPDX-License-Identifier: Apache-2.0 */
/* verdict.c - from how an exchange ended to what it counts as. Next: verdict.h has the rules. */
#include "core/verdict.h"

#include "base/check.h"

enum judged { JUDGED_BY_STATUS, JUDGED_AS_CONFIGURED, JUDGED_EXCLUDED, JUDGED_FAILED };

static const struct cause {
    enum judged judged;
    const char *words;
} causes[CAUSES_COUNT] = {
#define X(name, how, text) [CAUSE_##name] = { .judged = JUDGED_##how, .words = text },
    VERDICT_CAUSES(X)
#undef X
};

const char *verdict_cause_words(enum verdict_cause cause)
{
    check((unsigned)cause < CAUSES_COUNT);
    return causes[cause].words;
}

static enum outcome outcome_of_status(unsigned status)
{
    if (status >= 400 && status <= 499)
        return OUTCOME_EXCLUDED;
    return status_valid(status) ? OUTCOME_GOOD : OUTCOME_FAILED;
}

/* OUTCOME_GOOD stands for "good or slow, its time will tell". */
static enum outcome outcome_of(const struct verdict_rules *rules, enum verdict_cause cause,
                               unsigned status)
{
    if (status_set_has(&rules->bad, status))
        return OUTCOME_FAILED;
    switch (causes[cause].judged) {
    case JUDGED_BY_STATUS: return outcome_of_status(status);
    case JUDGED_AS_CONFIGURED: return rules->client_gone_bad ? OUTCOME_FAILED : OUTCOME_EXCLUDED;
    case JUDGED_EXCLUDED: return OUTCOME_EXCLUDED;
    case JUDGED_FAILED: return OUTCOME_FAILED;
    }
    never("every cause is judged in one of these ways");
}

/* Without a branch: on which side of a threshold a time falls is nothing that a processor could foresee. */
static struct verdict answered(const struct verdict_rules *rules, ns_t latency)
{
    unsigned missed = 0;

    for (unsigned i = 0; i < rules->objectives.thresholds; i++)
        missed += latency >= rules->thresholds[i];
    return (struct verdict){ missed ? OUTCOME_SLOW : OUTCOME_GOOD, (uint8_t)missed };
}

struct verdict verdict_of(const struct verdict_rules *rules, enum verdict_cause cause,
                          unsigned status, ns_t latency)
{
    check((unsigned)cause < CAUSES_COUNT);
    check(latency >= 0);

    enum outcome outcome = outcome_of(rules, cause, status);

    return outcome == OUTCOME_GOOD ? answered(rules, latency) : (struct verdict){ outcome, 0 };
}

struct verdict verdict_told(const struct verdict_rules *rules, enum outcome told, ns_t latency)
{
    check(latency >= 0);

    switch (told) {
    case OUTCOME_GOOD: return answered(rules, latency);
    case OUTCOME_SLOW: return answered(rules, INT64_MAX);
    case OUTCOME_FAILED:
    case OUTCOME_EXCLUDED: return (struct verdict){ told, 0 };
    }
    never("whoever takes it from the wire knows these four");
}

/* ---- rules */

/* Returns how many an answer misses that misses the new one. (Equal ones are missed together, so it is one which of them is first.) */
static uint8_t put_threshold(struct verdict_rules *rules, ns_t under)
{
    struct verdict_objectives *o = &rules->objectives;
    unsigned at = o->thresholds++;

    for (; at > 0 && rules->thresholds[at - 1] > under; at--)
        rules->thresholds[at] = rules->thresholds[at - 1];
    rules->thresholds[at] = under;
    for (unsigned i = 0; i < o->count; i++) {
        if (o->missed_by[i] != MISSED_BY_NONE && o->missed_by[i] > at)
            o->missed_by[i]++;
    }
    return (uint8_t)(at + 1);
}

void verdict_rules_add(struct verdict_rules *rules, ns_t under)
{
    struct verdict_objectives *o = &rules->objectives;
    uint8_t missed_by = MISSED_BY_FAILURES;

    check(o->count < OBJECTIVES_MAX);
    if (under == VERDICT_AGE)
        missed_by = MISSED_BY_NONE;
    else if (under > 0)
        missed_by = put_threshold(rules, under);
    o->missed_by[o->count++] = missed_by;
}

/* ---- counters */

void verdict_series(const struct verdict_objectives *o, const uint64_t *counters,
                    uint64_t *ret_series)
{
    uint64_t fewer[VERDICT_COUNTERS_MAX]; /* answers that missed fewer thresholds than so many */
    uint64_t answers = 0;

    for (unsigned missed = 0; missed <= o->thresholds; missed++) {
        fewer[missed] = answers;
        answers += counters[VERDICT_MISSED + missed];
    }
    ret_series[SERIES_GOOD] = counters[VERDICT_MISSED];
    ret_series[SERIES_SLOW] = answers - counters[VERDICT_MISSED];
    ret_series[SERIES_FAILED] = counters[VERDICT_FAILED];
    ret_series[SERIES_EXCLUDED] = counters[VERDICT_EXCLUDED];
    ret_series[SERIES_LATENCY_SUM_US] = counters[VERDICT_LATENCY_SUM_US];
    for (unsigned i = 0; i < o->count; i++) {
        uint64_t good = 0, bad = 0;
        if (o->missed_by[i] == MISSED_BY_FAILURES) {
            good = answers;
            bad = counters[VERDICT_FAILED];
        } else if (o->missed_by[i] != MISSED_BY_NONE) {
            good = fewer[o->missed_by[i]];
            bad = answers - good;
        }
        ret_series[series_good(i)] = good;
        ret_series[series_bad(i)] = bad;
    }
}

void verdict_add(const struct verdict_objectives *o, struct verdict v, uint64_t *series)
{
    uint64_t counters[VERDICT_COUNTERS_MAX] = {};
    uint64_t added[SERIES_STEPS];

    counters[verdict_counter(v)] = 1;
    verdict_series(o, counters, added);
    for (unsigned i = 0; i < series_count(o->count); i++)
        series[i] += added[i];
}
