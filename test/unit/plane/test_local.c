/* SPDX-License-Identifier: Apache-2.0 */
/* test_local.c - services that answer by themselves, driven through the seam of leg.h by a codec made of nothing but what it
 * was given to send. */
#include "unit.h"

#include "control/registry.h"
#include "io/sim.h"
#include "plane/http/exchange.h"
#include "proto/http1.h"

#include <stdlib.h>

/* ---- the codec */

struct fake {
    struct leg *leg; /* NULL: released */
    struct str out;  /* data that was sent */
    unsigned heads, status;
    enum http_body body;
    bool blocked; /* a send is not done before sent() */
    bool ended, released, whole;
};

static bool fake_send(struct leg *l, const struct http_part *part)
{
    struct fake *f = l->carrier;

    if (part->head) {
        f->heads++;
        f->status = part->head->status;
        f->body = part->head->body;
    }
    if (part->data.n > 0)
        str_put(&f->out, part->data);
    f->ended |= part->end;
    return !f->blocked;
}

static void fake_credit(struct leg *l)
{
    (void)l;
}

static void fake_release(struct leg *l, bool whole)
{
    struct fake *f = l->carrier;

    f->released = true;
    f->whole = whole;
    f->leg = NULL;
}

static const struct leg_ops fake_ops = { .send = fake_send,
                                         .credit = fake_credit,
                                         .release = fake_release };

/* ---- the edge */

struct world {
    struct local_handler handler;
    struct sim_world *sim;
    struct reactor reactor;
    struct http_edge edge;
    struct counter_page page;
    struct snapshot_reader snapshots;
    struct publication publication;
    struct request_table requests;
    struct registry registry;
    struct leg_peer peer;
    struct fake fake;
    struct exchange *asked; /* by the handler */
    struct exchange_later later;
    unsigned gone;
};

static void note_gone(struct exchange_later *later)
{
    struct world *w = container_of(later, struct world, later);

    assert_null(later->exchange);
    w->gone++;
}

static void put_off(const struct local_handler *h, struct exchange *x, struct span body)
{
    struct world *w = container_of((struct local_handler *)(uintptr_t)h, struct world, handler);

    (void)body;
    w->asked = x;
    exchange_hold(x, &w->later);
}

static void free_config(struct config *c)
{
    arena_free(&c->arena);
    free(c);
}

static struct config *make_config(struct world *w)
{
    struct config *c = calloc(1, sizeof(*c));

    assert_non_null(c);
    c->limits =
        (struct limits){ .head = 8192, .line = 8192, .fields = 100, .header_time = NS_PER_S };
    c->service_count = c->route_count = c->journey_count = 1;
    c->services = arena_new(&c->arena, struct service);
    c->services[0] = (struct service){ .name = SPAN("own"), .local = &w->handler };
    c->routes = arena_new(&c->arena, struct route);
    assert_null(pattern_parse(&c->arena, SPAN("/*"), &c->routes[0].pattern));
    c->routes[0].service = &c->services[0];
    c->routes[0].timeout =
        (struct timeouts){ NS_PER_S, NS_PER_S, 60 * NS_PER_S, 3600 * NS_PER_S, 60 * NS_PER_S };
    c->journeys = arena_new(&c->arena, struct journey);
    c->journeys[0].name = SPAN("own");
    return c;
}

static int open_world(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    *state = w;
    w->handler.answer = put_off;
    w->later.gone = note_gone;
    w->fake.out = str_growing();
    w->sim = sim_new(1);
    sim_reactor_open(w->sim, &w->reactor, 0, "edge");
    counter_page_open(&w->page);
    request_table_open(&w->requests);
    registry_open(&w->registry);
    struct config *c = make_config(w);
    assert_false(registry_assign(&w->registry, c).failed);
    publication_init(&w->publication, free_config);
    publication_add_reader(&w->publication, &w->snapshots);
    assert_true(publication_publish(&w->publication, c));
    edge_open(&w->edge, &(struct edge_parts){ .reactor = &w->reactor,
                                              .publication = &w->publication,
                                              .snapshots = &w->snapshots,
                                              .page = &w->page,
                                              .slots = &w->registry.edge,
                                              .requests = &w->requests,
                                              .connections_max = 4,
                                              .memory_max = 16 * 1024 * 1024 });
    return 0;
}

static void pass(struct world *w, ns_t time)
{
    ns_t until = sim_now(w->sim) + time;

    while (sim_step(w->sim, until))
        ;
}

static int close_world(void **state)
{
    struct world *w = *state;

    edge_cut(&w->edge);
    pass(w, NS_PER_S);
    assert_int_equal(w->edge.exchanges.held, 0);
    edge_free(&w->edge);
    publication_free(&w->publication);
    reactor_free(&w->reactor);
    sim_free(w->sim);
    registry_close(&w->registry);
    request_table_close(&w->requests);
    counter_page_close(&w->page);
    str_free(&w->fake.out);
    free(w);
    return 0;
}

/* A request comes; the handler has put its answer off. */
static void ask(struct world *w, const char *method)
{
    static struct http_field fields[100];
    static char text[100];
    struct http1_limits limits = { 8192, 8192, 100 };
    struct http_head head;
    struct http_part part = { .head = &head, .end = true };
    int n = snprintf(text, sizeof(text), "%s /x HTTP/1.1\r\nHost: a.test\r\n\r\n", method);

    assert_int_equal(http1_parse_request(span_of(text, (size_t)n), &limits, fields, &head),
                     HTTP1_GOOD);
    w->fake.leg = exchange_open(&w->edge, w->reactor.now);
    assert_non_null(w->fake.leg);
    w->fake.leg->ops = &fake_ops;
    w->fake.leg->carrier = &w->fake;
    w->fake.leg->peer = &w->peer;
    w->fake.leg->events->part(w->fake.leg, &part);
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
    pass(w, STREAM_STALL_TIME + NS_PER_S);
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
