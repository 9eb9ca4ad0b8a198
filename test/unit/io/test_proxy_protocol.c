/* SPDX-License-Identifier: Apache-2.0 */
/* test_proxy_protocol.c - headers of both versions, fed byte-exactly as they are asked for, and every
 * mistake in them. */
#include "unit.h"

#include "io/proxy_protocol.h"

/* What a socket does: reads as many bytes as were asked for, never one more. `ret_taken` are the bytes that
 * were read. */
static enum proxy_progress feed(struct span wire, size_t *ret_taken, struct proxy_header *h)
{
    size_t have = 0;

    for (;;) {
        size_t need = 0;
        enum proxy_progress p = proxy_read(span_of(wire.p, have), &need, h);
        *ret_taken = have;
        if (p != PROXY_MORE)
            return p;
        assert_true(need > have);
        if (need > wire.n)
            return PROXY_MORE;
        have = need;
    }
}

/* ---- version 1 */

#define V6_MAX "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"

static void lines(void **state)
{
    static const struct {
        const char *line; /* without CR LF */
        enum proxy_family family;
        uint8_t first; /* byte of the source */
        uint8_t last;
        uint16_t port;
    } cases[] = {
        { "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443", PROXY_IPV4, 192, 1, 56324 },
        { "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535", PROXY_IPV4, 255, 255, 65535 },
        { "PROXY TCP4 1.2.3.4 5.6.7.8 0 0", PROXY_IPV4, 1, 4, 0 },
        { "PROXY TCP6 2001:db8::9 ::1 1 2", PROXY_IPV6, 0x20, 9, 1 },
        { "PROXY TCP6 " V6_MAX " " V6_MAX " 65535 65535", PROXY_IPV6, 255, 255, 65535 },
        { "PROXY TCP6 ::ffff:1.2.3.4 ::1 1 2", PROXY_IPV6, 0, 4, 1 },
        { "PROXY UNKNOWN", PROXY_LOCAL, 0, 0, 0 },
        { "PROXY UNKNOWN " V6_MAX " " V6_MAX " 65535 65535", PROXY_LOCAL, 0, 0,
          0 }, /* the longest */
        { "PROXY UNKNOWN what ever  it is ", PROXY_LOCAL, 0, 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_header h = { .source_port = 7 };
        char wire[200];
        size_t taken;
        size_t n = strlen(cases[i].line) + 2;
        snprintf(wire, sizeof(wire), "%s\r\nGET / HTTP/1.1\r\n", cases[i].line);
        if (feed(span_from_text(wire), &taken, &h) != PROXY_COMPLETE || taken != n)
            fail_msg("'%s' took %zu", cases[i].line, taken);
        assert_int_equal(h.family, cases[i].family);
        assert_int_equal(h.source[0], cases[i].first);
        assert_int_equal(h.source[h.family == PROXY_IPV4 ? 3 : 15], cases[i].last);
        assert_int_equal(h.source_port, cases[i].port);
        /* cut anywhere there is more to come; never is anything said before the end */
        for (size_t cut = 0; cut < n; cut++)
            assert_int_equal(feed(span_of(wire, cut), &taken, &h), PROXY_MORE);
    }
}

static void the_length_of_a_line_has_a_bound(void **state)
{
    char wire[PROXY_V1_MAX + 10];
    struct proxy_header h;
    size_t taken;

    (void)state;
    memset(wire, 'x', sizeof(wire));
    memcpy(wire, "PROXY UNKNOWN ", 14);
    assert_int_equal(feed(span_of(wire, sizeof(wire)), &taken, &h), PROXY_MALFORMED);
    assert_int_equal(taken, PROXY_V1_MAX); /* as soon as it is too long */
    memcpy(wire + PROXY_V1_MAX - 2, "\r\n", 2);
    assert_int_equal(feed(span_of(wire, sizeof(wire)), &taken, &h), PROXY_COMPLETE);
    assert_int_equal(taken, PROXY_V1_MAX);
    memcpy(wire + PROXY_V1_MAX - 2, "x\r\n", 3);
    assert_int_equal(feed(span_of(wire, sizeof(wire)), &taken, &h), PROXY_MALFORMED);
}

static void malformed_lines(void **state)
{
    static const char *const cases[] = {
        "GET / HTTP/1.1\r\n",
        "\r\n\r\n\r\n\r\n\r\n\r\n",
        "proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY\tTCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        " PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXYTCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY  TCP4 1.2.3.4 5.6.7.8 1 2\r\n",
        /* families */
        "PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY UNKNOWNS\r\n",
        "PROXY TCP4 ::1 ::2 1 2\r\n",
        "PROXY TCP4 1.2.3.4 ::2 1 2\r\n",
        "PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP6 ::1 5.6.7.8 1 2\r\n",
        /* addresses */
        "PROXY TCP4 1.2.3 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.256 5.6.7.8 1 2\r\n",
        "PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.x 1 2\r\n",
        "PROXY TCP6 [::1] ::2 1 2\r\n",
        "PROXY TCP6 fe80::1%1 ::2 1 2\r\n",
        "PROXY TCP6 1::2::3 ::2 1 2\r\n",
        "PROXY TCP6 0:0:0:0:0:0:0:0000000000000000000000000000000000001 :: 1 2\r\n",
        /* ports */
        "PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 02\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 00 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 +1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 0x1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 18446744073709551617 2\r\n",
        /* words missing, doubled, in excess */
        "PROXY TCP4\r\nxxxxx",
        "PROXY TCP4 \r\nxxxxx",
        "PROXY TCP4 1.2.3.4\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n",
        "PROXY TCP4 1.2.3.4  5.6.7.8 1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8  1 2\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2  \r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\t\r\n",
        /* ends of lines */
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\r\n",
        "PROXY TCP4 1.2.3.4 5.6.7.8 1\r2\r\n",
        "PROXY UNKNOWN\rx\r\n",
        "PROXY UNKNOWN\n",
        "PROXY \r\nxxxxxxxxxx",
        "PROXY \nxxxxxxxxxx",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_header h = { .source_port = 7 };
        size_t taken;
        if (feed(span_from_text(cases[i]), &taken, &h) != PROXY_MALFORMED)
            fail_msg("'%s'", cases[i]);
        assert_int_equal(h.source_port, 7); /* untouched */
    }
}

/* ---- version 2 */

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"
#define TCP4      "\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01\xbb" /* port 56324 to 443 */
#define TCP6_A    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09"
#define TCP6      TCP6_A TCP6_A "\x00\x01\x00\x02"
#define TEN       "\0\0\0\0\0\0\0\0\0\0"
#define UNIX                                                                            \
    TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN \
        "\0\0\0\0\0\0"

#define CASE(bytes, ...)              \
    {                                 \
        SPAN_INIT(bytes), __VA_ARGS__ \
    }

static void binary_headers(void **state)
{
    static const struct {
        struct span bytes;
        enum proxy_family family;
        uint16_t port;
    } cases[] = {
        CASE(SIGNATURE "\x21\x11\x00\x0c" TCP4, PROXY_IPV4, 56324),
        CASE(SIGNATURE "\x21\x21\x00\x24" TCP6, PROXY_IPV6, 1),
        CASE(SIGNATURE "\x21\x11\x00\x0f" TCP4 "\x04\x00\x00", PROXY_IPV4, 56324),
        CASE(SIGNATURE "\x21\x11\x00\x14" TCP4 "\x04\x00\x00\x01\x00\x02h2", PROXY_IPV4, 56324),
        CASE(SIGNATURE "\x21\x21\x00\x28" TCP6 "\x02\x00\x01x", PROXY_IPV6, 1),
        /* nothing that we can use */
        CASE(SIGNATURE "\x21\x00\x00\x00", PROXY_LOCAL, 0),
        CASE(SIGNATURE "\x21\x00\x00\x03\x04\x00\x00", PROXY_LOCAL, 0),
        CASE(SIGNATURE "\x21\x12\x00\x0c" TCP4, PROXY_LOCAL, 0), /* datagrams */
        CASE(SIGNATURE "\x21\x22\x00\x24" TCP6, PROXY_LOCAL, 0),
        CASE(SIGNATURE "\x21\x31\x00\xd8" UNIX, PROXY_LOCAL, 0),
        /* the balancer itself: whatever follows is not looked at */
        CASE(SIGNATURE "\x20\x00\x00\x00", PROXY_LOCAL, 0),
        CASE(SIGNATURE "\x20\x11\x00\x0c" TCP4, PROXY_LOCAL, 0),
        CASE(SIGNATURE "\x20\x11\x00\x02xx", PROXY_LOCAL, 0),
    };
    char wire[400];
    size_t taken;

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_header h = { .source_port = 7 };
        memcpy(wire, cases[i].bytes.p, cases[i].bytes.n);
        memcpy(wire + cases[i].bytes.n, "GET ", 4);
        if (feed(span_of(wire, cases[i].bytes.n + 4), &taken, &h) != PROXY_COMPLETE)
            fail_msg("case %zu", i);
        assert_int_equal(taken, cases[i].bytes.n);
        assert_int_equal(h.family, cases[i].family);
        assert_int_equal(h.source_port, cases[i].port);
        if (h.family == PROXY_IPV4)
            assert_memory_equal(h.source, TCP4, 4);
        if (h.family == PROXY_IPV6)
            assert_memory_equal(h.source, TCP6_A, 16);
        for (size_t cut = 0; cut < cases[i].bytes.n; cut++)
            assert_int_equal(feed(span_of(wire, cut), &taken, &h), PROXY_MORE);
    }
}

