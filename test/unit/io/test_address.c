/* SPDX-License-Identifier: Apache-2.0 */
/* test_address.c - texts to addresses and back. */
#include "unit.h"

#include "io/address.h"

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
        { "unix:", NULL },
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
}

static void names_are_split(void **state)
{
    struct span host;
    uint16_t port;

    (void)state;
    assert_true(address_split(SPAN("app.local:3000"), &host, &port));
    assert_span(host, "app.local");
    assert_int_equal(port, 3000);
    assert_false(address_split(SPAN("app local:3000"), &host, &port));
    assert_false(address_split(SPAN("http://app:3000"), &host, &port));
    assert_false(address_split(SPAN("app"), &host, &port));
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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(texts),
                                        cmocka_unit_test(a_unix_path_has_a_bound),
                                        cmocka_unit_test(names_are_split),
                                        cmocka_unit_test(equality) };
    return RUN(tests);
}
