/* SPDX-License-Identifier: Apache-2.0 */
/* test_address.c - texts to addresses and back. */
#include "unit.h"

#include "io/address.h"

#include <netinet/in.h>

static void texts(void **state)
{
    static const struct {
        const char *text;
        const char *printed; /* NULL: refused */
    } cases[] = {
        { "127.0.0.1:80", "127.0.0.1:80" },
        { "0.0.0.0:65535", "0.0.0.0:65535" },
        { "[::1]:8080", "[::1]:8080" },
        { "[2001:DB8::1]:1", "[2001:db8::1]:1" },
        { "unix:/run/x.sock", "unix:/run/x.sock" },
        { "127.0.0.1", NULL },
        { "127.0.0.1:0", NULL },
        { "127.0.0.1:65536", NULL },
        { "127.0.0.1:080x", NULL },
        { "127.0.0.1:", NULL },
        { ":80", NULL },
        { "::1:80", NULL },
        { "[::1]", NULL },
        { "[::1:80", NULL },
        { "[fe80::1%eth0]:80", NULL },
        { "localhost:80", NULL }, /* a name: resolved elsewhere */
        { "1.2.3:80", NULL },
        { "1.2.3.4.5:80", NULL },
        { "[127.0.0.1]:80", NULL },
        { "[]:80", NULL },
        { "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80" },
        { "127.0.0.1:+80", NULL },
        { "127.0.0.1: 80", NULL },
        { " 127.0.0.1:80", NULL },
        { "unix:", NULL },
        { "unix:relative", "unix:relative" },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address a;
        char text[ADDRESS_TEXT_MAX];
        bool good = address_parse(span_from_text(cases[i].text), &a);
        assert_int_equal(good, cases[i].printed != NULL);
        if (good)
            assert_string_equal(address_print(&a, text), cases[i].printed);
    }
}

static void a_unix_path_has_a_bound(void **state)
{
    char text[120] = "unix:";
    struct address a;

    (void)state;
    memset(text + 5, 'p', 108);
    assert_true(address_parse(span_of(text, 5 + 107), &a));
    assert_false(address_parse(span_of(text, 5 + 108), &a));
    text[20] = '\0';
    assert_false(address_parse(span_of(text, 5 + 107), &a));
}

static void names_are_split(void **state)
{
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
    } cases[] = {
        { "app.local:3000", "app.local" },
        { "app:3000", "app" },
        { "app_1.local.:3000", "app_1.local." },
        { "4u.example:3000", "4u.example" },
        { "127.0.0.1:3000", "127.0.0.1" },
        { "[::1]:3000", "::1" },
        { "app", NULL },
        { "app:", NULL },
        { "app:0", NULL },
        { "app:http", NULL },
        { "app local:3000", NULL },
        { "http://app:3000", NULL },
        { "a..b:3000", NULL },
        { "-a:3000", NULL },
        { ".a:3000", NULL },
        { "b\xC3\xBC"
          "cher:3000",
          NULL },
        { "[app]:3000", NULL },
        { "[fe80::1%eth0]:3000", NULL },
        /* what getaddrinfo would read as a number: 1.2.0.3, 127.0.0.1, 0.0.0.1 */
        { "1.2.3:3000", NULL },
        { "0x7f000001:3000", NULL },
        { "1:3000", NULL },
        { "256.1.1.1:3000", NULL },
    };
    char text[300];
    struct span host;
    uint16_t port;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        port = 7;
        bool good = address_split(span_from_text(cases[i].text), &host, &port);
        if (good != (cases[i].host != NULL))
            fail_msg("%s", cases[i].text);
        assert_int_equal(port, good ? 3000 : 7);
        if (good)
            assert_span(host, cases[i].host);
    }
    memset(text, 'a', sizeof(text));
    memcpy(text + 253, ":80", 3);
    assert_true(address_split(span_of(text, 256), &host, &port));
    memcpy(text + 253, "a:80", 4);
    assert_false(address_split(span_of(text, 257), &host, &port));
}

