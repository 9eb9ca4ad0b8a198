/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c - opening: new, again, damaged, foreign, newer, not to be had; the tables' steps. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/db.h"

#include <sys/wait.h>

enum { JOURNEYS = 50, MINUTES = 60 };

/* A store of some hundred pages; closed. */
static void make_store(const char *path)
{
    struct sample samples[MINUTES];
    struct store *s = open_at(path, NULL);
    char name[32];

    begin(s, NOON);
    for (int j = 0; j < JOURNEYS; j++) {
        snprintf(name, sizeof(name), "journey-%d", j);
        uint32_t version = version_of(s, name, 1);
        for (int m = 0; m < MINUTES; m++) {
            samples[m] = (struct sample){ .version = version, .keep = true, .at = NOON + 60 * m };
            for (int i = 0; i < SERIES_MAX; i++)
                samples[m].counts[i] = UINT64_C(1000000000000) + (uint64_t)m;
        }
        must(samples_write(s,
                           &(struct sample_batch){ .samples = samples, .sample_count = MINUTES }));
    }
    store_close(s);
}

static err try_open(const char *path, struct store_opened *ret_opened, struct store **ret_store)
{
    struct store_options o = { .path = path, .now = NOON };

    return store_open(&o, ret_store, ret_opened);
}

static void refuse(const char *path, const char *part)
{
    struct store_opened opened;
    struct store *s = NULL;
    err e = try_open(path, &opened, &s);

    assert_true(e.failed);
    assert_null(s);
    if (!strstr(e.text, part))
        fail_msg("'%s' does not say '%s'", e.text, part);
}

