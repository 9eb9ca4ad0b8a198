/* SPDX-License-Identifier: Apache-2.0 */
/* test_config_compare.c - what is different between two texts of one file, by the table's paths, and which of it
 * takes a restart. */
#include "unit.h"

#include "base/str.h"
#include "control/config_file.h"

#define LISTEN "listen: { http: 127.0.0.1:8080 }\n"
#define SHOP   "services: { shop: { instances: [127.0.0.1:9101] } }\n"
#define GOOD   LISTEN SHOP

static void tell(void *whom, const char *path, bool restart)
{
    struct str *s = whom;

    str_print(s, "%s%s%s", s->n ? ", " : "", path, restart ? " (restart)" : "");
}

struct row {
    const char *earlier, *later, *told;
};

static void expect(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct str told = str_growing();
        config_compare(span_from_text(rows[i].earlier), span_from_text(rows[i].later), tell, &told);
        if (!span_equal(str_span(&told), span_from_text(rows[i].told)))
            fail_msg("row %zu: told '%s', not '%s'", i, str_cstr(&told), rows[i].told);
        str_free(&told);
    }
}

static void the_same_in_other_words(void **state)
{
    static const struct row rows[] = {
        { GOOD, GOOD, "" },
        { GOOD, "# a comment\n" LISTEN "\n\n" SHOP, "" },
        { GOOD, SHOP LISTEN, "" },
        { GOOD, LISTEN "services:\n  shop:\n    instances:\n      - \"127.0.0.1:9101\"\n", "" },
        { GOOD "store: a.db\n", GOOD "store: 'a.db'\n", "" },
        { GOOD "limits: { head: 16KiB, fields: 9 }\n", GOOD "limits: { fields: 9, head: 16KiB }\n",
          "" },
    };

    (void)state;
    expect(rows, COUNT(rows));
}

static void live_and_restart(void **state)
{
    static const struct row rows[] = {
        { GOOD, GOOD "store: b.db\n", "store (restart)" },
        { GOOD "store: a.db\n", GOOD, "store (restart)" },
        { GOOD "workers: 1\n", GOOD "workers: auto\n", "workers (restart)" },
        { GOOD, GOOD "limits: { head: 16KiB }\n", "limits.head" },
        { GOOD, GOOD "limits: { head: 16KiB, connections: 5 }\n",
          "limits.connections (restart), limits.head" },
        { GOOD "log: { level: info, redact: [cookie] }\n", GOOD "log: { level: debug }\n",
          "log.level (restart), log.redact" },
        { GOOD, "listen: { http: 127.0.0.1:8081 }\n" SHOP, "listen.http (restart)" },
        { GOOD, "listen: { http: 127.0.0.1:8080, admin: 127.0.0.1:1 }\n" SHOP,
          "listen.admin (restart)" },
        { GOOD, GOOD "zone: a\ntrusted: [10.0.0.0/8]\n", "zone, trusted" },
    };

    (void)state;
    expect(rows, COUNT(rows));
}

#define IN(text) LISTEN "services: { shop: { instances: [" text "] } }\n"

static void lists(void **state)
{
    static const struct row rows[] = {
        { IN("a:1, b:1"), IN("a:1, b:1, c:1"), "services.shop.instances" },
        { IN("a:1, b:1"), IN("b:1, a:1"), "services.shop.instances" },
        { IN("a:1"), IN("{ address: a:1, weight: 2 }"), "services.shop.instances" },
        { IN("{ address: a:1, weight: 1 }"), IN("{ address: a:1, weight: 2 }"),
          "services.shop.instances" },
        { GOOD "routes: [{ path: /*, service: shop }]\n",
          GOOD "routes: [{ path: /a/*, service: shop }, { path: /*, service: shop }]\n", "routes" },
        { GOOD "trusted: [10.0.0.0/8]\n", GOOD "trusted: [10.0.0.0/9]\n", "trusted" },
    };

    (void)state;
    expect(rows, COUNT(rows));
}

#define TWO(x, y) LISTEN "services: { " x ": { instances: [a:1] }, " y ": { instances: [b:1] } }\n"
#define J(name)   name ": { routes: [/" name "] }"

static void names_come_and_go(void **state)
{
    static const struct row rows[] = {
        { TWO("shop", "blog"), LISTEN "services: { shop: { instances: [a:1] } }\n",
          "services.blog" },
        { LISTEN "services: { shop: { instances: [a:1] } }\n", TWO("shop", "blog"),
          "services.blog" },
        { TWO("shop", "blog"), TWO("shop", "wiki"), "services.blog, services.wiki" },
        { GOOD, GOOD "journeys: { " J("pay") " }\n", "journeys.pay" },
        { GOOD "journeys: { " J("pay") " }\n", GOOD, "journeys.pay" },
        { GOOD "journeys: { pay: { routes: [/pay], owner: a } }\n",
          GOOD "journeys: { pay: { routes: [/pay], owner: b } }\n", "journeys.pay.owner" },
        { GOOD "journeys: { pay: { routes: [/pay], objectives: { a: { target: 99% } } } }\n",
          GOOD "journeys: { pay: { routes: [/pay], objectives: { a: { target: 98% } } } }\n",
          "journeys.pay.objectives.a.target" },
        { LISTEN "services: { shop: { instances: [a:1], health: { path: /h } } }\n",
          LISTEN "services: { shop: { instances: [a:1], health: { path: /i, fall: 3 } } }\n",
          "services.shop.health.path, services.shop.health.fall" },
        { LISTEN "services: { shop: { instances: [a:1] } }\n",
          LISTEN "services: { shop: { instances: [a:1], tls: { ca: ca.pem } } }\n",
          "services.shop.tls.ca (restart)" },
        { LISTEN "services: { shop: { instances: [a:1], balance: p2c } }\n",
          LISTEN "services: { shop: { instances: [a:1], balance: { hash: cookie:u } } }\n",
          "services.shop.balance" },
    };

    (void)state;
    expect(rows, COUNT(rows));
}

/* The first journey that matches a request counts it. */
static void the_order_of_journeys_matters(void **state)
{
    static const struct row rows[] = {
        { GOOD "journeys: { " J("a") ", " J("b") " }\n",
          GOOD "journeys: { " J("b") ", " J("a") " }\n", "journeys" },
        { GOOD "journeys: { " J("a") ", " J("b") ", " J("c") " }\n",
          GOOD "journeys: { " J("a") ", " J("c") " }\n", "journeys.b" },
        { GOOD "journeys: { " J("a") ", " J("b") " }\n",
          GOOD "journeys: { " J("c") ", " J("a") ", " J("b") " }\n", "journeys.c" },
    };

    (void)state;
    expect(rows, COUNT(rows));
}

static void long_names_are_cut_not_overrun(void **state)
{
    char earlier[4096];
    char later[4096];
    char name[1000];
    struct str told = str_growing();

    (void)state;
    memset(name, 'n', sizeof(name));
    snprintf(earlier, sizeof(earlier), GOOD "journeys: { %.990s: { routes: [/a], owner: a } }\n",
             name);
    snprintf(later, sizeof(later), GOOD "journeys: { %.990s: { routes: [/a], owner: b } }\n", name);
    config_compare(span_from_text(earlier), span_from_text(later), tell, &told);
    assert_true(told.n < 600);
    str_free(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_in_other_words),
        cmocka_unit_test(live_and_restart),
        cmocka_unit_test(lists),
        cmocka_unit_test(names_come_and_go),
        cmocka_unit_test(the_order_of_journeys_matters),
        cmocka_unit_test(long_names_are_cut_not_overrun),
    };

    return RUN(tests);
}
