/* SPDX-License-Identifier: Apache-2.0 */
/* test_changes.c - changes made at run time: what was said comes back byte by byte, over restarts,
 * replacing and trouble; what has expired is still there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/kept_changes.h"
#include "store/db.h"

#include <signal.h>
#include <sys/resource.h>

static struct stored_change change(int64_t id)
{
    return (struct stored_change){
        .id = id,
        .kind = SPAN("weight"),
        .service = SPAN("shop"),
        .instance = SPAN("10.0.0.1:8080"),
        .value = SPAN("weight=3 zone=a"),
        .who = SPAN("ann"),
        .why = SPAN("a slow disk"),
        .at = NOON,
        .expires = NOON + 3600,
        .file_value = SPAN("weight=1"),
    };
}

static void put(struct store *s, struct stored_change c)
{
    must(changes_put(s, &c));
}

static void expect_same(struct stored_change a, struct stored_change b)
{
    assert_int_equal(a.id, b.id);
    assert_true(span_equal(a.kind, b.kind));
    assert_true(span_equal(a.service, b.service));
    assert_true(span_equal(a.instance, b.instance));
    assert_true(span_equal(a.value, b.value));
    assert_true(span_equal(a.who, b.who));
    assert_true(span_equal(a.why, b.why));
    assert_int_equal(a.at, b.at);
    assert_int_equal(a.expires, b.expires);
    assert_true(span_equal(a.file_value, b.file_value));
}

/* Exactly these are stored, in this order. */
static void expect(struct store *s, const struct stored_change *wanted, size_t count)
{
    struct arena a = {};
    struct stored_change *list;
    size_t n;

    must(changes_load(s, &a, &list, &n));
    assert_int_equal(n, count);
    for (size_t i = 0; i < count; i++)
        expect_same(list[i], wanted[i]);
    arena_free(&a);
}

static size_t changes_stored(struct store *s)
{
    struct arena a = {};
    struct stored_change *list;
    size_t n;

    must(changes_load(s, &a, &list, &n));
    arena_free(&a);
    return n;
}

static void a_new_store_has_no_changes(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    expect(s, NULL, 0);
    must(changes_delete(s, 1));
    expect(s, NULL, 0);
    store_close(s);
}

/* They belong to no epoch, so none must have begun. */
static void changes_survive_the_process_in_order_of_id(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct stored_change all[] = { change(INT64_MIN), change(-1), change(0),
                                   change(2),         change(10), change(INT64_MAX) };
    const int order[] = { 3, 0, 5, 2, 4, 1 };

    for (int i = 0; i < 6; i++)
        put(s, all[order[i]]);
    expect(s, all, 6);
    store_close(s);
    s = open_at(d->path, NULL);
    expect(s, all, 6);
    must(changes_delete(s, 0));
    must(changes_delete(s, 0));
    must(changes_delete(s, 77));
    all[2] = all[3];
    all[3] = all[4];
    all[4] = all[5];
    expect(s, all, 5);
    store_close(s);
    s = open_at(d->path, NULL);
    expect(s, all, 5);
    store_close(s);
}

static void a_change_of_the_same_id_is_replaced_whole(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct stored_change other = {
        .id = 7,
        .kind = SPAN("drain"),
        .service = SPAN("search"),
        .instance = SPAN("unix:/run/search.sock"),
        .at = NOON + 5,
    };

    (void)state;
    put(s, change(7));
    put(s, change(8));
    put(s, other);
    expect(s, (struct stored_change[]){ other, change(8) }, 2);
    put(s, change(7));
    expect(s, (struct stored_change[]){ change(7), change(8) }, 2);
    store_close(s);
}

static void odd_bytes_come_back_as_they_were(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    static char every_byte[256], longer[100000];

    for (int i = 0; i < 256; i++)
        every_byte[i] = (char)i; /* a zero first, and no UTF-8 */
    memset(longer, '\'', sizeof(longer));
    const struct stored_change odd[] = {
        { .id = 1 }, /* empty, with NULL for pointers */
        { .id = 2, .kind = SPAN(""), .who = SPAN(""), .at = INT64_MIN, .expires = INT64_MAX },
        { .id = 3, .who = SPAN("O'Neil \"x\""), .why = SPAN("'; DROP TABLE change; --") },
        { .id = 4, .who = SPAN("Zoë 🦊 \xef\xbb\xbf"), .service = SPAN("日本\n\t") },
        { .id = 5, .why = span_of(every_byte, 256), .value = span_of(every_byte + 255, 1) },
        { .id = 6, .value = SPAN("0042"), .file_value = SPAN("1e3"), .instance = SPAN(" ") },
        { .id = 7, .why = span_of(longer, sizeof(longer)), .kind = SPAN("a\0") },
    };
    for (size_t i = 0; i < 7; i++)
        put(s, odd[i]);
    expect(s, odd, 7);
    store_close(s);
    s = open_at(d->path, NULL);
    expect(s, odd, 7);
    store_close(s);
}

static void what_is_loaded_outlives_the_store(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct stored_change *list;
    size_t n;

    (void)state;
    put(s, change(1));
    must(changes_load(s, &a, &list, &n));
    must(changes_delete(s, 1));
    store_close(s);
    assert_int_equal(n, 1);
    expect_same(list[0], change(1));
    assert_string_equal(list[0].why.p, "a slow disk"); /* a zero behind it, as arenas give */
    arena_free(&a);
}

/* That is for those who know what it means. */
static void what_has_expired_stays_until_it_is_deleted(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct stored_change c = change(1);

    (void)state;
    begin(s, NOON);
    c.expires = NOON - 400 * DAY_S;
    put(s, c);
    for (bool more = true; more;)
        must(retention_step(s, NOON + 999 * DAY_S, &more));
    expect(s, &c, 1);
    store_close(s);
}

