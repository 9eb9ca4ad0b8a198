/* SPDX-License-Identifier: Apache-2.0 */
/* scenarios_clock.c - the wall clock is set, on and back, by seconds or minutes, while requests go on. No count may depend on
 * it, nor any window of them; of the time only the second in which it happened is missing. All of that holds for the next
 * process too, which knows what the store knows. */
#include "scenarios.h"

#include "store/inspect.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { STEPS = 7, SURE_MS = 900, MOST_MS = 1200 }; /* a tick is about a second */

static void small_plan(struct sim *s, struct plan *p)
{
    ordinary_plan(s, p);
    p->size = up_to(s, 500);
}

/* More than slewing does, and up to twenty minutes. */
static void set_clock(struct sim *s)
{
    ns_t seconds = one_in(s, 3) ? 3 + (ns_t)pick(s, 57) : 60 + (ns_t)pick(s, 1140);

    s->wall_ahead += (one_in(s, 2) ? 1 : -1) * seconds * NS_PER_S;
    sim_trace(s->world, "the clock is %d s ahead", (int)(s->wall_ahead / NS_PER_S));
}

/* Whoever listens is told of each step, and of nothing else. */
static void compare_told(struct sim *s, unsigned steps)
{
    const struct notices *n = &s->control.notices;
    unsigned told = 0;

    for (uint64_t i = n->oldest; i < n->next; i++)
        told += n->kept[i % NOTICES_KEPT].kind == NOTICE_CLOCK;
    SIM_CHECK(s, told == steps, "it is told %u times that the clock was set, which was %u times",
              told, steps);
}

/* Each of these windows began before the first request. */
static void compare_windows(struct sim *s)
{
    static const int64_t windows[] = { 3600, 21600, 86400, 2419200 };

    for (unsigned n = 0; n < KIT_JOURNEYS * COUNT(windows); n++) {
        const struct journey *j = &control_config(&s->control)->journeys[n / COUNT(windows)];
        const struct account *a = book_account(&s->control.book, j);
        int64_t seconds = windows[n % COUNT(windows)];
        uint64_t all[SERIES_MAX];
        struct window_counts w;
        book_live(&s->control.book, a, all);
        book_window(&s->control.book, a, seconds, &w);
        SIM_CHECK(s, memcmp(all, w.counts, SERIES_OBJECTIVES * sizeof(all[0])) == 0,
                  "%s: the window of %d s holds %lu good, %lu slow, %lu failed; counted were %lu, "
                  "%lu, %lu",
                  a->name, (int)seconds, (unsigned long)w.counts[SERIES_GOOD],
                  (unsigned long)w.counts[SERIES_SLOW], (unsigned long)w.counts[SERIES_FAILED],
                  (unsigned long)all[SERIES_GOOD], (unsigned long)all[SERIES_SLOW],
                  (unsigned long)all[SERIES_FAILED]);
    }
}

/* The second of each step is missing, and no other. */
static void compare_measured(struct sim *s, ns_t begun, unsigned steps)
{
    int64_t passed = (sim_now(s->world) - begun) / NS_PER_MS;
    int64_t missing = passed - (int64_t)coverage_ms(&s->control.book.coverage);

    SIM_CHECK(s, missing >= (int64_t)steps * SURE_MS && missing <= ((int64_t)steps + 1) * MOST_MS,
              "%d of %d ms were not measured, the clock was set %u times", (int)missing,
              (int)passed, steps);
    SIM_CHECK(s, samples_epoch(s->scribe.store) == 1 + steps,
              "%d epochs, the clock was set %u times", (int)samples_epoch(s->scribe.store), steps);
}

