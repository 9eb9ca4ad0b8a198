/* SPDX-License-Identifier: Apache-2.0 */
/* test_traceparent.c - the examples of the standard, and everything one byte beside them. */
#include "unit.h"

#include "proto/traceparent.h"

#define TRACE  "4bf92f3577b34da6a3ce929d0e0e4736"
#define PARENT "00f067aa0ba902b7"
#define ZEROES "0000000000000000"

static void fields(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "00-" TRACE "-" PARENT "-01", true },
        { "00-" TRACE "-" PARENT "-00", true },
        { "00-" TRACE "-" PARENT "-ff", true },
        { "00-" ZEROES "0000000000000001-" PARENT "-00", true },
        { "00-1" ZEROES "000000000000000-" PARENT "-00", true },
        { "00-" TRACE "-0000000000000001-00", true },
        { "01-" TRACE "-" PARENT "-01", true },
        { "01-" TRACE "-" PARENT "-01-", true },
        { "cc-" TRACE "-" PARENT "-01-what the future brings", true },
        { "fe-" TRACE "-" PARENT "-01", true },
        { "01-" TRACE "-" PARENT "-01.", false },
        { "01-" TRACE "-" PARENT "-011", false },
        { "00-" TRACE "-" PARENT "-01-", false },
        { "00-" TRACE "-" PARENT "-01 ", false },
        { "ff-" TRACE "-" PARENT "-01", false },
        { "FF-" TRACE "-" PARENT "-01", false },
        { "0A-" TRACE "-" PARENT "-01", false },
        { "00-" ZEROES ZEROES "-" PARENT "-01", false },
        { "00-" TRACE "-" ZEROES "-01", false },
        { "00-4BF92F3577B34DA6A3CE929D0E0E4736-" PARENT "-01", false },
        { "00-" TRACE "-00F067AA0BA902B7-01", false },
        { "00-" TRACE "-" PARENT "-0A", false },
        { "00-" TRACE "-" PARENT "-0", false },
        { "00_" TRACE "-" PARENT "-01", false },
        { "00-" TRACE "_" PARENT "-01", false },
        { "00-" TRACE "-" PARENT "_01", false },
        { "0x-" TRACE "-" PARENT "-01", false },
        { "", false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct traceparent t;
        if (traceparent_parse(span_from_text(cases[i].text), &t) != cases[i].good)
            fail_msg("'%s'", cases[i].text);
    }
}

static void every_digit_must_be_one(void **state)
{
    const char *good = "00-" TRACE "-" PARENT "-01";
    char text[TRACEPARENT_SIZE + 1];
    struct traceparent t = { .parent = 7 };

    (void)state;
    for (size_t at = 0; at < TRACEPARENT_SIZE; at++) {
        memcpy(text, good, sizeof(text));
        text[at] = 'g';
        if (traceparent_parse(span_of(text, TRACEPARENT_SIZE), &t))
            fail_msg("'%s'", text);
        text[at] = '\0';
        assert_false(traceparent_parse(span_of(text, TRACEPARENT_SIZE), &t));
        assert_false(traceparent_parse(span_of(good, at), &t)); /* cut */
    }
    assert_int_equal(t.parent, 7); /* untouched */
}

static void what_it_says(void **state)
{
    struct traceparent t;
    char text[TRACEPARENT_SIZE];

    (void)state;
    assert_true(traceparent_parse(SPAN("00-" TRACE "-" PARENT "-01"), &t));
    assert_true(t.trace_high == 0x4bf92f3577b34da6 && t.trace_low == 0xa3ce929d0e0e4736);
    assert_true(t.parent == 0x00f067aa0ba902b7);
    assert_int_equal(t.flags, TRACE_SAMPLED);
    traceparent_write(&t, text);
    assert_span(span_of(text, sizeof(text)), "00-" TRACE "-" PARENT "-01");
    /* a later version is passed on as the one that we know */
    assert_true(traceparent_parse(SPAN("7e-" TRACE "-" PARENT "-a3-x"), &t));
    traceparent_write(&t, text);
    assert_span(span_of(text, sizeof(text)), "00-" TRACE "-" PARENT "-a3");
}

static void digits(void **state)
{
    char text[16];

    (void)state;
    hex_write(0x0123456789abcdef, 16, text);
    assert_span(span_of(text, 16), "0123456789abcdef");
    hex_write(0xfedcba98, 4, text); /* the last four */
    assert_span(span_of(text, 6), "ba9845");
    for (unsigned value = 0; value < 256; value++) {
        char expected[3];
        snprintf(expected, sizeof(expected), "%02x", value);
        hex_write(value, 2, text);
        assert_span(span_of(text, 2), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(fields),
                                        cmocka_unit_test(every_digit_must_be_one),
                                        cmocka_unit_test(what_it_says), cmocka_unit_test(digits) };
    return RUN(tests);
}
