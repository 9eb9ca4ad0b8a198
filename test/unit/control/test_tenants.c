/* SPDX-License-Identifier: Apache-2.0 */
/* test_tenants.c - tenants get values and lose them, seen by two reactors that turn when the test says so. */
#include "configs.h"

#include "control/book.h"
#include "control/registry.h"
#include "control/tenants.h"

#include <stdlib.h>

enum { NOON = 1700000000, KEY = 77, REACTORS = 2 };

struct world {
    struct registry registry;
    struct publication publication;
    struct book book;
    struct counter_page pages[REACTORS];
    struct tenants tenants;
    const struct config *config;
    const struct journey_dimensions *slots;
    ns_t now;
};

static void open_world(struct world *w, const char *redact)
{
    char text[400];

    memset(w, 0, sizeof(*w));
    w->now = NS_PER_S;
    snprintf(text, sizeof(text),
             "listen: { http: 127.0.0.1:8080 }\ntrusted: [127.0.0.1]\nidentity: { tenant: "
             "\"header:X-Tenant\" }\n"
             "log: { access: a.jsonl, redact: %s }\nservices: { shop: { instances: "
             "[127.0.0.1:9101] } }\n",
             redact);
    struct config *c = read_good(text);
    registry_open(&w->registry);
    publication_init(&w->publication, config_free);
    book_open(&w->book, 0, w->now, NOON);
    tenants_open(&w->tenants, REACTORS, KEY);
    for (unsigned i = 0; i < REACTORS; i++) {
        counter_page_open(&w->pages[i]);
        book_add_page(&w->book, &w->pages[i]);
    }
    assert_false(registry_assign(&w->registry, c).failed);
    assert_true(publication_publish(&w->publication, c));
    w->config = c;
    w->slots = c->journeys[0].dimensions;
    dimensions_tick(&w->registry.dimensions, &w->book, &w->publication, w->now, NOON);
}

static void close_world(struct world *w)
{
    publication_free(&w->publication);
    book_close(&w->book);
    tenants_close(&w->tenants);
    registry_close(&w->registry);
    for (unsigned i = 0; i < REACTORS; i++)
        counter_page_close(&w->pages[i]);
}

static void turn(struct world *w, unsigned reactor)
{
    tenant_reader_turn(&w->tenants.readers[reactor]);
}

static bool tick(struct world *w)
{
    w->now += NS_PER_S;
    return tenants_tick(&w->tenants, &w->registry.dimensions, &w->book, w->now,
                        NOON + w->now / NS_PER_S);
}

/* As account.c counts; in the turn that began last. */
static void good_of(struct world *w, unsigned reactor, struct span tenant)
{
    unsigned number = tenant_see(&w->tenants.readers[reactor], tenant);

    counter_add(&w->pages[reactor], w->slots->tenants + number * DIMENSION_OUTCOMES, 1);
}

static void good(struct world *w, unsigned reactor, const char *tenant, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        good_of(w, reactor, span_from_text(tenant));
}

static struct dimension_row rows[DIMENSION_ENTRIES];

static unsigned look(struct world *w)
{
    return dimensions_read(&w->registry.dimensions, &w->book, &w->config->journeys[0],
                           DIMENSION_TENANT, DIMENSION_WINDOW_START, w->now, rows);
}

static uint64_t count_of(struct world *w, const char *name)
{
    unsigned n = look(w);

    for (unsigned i = 0; i < n; i++) {
        if (span_equal(rows[i].text, span_from_text(name)))
            return rows[i].counts[OUTCOME_GOOD];
    }
    return 0;
}

static uint64_t count_of_all(struct world *w)
{
    unsigned n = look(w);
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += rows[i].counts[OUTCOME_GOOD];
    return sum;
}

static void test_whoever_comes_gets_a_value(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)state;
    assert_non_null(w);
    open_world(w, "[]");
    assert_false(tick(w));
    good(w, 0, "acme", 3);
    assert_true(tick(w));
    good(w, 0, "acme", 1); /* the reactor has not turned yet */
    turn(w, 0);
    good(w, 0, "acme", 5);
    good(w, 1, "acme", 2); /* this one has not */
    assert_int_equal(count_of(w, "acme"), 5);
    assert_int_equal(count_of(w, "other"), 6);
    assert_int_equal(count_of_all(w), 11);
    turn(w, 1);
    good(w, 1, "acme", 4);
    assert_int_equal(count_of(w, "acme"), 9);
    assert_int_equal(rows[0].since, NOON + 3);
    assert_false(tick(w)); /* nothing new to tell */
    close_world(w);
    free(w);
}

static void fill(struct world *w, unsigned each)
{
    for (unsigned i = 0; i < DIMENSION_VALUES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "t%u", i);
        good(w, 0, name, each);
    }
}

static void turn_all(struct world *w)
{
    turn(w, 0);
    turn(w, 1);
}

