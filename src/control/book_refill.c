/* SPDX-License-Identifier: Apache-2.0 */
/* book_refill.c - what the book knows, for a store that was begun anew: each account's counters now, and as they stood when
 * its longer windows began and by the minute in the last six hours. */
#include "control/book.h"

#include "base/check.h"

#include <stdlib.h>

/* The last six hours, by the minute: what the ring of a next process is made from. */
enum { MINUTES = WINDOW_SPAN_S / 60, SLOTS_PER_MINUTE = 60 / WINDOW_SLOT_S };

static int by_time(const void *a, const void *b)
{
    const struct sample *x = a;
    const struct sample *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* Begins of windows that came from the store; others are what this process began with. */
static void add_starts(struct refill_journey *j, const struct account *a, int64_t unix_now)
{
    for (unsigned i = 0; i < a->starts->count; i++) {
        const struct window_start *start = &a->starts->list[i];
        if (start->known && start->counters.at > 0 && start->counters.at < unix_now)
            j->samples[j->sample_count++] = start->counters;
    }
}

static void subtract(uint64_t *counts, unsigned n, const uint64_t *deltas)
{
    for (unsigned i = 0; i < n; i++)
        counts[i] -= deltas[i];
}

/* As the counters stood then, from what came since; a minute in which nothing came needs no sample. */
static void add_ring(struct refill_journey *j, const struct account *a,
                     const uint64_t now[SERIES_MAX], int64_t unix_now)
{
    unsigned series = book_columns(a->objectives.count) - 1;
    uint64_t deltas[WINDOW_COUNTERS_MAX];
    uint64_t last[WINDOW_COUNTERS_MAX] = {};

    for (unsigned m = 1; m <= MINUTES; m++) {
        unsigned slots = m * SLOTS_PER_MINUTE;
        if (window_delta(&a->window, slots, deltas) < slots)
            return;
        if (m > 1 && memcmp(deltas, last, series * sizeof(deltas[0])) == 0)
            j->sample_count--; /* it stood so already a minute before */
        memcpy(last, deltas, series * sizeof(deltas[0]));
        struct sample *s = &j->samples[j->sample_count++];
        *s = (struct sample){ .keep = true, .at = unix_now - (int64_t)m * 60 };
        memcpy(s->counts, now, sizeof(s->counts));
        subtract(s->counts, series, deltas);
    }
}

static struct refill_journey refill_account(const struct book *b, struct arena *memory,
                                            const struct account *a, int64_t unix_now)
{
    const struct lineage *l = lineage_of(b, a);
    struct refill_journey j = { .meaning = { .name = arena_span(memory, span_from_text(a->name)),
                                             .definition = a->definition,
                                             .basis = l->basis,
                                             .objectives = a->objectives.count },
                                .samples =
                                    arena_array(memory, struct sample, STARTS_MAX + MINUTES + 1) };
    uint64_t now[SERIES_MAX];

    memcpy(j.meaning.under, a->under, sizeof(a->under));
    book_cumulative(b, a, now);
    add_ring(&j, a, now, unix_now);
    add_starts(&j, a, unix_now);
    struct sample *newest = &j.samples[j.sample_count++];
    *newest = (struct sample){ .keep = true, .at = unix_now };
    memcpy(newest->counts, now, sizeof(newest->counts));
    qsort(j.samples, j.sample_count, sizeof(j.samples[0]), by_time);
    return j;
}

/* The node's measured time is the last column of every ring; the longest knows most. */
static void add_measured(struct refill_journey *j, const struct book *b, int64_t unix_now)
{
    uint64_t deltas[WINDOW_COUNTERS_MAX];
    uint64_t measured = coverage_ms(&b->coverage);
    const struct account *longest = NULL;

    for (size_t i = 0; i < b->account_count; i++) {
        const struct account *a = &b->accounts[i];
        if (!a->queried && (!longest || a->window.first < longest->window.first))
            longest = a;
    }
    for (unsigned m = 1; longest && m <= MINUTES; m++) {
        unsigned slots = m * SLOTS_PER_MINUTE;
        if (window_delta(&longest->window, slots, deltas) < slots)
            return;
        j->samples[j->sample_count++] = (struct sample){
            .at = unix_now - (int64_t)m * 60,
            .counts = { measured - deltas[book_columns(longest->objectives.count) - 1] }
        };
    }
}

/* The node's measured time at the begin of windows: any account with known begins knows them. */
static struct refill_journey refill_node(const struct book *b, struct arena *memory,
                                         int64_t unix_now)
{
    size_t most = b->account_count * STARTS_MAX + MINUTES + 1;
    struct refill_journey j = { .samples = arena_array(memory, struct sample, most) };

    for (size_t i = 0; i < b->account_count; i++) {
        const struct account *a = &b->accounts[i];
        for (unsigned k = 0; k < a->starts->count; k++) {
            const struct window_start *start = &a->starts->list[k];
            int64_t at = unix_now - start->window_s;
            at = start->counters.at > at ? start->counters.at : at;
            if (start->known && at < unix_now)
                j.samples[j.sample_count++] =
                    (struct sample){ .at = at, .counts = { start->node_measured_ms } };
        }
    }
    add_measured(&j, b, unix_now);
    j.samples[j.sample_count++] =
        (struct sample){ .at = unix_now, .counts = { coverage_ms(&b->coverage) } };
    qsort(j.samples, j.sample_count, sizeof(j.samples[0]), by_time);
    return j;
}

struct refill book_refill(const struct book *b, struct arena *a, int64_t unix_now,
                          struct span program)
{
    struct refill r = { .now = unix_now,
                        .program = arena_span(a, program),
                        .journeys = arena_array(a, struct refill_journey, b->account_count + 1) };

    r.journeys[r.count++] = refill_node(b, a, unix_now);
    for (size_t i = 0; i < b->account_count; i++)
        r.journeys[r.count++] = refill_account(b, a, &b->accounts[i], unix_now);
    return r;
}

void book_refilled(struct book *b, const struct refill *r)
{
    check(r->count == b->account_count + 1);
    for (size_t i = 0; i < b->account_count; i++) {
        struct account *a = &b->accounts[i];
        const struct refill_journey *j = &r->journeys[i + 1];
        a->version = j->version.id;
        a->number = j->version.number;
        memcpy(a->written, j->samples[j->sample_count - 1].counts, sizeof(a->written));
        a->unkept = false;
        struct lineage *l = lineage_of(b, a);
        l->put_timed = UINT64_MAX; /* the running slot is put again */
        l->slot_epoch = 0;
        l->bins_version = j->version.bins;
        a->leads_untold = &b->accounts[l->newest] == a;
    }
    b->late_count = 0; /* it was told of the minutes as they are now */
    b->written_at = r->now;
    b->trouble = OK;
    b->trouble_kind = STORE_NONE;
    b->trouble_since = 0;
}
