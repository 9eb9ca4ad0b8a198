/* SPDX-License-Identifier: Apache-2.0 */
/* test_kept_dimensions.c - what processes counted by dimension comes back, newest first; what is old, or too much, is forgotten. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "base/str.h"
#include "scratch.h"
#include "store/db.h"
#include "store/kept_dimensions.h"

static struct kept_dimensions row(uint64_t process, const char *journey, uint64_t definition,
                                  int64_t until, const char *said)
{
    return (struct kept_dimensions){ process, span_from_text(journey), definition, until,
                                     span_from_text(said) };
}

static void expect(struct store *s, int64_t since, const char *wanted)
{
    struct arena a = {};
    struct kept_dimensions *list;
    struct str text = str_growing();
    size_t n;

    must(kept_dimensions_load(s, since, &a, &list, &n));
    for (size_t i = 0; i < n; i++)
        str_print(&text, "%lx/%.*s/%lx@%ld=%.*s ", (unsigned long)list[i].process,
                  SPAN_ARG(list[i].journey), (unsigned long)list[i].definition, (long)list[i].until,
                  SPAN_ARG(list[i].said));
    assert_string_equal(str_cstr(&text), wanted);
    str_free(&text);
    arena_free(&a);
}

static void each_process_has_a_row(void **state)
{
    const struct kept_dimensions first[] = { row(1, "buy", 0xf000000000000001, 10, "a"),
                                             row(1, "sell", 7, 20, "b") };
    const struct kept_dimensions second[] = { row(2, "buy", 0xf000000000000001, 30, "c"),
                                              row(1, "sell", 7, 25, "") };
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    expect(s, 0, "");
    must(kept_dimensions_put(s, first, 2));
    must(kept_dimensions_put(s, second, 2));
    must(kept_dimensions_put(s, NULL, 0));
    expect(s, 0, "2/buy/f000000000000001@30=c 1/sell/7@25= 1/buy/f000000000000001@10=a ");
    expect(s, 11, "2/buy/f000000000000001@30=c 1/sell/7@25= ");
    must(kept_dimensions_forget(s, 25));
    expect(s, 0, "2/buy/f000000000000001@30=c 1/sell/7@25= ");
    store_close(s);
}

/* A program that starts again and again. */
static void no_more_than_are_read_stay(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct kept_dimensions *list;
    size_t n;

    (void)state;
    for (unsigned i = 0; i < KEPT_DIMENSIONS_MAX + 50; i++) {
        struct kept_dimensions one = row(i, "buy", 1, 100 + i, "x");
        must(kept_dimensions_put(s, &one, 1));
    }
    must(kept_dimensions_forget(s, 0));
    must(kept_dimensions_load(s, 0, &a, &list, &n));
    assert_int_equal(n, KEPT_DIMENSIONS_MAX);
    assert_int_equal(list[0].process, KEPT_DIMENSIONS_MAX + 49);
    assert_int_equal(list[n - 1].process, 50);
    arena_free(&a);
    int64_t rows;
    must(db_read_number(s, "SELECT count(*) FROM kept_dimension", &rows));
    assert_int_equal(rows, KEPT_DIMENSIONS_MAX);
    store_close(s);
}

static void no_more_bytes_than_have_room(void **state)
{
    static char much[8 << 20];
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct kept_dimensions *list;
    size_t n;

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct kept_dimensions one = row(i, "buy", 1, 100 + i, "");
        one.said = span_of(much, sizeof(much));
        must(kept_dimensions_put(s, &one, 1));
    }
    must(kept_dimensions_load(s, 0, &a, &list, &n));
    assert_int_equal(n, 4);
    arena_free(&a);
    must(kept_dimensions_load(s, 0, &a, &list, &n)); /* the statement is whole again */
    assert_int_equal(n, 4);
    arena_free(&a);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_process_has_a_row),
        cmocka_unit_test(no_more_than_are_read_stay),
        cmocka_unit_test(no_more_bytes_than_have_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
