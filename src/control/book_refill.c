/* SPDX-License-Identifier: Apache-2.0 */
/* book_refill.c - what the book knows, for a store that was begun anew: each account's counters now, and as they stood when
 * its longer windows began. */
#include "control/book.h"

#include "base/check.h"

#include <stdlib.h>

static int by_time(const void *a, const void *b)
{
    const struct sample *x = a;
    const struct sample *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* Begins of windows that came from the store; others are what this process began with. */
static void add_starts(struct refill_journey *j, const struct account *a, int64_t unix_now)
{
    for (unsigned i = 0; i < a->starts.count; i++) {
        const struct window_start *start = &a->starts.list[i];
        if (start->known && start->counters.at > 0 && start->counters.at < unix_now)
            j->samples[j->sample_count++] = start->counters;
    }
}

static struct refill_journey refill_account(const struct book *b, struct arena *memory,
                                            const struct account *a, int64_t unix_now)
{
    struct refill_journey j = { .name = arena_span(memory, span_from_text(a->name)),
                                .definition = a->definition,
                                .samples = arena_array(memory, struct sample, STARTS_MAX + 1) };

    add_starts(&j, a, unix_now);
    struct sample *newest = &j.samples[j.sample_count++];
    *newest = (struct sample){ .keep = true, .at = unix_now };
    book_cumulative(b, a, newest->counts);
    qsort(j.samples, j.sample_count, sizeof(j.samples[0]), by_time);
    return j;
}

/* The node's measured time at the begin of windows: any account with known begins knows them. */
static struct refill_journey refill_node(const struct book *b, struct arena *memory,
                                         int64_t unix_now)
{
    size_t most = b->account_count * STARTS_MAX + 1;
    struct refill_journey j = { .samples = arena_array(memory, struct sample, most) };

    for (size_t i = 0; i < b->account_count; i++) {
        const struct account *a = &b->accounts[i];
        for (unsigned k = 0; k < a->starts.count; k++) {
            const struct window_start *start = &a->starts.list[k];
            int64_t at = unix_now - start->window_s;
            at = start->counters.at > at ? start->counters.at : at;
            if (start->known && at < unix_now)
                j.samples[j.sample_count++] =
                    (struct sample){ .at = at, .counts = { start->node_measured_ms } };
        }
    }
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
        a->put_timed = UINT64_MAX; /* the running slot is put again */
    }
    b->written_at = r->now;
    b->trouble = OK;
    b->trouble_kind = STORE_NONE;
    b->trouble_since = 0;
}
