/* SPDX-License-Identifier: Apache-2.0 */
/* test_forwarded.c - lists of proxies, taken apart from their ends. */
#include "unit.h"

#include "proto/forwarded.h"

static void lists_come_apart_from_the_end(void **state)
{
    static const struct {
        const char *list;
        const char *elements[5]; /* last first */
    } cases[] = {
        { "", { NULL } },
        { "a", { "a" } },
        { "a, b ,\tc", { "c", "b", "a" } },
        { "a,b", { "b", "a" } },
        { "a,,b", { "b", "", "a" } },
        { "a,", { "", "a" } },
        { " ", { "" } },
        { "for=\"a,b\", for=c", { "for=c", "for=\"a,b\"" } },
        { "x=\"a\\\",b\",c", { "c", "x=\"a\\\",b\"" } },
        { "x=\"a\\\\\",b", { "b", "x=\"a\\\\\"" } },
        { "a\\,b", { "b", "a\\" } },         /* no escapes outside of quotes */
        { "a,\"b,c", { "\"b,c", "a" } },     /* quotes that never end */
        { "a,\"b,c\\", { "\"b,c\\", "a" } }, /* an escape of nothing */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span list = span_from_text(cases[i].list);
        struct span element;
        for (size_t k = 0; cases[i].elements[k]; k++) {
            assert_true(forwarded_pop(&list, &element));
            assert_span(element, cases[i].elements[k]);
        }
        if (forwarded_pop(&list, &element))
            fail_msg("'%s' has one more: '%.*s'", cases[i].list, SPAN_ARG(element));
    }
}

static void parameters(void **state)
{
    static const struct {
        const char *element;
        const char *value; /* of "for"; "": none */
    } cases[] = {
        { "for=192.0.2.1", "192.0.2.1" },
        { "FOR=192.0.2.1", "192.0.2.1" },
        { "proto=https;for=192.0.2.1;by=x", "192.0.2.1" },
        { "proto=https ; for=192.0.2.1 ; by=x", "192.0.2.1" },
        { "for=\"[2001:db8::1]:80\"", "[2001:db8::1]:80" },
        { "for=1;for=2", "1" }, /* each may stand once only (section 4): nobody chooses */
        { "for=\"a\\b\"", "" },
        { "for=\"a", "" },
        { "for=\"\"", "" },
        { "for=", "" },
        { "for", "" },
        { "xfor=1", "" },
        { "fo=1", "" },
        { "for =1", "" }, /* no blanks around "=" (section 4) */
        { "proto=https", "" },
        { ";;for=1;;", "1" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span value = forwarded_parameter(span_from_text(cases[i].element), SPAN("for"));
        if (!span_equal(value, span_from_text(cases[i].value)))
            fail_msg("'%s' gave '%.*s'", cases[i].element, SPAN_ARG(value));
    }
}

static void addresses(void **state)
{
    static const struct {
        const char *node;
        const char *address; /* "": cannot be one */
    } cases[] = {
        { "192.0.2.1", "192.0.2.1" },
        { "192.0.2.1:80", "192.0.2.1" },
        { "[2001:db8::1]:80", "2001:db8::1" },
        { "[2001:db8::1]", "2001:db8::1" },
        { "2001:db8::1", "2001:db8::1" },
        { "2001:DB8::1", "2001:DB8::1" },
        { "::1", "::1" },
        { "unknown", "" },
        { "_hidden", "" },
        { "_hidden:80", "" },
        { "[2001:db8::1", "" },
        { "[fe80::1%eth0]", "" },
        { "fe80::1%eth0", "" },
        { "[]", "" },
        { "[", "" },
        { ":80", "" },
        { "192.0.2.1 ", "" },
        { "\"192.0.2.1\"", "" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct span address = forwarded_address(span_from_text(cases[i].node));
        if (!span_equal(address, span_from_text(cases[i].address)))
            fail_msg("'%s' gave '%.*s'", cases[i].node, SPAN_ARG(address));
    }
    assert_int_equal(forwarded_address(SPAN("192.0.2.1\0")).n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(lists_come_apart_from_the_end),
                                        cmocka_unit_test(parameters), cmocka_unit_test(addresses) };
    return RUN(tests);
}
