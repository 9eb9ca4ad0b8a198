/* SPDX-License-Identifier: Apache-2.0 */
/* test_inspect.c - a file is looked at: whole, with a log, of an older program; damaged, newer, in use, or no store at all. It
 * is never changed, and nothing is left beside it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/pack.h"
#include "scratch.h"
#include "store/db.h"
#include "store/inspect.h"

#include <signal.h>
#include <sys/wait.h>

static void fill(struct store *s)
{
    static uint64_t bins[HISTOGRAM_BINS];
    char bytes[PACK_HISTOGRAM_MAX];
    struct str packed = str_fixed(bytes, sizeof(bytes));
    struct journey_version one, other;

    begin(s, NOON);
    must(enter_journey(s, SPAN("browse"), 1, NOON, &one));
    must(enter_journey(s, SPAN("checkout"), 2, NOON, &other));
    bins[700] = 7;
    pack_histogram(&packed, bins, NULL);
    struct histogram_sample h = { .version = one.bins, .at = NOON, .bins = str_span(&packed) };
    for (int64_t m = 1; m <= 90; m++) {
        struct sample samples[] = {
            { .version = one.id,
              .keep = true,
              .at = NOON + 60 * m,
              .counts = { 10 * (uint64_t)m, 3 } },
            { .version = other.id,
              .keep = m % 7 == 0,
              .at = NOON + 60 * m,
              .counts = { (uint64_t)m, 0, 2, 1 } },
            { .version = NODE_VERSION,
              .keep = true,
              .at = NOON + 60 * m,
              .counts = { 60000 * (uint64_t)m } },
        };
        must(samples_write(s, &(struct sample_batch){ .samples = samples,
                                                      .sample_count = 3,
                                                      .histograms = &h,
                                                      .histogram_count = m == 1,
                                                      .leads = (uint32_t[]){ one.id, other.id },
                                                      .lead_count = m == 1 ? 2 : 0,
                                                      .ends = m == 90,
                                                      .now = NOON + 60 * m }));
    }
}

static void make_store(const char *path)
{
    struct store *s = open_at(path, NULL);

    fill(s);
    store_close(s);
}

static uint64_t folder_hash(const struct scratch_folder *d)
{
    static char bytes[8 << 20];
    DIR *dir = opendir(d->folder);
    uint64_t sum = 0;
    char path[600];

    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        snprintf(path, sizeof(path), "%s/%s", d->folder, e->d_name);
        FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!f)
            continue;
        size_t n = fread(bytes, 1, sizeof(bytes), f);
        fclose(f);
        sum += span_hash(span_of(bytes, n), span_hash(span_from_text(e->d_name), 0));
    }
    closedir(dir);
    return sum;
}

/* `part`: of a finding. */
static void expect(const struct scratch_folder *d, enum inspection_state state, const char *part)
{
    struct inspection i;
    uint64_t before = folder_hash(d);
    bool found = false;

    store_inspect(d->path, &i);
    for (unsigned f = 0; f < i.finding_count; f++)
        found |= part && strstr(i.findings[f], part);
    if (i.state != state || (part && !found) || (!part && i.finding_count))
        fail_msg("%s, '%s'; not %s, '%s'", inspection_word(i.state),
                 i.finding_count ? i.findings[0] : "", inspection_word(state), part ? part : "");
    assert_true(folder_hash(d) == before);
    inspection_free(&i);
}

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    char *wrong = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &wrong) != SQLITE_OK)
        fail_msg("%s: %s", sql, wrong);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void expect_rows(const struct inspection *i, const char *table, int64_t rows)
{
    for (size_t t = 0; t < i->table_count; t++) {
        if (span_equal(i->tables[t].name, span_from_text(table))) {
            assert_int_equal(i->tables[t].rows, rows);
            return;
        }
    }
    fail_msg("there is no table %s", table);
}

static void a_whole_store_says_what_is_in_it(void **state)
{
    struct scratch_folder *d = *state;
    struct inspection i;

    make_store(d->path);
    expect(d, INSPECTION_WHOLE, NULL);
    store_inspect(d->path, &i);
    assert_int_equal(i.node.n, 16);
    assert_int_equal(i.created, NOON);
    assert_int_equal(i.schema, inspection_newest());
    assert_int_equal(i.starts, 1);
    assert_true(span_equal(i.program, SPAN("test")));
    assert_false(i.has_log);
    assert_true(i.bytes > 4096);
    assert_int_equal(i.journey_count, 2);
    assert_true(span_equal(i.journeys[0].name, SPAN("browse")));
    assert_int_equal(i.journeys[0].counts[SERIES_GOOD], 900);
    assert_int_equal(i.journeys[0].counts[SERIES_SLOW], 3);
    assert_int_equal(i.journeys[0].from, NOON - 1);
    assert_int_equal(i.journeys[0].to, NOON + 5400);
    assert_true(span_equal(i.journeys[1].name, SPAN("checkout")));
    assert_int_equal(i.journeys[1].counts[SERIES_EXCLUDED], 1);
    assert_int_equal(i.from, NOON - 1);
    assert_int_equal(i.to, NOON + 5400);
    expect_rows(&i, "journey", 2);
    expect_rows(&i, "total", 3);
    expect_rows(&i, "histogram", 1);
    expect_rows(&i, "minute", 90 + 90 + 12);
    assert_int_equal(i.loss_count, 0);
    inspection_free(&i);
}

