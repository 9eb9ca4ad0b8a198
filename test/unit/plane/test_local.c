/* SPDX-License-Identifier: Apache-2.0 */
/* test_local.c - services that answer by themselves, through the seam of leg.h. */
#include "local_world.h"

/* A request comes; the handler has put its answer off. */
static void ask(struct world *w, const char *method)
{
    ask_for(w, method, "/x");
    assert_ptr_equal(w->later.exchange, w->asked);
    assert_int_equal(w->asked->state, EXCHANGE_AWAITING);
    assert_int_equal(w->fake.heads, 0);
}

static void unblock(struct world *w)
{
    w->fake.blocked = false;
    w->fake.leg->events->sent(w->fake.leg);
}

static void assert_over(struct world *w, bool whole)
{
    assert_true(w->fake.released);
    assert_int_equal(w->fake.whole, whole);
    assert_null(w->later.exchange);
    assert_int_equal(w->edge.exchange_list.count, 0);
}

/* ---- answers that come later */

static void an_answer_comes_later(void **state)
{
    struct world *w = *state;

    ask(w, "GET");
    pass(w, LOCAL_ANSWER_TIME - NS_PER_S);
    assert_false(w->fake.released);
    exchange_answer(w->later.exchange, 200, SPAN("text/plain"), strdup("late"), 4);
    assert_over(w, true);
    assert_int_equal(w->fake.status, 200);
    assert_span(str_span(&w->fake.out), "late");
    assert_int_equal(w->gone, 0);
}

static void an_answer_comes_too_late(void **state)
{
    struct world *w = *state;

    ask(w, "GET");
    pass(w, LOCAL_ANSWER_TIME + NS_PER_S);
    assert_over(w, true); /* the client was told */
    assert_int_equal(w->fake.status, 504);
    assert_int_equal(w->fake.heads, 1);
    assert_int_equal(w->gone, 1);
}

static void the_owner_forgets_at_once_even_when_the_refusal_takes_long(void **state)
{
    struct world *w = *state;

    ask(w, "GET");
    w->fake.blocked = true;
    pass(w, LOCAL_ANSWER_TIME + NS_PER_S);
    assert_null(w->later.exchange);
    assert_int_equal(w->gone, 1);
    assert_false(w->fake.released);
    unblock(w);
    assert_over(w, true);
    assert_int_equal(w->gone, 1);
}

static void the_client_leaves_before_its_answer(void **state)
{
    struct world *w = *state;

    ask(w, "GET");
    w->fake.leg->events->gone(w->fake.leg, ENDING_client_gone);
    assert_null(w->later.exchange);
    assert_int_equal(w->gone, 1);
    assert_int_equal(w->edge.exchange_list.count, 0);
}

static void an_owner_that_does_not_want_to_know(void **state)
{
    struct world *w = *state;

    w->later.gone = NULL;
    ask(w, "GET");
    edge_cut(&w->edge);
    assert_over(w, false);
}

/* ---- streams */

static void begin_stream(struct world *w)
{
    ask(w, "GET");
    assert_true(exchange_stream_begin(w->later.exchange, 200, SPAN("text/event-stream")));
    assert_int_equal(w->fake.body, HTTP_BODY_CHUNKED);
    assert_int_equal(w->fake.status, 200);
}

static void pieces_go_as_they_come(void **state)
{
    struct world *w = *state;

    begin_stream(w);
    exchange_stream_put(w->later.exchange, SPAN("one "));
    assert_span(str_span(&w->fake.out), "one ");
    pass(w, 7200 * NS_PER_S); /* silence is no failure */
    assert_false(w->fake.released);
    exchange_stream_put(w->later.exchange, SPAN("two"));
    assert_span(str_span(&w->fake.out), "one two");
    assert_false(w->fake.ended);
    exchange_stream_end(w->later.exchange);
    assert_true(w->fake.ended);
    assert_over(w, true);
    assert_int_equal(w->fake.heads, 1);
    assert_int_equal(w->gone, 0);
}

