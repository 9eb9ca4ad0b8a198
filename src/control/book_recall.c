/* SPDX-License-Identifier: Apache-2.0 */
/* book_recall.c - what the store knows of the journeys of a configuration: totals, the last six hours for the ring, where longer
 * windows begin. Blocking; the control thread only takes the result over. */
#include "control/book.h"

#include "base/check.h"
#include "core/rebuild.h"

#include <stdlib.h>

void book_long_windows(const struct journey *j, struct window_starts *ret_starts)
{
    *ret_starts = (struct window_starts){};
    for (unsigned i = LOOKBACK_COUNT - LOOKBACKS_LONG; i < LOOKBACK_COUNT; i++)
        ret_starts->list[ret_starts->count++].window_s = lookbacks[i].seconds;
    for (size_t o = 0; o < j->objective_count; o++) {
        int64_t window_s = j->objectives[o].window_s;
        bool known = window_s <= WINDOW_SPAN_S;
        for (unsigned i = 0; i < ret_starts->count; i++)
            known |= ret_starts->list[i].window_s == window_s;
        if (!known)
            ret_starts->list[ret_starts->count++].window_s = window_s;
    }
}

static err recall_start(struct store *store, uint32_t version, int64_t unix_now,
                        struct window_start *ret)
{
    int64_t at = unix_now - ret->window_s;
    struct sample node;

    TRY(samples_at(store, version, at, &ret->counters));
    at = ret->counters.at > at ? ret->counters.at : at;
    TRY(samples_at(store, NODE_VERSION, at, &node));
    ret->node_measured_ms = node.counts[NODE_MEASURED_MS];
    ret->known = true;
    return OK;
}

/* ---- the ring */

/* The node's measured time in the last six hours, in order of time; for all journeys. */
struct measured {
    struct sample_list list;
    size_t next;
    uint64_t ms;
};

/* As it stood at `at`; asked in order of time. */
static uint64_t measured_at(struct measured *m, int64_t at)
{
    while (m->next < m->list.count && m->list.samples[m->next].at <= at)
        m->ms = m->list.samples[m->next++].counts[NODE_MEASURED_MS];
    return m->ms;
}

struct ring {
    struct journey_memory *memory;
    unsigned objectives;
    bool queried; /* a query that failed is time that was not measured */
    int64_t slot_now;
    int64_t unix_now;
    uint64_t columns[WINDOW_COUNTERS_MAX];
};

/* A row is never below the one before it: where the wall clock stepped back, what the earlier epoch said stands. */
static void put_row(struct ring *r, int64_t at, const uint64_t counts[SERIES_MAX], uint64_t ms)
{
    struct journey_memory *m = r->memory;
    int64_t slot = r->slot_now - (r->unix_now - at) / WINDOW_SLOT_S;
    unsigned series = series_count(r->objectives);
    bool first = m->window_memory == NULL;
    uint64_t lost = r->queried ? counts[SERIES_UNQUERIED_MS] : 0;

    ms = ms > lost ? ms - lost : 0;
    for (unsigned i = 0; i < series; i++)
        r->columns[i] = counts[i] > r->columns[i] ? counts[i] : r->columns[i];
    r->columns[series] = ms > r->columns[series] ? ms : r->columns[series];
    if (first) { /* one slot earlier, so that what comes next does not take the place of the begin */
        m->window_memory = malloc(window_bytes(series + 1, BOOK_WIDE_COLUMNS));
        check(m->window_memory != NULL);
        window_begin(&m->window, m->window_memory, series + 1, BOOK_WIDE_COLUMNS, slot, r->columns);
        return;
    }
    slot = slot > m->window.last ? slot : m->window.last;
    window_push(&m->window, slot < r->slot_now ? slot : r->slot_now, r->columns);
}

