/* SPDX-License-Identifier: Apache-2.0 */
/* test_renew.c - the file is deleted, replaced or damaged while it is open: nothing is written into what is not ours, the
 * store opens anew under the same identity, and takes what the running program still knows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/refill.h"

static uint32_t begin_one(struct store *s, uint64_t n)
{
    begin(s, NOON);
    uint32_t version = version_of(s, "shop", 7);
    write_one(s,
              (struct sample){ .version = version, .keep = true, .at = NOON + 5, .counts = { n } });
    return version;
}

static void copy_file(const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb");
    char bytes[4096];
    size_t n;

    assert_non_null(in);
    assert_non_null(out);
    while ((n = fread(bytes, 1, sizeof(bytes), in)) > 0)
        assert_int_equal(fwrite(bytes, 1, n, out), n);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void moved(const char *path, const char *suffix, char ret_name[300])
{
    snprintf(ret_name, 300, "%s%s", path, suffix);
    assert_int_equal(rename(path, ret_name), 0);
}

/* A day ago 40, now 50. */
static struct refill_journey known[2];
static struct sample known_node[2];
static struct sample known_shop[2];

static struct refill what_is_known(void)
{
    known_node[0] = (struct sample){ .at = NOON - 86400, .counts = { 1000 } };
    known_node[1] = (struct sample){ .at = NOON + 60, .counts = { 9000 } };
    known_shop[0] = (struct sample){ .at = NOON - 86400, .counts = { 40 } };
    known_shop[1] = (struct sample){ .at = NOON + 60, .counts = { 50 } };
    known[0] = (struct refill_journey){ .samples = known_node, .sample_count = 2 };
    known[1] =
        (struct refill_journey){ .meaning = { .name = SPAN("shop"), .definition = 7, .basis = 7 },
                                 .samples = known_shop,
                                 .sample_count = 2 };
    return (
        struct refill){ .now = NOON + 60, .program = SPAN("test"), .journeys = known, .count = 2 };
}

static uint64_t good_at(struct store *s, uint32_t version, int64_t at)
{
    struct sample found;

    must(samples_at(s, version, at, &found));
    return found.counts[SERIES_GOOD];
}

static void a_file_that_stays_is_here(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);

    begin_one(s, 1);
    must(store_here(s));
    store_close(s);
}

static void a_deleted_file_is_written_anew(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct store_opened opened;
    char node[32], name[300];
    uint32_t version = begin_one(s, 42);

    snprintf(node, sizeof(node), "%s", store_node(s));
    assert_int_equal(unlink(d->path), 0);
    snprintf(name, sizeof(name), "%s-wal", d->path);
    assert_int_equal(unlink(name), 0);
    assert_true(store_here(s).failed);
    assert_int_equal(store_trouble(s), STORE_GONE);

    must(store_renew(s, NOON + 60, &opened));
    assert_true(opened.rescued && !opened.created && !opened.moved_aside);
    assert_true(store_here(s).failed); /* no epoch yet */
    struct refill r = what_is_known();
    must(store_refill(s, &r));
    must(store_here(s));
    assert_int_equal(known[1].version.id, version);
    assert_int_equal(good_at(s, version, NOON + 10), 42); /* its history is there */
    assert_int_equal(total_good(s, version), 50);
    store_close(s);

    s = open_at(d->path, &opened);
    assert_false(opened.created);
    assert_string_equal(store_node(s), node);
    assert_int_equal(total_good(s, version), 50);
    store_close(s);
}