/* In another process, which does with it what it likes and then waits to be killed. */
static pid_t hold(const char *path)
{
    int ready[2];
    char byte;

    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct store *s = open_at(path, NULL);
        fill(s);
        ssize_t n = write(ready[1], "x", 1);
        (void)n;
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void end(pid_t child)
{
    int status;

    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
}

static void a_store_in_use_is_left_alone_and_the_log_of_a_killed_one_is_read(void **state)
{
    struct scratch_folder *d = *state;
    struct inspection i;
    char path[400];
    pid_t child = hold(d->path);

    expect(d, INSPECTION_IN_USE, "another process");
    end(child);
    store_inspect(d->path, &i);
    assert_int_equal(i.state, INSPECTION_WHOLE);
    assert_true(i.has_log);
    assert_int_equal(i.journey_count, 2);
    assert_int_equal(i.journeys[0].counts[SERIES_GOOD], 900);
    inspection_free(&i);
    snprintf(path, sizeof(path), "%s-shm", d->path);
    unlink(path);
    expect(d, INSPECTION_WHOLE, NULL); /* makes one for itself, and takes it away */
    store_close(open_at(d->path, NULL));
    expect(d, INSPECTION_WHOLE, NULL);
}

/* Where nothing may be made beside it; root may everywhere, so somebody else looks. */
static void a_log_in_a_folder_that_may_not_be_written_is_told(void **state)
{
    struct scratch_folder *d = *state;
    char log[400], shared[400];
    int status;

    end(hold(d->path));
    snprintf(log, sizeof(log), "%s-wal", d->path);
    snprintf(shared, sizeof(shared), "%s-shm", d->path);
    unlink(shared);
    assert_int_equal(chmod(d->path, 0644) | chmod(log, 0644) | chmod(d->folder, 0555), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct inspection i;
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(99);
        store_inspect(d->path, &i);
        _exit((int)i.state);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(d->folder, 0700), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), INSPECTION_UNREADABLE);
    expect(d, INSPECTION_WHOLE, NULL);
}

static void a_name_with_signs_of_its_own_is_a_name(void **state)
{
    struct scratch_folder *d = *state;

    snprintf(d->path, sizeof(d->path), "%s/a?mode=rwc#b%%41.db", d->folder);
    make_store(d->path);
    expect(d, INSPECTION_WHOLE, NULL);
}

static void what_is_no_store_says_so(void **state)
{
    struct scratch_folder *d = *state;
    FILE *f;

    expect(d, INSPECTION_UNREADABLE, "No such file");
    f = fopen(d->path, "w");
    expect(d, INSPECTION_NO_STORE, "is empty");
    fputs("listen: { http: 0.0.0.0:80 }\n", f);
    fflush(f);
    expect(d, INSPECTION_NO_STORE, "does not begin as a store does");
    fclose(f);
    remove(d->path);
    run_sql(d->path, "CREATE TABLE orders(id INTEGER)");
    expect(d, INSPECTION_NO_STORE, "another program");
    remove(d->path);
    run_sql(d->path, "PRAGMA application_id = 1165380460");
    expect(d, INSPECTION_NO_STORE, "no tables");
    snprintf(d->path, sizeof(d->path), "%s", d->folder);
    struct inspection i;
    store_inspect(d->path, &i);
    assert_int_equal(i.state, INSPECTION_NO_STORE);
    inspection_free(&i);
}

static void a_newer_one_is_not_judged(void **state)
{
    struct scratch_folder *d = *state;

    make_store(d->path);
    run_sql(d->path, "PRAGMA user_version = 999");
    expect(d, INSPECTION_NEWER, "version 999, this evenkeel knows");
}

static void one_of_each_older_program_is_whole(void **state)
{
    struct scratch_folder *d = *state;

    for (unsigned v = 1; v <= schema_newest(); v++) {
        struct store *s = calloc(1, sizeof(*s));
        assert_non_null(s);
        assert_int_equal(sqlite3_open(d->path, &s->db), SQLITE_OK);
        s->path = strdup(d->path);
        must(schema_migrate_to(s, v));
        must(db_run(s,
                    "PRAGMA application_id = 1165380460;"
                    "INSERT INTO node(uid, created) VALUES('0123456789abcdef', 1);"
                    "INSERT INTO epoch(node, started, program) VALUES(1, 1700000000, 'old');"
                    "INSERT INTO journey(name) VALUES('browse');"
                    "INSERT INTO version(journey, number, definition, created) VALUES(1, 1, 1, 1);"
                    "INSERT INTO total VALUES(1, 1, 1700000060, 1, x'0102')",
                    "cannot"));
        store_close(s);
        expect(d, INSPECTION_WHOLE, NULL);
        remove(d->path);
    }
}

