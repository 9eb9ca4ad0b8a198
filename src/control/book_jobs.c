/* SPDX-License-Identifier: Apache-2.0 */
/* book_jobs.c - what the scribe is to keep: about each second the counters that changed, each minute as history, and the
 * histograms, a few accounts at a time, so that a tick of a thousand journeys stays short. */
#include "control/book.h"

#include "base/check.h"
#include "base/log.h"
#include "core/pack.h"

#include <stdlib.h>

/* Histograms have some 1,600 bins: so many lineages are looked at in a tick, all others in turn; a thousand in half a minute. */
enum { SLOTS_PER_TICK = 34 };

/* Where the long windows of an account begin now takes some eight questions: a thousand accounts are asked for in fifty
 * seconds. */
enum { ASKED_PER_TICK = 20 };

/* ---- counters */

static void put_sample(struct sample_batch *batch, uint32_t version, bool keep, int64_t at,
                       const uint64_t *counts, unsigned count)
{
    struct sample *s =
        &batch->samples[batch->sample_count++]; /* cleared, as an arena's memory is */

    s->version = version;
    s->keep = keep;
    s->at = at;
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
        unsigned used = book_used(a);
        if (memcmp(counts, a->written, used * sizeof(counts[0])) != 0 || (keep && a->unkept))
            put_sample(&job->batch, a->version, keep, job->now, counts, used);
    }
    put_sample(&job->batch, NODE_VERSION, keep, job->now, &measured, 1);
}

/* ---- histograms */

/* What came into the bins since the slot began. */
static void put_histogram(struct scribe_job *job, const struct lineage *l, const uint64_t *bins)
{
    char room
        [PACK_HISTOGRAM_MAX]; /* seldom full: what is packed goes to the arena, not the room for it */
    struct str packed = str_fixed(room, sizeof(room));

    pack_histogram(&packed, bins, l->slot_bins);
    check(!packed.cut);
    if (packed.n == 0)
        return;
    job->batch.histograms[job->batch.histogram_count++] =
        (struct histogram_sample){ .version = l->bins_version,
                                   .at = l->slot_at,
                                   .epoch = l->slot_epoch,
                                   .bins = arena_span(&job->arena, str_span(&packed)) };
}

static void look_at_slot(struct book *b, struct scribe_job *job, size_t number)
{
    const struct lineage *l = &b->lineages[number];
    bool over = job->now >= histogram_slot_end(l->slot_at) || job->now < l->slot_at;
    uint64_t timed = lineage_timed(b, l);
    uint64_t bins[HISTOGRAM_BINS];
    struct slot_put *put = &job->slots[job->slot_count];

    if (!over && timed == l->put_timed)
        return;
    *put = (struct slot_put){ .lineage = number, .over = over, .timed = timed };
    lineage_bins(b, l, bins);
    put_histogram(job, l, bins);
    if (over) {
        put->bins = arena_array(&job->arena, uint64_t, HISTOGRAM_BINS);
        memcpy(put->bins, bins, sizeof(bins));
    }
    job->slot_count++;
}

static void fill_histograms(struct book *b, struct scribe_job *job, bool all)
{
    size_t n = all || b->lineage_count < SLOTS_PER_TICK ? b->lineage_count : SLOTS_PER_TICK;

    job->batch.histograms = arena_array(&job->arena, struct histogram_sample, n);
    job->slots = arena_array(&job->arena, struct slot_put, n);
    for (size_t i = 0; i < n; i++) {
        b->next_slot = b->next_slot + 1 < b->lineage_count ? b->next_slot + 1 : 0;
        look_at_slot(b, job, b->next_slot);
    }
}

/* Only once the old slot is stored, so that a full disk loses no histogram; what comes meanwhile is in the
 * old slot. */
static void take_slot(struct book *b, const struct scribe_job *job, const struct slot_put *put)
{
    struct lineage *l = &b->lineages[put->lineage];

    l->put_timed = put->timed;
    if (l->slot_epoch == 0)
        l->slot_epoch = job->epoch;
    if (!put->over)
        return;
    uint64_t *older = l->older_bins;
    l->older_bins = l->slot_bins;
    l->slot_bins = older;
    memcpy(l->slot_bins, put->bins, HISTOGRAM_BINS * sizeof(l->slot_bins[0]));
    l->slot_at = job->now - job->now % HISTOGRAM_SLOT_S;
    l->slot_epoch = job->epoch; /* after a set clock its time may come once more, in another */
}

/* ---- what is in force */

static void fill_leads(const struct book *b, struct scribe_job *job)
{
    job->batch.leads = arena_array(&job->arena, uint32_t, b->lineage_count);
    for (size_t i = 0; i < b->lineage_count; i++) {
        const struct account *a = &b->accounts[b->lineages[i].newest];
        if (a->leads_untold)
            job->batch.leads[job->batch.lead_count++] = a->version;
    }
}

static void take_leads(struct book *b, const struct scribe_job *job)
{
    size_t at = 0; /* in the order of the lineages; another may have come into force meanwhile */

    for (size_t i = 0; i < b->lineage_count && at < job->batch.lead_count; i++) {
        struct lineage *l = &b->lineages[i];
        for (unsigned m = 0; m < l->member_count && at < job->batch.lead_count; m++) {
            struct account *a = &b->accounts[l->members[m]];
            if (a->version != job->batch.leads[at])
                continue;
            a->leads_untold &= l->newest != l->members[m];
            at++;
            break;
        }
    }
}

/* ---- where windows begin */

/* Each minute of all accounts, some of them a tick; when they are so many that it takes longer, the next round waits. */
static void ask_starts(struct book *b, struct scribe_job *job, bool minute)
{
    if (minute && b->next_asked >= b->account_count)
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
        for (unsigned s = 0; a->in_force && s < a->starts->count; s++)
            job->questions[job->question_count++] =
                (struct scribe_question){ .version = a->version,
                                          .account = b->next_asked,
                                          .start = s,
                                          .at = job->now - a->starts->list[s].window_s };
    }
}

static void take_answer(struct book *b, const struct scribe_job *job,
                        const struct scribe_question *q)
{
    struct account *a = &b->accounts[q->account];

    if (!q->answered || q->start >= a->starts->count || a->version != q->version)
        return;
    struct window_start *start = &a->starts->list[q->start];
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
    job->now = job->batch.now = unix_now;
    job->batch.ends = last;
    job->tidy = minute;
    job->batch.samples = arena_array(&job->arena, struct sample, b->account_count + 1);
    fill_samples(b, job, minute || last);
    book_late_job(b, job);
    fill_histograms(b, job, last);
    fill_leads(b, job);
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
        memcpy(a->written, s->counts, book_used(a) * sizeof(a->written[0]));
        a->unkept = !s->keep;
        at++;
    }
    for (size_t i = 0; i < job->slot_count; i++)
        take_slot(b, job, &job->slots[i]);
    take_leads(b, job);
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
