/* SPDX-License-Identifier: Apache-2.0 */
/* test_book_late.c - events that are told late count when they happened: in the ring, in the store's minutes and histograms, and
 * in the ring that the next process makes of them; beside a plain list of all events. Also when the store takes nothing for
 * a while. Late ones are good, those of now failed, so that each can be told from the other. */
#include "configs.h"

#include "base/rand.h"
#include "control/book.h"
#include "control/registry.h"
#include "bus/tally.h"
#include "../store/scratch.h"

enum {
    TICK_S = WINDOW_SLOT_S,
    HOURS = 9,
    TICKS = HOURS * 3600 / TICK_S,
    EVENTS_MAX = 40000,
    BORN = 65, /* the first minute of a history, in seconds since NOON: it begins at 5 */
};

/* Everything happens five seconds into a slot. */
static int64_t unix_of(int tick)
{
    return NOON + (int64_t)tick * TICK_S + 5;
}

struct program {
    struct store *store;
    struct registry registry;
    struct counter_page page;
    struct book book;
    struct config *config;
    ns_t monotonic; /* at tick 0 */
};

static int happened[EVENTS_MAX]; /* ticks of the late ones */
static int told[EVENTS_MAX];     /* and when they were told */
static size_t late_count;
static uint64_t failed_at[TICKS];

static struct config *read_config(void)
{
    return read_good("listen: { http: 127.0.0.1:8080 }\n"
                     "services: { shop: { instances: [127.0.0.1:9101] } }\n"
                     "journeys: { mail: { kind: job, objectives: { done: { target: 99% }, "
                     "soon: { target: 90%, under: 1s } } } }\n");
}

static ns_t now_of(const struct program *p, int tick)
{
    return p->monotonic + (ns_t)tick * TICK_S * NS_PER_S;
}

static void start(struct program *p, const char *path, int tick)
{
    struct store_opened opened;
    struct journey_memory memories[2] = {};
    struct sample node = {};
    int64_t epoch;

    *p = (struct program){ .monotonic = (tick ? 1000005 : 7005) * NS_PER_S };
    must(store_open(&(struct store_options){ .path = path, .now = unix_of(tick) }, &p->store,
                    &opened));
    must(epoch_begin(p->store, unix_of(tick), SPAN("test"), &epoch));
    must(samples_total(p->store, NODE_VERSION, &node));
    counter_page_open(&p->page);
    registry_open(&p->registry);
    book_open(&p->book, node.counts[NODE_MEASURED_MS], now_of(p, tick), unix_of(tick));
    book_add_page(&p->book, &p->page);
    p->config = read_config();
    must(registry_assign(&p->registry, p->config));
    must(book_recall(p->store, p->config, now_of(p, tick), unix_of(tick), memories));
    book_adopt(&p->book, p->config, memories, now_of(p, tick), unix_of(tick));
}

static void stop(struct program *p)
{
    book_close(&p->book);
    registry_close(&p->registry);
    counter_page_close(&p->page);
    config_free(p->config);
    store_close(p->store);
}

static const struct journey *mail(const struct program *p)
{
    return &p->config->journeys[0];
}

static const struct account *account(const struct program *p)
{
    return book_account(&p->book, mail(p));
}

/* Of every third more than a second: slow. */
static ns_t took(int tick)
{
    return (ns_t)(1 + tick % 7) * (tick % 3 ? 10 : 1000) * NS_PER_MS;
}

static struct verdict count(struct program *p, enum outcome o, ns_t t)
{
    const struct journey *j = mail(p);
    struct verdict v = verdict_told(&j->rules, o, t);

    tally_verdict(&p->page, &j->slots, v, t);
    return v;
}

/* Some that happened up to six hours ago, but not before there was a history. */
static void tell_late(struct program *p, struct rng *r, int tick)
{
    struct late_event list[64];
    size_t n = rng_below(r, 64);

    for (size_t i = 0; i < n; i++) {
        int most = tick < WINDOW_SLOTS ? tick : WINDOW_SLOTS - 1;
        int at = tick - (int)rng_below(r, (uint64_t)most + 1);
        ns_t t = took(at);
        struct verdict v = count(p, OUTCOME_GOOD, t);
        list[i] = (struct late_event){ .journey = mail(p),
                                       .ago = (ns_t)(tick - at) * TICK_S * NS_PER_S,
                                       .verdict = v,
                                       .took = t };
        assert_true(late_count < EVENTS_MAX);
        told[late_count] = tick;
        happened[late_count++] = at;
    }
    book_late(&p->book, list, n, now_of(p, tick), unix_of(tick));
}

