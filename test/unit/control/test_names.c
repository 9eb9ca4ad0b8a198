/* SPDX-License-Identifier: Apache-2.0 */
/* test_names.c - names into addresses: what is put in whose place, and what stays when a lookup fails. Only
 * "localhost" is looked up, which /etc/hosts knows; the rest is as if a resolver had said so. */
#include "configs.h"

#include "control/names.h"

#include <stdlib.h>
#include <string.h>

static struct config *read_instances(const char *list)
{
    char text[4096];

    snprintf(text, sizeof(text),
             "listen: { http: 127.0.0.1:8080 }\nservices: { shop: { instances: [%s] } }\n", list);
    return read_good(text);
}

static size_t count_of(const struct config *c, const char *text)
{
    size_t n = 0;

    for (size_t i = 0; i < c->services[0].instance_count; i++)
        n += span_equal(c->services[0].instances[i].text, span_from_text(text));
    return n;
}

static void localhost_has_an_address(void **state)
{
    struct names n = {};
    struct config *c = read_instances("{ address: \"localhost:9101\", weight: 4, zone: a }");

    (void)state;
    assert_int_equal(c->services[0].instances[0].address.length, 0);
    names_learn(&n, c);
    assert_int_equal(n.count, 1);
    assert_false(names_refresh(&n, 0)); /* it is as it was */
    names_expand(&n, c);
    assert_true(count_of(c, "127.0.0.1:9101") + count_of(c, "[::1]:9101") > 0);
    for (size_t i = 0; i < c->services[0].instance_count; i++) {
        const struct instance *in = &c->services[0].instances[i];
        assert_span(in->from, "localhost:9101");
        assert_span(in->host, "localhost");
        assert_int_equal(in->weight, 4);
        assert_span(in->zone, "a");
        assert_int_equal(in->origin, ORIGIN_DNS);
        assert_int_equal(in->hash, span_hash(in->text, 0));
    }
    config_free(c);
    names_free(&n);
}

static void two_ways_to_say_one_address(void **state)
{
    struct names n = {};
    struct config *c =
        read_instances("\"localhost:9101\", 127.0.0.1:9101, \"[::1]:9101\", 127.0.0.1:9102");

    (void)state;
    names_learn(&n, c);
    names_expand(&n, c);
    assert_int_equal(count_of(c, "127.0.0.1:9101"), 1);
    assert_int_equal(count_of(c, "[::1]:9101"), 1);
    assert_int_equal(count_of(c, "127.0.0.1:9102"), 1);
    assert_int_equal(c->services[0].instance_count, 3);
    config_free(c);
    names_free(&n);
}

static void a_name_nobody_knows_has_no_address(void **state)
{
    struct names n = {};
    struct config *c = read_instances("\"no-such-name.invalid:80\", 127.0.0.1:9101");

    (void)state;
    names_learn(&n, c);
    names_expand(&n, c);
    assert_int_equal(c->services[0].instance_count, 1);
    assert_true(n.list[0]->failing);
    config_free(c);
    names_free(&n);
}

static struct known_name *known(const char *text, const char *const *addresses, size_t count)
{
    struct known_name *k = calloc(1, sizeof(*k));

    assert_non_null(k);
    k->text = strdup(text);
    k->wanted = true;
    for (size_t i = 0; i < count; i++)
        assert_true(address_parse(span_from_text(addresses[i]), &k->addresses[i]));
    k->count = count;
    return k;
}

static void a_lookup_that_fails_leaves_what_was_known(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80", "10.0.0.2:80" };
    struct names n = { .list = calloc(1, sizeof(n.list[0])), .count = 1 };
    struct config *c = read_instances("\"no-such-name.invalid:80\"");

    (void)state;
    n.list[0] = known("no-such-name.invalid:80", addresses, 2);
    names_learn(&n, c); /* it is known: nothing is asked */
    assert_false(n.list[0]->failing);
    assert_false(names_refresh(&n, 0));
    assert_true(n.list[0]->failing);
    names_expand(&n, c);
    assert_int_equal(c->services[0].instance_count, 2);
    assert_int_equal(count_of(c, "10.0.0.1:80"), 1);
    config_free(c);
    names_free(&n);
}

static void a_name_that_nothing_has_any_more_is_forgotten(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80" };
    struct names n = { .list = calloc(2, sizeof(n.list[0])), .count = 2 };
    struct config *c = read_instances("127.0.0.1:9101, \"b.invalid:80\"");

    (void)state;
    n.list[0] = known("a.invalid:80", addresses, 1);
    n.list[1] = known("b.invalid:80", addresses, 1);
    names_learn(&n, c);
    assert_int_equal(n.count, 1);
    assert_string_equal(n.list[0]->text, "b.invalid:80");
    config_free(c);
    names_free(&n);
}

static void it_stands_where_its_name_stood(void **state)
{
    static const char *const addresses[] = { "10.0.0.1:80", "10.0.0.2:80" };
    static const char *const order[] = { "127.0.0.1:1", "10.0.0.1:80", "10.0.0.2:80",
                                         "127.0.0.1:2" };
    struct names n = { .list = calloc(1, sizeof(n.list[0])), .count = 1 };
    struct config *c = read_instances("127.0.0.1:1, \"a.invalid:80\", 127.0.0.1:2");

    (void)state;
    n.list[0] = known("a.invalid:80", addresses, 2);
    names_expand(&n, c);
    assert_int_equal(c->services[0].instance_count, COUNT(order));
    for (size_t i = 0; i < COUNT(order); i++)
        assert_span(c->services[0].instances[i].text, order[i]);
    config_free(c);
    names_free(&n);
}

static void a_service_holds_so_many(void **state)
{
    struct names n = { .list = calloc(5, sizeof(n.list[0])), .count = 5 };
    struct config *c = read_instances("\"a.invalid:80\", \"b.invalid:80\", \"c.invalid:80\", "
                                      "\"d.invalid:80\", \"e.invalid:80\"");

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%c.invalid:80", (char)('a' + i));
        n.list[i] = known(text, NULL, 0);
        for (unsigned k = 0; k < ADDRESSES_PER_NAME_MAX; k++) {
            snprintf(text, sizeof(text), "10.0.%u.%u:80", i, k);
            assert_true(address_parse(span_from_text(text), &n.list[i]->addresses[k]));
        }
        n.list[i]->count = ADDRESSES_PER_NAME_MAX;
    }
    names_expand(&n, c);
    assert_int_equal(c->services[0].instance_count, INSTANCES_MAX);
    config_free(c);
    names_free(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localhost_has_an_address),
        cmocka_unit_test(two_ways_to_say_one_address),
        cmocka_unit_test(a_name_nobody_knows_has_no_address),
        cmocka_unit_test(a_lookup_that_fails_leaves_what_was_known),
        cmocka_unit_test(a_name_that_nothing_has_any_more_is_forgotten),
        cmocka_unit_test(it_stands_where_its_name_stood),
        cmocka_unit_test(a_service_holds_so_many),
    };

    return RUN(tests);
}
