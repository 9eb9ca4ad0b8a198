/* SPDX-License-Identifier: Apache-2.0 */
/* test_verdict.c - the judgement against a truth table by hand, and against a second, plainer
 * writing of the rules over every status. */
#include "core/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define MS(n) ((n)*NS_PER_MS)

static struct status_set statuses(unsigned from, unsigned to)
{
    struct status_set s = { { 0 } };

    for (unsigned status = from; status <= to; status++)
        assert_true(status_set_add(&s, status));
    return s;
}

/* Availability is 0. */
static struct verdict_rules rules_of(struct status_set bad, unsigned count, const ns_t *under)
{
    struct verdict_rules r = { .bad = bad };

    for (unsigned i = 0; i < count; i++)
        verdict_rules_add(&r, under[i]);
    return r;
}

/* In which objectives a verdict is good, in which it is bad. */
struct sides {
    unsigned good, bad;
};

static struct sides sides_of(const struct verdict_rules *r, struct verdict v)
{
    uint64_t series[SERIES_MAX] = {};
    struct sides s = { 0, 0 };
    uint64_t all = 0;

    verdict_add(&r->objectives, v, series);
    for (unsigned i = 0; i < r->objectives.count; i++) {
        s.good |= (unsigned)series[series_good(i)] << i;
        s.bad |= (unsigned)series[series_bad(i)] << i;
    }
    for (unsigned i = SERIES_GOOD; i <= SERIES_EXCLUDED; i++)
        all += series[i];
    assert_int_equal(series[v.outcome], 1);
    assert_int_equal(all, 1);
    return s;
}

static const ns_t three[] = { 0, MS(300), MS(1000) };

static void a_status_set_holds_what_was_added(void **state)
{
    (void)state;
    for (unsigned one = STATUS_LEAST; one <= STATUS_MOST; one++) {
        struct status_set s = statuses(one, one);
        for (unsigned status = 0; status < 1300; status++)
            assert_int_equal(status_set_has(&s, status), status == one);
    }
    struct status_set s = { { 0 } };
    assert_false(status_set_add(&s, 99));
    assert_false(status_set_add(&s, 600));
    assert_false(status_set_add(&s, UINT32_MAX));
}

enum { GOOD = OUTCOME_GOOD, SLOW = OUTCOME_SLOW, FAIL = OUTCOME_FAILED, EXCL = OUTCOME_EXCLUDED };

/* Objective 0: availability; 1: under 300 ms; 2: under 1 s. Bits as 0b(2)(1)(0). */
static const struct row {
    enum verdict_cause cause;
    unsigned status;
    ns_t latency;
    int outcome;
    uint8_t good;
    uint8_t bad;
} by_default[] = {
    { CAUSE_ANSWERED, 200, MS(10), GOOD, 0b111, 0 },
    { CAUSE_ANSWERED, 200, 0, GOOD, 0b111, 0 },
    { CAUSE_ANSWERED, 200, MS(300) - 1, GOOD, 0b111, 0 },
    { CAUSE_ANSWERED, 200, MS(300), SLOW, 0b101, 0b010 },
    { CAUSE_ANSWERED, 302, MS(999), SLOW, 0b101, 0b010 },
    { CAUSE_ANSWERED, 200, MS(1000), SLOW, 0b001, 0b110 },
    { CAUSE_ANSWERED, 101, MS(10), GOOD, 0b111, 0 },
    { CAUSE_ANSWERED, 500, MS(10), FAIL, 0, 0b001 },
    { CAUSE_ANSWERED, 503, MS(5000), FAIL, 0, 0b001 },
    { CAUSE_ANSWERED, 400, MS(10), EXCL, 0, 0 },
    { CAUSE_ANSWERED, 404, MS(5000), EXCL, 0, 0 },
    { CAUSE_ANSWERED, 499, MS(10), EXCL, 0, 0 },
    { CAUSE_ANSWERED, 0, MS(10), FAIL, 0, 0b001 },
    { CAUSE_ANSWERED, 600, MS(10), FAIL, 0, 0b001 },
    { CAUSE_ANSWERED, 999, MS(10), FAIL, 0, 0b001 },
    { CAUSE_MALFORMED, 400, MS(10), EXCL, 0, 0 },
    { CAUSE_MALFORMED, 0, MS(10), EXCL, 0, 0 },
    { CAUSE_MALFORMED, 501, MS(10), FAIL, 0, 0b001 },
    { CAUSE_CLIENT_GONE, 0, MS(10), EXCL, 0, 0 },
    { CAUSE_CLIENT_GONE, 200, MS(5000), EXCL, 0, 0 },
    { CAUSE_CLIENT_GONE, 500, MS(10), FAIL, 0, 0b001 },
    { CAUSE_TIMEOUT, 504, MS(15000), FAIL, 0, 0b001 },
    { CAUSE_TIMEOUT, 200, MS(15000), FAIL, 0, 0b001 },
    { CAUSE_CONNECT_FAILED, 502, MS(10), FAIL, 0, 0b001 },
    { CAUSE_CONNECT_FAILED, 0, MS(10), FAIL, 0, 0b001 },
    { CAUSE_REFUSED, 429, MS(0), FAIL, 0, 0b001 },
    { CAUSE_REFUSED, 503, MS(0), FAIL, 0, 0b001 },
    { CAUSE_ANSWER_BROKEN, 200, MS(10), FAIL, 0, 0b001 },
    { CAUSE_TOLD_FAILED, 200, MS(10), FAIL, 0, 0b001 },
};

