/* SPDX-License-Identifier: Apache-2.0 */
/* test_pack.c - what is written is read back; damaged bytes are refused and harm nothing. */
#include "base/rand.h"
#include "core/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { COUNTERS = 21 };

static uint64_t any_number(struct rng *r)
{
    return rng_next(r) >> rng_below(r, 64);
}

static void numbers_come_back(void **state)
{
    static const struct {
        uint64_t value;
        size_t bytes;
    } rows[] = { { 0, 1 },
                 { 1, 1 },
                 { 127, 1 },
                 { 128, 2 },
                 { 16383, 2 },
                 { 16384, 3 },
                 { UINT32_MAX, 5 },
                 { UINT64_C(1) << 62, 9 },
                 { UINT64_C(1) << 63, 10 },
                 { UINT64_MAX, 10 } };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char bytes[PACK_NUMBER_MAX];
        struct str out = str_fixed(bytes, sizeof(bytes));
        pack_number(&out, rows[i].value);
        assert_int_equal(out.n, rows[i].bytes);

        struct span in = str_span(&out);
        uint64_t value;
        assert_true(unpack_number(&in, &value));
        assert_true(value == rows[i].value);
        assert_int_equal(in.n, 0);
    }
}

static void refuse_number(const char *bytes, size_t n)
{
    struct span in = span_of(bytes, n);
    uint64_t value = 77;

    assert_false(unpack_number(&in, &value));
    assert_int_equal(value, 77);
    assert_int_equal(in.n, n);
}

static void wrong_numbers_are_refused(void **state)
{
    (void)state;
    refuse_number("", 0);
    refuse_number("\x80", 1);                                          /* goes on, but does not */
    refuse_number("\x80\x00", 2);                                      /* longer than needed */
    refuse_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10);     /* 65 bits */
    refuse_number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11); /* 11 bytes */
}

static void counters_come_back(void **state)
{
    struct rng r = { .state = 6 };

    (void)state;
    for (int round = 0; round < 20000; round++) {
        char bytes[COUNTERS * PACK_NUMBER_MAX];
        struct str out = str_fixed(bytes, sizeof(bytes));
        uint64_t in[COUNTERS] = { 0 }, back[COUNTERS];
        unsigned used = (unsigned)rng_below(&r, COUNTERS + 1);

        for (unsigned i = 0; i < used; i++)
            in[i] = rng_below(&r, 3) ? any_number(&r) : 0;
        pack_counters(&out, COUNTERS, in);
        assert_false(out.cut);
        assert_true(unpack_counters(str_span(&out), COUNTERS, back));
        assert_memory_equal(in, back, sizeof(in));
    }
}

static void wrong_counters_are_refused_and_leave_the_output(void **state)
{
    uint64_t values[2] = { 8, 9 };

    (void)state;
    assert_false(unpack_counters(SPAN("\x01\x02\x03"), 2, values)); /* one too many */
    assert_false(unpack_counters(SPAN("\x01\x00"), 2, values));     /* a trailing zero */
    assert_false(unpack_counters(SPAN("\x01\x80"), 2, values));     /* cut */
    assert_int_equal(values[0], 8);
    assert_int_equal(values[1], 9);
    assert_true(unpack_counters(SPAN(""), 2, values));
    assert_int_equal(values[0] + values[1], 0);
}

static void differences_of_histograms_come_back(void **state)
{
    static char bytes[PACK_HISTOGRAM_MAX];
    struct rng r = { .state = 7 };

    (void)state;
    for (int round = 0; round < 500; round++) {
        uint64_t before[HISTOGRAM_BINS], now[HISTOGRAM_BINS], back[HISTOGRAM_BINS];
        uint64_t sparse = 1 + rng_below(&r, 400);
        struct str out = str_fixed(bytes, sizeof(bytes));

        for (int i = 0; i < HISTOGRAM_BINS; i++) {
            before[i] = rng_next(&r) >> 32;
            now[i] = before[i] + (rng_below(&r, sparse) ? 0 : any_number(&r) >> 1);
        }
        pack_histogram(&out, now, before);
        assert_false(out.cut);
        memcpy(back, before, sizeof(back));
        assert_true(unpack_histogram(str_span(&out), back));
        assert_memory_equal(now, back, sizeof(now));
    }
}

