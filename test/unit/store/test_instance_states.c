/* SPDX-License-Identifier: Apache-2.0 */
/* test_instance_states.c - what the active checks last said: it comes back over restarts and
 * trouble, a batch as a whole, and goes when it was not seen for long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/db.h"
#include "store/instance_states.h"

static struct stored_instance_state instance(const char *service, const char *name, bool up,
                                             int64_t seen)
{
    return (struct stored_instance_state){
        .service = span_from_text(service),
        .instance = span_from_text(name),
        .up = up,
        .since = seen - 60,
        .seen = seen,
    };
}

/* Exactly these are stored, in this order. */
static void expect(struct store *s, const struct stored_instance_state *wanted, size_t count)
{
    struct arena a = {};
    struct stored_instance_state *list;
    size_t n;

    must(instance_states_load(s, &a, &list, &n));
    assert_int_equal(n, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(span_equal(list[i].service, wanted[i].service));
        assert_true(span_equal(list[i].instance, wanted[i].instance));
        assert_int_equal(list[i].up, wanted[i].up);
        assert_int_equal(list[i].since, wanted[i].since);
        assert_int_equal(list[i].seen, wanted[i].seen);
    }
    arena_free(&a);
}

static int64_t states_stored(struct store *s)
{
    int64_t n = -1;

    must(db_read_number(s, "SELECT count(*) FROM instance_state", &n));
    return n;
}

static void a_new_store_knows_of_no_instance(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    expect(s, NULL, 0);
    must(instance_states_write(s, NULL, 0));
    expect(s, NULL, 0);
    store_close(s);
}

static void states_survive_the_process_newest_first(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct stored_instance_state all[] = {
        instance("shop", "10.0.0.2:80", false, NOON + 9),
        instance("search", "10.0.0.1:80", true, NOON + 5), /* the same address twice */
        instance("shop", "10.0.0.1:80", false, NOON + 5),
        instance("shop", "unix:/run/a.sock", true, NOON),
    };

    must(instance_states_write(s, all + 1, 3));
    must(instance_states_write(s, all, 1));
    expect(s, all, 4);
    store_close(s);
    s = open_at(d->path, NULL);
    expect(s, all, 4);
    store_close(s);
}

static void a_newer_state_replaces_the_one_before(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct stored_instance_state later[] = {
        instance("shop", "b", false, NOON + 10),
        instance("shop", "b", true, NOON + 20),
        instance("shop", "c", true, NOON + 15),
    };
    struct stored_instance_state before[] = {
        instance("shop", "a", true, NOON),
        instance("shop", "b", true, NOON),
    };

    (void)state;
    must(instance_states_write(s, before, 2));
    must(instance_states_write(s, later, 3));
    expect(s, (struct stored_instance_state[]){ later[1], later[2], before[0] }, 3);
    must(instance_states_write(s, &before[1], 1)); /* the clock stepped back */
    expect(s, (struct stored_instance_state[]){ later[2], before[0], before[1] }, 3);
    store_close(s);
}

static void odd_bytes_come_back_as_they_were(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    const struct stored_instance_state odd[] = {
        { .seen = 9, .up = true }, /* empty, with NULL for pointers */
        { .seen = 8, .service = SPAN("'\"; --"), .instance = SPAN("?1") },
        { .seen = 7, .service = SPAN("Zoë 🦊"), .instance = SPAN("日本"), .since = INT64_MIN },
        { .seen = 6, .service = SPAN("a\0b"), .instance = SPAN("\xff\x80\n"), .since = INT64_MAX },
        { .seen = 5, .service = SPAN("a\0c"), .instance = SPAN("\xff\x80\n") },
        { .seen = 4, .service = SPAN("A\0c"), .instance = SPAN("\xff\x80\n") },
        { .seen = -1, .service = SPAN("007"), .instance = SPAN("7") },
    };

    must(instance_states_write(s, odd, 7));
    must(instance_states_write(s, odd, 7));
    expect(s, odd, 7);
    store_close(s);
    s = open_at(d->path, NULL);
    expect(s, odd, 7);
    store_close(s);
}

static void the_bound_leaves_out_what_was_seen_longest_ago(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct stored_instance_state *list;
    size_t n;

    (void)state;
    must(db_run(
        s,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 256 * 1024 + 2) "
        "INSERT INTO instance_state SELECT 'shop', i, 1, 0, i FROM n",
        "test"));
    must(instance_states_load(s, &a, &list, &n));
    assert_int_equal(n, INSTANCE_STATES_MAX);
    assert_int_equal(list[0].seen, INSTANCE_STATES_MAX + 2);
    assert_int_equal(list[n - 1].seen, 3);
    arena_free(&a);
    store_close(s);
}

static void what_was_not_seen_for_long_is_forgotten(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    int64_t now = NOON + 100 * DAY_S, oldest = now - 35 * DAY_S;
    struct stored_instance_state all[] = {
        instance("shop", "a", true, now),
        instance("shop", "b", false, oldest),
        instance("shop", "c", true, oldest - 1),
        instance("shop", "d", true, NOON),
    };
    bool more;

    (void)state;
    begin(s, NOON);
    must(instance_states_write(s, all, 4));
    must(retention_step(s, now, &more));
    assert_true(more);
    expect(s, all, 2);
    must(retention_step(s, now, &more));
    assert_false(more);
    all[1].seen = now; /* it still is what it was since then */
    must(instance_states_write(s, &all[1], 1));
    must(retention_step(s, now + 35 * DAY_S, &more));
    expect(s, all, 2);
    must(retention_step(s, now + 35 * DAY_S + 1, &more));
    expect(s, NULL, 0);
    store_close(s);
}