static void the_truth_table_holds(void **state)
{
    const struct verdict_rules rules = rules_of(statuses(500, 599), 3, three);

    (void)state;
    for (size_t i = 0; i < sizeof(by_default) / sizeof(by_default[0]); i++) {
        const struct row *row = &by_default[i];
        struct verdict v = verdict_of(&rules, row->cause, row->status, row->latency);
        struct sides is = sides_of(&rules, v);
        if ((int)v.outcome != row->outcome || is.good != row->good || is.bad != row->bad)
            fail_msg("row %zu: outcome %d good %x bad %x", i, v.outcome, is.good, is.bad);
    }
}

static void what_is_bad_may_be_configured(void **state)
{
    struct verdict_rules rules = {
        .bad = statuses(429, 429),
        .client_gone_bad = true,
    };

    verdict_rules_add(&rules, 0);

    (void)state;
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 429, 1).outcome, OUTCOME_FAILED);
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 428, 1).outcome, OUTCOME_EXCLUDED);
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 500, 1).outcome, OUTCOME_GOOD);
    assert_int_equal(verdict_of(&rules, CAUSE_CLIENT_GONE, 200, 1).outcome, OUTCOME_FAILED);
    assert_int_equal(sides_of(&rules, verdict_of(&rules, CAUSE_CLIENT_GONE, 0, 1)).bad, 1);
    assert_int_equal(verdict_of(&rules, CAUSE_REFUSED, 503, 1).outcome, OUTCOME_FAILED);
}

static void a_journey_without_objectives_is_still_judged(void **state)
{
    struct verdict_rules rules = { .bad = statuses(500, 599) };

    (void)state;
    struct verdict v = verdict_of(&rules, CAUSE_ANSWERED, 200, MS(99999));
    assert_int_equal(v.outcome, OUTCOME_GOOD);
    assert_int_equal(v.missed, 0);
    assert_int_equal(verdict_counters(&rules.objectives), 4);
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 500, 1).outcome, OUTCOME_FAILED);
}

/* The rules once more, as questions with yes and no. */
static bool failed_by_rule(const struct verdict_rules *r, enum verdict_cause cause, unsigned status)
{
    bool in_set = status >= 100 && status < 600 && status_set_has(&r->bad, status);

    if (cause == CAUSE_ANSWERED)
        return in_set || status < 100 || status > 599;
    if (cause == CAUSE_MALFORMED)
        return in_set;
    if (cause == CAUSE_CLIENT_GONE)
        return in_set || r->client_gone_bad;
    return true;
}

static bool excluded_by_rule(const struct verdict_rules *r, enum verdict_cause cause,
                             unsigned status)
{
    if (failed_by_rule(r, cause, status))
        return false;
    return cause != CAUSE_ANSWERED || status / 100 == 4;
}

