/* SPDX-License-Identifier: Apache-2.0 */
/* test_journey_steps.c - what two reactors tell is taken in the order in which it happened; attempts are counted where they
 * belong, over configurations that change. */
#include "configs.h"

#include "control/control.h"

static struct control c; /* only what journey_steps.c looks at */

#define NOW (1000 * NS_PER_S)

static struct config *adopt(const char *journey)
{
    char text[1000];

    snprintf(text, sizeof(text),
             "listen: { http: 127.0.0.1:8080 }\n"
             "identity: { user: \"cookie:uid\" }\n"
             "services: { shop: { instances: [127.0.0.1:9101] } }\n"
             "journeys: { buy: %s }\n",
             journey);
    struct config *config = read_good(text);
    err e = registry_assign(&c.registry, config);
    assert_false(e.failed);
    book_adopt(&c.book, config, NULL, NOW, 1700049600);
    journey_steps_adopt(&c, config, NS_NEVER);
    return config;
}

static void open_control(void)
{
    c = (struct control){};
    registry_open(&c.registry);
    counter_page_open(&c.tally);
    book_open(&c.book, 0, NOW, 1700049600);
    book_add_page(&c.book, &c.tally);
    journey_steps_open(&c.steps, 2, &c.tally);
}

static void close_control(void)
{
    journey_steps_close(&c.steps);
    book_close(&c.book);
    counter_page_close(&c.tally);
    registry_close(&c.registry);
}

static void tell(unsigned ring, const struct config *config, uint64_t user, unsigned step, ns_t at)
{
    struct step_entry e = { .user = user,
                            .begun = at - NS_PER_MS,
                            .ended = at,
                            .journey = config->journeys[0].id,
                            .steps = (uint8_t)(1u << step),
                            .outcome = OUTCOME_GOOD };

    assert_int_not_equal(step_ring_put(&c.steps.rings[ring], &e), STEP_NO_ROOM);
}

static struct funnel funnel(const struct config *config)
{
    const struct journey *j = &config->journeys[0];
    uint64_t counts[SERIES_MAX];
    uint64_t standing[STEPS_MAX];
    struct funnel f;

    book_cumulative(&c.book, book_account(&c.book, j), counts);
    journey_steps_standing(&c.steps, j, standing);
    funnel_of(j, counts, standing, &f);
    uint64_t ended = 0;
    for (unsigned e = 0; e < ATTEMPT_END_COUNT; e++)
        ended += f.ended[e];
    assert_int_equal(f.reached[0], ended + f.under_way);
    assert_int_equal(ended, counts[SERIES_GOOD] + counts[SERIES_SLOW] + counts[SERIES_FAILED] +
                                counts[SERIES_EXCLUDED]);
    return f;
}

#define STEPS "steps: [/a, /b, /c], deadline: 10s"

static void two_reactors_in_order_of_time(void **state)
{
    (void)state;
    open_control();
    struct config *config = adopt("{ " STEPS " }");
    /* each user's steps alternate between the rings, and each ring is told of its own in order */
    for (uint64_t u = 0; u < 300; u++) {
        ns_t at = NOW + (ns_t)u * 3 * NS_PER_MS;
        tell(u % 2, config, u, 0, at);
        tell(!(u % 2), config, u, 1, at + 1 * NS_PER_MS);
        tell(u % 2, config, u, 2, at + 2 * NS_PER_MS);
    }
    journey_steps_tick(&c.steps, NOW + 10 * NS_PER_S);
    struct funnel f = funnel(config);
    assert_int_equal(f.reached[0], 300);
    assert_int_equal(f.ended[ATTEMPT_COMPLETED], 300);
    assert_int_equal(f.under_way, 0);
    config_free(config);
    close_control();
}

/* One reactor is late with what came first, by half a second: the other's is not taken before. */
static void what_follows_waits_for_a_slow_reactor(void **state)
{
    struct reactor control = { .now = NOW + 600 * NS_PER_MS };
    struct reactor slow = { .active_since = NOW + 5 * NS_PER_MS };
    struct reactor idle = { .active_since = NS_NEVER };
    struct worker workers[] = { { .reactor = &slow }, { .reactor = &idle } };

    (void)state;
    open_control();
    c.reactor = &control;
    c.parts.workers = workers;
    c.parts.worker_count = COUNT(workers);
    struct config *config = adopt("{ " STEPS " }");
    tell(1, config, 7, 1, NOW + 10 * NS_PER_MS);
    journey_steps_tick(&c.steps, journey_steps_complete(&c));
    tell(0, config, 7, 0, NOW + 5 * NS_PER_MS);
    atomic_store(&slow.active_since, NS_NEVER);
    assert_int_equal(journey_steps_complete(&c), control.now);
    journey_steps_tick(&c.steps, journey_steps_complete(&c));
    struct funnel f = funnel(config);
    assert_int_equal(f.reached[1], 1);
    assert_int_equal(f.standing[1], 1);
    config_free(config);
    close_control();
}

