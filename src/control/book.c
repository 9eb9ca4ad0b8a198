/* SPDX-License-Identifier: Apache-2.0 */
/* book.c - accounts, their windows, and the jobs for the scribe. */
#include "control/book.h"

#include "base/check.h"
#include "base/log.h"
#include "core/pack.h"

#include <stdlib.h>

/* latency sums pass 2^32 microseconds within a window */
#define WIDE_COLUMNS (UINT32_C(1) << SERIES_LATENCY_SUM_US)

static unsigned columns_of(const struct account *a)
{
    return series_count(a->objectives) + 1; /* and measured milliseconds */
}

static int64_t slot_of(ns_t now)
{
    return now / (WINDOW_SLOT_S * NS_PER_S);
}

void book_open(struct book *b, uint64_t measured_ms, ns_t now, int64_t unix_now)
{
    *b =
        (struct book){ .slot_at = unix_now - unix_now % HISTOGRAM_SLOT_S, .minute = unix_now / 60 };
    coverage_begin(&b->coverage, measured_ms, now);
}

void book_close(struct book *b)
{
    for (size_t i = 0; i < b->account_count; i++) {
        free(b->accounts[i].name);
        free(b->accounts[i].window_memory);
        free(b->accounts[i].slot_bins);
        free(b->accounts[i].older_bins);
    }
    free(b->accounts);
    *b = (struct book){};
}

void book_add_page(struct book *b, const struct counter_page *p)
{
    check(b->page_count < WORKERS_MAX + 1);
    b->pages[b->page_count++] = p;
}

uint64_t book_sum(const struct book *b, uint32_t slot)
{
    return counter_sum(b->pages, b->page_count, slot);
}

/* ---- figures */

void book_live(const struct book *b, const struct account *a, uint64_t ret_counts[SERIES_MAX])
{
    for (unsigned i = 0; i < SERIES_MAX; i++)
        ret_counts[i] = i < series_count(a->objectives) ? book_sum(b, a->series + i) : 0;
}

void book_cumulative(const struct book *b, const struct account *a, uint64_t ret_counts[SERIES_MAX])
{
    book_live(b, a, ret_counts);
    accumulate(SERIES_MAX, a->base, ret_counts, ret_counts);
}

void book_recent(const struct book *b, const struct account *a, unsigned seconds,
                 uint64_t ret_counts[SERIES_MAX], double *ret_measured_s)
{
    uint64_t deltas[WINDOW_COUNTERS_MAX];

    (void)b;
    window_delta(&a->window, seconds / WINDOW_SLOT_S, deltas);
    for (unsigned i = 0; i < SERIES_MAX; i++)
        ret_counts[i] = i < series_count(a->objectives) ? deltas[i] : 0;
    *ret_measured_s = (double)deltas[columns_of(a) - 1] / 1000;
}

struct slo_counts book_objective(const struct book *b, const struct account *a, unsigned o,
                                 int64_t window_s, double *ret_coverage)
{
    uint64_t now[SERIES_MAX];
    uint64_t within[SERIES_MAX];
    const struct window_start *start = &a->starts[o];

    book_cumulative(b, a, now);
    series_delta(SERIES_MAX, now, start->known ? start->counters.counts : a->base, within);
    uint64_t measured = coverage_ms(&b->coverage);
    uint64_t before =
        start->known ? start->node_measured_ms : (uint64_t)(b->coverage.base / NS_PER_MS);
    *ret_coverage = slo_coverage(measured > before ? measured - before : 0, window_s);
    return (struct slo_counts){ .good = within[series_good(o)], .bad = within[series_bad(o)] };
}

void book_histogram(const struct book *b, const struct account *a,
                    uint64_t ret_bins[HISTOGRAM_BINS])
{
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        ret_bins[i] = book_sum(b, a->histogram + i) - a->older_bins[i];
}

/* ---- accounts */

static struct account *find_account(const struct book *b, struct span name, uint64_t definition)
{
    for (size_t i = 0; i < b->account_count; i++) {
        struct account *a = &b->accounts[i];
        if (a->definition == definition && span_equal(span_from_text(a->name), name))
            return a;
    }
    return NULL;
}

const struct account *book_account(const struct book *b, const struct journey *j)
{
    const struct account *a = find_account(b, j->name, j->definition);

    check(a != NULL);
    return a;
}

static void remember(struct account *a, const struct journey_memory *m)
{
    a->version = m->version.id;
    a->number = m->version.number;
    memcpy(a->base, m->total.counts, sizeof(a->base));
    memcpy(a->written, m->total.counts, sizeof(a->written));
    a->base_at = m->total.at;
}

