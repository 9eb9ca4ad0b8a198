/* SPDX-License-Identifier: Apache-2.0 */
/* test_samples.c - versions and epochs; what is written is read back, at any time, over restarts
 * and retention, against a plain list of everything that happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rand.h"
#include "core/pack.h"
#include "scratch.h"
#include "store/db.h"

static void a_definition_keeps_its_version(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct journey_version a, again, b, other;

    (void)state;
    begin(s, NOON);
    must(enter_journey(s, SPAN("checkout"), 11, NOON, &a));
    must(enter_journey(s, SPAN("checkout"), 11, NOON + 5, &again));
    must(enter_journey(s, SPAN("checkout"), UINT64_MAX, NOON + 9, &b));
    must(enter_journey(s, SPAN("search"), 11, NOON, &other));
    assert_int_equal(a.number, 1);
    assert_true(a.created && !again.created && b.created && other.created);
    assert_int_equal(again.id, a.id);
    assert_int_equal(b.number, 2);
    assert_int_equal(other.number, 1);
    assert_true(a.id != b.id && a.id != other.id && b.id != other.id);
    assert_true(a.id != NODE_VERSION && b.id != NODE_VERSION && other.id != NODE_VERSION);

    must(enter_journey(s, SPAN("checkout"), 11, NOON + 20, &again));
    assert_int_equal(again.id, a.id);
    assert_int_equal(again.number, 1);
    must(enter_journey(s, SPAN("checkout"), 12, NOON + 30, &again));
    assert_int_equal(again.number, 3);
    store_close(s);
}

static void versions_and_epochs_survive_the_process(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    int64_t first = begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 11);

    store_close(s);
    s = open_at(d->path, NULL);
    assert_true(begin(s, NOON + 60) > first);
    assert_int_equal(version_of(s, "checkout", 11), version);
    store_close(s);
}

static void nothing_written_reads_as_nothing(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    uint64_t bins[HISTOGRAM_BINS] = { 0 };
    struct sample sample = { .at = 77 };
    int64_t at = 77;

    (void)state;
    must(samples_last_write(s, &at));
    assert_int_equal(at, 0);
    must(samples_total(s, 5, &sample));
    assert_int_equal(sample.at, 0);
    must(samples_at(s, 5, NOON, &sample));
    assert_int_equal(sample.at, 0);
    assert_int_equal(sample.counts[0], 0);
    must(histogram_between(s, 5, 0, NOON, bins));
    assert_int_equal(histogram_total(bins), 0);
    store_close(s);
}

static void all_counters_come_back(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct sample in = { .keep = true, .at = NOON + 60 }, out;

    (void)state;
    begin(s, NOON);
    in.version = version_of(s, "checkout", 1);
    for (int i = 0; i < SERIES_MAX; i++)
        in.counts[i] = UINT64_MAX - (uint64_t)i;
    write_one(s, in);
    must(samples_total(s, in.version, &out));
    assert_memory_equal(in.counts, out.counts, sizeof(in.counts));
    assert_int_equal(out.at, NOON + 60);
    assert_int_equal(out.version, in.version);
    must(samples_at(s, in.version, NOON + 61, &out));
    assert_memory_equal(in.counts, out.counts, sizeof(in.counts));
    must(samples_at(s, in.version, NOON + 59, &out)); /* the version's begin */
    assert_int_equal(out.counts[0], 0);
    assert_int_equal(out.at, NOON - 1);
    must(samples_at(s, in.version, NOON - 999, &out));
    assert_int_equal(out.counts[0], 0);
    store_close(s);
}

static void a_batch_is_one_whole(void **state)
{
    struct scratch_folder *d = *state;
    struct store *s = open_at(d->path, NULL);
    struct sample samples[3] = { { .keep = true, .at = NOON + 60, .counts = { 60000 } },
                                 { .keep = true, .at = NOON + 60, .counts = { 7 } },
                                 { .at = NOON + 61, .counts = { 8 } } };
    int64_t at;

    begin(s, NOON);
    samples[1].version = samples[2].version = version_of(s, "checkout", 1);
    must(samples_write(s, &(struct sample_batch){ .samples = samples, .sample_count = 3 }));
    must(samples_write(s, &(struct sample_batch){ 0 }));
    assert_int_equal(total_good(s, NODE_VERSION), 60000);
    assert_int_equal(total_good(s, samples[1].version), 8);
    must(samples_last_write(s, &at));
    assert_int_equal(at, NOON + 61);
    must(samples_at(s, samples[1].version, NOON + 100, &samples[0]));
    assert_int_equal(samples[0].counts[0], 7);
    store_close(s);
}