static void damage_moves_the_file_aside(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct store_opened opened;
    char node[32], aside[400];

    uint32_t version = begin_one(s, 42);
    snprintf(node, sizeof(node), "%s", store_node(s));
    assert_int_equal(truncate(d->path, 0), 0); /* as `> evenkeel.db` does */
    assert_true(store_here(s).failed);
    assert_int_equal(store_trouble(s), STORE_CORRUPT);
    assert_true(store_here(s).failed);
    must(store_renew(s, NOON + 60, &opened));
    assert_true(opened.created && opened.moved_aside && !opened.rescued);
    assert_non_null(strstr(opened.note, ".corrupt-2023"));
    struct refill r = what_is_known();
    must(store_refill(s, &r));
    version = known[1].version.id;
    assert_int_equal(good_at(s, version, NOON - 90000), 40); /* no zeroes before what is known */
    assert_int_equal(good_at(s, version, NOON), 40);
    assert_int_equal(total_good(s, version), 50);
    assert_string_equal(store_node(s), node);
    must(store_here(s));
    store_close(s);
    snprintf(aside, sizeof(aside), "%s.corrupt-20231115T120100Z", d->path);
    assert_int_equal(access(aside, F_OK), 0);

    s = open_at(d->path, &opened); /* and the next start adds no zeroes after it */
    begin(s, NOON + 100);
    struct sample measured;
    must(samples_at(s, NODE_VERSION, NOON + 200, &measured));
    assert_int_equal(measured.counts[NODE_MEASURED_MS], 9000);
    store_close(s);
}

static void anothers_file_is_left_alone(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;
    char mine[300], other[300];

    struct store *s = open_at(d->path, NULL);
    begin_one(s, 3);
    store_close(s);
    moved(d->path, ".other", other);
    s = open_at(d->path, NULL);
    uint32_t version = begin_one(s, 42);
    moved(d->path, ".mine", mine);
    assert_int_equal(rename(other, d->path), 0);

    assert_true(store_here(s).failed);
    assert_int_equal(store_trouble(s), STORE_GONE);
    assert_true(store_renew(s, NOON + 60, &opened).failed);
    assert_int_equal(store_trouble(s), STORE_DENIED);
    assert_int_equal(rename(d->path, other), 0); /* the right one comes back */
    assert_int_equal(rename(mine, d->path), 0);
    must(store_here(s));
    assert_int_equal(total_good(s, version), 42);
    store_close(s);
    s = open_at(other, NULL);
    assert_int_equal(total_good(s, version), 3);
    store_close(s);
}

static void a_copy_in_its_place_goes_on(void **state)
{
    struct scratch_folder *d = *state;
    struct store_opened opened;
    char copy[300], mine[300];

    struct store *s = open_at(d->path, NULL);
    uint32_t version = begin_one(s, 30);
    store_close(s);
    snprintf(copy, sizeof(copy), "%s.copy", d->path);
    copy_file(d->path, copy);
    s = open_at(d->path, NULL);
    begin(s, NOON + 20);
    write_one(
        s, (struct sample){ .version = version, .keep = true, .at = NOON + 30, .counts = { 45 } });
    moved(d->path, ".mine", mine);
    assert_int_equal(rename(copy, d->path), 0);

    assert_true(store_here(s).failed);
    must(store_renew(s, NOON + 60, &opened));
    assert_false(opened.created || opened.rescued || opened.moved_aside);
    assert_int_equal(total_good(s, version), 30); /* the log of the other one is not read into it */
    struct refill r = what_is_known();
    must(store_refill(s, &r));
    assert_int_equal(total_good(s, version), 50);
    must(store_here(s));
    store_close(s);
}

static void what_cannot_be_filled_is_filled_later(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct store_opened opened;

    begin_one(s, 42);
    assert_int_equal(unlink(d->path), 0);
    assert_true(store_here(s).failed);
    must(store_renew(s, NOON + 60, &opened));
    assert_true(store_here(s).failed);
    assert_int_equal(store_trouble(s), STORE_GONE);
    struct journey_version v;
    assert_true(enter_journey(s, SPAN("shop"), 7, NOON, &v).failed);
    must(store_renew(s, NOON + 61, &opened)); /* moves nothing aside */
    assert_false(opened.created || opened.moved_aside);
    struct refill r = what_is_known();
    must(store_refill(s, &r));
    must(store_here(s));
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_file_that_stays_is_here, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_deleted_file_is_written_anew, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(damage_moves_the_file_aside, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(anothers_file_is_left_alone, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(a_copy_in_its_place_goes_on, scratch_make, scratch_remove),
        cmocka_unit_test_setup_teardown(what_cannot_be_filled_is_filled_later, scratch_make,
                                        scratch_remove),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
