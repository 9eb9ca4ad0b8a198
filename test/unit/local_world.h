/* SPDX-License-Identifier: Apache-2.0 */
/* local_world.h - an edge with one service that answers by itself, on a virtual clock, driven through the seam of leg.h by a codec made of
 * nothing but what it was given to send. For tests of such answers; each includes it once. */
#ifndef EK_TEST_LOCAL_WORLD_H
#define EK_TEST_LOCAL_WORLD_H

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

[[maybe_unused]] static bool fake_send(struct leg *l, const struct http_part *part)
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

[[maybe_unused]] static void fake_credit(struct leg *l)
{
    (void)l;
}

[[maybe_unused]] static void fake_release(struct leg *l, bool whole)
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

[[maybe_unused]] static void note_gone(struct exchange_later *later)
{
    struct world *w = container_of(later, struct world, later);

    assert_null(later->exchange);
    w->gone++;
}

[[maybe_unused]] static void put_off(const struct local_handler *h, struct exchange *x,
                                     struct span body)
{
    struct world *w = container_of((struct local_handler *)(uintptr_t)h, struct world, handler);

    (void)body;
    w->asked = x;
    exchange_hold(x, &w->later);
}

[[maybe_unused]] static void free_config(struct config *c)
{
    arena_free(&c->arena);
    free(c);
}

[[maybe_unused]] static struct config *make_config(struct world *w)
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

[[maybe_unused]] static int open_world(void **state)
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

[[maybe_unused]] static void pass(struct world *w, ns_t time)
{
    ns_t until = sim_now(w->sim) + time;

    while (sim_step(w->sim, until))
        ;
}

[[maybe_unused]] static int close_world(void **state)
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
[[maybe_unused]] static void ask_for(struct world *w, const char *method, const char *path)
{
    static struct http_field fields[100];
    static char text[200];
    struct http1_limits limits = { 8192, 8192, 100 };
    struct http_head head;
    struct http_part part = { .head = &head, .end = true };
    int n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a.test\r\n\r\n", method, path);

    assert_int_equal(http1_parse_request(span_of(text, (size_t)n), &limits, fields, &head),
                     HTTP1_GOOD);
    w->fake.leg = exchange_open(&w->edge, w->reactor.now);
    assert_non_null(w->fake.leg);
    w->fake.leg->ops = &fake_ops;
    w->fake.leg->carrier = &w->fake;
    w->fake.leg->peer = &w->peer;
    w->fake.leg->events->part(w->fake.leg, &part);
}

#endif