static void keep(struct store *s, uint32_t version, int64_t at, uint64_t good)
{
    write_one(s, (struct sample){ .version = version, .keep = true, .at = at, .counts = { good } });
}

/* The second between the last kept minute and the end of a process keeps its time. */
static void what_a_killed_process_counted_stays_where_it_was(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct sample out;

    (void)state;
    begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 1);
    keep(s, version, NOON + 60, 10);
    write_one(s, (struct sample){ .version = version, .at = NOON + 95, .counts = { 15 } });
    begin(s, NOON + 400); /* as the next process does */
    keep(s, version, NOON + 420, 18);
    must(samples_at(s, version, NOON + 94, &out));
    assert_int_equal(out.counts[0], 10);
    must(samples_at(s, version, NOON + 300, &out));
    assert_int_equal(out.counts[0], 15);
    must(samples_at(s, version, NOON + 420, &out));
    assert_int_equal(out.counts[0], 18);
    store_close(s);
}

static void expect_good_at(struct store *s, uint32_t version, int64_t at, uint64_t good)
{
    struct sample then;

    must(samples_at(s, version, at, &then));
    if (then.counts[SERIES_GOOD] != good)
        fail_msg("%lu at noon%+ld s, not %lu", (unsigned long)then.counts[SERIES_GOOD],
                 (long)(at - NOON), (unsigned long)good);
}

/* What it counted while it was ahead counts as of when it was set back; the times until then come again. */
static void a_clock_that_was_set_back_gives_each_time_one_answer(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 1);
    for (int m = 1; m <= 10; m++) {
        keep(s, version, NOON + m * 60, (uint64_t)m * 10);
        keep(s, NODE_VERSION, NOON + m * 60, (uint64_t)m * 60000);
    }
    begin(s, NOON + 300); /* five minutes back */
    assert_int_equal(total_good(s, version), 100);
    keep(s, version, NOON + 360, 110);
    assert_int_equal(total_good(s, version), 110);
    expect_good_at(s, version, NOON + 299, 40);
    expect_good_at(s, version, NOON + 300, 100);
    expect_good_at(s, version, NOON + 359, 100);
    expect_good_at(s, version, NOON + 360, 110);
    expect_good_at(s, version, NOON + 540, 110);
    expect_good_at(s, version, NOON - 86400, 0);
    store_close(s);
}

/* As after a start of a machine whose clock has lost its battery. */
static void a_clock_that_is_days_behind_drops_nothing(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 1);
    for (int m = 1; m <= 10; m++) {
        keep(s, version, NOON + m * 60, (uint64_t)m * 10);
        keep(s, NODE_VERSION, NOON + m * 60, (uint64_t)m * 60000);
    }
    begin(s, 1000);
    keep(s, version, 1060, 105);
    begin(s, NOON + 1200);
    expect_good_at(s, version, NOON + 60, 10);
    expect_good_at(s, version, NOON + 300, 50);
    store_close(s);
}

/* As at the first start of a machine whose clock is wrong: all there is lies in the future then. */
static void a_clock_that_was_ahead_from_the_begin_forgets_nothing(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct sample first;

    (void)state;
    begin(s, NOON + 7200);
    struct journey_version v;
    must(enter_journey(s, SPAN("checkout"), 1, NOON + 7200, &v));
    keep(s, NODE_VERSION, NOON + 7260, 60000);
    keep(s, v.id, NOON + 7260, 10);
    keep(s, v.id, NOON + 7320, 20);
    begin(s, NOON);
    keep(s, v.id, NOON + 60, 30);
    expect_good_at(s, v.id, NOON - 86400,
                   0); /* a window that began before all of it holds all of it */
    expect_good_at(s, v.id, NOON, 20);
    expect_good_at(s, v.id, NOON + 60, 30);
    expect_good_at(s, v.id, NOON + 7260, 30);
    must(samples_at(s, v.id, NOON - 86400, &first));
    assert_int_equal(first.at, NOON - 1);
    must(samples_at(s, NODE_VERSION, first.at, &first));
    assert_int_equal(first.counts[NODE_MEASURED_MS], 0);
    store_close(s);
}