static void a_step_forgets_no_more_than_its_bound(void **state)
{
    enum { ROWS = 3 * RETENTION_ROWS_MAX / 2 };
    static struct stored_instance_state all[ROWS];
    static char names[ROWS][8];
    struct store *s = open_at(":memory:", NULL);
    bool more;

    (void)state;
    begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 1);
    for (int i = 0; i < ROWS; i++) {
        snprintf(names[i], sizeof(names[i]), "%d", i);
        all[i] = instance("shop", names[i], true, NOON + i);
    }
    must(instance_states_write(s, all, ROWS));
    for (int i = 1; i <= RETENTION_ROWS_MAX; i++)
        write_one(s, (struct sample){ .version = version, .keep = true, .at = NOON + 60 * i });
    must(retention_step(s, NOON + 50 * DAY_S, &more));
    assert_true(more);
    assert_int_equal(states_stored(s), ROWS - RETENTION_ROWS_MAX); /* the oldest went */
    struct stored_instance_state left = all[ROWS - 1];
    must(instance_states_write(s, &left, 1));
    assert_int_equal(states_stored(s), ROWS - RETENTION_ROWS_MAX);
    must(retention_step(s, NOON + 50 * DAY_S, &more)); /* the rest, and samples with what is left */
    assert_true(more);
    assert_int_equal(states_stored(s), 0);
    int steps = 2;
    for (; more; steps++)
        must(retention_step(s, NOON + 50 * DAY_S, &more));
    assert_int_equal(steps, 4);
    store_close(s);
}

enum { INSTANCES = 200 };

/* All instances say `up`, from `seen` on. */
static err write_all(struct store *s, bool up, int64_t seen)
{
    static struct stored_instance_state all[INSTANCES];
    static char names[INSTANCES][8];
    static char service[500];

    memset(service, 's', sizeof(service));
    for (int i = 0; i < INSTANCES; i++) {
        snprintf(names[i], sizeof(names[i]), "%d", i);
        all[i] = instance("", names[i], up, seen);
        all[i].service = span_of(service, i < 10 ? 9 : sizeof(service));
    }
    return instance_states_write(s, all, up ? 10 : INSTANCES);
}

/* A batch of which some rows have room and some have not: none is stored. */
static void a_batch_is_one_whole_when_the_store_is_full(void **state)
{
    struct scratch_folder *d = *state;
    struct store_options o = { .path = d->path, .now = NOON, .pages_max = 25 };
    struct store_opened opened;
    struct store *s;
    int64_t up;

    must(store_open(&o, &s, &opened));
    must(write_all(s, true, NOON));
    err e = write_all(s, false, NOON + 60);
    assert_true(e.failed);
    assert_int_equal(store_trouble(s), STORE_FULL);
    assert_non_null(strstr(e.text, "cannot write the state of an instance"));
    must(db_read_number(s, "SELECT sum(up) FROM instance_state WHERE seen = 1700049600", &up));
    assert_int_equal(up, 10);
    assert_int_equal(states_stored(s), 10);
    must(write_all(s, true, NOON + 90));
    store_close(s);

    o.pages_max = 0;
    must(store_open(&o, &s, &opened));
    must(write_all(s, false, NOON + 120));
    assert_int_equal(states_stored(s), INSTANCES);
    store_close(s);
}

static void a_store_that_may_only_be_read_says_denied(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct stored_instance_state before = instance("shop", "a", true, NOON);
    struct stored_instance_state after = instance("shop", "a", false, NOON + 60);
    bool more;

    (void)state;
    must(instance_states_write(s, &before, 1));
    must(db_run(s, "PRAGMA query_only = 1", "test"));
    assert_true(instance_states_write(s, &after, 1).failed);
    assert_int_equal(store_trouble(s), STORE_DENIED);
    assert_true(retention_step(s, NOON + 99 * DAY_S, &more).failed);
    expect(s, &before, 1);
    must(db_run(s, "PRAGMA query_only = 0", "test"));
    must(instance_states_write(s, &after, 1));
    expect(s, &after, 1);
    store_close(s);
}

static void states_that_cannot_be_read_leave_the_outputs_alone(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct arena a = {};
    struct stored_instance_state one = instance("shop", "a", true, NOON), *list = &one;
    size_t n = 4711;

    (void)state;
    must(instance_states_write(s, &one, 1));
    must(db_run(s, "ALTER TABLE instance_state RENAME TO elsewhere", "test"));
    assert_true(instance_states_load(s, &a, &list, &n).failed);
    assert_int_equal(store_trouble(s), STORE_OTHER);
    assert_true(list == &one && n == 4711);
    arena_free(&a);
    store_close(s);
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_store_knows_of_no_instance),
        in_scratch(states_survive_the_process_newest_first),
        cmocka_unit_test(a_newer_state_replaces_the_one_before),
        in_scratch(odd_bytes_come_back_as_they_were),
        cmocka_unit_test(the_bound_leaves_out_what_was_seen_longest_ago),
        cmocka_unit_test(what_was_not_seen_for_long_is_forgotten),
        cmocka_unit_test(a_step_forgets_no_more_than_its_bound),
        in_scratch(a_batch_is_one_whole_when_the_store_is_full),
        cmocka_unit_test(a_store_that_may_only_be_read_says_denied),
        cmocka_unit_test(states_that_cannot_be_read_leave_the_outputs_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
