/* SPDX-License-Identifier: Apache-2.0 */
/* test_trouble.c - a killed process, a full disk, a busy file, damage met while running: what was
 * committed stays, the failure is a value with a name, and writing goes on when the trouble is
 * over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "core/histogram.h"
#include "scratch.h"

#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>

enum { VERSIONS = 20 };

/* One write of a running node: the same number in the counters of all journeys. */
static err write_number(struct store *s, const uint32_t *version, uint64_t n)
{
    struct sample samples[VERSIONS + 1];

    for (int v = 0; v <= VERSIONS; v++)
        samples[v] = (struct sample){
            .version = v < VERSIONS ? version[v] : NODE_VERSION,
            .keep = true,
            .at = NOON + (int64_t)n,
            .counts = { n, 2 * n, 3 * n },
        };
    return samples_write(
        s, &(struct sample_batch){ .samples = samples, .sample_count = VERSIONS + 1 });
}

static void all_versions(struct store *s, uint32_t *ret_version)
{
    char name[16];

    for (int v = 0; v < VERSIONS; v++) {
        snprintf(name, sizeof(name), "j%d", v);
        ret_version[v] = version_of(s, name, 1);
    }
}

/* What is stored, the same in every journey: a batch is there as a whole or not at all. */
static uint64_t number_stored(struct store *s, const uint32_t *version)
{
    struct sample first, sample;

    must(samples_total(s, NODE_VERSION, &first));
    for (int v = 0; v < VERSIONS; v++) {
        must(samples_total(s, version[v], &sample));
        assert_memory_equal(sample.counts, first.counts, sizeof(first.counts));
        must(samples_at(s, version[v], INT64_MAX, &sample));
        assert_memory_equal(sample.counts, first.counts, sizeof(first.counts));
    }
    assert_int_equal(first.counts[1], 2 * first.counts[0]);
    return first.counts[0];
}

/* Writes for ever; says each number once it is committed. */
static void write_until_killed(const char *path, int tell)
{
    struct store *s = open_at(path, NULL);
    uint32_t version[VERSIONS];

    begin(s, NOON);
    all_versions(s, version);
    for (uint64_t n = total_good(s, NODE_VERSION) + 1;; n++)
        if (write_number(s, version, n).failed || write(tell, &n, sizeof(n)) != sizeof(n))
            _exit(1);
}

static uint64_t run_and_kill(const char *path, uint64_t writes)
{
    int pipe_ends[2], status;
    uint64_t told = 0, n;

    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(pipe_ends[0]);
        write_until_killed(path, pipe_ends[1]);
    }
    close(pipe_ends[1]);
    for (uint64_t i = 0; i < writes; i++) {
        assert_int_equal(read(pipe_ends[0], &told, sizeof(told)), sizeof(told));
    }
    assert_int_equal(kill(child, SIGKILL), 0); /* wherever in the next write it is */
    while (read(pipe_ends[0], &n, sizeof(n)) == sizeof(n))
        told = n;
    close(pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return told;
}

static void a_killed_process_loses_only_what_was_not_committed(void **state)
{
    struct scratch_folder *d = *state;
    struct rng r = { .state = 23 };

    for (int round = 0; round < 12; round++) {
        uint64_t told = run_and_kill(d->path, 1 + rng_below(&r, 40));
        struct store_opened opened;
        struct store *s = open_at(d->path, &opened);
        uint32_t version[VERSIONS];

        assert_false(opened.created || opened.moved_aside);
        begin(s, NOON);
        all_versions(s, version);
        uint64_t stored = number_stored(s, version);
        assert_true(stored == told || stored == told + 1); /* committed, but not yet told */
        store_close(s);
    }
}

static void a_store_at_its_bound_says_full_and_keeps_what_it_has(void **state)
{
    struct scratch_folder *d = *state;
    struct store_options o = { .path = d->path, .now = NOON, .pages_max = 60 };
    struct store_opened opened;
    struct store *s;
    uint32_t version[VERSIONS];
    uint64_t n = 0;
    err e = OK;

    must(store_open(&o, &s, &opened));
    begin(s, NOON);
    all_versions(s, version);
    while (n < 100000 && !(e = write_number(s, version, n + 1)).failed)
        n++;
    assert_true(e.failed && n > 10);
    assert_int_equal(store_trouble(s), STORE_FULL);
    assert_non_null(strstr(e.text, "full"));
    assert_non_null(strstr(e.text, d->path));
    assert_int_equal(number_stored(s, version), n);
    assert_int_equal(store_trouble(s), STORE_NONE);
    assert_true(write_number(s, version, n + 1).failed); /* again, and nothing is lost */
    assert_int_equal(number_stored(s, version), n);

    for (bool more = true; more;) /* retention makes room: so the same store works again */
        must(retention_step(s, NOON + 36 * DAY_S, &more));
    must(write_number(s, version, n + 2));
    assert_int_equal(number_stored(s, version), n + 2);
    store_close(s);

    o.pages_max = 0;
    must(store_open(&o, &s, &opened));
    assert_false(opened.created);
    begin(s, NOON);
    for (uint64_t i = 3; i < 50; i++)
        must(write_number(s, version, n + i));
    store_close(s);
}

