/* SPDX-License-Identifier: Apache-2.0 */
/* book_late.c - events that are told of later than they happened. The counters have them as of now; the ring's rows since
 * then, and the store's, are given them too, so that every window says when it was. */
#include "control/book.h"

#include "base/check.h"

#include <stdlib.h>

/* A list that has grown by so many is made short: the same counter of the same minute is one entry. */
enum { LATE_TOGETHER = 4096 };

/* ---- what the store is to be told */

static int by_place(const void *a, const void *b)
{
    const struct late_add *x = a;
    const struct late_add *y = b;
    bool x_bin = x->what >= SERIES_MAX;
    bool y_bin = y->what >= SERIES_MAX;

    if (x->version != y->version)
        return x->version < y->version ? -1 : 1;
    if (x_bin != y_bin)
        return x_bin ? 1 : -1;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    return (x->what > y->what) - (x->what < y->what);
}

/* In order, each once; what the job has stays as it is. */
static void put_together(struct book *b)
{
    size_t count = b->late_count - b->late_given;
    size_t kept = 0;

    if (count == 0)
        return; /* there may be no list */
    struct late_add *list = b->late + b->late_given;
    qsort(list, count, sizeof(list[0]), by_place);
    for (size_t i = 1; i < count; i++) {
        if (by_place(&list[kept], &list[i]) == 0)
            list[kept].n += list[i].n;
        else
            list[++kept] = list[i];
    }
    b->late_count = b->late_given + kept + 1;
}

static void note(struct book *b, const struct account *a, uint32_t what, int64_t at, uint64_t n)
{
    if (b->late_count == b->late_room) {
        if (b->late_count - b->late_given >= LATE_TOGETHER)
            put_together(b);
        if (b->late_count * 2 >= b->late_room) {
            b->late_room = b->late_room ? 2 * b->late_room : LATE_TOGETHER;
            b->late = realloc(b->late, b->late_room * sizeof(b->late[0]));
            check(b->late != NULL);
        }
    }
    b->late[b->late_count++] =
        (struct late_add){ .version = (uint32_t)(a - b->accounts), .what = what, .at = at, .n = n };
}

void book_late_job(struct book *b, struct scribe_job *job)
{
    put_together(b);
    struct late_add *list = arena_array(&job->arena, struct late_add, b->late_count + 1);
    for (size_t i = 0; i < b->late_count; i++) {
        list[i] = b->late[i];
        const struct account *a = &b->accounts[b->late[i].version];
        list[i].version = list[i].what < SERIES_MAX ? a->version : book_bins_version(b, a);
    }
    job->batch.late = list;
    job->batch.late_count = b->late_count;
    b->late_given = b->late_count;
}

void book_late_done(struct book *b, bool stored)
{
    if (stored && b->late_given) {
        b->late_count -= b->late_given;
        memmove(b->late, b->late + b->late_given, b->late_count * sizeof(b->late[0]));
    }
    b->late_given = 0;
}

/* ---- one event */

struct adding {
    struct window_add *list; /* of one account */
    size_t count;
};

static void add_counter(struct book *b, struct account *a, struct adding *k, int64_t slot,
                        int64_t minute, unsigned series, uint64_t n)
{
    k->list[k->count++] = (struct window_add){ .slot = slot, .counter = series, .n = n };
    note(b, a, series, minute, n);
}

/* The running slot takes what happened in it, like anything else. */
static void add_bin(struct book *b, struct account *a, int64_t at, ns_t took)
{
    uint32_t bin = histogram_bin(took);

    if (at >= lineage_of(b, a)->slot_at)
        return;
    if (!a->late_bins)
        a->late_bins = calloc(HISTOGRAM_BINS, sizeof(a->late_bins[0]));
    check(a->late_bins != NULL);
    a->late_bins[bin]++;
    note(b, a, SERIES_MAX + bin, at - at % HISTOGRAM_SLOT_S, 1);
}

static void add_event(struct book *b, struct account *a, struct adding *k,
                      const struct late_event *e, ns_t now, int64_t unix_now)
{
    uint64_t series[SERIES_MAX] = {};
    int64_t slot = book_slot(now - e->ago);
    int64_t at = unix_now - e->ago / NS_PER_S;
    int64_t minute = (at / 60 + 1) * 60; /* what is kept then has it */

    verdict_add(&a->objectives, e->verdict, series);
    for (unsigned i = 0; i < series_count(a->objectives.count); i++) {
        if (series[i])
            add_counter(b, a, k, slot, minute, i, series[i]);
    }
    if (!verdict_timed(e->verdict))
        return;
    add_counter(b, a, k, slot, minute, SERIES_LATENCY_SUM_US, (uint64_t)(e->took / NS_PER_US));
    add_bin(b, a, at, e->took);
}

/* ---- all of them */

static int by_slot(const void *a, const void *b)
{
    const struct window_add *x = a;
    const struct window_add *y = b;

    return (x->slot > y->slot) - (x->slot < y->slot);
}

static void add_all_of(struct book *b, const struct journey *j, const struct late_event *list,
                       size_t count, ns_t now, int64_t unix_now)
{
    struct account *a = &b->accounts[b->by_id[j->id] - 1];
    struct adding k = { .list = calloc(count, SERIES_OF_ONE_MAX * sizeof(k.list[0])) };

    check(k.list != NULL);
    for (size_t i = 0; i < count; i++) {
        if (list[i].journey == j)
            add_event(b, a, &k, &list[i], now, unix_now);
    }
    qsort(k.list, k.count, sizeof(k.list[0]), by_slot);
    window_add_late(&a->window, k.list, k.count);
    free(k.list);
}

/* Each journey that occurs, once. */
void book_late(struct book *b, const struct late_event *list, size_t count, ns_t now,
               int64_t unix_now)
{
    for (size_t i = 0; i < count; i++) {
        bool done = false;
        for (size_t k = 0; k < i && !done; k++)
            done = list[k].journey == list[i].journey;
        if (!done)
            add_all_of(b, list[i].journey, list + i, count - i, now, unix_now);
    }
}
