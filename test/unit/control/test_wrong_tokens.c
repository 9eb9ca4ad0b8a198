/* SPDX-License-Identifier: Apache-2.0 */
/* test_wrong_tokens.c - whoever is wrong too often is not listened to for a while, and nobody else suffers from it. */
#include "unit.h"

#include "control/wrong_tokens.h"

#include <string.h>

static struct wrong_tokens table;

static struct address address(const char *text)
{
    struct address a;

    assert_true(address_parse_host(span_from_text(text), &a));
    return a;
}

/* How many of `count` failures say that they were the one too many. */
static unsigned wrong(const char *text, unsigned count, ns_t now)
{
    struct address a = address(text);
    unsigned told = 0;

    for (unsigned i = 0; i < count; i++)
        told += wrong_tokens_add(&table, &a, now);
    return told;
}

static ns_t rest(const char *text, ns_t now)
{
    struct address a = address(text);

    return wrong_tokens_rest(&table, &a, now);
}

static int begin(void **state)
{
    (void)state;
    memset(&table, 0, sizeof(table));
    table.key = 7;
    return 0;
}

static void ten_within_a_minute(void **state)
{
    (void)state;
    assert_int_equal(wrong("192.0.2.1", WRONG_TOKENS_ALLOWED - 1, NS_PER_S), 0);
    assert_int_equal(rest("192.0.2.1", NS_PER_S), 0);
    assert_int_equal(wrong("192.0.2.1", 1, 21 * NS_PER_S), 1);
    assert_int_equal(rest("192.0.2.1", 21 * NS_PER_S), 40 * NS_PER_S);
    assert_int_equal(wrong("192.0.2.1", 5, 22 * NS_PER_S), 0); /* told once */
    assert_int_equal(rest("192.0.2.2", 22 * NS_PER_S), 0);
    assert_int_equal(rest("192.0.2.1", 61 * NS_PER_S), 0);
    assert_int_equal(wrong("192.0.2.1", WRONG_TOKENS_ALLOWED, 61 * NS_PER_S),
                     1); /* and from the start */
}

static void slowly_is_no_attack(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(wrong("192.0.2.1", 1, i * 7 * NS_PER_S), 0);
}

static void a_customer_is_a_64(void **state)
{
    (void)state;
    for (int i = 0; i < WRONG_TOKENS_ALLOWED; i++) {
        char text[64];
        snprintf(text, sizeof(text), "2001:db8:0:1::%x", i + 1);
        wrong(text, 1, 0);
    }
    assert_true(rest("2001:db8:0:1:ffff::1", 1) > 0);
    assert_int_equal(rest("2001:db8:0:2::1", 1), 0);
    wrong("::ffff:192.0.2.9", WRONG_TOKENS_ALLOWED, 0);
    assert_true(rest("192.0.2.9", 1) > 0);
}

static void many_addresses_make_none_forgotten_that_is_refused(void **state)
{
    char text[64];

    (void)state;
    wrong("192.0.2.1", WRONG_TOKENS_ALLOWED, 0);
    for (int i = 0; i < 4 * WRONG_TOKENS_KEPT; i++) {
        snprintf(text, sizeof(text), "10.0.%d.%d", i / 250, i % 250);
        wrong(text, 1, 1);
    }
    assert_true(rest("192.0.2.1", 2) > 0);
    assert_true(wrong("198.51.100.7", WRONG_TOKENS_ALLOWED, 3) == 1); /* and a new one has room */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(ten_within_a_minute, begin),
        cmocka_unit_test_setup(slowly_is_no_attack, begin),
        cmocka_unit_test_setup(a_customer_is_a_64, begin),
        cmocka_unit_test_setup(many_addresses_make_none_forgotten_that_is_refused, begin),
    };

    return RUN(tests);
}
