/* SPDX-License-Identifier: Apache-2.0 */
/* test_api_notices.c - who listens to GET /api/v1/events: what he is told, signs of life, and the end after an hour. */
#include "local_world.h"

#include "control/api_table.h"
#include "control/control.h"

static struct control control; /* as much of it as listeners need */

static ns_t wall(void)
{
    return INT64_C(1700000000) * NS_PER_S;
}

static void listen_to(const struct local_handler *h, struct exchange *x, struct span body)
{
    struct api_call k = { .control = &control,
                          .exchange = x,
                          .head = exchange_request(x),
                          .out = str_growing(),
                          .status = 200 };

    (void)h;
    (void)body;
    api_notices(&k);
    assert_true(k.held);
    str_free(&k.out);
}

static int begin(void **state)
{
    open_world(state);
    struct world *w = *state;
    w->handler.answer = listen_to;
    control = (struct control){ .reactor = &w->reactor, .parts.wall = wall };
    notices_open(&control.notices, 0xabc);
    return 0;
}

static int end(void **state)
{
    close_world(state);
    assert_int_equal(control.notices.watchers.count, 0);
    notices_free(&control.notices);
    return 0;
}

/* As control's ticks do it. */
static void pass_ticking(struct world *w, ns_t time)
{
    for (ns_t passed = 0; passed < time; passed += NS_PER_S) {
        pass(w, NS_PER_S);
        w->reactor.now = sim_now(w->sim); /* nothing else happens in it */
        watchers_tick(&control);
    }
}

static void clear(struct world *w)
{
    w->fake.out.n = 0;
}

static void the_clock_is_told(void **state)
{
    struct world *w = *state;

    ask_for(w, "GET", "/api/v1/events");
    assert_int_equal(w->fake.status, 200);
    assert_span(str_span(&w->fake.out), "retry: 2000\n\n");
    clear(w);
    notice(&control, NOTICE_CLOCK, json_pack("{s:f}", "step_s", -3600.5));
    assert_span(str_span(&w->fake.out), "event: clock\nid: abc-1\ndata: "
                                        "{\"step_s\":-3600.5,\"at\":1700000000}\n\n");
}

static void kinds_that_are_not_wanted_are_not_told(void **state)
{
    struct world *w = *state;

    ask_for(w, "GET", "/api/v1/events?kinds=clock,store");
    clear(w);
    notice(&control, NOTICE_NODE, json_pack("{s:s}", "state", "ready"));
    assert_int_equal(w->fake.out.n, 0);
    notice(&control, NOTICE_CLOCK, json_pack("{s:f}", "step_s", 7.0));
    assert_true(w->fake.out.n > 0);
}

static void a_quiet_stream_shows_that_it_lives(void **state)
{
    struct world *w = *state;

    ask_for(w, "GET", "/api/v1/events");
    clear(w);
    pass_ticking(w, 14 * NS_PER_S);
    assert_int_equal(w->fake.out.n, 0);
    pass_ticking(w, 2 * NS_PER_S);
    assert_span(str_span(&w->fake.out), ":\n\n");
    pass_ticking(w, 45 * NS_PER_S);
    assert_span(str_span(&w->fake.out), ":\n\n:\n\n:\n\n:\n\n");
}

static void a_stream_ends_after_an_hour(void **state)
{
    struct world *w = *state;

    ask_for(w, "GET", "/api/v1/events");
    pass_ticking(w, 3599 * NS_PER_S);
    assert_false(w->fake.ended);
    assert_int_equal(control.notices.watchers.count, 1);
    pass_ticking(w, 2 * NS_PER_S);
    assert_true(w->fake.ended && w->fake.released && w->fake.whole); /* in order */
    assert_int_equal(control.notices.watchers.count, 0);
    clear(w);
    notice(&control, NOTICE_CLOCK, json_pack("{s:f}", "step_s", 7.0)); /* to nobody */
    assert_int_equal(w->fake.out.n, 0);
    /* the client comes again, and goes on where it was */
    w->fake.ended = w->fake.released = false;
    ask_for(w, "GET", "/api/v1/events?after=0");
    assert_non_null(strstr(str_cstr(&w->fake.out), "id: abc-1\n"));
    watchers_end(&control);
    assert_true(w->fake.ended);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(the_clock_is_told),
        CASE(kinds_that_are_not_wanted_are_not_told),
        CASE(a_quiet_stream_shows_that_it_lives),
        CASE(a_stream_ends_after_an_hour),
    };
    return RUN(tests);
}
