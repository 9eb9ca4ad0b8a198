/* SPDX-License-Identifier: Apache-2.0 */
/* test_tables.c - what the tables of the HTTP edge promise. */
#include "unit.h"

#include "plane/http/exchange.h"

static void every_ending_is_sensible(void **state)
{
    (void)state;
    for (int e = ENDING_answered + 1; e < ENDING_COUNT; e++) {
        unsigned status = ending_status((enum ending)e);
        enum verdict_cause cause = ending_cause((enum ending)e);
        if (e == ENDING_HTTP1)
            continue; /* the parser's "good" is no reason */
        assert_true(strlen(ending_code((enum ending)e)) > 0);
        assert_true(strlen(ending_words((enum ending)e)) > 0);
        assert_true(status == 0 || (status >= 400 && status <= 599));
        /* what the client is to blame for must not cost budget, unless it never reaches a journey */
        if (cause == CAUSE_MALFORMED && e < ENDING_COUNT_OWN)
            assert_true(status >= 400 && status < 500);
        if (ending_by_instance((enum ending)e))
            assert_true(status == 0 || status >= 500);
    }
    assert_string_equal(ending_code(ending_of_http1(HTTP1_chunk)), "chunk");
    assert_int_equal(ending_status(ENDING_connect_timeout), 504);
}

static void every_state_is_reached_and_ends(void **state)
{
    uint32_t reached = UINT32_C(1) << EXCHANGE_READING;

    (void)state;
    for (int round = 0; round < EXCHANGE_STATE_COUNT; round++) {
        for (int s = 0; s < EXCHANGE_STATE_COUNT; s++) {
            if (reached >> s & 1)
                reached |= exchange_states[s].next;
        }
    }
    assert_int_equal(reached, (UINT32_C(1) << EXCHANGE_STATE_COUNT) - 1);
    for (int s = 0; s < EXCHANGE_OVER; s++)
        assert_true(exchange_states[s].next & UINT32_C(1) << EXCHANGE_OVER);
    assert_int_equal(exchange_states[EXCHANGE_OVER].next, 0);
}

static void structures_stay_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct exchange) <= 8192);
    assert_true(sizeof(struct conn) <= 464);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_ending_is_sensible),
                                        cmocka_unit_test(every_state_is_reached_and_ends),
                                        cmocka_unit_test(structures_stay_small) };
    return RUN(tests);
}