static void overlaps_and_loopback(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        bool overlap;
        bool loopback; /* a is one */
    } cases[] = {
        { "127.0.0.1:80", "127.0.0.1:80", true, true },
        { "127.0.0.1:80", "0.0.0.0:80", true, true },
        { "0.0.0.0:80", "127.0.0.1:80", true, false },
        { "127.0.0.1:80", "0.0.0.0:81", false, true },
        { "127.3.2.1:80", "127.0.0.1:80", false, true },
        { "[::]:80", "[::1]:80", true, false },
        { "[::]:80", "127.0.0.1:80", false, false },
        { "[::1]:80", "[::2]:80", false, true },
        { "[::ffff:127.0.0.1]:80", "[::1]:80", false, false },
        { "10.0.0.1:80", "10.0.0.2:80", false, false },
        { "unix:/a", "unix:/a", true, true },
        { "unix:/a", "unix:/b", false, true },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address a;
        struct address b;
        assert_true(address_parse(span_from_text(cases[i].a), &a));
        assert_true(address_parse(span_from_text(cases[i].b), &b));
        if (address_overlap(&a, &b) != cases[i].overlap ||
            address_loopback(&a) != cases[i].loopback)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void equality(void **state)
{
    struct address a;
    struct address b;

    (void)state;
    assert_true(address_parse(SPAN("127.0.0.1:80"), &a) && address_parse(SPAN("127.0.0.1:81"), &b));
    assert_false(address_equal(&a, &b));
    assert_true(address_parse(SPAN("127.0.0.1:80"), &b));
    assert_true(address_equal(&a, &b));
    assert_int_equal(address_port(&a), 80);
}

static void hosts(void **state)
{
    static const struct {
        const char *text;
        const char *printed; /* NULL: refused */
        unsigned bytes;
    } cases[] = {
        { "192.0.2.1", "192.0.2.1", 4 },
        { "255.255.255.255", "255.255.255.255", 4 },
        { "2001:DB8:0:0::1", "2001:db8::1", 16 },
        { "::", "::", 16 },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
          16 },
        /* an IPv4 address in IPv6 clothes is that address, in both spellings */
        { "::ffff:192.0.2.1", "192.0.2.1", 4 },
        { "::ffff:c000:201", "192.0.2.1", 4 },
        { "0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255", 4 },
        { "::fffe:192.0.2.1", "::fffe:c000:201", 16 },
        { "::192.0.2.1", "::192.0.2.1", 16 },
        { "192.0.2", NULL, 0 },
        { "192.0.2.1.1", NULL, 0 },
        { "192.0.2.256", NULL, 0 },
        { "192.0.2.01", NULL, 0 },
        { "192.0.2.1:80", NULL, 0 },
        { "[::1]", NULL, 0 },
        { "::1%lo", NULL, 0 },
        { "1::2::3", NULL, 0 },
        { " ::1", NULL, 0 },
        { "::1 ", NULL, 0 },
        { "unix:", NULL, 0 },
        { "localhost", NULL, 0 },
        { "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL, 0 },
        { "", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct address a = { .length = 7 };
        char text[ADDRESS_HOST_MAX];
        uint8_t bytes[16];
        bool good = address_parse_host(span_from_text(cases[i].text), &a);
        if (good != (cases[i].printed != NULL))
            fail_msg("'%s'", cases[i].text);
        if (!good) {
            assert_int_equal(a.length, 7);
            continue;
        }
        assert_span(span_of(text, address_print_host(&a, text)), cases[i].printed);
        assert_int_equal(address_bytes(&a, bytes), cases[i].bytes);
        assert_int_equal(address_port(&a), 0);
    }
    /* a zero byte is not the end of it */
    struct address a;
    assert_false(address_parse_host(SPAN("192.0.2.1\0"), &a));
    assert_false(address_parse_host(SPAN("::1\0x"), &a));
}

static void bytes_make_addresses(void **state)
{
    static const uint8_t v6[16] = { 0x20, 1, 0xd, 0xb8, [15] = 9 };
    static const uint8_t mapped[16] = { [10] = 0xff, 0xff, 192, 0, 2, 1 };
    char text[ADDRESS_TEXT_MAX];
    uint8_t bytes[16];
    struct address a;
    struct address b;

    (void)state;
    address_from_bytes(mapped + 12, 4, 8080, &a);
    assert_string_equal(address_print(&a, text), "192.0.2.1:8080");
    assert_int_equal(a.length, sizeof(struct sockaddr_in));
    assert_int_equal(address_bytes(&a, bytes), 4);
    assert_memory_equal(bytes, mapped + 12, 4);
    assert_true(address_parse(SPAN("192.0.2.1:8080"), &b) && address_equal(&a, &b));

    address_from_bytes(v6, 16, 65535, &a);
    assert_string_equal(address_print(&a, text), "[2001:db8::9]:65535");
    assert_int_equal(a.length, sizeof(struct sockaddr_in6));
    assert_int_equal(address_bytes(&a, bytes), 16);
    assert_memory_equal(bytes, v6, 16);

    address_from_bytes(mapped, 16, 1, &a);
    assert_int_equal(address_bytes(&a, bytes), 4);
    assert_memory_equal(bytes, mapped + 12, 4);
    assert_span(span_of(text, address_print_host(&a, text)), "192.0.2.1");
}

static void a_unix_socket_has_no_bytes(void **state)
{
    char text[ADDRESS_HOST_MAX];
    uint8_t bytes[16];
    struct address a;

    (void)state;
    assert_true(address_parse(SPAN("unix:/run/x.sock"), &a));
    assert_int_equal(address_bytes(&a, bytes), 0);
    assert_span(span_of(text, address_print_host(&a, text)), "unix:"); /* not its path */
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts),
                                        cmocka_unit_test(a_unix_path_has_a_bound),
                                        cmocka_unit_test(names_are_split),
                                        cmocka_unit_test(overlaps_and_loopback),
                                        cmocka_unit_test(equality),
                                        cmocka_unit_test(hosts),
                                        cmocka_unit_test(bytes_make_addresses),
                                        cmocka_unit_test(a_unix_socket_has_no_bytes) };
    return RUN(tests);
}
