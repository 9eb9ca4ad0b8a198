/* SPDX-License-Identifier: Apache-2.0 */
/* test_losses.c - an epoch that ended in order says so; of one that did not, what that cost is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/db.h"
#include "store/losses.h"

static void node_at(struct store *s, int64_t at, bool ends)
{
    struct sample sample = { .version = NODE_VERSION, .at = at, .counts = { 1000 } };

    must(samples_write(s, &(struct sample_batch){
                              .samples = &sample, .sample_count = 1, .ends = ends, .now = at }));
}

static void expect_look(struct store *s, bool lost, int64_t stored)
{
    bool found;
    int64_t at;

    must(loss_look(s, &found, &at));
    assert_int_equal(found, lost);
    assert_int_equal(at, stored);
}

static void an_end_in_order_lost_nothing(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    expect_look(s, false, 0);
    begin(s, NOON);
    node_at(s, NOON + 60, false);
    expect_look(s, true, NOON + 60);
    node_at(s, NOON + 61, true);
    expect_look(s, false, NOON + 61);
    store_close(s);
}

static void all_is_stored_until_the_last_batch_or_the_start(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);

    begin(s, NOON);
    node_at(s, NOON + 60, false);
    store_close(s);
    s = open_at(d->path, NULL);
    expect_look(s, true, NOON + 60);
    begin(s, NOON + 500); /* killed before its first batch */
    expect_look(s, true, NOON + 500);
    store_close(s);
}

static void losses_are_kept_newest_first(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct loss list[LOSSES_MAX];
    size_t count = 7;

    must(losses_load(s, list, &count));
    assert_int_equal(count, 0);
    for (int64_t i = 0; i < LOSSES_MAX + 8; i++) {
        begin(s, NOON + i * 100);
        must(loss_keep(s, &(struct loss){ .stored_ms = i * 100000 + 1,
                                          .lived_ms = i % 2 ? i * 100000 + 2 : 0,
                                          .back_ms = i * 100000 + 3 }));
    }
    begin(s, NOON + 99999);
    store_close(s);
    s = open_at(d->path, NULL);
    must(losses_load(s, list, &count));
    assert_int_equal(count, LOSSES_MAX);
    for (size_t i = 0; i < count; i++) {
        int64_t number = LOSSES_MAX + 7 - (int64_t)i;
        assert_int_equal(list[i].stored_ms, number * 100000 + 1);
        assert_int_equal(list[i].lived_ms, number % 2 ? number * 100000 + 2 : 0);
        assert_int_equal(list[i].back_ms, number * 100000 + 3);
    }
    store_close(s);
}

/* Its programs did not say how they ended. */
static void starts_of_an_older_program_lost_nothing(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    assert_int_equal(sqlite3_open(d->path, &s->db), SQLITE_OK);
    s->path = strdup(d->path);
    must(schema_migrate_to(s, 4));
    must(db_run(s,
                "PRAGMA application_id = 1165380460; INSERT INTO node(uid, created) VALUES('1', 1);"
                "INSERT INTO epoch(node, started, program) VALUES(1, 1700000000, 'old')",
                "cannot"));
    store_close(s);
    s = open_at(d->path, NULL);
    expect_look(s, false, 1700000000);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_end_in_order_lost_nothing),
        cmocka_unit_test_setup_teardown(all_is_stored_until_the_last_batch_or_the_start,
                                        scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(losses_are_kept_newest_first, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(starts_of_an_older_program_lost_nothing, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