static void pieces_wait_for_a_slow_client(void **state)
{
    struct world *w = *state;

    begin_stream(w);
    w->fake.blocked = true;
    exchange_stream_put(w->later.exchange, SPAN("a"));
    exchange_stream_put(w->later.exchange, SPAN("b"));
    exchange_stream_put(w->later.exchange, SPAN("c"));
    assert_span(str_span(&w->fake.out), "a");
    pass(w, STREAM_STALL_TIME - NS_PER_S);
    unblock(w);
    assert_span(str_span(&w->fake.out), "abc");
    pass(w, 3600 * NS_PER_S);
    assert_false(w->fake.released);
    w->fake.blocked = true;
    exchange_stream_put(w->later.exchange, SPAN("d"));
    exchange_stream_put(w->later.exchange, SPAN("e"));
    exchange_stream_end(w->later.exchange); /* what waits is sent all the same */
    assert_null(w->later.exchange);
    unblock(w);
    assert_span(str_span(&w->fake.out), "abcde");
    assert_over(w, true);
    assert_int_equal(w->gone, 0);
}

static void who_reads_nothing_is_cut_off(void **state)
{
    struct world *w = *state;

    begin_stream(w);
    w->fake.blocked = true;
    exchange_stream_put(w->later.exchange, SPAN("a"));
    w->fake.leg->events->stalled(w->fake.leg);
    pass(w, STREAM_STALL_TIME - NS_PER_S);
    assert_false(w->fake.released);
    pass(w, 2 * NS_PER_S);
    assert_over(w, false);
    assert_int_equal(w->gone, 1);
}

static void who_reads_too_slowly_is_cut_off(void **state)
{
    static const char much[8192];
    struct world *w = *state;

    begin_stream(w);
    w->fake.blocked = true;
    exchange_stream_put(w->later.exchange, SPAN("a"));
    for (size_t i = 0; i < STREAM_WAITING_MAX / sizeof(much); i++)
        exchange_stream_put(w->later.exchange, span_of(much, sizeof(much)));
    pass(w, NS_PER_S);
    assert_false(w->fake.released); /* that much may wait */
    exchange_stream_put(w->later.exchange, SPAN("b"));
    assert_int_equal(w->gone, 0); /* not while its owner is at it */
    exchange_stream_put(w->later.exchange, SPAN("c"));
    pass(w, NS_PER_MS);
    assert_over(w, false);
    assert_int_equal(w->gone, 1);
}

static void a_listener_leaves(void **state)
{
    struct world *w = *state;

    begin_stream(w);
    exchange_stream_put(w->later.exchange, SPAN("a"));
    w->fake.leg->events->gone(w->fake.leg, ENDING_client_gone);
    assert_null(w->later.exchange);
    assert_int_equal(w->gone, 1);
}

static void a_stream_is_asked_for_its_head(void **state)
{
    struct world *w = *state;

    ask(w, "HEAD");
    assert_false(exchange_stream_begin(w->later.exchange, 200, SPAN("text/event-stream")));
    assert_over(w, true);
    assert_int_equal(w->fake.out.n, 0);
    assert_int_equal(w->gone, 0);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)
    const struct CMUnitTest tests[] = {
        CASE(an_answer_comes_later),
        CASE(an_answer_comes_too_late),
        CASE(the_owner_forgets_at_once_even_when_the_refusal_takes_long),
        CASE(the_client_leaves_before_its_answer),
        CASE(an_owner_that_does_not_want_to_know),
        CASE(pieces_go_as_they_come),
        CASE(pieces_wait_for_a_slow_client),
        CASE(who_reads_nothing_is_cut_off),
        CASE(who_reads_too_slowly_is_cut_off),
        CASE(a_listener_leaves),
        CASE(a_stream_is_asked_for_its_head),
    };
    return RUN(tests);
}
