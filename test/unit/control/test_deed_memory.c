/* SPDX-License-Identifier: Apache-2.0 */
/* test_deed_memory.c - numbers go up over restarts, what waits for the store is the newest, who must make room before it was stored
 * is counted, and long texts are cut where a reader can stand it. */
#include "unit.h"

#include "control/deed_memory.h"

#include <string.h>

static struct deed_memory m;

static int begin(void **state)
{
    (void)state;
    deed_memory_open(&m);
    return 0;
}

static int end(void **state)
{
    (void)state;
    deed_memory_free(&m);
    return 0;
}

static void add(struct span who, struct span why)
{
    struct kept_deed d = { .number = 4711,
                           .at = 5,
                           .text = { [DEED_TEXT_WHO] = who, [DEED_TEXT_WHY] = why } };

    deed_memory_add(&m, &d);
}

static void add_many(int count)
{
    for (int i = 0; i < count; i++)
        add(SPAN("ann"), SPAN("try"));
}

static void expect_waiting(size_t count, int64_t first)
{
    struct arena a = {};
    size_t n;
    struct kept_deed *list = deed_memory_waiting(&m, &a, &n);

    assert_int_equal(n, count);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(list[i].number, first + (int64_t)i);
    arena_free(&a);
}

static void each_gets_the_next_number(void **state)
{
    (void)state;
    expect_waiting(0, 0);
    add(SPAN("ann"), SPAN("a slow disk"));
    add(SPAN("bob"), SPAN(""));
    assert_int_equal(m.count, 2);
    assert_int_equal(deed_memory_newest(&m, 0)->number, 2);
    assert_int_equal(deed_memory_newest(&m, 1)->number, 1);
    assert_span(deed_memory_newest(&m, 1)->text[DEED_TEXT_WHO], "ann");
    assert_span(deed_memory_newest(&m, 1)->text[DEED_TEXT_WHY], "a slow disk");
    assert_span(deed_memory_newest(&m, 0)->text[DEED_TEXT_WHY], "");
    assert_int_equal(deed_memory_newest(&m, 0)->at, 5);
    expect_waiting(2, 1);
}

static void what_is_stored_waits_no_more(void **state)
{
    (void)state;
    add_many(3);
    m.stored = 2;
    expect_waiting(1, 3);
    m.stored = 3;
    expect_waiting(0, 0);
    assert_int_equal(m.count, 3);
    m.stored = 0; /* a store that was begun anew */
    expect_waiting(3, 1);
}

/* What waits is a copy: its memory may make room while the scribe writes. */
static void what_waits_stays_while_others_come(void **state)
{
    struct arena a = {};
    size_t n;

    (void)state;
    add(SPAN("ann"), SPAN("first"));
    struct kept_deed *list = deed_memory_waiting(&m, &a, &n);
    add_many(2 * DEEDS_REMEMBERED);
    assert_int_equal(n, 1);
    assert_span(list[0].text[DEED_TEXT_WHY], "first");
    arena_free(&a);
}

static void who_makes_room_before_it_was_stored_is_counted(void **state)
{
    (void)state;
    add_many(DEEDS_REMEMBERED);
    assert_int_equal(m.lost, 0);
    m.stored = 10;
    add_many(10);
    assert_int_equal(m.lost, 0);
    assert_int_equal(m.count, DEEDS_REMEMBERED);
    expect_waiting(DEEDS_REMEMBERED, 11);
    add_many(3);
    assert_int_equal(m.lost, 3);
    expect_waiting(DEEDS_REMEMBERED, 14);
    assert_int_equal(deed_memory_newest(&m, DEEDS_REMEMBERED - 1)->number, 14);
    assert_int_equal(deed_memory_newest(&m, 0)->number, DEEDS_REMEMBERED + 13);
}

static void numbers_go_on_after_a_restart(void **state)
{
    const struct kept_deed list[] = { { .number = 9, .text[DEED_TEXT_WHO] = SPAN("bob") },
                                      { .number = 7 },
                                      { .number = 3, .text[DEED_TEXT_WHO] = SPAN("ann") } };

    (void)state;
    deed_memory_recall(&m, list, 3);
    expect_waiting(0, 0);
    add(SPAN("cid"), SPAN(""));
    assert_int_equal(deed_memory_newest(&m, 0)->number, 10);
    assert_int_equal(deed_memory_newest(&m, 1)->number, 9);
    assert_span(deed_memory_newest(&m, 1)->text[DEED_TEXT_WHO], "bob");
    assert_int_equal(deed_memory_newest(&m, 3)->number, 3);
    assert_span(deed_memory_newest(&m, 3)->text[DEED_TEXT_WHO], "ann");
    expect_waiting(1, 10);
}

static void an_empty_store_is_begun_with_one(void **state)
{
    (void)state;
    deed_memory_recall(&m, NULL, 0);
    add_many(1);
    assert_int_equal(deed_memory_newest(&m, 0)->number, 1);
}

static void long_texts_are_cut_between_code_points(void **state)
{
    char text[DEED_TEXT_MAX + 100];

    (void)state;
    memset(text, 'x', sizeof(text));
    add(span_of(text, DEED_TEXT_MAX), span_of(text, DEED_TEXT_MAX + 1));
    struct span whole = deed_memory_newest(&m, 0)->text[DEED_TEXT_WHO];
    struct span cut = deed_memory_newest(&m, 0)->text[DEED_TEXT_WHY];
    assert_int_equal(whole.n, DEED_TEXT_MAX);
    assert_true(whole.p[DEED_TEXT_MAX - 1] == 'x');
    assert_int_equal(cut.n, DEED_TEXT_MAX);
    assert_memory_equal(cut.p + DEED_TEXT_MAX - 4, "x...", 4);

    for (size_t i = 0; i + 4 <= sizeof(text); i += 4)
        memcpy(text + i, "\xf0\x9f\xa6\x8a", 4);
    add(SPAN(""), span_of(text, sizeof(text)));
    cut = deed_memory_newest(&m, 0)->text[DEED_TEXT_WHY];
    assert_int_equal(cut.n, DEED_TEXT_MAX - 4 + 3);
    assert_memory_equal(cut.p + cut.n - 7, "\xf0\x9f\xa6\x8a...", 7);

    memset(text, 0x80, sizeof(text)); /* no UTF-8 at all */
    add(SPAN(""), span_of(text, sizeof(text)));
    assert_span(deed_memory_newest(&m, 0)->text[DEED_TEXT_WHY], "...");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_gets_the_next_number, begin, end),
        cmocka_unit_test_setup_teardown(what_is_stored_waits_no_more, begin, end),
        cmocka_unit_test_setup_teardown(what_waits_stays_while_others_come, begin, end),
        cmocka_unit_test_setup_teardown(who_makes_room_before_it_was_stored_is_counted, begin, end),
        cmocka_unit_test_setup_teardown(numbers_go_on_after_a_restart, begin, end),
        cmocka_unit_test_setup_teardown(an_empty_store_is_begun_with_one, begin, end),
        cmocka_unit_test_setup_teardown(long_texts_are_cut_between_code_points, begin, end),
    };

    return RUN(tests);
}
