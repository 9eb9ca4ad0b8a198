/* SPDX-License-Identifier: Apache-2.0 */
/* test_span.c - spans: comparing, trimming, numbers, distances. */
#include "unit.h"

#include "base/word.h"

static void numbers(void **state)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {
        { "0", true, 0 },
        { "007", true, 7 },
        { "18446744073709551615", true, UINT64_MAX },
        { "18446744073709551616", false, 0 },
        { "99999999999999999999", false, 0 },
        { "", false, 0 },
        { "-1", false, 0 },
        { "+1", false, 0 },
        { " 1", false, 0 },
        { "1 ", false, 0 },
        { "0x10", false, 0 },
        { "1_0", false, 0 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint64_t value = 42;
        assert_int_equal(span_to_u64(span_from_text(cases[i].text), &value), cases[i].good);
        assert_int_equal(value, cases[i].good ? cases[i].value : 42);
    }
}

static void trimming_and_finding(void **state)
{
    (void)state;
    assert_span(span_trim(SPAN(" \t a b\t ")), "a b");
    assert_span(span_trim(SPAN("  ")), "");
    assert_span(span_after(SPAN("abc"), 1), "bc");
    assert_span(span_after(SPAN("abc"), 9), "");
    assert_int_equal(span_find(SPAN("a:b"), ':'), 1);
    assert_int_equal(span_find(SPAN("ab"), ':'), 2);
    assert_int_equal(span_find(span_of(NULL, 0), ':'), 0);
    assert_true(span_equal_nocase(SPAN("Content-Length"), SPAN("content-LENGTH")));
    assert_false(span_equal_nocase(SPAN("host"), SPAN("hos")));
    assert_true(span_starts_with(SPAN("HTTP/1.1"), SPAN("HTTP/")));
    assert_false(span_starts_with(SPAN("HT"), SPAN("HTTP/")));
    assert_int_equal(ascii_hex('f'), 15);
    assert_int_equal(ascii_hex('G'), -1);
}

static void distances(void **state)
{
    (void)state;
    assert_int_equal(span_distance(SPAN("routes"), SPAN("ruotes"), 3), 2);
    assert_int_equal(span_distance(SPAN("store"), SPAN("storre"), 3), 1);
    assert_int_equal(span_distance(SPAN("x"), SPAN("x"), 3), 0);
    assert_int_equal(span_distance(SPAN("abcdef"), SPAN("uvwxyz"), 3), 4);
    char text[100] = { 0 };
    assert_int_equal(span_distance(span_of(text, 100), SPAN("a"), 3), 4);
}

/* Every byte at every place, between all sorts of others: the first one meant is found as one by one. */
static void words(void **state)
{
    uint64_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 256 * 8 * 16; round++) {
        char text[WORD_BYTES];
        for (unsigned i = 0; i < WORD_BYTES; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            text[i] = (char)(seed >> 56);
        }
        text[round / 256 % WORD_BYTES] = (char)(round % 256);
        uint64_t word = word_load(text);
        unsigned char limit = (unsigned char)(round / 2048 * 8 + 8);
        unsigned char wanted = (unsigned char)text[round % WORD_BYTES];
        size_t below = 0;
        size_t equal = 0;
        while (below < WORD_BYTES && (unsigned char)text[below] >= limit)
            below++;
        while ((unsigned char)text[equal] != wanted)
            equal++;
        assert_int_equal(word_below(word, limit) != 0, below < WORD_BYTES);
        if (below < WORD_BYTES)
            assert_int_equal(word_first(word_below(word, limit)), below);
        assert_int_equal(word_first(word_equal(word, wanted)), equal);
    }
}

/* What is exact is so for all eight, also behind bytes that differ in little from those that are meant. */
static void exact_words(void **state)
{
    static const char near[] = "-,./@[`{AZaz\r\n_:";
    uint64_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        char text[WORD_BYTES];
        for (unsigned i = 0; i < WORD_BYTES; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
            unsigned char c = (unsigned char)(seed >> 56);
            text[i] = round % 2 ? (char)c : (char)(near[c % (sizeof(near) - 1)] ^ (c & 0x80));
        }
        uint64_t same = word_same(word_load(text), '-');
        uint64_t letters = word_letters(word_load(text));
        for (unsigned i = 0; i < WORD_BYTES; i++) {
            bool letter = (text[i] >= 'a' && text[i] <= 'z') || (text[i] >= 'A' && text[i] <= 'Z');
            assert_int_equal(same >> (8 * i) & 0xff, text[i] == '-' ? 0x80 : 0);
            assert_int_equal(letters >> (8 * i) & 0xff, letter ? 0x80 : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(numbers),
                                        cmocka_unit_test(trimming_and_finding),
                                        cmocka_unit_test(distances), cmocka_unit_test(words),
                                        cmocka_unit_test(exact_words) };
    return RUN(tests);
}
