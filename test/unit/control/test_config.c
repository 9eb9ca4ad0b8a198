/* SPDX-License-Identifier: Apache-2.0 */
/* test_config.c - right files give what they say; wrong ones say where and what was meant. */
#include "unit.h"

#include "base/rand.h"
#include "control/config_file.h"

#include <stdlib.h>

#define GOOD \
    "listen: { http: 127.0.0.1:8080 }\nservices: { shop: { instances: [127.0.0.1:9101] } }\n"

static struct config *read_good(const char *text)
{
    struct config *c = NULL;
    struct config_report r;
    err e = config_read_text("f.yaml", span_from_text(text), "/etc/ek", &c, &r);

    if (e.failed)
        fail_msg("%s", str_cstr(&r.text));
    config_report_free(&r);
    return c;
}

static void wrong_files(void **state)
{
    static const struct {
        const char *text;
        const char *expected; /* stands in the report */
    } cases[] = {
        { "", "f.yaml:1:1: the file is empty" },
        { "- a\n", "f.yaml:1:1: keys were expected here" },
        { "listen: [\n", "f.yaml:2:1: this is not YAML" },
        { "\tlisten: 1\n", "f.yaml:1:1: this is not YAML" },
        { GOOD "workers: 1\n---\nworkers: 2\n", "f.yaml:4:1: a second document" },
        { GOOD "store: &a x\n", "f.yaml:3:8: YAML anchors are not used here" },
        { GOOD "store: !!str x\n", "f.yaml:3:8: YAML tags are not used here" },
        { GOOD "workers: 1\nworkers: 2\n",
          "f.yaml:4:1: 'workers' is given twice; the first one is in line 3" },
        { GOOD "wrokers: 1\n", "f.yaml:3:1: unknown key 'wrokers', did you mean 'workers'?" },
        { GOOD "xyzzyx: 1\n",
          "f.yaml:3:1: unknown key 'xyzzyx'; known here: listen, store, workers" },
        { GOOD "workers: many\n", "f.yaml:3:10: 'many' is not auto or a number" },
        { GOOD "workers: 65\n", "f.yaml:3:10: workers = 65 is out of bounds: from 1 to 64" },
        { GOOD "limits: { head: 32kb }\n", "f.yaml:3:17: '32kb' is not a size; for example 32KiB" },
        { GOOD "limits: { head: 1B }\n", "head = 1B is out of bounds: from 1KiB to 64KiB" },
        { GOOD "limits: { header-time: 10 }\n", "'10' is not a duration; for example 300ms" },
        { GOOD "limits: 3\n", "f.yaml:3:9: '3' is not keys" },
        { GOOD "peers: [a]\n", "f.yaml:3:8: 'peers' is not in this version" },
        { GOOD "databases: {}\n", "'databases' is not in this version" },
        { "listen: { http: 127.0.0.1:8080, admin: 0.0.0.0:9900 }\nservices: { s: { instances: "
          "[127.0.0.1:1] } }\n",
          "f.yaml:1:40: the admin address must be a loopback address" },
        { "listen: { http: [127.0.0.1:1, 127.0.0.1:1] }\nservices: { s: { instances: [127.0.0.1:1] "
          "} }\n",
          "f.yaml:1:31: the address 127.0.0.1:1 is given twice" },
        { "services: { s: { instances: [127.0.0.1:1] } }\n", "f.yaml:1:1: 'listen' is missing" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { Shop: { instances: [127.0.0.1:1] } }\n",
          "f.yaml:2:13: 'Shop' is no good name" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { s: { instances: [] } }\n",
          "needs from 1 to 1024 instances" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { s: { instances: [a] } }\n",
          "f.yaml:2:30: 'a' is not an instance" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { s: { instances: [a:1, a:1] } }\n",
          "the instance a:1 is given twice" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { s: { instances: [a:1], balance: p2c } }\n",
          "f.yaml:2:45: 'p2c' is not in this version" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { s: { instances: [a:1], balance: fair } }\n",
          "'fair' is not one of: round-robin" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { s: { instances: [a:1], mode: observe } }\n",
          "'observe' is not in this version" },
        { "listen: { http: 127.0.0.1:1 }\nservices: { a: { instances: [a:1] }, b: { instances: "
          "[b:1] } }\n",
          "there are 2 services but no `routes`" },
        { GOOD "routes: [{ path: /*, service: shpo }]\n",
          "f.yaml:3:31: there is no service 'shpo', did you mean 'shop'?" },
        { GOOD "routes: [{ path: x, service: shop }]\n",
          "f.yaml:3:18: 'x': a path begins with '/'" },
        { GOOD "routes: [{ path: /*, service: shop, method: get }]\n", "'get' is no method" },
        { GOOD "journeys: { j: { owner: x } }\n", "f.yaml:3:16: 'routes' is missing" },
        { GOOD "journeys: { unclaimed: { routes: [/x] } }\n",
          "'unclaimed' is the implicit journey" },
        { GOOD "journeys: { j: { routes: [fetch /x] } }\n",
          "f.yaml:3:27: 'fetch /x': a route begins with a method" },
        { GOOD "journeys: { j: { routes: [/x], bad: { statuses: [5xx] } } }\n",
          "'5xx' is no status" },
        { GOOD "journeys: { j: { routes: [/x], objectives: { o: { under: 1s } } } }\n",
          "'target' is missing" },
        { GOOD "journeys: { j: { routes: [/x], objectives: { o: { target: 0.99 } } } }\n",
          "f.yaml:3:59: '0.99' is not a share; for example 99.9%" },
        { GOOD "journeys: { j: { routes: [/x], objectives: { o: { target: 100% } } } }\n",
          "is out of bounds: from 1% to 99.9999%" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct config *c = (struct config *)(uintptr_t)1;
        struct config_report r;
        err e = config_read_text("f.yaml", span_from_text(cases[i].text), "", &c, &r);
        if (!e.failed || !strstr(str_cstr(&r.text), cases[i].expected))
            fail_msg("%s\ngave: %s\nnot: %s", cases[i].text, str_cstr(&r.text), cases[i].expected);
        assert_int_equal((uintptr_t)c, 1); /* untouched */
        config_report_free(&r);
    }
}

static void a_right_file_gives_what_it_says(void **state)
{
    struct config *c =
        read_good("listen: { http: [127.0.0.1:8080, \"[::1]:8080\"], admin: \"[::1]:9900\" }\n"
                  "store: counts.db\nworkers: 3\nlimits: { body: 1.5MiB, header-time: 2s }\n"
                  "services:\n"
                  "  shop:\n    instances: [127.0.0.1:1, app.local:2, \"unix:/run/s\", { address: "
                  "127.0.0.1:4, release: \"42\" }]\n"
                  "    timeout: { head: 3s }\n"
                  "  api: { instances: [127.0.0.1:9] }\n"
                  "routes:\n  - { host: \"*.example.com\", method: GET, path: /a/*, service: api, "
                  "timeout: { idle: 5s } }\n"
                  "  - { path: /*, service: shop }\n"
                  "journeys:\n  checkout:\n    priority: nice-to-have\n    routes: [POST /cart]\n"
                  "    bad: { statuses: [500-599, 429], client-gone: true }\n"
                  "    objectives: { ok: { target: 99.95% }, fast: { target: 90%, under: 1.2s, "
                  "window: 7d } }\n");

    (void)state;
    assert_int_equal(c->http_count, 2);
    assert_span(c->store, "/etc/ek/counts.db");
    assert_int_equal(c->workers, 3);
    assert_int_equal(c->limits.body, 1536 * 1024);
    assert_int_equal(c->limits.header_time, 2 * NS_PER_S);
    assert_int_equal(c->limits.head, 32 * 1024);
    assert_int_equal(c->services[0].instance_count, 4);
    assert_span(c->services[0].instances[1].host, "app.local");
    assert_span(c->services[0].instances[3].release, "42");
    assert_int_equal(c->services[0].timeout.head, 3 * NS_PER_S);
    assert_int_equal(c->services[0].timeout.connect, 500 * NS_PER_MS);
    assert_ptr_equal(c->routes[0].service, &c->services[1]);
    assert_int_equal(c->routes[0].timeout.idle, 5 * NS_PER_S);
    assert_int_equal(c->routes[0].timeout.head, 15 * NS_PER_S);
    assert_int_equal(c->journey_count, 2);
    const struct journey *j = &c->journeys[0];
    assert_int_equal(j->priority, PRIORITY_NICE_TO_HAVE);
    assert_true(j->client_gone_bad && status_set_has(&j->bad, 429) &&
                !status_set_has(&j->bad, 404));
    assert_int_equal(j->objectives[1].under, 1200 * NS_PER_MS);
    assert_int_equal(j->objectives[1].window_s, 7 * 86400);
    assert_int_equal(j->objectives[0].window_s, 28 * 86400);
    assert_span(c->journeys[1].name, "unclaimed");
    config_free(c);
}

static uint64_t definition_of(const char *journey)
{
    struct str text = str_growing();
    str_print(&text, GOOD "journeys: { j: %s }\n", journey);
    struct config *c = read_good(str_cstr(&text));
    uint64_t d = c->journeys[0].definition;
    config_free(c);
    str_free(&text);
    return d;
}

/* Who answers for it and what is promised may change and keep the counts; what is counted may not. */
static void a_definition_is_what_is_counted(void **state)
{
    uint64_t d = definition_of(
        "{ routes: [/x], objectives: { a: { target: 99% }, f: { target: 90%, under: 1s } } }");

    (void)state;
    assert_int_equal(
        d, definition_of(
               "{ owner: me, runbook: r, priority: nice-to-have, routes: [/x], objectives: { a: "
               "{ target: 50%, window: 7d }, f: { target: 91%, under: 1000ms } } }"));
    assert_int_not_equal(
        d,
        definition_of(
            "{ routes: [/y], objectives: { a: { target: 99% }, f: { target: 90%, under: 1s } } }"));
    assert_int_not_equal(
        d,
        definition_of(
            "{ routes: [/x], objectives: { a: { target: 99% }, f: { target: 90%, under: 2s } } }"));
    assert_int_not_equal(
        d,
        definition_of(
            "{ routes: [/x], objectives: { f: { target: 90%, under: 1s }, a: { target: 99% } } }"));
    assert_int_not_equal(
        d, definition_of(
               "{ routes: [/x], bad: { statuses: [500] }, objectives: { a: { target: 99% }, f: { "
               "target: 90%, under: 1s } } }"));
}

static void without_a_file(void **state)
{
    struct config *c = NULL;
    struct config_report r;
    err e = config_for_target("127.0.0.1:3000", &c, &r);

    (void)state;
    assert_false(e.failed);
    assert_int_equal(c->route_count, 1);
    assert_span(c->journeys[0].name, "everything");
    config_free(c);
    config_report_free(&r);
    e = config_for_target("3000", &c, &r);
    assert_true(e.failed && strstr(e.text, "HOST:PORT was expected"));
    config_report_free(&r);
    e = config_for_target("a\"]: x:1", &c, &r);
    assert_true(e.failed);
    config_report_free(&r);
}

/* A file with any damage gives a configuration or says where it is wrong; it never stops the program. */
static void damaged_files(void **state)
{
    static const char good[] =
        GOOD "journeys: { j: { routes: [GET /x], objectives: { o: { target: 99% } } } }\n"
             "routes:\n  - { path: /*, service: shop }\n";
    static const char odd[] = "{}[]:,-&*!|>'\"%@`#\n\t \x01\xff"
                              "09az";
    struct rng rng = { 5 };

    (void)state;
    for (int i = 0; i < 5000; i++) {
        char text[sizeof(good)];
        memcpy(text, good, sizeof(good));
        for (uint64_t n = 1 + rng_below(&rng, 3); n > 0; n--)
            text[rng_below(&rng, sizeof(good) - 1)] = odd[rng_below(&rng, sizeof(odd) - 1)];
        struct config *c = NULL;
        struct config_report r;
        err e = config_read_text("f", span_of(text, sizeof(good) - 1), "", &c, &r);
        assert_int_equal(e.failed, c == NULL);
        assert_int_equal(e.failed, r.errors > 0);
        if (e.failed)
            assert_true(r.text.n > 0);
        else
            config_free(c);
        config_report_free(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_files),
        cmocka_unit_test(a_right_file_gives_what_it_says),
        cmocka_unit_test(a_definition_is_what_is_counted),
        cmocka_unit_test(without_a_file),
        cmocka_unit_test(damaged_files),
    };
    return RUN(tests);
}