/* The ring begins with what the counters hold now. */
static void begin_window(struct book *b, struct account *a, ns_t now)
{
    uint64_t columns[WINDOW_COUNTERS_MAX] = {};
    unsigned count = columns_of(a);

    book_cumulative(b, a, columns);
    columns[count - 1] = coverage_ms(&b->coverage);
    a->window_memory = malloc(window_bytes(count, WIDE_COLUMNS));
    check(a->window_memory != NULL);
    window_begin(&a->window, a->window_memory, count, WIDE_COLUMNS, slot_of(now), columns);
}

static void open_account(struct book *b, const struct journey *j, const struct journey_memory *m,
                         ns_t now)
{
    struct account a = { .definition = j->definition,
                         .number = 1,
                         .series = j->series,
                         .histogram = j->histogram,
                         .objectives = (unsigned)j->objective_count };

    if (m)
        remember(&a, m);
    a.name = strndup(j->name.p, j->name.n);
    a.slot_bins = calloc(HISTOGRAM_BINS, sizeof(a.slot_bins[0]));
    a.older_bins = calloc(HISTOGRAM_BINS, sizeof(a.older_bins[0]));
    b->accounts = realloc(b->accounts, (b->account_count + 1) * sizeof(a));
    check(a.name && a.slot_bins && a.older_bins && b->accounts);
    begin_window(b, &a, now);
    b->accounts[b->account_count++] = a;
}

static err recall_start(struct store *store, uint32_t version, const struct objective *o,
                        int64_t unix_now, struct window_start *ret)
{
    int64_t at = unix_now - o->window_s;
    struct sample node;

    TRY(samples_at(store, version, at, &ret->counters));
    at = ret->counters.at > at ? ret->counters.at : at;
    TRY(samples_at(store, NODE_VERSION, at, &node));
    ret->node_measured_ms = node.counts[NODE_MEASURED_MS];
    ret->known = true;
    return OK;
}

/* Later answers about where windows begin come with the jobs. */
err book_recall(struct store *store, const struct config *c, int64_t unix_now,
                struct journey_memory *ret_memories)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        struct journey_memory *m = &ret_memories[i];
        *m = (struct journey_memory){};
        TRY(journey_version(store, j->name, j->definition, unix_now, &m->version));
        TRY(samples_total(store, m->version.id, &m->total));
        for (size_t o = 0; o < j->objective_count; o++)
            TRY(recall_start(store, m->version.id, &j->objectives[o], unix_now, &m->starts[o]));
    }
    return OK;
}

void book_adopt(struct book *b, const struct config *c, const struct journey_memory *memories,
                ns_t now)
{
    for (size_t i = 0; i < b->account_count; i++)
        b->accounts[i].in_force = false;
    for (size_t i = 0; i < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        if (!find_account(b, j->name, j->definition))
            open_account(b, j, memories ? &memories[i] : NULL, now);
        struct account *a = find_account(b, j->name, j->definition);
        a->in_force = true;
        for (size_t o = 0; o < j->objective_count; o++) {
            if (memories)
                a->starts[o] = memories[i].starts[o];
            a->starts[o].window_s = j->objectives[o].window_s;
        }
    }
}

/* ---- ticks and jobs */

void book_tick(struct book *b, ns_t now)
{
    uint64_t columns[WINDOW_COUNTERS_MAX] = {};

    coverage_tick(&b->coverage, now);
    for (size_t i = 0; i < b->account_count; i++) {
        struct account *a = &b->accounts[i];
        book_cumulative(b, a, columns);
        columns[columns_of(a) - 1] = coverage_ms(&b->coverage);
        window_push(&a->window, slot_of(now), columns);
    }
}

static void put_sample(struct sample_batch *batch, uint32_t version, bool keep, int64_t at,
                       const uint64_t *counts, unsigned count)
{
    struct sample *s = &batch->samples[batch->sample_count++];

    *s = (struct sample){ .version = version, .keep = keep, .at = at };
    memcpy(s->counts, counts, count * sizeof(counts[0]));
}

/* What came into the bins since the slot began. */
static void put_histogram(const struct book *b, struct scribe_job *job, const struct account *a)
{
    uint64_t *bins = arena_array(&job->arena, uint64_t, HISTOGRAM_BINS);
    uint64_t *before = arena_array(&job->arena, uint64_t, HISTOGRAM_BINS);
    uint64_t total = 0;

    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++) {
        before[i] = a->slot_bins[i];
        bins[i] = book_sum(b, a->histogram + i);
        total += bins[i] - before[i];
    }
    if (total == 0)
        return;
    struct str packed = str_fixed(arena_alloc(&job->arena, PACK_HISTOGRAM_MAX), PACK_HISTOGRAM_MAX);
    pack_histogram(&packed, bins, before);
    check(!packed.cut);
    job->batch.histograms[job->batch.histogram_count++] = (struct histogram_sample){
        .version = a->version, .at = b->slot_at, .bins = str_span(&packed)
    };
}

