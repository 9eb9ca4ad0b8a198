/* SPDX-License-Identifier: Apache-2.0 */
/* test_life_sign.c - what the next start believes of a process that said no goodbye, and how much it then says was lost. */
#include "unit.h"

#include "../store/scratch.h"
#include "control/life_sign.h"

enum { STORED = 1700000000 };

static const char node[] = "0123456789abcdef";

static const int64_t ms = INT64_C(1000) * STORED;

static void expect_loss(int64_t lived, int64_t stored, int64_t now, int64_t lost, int64_t down)
{
    struct life_said said = { .lived_ms = ms + lived, .stored_ms = stored ? ms + stored : 0 };
    struct loss l = life_sign_loss(STORED, &said, ms + now);

    assert_int_equal(l.lived_ms - l.stored_ms, lost);
    assert_int_equal(l.back_ms - l.lived_ms, down);
    assert_int_equal(l.back_ms, ms + now);
}

static void lost_time_and_down_time_are_told_apart(void **state)
{
    (void)state;
    expect_loss(1400, 700, 9000, 950,
                7350); /* a quarter of a second may have followed the last sign */
    expect_loss(1400, 0, 9000, 1650, 7350); /* killed before it heard that anything was stored */
    expect_loss(1400, -3000, 9000, 1650, 7350);   /* or that the newest was */
    expect_loss(800, 700, 850, 150, 0);           /* started anew at once */
    expect_loss(60700, 700, 90000, 60250, 29050); /* the store took nothing for a minute */
}

/* A copy of the store that was put in place: the process went on with another. */
static void a_copy_lost_all_since_it_was_made(void **state)
{
    (void)state;
    expect_loss(86400000, 86399500, 90000000, 86399251, 3599750);
}

static void what_nobody_knows_is_not_made_up(void **state)
{
    struct life_said old = { .lived_ms = ms - 5000, .stored_ms = ms - 6000 };
    struct loss l = life_sign_loss(STORED, NULL, ms + 9000);

    (void)state;
    assert_int_equal(l.lived_ms, 0);
    assert_int_equal(l.back_ms - l.stored_ms, 9000);
    l = life_sign_loss(STORED, &old, ms + 9000);
    assert_int_equal(l.lived_ms, 0);
    l = life_sign_loss(STORED, NULL, ms - 70000); /* the clock was set back */
    assert_int_equal(l.back_ms, l.stored_ms);
}

static void a_sign_is_believed_of_this_store_only(void **state)
{
    struct scratch_folder *d = *state;
    struct life_sign l;
    struct life_said said;

    assert_false(life_sign_read(d->path, node, &said));
    life_sign_open(&l, d->path, node, STORED * NS_PER_S);
    assert_true(l.fd >= 0);
    assert_true(life_sign_read(d->path, node, &said));
    assert_int_equal(said.lived_ms, ms);
    assert_int_equal(said.stored_ms, 0);
    life_sign_stored(&l, ms + 123);
    life_sign_tick(&l, l.written + LIFE_SIGN_EVERY, STORED * NS_PER_S + 456 * NS_PER_MS);
    life_sign_tick(&l, l.written + 1, STORED * NS_PER_S + 789 * NS_PER_MS); /* too soon */
    assert_true(life_sign_read(d->path, node, &said));
    assert_int_equal(said.lived_ms, ms + 456);
    assert_int_equal(said.stored_ms, ms + 123);
    assert_false(life_sign_read(d->path, "another", &said));
    life_sign_close(&l, false);
    assert_true(life_sign_read(d->path, node, &said));
    life_sign_open(&l, d->path, node, STORED * NS_PER_S);
    life_sign_close(&l, true);
    assert_false(life_sign_read(d->path, node, &said));
}

static void write_file(const char *store, const char *text)
{
    char path[300];

    snprintf(path, sizeof(path), "%s-life", store);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void nonsense_is_not_believed(void **state)
{
    struct scratch_folder *d = *state;
    struct life_said said;
    static const char *const texts[] = {
        "",
        "\n",
        "1700000000000",
        "1700000000000 1700000000000 0123456789abcdef",
        "1700000000000 1700000000000 0123456789abcdef of-another-start-of-the-machine\n",
        "-5 1700000000000 0123456789abcdef x\n",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        write_file(d->path, texts[i]);
        assert_false(life_sign_read(d->path, node, &said));
    }
}

/* Nothing depends on it. */
static void a_folder_that_may_not_be_written_is_no_failure(void **state)
{
    struct life_sign l;

    (void)state;
    life_sign_open(&l, "/nowhere/evenkeel.db", node, STORED * NS_PER_S);
    assert_int_equal(l.fd, -1);
    life_sign_tick(&l, NS_PER_S, STORED * NS_PER_S);
    life_sign_close(&l, true);
}

static void the_next_start_keeps_what_was_lost(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct life_sign l;
    struct loss list[LOSSES_MAX];
    size_t count;

    begin(s, STORED);
    write_one(s, (struct sample){ .version = NODE_VERSION, .at = STORED + 10, .counts = { 1 } });
    life_sign_open(&l, d->path, store_node(s), STORED * NS_PER_S);
    life_sign_stored(&l, ms + 10800);
    life_sign_tick(&l, l.written + LIFE_SIGN_EVERY, (ms + 11300) * NS_PER_MS);
    life_sign_close(&l, false);
    must(life_sign_look_back(s, d->path, ms + 20000));
    must(losses_load(s, list, &count));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].stored_ms, ms + 10800);
    assert_int_equal(list[0].lived_ms, ms + 11550);
    assert_int_equal(list[0].back_ms, ms + 20000);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_time_and_down_time_are_told_apart),
        cmocka_unit_test(a_copy_lost_all_since_it_was_made),
        cmocka_unit_test(what_nobody_knows_is_not_made_up),
        cmocka_unit_test_setup_teardown(a_sign_is_believed_of_this_store_only, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(nonsense_is_not_believed, scratch_make, scratch_remove),
        cmocka_unit_test(a_folder_that_may_not_be_written_is_no_failure),
        cmocka_unit_test_setup_teardown(the_next_start_keeps_what_was_lost, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
