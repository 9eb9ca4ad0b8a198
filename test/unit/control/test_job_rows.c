/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_rows.c - what a query says of jobs is read strictly. */
#include "unit.h"

#include "control/job_rows.h"

static void times_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t ms; /* -1: it is none */
    } rows[] = {
        { "1700049600", 1700049600000 },
        { "1700049600.25", 1700049600250 },
        { "2023-11-15 12:00:00+00", 1700049600000 },
        { "2023-11-15 12:00:00.123456+00", 1700049600123 },
        { "2024-02-29 23:59:59.999+00", 1709251199999 },
        { "2023-11-15 12:00:00", -1 }, /* without a zone it is anybody's */
        { "2023-11-15 12:00:00+02", -1 },
        { "2023-11-15T12:00:00Z", -1 },
        { "2023-11-15", -1 },
        { "12:00:00", -1 },
        { "2023-13-15 12:00:00+00", -1 },
        { "2023-11-15 12:00:00.+00", -1 },
        { "2023-11-15 12:00:00.1.2+00", -1 },
        { "2023-11-15 12:00:00+00 BC", -1 },
        { "infinity", -1 },
        { "", -1 },
        { "-5", -1 },
        { "nan", -1 },
        { "1e300", -1 },
        { "17000496001234567890123456789012345678901234567890123456789012345", -1 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        int64_t ms = -1;
        bool good = job_time_read(span_from_text(rows[i].text), &ms);
        if (good != (rows[i].ms >= 0) || (good && ms != rows[i].ms))
            fail_msg("%s: %ld", rows[i].text, (long)ms);
    }
}

static struct span text(const char *s)
{
    return s ? span_from_text(s) : span_of(NULL, 0);
}

static void rows_are_read(void **state)
{
    static const struct {
        const char *id, *outcome, *seconds, *at;
        const char *wrong; /* NULL: nothing */
        bool ended;
        enum outcome is;
        ns_t took;
    } rows[] = {
        { "7", "good", "1.5", "1700049600", NULL, true, OUTCOME_GOOD, 1500 * NS_PER_MS },
        { "7", "slow", "0", "1700049600", NULL, true, OUTCOME_SLOW, 0 },
        { "7", "failed", NULL, "1700049600", NULL, true, OUTCOME_FAILED, 0 },
        { "7", "excluded", "3", "1700049600", NULL, true, OUTCOME_EXCLUDED, 3 * NS_PER_S },
        { "7", NULL, NULL, "1700049600", NULL, false, 0, 0 },
        { "7", "good", "1", NULL, NULL, false, 0, 0 },
        { NULL, "good", "1", "1700049600", "a row's id", false, 0, 0 },
        { "", "good", "1", "1700049600", "a row's id", false, 0, 0 },
        { "7", "GOOD", "1", "1700049600", "its outcome is 'GOOD'", false, 0, 0 },
        { "7", "good", NULL, "1700049600", "needs seconds", false, 0, 0 },
        { "7", "good", "-1", "1700049600", "its seconds are '-1'", false, 0, 0 },
        { "7", "good", "00:01:00", "1700049600", "extract(epoch", false, 0, 0 },
        { "7", "good", "1", "yesterday", "its at is 'yesterday'", false, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct job_texts t = { text(rows[i].id), text(rows[i].outcome), text(rows[i].seconds),
                               text(rows[i].at) };
        struct job_row r = {};
        bool ended = false;
        err e = job_row_read(&t, 5, &r, &ended);
        if (e.failed != (rows[i].wrong != NULL) || (e.failed && !strstr(e.text, rows[i].wrong)))
            fail_msg("row %zu: %s", i, e.failed ? e.text : "right");
        if (e.failed)
            continue;
        assert_int_equal(ended, rows[i].ended);
        if (!ended)
            continue;
        assert_int_equal(r.outcome, rows[i].is);
        assert_int_equal(r.took, rows[i].took);
        assert_int_equal(r.at_ms, 1700049600000);
        assert_int_equal(r.mark, span_hash(SPAN("7"), 5));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(rows_are_read),
    };
    return RUN(tests);
}