/* Rows, and histograms: whichever slot an answer is in, it is in one. */
static void compare_stored(struct sim *s)
{
    struct inspection found = { .state = INSPECTION_WHOLE };

    inspect_rows(s->scribe.store, &found);
    SIM_CHECK(s, found.finding_count == 0, "%s", found.findings[0]);
    for (unsigned i = 0; i < KIT_JOURNEYS; i++) {
        const struct account *a =
            book_account(&s->control.book, &control_config(&s->control)->journeys[i]);
        uint64_t bins[HISTOGRAM_BINS] = {};
        uint64_t all[SERIES_MAX];
        book_live(&s->control.book, a, all);
        err e = histogram_between(s->scribe.store, book_bins_version(&s->control.book, a), 0,
                                  INT64_MAX, bins);
        SIM_CHECK(s, !e.failed && histogram_total(bins) == all[SERIES_GOOD] + all[SERIES_SLOW],
                  "%s: the stored histograms hold %lu of %lu answers", a->name,
                  (unsigned long)histogram_total(bins),
                  (unsigned long)(all[SERIES_GOOD] + all[SERIES_SLOW]));
    }
    inspection_free(&found);
}

static void compare_memory(struct sim *s, const struct journey *j, const struct journey_memory *m)
{
    uint64_t all[SERIES_MAX];
    uint64_t deltas[WINDOW_COUNTERS_MAX];
    uint64_t measured = coverage_ms(&s->control.book.coverage);
    unsigned columns = book_columns((unsigned)j->objective_count);

    book_live(&s->control.book, book_account(&s->control.book, j), all);
    window_delta(&m->window, WINDOW_SLOTS, deltas);
    for (unsigned c = 0; c < SERIES_OBJECTIVES; c++)
        SIM_CHECK(s, deltas[c] == all[c], "%.*s: of %s the next process knows %lu, not %lu",
                  SPAN_ARG(j->name), c == SERIES_GOOD ? "good" : "another",
                  (unsigned long)deltas[c], (unsigned long)all[c]);
    SIM_CHECK(s, deltas[columns - 1] <= measured && deltas[columns - 1] + 1000 >= measured,
              "%.*s: the next process knows of %lu measured ms, not %lu", SPAN_ARG(j->name),
              (unsigned long)deltas[columns - 1], (unsigned long)measured);
    for (unsigned w = 0; w < m->starts.count; w++) {
        const struct window_start *start = &m->starts.list[w];
        uint64_t before = 0;
        for (unsigned c = 0; c < SERIES_OBJECTIVES; c++)
            before += start->counters.counts[c];
        SIM_CHECK(s, before == 0, "%.*s: the next process takes %lu counts for older than %d s",
                  SPAN_ARG(j->name), (unsigned long)before, (int)start->window_s);
    }
}

static void compare_next_process(struct sim *s)
{
    const struct config *c = control_config(&s->control);
    struct journey_memory memories[KIT_JOURNEYS] = {};
    err e = book_recall(s->scribe.store, c, s->control_reactor.now,
                        s->control.parts.wall() / NS_PER_S, memories);

    SIM_CHECK(s, !e.failed, "%s", e.text);
    for (unsigned i = 0; i < KIT_JOURNEYS && !e.failed; i++)
        compare_memory(s, &c->journeys[i], &memories[i]);
    book_forget(memories, KIT_JOURNEYS);
}

void clock_is_set(struct sim *s)
{
    unsigned steps = 0;

    choppy_network(s);
    sim_start(s);
    ns_t begun = sim_now(s->world);
    for (unsigned i = 0; i < 5; i++)
        client_start(s, &(struct client_script){ .requests = 60,
                                                 .pipeline = 1 + up_to(s, 2),
                                                 .think_ms = 3000,
                                                 .read_size = 16384,
                                                 .plan = small_plan });
    for (; steps < STEPS && s->clients_running; steps++) {
        sim_pass(s, SECONDS(2) + (ns_t)pick(s, 20) * NS_PER_S + up_to(s, 999) * NS_PER_MS);
        set_clock(s);
    }
    sim_run(s, SECONDS(300));
    sim_pass(s, SECONDS(3));
    compare_measured(s, begun, steps);
    compare_told(s, steps);
    compare_windows(s);
    sim_pass(s, SECONDS(65)); /* where the long windows begin is asked each minute */
    compare_windows(s);
    finish(s, SECONDS(10));
    if (s->failure[0])
        return;
    compare_stored(s);
    compare_next_process(s);
}