static void malformed_binary_headers(void **state)
{
    static const struct {
        struct span bytes;
    } cases[] = {
        /* signature, version, command */
        CASE("\r\n\r\n\0\r\nQUIT\r\x21\x11\x00\x0c" TCP4),
        CASE("\r\n\r\n\x01\r\nQUIT\n\x21\x11\x00\x0c" TCP4),
        CASE(SIGNATURE "\x11\x11\x00\x0c" TCP4),
        CASE(SIGNATURE "\x31\x11\x00\x0c" TCP4),
        CASE(SIGNATURE "\x01\x11\x00\x0c" TCP4),
        CASE(SIGNATURE "\x22\x11\x00\x0c" TCP4),
        CASE(SIGNATURE "\x2f\x11\x00\x0c" TCP4),
        /* lengths */
        CASE(SIGNATURE "\x21\x11\x00\x00"),
        CASE(SIGNATURE "\x21\x11\x00\x0b\xc0\x00\x02\x01\xc6\x33\x64\x02\xdc\x04\x01"),
        CASE(SIGNATURE "\x21\x21\x00\x0c" TCP4),
        CASE(SIGNATURE "\x21\x21\x00\x23" TCP6_A TCP6_A "\x00\x01\x00"),
        /* TLVs that are cut */
        CASE(SIGNATURE "\x21\x11\x00\x0d" TCP4 "\x04"),
        CASE(SIGNATURE "\x21\x11\x00\x0e" TCP4 "\x04\x00"),
        CASE(SIGNATURE "\x21\x11\x00\x0f" TCP4 "\x04\x00\x01"),
        CASE(SIGNATURE "\x21\x11\x00\x10" TCP4 "\x04\x00\x02x"),
        CASE(SIGNATURE "\x21\x11\x00\x10" TCP4 "\x04\x01\x01x"),
        CASE(SIGNATURE "\x21\x11\x00\x11" TCP4 "\x04\x00\x01x\x04"),
        CASE(SIGNATURE "\x21\x21\x00\x28" TCP6 "\x02\x00\x02x"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct proxy_header h = { .source_port = 7 };
        size_t taken;
        if (feed(cases[i].bytes, &taken, &h) != PROXY_MALFORMED)
            fail_msg("case %zu", i);
        assert_int_equal(h.source_port, 7);
    }
}

static void the_size_of_a_binary_header_has_a_bound(void **state)
{
    char wire[PROXY_V2_MAX + 1] = SIGNATURE "\x20\x00\x08\x00";
    struct proxy_header h;
    size_t taken;

    (void)state;
    assert_int_equal(feed(span_of(wire, sizeof(wire)), &taken, &h), PROXY_COMPLETE);
    assert_int_equal(taken, PROXY_V2_MAX);
    memcpy(wire + 14, "\x08\x01", 2);
    assert_int_equal(feed(span_of(wire, sizeof(wire)), &taken, &h), PROXY_MALFORMED);
    assert_int_equal(taken, PROXY_V2_HEAD); /* before any of it is read */
    memcpy(wire + 14, "\xff\xff", 2);
    assert_int_equal(feed(span_of(wire, sizeof(wire)), &taken, &h), PROXY_MALFORMED);
}

/* A caller that read more than it was allowed to has taken somebody's request: refused, not cut. */
static void too_much_is_refused(void **state)
{
    struct proxy_header h;
    size_t need;

    (void)state;
    assert_int_equal(proxy_read(SPAN("PROXY UNKNOWN\r\nG"), &need, &h), PROXY_MALFORMED);
    assert_int_equal(proxy_read(SPAN(SIGNATURE "\x20\x00\x00\x00G"), &need, &h), PROXY_MALFORMED);
}

static void exactly_so_many_bytes_are_needed(void **state)
{
    struct span line = SPAN("PROXY UNKNOWN abc\r\n");
    struct span binary = SPAN(SIGNATURE "\x21\x11\x01\x02");
    struct proxy_header h;
    size_t need;

    (void)state;
    for (size_t n = 0; n < PROXY_HEAD_MIN; n++) {
        assert_int_equal(proxy_read(span_of(line.p, n), &need, &h), PROXY_MORE);
        assert_int_equal(need, PROXY_HEAD_MIN);
    }
    for (size_t n = PROXY_HEAD_MIN; n < line.n; n++) {
        assert_int_equal(proxy_read(span_of(line.p, n), &need, &h), PROXY_MORE);
        assert_int_equal(need, n + 1);
    }
    for (size_t n = PROXY_HEAD_MIN; n < PROXY_V2_HEAD; n++) {
        assert_int_equal(proxy_read(span_of(binary.p, n), &need, &h), PROXY_MORE);
        assert_int_equal(need, PROXY_V2_HEAD);
    }
    assert_int_equal(proxy_read(binary, &need, &h), PROXY_MORE);
    assert_int_equal(need, PROXY_V2_HEAD + 0x102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(the_length_of_a_line_has_a_bound),
        cmocka_unit_test(malformed_lines),
        cmocka_unit_test(binary_headers),
        cmocka_unit_test(malformed_binary_headers),
        cmocka_unit_test(the_size_of_a_binary_header_has_a_bound),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(exactly_so_many_bytes_are_needed),
    };
    return RUN(tests);
}
