/* SPDX-License-Identifier: Apache-2.0 */
/* book_jobs.c - what the scribe is to keep: about each second the counters that changed, each minute as history, and the
 * histograms, a few accounts at a time, so that a tick of a thousand journeys stays short. */
#include "control/book.h"

#include "base/check.h"
#include "base/log.h"
#include "core/pack.h"

#include <stdlib.h>

/* Histograms have some 1,600 bins: so many accounts are looked at in a tick, all others in turn. */
enum { SLOTS_PER_TICK = 50 };

/* Where the long windows of an account begin now takes some eight questions: a thousand accounts are asked for in half a
 * minute. */
enum { ASKED_PER_TICK = 40 };

/* ---- counters */

static void put_sample(struct sample_batch *batch, uint32_t version, bool keep, int64_t at,
                       const uint64_t *counts, unsigned count)
{
    struct sample *s = &batch->samples[batch->sample_count++];

    *s = (struct sample){ .version = version, .keep = keep, .at = at };
    memcpy(s->counts, counts, count * sizeof(counts[0]));
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

/* ---- histograms */

static uint64_t timed_of(const struct book *b, const struct account *a)
{
    return book_sum(b, a->series + SERIES_GOOD) + book_sum(b, a->series + SERIES_SLOW);
}

/* What came into the bins since the slot began; ret_bins: as they are now. */
static void put_histogram(const struct book *b, struct scribe_job *job, struct account *a,
                          uint64_t *ret_bins)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++) {
        ret_bins[i] = book_bin(b, a, i);
        total += ret_bins[i] - a->slot_bins[i];
    }
    if (total == 0)
        return;
    struct str packed = str_fixed(arena_alloc(&job->arena, PACK_HISTOGRAM_MAX), PACK_HISTOGRAM_MAX);
    pack_histogram(&packed, ret_bins, a->slot_bins);
    check(!packed.cut);
    job->batch.histograms[job->batch.histogram_count++] = (struct histogram_sample){
        .version = a->version, .at = a->slot_at, .bins = str_span(&packed)
    };
}

static void look_at_slot(struct book *b, struct scribe_job *job, size_t number)
{
    struct account *a = &b->accounts[number];
    bool over = job->now - a->slot_at >= HISTOGRAM_SLOT_S || job->now < a->slot_at;
    uint64_t timed = timed_of(b, a);
    struct slot_put *put = &job->slots[job->slot_count];

    if (!over && timed == a->put_timed)
        return;
    *put = (struct slot_put){ .account = number, .over = over, .timed = timed };
    put->bins = arena_array(&job->arena, uint64_t, HISTOGRAM_BINS);
    put_histogram(b, job, a, put->bins);
    job->slot_count++;
}

static void fill_histograms(struct book *b, struct scribe_job *job, bool all)
{
    size_t n = all || b->account_count < SLOTS_PER_TICK ? b->account_count : SLOTS_PER_TICK;

    job->batch.histograms = arena_array(&job->arena, struct histogram_sample, n);
    job->slots = arena_array(&job->arena, struct slot_put, n);
    for (size_t i = 0; i < n; i++) {
        b->next_slot = b->next_slot + 1 < b->account_count ? b->next_slot + 1 : 0;
        look_at_slot(b, job, b->next_slot);
    }
}

/* Only once the old slot is stored, so that a full disk loses no histogram; what comes meanwhile is in the
 * old slot. */
static void take_slot(struct book *b, const struct scribe_job *job, const struct slot_put *put)
{
    struct account *a = &b->accounts[put->account];

    a->put_timed = put->timed;
    if (!put->over)
        return;
    uint64_t *older = a->older_bins;
    a->older_bins = a->slot_bins;
    a->slot_bins = older;
    memcpy(a->slot_bins, put->bins, HISTOGRAM_BINS * sizeof(a->slot_bins[0]));
    a->slot_at = job->now - job->now % HISTOGRAM_SLOT_S;
}

/* ---- where windows begin */

/* Each minute of all accounts, some of them a tick. */
static void ask_starts(struct book *b, struct scribe_job *job, bool minute)
{
    if (minute)
        b->next_asked = 0;
    size_t end = b->next_asked + ASKED_PER_TICK;
    if (end > b->account_count)
        end = b->account_count;
    if (b->next_asked >= end)
        return;
    job->questions =
        arena_array(&job->arena, struct scribe_question, (end - b->next_asked) * STARTS_MAX);
    for (; b->next_asked < end; b->next_asked++) {
        const struct account *a = &b->accounts[b->next_asked];
        for (unsigned s = 0; a->in_force && s < a->starts.count; s++)
            job->questions[job->question_count++] =
                (struct scribe_question){ .version = a->version,
                                          .account = b->next_asked,
                                          .start = s,
                                          .at = job->now - a->starts.list[s].window_s };
    }
}

static void take_answer(struct book *b, const struct scribe_job *job,
                        const struct scribe_question *q)
{
    struct account *a = &b->accounts[q->account];

    if (!q->answered || q->start >= a->starts.count || a->version != q->version)
        return;
    struct window_start *start = &a->starts.list[q->start];
    if (job->now - start->window_s != q->at)
        return; /* another configuration has other windows */
    start->counters = q->counters;
    start->node_measured_ms = q->node.counts[NODE_MEASURED_MS];
    start->known = true;
}

/* ---- the job */

struct scribe_job *book_job(struct book *b, int64_t unix_now, bool last)
{
    bool minute = unix_now / 60 != b->minute;

    if (b->job_out)
        return NULL;
    struct scribe_job *job = calloc(1, sizeof(*job));
    check(job != NULL);
    job->now = unix_now;
    job->tidy = minute;
    job->batch.samples = arena_array(&job->arena, struct sample, b->account_count + 1);
    fill_samples(b, job, minute || last);
    book_late_job(b, job);
    fill_histograms(b, job, last);
    if (!last)
        ask_starts(b, job, minute);
    b->minute = unix_now / 60;
    b->job_out = true;
    return job;
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
    for (size_t i = 0; i < job->slot_count; i++)
        take_slot(b, job, &job->slots[i]);
    b->written_at = job->now;
}

/* Once per change, not per second. */
static void tell_trouble(struct book *b, const struct scribe_job *job)
{
    if (job->trouble == b->trouble_kind && job->result.failed == b->trouble.failed)
        return;
    b->trouble_since = job->result.failed ? job->now : 0;
    if (job->result.failed)
        log_warn("the store does not take samples; counting goes on: %s", job->result.text);
    else if (b->trouble.failed)
        log_info("the store takes samples again; nothing was lost");
}

void book_job_done(struct book *b, struct scribe_job *job)
{
    b->job_out = false;
    book_late_done(b, job->stored);
    tell_trouble(b, job);
    b->trouble = job->result;
    b->trouble_kind = job->trouble;
    if (job->stored)
        take_stored(b, job);
    for (size_t i = 0; i < job->question_count; i++)
        take_answer(b, job, &job->questions[i]);
    scribe_job_free(job);
}
