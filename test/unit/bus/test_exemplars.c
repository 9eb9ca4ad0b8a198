/* SPDX-License-Identifier: Apache-2.0 */
/* test_exemplars.c - what is read is what was written, whole, whoever writes meanwhile. */
#include "unit.h"

#include "bus/exemplars.h"

#include <pthread.h>

static struct exemplar made_of(uint64_t n)
{
    return (struct exemplar){ n, n, (ns_t)n, (ns_t)n };
}

static void the_last_one_of_its_kind(void **state)
{
    struct exemplars e;
    struct exemplar x = made_of(7), y = made_of(8), got;

    (void)state;
    exemplars_open(&e);
    assert_false(exemplar_get(&e, 3, OUTCOME_SLOW, &got));
    exemplar_put(&e, 3, OUTCOME_SLOW, &x);
    exemplar_put(&e, 3, OUTCOME_SLOW, &y);
    exemplar_put(&e, 3, OUTCOME_FAILED, &x);
    assert_true(exemplar_get(&e, 3, OUTCOME_SLOW, &got));
    assert_int_equal(got.trace_low, 8);
    assert_true(exemplar_get(&e, 3, OUTCOME_FAILED, &got));
    assert_int_equal(got.trace_high, 7);
    assert_false(exemplar_get(&e, 3, OUTCOME_GOOD, &got));
    assert_false(exemplar_get(&e, 2, OUTCOME_FAILED, &got));
    assert_false(exemplar_get(&e, 4, OUTCOME_GOOD, &got));
    exemplars_close(&e);
}

static void what_is_beyond_the_table_has_none(void **state)
{
    struct exemplars e;
    struct exemplar x = made_of(7), got;

    (void)state;
    exemplars_open(&e);
    exemplar_put(&e, EXEMPLAR_JOURNEYS_MAX - 1, OUTCOME_FAILED, &x);
    assert_true(exemplar_get(&e, EXEMPLAR_JOURNEYS_MAX - 1, OUTCOME_FAILED, &got));
    exemplar_put(&e, EXEMPLAR_JOURNEYS_MAX, OUTCOME_GOOD, &x);
    assert_false(exemplar_get(&e, EXEMPLAR_JOURNEYS_MAX, OUTCOME_GOOD, &got));
    exemplar_put(&e, 0, OUTCOME_EXCLUDED, &x);
    assert_false(exemplar_get(&e, 0, OUTCOME_EXCLUDED, &got));
    assert_false(exemplar_get(&e, 1, OUTCOME_GOOD, &got));
    exemplars_close(&e);
}

enum { WRITES = 400000 };

static void *write_on(void *table)
{
    for (uint64_t n = 1; n <= WRITES; n++) {
        struct exemplar x = made_of(n);
        exemplar_put(table, 0, OUTCOME_GOOD, &x);
    }
    return NULL;
}

static void never_half_of_one(void **state)
{
    struct exemplars e;
    struct exemplar got = {};
    pthread_t writer;
    uint64_t before = 0, seen = 0;

    (void)state;
    exemplars_open(&e);
    assert_int_equal(pthread_create(&writer, NULL, write_on, &e), 0);
    while (before < WRITES) {
        if (!exemplar_get(&e, 0, OUTCOME_GOOD, &got))
            continue;
        assert_int_equal(got.trace_high, got.trace_low);
        assert_int_equal(got.trace_high, (uint64_t)got.took);
        assert_int_equal(got.trace_high, (uint64_t)got.at);
        assert_true(got.trace_high >= before);
        before = got.trace_high;
        seen++;
    }
    assert_int_equal(pthread_join(writer, NULL), 0);
    assert_true(seen > 0);
    exemplars_close(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_one_of_its_kind),
        cmocka_unit_test(what_is_beyond_the_table_has_none),
        cmocka_unit_test(never_half_of_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