static void test_a_value_changes_hands(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)state;
    assert_non_null(w);
    open_world(w, "[]");
    fill(w, 2);
    assert_true(tick(w));
    turn_all(w);
    good(w, 0, "t5", 3); /* all but him have come twice */
    for (unsigned i = 0; i < DIMENSION_VALUES; i++) {
        char name[16];
        snprintf(name, sizeof(name), "t%u", i);
        if (i != 7)
            good(w, 0, name, 1);
    }
    good(w, 0, "newcomer", 2 * 2 + TENANT_CLEARLY - 1); /* not clearly heavier than 7 */
    assert_false(tick(w));
    good(w, 0, "newcomer", 1);
    assert_true(tick(w)); /* 7 is in no table any more */
    turn(w, 0);
    good(w, 1, "t7", 10); /* seen by one who still uses the older one */
    assert_false(tick(w));
    assert_int_equal(count_of(w, "t7"), 10);
    turn(w, 1);
    assert_true(tick(w));
    assert_int_equal(count_of(w, "t7"), 0);
    uint64_t before = count_of(w, "other");
    assert_int_equal(before, 2 * DIMENSION_VALUES + 20 + 10);
    turn_all(w);
    good(w, 0, "newcomer", 6);
    good(w, 1, "t7", 1);
    assert_int_equal(count_of(w, "newcomer"), 6);
    assert_int_equal(count_of(w, "other"), before + 1);
    assert_int_equal(count_of(w, "t5"), 4);
    assert_int_equal(count_of_all(w), before + 1 + 6 + 3 + DIMENSION_VALUES - 1);
    assert_true(w->tenants.held_count <= 2);
    close_world(w);
    free(w);
}

/* A crowd of which each comes once takes no value from anybody. */
static void test_a_crowd_changes_nothing(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)state;
    assert_non_null(w);
    open_world(w, "[]");
    fill(w, 4);
    assert_true(tick(w));
    turn_all(w);
    for (unsigned i = 0; i < 3000; i++) {
        char name[16];
        snprintf(name, sizeof(name), "crowd%u", i);
        good(w, i % 2, name, 1);
        if (i % 500 == 0) {
            fill(w, 1);
            assert_false(tick(w));
        }
    }
    assert_false(tick(w));
    assert_int_equal(count_of(w, "t0"), 6);
    assert_int_equal(count_of_all(w), 3000 + (4 + 6) * DIMENSION_VALUES);
    close_world(w);
    free(w);
}

static void test_a_reactor_that_does_not_turn(void **state)
{
    struct world *w = calloc(1, sizeof(*w));

    (void)state;
    assert_non_null(w);
    open_world(w, "[]");
    for (unsigned i = 0; i < 10; i++) {
        char name[16];
        snprintf(name, sizeof(name), "t%u", i);
        good(w, 0, name, 1);
        tick(w);
    }
    assert_int_equal(w->tenants.held_count, TENANT_TABLES_MAX); /* bounded */
    turn_all(w);
    assert_true(tick(w));
    assert_true(w->tenants.held_count <= 2);
    turn_all(w);
    good(w, 0, "t9", 1);
    assert_int_equal(count_of(w, "t9"), 1);
    close_world(w);
    free(w);
}

static const char *label_of_first(struct world *w)
{
    static char buffer[TENANT_LABEL];

    look(w);
    struct span s = tenant_label(w->config, KEY, &rows[0], buffer);
    buffer[s.n] = '\0';
    return buffer;
}

static const char *labelled(const char *redact, struct span tenant)
{
    struct world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    open_world(w, redact);
    good_of(w, 0, tenant);
    tick(w);
    turn_all(w);
    good_of(w, 0, tenant);
    good_of(w, 0, tenant);
    const char *label = label_of_first(w);
    close_world(w);
    free(w);
    return label;
}

static void test_labels(void **state)
{
    char long_name[300];
    char hash[20];

    (void)state;
    assert_string_equal(labelled("[]", SPAN("acme")), "acme");
    snprintf(hash, sizeof(hash), "h:%016lx", (unsigned long)tenant_hash(KEY, SPAN("acme")));
    assert_string_equal(labelled("[tenant]", SPAN("acme")), hash);
    memset(long_name, 'a', sizeof(long_name));
    snprintf(hash, sizeof(hash), "h:%016lx",
             (unsigned long)tenant_hash(KEY, span_of(long_name, sizeof(long_name))));
    assert_string_equal(labelled("[]", span_of(long_name, sizeof(long_name))), hash);
    assert_string_equal(labelled("[tenant]", span_of(long_name, sizeof(long_name))), hash);
    snprintf(hash, sizeof(hash), "h:%016lx", (unsigned long)tenant_hash(KEY, SPAN("a\xff")));
    assert_string_equal(labelled("[]", SPAN("a\xff")), hash);
    long_name[HEAVY_TEXT] = '\0';
    assert_string_equal(labelled("[]", span_of(long_name, HEAVY_TEXT)), long_name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whoever_comes_gets_a_value),
        cmocka_unit_test(test_a_value_changes_hands),
        cmocka_unit_test(test_a_crowd_changes_nothing),
        cmocka_unit_test(test_a_reactor_that_does_not_turn),
        cmocka_unit_test(test_labels),
    };
    return RUN(tests);
}