static void a_histogram_without_a_past_and_an_empty_one(void **state)
{
    static char bytes[PACK_HISTOGRAM_MAX];
    uint64_t now[HISTOGRAM_BINS] = { 0 }, back[HISTOGRAM_BINS] = { 0 };
    struct str out = str_fixed(bytes, sizeof(bytes));

    (void)state;
    pack_histogram(&out, now, NULL);
    assert_int_equal(out.n, 0);
    now[HISTOGRAM_BELOW] = 3;
    now[1] = 4;
    now[HISTOGRAM_ABOVE] = 5;
    pack_histogram(&out, now, NULL);
    assert_int_equal(out.n, 2 + 2 + 3);
    assert_true(unpack_histogram(str_span(&out), back));
    assert_memory_equal(now, back, sizeof(now));
}

static void the_largest_histogram_fits_its_bound(void **state)
{
    static char bytes[PACK_HISTOGRAM_MAX];
    static uint64_t now[HISTOGRAM_BINS];
    struct str out = str_fixed(bytes, sizeof(bytes));

    (void)state;
    for (int i = 0; i < HISTOGRAM_BINS; i++)
        now[i] = UINT64_MAX;
    pack_histogram(&out, now, NULL);
    assert_false(out.cut);
}

static void wrong_histograms_are_refused(void **state)
{
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    (void)state;
    assert_false(unpack_histogram(SPAN("\x01"), bins));         /* a bin without a count */
    assert_false(unpack_histogram(SPAN("\x00\x01"), bins));     /* no step */
    assert_false(unpack_histogram(SPAN("\x01\x00"), bins));     /* no count */
    assert_false(unpack_histogram(SPAN("\xd7\x0c\x01"), bins)); /* bin 1622: one too far */
    assert_int_equal(histogram_total(bins), 0);
    assert_true(unpack_histogram(SPAN("\xd6\x0c\x01"), bins)); /* bin 1621: the last */
    assert_int_equal(bins[HISTOGRAM_ABOVE], 1);
}

/* Any bytes: no crash, and what is accepted is exactly what writing it again gives. */
static void only_what_we_write_is_accepted(void **state)
{
    static char again[PACK_HISTOGRAM_MAX];
    struct rng r = { .state = 8 };
    int accepted = 0;

    (void)state;
    for (int round = 0; round < 300000; round++) {
        char bytes[12];
        size_t n = rng_below(&r, sizeof(bytes) + 1);
        for (size_t i = 0; i < n; i++)
            bytes[i] = (char)(rng_next(&r) >> rng_below(&r, 8) & 0xff);
        struct str out = str_fixed(again, sizeof(again));
        uint64_t values[COUNTERS], bins[HISTOGRAM_BINS] = { 0 };

        if (unpack_counters(span_of(bytes, n), COUNTERS, values)) {
            pack_counters(&out, COUNTERS, values);
            assert_true(span_equal(str_span(&out), span_of(bytes, n)));
            accepted++;
        }
        out.n = 0;
        if (unpack_histogram(span_of(bytes, n), bins)) {
            pack_histogram(&out, bins, NULL);
            assert_true(span_equal(str_span(&out), span_of(bytes, n)));
            accepted++;
        }
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_back),
        cmocka_unit_test(wrong_numbers_are_refused),
        cmocka_unit_test(counters_come_back),
        cmocka_unit_test(wrong_counters_are_refused_and_leave_the_output),
        cmocka_unit_test(differences_of_histograms_come_back),
        cmocka_unit_test(a_histogram_without_a_past_and_an_empty_one),
        cmocka_unit_test(the_largest_histogram_fits_its_bound),
        cmocka_unit_test(wrong_histograms_are_refused),
        cmocka_unit_test(only_what_we_write_is_accepted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