static void damage(const char *path, long page)
{
    char garbage[4096];
    FILE *f = fopen(path, "r+");

    memset(garbage, 0x5a, sizeof(garbage));
    assert_non_null(f);
    assert_int_equal(fseek(f, page * 4096, SEEK_SET), 0);
    assert_int_equal(fwrite(garbage, 1, sizeof(garbage), f), sizeof(garbage));
    assert_int_equal(fclose(f), 0);
}

/* Each page but the first, and half a file. */
static void damage_is_found_wherever_it_is(void **state)
{
    struct scratch_folder *d = *state;
    struct stat st;

    make_store(d->path);
    assert_int_equal(stat(d->path, &st), 0);
    for (long page = 1; page < st.st_size / 4096; page++) {
        damage(d->path, page);
        struct inspection i;
        store_inspect(d->path, &i);
        if (i.state != INSPECTION_DAMAGED || i.finding_count == 0)
            fail_msg("page %ld is overwritten, and it is %s", page, inspection_word(i.state));
        inspection_free(&i);
        remove(d->path);
        make_store(d->path);
    }
    assert_int_equal(truncate(d->path, st.st_size / 2), 0);
    struct inspection i;
    store_inspect(d->path, &i);
    assert_int_equal(i.state, INSPECTION_DAMAGED);
    inspection_free(&i);
}

/* Rows that SQLite finds in order, and no evenkeel wrote. */
static void what_no_evenkeel_wrote_is_found(void **state)
{
    static const struct {
        const char *sql, *part;
    } rows[] = {
        { "UPDATE minute SET counts = x'01' WHERE version = 1 AND at = 1700049600 + 600",
          "browse, version 1, at 2023-11-15 12:10:00Z: a count is less than before" },
        { "UPDATE total SET counts = x'00' WHERE version = 2", "checkout, version 1, at" },
        { "UPDATE minute SET counts = x'ffffffffffffffffff01' WHERE version = 1 AND at = "
          "1700049600 + 5400",
          "a count is negative" },
        { "UPDATE minute SET counts = x'80' WHERE version = 1 AND at = 1700049600 + 600",
          "its counts cannot be read" },
        { "UPDATE minute SET counts = x'c0de9a01' WHERE version = 0 AND at = 1700049600 + 600",
          "the node at 2023-11-15 12:10:00Z: more time is measured than passed" },
        { "UPDATE histogram SET bins = x'ff'", "the histogram of version 1" },
        { "INSERT INTO minute VALUES(77, 1, 1700049600, 1, x'')", "rows of version 77" },
        { "INSERT INTO hour VALUES(1, 9, 1700049600, 1, x'')", "node 9" },
        { "UPDATE total SET epoch = 8 WHERE version = 1", "whose start" },
        { "INSERT INTO node(uid, created) VALUES('another', 1)", "it has 2 nodes" },
        { "DELETE FROM node", "belongs to none of table node" },
        { "UPDATE version SET journey = 99 WHERE id = 2",
          "row 2 of table version belongs to none of table journey" },
        { "DROP TABLE kept_peer", "the table kept_peer is missing" },
        { "CREATE TABLE mine(x)", "does not belong here: mine" },
        { "ALTER TABLE hour ADD COLUMN x", "the table hour is not what it should be" },
    };
    struct scratch_folder *d = *state;

    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        make_store(d->path);
        run_sql(d->path, rows[r].sql);
        expect(d, INSPECTION_DAMAGED, rows[r].part);
        remove(d->path);
    }
}

/* An epoch that follows a clock which was set back begins before the last one ended. */
static void a_clock_that_was_set_back_is_no_damage(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);

    fill(s);
    begin(s, NOON + 1800);
    write_one(
        s, (struct sample){ .version = 1, .keep = true, .at = NOON + 1860, .counts = { 1000, 4 } });
    write_one(
        s, (struct sample){
               .version = NODE_VERSION, .keep = true, .at = NOON + 1860, .counts = { 5460000 } });
    begin(s, NOON + 90000);
    write_one(s, (struct sample){
                     .version = 1, .keep = true, .at = NOON + 90060, .counts = { 1001, 4 } });
    store_close(s);
    expect(d, INSPECTION_WHOLE, NULL);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(a_whole_store_says_what_is_in_it),
        IN_FOLDER(a_store_in_use_is_left_alone_and_the_log_of_a_killed_one_is_read),
        IN_FOLDER(a_log_in_a_folder_that_may_not_be_written_is_told),
        IN_FOLDER(a_name_with_signs_of_its_own_is_a_name),
        IN_FOLDER(what_is_no_store_says_so),
        IN_FOLDER(a_newer_one_is_not_judged),
        IN_FOLDER(one_of_each_older_program_is_whole),
        IN_FOLDER(damage_is_found_wherever_it_is),
        IN_FOLDER(what_no_evenkeel_wrote_is_found),
        IN_FOLDER(a_clock_that_was_set_back_is_no_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
