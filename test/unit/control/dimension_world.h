/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_world.h - everything that counts by dimension, but for connections: for tests of what becomes of the counts. Each includes it
 * once. */
#ifndef EK_TEST_DIMENSION_WORLD_H
#define EK_TEST_DIMENSION_WORLD_H

#include "configs.h"

#include "bus/value_slots.h"
#include "control/book.h"
#include "control/registry.h"
#include "plane/http/exchange.h"

#include <stdlib.h>

enum { NOON = 1700000000 };

/* Everything that counts, but for connections: a reactor that ends one exchange after the other. */
struct world {
    struct registry registry;
    struct publication publication;
    struct snapshot_reader reader;
    struct book book;
    struct counter_page page;
    struct reactor reactor;
    struct http_edge edge;
    ns_t now;
    bool room; /* the last tick said so */
};

[[maybe_unused]] static void open_world(struct world *w)
{
    *w = (struct world){ .now = NS_PER_S };
    registry_open(&w->registry);
    publication_init(&w->publication, config_free);
    publication_add_reader(&w->publication, &w->reader);
    book_open(&w->book, 0, w->now, NOON);
    counter_page_open(&w->page);
    book_add_page(&w->book, &w->page);
    w->edge.reactor = &w->reactor;
    w->edge.page = &w->page;
    w->edge.snapshots = &w->reader;
}

[[maybe_unused]] static void close_world(struct world *w)
{
    publication_free(&w->publication);
    book_close(&w->book);
    counter_page_close(&w->page);
    registry_close(&w->registry);
}

/* ---- configurations */

[[maybe_unused]] static void put_instances(struct str *text, const char *service, unsigned from,
                                           unsigned count, const char *release)
{
    str_print(text, "  %s:\n    instances:\n", service);
    for (unsigned i = from; i < from + count; i++)
        str_print(text, "      - { address: 10.0.%u.%u:80%s%s }\n", i / 250, i % 250 + 1,
                  release ? ", release: " : "", release ? release : "");
}

[[maybe_unused]] static struct config *shop_config(unsigned from, unsigned count,
                                                   const char *release)
{
    struct str text = str_growing();

    str_text(&text, "listen: { http: 127.0.0.1:8080 }\njourneys:\n  buy: { routes: [GET /buy], "
                    "objectives: { a: { target: 99%, under: 300ms } } }\nservices:\n");
    put_instances(&text, "shop", from, count, release);
    struct config *c = read_good(str_cstr(&text));
    str_free(&text);
    return c;
}

[[maybe_unused]] static void tick(struct world *w, ns_t later)
{
    w->now += later;
    w->reactor.now = w->now;
    w->room = dimensions_tick(&w->registry.dimensions, &w->book, &w->publication, w->now,
                              NOON + w->now / NS_PER_S);
}

/* Published; the reader goes by it when it `adopts`. */
[[maybe_unused]] static const struct config *publish(struct world *w, struct config *c, bool adopts)
{
    assert_false(registry_assign(&w->registry, c).failed);
    assert_true(publication_publish(&w->publication, c));
    if (adopts)
        snapshot_adopt(&w->reader, &w->publication);
    tick(w, NS_PER_S);
    return c;
}

/* ---- counting and looking */

[[maybe_unused]] static void end_one(struct world *w, const struct config *c, int instance,
                                     unsigned status, enum ending ending, ns_t latency)
{
    struct snapshot_use use = { .config = c };
    struct exchange *x = calloc(1, sizeof(*x));

    assert_non_null(x);
    x->edge = &w->edge;
    x->snapshot = &use;
    x->service = &c->services[0];
    x->instance = instance < 0 ? NULL : &c->services[0].instances[instance];
    x->journey = &c->journeys[0];
    x->routed = true;
    x->status = (uint16_t)status;
    x->ending = ending;
    exchange_count(x, latency);
    free(x);
}

[[maybe_unused]] static void good(struct world *w, const struct config *c, int instance,
                                  unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        end_one(w, c, instance, 200, ENDING_answered, 1);
}

struct seen {
    struct dimension_row rows[DIMENSION_ENTRIES];
    unsigned count;
    uint64_t sum[DIMENSION_OUTCOMES];
};

[[maybe_unused]] static struct seen look(struct world *w, const struct config *c,
                                         enum dimension which, enum dimension_window window)
{
    struct seen s = {};

    s.count = dimensions_read(&w->registry.dimensions, &w->book, &c->journeys[0], which, window,
                              w->now, s.rows);
    for (unsigned i = 0; i < s.count; i++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            s.sum[o] += s.rows[i].counts[o];
    }
    return s;
}

[[maybe_unused]] static const struct dimension_row *find(const struct seen *s, const char *text)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (span_equal(s->rows[i].text, span_from_text(text)))
            return &s->rows[i];
    }
    return NULL;
}

[[maybe_unused]] static void assert_counts(const struct seen *s, const char *text, uint64_t good_,
                                           uint64_t slow, uint64_t failed, uint64_t excluded)
{
    const struct dimension_row *r = find(s, text);
    uint64_t expected[DIMENSION_OUTCOMES] = { good_, slow, failed, excluded };

    if (!r)
        fail_msg("there is no %s", text);
    assert_memory_equal(r->counts, expected, sizeof(expected));
}

/* Every dimension adds up to the journey's own counters. */
[[maybe_unused]] static void assert_adds_up(struct world *w, const struct config *c)
{
    const struct verdict_objectives *o = &c->journeys[0].rules.objectives;
    uint64_t counters[VERDICT_COUNTERS_MAX];
    uint64_t live[SERIES_MAX];

    book_sums(&w->book, c->journeys[0].slots.verdicts, verdict_counters(o), counters);
    verdict_series(o, counters, live);
    for (int d = 0; d < DIMENSION_COUNT; d++) {
        struct seen s = look(w, c, (enum dimension)d, DIMENSION_WINDOW_START);
        for (unsigned i = 0; i < DIMENSION_OUTCOMES; i++)
            assert_int_equal(s.sum[i], live[i]);
    }
}

#endif
