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

/* A failure is judged by those that are about availability. */
static unsigned about_availability(const struct verdict_rules *rules)
{
    unsigned set = 0;

    for (unsigned i = 0; i < rules->objectives; i++)
        set |= (unsigned)(rules->under[i] == 0) << i;
    return set;
}

/* Without a branch for each: on which side of a threshold a time falls is nothing that a processor could foresee. 0 less one
 * is more than any time, so that what has no threshold is never missed. */
static unsigned missed_by(const struct verdict_rules *rules, ns_t latency)
{
    unsigned set = 0;

    for (unsigned i = rules->objectives; i-- > 0;)
        set = 2 * set + ((uint64_t)latency > (uint64_t)rules->under[i] - 1);
    return set;
}

static void judge_objectives(const struct verdict_rules *rules, ns_t latency, struct verdict *v)
{
    unsigned judging = ((1u << rules->objectives) - 1) & ~(unsigned)rules->ages;

    if (v->outcome == OUTCOME_FAILED) {
        v->bad = (uint8_t)(judging & about_availability(rules));
        return;
    }
    v->bad = (uint8_t)(judging & missed_by(rules, latency));
    v->good = (uint8_t)(judging & ~(unsigned)v->bad);
    v->outcome = v->bad ? OUTCOME_SLOW : OUTCOME_GOOD;
}

struct verdict verdict_of(const struct verdict_rules *rules, enum verdict_cause cause,
                          unsigned status, ns_t latency)
{
    check((unsigned)cause < CAUSES_COUNT);
    check(rules->objectives <= OBJECTIVES_MAX);
    check(latency >= 0);

    struct verdict v = { .outcome = outcome_of(rules, cause, status) };

    if (v.outcome != OUTCOME_EXCLUDED)
        judge_objectives(rules, latency, &v);
    return v;
}

struct verdict verdict_told(const struct verdict_rules *rules, enum outcome told, ns_t latency)
{
    check((unsigned)told <= OUTCOME_EXCLUDED);
    check(rules->objectives <= OBJECTIVES_MAX);
    check(latency >= 0);

    struct verdict v = { .outcome = told == OUTCOME_SLOW ? OUTCOME_GOOD : told };

    if (told != OUTCOME_EXCLUDED)
        judge_objectives(rules, told == OUTCOME_SLOW ? INT64_MAX : latency, &v);
    return v;
}

unsigned verdict_series(struct verdict v, uint8_t ret_series[VERDICT_SERIES_MAX])
{
    unsigned n = 0;

    ret_series[n++] = (uint8_t)v.outcome;
    for (unsigned left = (unsigned)v.good | v.bad; left; left &= left - 1)
        ret_series[n++] = (uint8_t)verdict_side(v, (unsigned)__builtin_ctz(left));
    return n;
}