static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The kernel refuses to let files grow, as a full disk does; then there is space again. */
static void a_full_disk_is_a_value_and_passes(void **state)
{
    struct scratch_folder *d = *state;
    struct rlimit before;
    uint32_t version[VERSIONS];
    uint64_t n = 0;
    err e = OK;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct store *s = open_at(d->path, NULL);
    begin(s, NOON);
    all_versions(s, version);
    for (int i = 0; i < 5; i++)
        must(write_number(s, version, ++n));
    limit_file_size(1024 * 1024);
    while (n < 100000 && !(e = write_number(s, version, n + 1)).failed)
        n++;
    enum store_trouble trouble = store_trouble(s);
    uint64_t stored = number_stored(s, version);
    limit_file_size(before.rlim_cur);

    assert_true(e.failed && n > 5);
    assert_int_equal(trouble, STORE_FULL);
    assert_int_equal(stored, n);
    for (int i = 0; i < 20; i++)
        must(write_number(s, version, ++n));
    assert_int_equal(number_stored(s, version), n);
    store_close(s);

    struct store_opened opened;
    s = open_at(d->path, &opened);
    assert_false(opened.created || opened.moved_aside);
    assert_int_equal(number_stored(s, version), n);
    store_close(s);
    signal(SIGXFSZ, SIG_DFL);
}

static void a_file_that_another_writes_to_is_busy(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    uint32_t version[VERSIONS];
    sqlite3 *other;
    bool more;

    begin(s, NOON);
    all_versions(s, version);
    must(write_number(s, version, 1));
    assert_int_equal(sqlite3_open(d->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_true(write_number(s, version, 2).failed);
    assert_int_equal(store_trouble(s), STORE_BUSY);
    assert_int_equal(number_stored(s, version), 1); /* reading goes on */
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    must(write_number(s, version, 3));
    must(retention_step(s, NOON, &more));
    assert_int_equal(number_stored(s, version), 3);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);
    store_close(s);
}

static void a_reader_does_not_hold_up_the_writer(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    uint32_t version[VERSIONS];
    sqlite3 *reader;

    begin(s, NOON);
    all_versions(s, version);
    must(write_number(s, version, 1));
    assert_int_equal(sqlite3_open(d->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM minute", NULL, NULL, NULL),
                     SQLITE_OK);
    for (uint64_t n = 2; n < 20; n++)
        must(write_number(s, version, n));
    assert_int_equal(sqlite3_close(reader), SQLITE_OK);
    store_close(s);
}

static void a_damaged_sample_is_told_and_not_believed(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    uint64_t bins[HISTOGRAM_BINS] = { 0 };
    uint32_t version[VERSIONS];
    struct sample sample = { .counts = { 4711 } };
    sqlite3 *other;

    begin(s, NOON);
    all_versions(s, version);
    must(write_number(s, version, 1));
    assert_int_equal(sqlite3_open(d->path, &other), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(other,
                     "UPDATE total SET counts = x'80';"
                     "INSERT INTO histogram SELECT version, node, 0, 0, x'0500' FROM total;",
                     NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(other), SQLITE_OK);

    err e = samples_total(s, version[0], &sample);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), STORE_CORRUPT);
    assert_int_equal(sample.counts[0], 4711);
    e = histogram_between(s, version[0], 0, NOON, bins);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), STORE_CORRUPT);
    assert_int_equal(histogram_total(bins), 0);
    must(write_number(s, version, 2)); /* writing goes on and mends it */
    assert_int_equal(number_stored(s, version), 2);
    store_close(s);
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_scratch(a_killed_process_loses_only_what_was_not_committed),
        in_scratch(a_store_at_its_bound_says_full_and_keeps_what_it_has),
        in_scratch(a_full_disk_is_a_value_and_passes),
        in_scratch(a_file_that_another_writes_to_is_busy),
        in_scratch(a_reader_does_not_hold_up_the_writer),
        in_scratch(a_damaged_sample_is_told_and_not_believed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
