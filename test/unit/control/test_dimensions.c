/* SPDX-License-Identifier: Apache-2.0 */
/* test_dimensions.c - values of journeys, counted by the edge's own function, over configurations that come and go. */
#include "dimension_world.h"

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