static void histogram_put(struct store *s, uint32_t version, int64_t at, ns_t value, uint64_t count)
{
    static char bytes[PACK_HISTOGRAM_MAX];
    struct str out = str_fixed(bytes, sizeof(bytes));
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    bins[histogram_bin(value)] = count;
    pack_histogram(&out, bins, NULL);
    struct histogram_sample h = { .version = version, .at = at, .bins = str_span(&out) };
    must(samples_write(s, &(struct sample_batch){ .histograms = &h, .histogram_count = 1 }));
}

static uint64_t histogram_sum(struct store *s, uint32_t version, int64_t from, int64_t to)
{
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    must(histogram_between(s, version, from, to, bins));
    return histogram_total(bins);
}

static void histograms_are_replaced_within_an_epoch_and_added_over_epochs(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    uint64_t bins[HISTOGRAM_BINS] = { 0 };

    (void)state;
    begin(s, NOON);
    uint32_t a = version_of(s, "checkout", 1), b = version_of(s, "search", 1);
    histogram_put(s, a, NOON, 5 * NS_PER_MS, 10);
    histogram_put(s, a, NOON, 5 * NS_PER_MS, 12); /* the same slot, later */
    histogram_put(s, a, NOON + 300, 7 * NS_PER_MS, 100);
    histogram_put(s, b, NOON, 5 * NS_PER_MS, 1000);
    begin(s, NOON + 200);
    histogram_put(s, a, NOON, 5 * NS_PER_MS, 3); /* the same slot after a restart */
    assert_int_equal(histogram_sum(s, a, NOON, NOON + 300), 15);
    assert_int_equal(histogram_sum(s, a, NOON, NOON + 301), 115);
    assert_int_equal(histogram_sum(s, a, NOON + 1, NOON + 301), 100);
    assert_int_equal(histogram_sum(s, b, NOON, NOON + 600), 1000);
    bins[0] = 1; /* added to what is there */
    must(histogram_between(s, a, NOON, NOON + 600, bins));
    assert_int_equal(bins[0], 1);
    assert_int_equal(bins[histogram_bin(7 * NS_PER_MS)], 100);
    store_close(s);
}

/* Everything that ever happened, minute by minute; versions are 1 to 3 and the node. */
enum { DAYS = 420, STEPS = DAYS * 24 * 60, TRACKS = 4, CHUNK = 2048 };

struct story {
    struct store *s;
    struct rng rng;
    uint64_t (*cumulative)[TRACKS]; /* by minute */
    uint32_t version[TRACKS];
    struct sample *chunk;
    size_t chunk_count;
};

static void flush(struct story *t)
{
    must(samples_write(
        t->s, &(struct sample_batch){ .samples = t->chunk, .sample_count = t->chunk_count }));
    t->chunk_count = 0;
}

/* Track 0 is busy (and the node); 1 now and then; 2 rests for months; 3 rests after its first
 * day. */
static uint64_t events(struct story *t, int track, int minute)
{
    int day = minute / 1440;

    switch (track) {
    case 0: return rng_below(&t->rng, 50) == 0 ? 1 + rng_below(&t->rng, 1000) : 0;
    case 1: return rng_below(&t->rng, 400) == 0 ? 1 : 0;
    case 2: return day % 150 < 2 && rng_below(&t->rng, 30) == 0 ? 1 : 0;
    default: return day < 1 && rng_below(&t->rng, 30) == 0 ? 1 : 0;
    }
}

