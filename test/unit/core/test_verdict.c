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
    struct verdict_rules rules = {
        .bad = statuses(500, 599),
        .objectives = 3,
        .under = { 0, MS(300), MS(1000) },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(by_default) / sizeof(by_default[0]); i++) {
        const struct row *row = &by_default[i];
        struct verdict v = verdict_of(&rules, row->cause, row->status, row->latency);
        if ((int)v.outcome != row->outcome || v.good != row->good || v.bad != row->bad)
            fail_msg("row %zu: outcome %d good %x bad %x", i, v.outcome, v.good, v.bad);
    }
}

static void what_is_bad_may_be_configured(void **state)
{
    struct verdict_rules rules = {
        .bad = statuses(429, 429),
        .client_gone_bad = true,
        .objectives = 1,
    };

    (void)state;
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 429, 1).outcome, OUTCOME_FAILED);
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 428, 1).outcome, OUTCOME_EXCLUDED);
    assert_int_equal(verdict_of(&rules, CAUSE_ANSWERED, 500, 1).outcome, OUTCOME_GOOD);
    assert_int_equal(verdict_of(&rules, CAUSE_CLIENT_GONE, 200, 1).outcome, OUTCOME_FAILED);
    assert_int_equal(verdict_of(&rules, CAUSE_CLIENT_GONE, 0, 1).bad, 1);
    assert_int_equal(verdict_of(&rules, CAUSE_REFUSED, 503, 1).outcome, OUTCOME_FAILED);
}

static void a_journey_without_objectives_is_still_judged(void **state)
{
    struct verdict_rules rules = { .bad = statuses(500, 599) };
    uint8_t series[VERDICT_SERIES_MAX];

    (void)state;
    struct verdict v = verdict_of(&rules, CAUSE_ANSWERED, 200, MS(99999));
    assert_int_equal(v.outcome, OUTCOME_GOOD);
    assert_int_equal(verdict_series(v, series), 1);
    assert_int_equal(series[0], SERIES_GOOD);
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

static void expect_consistent(const struct verdict_rules *r, enum verdict_cause cause,
                              unsigned status, ns_t latency)
{
    struct verdict v = verdict_of(r, cause, status, latency);
    bool failed = failed_by_rule(r, cause, status);
    bool excluded = excluded_by_rule(r, cause, status);
    bool missed = false;

    for (unsigned i = 0; i < r->objectives; i++) {
        bool timed = r->under[i] != 0;
        bool good = !failed && !excluded && (!timed || latency < r->under[i]);
        bool bad = !excluded && (timed ? !failed && latency >= r->under[i] : failed);
        assert_int_equal(v.good >> i & 1, good);
        assert_int_equal(v.bad >> i & 1, bad);
        missed |= timed && bad;
    }
    assert_int_equal((v.good | v.bad) >> r->objectives, 0);
    assert_int_equal(v.outcome == OUTCOME_FAILED, failed);
    assert_int_equal(v.outcome == OUTCOME_EXCLUDED, excluded);
    assert_int_equal(v.outcome == OUTCOME_SLOW, missed);
    assert_int_equal(verdict_timed(v), !failed && !excluded);
}

static void every_status_and_cause_follows_the_rules(void **state)
{
    struct verdict_rules rules[] = {
        { .bad = statuses(500, 599), .objectives = 2, .under = { 0, MS(300) } },
        { .bad = statuses(400, 599),
          .client_gone_bad = true,
          .objectives = 2,
          .under = { MS(1), 0 } },
        { .bad = { { 0 } },
          .objectives = 8,
          .under = { 0, 1, MS(1), MS(2), MS(300), 0, MS(4), 0 } },
        { .bad = statuses(200, 200), .client_gone_bad = true, .objectives = 0 },
    };
    static const ns_t latencies[] = { 0, 1, MS(1) - 1, MS(1), MS(300) - 1, MS(300), MS(99999) };

    (void)state;
    for (size_t r = 0; r < sizeof(rules) / sizeof(rules[0]); r++)
        for (int cause = 0; cause < CAUSES_COUNT; cause++)
            for (unsigned status = 0; status < 700; status++)
                for (size_t l = 0; l < sizeof(latencies) / sizeof(latencies[0]); l++)
                    expect_consistent(&rules[r], (enum verdict_cause)cause, status, latencies[l]);
}

static void a_verdict_names_its_counters(void **state)
{
    struct verdict_rules rules = {
        .bad = statuses(500, 599),
        .objectives = 3,
        .under = { 0, MS(300), MS(1000) },
    };
    uint8_t series[VERDICT_SERIES_MAX];

    (void)state;
    struct verdict v = verdict_of(&rules, CAUSE_ANSWERED, 200, MS(500));
    assert_int_equal(verdict_series(v, series), 4);
    assert_int_equal(series[0], SERIES_SLOW);
    assert_int_equal(series[1], series_good(0));
    assert_int_equal(series[2], series_bad(1));
    assert_int_equal(series[3], series_good(2));

    assert_int_equal(verdict_series(verdict_of(&rules, CAUSE_TIMEOUT, 0, 1), series), 2);
    assert_int_equal(series[0], SERIES_FAILED);
    assert_int_equal(series[1], series_bad(0));

    assert_int_equal(verdict_series(verdict_of(&rules, CAUSE_ANSWERED, 404, 1), series), 1);
    assert_int_equal(series[0], SERIES_EXCLUDED);
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
    const struct verdict_rules rules = { .objectives = 2, .under = { 0, 100 } };
    const struct verdict_rules no_latency = { .objectives = 1 };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict v = verdict_told(&rules, cases[i].told, cases[i].latency);
        assert_int_equal(v.outcome, cases[i].outcome);
        assert_int_equal(v.good, cases[i].good);
        assert_int_equal(v.bad, cases[i].bad);
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
        cmocka_unit_test(a_verdict_names_its_counters),
        cmocka_unit_test(counters_keep_their_documented_order),
        cmocka_unit_test(a_delta_never_wraps),
        cmocka_unit_test(every_cause_has_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