/* What was given to verdict_rules_add(). */
struct written {
    struct verdict_rules rules;
    unsigned count;
    ns_t under[OBJECTIVES_MAX];
};

static void expect_consistent(const struct written *w, enum verdict_cause cause, unsigned status,
                              ns_t latency)
{
    const struct verdict_rules *r = &w->rules;
    struct verdict v = verdict_of(r, cause, status, latency);
    struct sides is = sides_of(r, v);
    bool failed = failed_by_rule(r, cause, status);
    bool excluded = excluded_by_rule(r, cause, status);
    bool missed = false;

    for (unsigned i = 0; i < w->count; i++) {
        bool age = w->under[i] == VERDICT_AGE;
        bool timed = w->under[i] > 0;
        bool good = !age && !failed && !excluded && (!timed || latency < w->under[i]);
        bool bad = !age && !excluded && (timed ? !failed && latency >= w->under[i] : failed);
        assert_int_equal(is.good >> i & 1, good);
        assert_int_equal(is.bad >> i & 1, bad);
        missed |= timed && bad;
    }
    assert_int_equal(v.outcome == OUTCOME_FAILED, failed);
    assert_int_equal(v.outcome == OUTCOME_EXCLUDED, excluded);
    assert_int_equal(v.outcome == OUTCOME_SLOW, missed);
    assert_int_equal(v.missed > 0, missed);
    assert_int_equal(verdict_timed(v), !failed && !excluded);
}

static void every_status_and_cause_follows_the_rules(void **state)
{
    struct written written[] = {
        { .rules = { .bad = statuses(500, 599) }, .count = 2, .under = { 0, MS(300) } },
        { .rules = { .bad = statuses(400, 599), .client_gone_bad = true },
          .count = 2,
          .under = { MS(1), 0 } },
        { .count = 8, .under = { 0, 1, MS(1), MS(2), MS(300), 0, MS(4), 0 } },
        { .count = 8, .under = { MS(300), MS(1), VERDICT_AGE, MS(300), 1, MS(1), 0, MS(2) } },
        { .rules = { .bad = statuses(200, 200), .client_gone_bad = true } },
    };
    static const ns_t latencies[] = { 0, 1, MS(1) - 1, MS(1), MS(300) - 1, MS(300), MS(99999) };

    (void)state;
    for (size_t r = 0; r < sizeof(written) / sizeof(written[0]); r++) {
        for (unsigned i = 0; i < written[r].count; i++)
            verdict_rules_add(&written[r].rules, written[r].under[i]);
        for (int cause = 0; cause < CAUSES_COUNT; cause++)
            for (unsigned status = 0; status < 700; status++)
                for (size_t l = 0; l < sizeof(latencies) / sizeof(latencies[0]); l++)
                    expect_consistent(&written[r], (enum verdict_cause)cause, status, latencies[l]);
    }
}

/* Each verdict has one counter, and they add up to what each of them by itself says. */
static void counters_say_what_the_verdicts_said(void **state)
{
    static const ns_t under[] = { MS(1000), 0, MS(20), VERDICT_AGE, MS(300), MS(20) };
    const struct verdict_rules rules = rules_of(statuses(500, 599), 6, under);
    uint64_t counters[VERDICT_COUNTERS_MAX] = {};
    uint64_t one_by_one[SERIES_MAX] = {};
    uint64_t series[SERIES_MAX] = {};

    (void)state;
    assert_int_equal(verdict_counters(&rules.objectives), VERDICT_MISSED + 5);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned status = i % 50 == 7 ? 503 : i % 40 == 3 ? 404 : 200;
        struct verdict v = verdict_of(&rules, CAUSE_ANSWERED, status, MS(i) / 2);
        assert_true(verdict_counter(v) < verdict_counters(&rules.objectives));
        assert_true(verdict_counter(v) != VERDICT_LATENCY_SUM_US);
        counters[verdict_counter(v)]++;
        verdict_add(&rules.objectives, v, one_by_one);
    }
    counters[VERDICT_LATENCY_SUM_US] = one_by_one[SERIES_LATENCY_SUM_US] = 4711;
    verdict_series(&rules.objectives, counters, series);
    assert_memory_equal(series, one_by_one, sizeof(series));
    assert_true(series[SERIES_GOOD] && series[SERIES_SLOW] && series[SERIES_FAILED]);
    assert_true(series[series_bad(2)] > series[series_bad(4)]);
    assert_true(series[series_bad(4)] > series[series_bad(0)]);
    assert_int_equal(series[series_bad(2)], series[series_bad(5)]);
    assert_int_equal(series[series_good(3)] + series[series_bad(3)], 0);
}

