/* SPDX-License-Identifier: Apache-2.0 */
/* test_kept_deeds.c - what was done comes back newest first and byte by byte, page by page; what is written twice is there once; the
 * oldest go by count and by age; a store in trouble takes all of a batch or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"
#include "scratch.h"
#include "store/db.h"
#include "store/kept_deeds.h"

static struct kept_deed deed(int64_t number)
{
    struct kept_deed d = {
        .number = number, .at = NOON + number, .id = 7, .expires = NOON + 3600, .serial = 3
    };

    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        d.text[i] = span_from_text(deed_text_column((enum deed_text)i));
    return d;
}

static void put(struct store *s, struct kept_deed d)
{
    must(kept_deeds_put(s, &d, 1));
}

static void expect_same(const struct kept_deed *a, const struct kept_deed *b)
{
    assert_int_equal(a->number, b->number);
    assert_int_equal(a->at, b->at);
    assert_int_equal(a->id, b->id);
    assert_int_equal(a->expires, b->expires);
    assert_int_equal(a->serial, b->serial);
    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        assert_true(span_equal(a->text[i], b->text[i]));
}

/* Their numbers, newest first. */
static void expect(struct store *s, int64_t before, size_t most, const char *wanted)
{
    struct str text = str_growing();
    struct arena a = {};
    struct kept_deed *list;
    size_t n;

    must(kept_deeds_load(s, before, most, &a, &list, &n));
    for (size_t i = 0; i < n; i++)
        str_print(&text, "%ld ", (long)list[i].number);
    assert_string_equal(str_cstr(&text), wanted);
    str_free(&text);
    arena_free(&a);
}

static void the_newest_come_first_page_by_page(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    const struct kept_deed batch[] = { deed(2), deed(3), deed(5) };

    expect(s, INT64_MAX, 10, "");
    put(s, deed(1));
    must(kept_deeds_put(s, batch, 3));
    expect(s, INT64_MAX, 10, "5 3 2 1 ");
    expect(s, INT64_MAX, 2, "5 3 ");
    expect(s, 3, 2, "2 1 ");
    expect(s, 1, 2, "");
    store_close(s);
    s = open_at(d->path, NULL);
    expect(s, INT64_MAX, 10, "5 3 2 1 ");
    store_close(s);
}

static void all_of_it_comes_back_as_it_was(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    static char every_byte[256];
    struct kept_deed odd = { .number = 2, .at = INT64_MIN };
    struct kept_deed first = deed(1);
    struct arena a = {};
    struct kept_deed *list;
    size_t n;

    for (int i = 0; i < 256; i++)
        every_byte[i] = (char)i; /* a zero first, and no UTF-8 */
    odd.text[DEED_TEXT_WHY] = span_of(every_byte, 256);
    odd.text[DEED_TEXT_WHO] = SPAN("'; DROP TABLE deed; --");
    put(s, first);
    put(s, odd);
    store_close(s);
    s = open_at(d->path, NULL);
    must(kept_deeds_load(s, INT64_MAX, 10, &a, &list, &n));
    store_close(s); /* it outlives the store */
    assert_int_equal(n, 2);
    expect_same(&list[0], &odd);
    expect_same(&list[1], &first);
    arena_free(&a);
}

/* A batch of which it is not known whether it was written is written again. */
static void what_is_written_twice_is_there_once(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct kept_deed changed = deed(1);
    const struct kept_deed again[] = { deed(1), deed(2), changed };
    struct kept_deed first = deed(1);
    struct arena a = {};
    struct kept_deed *list;
    size_t n;

    (void)state;
    put(s, first);
    changed.at = 4711;
    must(kept_deeds_put(s, again, 3));
    must(kept_deeds_load(s, INT64_MAX, 10, &a, &list, &n));
    assert_int_equal(n, 2);
    expect_same(&list[1], &first);
    arena_free(&a);
    store_close(s);
}

static int64_t rows(struct store *s)
{
    int64_t n = 0;

    must(db_read_number(s, "SELECT count(*) FROM deed", &n));
    return n;
}