static void a_ring_that_is_half_full_is_taken_at_once(void **state)
{
    (void)state;
    open_control();
    struct config *config = adopt("{ " STEPS " }");
    for (uint64_t u = 0; u + 1 < STEP_RING_HURRY; u++)
        tell(0, config, u, 0, NOW + (ns_t)u);
    journey_steps_hurry(&c.steps, NOW + NS_PER_MS);
    assert_int_equal(funnel(config).reached[0], 0);
    tell(0, config, STEP_RING_HURRY, 0, NOW + STEP_RING_HURRY);
    journey_steps_hurry(&c.steps, NOW + NS_PER_MS);
    assert_int_equal(funnel(config).reached[0], STEP_RING_HURRY);
    config_free(config);
    close_control();
}

static void configurations_come_and_go(void **state)
{
    struct config *list[5];

    (void)state;
    open_control();
    list[0] = adopt("{ " STEPS ", objectives: { o: { target: 9% } } }");
    tell(0, list[0], 1, 0, NOW);
    tell(0, list[0], 2, 0, NOW);
    journey_steps_tick(&c.steps, NOW + NS_PER_S);
    /* the same version: they go on, and so does what is told just before it comes into force */
    tell(1, list[0], 1, 1, NOW + NS_PER_S);
    list[1] = adopt("{ " STEPS ", owner: me, objectives: { o: { target: 8% } } }");
    assert_int_equal(list[1]->journeys[0].id, list[0]->journeys[0].id);
    assert_int_equal(funnel(list[1]).standing[1], 1);
    assert_int_equal(funnel(list[1]).under_way, 2);
    /* other steps: nobody knows how those who were under way would have ended */
    list[2] = adopt("{ steps: [/a, /b], deadline: 10s, objectives: { o: { target: 8% } } }");
    assert_int_equal(funnel(list[2]).reached[0], 0);
    struct funnel before;
    uint64_t counts[SERIES_MAX];
    const uint64_t nobody[STEPS_MAX] = {};
    book_cumulative(&c.book, book_account(&c.book, &list[1]->journeys[0]), counts);
    funnel_of(&list[1]->journeys[0], counts, nobody, &before);
    assert_int_equal(before.ended[ATTEMPT_LOST], 2);
    assert_int_equal(counts[SERIES_EXCLUDED], 2);
    /* what is told of a version that is gone changes nothing */
    tell(0, list[1], 1, 2, NOW + 2 * NS_PER_S);
    tell(0, list[2], 5, 0, NOW + 2 * NS_PER_S);
    journey_steps_tick(&c.steps, NOW + 3 * NS_PER_S);
    assert_int_equal(funnel(list[2]).under_way, 1);
    /* a journey of requests, and back: started less ended is nobody's any more, once */
    list[3] = adopt("{ routes: [/a] }");
    list[4] = adopt("{ steps: [/a, /b], deadline: 10s, objectives: { o: { target: 8% } } }");
    assert_int_equal(funnel(list[4]).ended[ATTEMPT_LOST], 1);
    assert_int_equal(funnel(list[4]).under_way, 0);
    for (size_t i = 0; i < COUNT(list); i++)
        config_free(list[i]);
    close_control();
}

static void deadlines_pass(void **state)
{
    (void)state;
    open_control();
    struct config *config =
        adopt("{ " STEPS ", bad: { abandoned: true }, objectives: { o: { target: 9% } } }");
    tell(0, config, 1, 0, NOW);
    journey_steps_tick(&c.steps, NOW + 10 * NS_PER_S);
    assert_int_equal(funnel(config).under_way, 1); /* an answer of the last moment may still come */
    tell(1, config, 1, 1, NOW + 10 * NS_PER_S);
    tell(1, config, 1, 2, NOW + 10 * NS_PER_S);
    tell(0, config, 2, 0, NOW + 10 * NS_PER_S);
    journey_steps_tick(&c.steps, NOW + 11 * NS_PER_S);
    assert_int_equal(funnel(config).ended[ATTEMPT_COMPLETED], 1);
    journey_steps_tick(&c.steps, NOW + 21 * NS_PER_S);
    struct funnel f = funnel(config);
    assert_int_equal(f.ended[ATTEMPT_ABANDONED], 1);
    assert_int_equal(f.ended[ATTEMPT_FAILED], 0);
    uint64_t counts[SERIES_MAX];
    book_live(&c.book, book_account(&c.book, &config->journeys[0]), counts);
    assert_int_equal(counts[series_good(0)], 1);
    assert_int_equal(counts[series_bad(0)], 1);
    config_free(config);
    close_control();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_reactors_in_order_of_time),
        cmocka_unit_test(what_follows_waits_for_a_slow_reactor),
        cmocka_unit_test(a_ring_that_is_half_full_is_taken_at_once),
        cmocka_unit_test(configurations_come_and_go),
        cmocka_unit_test(deadlines_pass),
    };
    return RUN(tests);
}
