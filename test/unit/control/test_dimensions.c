/* SPDX-License-Identifier: Apache-2.0 */
/* test_dimensions.c - values of journeys, counted by the edge's own function, over configurations that come and go. */
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

static void open_world(struct world *w)
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

static void close_world(struct world *w)
{
    publication_free(&w->publication);
    book_close(&w->book);
    counter_page_close(&w->page);
    registry_close(&w->registry);
}

/* ---- configurations */

static void put_instances(struct str *text, const char *service, unsigned from, unsigned count,
                          const char *release)
{
    str_print(text, "  %s:\n    instances:\n", service);
    for (unsigned i = from; i < from + count; i++)
        str_print(text, "      - { address: 10.0.%u.%u:80%s%s }\n", i / 250, i % 250 + 1,
                  release ? ", release: " : "", release ? release : "");
}

static struct config *shop_config(unsigned from, unsigned count, const char *release)
{
    struct str text = str_growing();

    str_text(&text, "listen: { http: 127.0.0.1:8080 }\njourneys:\n  buy: { routes: [GET /buy], "
                    "objectives: { a: { target: 99%, under: 300ms } } }\nservices:\n");
    put_instances(&text, "shop", from, count, release);
    struct config *c = read_good(str_cstr(&text));
    str_free(&text);
    return c;
}

static void tick(struct world *w, ns_t later)
{
    w->now += later;
    w->reactor.now = w->now;
    w->room = dimensions_tick(&w->registry.dimensions, &w->book, &w->publication, w->now,
                              NOON + w->now / NS_PER_S);
}

/* Published; the reader goes by it when it `adopts`. */
static const struct config *publish(struct world *w, struct config *c, bool adopts)
{
    assert_false(registry_assign(&w->registry, c).failed);
    assert_true(publication_publish(&w->publication, c));
    if (adopts)
        snapshot_adopt(&w->reader, &w->publication);
    tick(w, NS_PER_S);
    return c;
}

/* ---- counting and looking */

static void end_one(struct world *w, const struct config *c, int instance, unsigned status,
                    enum ending ending, ns_t latency)
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

static void good(struct world *w, const struct config *c, int instance, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        end_one(w, c, instance, 200, ENDING_answered, 1);
}

struct seen {
    struct dimension_row rows[DIMENSION_ENTRIES];
    unsigned count;
    uint64_t sum[DIMENSION_OUTCOMES];
};

static struct seen look(struct world *w, const struct config *c, enum dimension which,
                        enum dimension_window window)
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

static const struct dimension_row *find(const struct seen *s, const char *text)
{
    for (unsigned i = 0; i < s->count; i++) {
        if (span_equal(s->rows[i].text, span_from_text(text)))
            return &s->rows[i];
    }
    return NULL;
}

static void assert_counts(const struct seen *s, const char *text, uint64_t good_, uint64_t slow,
                          uint64_t failed, uint64_t excluded)
{
    const struct dimension_row *r = find(s, text);
    uint64_t expected[DIMENSION_OUTCOMES] = { good_, slow, failed, excluded };

    if (!r)
        fail_msg("there is no %s", text);
    assert_memory_equal(r->counts, expected, sizeof(expected));
}

/* Every dimension adds up to the journey's own counters. */
static void assert_adds_up(struct world *w, const struct config *c)
{
    for (int d = 0; d < DIMENSION_COUNT; d++) {
        struct seen s = look(w, c, (enum dimension)d, DIMENSION_WINDOW_START);
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            assert_int_equal(s.sum[o], book_sum(&w->book, c->journeys[0].series + o));
    }
}

/* ---- tests */