/* By people who forget to sleep, or by an older file. */
static void fill(struct store *s, int count)
{
    char sql[400];

    snprintf(
        sql, sizeof(sql),
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO "
        "deed SELECT i, %d + i, 0, 0, 0, '', '', '', '', '', '', '', '', '', '', '' FROM n",
        count, NOON);
    must(db_run(s, sql, "test"));
}

static void there_are_never_more_than_the_bound(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    fill(s, KEPT_DEEDS_MAX);
    put(s, deed(KEPT_DEEDS_MAX + 1));
    assert_int_equal(rows(s), KEPT_DEEDS_MAX);
    expect(s, 3, 10, "2 ");
    put(s, deed(KEPT_DEEDS_MAX + 100)); /* numbers of some that were lost */
    expect(s, 102, 10, "101 ");
    store_close(s);
}

static void the_old_go_but_not_the_last_number(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    int64_t keep = KEEP_DEEDS_DAYS * DAY_S;
    bool more = true;

    (void)state;
    begin(s, NOON);
    fill(s, 5000);
    while (more)
        must(retention_step(s, NOON + 4001 + keep, &more));
    assert_int_equal(rows(s), 1000);
    expect(s, 4003, 10, "4002 4001 ");
    more = true;
    while (more)
        must(retention_step(s, NOON + 9999 + keep, &more));
    expect(s, INT64_MAX, 10, "5000 ");
    store_close(s);
}

static void expect_refused(struct store *s, enum store_trouble trouble)
{
    static char large[64 * 1024];
    struct kept_deed batch[] = { deed(2), deed(3) };

    batch[1].text[DEED_TEXT_ERROR] = span_of(large, sizeof(large));
    assert_true(kept_deeds_put(s, batch, 2).failed);
    assert_int_equal(store_trouble(s), trouble);
    expect(s, INT64_MAX, 10, "1 "); /* nor the first of them */
}

static void a_store_at_its_bound_takes_nothing_of_a_batch(void **state)
{
    struct scratch_folder *d = *state;
    struct store_options o = { .path = d->path, .now = NOON, .pages_max = 30 };
    struct store_opened opened;
    struct store *s;

    must(store_open(&o, &s, &opened));
    put(s, deed(1));
    expect_refused(s, STORE_FULL);
    put(s, deed(2));
    expect(s, INT64_MAX, 10, "2 1 ");
    store_close(s);
}

/* Reading never waits for a writer. */
static void a_file_that_another_writes_to_is_busy_and_is_read(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    sqlite3 *other;

    sqlite3_busy_timeout(s->db, 10);
    put(s, deed(1));
    assert_int_equal(sqlite3_open(d->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    expect_refused(s, STORE_BUSY);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    put(s, deed(2));
    expect(s, INT64_MAX, 10, "2 1 ");
    store_close(s);
}

static void a_store_without_the_table_says_so(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct kept_deed d = deed(1), *list = &d;
    size_t n = 4711;

    (void)state;
    must(db_run(s, "ALTER TABLE deed RENAME TO elsewhere", "test"));
    err e = kept_deeds_load(s, INT64_MAX, 10, &a, &list, &n);
    assert_true(e.failed);
    assert_non_null(strstr(e.text, "cannot read what was done"));
    assert_true(list == &d && n == 4711);
    assert_true(kept_deeds_put(s, &d, 1).failed);
    assert_int_equal(store_trouble(s), STORE_OTHER);
    must(db_run(s, "ALTER TABLE elsewhere RENAME TO deed", "test"));
    put(s, d);
    expect(s, INT64_MAX, 10, "1 ");
    arena_free(&a);
    store_close(s);
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_scratch(the_newest_come_first_page_by_page),
        in_scratch(all_of_it_comes_back_as_it_was),
        cmocka_unit_test(what_is_written_twice_is_there_once),
        cmocka_unit_test(there_are_never_more_than_the_bound),
        cmocka_unit_test(the_old_go_but_not_the_last_number),
        in_scratch(a_store_at_its_bound_takes_nothing_of_a_batch),
        in_scratch(a_file_that_another_writes_to_is_busy_and_is_read),
        cmocka_unit_test(a_store_without_the_table_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