/* Rows of both lists together: the measured time goes on while nothing is counted. */
static err recall_ring(struct store *store, struct measured *measured, struct ring *r)
{
    struct sample_list list;
    const struct sample_list *node = &measured->list;
    uint64_t counts[SERIES_MAX] = {};
    int64_t from = r->unix_now - WINDOW_SPAN_S;
    size_t i = 0;

    TRY(samples_since(store, r->memory->version.id, from, &list));
    measured->next = 0;
    measured->ms = 0;
    if (list.count > 0)
        measured_at(measured, list.samples[0].at); /* before that there was nothing to measure */
    while (i < list.count || (i > 0 && measured->next < node->count)) {
        bool of_node = i == list.count || (measured->next < node->count &&
                                           node->samples[measured->next].at < list.samples[i].at);
        int64_t at = of_node ? node->samples[measured->next].at : list.samples[i].at;
        if (!of_node)
            memcpy(counts, list.samples[i++].counts, sizeof(counts));
        put_row(r, at < from ? from : at, counts, measured_at(measured, at));
    }
    sample_list_free(&list);
    return OK;
}

/* ---- what became of counts */

static void put_name(const struct journey *j, unsigned o, struct str *out)
{
    str_print(out, "'%.*s'", SPAN_ARG(j->objectives[o].name));
}

void book_tell_journey(const struct journey *j, const struct journey_memory *m, struct str *out)
{
    const struct journey_version *v = &m->version;

    if (v->rebuilt) {
        str_print(out,
                  "version %u goes on with the counts of before: what its objectives lack is "
                  "rebuilt from histograms, in "
                  "steps of five minutes",
                  v->number);
        return;
    }
    if (!v->missed) {
        if (v->created && v->number > 1)
            str_print(
                out,
                "counts begin anew with version %u: other requests are counted, or others fail",
                v->number);
        return;
    }
    if (v->created)
        str_print(out, "counts begin anew with version %u: those of ", v->number);
    else
        str_print(
            out,
            "version %u is back with the counts that it had, without what came meanwhile: that of ",
            v->number);
    put_name(j, v->missing, out);
    str_literal(out, " cannot be rebuilt, ");
    rebuild_put_edges(j->objectives[v->missing].under, out);
}

void book_tell(const struct config *c, const struct journey_memory *memories, struct str *out)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        struct str line = str_growing();
        book_tell_journey(&c->journeys[i], &memories[i], &line);
        if (line.n)
            str_print(out, "%.*s: %.*s\n", SPAN_ARG(c->journeys[i].name),
                      SPAN_ARG(str_span(&line)));
        str_free(&line);
    }
}

/* ---- all of it */

struct journey_meaning book_meaning(const struct journey *j)
{
    struct journey_meaning m = { .name = j->name,
                                 .definition = j->definition,
                                 .basis = j->basis,
                                 .objectives = (unsigned)j->objective_count };

    for (size_t i = 0; i < j->objective_count; i++)
        m.under[i] = j->objectives[i].under;
    return m;
}

static err recall_journey(struct store *store, const struct journey *j, ns_t now, int64_t unix_now,
                          struct measured *measured, struct journey_memory *m)
{
    struct ring ring = { .memory = m,
                         .objectives = (unsigned)j->objective_count,
                         .queried = j->query != NULL,
                         .slot_now = book_slot(now),
                         .unix_now = unix_now };

    struct journey_meaning meaning = book_meaning(j);
    TRY(journey_version(store, &meaning, succession_newest(m->succession), unix_now, &m->version));
    TRY(samples_total(store, m->version.id, &m->total));
    book_long_windows(j, &m->starts);
    for (unsigned i = 0; i < m->starts.count; i++)
        TRY(recall_start(store, m->version.id, unix_now, &m->starts.list[i]));
    return m->has_ring ? OK : recall_ring(store, measured, &ring);
}

/* Later answers about where windows begin come with the jobs. */
err book_recall(struct store *store, const struct config *c, ns_t now, int64_t unix_now,
                struct journey_memory *memories)
{
    struct measured measured = {};

    TRY(samples_since(store, NODE_VERSION, unix_now - WINDOW_SPAN_S, &measured.list));
    err e = OK;
    for (size_t i = 0; i < c->journey_count && !e.failed; i++)
        e = recall_journey(store, &c->journeys[i], now, unix_now, &measured, &memories[i]);
    sample_list_free(&measured.list);
    if (e.failed)
        book_forget(memories, c->journey_count);
    return e;
}

void book_forget(struct journey_memory *memories, size_t count)
{
    for (size_t i = 0; memories && i < count; i++) {
        free(memories[i].window_memory);
        memories[i].window_memory = NULL;
        succession_free(memories[i].succession);
        memories[i].succession = NULL;
    }
}