static void test_once_in_each_dimension(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 2, "r1"), true);
    good(&w, c, 0, 3);
    end_one(&w, c, 1, 200, ENDING_answered, 400 * NS_PER_MS);
    end_one(&w, c, 1, 500, ENDING_answered, 1);
    end_one(&w, c, 1, 0, ENDING_answer_broken, 1);
    end_one(&w, c, -1, 503, ENDING_no_instance, 1);
    end_one(&w, c, -1, 404, ENDING_answered, 1);
    end_one(&w, c, 0, 0, ENDING_client_gone, 1);
    struct seen instances = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&instances, "10.0.0.1:80", 3, 0, 0, 1);
    assert_counts(&instances, "10.0.0.2:80", 0, 1, 2, 0);
    assert_counts(&instances, "none", 0, 0, 1, 1);
    assert_int_equal(instances.count, 3);
    assert_span(instances.rows[0].text, "10.0.0.2:80"); /* most bad ones */
    assert_span(instances.rows[0].service, "shop");
    struct seen releases = look(&w, c, DIMENSION_RELEASE, DIMENSION_WINDOW_START);
    assert_counts(&releases, "r1", 3, 1, 2, 1);
    struct seen statuses = look(&w, c, DIMENSION_STATUS, DIMENSION_WINDOW_START);
    assert_counts(&statuses, "2xx", 3, 1, 0, 0);
    assert_counts(&statuses, "4xx", 0, 0, 0, 1);
    assert_counts(&statuses, "5xx", 0, 0, 2, 0);
    assert_counts(&statuses, "none", 0, 0, 1, 1);
    struct seen reasons = look(&w, c, DIMENSION_REASON, DIMENSION_WINDOW_START);
    assert_counts(&reasons, "answered", 3, 1, 1, 1);
    assert_counts(&reasons, "answer_broken", 0, 0, 1, 0);
    assert_counts(&reasons, "no_instance", 0, 0, 1, 0);
    assert_counts(&reasons, "client_gone", 0, 0, 0, 1);
    assert_adds_up(&w, c);
    close_world(&w);
}

static void test_an_instance_changes_its_release(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 1, "r1"), true);
    good(&w, c, 0, 5);
    c = publish(&w, shop_config(0, 1, "r2"), true);
    good(&w, c, 0, 2);
    struct seen s = look(&w, c, DIMENSION_RELEASE, DIMENSION_WINDOW_START);
    assert_counts(&s, "r1", 5, 0, 0, 0);
    assert_true(find(&s, "r1")->gone);
    assert_counts(&s, "r2", 2, 0, 0, 0);
    assert_false(find(&s, "r2")->gone);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "10.0.0.1:80", 7, 0, 0, 0);
    c = publish(&w, shop_config(0, 1, "r1"), true); /* back again */
    good(&w, c, 0, 1);
    s = look(&w, c, DIMENSION_RELEASE, DIMENSION_WINDOW_START);
    assert_counts(&s, "r1", 6, 0, 0, 0);
    assert_false(find(&s, "r1")->gone);
    assert_adds_up(&w, c);
    close_world(&w);
}

static void test_more_instances_than_values(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, DIMENSION_VALUES + 3, NULL), true);
    for (int i = 0; i < DIMENSION_VALUES + 3; i++)
        good(&w, c, i, 1 + (unsigned)i);
    struct seen s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_int_equal(s.count, DIMENSION_VALUES + 1);
    assert_counts(&s, "10.0.0.64:80", 64, 0, 0, 0);
    assert_counts(&s, "other", 65 + 66 + 67, 0, 0, 0);
    s = look(&w, c, DIMENSION_RELEASE, DIMENSION_WINDOW_START);
    assert_int_equal(s.count, 1);
    assert_counts(&s, "none", 67 * 68 / 2, 0, 0, 0);
    assert_adds_up(&w, c);
    assert_false(w.room);
    close_world(&w);
}

static void test_room_is_given_away_late(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    const struct config *first = publish(&w, shop_config(0, 40, NULL), true);
    good(&w, first, 0, 10);
    struct snapshot_use *held = snapshot_hold(&w.reader); /* a long request */
    const struct config *c = publish(&w, shop_config(100, 40, NULL), true);
    good(&w, c, 0, 3);
    good(&w, c, 39, 4); /* found no room: 80 are more than 64 */
    struct seen s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "10.0.0.1:80", 10, 0, 0, 0);
    assert_true(find(&s, "10.0.0.1:80")->gone);
    assert_counts(&s, "other", 4, 0, 0, 0);
    assert_false(w.room);
    good(&w, first, 0, 1); /* it ends, under the value that is its own */
    tick(&w, NS_PER_S);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "10.0.0.1:80", 11, 0, 0, 0);
    assert_adds_up(&w, c);
    snapshot_let_go(&w.reader, held);
    tick(&w, NS_PER_S);
    assert_true(w.room);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "other", 15, 0, 0, 0); /* the first gave way, with all that it had */
    assert_adds_up(&w, c);
    tick(&w, NS_PER_S);
    assert_false(w.room); /* told once */
    c = publish(&w, shop_config(100, 40, NULL), true);
    good(&w, c, 39, 6);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "10.0.0.140:80", 6, 0, 0, 0);
    assert_counts(&s, "10.0.0.101:80", 3, 0, 0, 0);
    assert_adds_up(&w, c);
    close_world(&w);
}