static void store_now(struct program *p, int tick, bool works, bool last)
{
    struct scribe_job *job = book_job(&p->book, unix_of(tick), last);

    assert_non_null(job);
    if (works) {
        scribe_do_job(p->store, job);
        must(job->result);
    }
    book_job_done(&p->book, job);
}

/* ---- what must be said */

static uint64_t late_between(int from, int to)
{
    uint64_t n = 0;

    for (size_t i = 0; i < late_count; i++)
        n += happened[i] > from && happened[i] <= to;
    return n;
}

static uint64_t timed(const uint64_t counts[SERIES_MAX])
{
    return counts[SERIES_GOOD] + counts[SERIES_SLOW];
}

static void check_ring(const struct program *p, int tick, int slots)
{
    struct window_counts w;
    uint64_t failed = 0;
    uint64_t slow = 0;
    uint64_t sum_us = 0;

    book_window(&p->book, account(p), (int64_t)slots * TICK_S, &w);
    for (int t = tick - slots + 1; t <= tick; t++)
        failed += t >= 0 ? failed_at[t] : 0;
    for (size_t i = 0; i < late_count; i++) {
        if (happened[i] <= tick - slots)
            continue;
        slow += took(happened[i]) >= NS_PER_S;
        sum_us += (uint64_t)(took(happened[i]) / NS_PER_US);
    }
    assert_int_equal(timed(w.counts), late_between(tick - slots, tick));
    assert_int_equal(w.counts[SERIES_SLOW], slow);
    assert_int_equal(w.counts[SERIES_LATENCY_SUM_US], sum_us);
    assert_int_equal(w.counts[series_bad(1)], slow);
    assert_int_equal(w.counts[SERIES_FAILED], failed);
    assert_int_equal(w.counts[series_bad(0)], failed);
}

/* Late ones at each minute; those that were told within their minute are kept with the next one, as all are. Those of now never
 * fall. */
static void check_minutes(const struct program *p, int tick)
{
    uint64_t failed = 0;

    for (int64_t s = 0; s < (int64_t)tick * TICK_S - 60; s += 60) {
        struct sample found;
        uint64_t expected = 0;
        uint64_t perhaps = 0;
        must(samples_at(p->store, account(p)->version, NOON + s, &found));
        for (size_t i = 0; i < late_count; i++) {
            int64_t minute = ((int64_t)happened[i] * TICK_S + 5) / 60 * 60 + 60;
            bool counts = (minute > BORN ? minute : BORN) <= s;
            expected += counts && minute < (int64_t)told[i] * TICK_S + 5;
            perhaps += counts;
        }
        if (timed(found.counts) < expected || timed(found.counts) > perhaps)
            fail_msg("tick %d, minute %d: %lu, by hand %lu to %lu", tick, (int)(s / 60),
                     (unsigned long)timed(found.counts), (unsigned long)expected,
                     (unsigned long)perhaps);
        assert_true(found.counts[SERIES_FAILED] >= failed);
        failed = found.counts[SERIES_FAILED];
    }
}

/* What is told within some minutes may be in the slot that is running when it is told, as all are; and a full disk makes that
 * one longer. The rest is where it belongs, and all of it somewhere. */
enum { SOON = 130 };

static void check_histograms(const struct program *p, int tick)
{
    uint64_t all = 0;

    for (int t = 0; t <= tick + SOON; t += HISTOGRAM_SLOT_S / TICK_S) {
        uint64_t bins[HISTOGRAM_BINS] = {};
        uint64_t sure = 0;
        uint64_t perhaps = 0;
        int end = t + HISTOGRAM_SLOT_S / TICK_S;
        must(histogram_between(p->store, account(p)->version, NOON + t * TICK_S,
                               NOON + end * TICK_S, bins));
        for (size_t i = 0; i < late_count; i++) {
            bool soon = told[i] - happened[i] <= SOON;
            sure += !soon && happened[i] >= t && happened[i] < end;
            perhaps += soon && happened[i] >= t - SOON && happened[i] < end + SOON;
        }
        uint64_t n = histogram_total(bins);
        all += n;
        if (n < sure || n > sure + perhaps)
            fail_msg("slot at tick %d: %lu, by hand %lu and up to %lu more", t, (unsigned long)n,
                     (unsigned long)sure, (unsigned long)perhaps);
    }
    assert_int_equal(all, late_count);
}

