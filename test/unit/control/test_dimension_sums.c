/* SPDX-License-Identifier: Apache-2.0 */
/* test_dimension_sums.c - the same value of two nodes is one; others are not. */
#include "unit.h"

#include "control/dimension_sums.h"

static struct dimension_row row(enum entry_kind kind, const char *service, const char *text,
                                uint64_t good, uint64_t failed)
{
    return (struct dimension_row){ .kind = kind,
                                   .service = span_from_text(service),
                                   .text = span_from_text(text),
                                   .since = 100 - (int64_t)good,
                                   .counts = { [OUTCOME_GOOD] = good, [OUTCOME_FAILED] = failed } };
}

static void the_same_value_of_two_nodes_is_one(void **state)
{
    struct arena memory = {};
    struct dimension_sums s = { .memory = &memory };
    uint64_t whole[DIMENSION_OUTCOMES];
    struct dimension_row rows[] = {
        row(ENTRY_IS_VALUE, "shop", "a:1", 10, 1), row(ENTRY_IS_VALUE, "shop", "a:1", 20, 2),
        row(ENTRY_IS_VALUE, "cart", "a:1", 5, 0),  row(ENTRY_IS_NONE, "", "none", 0, 7),
        row(ENTRY_IS_VALUE, "", "none", 1, 0), /* a release may be called so */
    };

    (void)state;
    rows[0].gone = true;
    for (size_t i = 0; i < COUNT(rows); i++)
        dimension_sums_add(&s, i < 3 ? DIMENSION_INSTANCE : DIMENSION_RELEASE, &rows[i]);
    dimension_sums_sort(&s);
    assert_int_equal(s.count, 4);
    assert_span(s.list[0]->row.service, "shop");
    assert_int_equal(s.list[0]->row.counts[OUTCOME_GOOD], 30);
    assert_int_equal(s.list[0]->row.counts[OUTCOME_FAILED], 3);
    assert_int_equal(s.list[0]->row.since, 80);
    assert_false(s.list[0]->row.gone); /* not everywhere */
    assert_span(s.list[1]->row.service, "cart");
    assert_int_equal(s.list[2]->dimension, DIMENSION_RELEASE);
    assert_int_equal(s.list[2]->row.kind, ENTRY_IS_NONE);
    assert_int_equal(s.list[3]->row.kind, ENTRY_IS_VALUE);
    dimension_sums_whole(&s, DIMENSION_INSTANCE, whole);
    assert_int_equal(whole[OUTCOME_GOOD], 35);
    dimension_sums_whole(&s, DIMENSION_RELEASE, whole);
    assert_int_equal(whole[OUTCOME_FAILED], 7);
    dimension_sums_whole(&s, DIMENSION_TENANT, whole);
    assert_int_equal(whole[OUTCOME_GOOD], 0);
    dimension_sums_free(&s);
    arena_free(&memory);
}

static void many_values_find_room(void **state)
{
    struct arena memory = {};
    struct dimension_sums s = { .memory = &memory };
    char text[16];

    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        snprintf(text, sizeof(text), "v%u", i % 500);
        struct dimension_row r = row(ENTRY_IS_VALUE, "", text, 1, i % 500);
        dimension_sums_add(&s, DIMENSION_TENANT, &r);
    }
    dimension_sums_sort(&s);
    assert_int_equal(s.count, 500);
    assert_span(s.list[0]->row.text, "v499"); /* most bad ones first */
    assert_int_equal(s.list[0]->row.counts[OUTCOME_GOOD], 2);
    dimension_sums_free(&s);
    arena_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_value_of_two_nodes_is_one),
        cmocka_unit_test(many_values_find_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