static void there_are_never_more_than_can_be_loaded(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct stored_change c = change(1), *list = &c;
    size_t n = 4711;

    (void)state;
    must(db_run(s,
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) "
                "INSERT INTO change SELECT i, '', '', '', '', '', '', 0, 0, '' FROM n",
                "test"));
    assert_int_equal(changes_stored(s), CHANGES_MAX);
    c.id = CHANGES_MAX + 1;
    err e = changes_put(s, &c);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), STORE_OTHER);
    assert_non_null(strstr(e.text, "more than 10000 changes"));
    assert_int_equal(changes_stored(s), CHANGES_MAX);
    assert_int_equal(store_trouble(s), STORE_NONE);
    put(s, change(5)); /* replacing needs no room */
    must(changes_delete(s, 1));
    put(s, c);

    must(db_run(s, "INSERT INTO change SELECT 0, '', '', '', '', '', '', 0, 0, ''", "test"));
    e = changes_load(s, &a, &list, &n);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), STORE_OTHER);
    assert_non_null(strstr(e.text, "more than 10000 changes"));
    assert_true(list == &c && n == 4711);
    must(changes_delete(s, 0)); /* the way out */
    assert_int_equal(changes_stored(s), CHANGES_MAX);
    arena_free(&a);
    store_close(s);
}

/* Neither adding nor replacing works; what was stored is as it was. */
static void expect_refused(struct store *s, enum store_trouble trouble, const char *part)
{
    static char large[64 * 1024];
    struct stored_change add = change(2), replace = change(1);

    add.why = replace.why = span_of(large, sizeof(large));
    err e = changes_put(s, &add);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), trouble);
    if (!strstr(e.text, part))
        fail_msg("'%s' does not say '%s'", e.text, part);
    assert_true(changes_put(s, &replace).failed);
    assert_int_equal(store_trouble(s), trouble);
    struct stored_change before = change(1);
    expect(s, &before, 1);
    assert_int_equal(store_trouble(s), STORE_NONE);
}

static void expect_works_again(struct store *s)
{
    put(s, change(2));
    must(changes_delete(s, 1));
    struct stored_change after = change(2);
    expect(s, &after, 1);
}

static void a_store_at_its_bound_says_full_and_keeps_its_changes(void **state)
{
    struct scratch_folder *d = *state;
    struct store_options o = { .path = d->path, .now = NOON, .pages_max = 25 };
    struct store_opened opened;
    struct store *s;

    must(store_open(&o, &s, &opened));
    put(s, change(1));
    expect_refused(s, STORE_FULL, "full");
    expect_works_again(s);
    store_close(s);
}

/* The kernel refuses to let files grow, as a full disk does; then there is space again. */
static void a_full_disk_keeps_the_changes(void **state)
{
    struct scratch_folder *d = *state;
    struct rlimit before, limit;
    struct stat log;
    char path[300];

    struct store *s = open_at(d->path, NULL);
    put(s, change(1));
    snprintf(path, sizeof(path), "%s-wal", d->path);
    assert_int_equal(stat(path, &log), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)log.st_size;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_refused(s, STORE_FULL, "File too large");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    expect_works_again(s);
    store_close(s);
    s = open_at(d->path, NULL);
    assert_int_equal(changes_stored(s), 1);
    store_close(s);
}

static void a_store_that_may_only_be_read_says_denied(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);

    put(s, change(1));
    must(db_run(s, "PRAGMA query_only = 1", "test"));
    expect_refused(s, STORE_DENIED, "readonly");
    assert_true(changes_delete(s, 1).failed);
    assert_int_equal(store_trouble(s), STORE_DENIED);
    assert_int_equal(changes_stored(s), 1);
    must(db_run(s, "PRAGMA query_only = 0", "test"));
    expect_works_again(s);
    store_close(s);
}

static void a_file_that_another_writes_to_is_busy(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    sqlite3 *other;

    sqlite3_busy_timeout(s->db, 10);
    put(s, change(1));
    assert_int_equal(sqlite3_open(d->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    expect_refused(s, STORE_BUSY, "locked");
    assert_true(changes_delete(s, 1).failed);
    assert_int_equal(store_trouble(s), STORE_BUSY);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    expect_works_again(s);
    store_close(s);
}

static void changes_that_cannot_be_read_leave_the_outputs_alone(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct stored_change c = change(1), *list = &c;
    size_t n = 4711;

    (void)state;
    put(s, c);
    must(db_run(s, "ALTER TABLE change RENAME TO elsewhere", "test"));
    err e = changes_load(s, &a, &list, &n);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), STORE_OTHER);
    assert_non_null(strstr(e.text, "cannot count changes"));
    assert_true(list == &c && n == 4711);
    must(db_run(s, "ALTER TABLE elsewhere RENAME TO change", "test"));
    expect(s, &c, 1);
    arena_free(&a);
    store_close(s);
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_has_no_changes),
        in_scratch(changes_survive_the_process_in_order_of_id),
        cmocka_unit_test(a_change_of_the_same_id_is_replaced_whole),
        in_scratch(odd_bytes_come_back_as_they_were),
        cmocka_unit_test(what_is_loaded_outlives_the_store),
        cmocka_unit_test(what_has_expired_stays_until_it_is_deleted),
        cmocka_unit_test(there_are_never_more_than_can_be_loaded),
        in_scratch(a_store_at_its_bound_says_full_and_keeps_its_changes),
        in_scratch(a_full_disk_keeps_the_changes),
        in_scratch(a_store_that_may_only_be_read_says_denied),
        in_scratch(a_file_that_another_writes_to_is_busy),
        cmocka_unit_test(changes_that_cannot_be_read_leave_the_outputs_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