static void story_minute(struct story *t, int minute)
{
    for (int k = 0; k < TRACKS; k++) {
        uint64_t n = events(t, k, minute);
        t->cumulative[minute][k] = (minute ? t->cumulative[minute - 1][k] : 0) + n;
        if (n == 0)
            continue;
        t->chunk[t->chunk_count++] = (struct sample){
            .version = t->version[k],
            .keep = true,
            .at = NOON + 60 * (int64_t)minute,
            .counts = { t->cumulative[minute][k] },
        };
    }
    if (t->chunk_count > CHUNK - TRACKS)
        flush(t);
}

static void story_tell(struct story *t)
{
    begin(t->s, NOON);
    for (int k = 1; k < TRACKS; k++) {
        char name[] = { (char)('a' + k), 0 };
        t->version[k] = version_of(t->s, name, 1);
    }
    for (int minute = 0; minute < STEPS; minute++) {
        if (rng_below(&t->rng, 20000) == 0) { /* a restart */
            flush(t);
            begin(t->s, NOON + 60 * (int64_t)minute);
        }
        story_minute(t, minute);
    }
    flush(t);
}

static void expect_at(struct story *t, int minute)
{
    struct sample then;

    for (int k = 0; k < TRACKS; k++) {
        must(samples_at(t->s, t->version[k], NOON + 60 * (int64_t)minute, &then));
        if (then.counts[0] != t->cumulative[minute][k])
            fail_msg("track %d at minute %d: %llu instead of %llu", k, minute,
                     (unsigned long long)then.counts[0],
                     (unsigned long long)t->cumulative[minute][k]);
    }
}

static int64_t forget_all(struct store *s, int64_t now)
{
    int64_t steps = 0;

    for (bool more = true; more; steps++)
        must(retention_step(s, now, &more));
    return steps;
}

static void story_begin(struct story *t, const char *path, uint64_t seed)
{
    memset(t, 0, sizeof(*t));
    t->s = open_at(path, NULL);
    t->rng.state = seed;
    t->cumulative = calloc(STEPS, sizeof(*t->cumulative));
    t->chunk = calloc(CHUNK, sizeof(*t->chunk));
    assert_true(t->cumulative && t->chunk);
}

static void story_end(struct story *t)
{
    free(t->cumulative);
    free(t->chunk);
    store_close(t->s);
}

static void history_is_exact_before_and_after_retention(void **state)
{
    struct story t;
    int64_t now = NOON + 60 * (int64_t)(STEPS - 1);

    (void)state;
    story_begin(&t, ":memory:", 17);
    story_tell(&t);
    for (int i = 0; i < 3000; i++)
        expect_at(&t, (int)rng_below(&t.rng, STEPS));

    assert_true(forget_all(t.s, now) > 5);
    for (int i = 0; i < 3000; i++) {
        int day35 = STEPS - KEEP_MINUTES_DAYS * 1440, day400 = STEPS - KEEP_HOURS_DAYS * 1440;
        expect_at(&t, day35 + (int)rng_below(&t.rng, KEEP_MINUTES_DAYS * 1440)); /* any minute */
        int hours = day400 / 60 + 1 + (int)rng_below(&t.rng, (STEPS - day400) / 60 - 1);
        expect_at(&t, hours * 60); /* any whole hour */
    }
    for (int k = 0; k < TRACKS; k++) /* nothing that counts now was forgotten */
        assert_int_equal(total_good(t.s, t.version[k]), t.cumulative[STEPS - 1][k]);
    assert_int_equal(forget_all(t.s, now), 1);
    story_end(&t);
}

static void a_journey_that_rests_for_years_keeps_its_counts(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    struct sample then;

    (void)state;
    begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 1);
    for (int m = 1; m <= 100; m++)
        keep(s, version, NOON + m * 60, (uint64_t)m);
    for (int years = 1; years <= 5; years++) {
        int64_t now = NOON + years * 365 * DAY_S;
        forget_all(s, now);
        must(samples_at(s, version, now - 28 * DAY_S, &then));
        assert_int_equal(then.counts[0], 100);
        assert_int_equal(then.at, NOON + 6000);
    }
    store_close(s);
}

