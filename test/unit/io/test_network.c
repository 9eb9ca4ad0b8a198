/* SPDX-License-Identifier: Apache-2.0 */
/* test_network.c - ranges of addresses, and who is in them. */
#include "unit.h"

#include "io/network.h"

static void texts(void **state)
{
    static const struct {
        const char *text;
        int family; /* 0: refused */
        unsigned bits;
    } cases[] = {
        { "10.0.0.0/8", AF_INET, 8 },
        { "0.0.0.0/0", AF_INET, 0 },
        { "192.0.2.1", AF_INET, 32 },
        { "192.0.2.1/32", AF_INET, 32 },
        { "192.0.2.128/25", AF_INET, 25 },
        { "fd00::/8", AF_INET6, 8 },
        { "::/0", AF_INET6, 0 },
        { "2001:db8::1", AF_INET6, 128 },
        { "2001:db8::1/128", AF_INET6, 128 },
        { "2001:db8:0:8000::/49", AF_INET6, 49 },
        { "::ffff:192.0.2.1", AF_INET, 32 },
        { "::ffff:10.0.0.0/8", AF_INET, 8 },
        { "unix:", AF_UNIX, 0 },
        { "10.1.0.0/8", 0, 0 },
        { "192.0.2.128/24", 0, 0 },
        { "192.0.2.1/31", 0, 0 },
        { "0.0.0.1/0", 0, 0 },
        { "fd00:1::/8", 0, 0 },
        { "2001:db8::1/127", 0, 0 },
        { "2001:db8:0:8000::/48", 0, 0 },
        { "10.0.0.0/33", 0, 0 },
        { "::/129", 0, 0 },
        { "::ffff:10.0.0.0/104", 0, 0 }, /* it is the IPv4 network, whose prefixes end at 32 */
        { "10.0.0.0/264", 0, 0 },        /* 8 in a byte */
        { "10.0.0.0/-1", 0, 0 },
        { "10.0.0.0/ 8", 0, 0 },
        { "10.0.0.0/8 ", 0, 0 },
        { "10.0.0.0/8/8", 0, 0 },
        { "10.0.0.0/", 0, 0 },
        { "10.0.0.0/x", 0, 0 },
        { "10.0.0/8", 0, 0 },
        { "10/8", 0, 0 },
        { "/8", 0, 0 },
        { "10.0.0.1:80", 0, 0 },
        { "[::1]", 0, 0 },
        { "fe80::1%eth0", 0, 0 },
        { "unix:/path", 0, 0 },
        { "unix", 0, 0 },
        { "localhost", 0, 0 },
        { "", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct network n = { .family = 99 };
        bool good = network_parse(span_from_text(cases[i].text), &n);
        if (good != (cases[i].family != 0) || n.family != (good ? cases[i].family : 99))
            fail_msg("'%s'", cases[i].text);
        if (good)
            assert_int_equal(n.bits, cases[i].bits);
    }
}

static bool has(const char *network, const char *address)
{
    struct network n;
    struct address a;

    assert_true(network_parse(span_from_text(network), &n));
    assert_true(address_parse(span_from_text(address), &a));
    return network_has(&n, &a);
}

static void members(void **state)
{
    static const struct {
        const char *network;
        const char *address;
        bool in;
    } cases[] = {
        { "10.0.0.0/8", "10.255.255.255:1", true },
        { "10.0.0.0/8", "11.0.0.0:1", false },
        { "192.0.2.128/25", "192.0.2.128:1", true },
        { "192.0.2.128/25", "192.0.2.127:1", false },
        { "192.0.2.128/25", "192.0.3.128:1", false },
        { "192.0.2.0/31", "192.0.2.1:1", true },
        { "192.0.2.0/31", "192.0.2.2:1", false },
        { "192.0.2.1", "192.0.2.1:65535", true },
        { "192.0.2.1", "192.0.2.0:1", false },
        { "0.0.0.0/0", "255.1.2.3:1", true },
        { "0.0.0.0/0", "[::1]:1", false },
        { "0.0.0.0/0", "unix:/a", false },
        { "::/0", "[2001:db8::1]:1", true },
        { "::/0", "10.0.0.1:1", false },
        { "::/0", "unix:/a", false },
        { "fd00::/8", "[fdff::1]:1", true },
        { "fd00::/8", "[fe00::1]:1", false },
        { "2001:db8:0:8000::/49", "[2001:db8:0:ffff::]:1", true },
        { "2001:db8:0:8000::/49", "[2001:db8:0:7fff::]:1", false },
        { "2001:db8::1", "[2001:db8::1]:1", true },
        { "2001:db8::1", "[2001:db8::]:1", false },
        { "unix:", "unix:/a", true },
        { "unix:", "127.0.0.1:1", false },
        { "unix:", "[::]:1", false },
        /* IPv4 in IPv6 clothes, on either side */
        { "10.0.0.0/8", "[::ffff:10.1.2.3]:1", true },
        { "10.0.0.0/8", "[::ffff:11.1.2.3]:1", false },
        { "::ffff:10.0.0.0/8", "10.1.2.3:1", true },
        { "::/0", "[::ffff:10.1.2.3]:1", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (has(cases[i].network, cases[i].address) != cases[i].in)
            fail_msg("%s in %s", cases[i].address, cases[i].network);
    }
}

/* Every length of a prefix: the last bit inside counts, the first bit behind does not. */
static void every_prefix(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits <= 128; bits++) {
        struct network n = { .bits = (uint8_t)bits, .family = AF_INET6 };
        uint8_t bytes[16] = {};
        struct address a;
        for (unsigned bit = 0; bit < 128; bit++) {
            bytes[bit / 8] = (uint8_t)(0x80u >> bit % 8);
            address_from_bytes(bytes, 16, 1, &a);
            bytes[bit / 8] = 0;
            assert_int_equal(network_has(&n, &a), bit >= bits);
        }
    }
}

static void one_of_many(void **state)
{
    struct network list[2];
    struct address a;

    (void)state;
    assert_true(network_parse(SPAN("10.0.0.0/8"), &list[0]));
    assert_true(network_parse(SPAN("fd00::/8"), &list[1]));
    assert_true(address_parse(SPAN("[fd00::1]:1"), &a));
    assert_true(networks_have(list, 2, &a));
    assert_false(networks_have(list, 1, &a));
    assert_false(networks_have(NULL, 0, &a));
    a = (struct address){}; /* not set */
    assert_false(networks_have(list, 2, &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts), cmocka_unit_test(members),
                                        cmocka_unit_test(every_prefix),
                                        cmocka_unit_test(one_of_many) };
    return RUN(tests);
}