static void counters_keep_their_documented_order(void **state)
{
    (void)state;
    assert_int_equal(SERIES_GOOD, 0);
    assert_int_equal(SERIES_SLOW, 1);
    assert_int_equal(SERIES_FAILED, 2);
    assert_int_equal(SERIES_EXCLUDED, 3);
    assert_int_equal(SERIES_LATENCY_SUM_US, 4);
    assert_int_equal(series_good(0), 5);
    assert_int_equal(series_bad(7), SERIES_STEPS - 1);
    assert_int_equal(SERIES_STEPS, 21);
    assert_int_equal(SERIES_ABANDONED, 29);
    assert_int_equal(SERIES_LOST, 30);
    assert_int_equal(SERIES_NO_IDENTITY, 31);
    assert_int_equal(series_count(0), 5);
    assert_int_equal(series_count(OBJECTIVES_MAX), SERIES_STEPS);
}

static void a_delta_never_wraps(void **state)
{
    const uint64_t later[] = { 10, 5, UINT64_MAX }, earlier[] = { 4, 6, 0 };
    uint64_t delta[3];

    (void)state;
    series_delta(3, later, earlier, delta);
    assert_int_equal(delta[0], 6);
    assert_int_equal(delta[1], 0);
    assert_true(delta[2] == UINT64_MAX);
}

static void every_cause_has_words(void **state)
{
    (void)state;
    for (int cause = 0; cause < CAUSES_COUNT; cause++)
        assert_true(verdict_cause_words((enum verdict_cause)cause)[0] != '\0');
}

static void what_is_told(void **state)
{
    static const struct {
        enum outcome told;
        ns_t latency;
        enum outcome outcome;
        uint8_t good, bad;
    } cases[] = {
        { OUTCOME_GOOD, 99, OUTCOME_GOOD, 3, 0 },
        { OUTCOME_GOOD, 100, OUTCOME_SLOW, 1, 2 },
        { OUTCOME_SLOW, 1, OUTCOME_SLOW, 1, 2 },
        { OUTCOME_FAILED, 1, OUTCOME_FAILED, 0, 1 },
        { OUTCOME_EXCLUDED, 1, OUTCOME_EXCLUDED, 0, 0 },
    };
    static const ns_t under[] = { 0, 100 };
    const struct verdict_rules rules = rules_of((struct status_set){}, 2, under);
    const struct verdict_rules no_latency = rules_of((struct status_set){}, 1, under);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict v = verdict_told(&rules, cases[i].told, cases[i].latency);
        assert_int_equal(v.outcome, cases[i].outcome);
        assert_int_equal(sides_of(&rules, v).good, cases[i].good);
        assert_int_equal(sides_of(&rules, v).bad, cases[i].bad);
    }
    /* slower than what? */
    assert_int_equal(verdict_told(&no_latency, OUTCOME_SLOW, 1).outcome, OUTCOME_GOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(a_status_set_holds_what_was_added),
        cmocka_unit_test(the_truth_table_holds),
        cmocka_unit_test(what_is_bad_may_be_configured),
        cmocka_unit_test(a_journey_without_objectives_is_still_judged),
        cmocka_unit_test(every_status_and_cause_follows_the_rules),
        cmocka_unit_test(counters_say_what_the_verdicts_said),
        cmocka_unit_test(counters_keep_their_documented_order),
        cmocka_unit_test(a_delta_never_wraps),
        cmocka_unit_test(every_cause_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