static void overwrite(const char *path, long at, const char *with, size_t n)
{
    FILE *f = fopen(path, "r+");

    assert_non_null(f);
    assert_int_equal(fseek(f, at, SEEK_SET), 0);
    assert_int_equal(fwrite(with, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_file(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static uint64_t file_hash(const char *path)
{
    static char bytes[4 << 20];
    FILE *f = fopen(path, "r");

    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    assert_true(n > 0 && n < sizeof(bytes));
    return span_hash(span_of(bytes, n), 0);
}

static void a_new_store_is_created_and_found_again(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;
    struct store *s = open_at(d->path, &opened);
    char uid[17];

    assert_true(opened.created);
    assert_false(opened.moved_aside);
    assert_string_equal(opened.note, "");
    assert_int_equal(strlen(store_node(s)), 16);
    snprintf(uid, sizeof(uid), "%s", store_node(s));
    store_close(s);

    s = open_at(d->path, &opened);
    assert_false(opened.created);
    assert_string_equal(store_node(s), uid);
    store_close(s);
}

static void a_store_may_live_in_memory(void **state)
{
    struct store_opened opened;

    (void)state;
    struct store *a = open_at(":memory:", &opened), *b = open_at(":memory:", NULL);
    assert_true(opened.created);
    begin(a, NOON);
    begin(b, NOON);
    uint32_t version = version_of(a, "checkout", 1);
    write_one(a, (struct sample){ .version = version, .at = NOON, .counts = { 5 } });
    assert_int_equal(total_good(a, version), 5);
    assert_int_equal(total_good(b, version), 0);
    assert_string_not_equal(store_node(a), store_node(b));
    assert_int_not_equal(access(":memory:", F_OK), 0);
    store_close(a);
    store_close(b);
    store_close(NULL);
}

static void an_empty_file_is_as_good_as_none(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;

    write_file(d->path, "");
    store_close(open_at(d->path, &opened));
    assert_true(opened.created);
    assert_false(opened.moved_aside);
}

/* Opens a damaged file: a new one must begin, and the old one lie beside it byte by byte. */
static void expect_moved_aside(const char *path)
{
    struct store_opened opened;
    char aside[400];

    snprintf(aside, sizeof(aside), "%s.corrupt-20231115T120000Z", path);
    uint64_t before = file_hash(path);
    struct store *s = open_at(path, &opened);
    assert_true(opened.created);
    assert_true(opened.moved_aside);
    assert_non_null(strstr(opened.note, aside));
    assert_true(file_hash(aside) == before);
    begin(s, NOON);
    assert_int_equal(total_good(s, version_of(s, "journey-1", 1)), 0);
    store_close(s);

    store_close(open_at(path, &opened));
    assert_false(opened.created || opened.moved_aside);
}

static void a_file_that_is_no_database_is_moved_aside(void **state)
{
    struct scratch_folder *d = *state;

    write_file(d->path, "never a database, but long enough to be taken for one, or not");
    expect_moved_aside(d->path);
}

static void a_damaged_page_is_found_and_the_file_moved_aside(void **state)
{
    struct scratch_folder *d = *state;
    char garbage[3 * 4096];

    make_store(d->path);
    memset(garbage, 0x5a, sizeof(garbage));
    overwrite(d->path, 20 * 4096, garbage, sizeof(garbage));
    expect_moved_aside(d->path);
}

static void a_damaged_header_is_found_and_the_file_moved_aside(void **state)
{
    struct scratch_folder *d = *state;

    make_store(d->path);
    overwrite(d->path, 0, "SQLite formless!", 16);
    expect_moved_aside(d->path);
}

static void a_file_cut_short_is_moved_aside(void **state)
{
    struct scratch_folder *d = *state;

    make_store(d->path);
    assert_int_equal(truncate(d->path, 30 * 4096 + 17), 0);
    expect_moved_aside(d->path);
}

static void a_second_damaged_file_does_not_replace_the_first(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;
    char aside[400];

    for (int i = 1; i <= 3; i++) {
        write_file(d->path, "no database at all, but long enough for a header to be read");
        store_close(open_at(d->path, &opened));
        assert_true(opened.moved_aside);
    }
    snprintf(aside, sizeof(aside), "%s.corrupt-20231115T120000Z-3", d->path);
    assert_int_equal(access(aside, F_OK), 0);
}

/* A process that ends without closing leaves its log behind. */
static void leave_a_log(const char *path, int writes)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        struct store *s = open_at(path, NULL);
        begin(s, NOON + 86400); /* behind all that is there */
        uint32_t version = version_of(s, "journey-1", 1);
        for (int i = 1; i <= writes; i++)
            write_one(s, (struct sample){ .version = version,
                                          .at = NOON + 86400 + i,
                                          .counts = { (uint64_t)i } });
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_log_that_was_left_is_read(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;

    leave_a_log(d->path, 7);
    struct store *s = open_at(d->path, &opened);
    assert_false(opened.created);
    begin(s, NOON);
    assert_int_equal(total_good(s, version_of(s, "journey-1", 1)), 7);
    store_close(s);
}

static void a_torn_end_of_the_log_costs_only_the_last_write(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;
    char log[400];
    struct stat st;

    leave_a_log(d->path, 7);
    snprintf(log, sizeof(log), "%s-wal", d->path);
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(truncate(log, st.st_size - 100), 0);
    struct store *s = open_at(d->path, &opened);
    assert_false(opened.created || opened.moved_aside);
    begin(s, NOON);
    assert_int_equal(total_good(s, version_of(s, "journey-1", 1)), 6);
    store_close(s);
}

static void the_log_of_a_damaged_file_goes_along(void **state)
{
    struct scratch_folder *d = *state;
    char log[400], aside_log[400], garbage[3 * 4096];

    make_store(d->path);
    leave_a_log(d->path, 7);
    snprintf(log, sizeof(log), "%s-wal", d->path);
    snprintf(aside_log, sizeof(aside_log), "%s.corrupt-20231115T120000Z-wal", d->path);
    uint64_t before = file_hash(log);
    memset(garbage, 0x5a, sizeof(garbage));
    overwrite(d->path, 20 * 4096, garbage, sizeof(garbage)); /* the header is in the log as well */
    expect_moved_aside(d->path);
    assert_true(file_hash(aside_log) == before);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_file_of_another_program_is_left_alone(void **state)
{
    struct scratch_folder *d = *state;

    run_sql(d->path, "CREATE TABLE orders(id INTEGER); INSERT INTO orders VALUES(1);");
    uint64_t before = file_hash(d->path);
    refuse(d->path, "another program");
    assert_true(file_hash(d->path) == before);
}

static void a_store_of_a_newer_evenkeel_is_left_alone(void **state)
{
    struct scratch_folder *d = *state;

    make_store(d->path);
    run_sql(d->path, "PRAGMA user_version = 999");
    uint64_t before = file_hash(d->path);
    refuse(d->path, "newer evenkeel");
    assert_true(file_hash(d->path) == before);
}

static void what_cannot_be_opened_says_why(void **state)
{
    struct scratch_folder *d = *state;
    char path[400];

    snprintf(path, sizeof(path), "%s/nowhere/evenkeel.db", d->folder);
    refuse(path, "No such file or directory");
    refuse(path, "nowhere/evenkeel.db");
    refuse(d->folder, "cannot be opened");
}

static void a_file_too_large_to_check_says_so(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;

    make_store(d->path);
    /* a hole: takes no space */
    assert_int_equal(truncate(d->path, STORE_CHECK_BYTES_MAX + 4096), 0);
    struct store *s = open_at(d->path, &opened);
    assert_true(opened.unchecked);
    assert_non_null(strstr(opened.note, "512 MiB"));
    begin(s, NOON);
    assert_true(total_good(s, version_of(s, "journey-1", 1)) > 0);
    store_close(s);
}

static int64_t number(struct store *s, const char *sql)
{
    int64_t n = -1;

    must(db_read_number(s, sql, &n));
    return n;
}

static void steps_of_the_schema_are_applied_once_and_whole(void **state)
{
    const char *first[] = { "CREATE TABLE a(x); INSERT INTO a VALUES(1);" };
    const char *broken[] = { first[0], "CREATE TABLE b(x);", "CREATE TABLE c(x); no such words;" };
    const char *mended[] = { first[0], broken[1], "CREATE TABLE c(x); INSERT INTO c VALUES(1);" };
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    must(db_run(s, "PRAGMA user_version = 0", "test"));
    must(schema_apply(s, first, 1));
    assert_int_equal(number(s, "PRAGMA user_version"), 1);
    assert_true(schema_apply(s, broken, 3).failed);
    assert_int_equal(number(s, "PRAGMA user_version"), 2);
    assert_int_equal(number(s, "SELECT count(*) FROM sqlite_master WHERE name = 'c'"), 0);
    must(schema_apply(s, mended, 3));
    must(schema_apply(s, mended, 3));
    assert_int_equal(number(s, "PRAGMA user_version"), 3);
    assert_int_equal(number(s, "SELECT count(*) FROM a"), 1);
    assert_int_equal(number(s, "SELECT count(*) FROM c"), 1);
    store_close(s);
}

/* What schema 1 left behind: a node, an epoch, a journey, its counters; no later tables. */
static void make_store_of_schema_1(struct scratch_folder *d)
{
    struct store old = { .path = d->path };
    struct store *new = open_at(":memory:", NULL);
    char sql[100];

    snprintf(sql, sizeof(sql), "PRAGMA application_id = %lld",
             (long long)number(new, "PRAGMA application_id"));
    store_close(new);
    assert_int_equal(sqlite3_open(d->path, &old.db), SQLITE_OK);
    must(db_run(&old, sql, "test"));
    must(schema_migrate_to(&old, 1));
    assert_int_equal(number(&old, "PRAGMA user_version"), 1);
    assert_int_equal(number(&old, "SELECT count(*) FROM sqlite_master WHERE name = 'change'"), 0);
    assert_int_equal(sqlite3_close(old.db), SQLITE_OK);
    run_sql(d->path, "INSERT INTO node VALUES(1, '0123456789abcdef', 1700000000);"
                     "INSERT INTO epoch VALUES(1, 1, 1700000000, 'old');"
                     "INSERT INTO journey VALUES(1, 'checkout');"
                     "INSERT INTO version VALUES(1, 1, 1, 11, 1700000000);"
                     "INSERT INTO total VALUES(1, 1, 1700000060, 1, x'05');");
}

static void a_store_of_schema_1_gets_the_later_tables_and_keeps_its_counts(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;

    make_store_of_schema_1(d);
    for (int i = 0; i < 2; i++) {
        struct store *s = open_at(d->path, &opened);
        assert_false(opened.created || opened.moved_aside);
        assert_int_equal(number(s, "PRAGMA user_version"), schema_newest());
        assert_string_equal(store_node(s), "0123456789abcdef");
        assert_int_equal(begin(s, NOON), 2 + i);
        assert_int_equal(version_of(s, "checkout", 11), 1);
        assert_int_equal(total_good(s, 1), 5);
        assert_int_equal(number(s, "SELECT count(*) FROM change"), 0);
        assert_int_equal(number(s, "SELECT count(*) FROM instance_state"), 0);
        store_close(s);
    }
}

/* What an older program wrote says nothing of its basis; once the same journey is met it does, and goes on from there. */
static void a_version_of_schema_1_is_rebuilt_once_it_is_known(void **state)
{
    struct scratch_folder *d = *state;
    struct journey_meaning meaning = {
        .name = SPAN("checkout"), .definition = 12, .basis = 5, .objectives = 1, .under = { 0 }
    };
    struct journey_version v;
    struct sample total;

    make_store_of_schema_1(d);
    struct store *s = open_at(d->path, NULL);
    begin(s, NOON);
    must(journey_version(s, &meaning, NULL, NOON,
                         &v)); /* nothing says that version 1 counts the same */
    assert_true(v.created && !v.rebuilt && !v.missed && v.number == 2);
    meaning.definition = 11;
    meaning.objectives = 0;
    must(journey_version(s, &meaning, NULL, NOON + 1, &v));
    assert_true(!v.created && !v.rebuilt && v.id == 1);
    must(samples_write(s, &(struct sample_batch){ .leads = (uint32_t[]){ 1 }, .lead_count = 1 }));
    meaning.definition = 12;
    meaning.objectives = 1;
    must(journey_version(s, &meaning, NULL, NOON + 2, &v));
    assert_true(!v.created && v.rebuilt && v.number == 2);
    must(samples_total(s, v.id, &total));
    assert_int_equal(total.counts[SERIES_GOOD], 5);
    assert_int_equal(total.counts[series_good(0)], 5);
    store_close(s);
}

static void every_trouble_has_a_word(void **state)
{
    (void)state;
    for (int t = 0; t < STORE_TROUBLES_COUNT; t++)
        assert_true(store_trouble_word((enum store_trouble)t)[0] != '\0');
    assert_string_equal(store_trouble_word(STORE_FULL), "full");
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_scratch(a_new_store_is_created_and_found_again),
        cmocka_unit_test(a_store_may_live_in_memory),
        in_scratch(an_empty_file_is_as_good_as_none),
        in_scratch(a_file_that_is_no_database_is_moved_aside),
        in_scratch(a_damaged_page_is_found_and_the_file_moved_aside),
        in_scratch(a_damaged_header_is_found_and_the_file_moved_aside),
        in_scratch(a_file_cut_short_is_moved_aside),
        in_scratch(a_second_damaged_file_does_not_replace_the_first),
        in_scratch(a_log_that_was_left_is_read),
        in_scratch(a_torn_end_of_the_log_costs_only_the_last_write),
        in_scratch(the_log_of_a_damaged_file_goes_along),
        in_scratch(the_file_of_another_program_is_left_alone),
        in_scratch(a_store_of_a_newer_evenkeel_is_left_alone),
        in_scratch(what_cannot_be_opened_says_why),
        in_scratch(a_file_too_large_to_check_says_so),
        cmocka_unit_test(steps_of_the_schema_are_applied_once_and_whole),
        in_scratch(a_store_of_schema_1_gets_the_later_tables_and_keeps_its_counts),
        in_scratch(a_version_of_schema_1_is_rebuilt_once_it_is_known),
        cmocka_unit_test(every_trouble_has_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