/* Only once the old slot is stored, so that a full disk loses no histogram; what comes meanwhile is in the
 * old slot. */
static void next_slot(struct book *b, int64_t unix_now)
{
    b->slot_at = unix_now - unix_now % HISTOGRAM_SLOT_S;
    for (size_t k = 0; k < b->account_count; k++) {
        struct account *a = &b->accounts[k];
        memcpy(a->older_bins, a->slot_bins, HISTOGRAM_BINS * sizeof(a->older_bins[0]));
        for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
            a->slot_bins[i] = book_sum(b, a->histogram + i);
    }
}

static void ask_starts(const struct book *b, const struct config *c, struct scribe_job *job)
{
    job->questions =
        arena_array(&job->arena, struct scribe_question, c->journey_count * OBJECTIVES_MAX);
    for (size_t i = 0; i < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        for (size_t o = 0; o < j->objective_count; o++)
            job->questions[job->question_count++] =
                (struct scribe_question){ .version = book_account(b, j)->version,
                                          .at = job->now - j->objectives[o].window_s };
    }
}

static void fill_samples(struct book *b, struct scribe_job *job, bool keep)
{
    uint64_t counts[SERIES_MAX];
    uint64_t measured = coverage_ms(&b->coverage);

    for (size_t i = 0; i < b->account_count; i++) {
        struct account *a = &b->accounts[i];
        book_cumulative(b, a, counts);
        /* the newest sample at or before an instant counts: what did not change needs no new one */
        if (memcmp(counts, a->written, sizeof(counts)) != 0 || (keep && a->unkept))
            put_sample(&job->batch, a->version, keep, job->now, counts, SERIES_MAX);
    }
    put_sample(&job->batch, NODE_VERSION, keep, job->now, &measured, 1);
}

struct scribe_job *book_job(struct book *b, const struct config *c, int64_t unix_now, bool last)
{
    bool minute = unix_now / 60 != b->minute;
    bool slot_over = unix_now - b->slot_at >= HISTOGRAM_SLOT_S || unix_now < b->slot_at;

    if (b->job_out)
        return NULL;
    struct scribe_job *job = calloc(1, sizeof(*job));
    check(job != NULL);
    job->now = unix_now;
    job->tidy = minute;
    job->batch.samples = arena_array(&job->arena, struct sample, b->account_count + 1);
    job->batch.histograms = arena_array(&job->arena, struct histogram_sample, b->account_count);
    fill_samples(b, job, minute || last);
    if (minute || last || slot_over) {
        for (size_t i = 0; i < b->account_count; i++)
            put_histogram(b, job, &b->accounts[i]);
    }
    job->slot_over = slot_over;
    if (minute && !last)
        ask_starts(b, c, job);
    b->minute = unix_now / 60;
    b->job_out = true;
    return job;
}

static void take_answer(struct book *b, const struct scribe_job *job,
                        const struct scribe_question *q)
{
    if (!q->answered)
        return;
    for (size_t i = 0; i < b->account_count; i++) {
        struct account *a = &b->accounts[i];
        for (unsigned o = 0; a->version == q->version && o < a->objectives; o++) {
            struct window_start *start = &a->starts[o];
            if (job->now - start->window_s != q->at)
                continue;
            start->counters = q->counters;
            start->node_measured_ms = q->node.counts[NODE_MEASURED_MS];
            start->known = true;
        }
    }
}

/* What was not stored is still to be written. */
static void take_stored(struct book *b, const struct scribe_job *job)
{
    size_t at = 0; /* samples are in the order of the accounts */

    for (size_t k = 0; k < b->account_count && at < job->batch.sample_count; k++) {
        struct account *a = &b->accounts[k];
        const struct sample *s = &job->batch.samples[at];
        if (a->version != s->version)
            continue;
        memcpy(a->written, s->counts, sizeof(a->written));
        a->unkept = !s->keep;
        at++;
    }
    b->written_at = job->now;
}

void book_job_done(struct book *b, struct scribe_job *job)
{
    b->job_out = false;
    if (job->result.failed && !b->trouble.failed)
        log_warn("the store does not take samples; counting goes on: %s", job->result.text);
    if (!job->result.failed && b->trouble.failed)
        log_info("the store takes samples again; nothing was lost");
    b->trouble = job->result;
    if (!job->result.failed) {
        take_stored(b, job);
        if (job->slot_over)
            next_slot(b, job->now);
    }
    for (size_t i = 0; i < job->question_count; i++)
        take_answer(b, job, &job->questions[i]);
    scribe_job_free(job);
}