static void test_windows(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 2, "a"), true);
    good(&w, c, 0, 100);
    for (int i = 0; i < 20 * 60; i++)
        tick(&w, NS_PER_S);
    good(&w, c, 0, 7);
    end_one(&w, c, 1, 500, ENDING_answered, 1);
    struct seen s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_5M);
    assert_counts(&s, "10.0.0.1:80", 7, 0, 0, 0);
    assert_counts(&s, "10.0.0.2:80", 0, 0, 1, 0);
    ns_t reach =
        dimensions_reach(&w.registry.dimensions, &c->journeys[0], DIMENSION_WINDOW_5M, w.now);
    assert_in_range(reach / NS_PER_S, 300, 600);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_1H);
    assert_counts(&s, "10.0.0.1:80", 107, 0, 0, 0); /* younger than an hour: all of it */
    for (int i = 0; i < 2 * 3600; i++)
        tick(&w, NS_PER_S);
    good(&w, c, 0, 2);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_1H);
    assert_counts(&s, "10.0.0.1:80", 2, 0, 0, 0);
    assert_null(find(&s, "10.0.0.2:80"));
    reach = dimensions_reach(&w.registry.dimensions, &c->journeys[0], DIMENSION_WINDOW_1H, w.now);
    assert_in_range(reach / NS_PER_S, 3600, 3600 + 900 + 240);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "10.0.0.1:80", 109, 0, 0, 0);
    assert_adds_up(&w, c);
    close_world(&w);
}

static void test_windows_go_with_the_counts(void **state)
{
    struct world w;

    (void)state;
    open_world(&w);
    const struct config *c = publish(&w, shop_config(0, 40, NULL), true);
    good(&w, c, 0, 50);
    for (int i = 0; i < 20 * 60; i++)
        tick(&w, NS_PER_S);
    good(&w, c, 0, 5);
    c = publish(&w, shop_config(100, 30, NULL), true); /* the first gives way at once */
    struct seen s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "other", 55, 0, 0, 0);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_5M);
    assert_counts(&s, "other", 5, 0, 0, 0); /* not what was long ago */
    c = publish(&w, shop_config(100, 40, NULL), true);
    good(&w, c, 39, 9); /* has the room, and nothing of what was counted there */
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_5M);
    assert_counts(&s, "10.0.0.140:80", 9, 0, 0, 0);
    s = look(&w, c, DIMENSION_INSTANCE, DIMENSION_WINDOW_START);
    assert_counts(&s, "10.0.0.140:80", 9, 0, 0, 0);
    assert_int_equal(find(&s, "10.0.0.140:80")->since, NOON + w.now / NS_PER_S);
    assert_adds_up(&w, c);
    close_world(&w);
}

static void test_values_for_those_that_are_reached(void **state)
{
    struct world w;
    struct str text = str_growing();

    (void)state;
    open_world(&w);
    str_text(&text, "listen: { http: 127.0.0.1:8080 }\nroutes:\n"
                    "  - { path: /far/*, service: far }\n  - { path: /*, service: near }\n"
                    "journeys:\n  buy: { routes: [GET /buy] }\nservices:\n");
    put_instances(&text, "far", 0, 70, "f");
    put_instances(&text, "near", 100, 10, "n");
    const struct config *c = publish(&w, read_good(str_cstr(&text)), true);
    const struct service *far = &c->services[0];
    if (!span_equal(far->name, SPAN("far")))
        far = &c->services[1];
    const struct journey_dimensions *d = c->journeys[0].dimensions;
    assert_null(d->instances[far - c->services]);
    const struct value_slots *near = d->instances[far == c->services ? 1 : 0];
    assert_non_null(near);
    assert_int_not_equal(near[9].instance, d->other.instance);
    /* what no journey takes can come to any service */
    assert_non_null(c->journeys[1].dimensions->instances[far - c->services]);
    str_free(&text);
    close_world(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once_in_each_dimension),
        cmocka_unit_test(test_an_instance_changes_its_release),
        cmocka_unit_test(test_more_instances_than_values),
        cmocka_unit_test(test_room_is_given_away_late),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_windows_go_with_the_counts),
        cmocka_unit_test(test_values_for_those_that_are_reached),
    };
    return RUN(tests);
}