static void old_histograms_are_forgotten(void **state)
{
    struct store *s = open_at(":memory:", NULL);

    (void)state;
    begin(s, NOON);
    uint32_t version = version_of(s, "checkout", 1);
    for (int day = 0; day < 40; day++)
        histogram_put(s, version, NOON + day * DAY_S, NS_PER_MS, 1);
    forget_all(s, NOON + 40 * DAY_S);
    assert_int_equal(histogram_sum(s, version, 0, NOON + 40 * DAY_S), 35);
    assert_int_equal(histogram_sum(s, version, 0, NOON + 5 * DAY_S), 0);
    store_close(s);
}

static void retention_works_in_bounded_steps_and_comes_to_all(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    enum { VERSIONS = 100 };
    uint32_t version[VERSIONS];
    char name[16];
    bool more = true;
    int steps = 0;

    (void)state;
    begin(s, NOON);
    for (int v = 0; v < VERSIONS; v++) {
        snprintf(name, sizeof(name), "j%d", v);
        version[v] = version_of(s, name, 1);
        histogram_put(s, version[v], NOON, NS_PER_MS, 1);
    }
    for (; more; steps++)
        must(retention_step(s, NOON + DAY_S, &more));
    assert_int_equal(steps, 2); /* 101 with the node, 64 a step */
    must(retention_step(s, NOON + 36 * DAY_S, &more));
    assert_true(more);
    assert_int_equal(histogram_sum(s, version[VERSIONS - 1], 0, NOON + 1), 1);
    forget_all(s, NOON + 36 * DAY_S);
    for (int v = 0; v < VERSIONS; v++)
        assert_int_equal(histogram_sum(s, version[v], 0, NOON + 1), 0);
    store_close(s);
}

static int64_t minutes_stored(struct store *s)
{
    int64_t n = -1;

    must(db_read_number(s, "SELECT count(*) FROM minute", &n));
    return n;
}

static void a_step_forgets_no_more_than_its_bound(void **state)
{
    enum { ROWS = 3 * RETENTION_ROWS_MAX / 2 };
    static struct sample samples[ROWS];
    struct store *s = open_at(":memory:", NULL);
    bool more;

    (void)state;
    begin(s, NOON);
    uint32_t a = version_of(s, "a", 1), b = version_of(s, "b", 1);
    for (int i = 0; i < ROWS; i++)
        samples[i] = (struct sample){ .version = i % 3 ? a : b,
                                      .keep = true,
                                      .at = NOON + 60 * (int64_t)(i + 1),
                                      .counts = { (uint64_t)i + 1 } };
    must(samples_write(s, &(struct sample_batch){ .samples = samples, .sample_count = ROWS }));
    must(retention_step(s, NOON + 50 * DAY_S, &more));
    assert_true(more);
    assert_int_equal(minutes_stored(s), ROWS - RETENTION_ROWS_MAX); /* all of a, half of b */
    must(retention_step(s, NOON + 50 * DAY_S, &more));
    assert_int_equal(minutes_stored(s), 0);
    assert_true(more);
    must(retention_step(s, NOON + 50 * DAY_S, &more));
    assert_false(more);
    store_close(s);
}

#define in_scratch(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_definition_keeps_its_version),
        in_scratch(versions_and_epochs_survive_the_process),
        cmocka_unit_test(nothing_written_reads_as_nothing),
        cmocka_unit_test(all_counters_come_back),
        in_scratch(a_batch_is_one_whole),
        cmocka_unit_test(what_a_killed_process_counted_stays_where_it_was),
        cmocka_unit_test(a_clock_that_was_set_back_gives_each_time_one_answer),
        cmocka_unit_test(a_clock_that_was_ahead_from_the_begin_forgets_nothing),
        cmocka_unit_test(a_clock_that_is_days_behind_drops_nothing),
        cmocka_unit_test(histograms_are_replaced_within_an_epoch_and_added_over_epochs),
        cmocka_unit_test(history_is_exact_before_and_after_retention),
        cmocka_unit_test(a_journey_that_rests_for_years_keeps_its_counts),
        cmocka_unit_test(old_histograms_are_forgotten),
        cmocka_unit_test(retention_works_in_bounded_steps_and_comes_to_all),
        cmocka_unit_test(a_step_forgets_no_more_than_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