static void run(struct program *p, struct rng *r, int from, int to)
{
    for (int t = from; t < to; t++) {
        failed_at[t] = rng_below(r, 4);
        for (uint64_t i = 0; i < failed_at[t]; i++)
            count(p, OUTCOME_FAILED, 0);
        if (rng_below(r, 9) == 0)
            tell_late(p, r, t);
        book_tick(&p->book, now_of(p, t));
        if (rng_below(r, 200) == 0) /* between two pushes it is there as well */
            tell_late(p, r, t);
        bool works =
            t % 1000 < 900 || t == to - 1; /* at times the disk is full for a quarter of an hour */
        store_now(p, t, works, t == to - 1);
        if (t % 97 == 0 || t == to - 1) {
            for (int slots = 6; slots <= WINDOW_SLOTS; slots += 6 * (int)(1 + rng_below(r, 60)))
                check_ring(p, t, slots);
            check_ring(p, t, 1);
        }
    }
    check_minutes(p, to - 1);
    check_histograms(p, to - 1);
}

/* A window that began with a tick; what was told within its minute is where it was told. */
static void check_recalled(uint64_t n, int begin)
{
    uint64_t sure = 0;
    uint64_t perhaps = 0;

    for (size_t i = 0; i < late_count; i++) {
        bool soon = told[i] - happened[i] <= 6;
        sure += !soon && happened[i] > begin;
        perhaps += happened[i] == begin || (soon && happened[i] >= begin - 6);
    }
    if (n < sure || n > sure + perhaps)
        fail_msg("since tick %d: %lu, by hand %lu and up to %lu more", begin, (unsigned long)n,
                 (unsigned long)sure, (unsigned long)perhaps);
}

static void they_count_when_they_happened(void **state)
{
    const char *path = ((struct scratch_folder *)*state)->path;
    static struct program p;
    struct rng r = { 5 };
    int half = TICKS / 2 / 6 * 6;
    struct window_counts w;

    start(&p, path, 0);
    run(&p, &r, 0, half);
    uint64_t live[SERIES_MAX];
    book_live(&p.book, account(&p), live);
    assert_int_equal(timed(live), late_count);
    stop(&p);

    /* the next process makes its ring of what is stored, to the minute */
    start(&p, path, half);
    book_tick(&p.book, now_of(&p, half));
    for (int minutes = 1; minutes <= 240; minutes += 7) {
        book_window(&p.book, account(&p), minutes * 60, &w);
        check_recalled(timed(w.counts), half - minutes * 6);
    }
    memset(failed_at, 0, sizeof(failed_at)); /* to the minute only */
    for (int t = half; t < TICKS; t++) {
        if (rng_below(&r, 9) == 0)
            tell_late(&p, &r, t);
        book_tick(&p.book, now_of(&p, t));
        store_now(&p, t, t % 1000 < 900 || t == TICKS - 1, t == TICKS - 1);
    }
    check_minutes(&p, TICKS - 1);
    book_window(&p.book, account(&p), 86400, &w);
    assert_int_equal(timed(w.counts), late_count);
    stop(&p);
}

/* What lies before there was a journey counts as of its first minute. */
static void before_the_beginning(void **state)
{
    const char *path = ((struct scratch_folder *)*state)->path;
    static struct program p;
    struct late_event e = {};
    struct window_counts w;
    struct sample found;

    late_count = 0;
    start(&p, path, 0);
    for (int t = 0; t < 60; t++) {
        book_tick(&p.book, now_of(&p, t));
        store_now(&p, t, true, false);
    }
    e = (struct late_event){ .journey = mail(&p),
                             .ago = 5 * 3600 * NS_PER_S,
                             .verdict = count(&p, OUTCOME_GOOD, NS_PER_MS),
                             .took = NS_PER_MS };
    book_late(&p.book, &e, 1, now_of(&p, 59), unix_of(59));
    store_now(&p, 59, true, true);
    book_window(&p.book, account(&p), 21600, &w);
    assert_int_equal(w.counts[SERIES_GOOD], 1);
    book_window(&p.book, account(&p), 300, &w);
    assert_int_equal(w.counts[SERIES_GOOD], 0);
    must(samples_at(p.store, account(&p)->version, NOON + BORN - 2, &found));
    assert_int_equal(found.counts[SERIES_GOOD], 0);
    must(samples_at(p.store, account(&p)->version, NOON + BORN, &found));
    assert_int_equal(found.counts[SERIES_GOOD], 1);
    stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_count_when_they_happened, scratch_make,
                                        scratch_remove),
        cmocka_unit_test_setup_teardown(before_the_beginning, scratch_make, scratch_remove),
    };
    return RUN(tests);
}
