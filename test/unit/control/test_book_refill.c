/* SPDX-License-Identifier: Apache-2.0 */
/* test_book_refill.c - a damaged store is begun anew from the book: the next process knows the windows all the same. And
 * what is stored of a histogram whose slot began before the wall clock was set back. */
#include "configs.h"

#include "bus/tally.h"
#include "control/book.h"
#include "control/registry.h"
#include "store/refill.h"
#include "store/samples.h"
#include "../store/scratch.h"

#include <fcntl.h>

enum { HOURS = 8, TICKS = HOURS * 360 }; /* of ten seconds: longer than the ring */

struct process {
    struct registry registry;
    struct book book;
    struct counter_page page;
    struct config *config;
};

static struct config *read_config(void)
{
    return read_good(
        "listen: { http: 127.0.0.1:8080 }\n"
        "services: { shop: { instances: [127.0.0.1:9101] } }\n"
        "journeys: { browse: { routes: [GET /b], objectives: { available: { target: 99% } } } }\n");
}

static void start_process(struct process *p, struct store *s, ns_t now, int64_t unix_now)
{
    struct journey_memory memories[2] = {};
    struct sample node = {};

    must(samples_total(s, NODE_VERSION, &node));
    p->config = read_config();
    assert_true(p->config->journey_count <= 2);
    counter_page_open(&p->page);
    registry_open(&p->registry);
    must(registry_assign(&p->registry, p->config));
    book_open(&p->book, node.counts[NODE_MEASURED_MS], now, unix_now);
    book_add_page(&p->book, &p->page);
    must(book_recall(s, p->config, now, unix_now, memories));
    book_adopt(&p->book, p->config, memories, now, unix_now);
    book_forget(memories, p->config->journey_count);
}

static void end_process(struct process *p)
{
    book_close(&p->book);
    counter_page_close(&p->page);
    registry_close(&p->registry);
    config_free(p->config);
}

static void store_job(struct process *p, struct store *s, int64_t unix_now)
{
    struct scribe_job *job = book_job(&p->book, unix_now, false);

    assert_non_null(job);
    scribe_do_job(s, job);
    must(job->result);
    book_job_done(&p->book, job);
}

static void damage(const char *path)
{
    char nonsense[4096];
    int fd = open(path, O_WRONLY);

    memset(nonsense, 'x', sizeof(nonsense));
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, nonsense, sizeof(nonsense), 0), sizeof(nonsense));
    close(fd);
}

static void windows_survive_a_damaged_file(void **state)
{
    const struct scratch_folder *f = *state;
    static const int64_t windows[] = { 300, 1800, 3600, 7200, 21600, 86400, 28 * INT64_C(86400) };
    struct store_opened opened;
    struct store *s;
    struct process p;
    struct arena memory = {};
    int64_t epoch;
    ns_t now = 7777 * NS_PER_S;
    int64_t unix_now = NOON;

    must(store_open(&(struct store_options){ .path = f->path, .now = unix_now }, &s, &opened));
    must(epoch_begin(s, unix_now, SPAN("test"), &epoch));
    start_process(&p, s, now, unix_now);
    for (int t = 1; t <= TICKS; t++) {
        now += 10 * NS_PER_S;
        unix_now += 10;
        counter_add(&p.page, p.config->journeys[0].slots.verdicts + VERDICT_MISSED, 3);
        book_tick(&p.book, now);
        store_job(&p, s, unix_now);
    }
    damage(f->path);
    assert_true(store_here(s).failed);
    must(store_renew(s, unix_now, &opened));
    assert_true(opened.created && opened.moved_aside);
    struct refill r = book_refill(&p.book, &memory, unix_now, SPAN("test"));
    must(store_refill(s, &r));
    book_refilled(&p.book, &r);
    arena_free(&memory);
    end_process(&p);

    /* the next process, ten seconds later */
    now = 99 * NS_PER_S;
    unix_now += 10;
    must(epoch_begin(s, unix_now, SPAN("test"), &epoch));
    start_process(&p, s, now, unix_now);
    const struct account *a = book_account(&p.book, &p.config->journeys[0]);
    uint64_t all[SERIES_MAX];
    book_cumulative(&p.book, a, all);
    assert_int_equal(all[SERIES_GOOD], 3 * TICKS);
    assert_int_equal(all[series_good(0)], 3 * TICKS);
    for (size_t i = 0; i < COUNT(windows); i++) {
        struct window_counts w;
        book_window(&p.book, a, windows[i], &w);
        int64_t counted = windows[i] < 10 * TICKS ? windows[i] : 10 * TICKS; /* seconds */
        int64_t wanted = counted / 10 * 3;
        if (w.counts[SERIES_GOOD] + 21 < (uint64_t)wanted ||
            w.counts[SERIES_GOOD] > (uint64_t)wanted + 21)
            fail_msg("%ld s: %lu instead of some %ld", (long)windows[i],
                     (unsigned long)w.counts[SERIES_GOOD], (long)wanted);
        if (w.measured_ms + 90000 < (uint64_t)counted * 1000 ||
            w.measured_ms > (uint64_t)counted * 1000 + 90000)
            fail_msg("%ld s: %lu ms measured", (long)windows[i], (unsigned long)w.measured_ms);
    }
    end_process(&p);
    store_close(s);
}

static void count_answer(struct process *p)
{
    const struct journey *j = &p->config->journeys[0];

    tally_verdict(&p->page, &j->slots, (struct verdict){ OUTCOME_GOOD, 0 }, 10 * NS_PER_MS);
}

/* Its time comes twice, and each has a slot of its own. */
static void a_slot_that_began_before_the_clock_was_set_back_stays_its_own(void **state)
{
    struct store *s = open_at(":memory:", NULL);
    uint64_t bins[HISTOGRAM_BINS] = {};
    struct process p;

    (void)state;
    begin(s, NOON);
    start_process(&p, s, 7777 * NS_PER_S, NOON);
    store_job(&p, s, NOON + 300); /* the slot of noon is over, the next begins */
    begin(s, NOON + 200);
    count_answer(&p);
    store_job(&p, s, NOON + 201);
    store_job(&p, s, NOON + 300); /* the same time again */
    count_answer(&p);
    store_job(&p, s, NOON + 310);
    uint32_t version = book_bins_version(&p.book, book_account(&p.book, &p.config->journeys[0]));
    must(histogram_between(s, version, 0, INT64_MAX, bins));
    assert_int_equal(histogram_total(bins), 2);
    end_process(&p);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(windows_survive_a_damaged_file, scratch_make,
                                        scratch_remove),
        cmocka_unit_test(a_slot_that_began_before_the_clock_was_set_back_stays_its_own),
    };

    return RUN(tests);
}
