/* SPDX-License-Identifier: Apache-2.0 */
/* lineage.c - versions of a journey that count the same answers by other objectives: they share their histograms, and what is
 * still counted under an earlier one is carried to the one in force. */
#include "control/book.h"

#include "base/check.h"
#include "core/pack.h"
#include "core/rebuild.h"

#include <stdlib.h>

/* What an account had counted when another took over from it, and what came since: requests that had begun before. */
struct handover {
    uint64_t series[SERIES_MAX]; /* its live counters then */
    uint64_t bins[HISTOGRAM_BINS];
    uint64_t seen[SERIES_MAX];    /* when it was last looked at */
    uint64_t carried[SERIES_MAX]; /* what came, as the account in force counts it */
};

/* All accounts of a lineage at one instant; the next version begins with it. */
struct succession {
    struct journey_newest newest;
    char packed[PACK_HISTOGRAM_MAX];
    uint64_t bins[HISTOGRAM_BINS]; /* of the lineage */
    unsigned count;
    struct handover *handovers[]; /* in the order of the members */
};

/* ---- members */

struct lineage *lineage_of(const struct book *b, const struct account *a)
{
    return &b->lineages[a->lineage];
}

static struct lineage *find(const struct book *b, struct span name, uint64_t basis)
{
    for (size_t i = 0; i < b->lineage_count; i++) {
        struct lineage *l = &b->lineages[i];
        if (l->basis == basis && span_equal(span_from_text(b->accounts[l->members[0]].name), name))
            return l;
    }
    return NULL;
}

static struct lineage *begin(struct book *b, uint64_t basis, int64_t unix_now)
{
    b->lineages = realloc(b->lineages, (b->lineage_count + 1) * sizeof(b->lineages[0]));
    check(b->lineages != NULL);
    struct lineage *l = &b->lineages[b->lineage_count++];
    *l = (struct lineage){ .basis = basis, .slot_at = unix_now };
    l->slot_bins = calloc(HISTOGRAM_BINS, sizeof(l->slot_bins[0]));
    l->older_bins = calloc(HISTOGRAM_BINS, sizeof(l->older_bins[0]));
    check(l->slot_bins && l->older_bins);
    return l;
}

void lineage_enter(struct book *b, size_t account, const struct journey *j, int64_t unix_now)
{
    struct lineage *l = find(b, j->name, j->basis);

    if (!l)
        l = begin(b, j->basis, unix_now);
    l->members = realloc(l->members, (l->member_count + 1) * sizeof(l->members[0]));
    check(l->members != NULL);
    if (l->member_count == 0)
        l->newest = (uint32_t)account;
    l->members[l->member_count++] = (uint32_t)account;
    b->accounts[account].lineage = (uint32_t)(l - b->lineages);
}

void lineages_free(struct book *b)
{
    for (size_t i = 0; i < b->lineage_count; i++) {
        free(b->lineages[i].members);
        free(b->lineages[i].slot_bins);
        free(b->lineages[i].older_bins);
    }
    free(b->lineages);
}

/* ---- histograms */

void lineage_bins(const struct book *b, const struct lineage *l, uint64_t ret_bins[HISTOGRAM_BINS])
{
    uint64_t more[HISTOGRAM_BINS];

    book_bins(b, &b->accounts[l->members[0]], ret_bins);
    for (unsigned m = 1; m < l->member_count; m++) {
        book_bins(b, &b->accounts[l->members[m]], more);
        histogram_merge(ret_bins, more);
    }
}

uint64_t lineage_timed(const struct book *b, const struct lineage *l)
{
    uint64_t sum = 0;

    for (unsigned m = 0; m < l->member_count; m++) {
        uint64_t live[SERIES_MAX];
        book_live(b, &b->accounts[l->members[m]], live);
        sum += live[SERIES_GOOD] + live[SERIES_SLOW];
    }
    return sum;
}

/* ---- what is late */

/* Of one account, as the account in force counts it: a threshold that neither the histogram nor this account knows takes the
 * edge below, which can only be met by what outlives two reloads. */
static void carry(const struct account *a, const struct account *heir,
                  const uint64_t series[SERIES_MAX], const uint64_t bins[HISTOGRAM_BINS],
                  uint64_t ret_carried[SERIES_MAX])
{
    const struct handover *h = a->handover;
    uint64_t came[SERIES_MAX];
    uint64_t into[HISTOGRAM_BINS];
    struct rebuild_plan plan;
    unsigned missing;

    for (unsigned i = 0; i < SERIES_MAX; i++)
        came[i] = series[i] - h->series[i];
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        into[i] = bins[i] - h->bins[i];
    (void)rebuild_plan(a->under, a->objectives.count, heir->under, heir->objectives.count, &plan,
                       &missing);
    rebuild_counts(&plan, came, into, ret_carried);
}

static void look(const struct book *b, const struct account *a, const struct account *heir)
{
    struct handover *h = a->handover;
    uint64_t live[SERIES_MAX];
    uint64_t bins[HISTOGRAM_BINS];

    book_live(b, a, live);
    if (memcmp(live, h->seen, sizeof(live)) == 0)
        return;
    memcpy(h->seen, live, sizeof(live));
    book_sums(b, a->slots.histogram, HISTOGRAM_BINS, bins);
    carry(a, heir, live, bins, h->carried);
}

void lineage_tick(struct book *b, struct lineage *l)
{
    struct account *heir = &b->accounts[l->newest];
    uint64_t sum[SERIES_MAX] = {};
    bool any = false;

    if (l->member_count == 1)
        return; /* nobody was before it; nearly all, each second */
    for (unsigned m = 0; m < l->member_count; m++) {
        const struct account *a = &b->accounts[l->members[m]];
        if (!a->handover)
            continue;
        any = true;
        look(b, a, heir);
        accumulate(SERIES_MAX, sum, a->handover->carried, sum);
    }
    if (any)
        memcpy(heir->carried, sum, sizeof(sum));
}

/* ---- one version takes over from another */

static void read_member(const struct book *b, const struct account *a, struct handover *h)
{
    book_live(b, a, h->series);
    memcpy(h->seen, h->series, sizeof(h->seen));
    book_sums(b, a->slots.histogram, HISTOGRAM_BINS, h->bins);
}

/* The counters of the account in force, and the running slot: all from that one reading, so that nothing is lost or carried
 * twice. */
static void note_newest(const struct book *b, const struct lineage *l, struct succession *s,
                        int64_t now)
{
    const struct account *heir = &b->accounts[l->newest];
    struct sample *sample = &s->newest.sample;
    uint64_t carried[SERIES_MAX];
    struct str packed = str_fixed(s->packed, sizeof(s->packed));

    s->newest.version = heir->version;
    *sample = (struct sample){ .version = heir->version, .keep = true, .at = now };
    memcpy(sample->counts, heir->base, sizeof(sample->counts));
    for (unsigned m = 0; m < l->member_count; m++) {
        const struct account *a = &b->accounts[l->members[m]];
        const struct handover *h = s->handovers[m];
        histogram_merge(s->bins, h->bins);
        for (uint32_t i = 0; a->late_bins && i < HISTOGRAM_BINS; i++)
            s->bins[i] -= a->late_bins[i];
        if (a == heir) {
            accumulate(SERIES_MAX, sample->counts, h->series, sample->counts);
        } else if (a->handover) {
            carry(a, heir, h->series, h->bins, carried);
            accumulate(SERIES_MAX, sample->counts, carried, sample->counts);
        }
    }
    pack_histogram(&packed, s->bins, l->slot_bins);
    check(!packed.cut);
    s->newest.histogram = (struct histogram_sample){ .version = l->bins_version,
                                                     .at = l->slot_at,
                                                     .epoch = l->slot_epoch,
                                                     .bins = str_span(&packed) };
}

struct succession *lineage_ask(const struct book *b, const struct journey *j, int64_t unix_now)
{
    const struct lineage *l = find(b, j->name, j->basis);

    if (!l || b->accounts[l->newest].version == 0 ||
        b->accounts[l->newest].definition == j->definition)
        return NULL;
    struct succession *s = calloc(1, sizeof(*s) + l->member_count * sizeof(s->handovers[0]));
    check(s != NULL);
    s->count = l->member_count;
    for (unsigned m = 0; m < s->count; m++) {
        s->handovers[m] = calloc(1, sizeof(*s->handovers[m]));
        check(s->handovers[m] != NULL);
        read_member(b, &b->accounts[l->members[m]], s->handovers[m]);
    }
    note_newest(b, l, s, unix_now);
    return s;
}

const struct journey_newest *succession_newest(const struct succession *s)
{
    return s ? &s->newest : NULL;
}

void succession_free(struct succession *s)
{
    for (unsigned m = 0; s && m < s->count; m++)
        free(s->handovers[m]);
    free(s);
}

/* From now on nothing is carried to the account that was in force; what was stays. */
static void fold(struct book *b, struct lineage *l)
{
    for (unsigned m = 0; m < l->member_count; m++) {
        struct account *a = &b->accounts[l->members[m]];
        accumulate(SERIES_MAX, a->base, a->carried, a->base);
        memset(a->carried, 0, sizeof(a->carried));
        free(a->handover);
        a->handover = NULL;
    }
}

/* Its base holds what all accounts of the lineage had counted at the reading, its own included. */
static void take_over(struct book *b, struct lineage *l, struct account *heir, struct succession *s)
{
    for (unsigned m = 0; m < s->count; m++) { /* members are only ever added, at the end */
        struct account *a = &b->accounts[l->members[m]];
        if (a == heir) {
            for (unsigned i = 0; i < SERIES_MAX; i++)
                heir->base[i] -= s->handovers[m]->series[i];
            continue;
        }
        a->handover = s->handovers[m];
        s->handovers[m] = NULL;
    }
}

/* The running slot was stored with the reading; the next begins there, so that no slot speaks of two versions. */
static void begin_slot(struct lineage *l, const struct succession *s)
{
    if (s->newest.sample.at == l->slot_at)
        return; /* it has the same name */
    memcpy(l->slot_bins, s->bins, sizeof(s->bins));
    l->slot_at = s->newest.sample.at;
    l->slot_epoch = 0;
}

void lineage_lead(struct book *b, struct account *a, const struct journey_version *version,
                  struct succession *s)
{
    struct lineage *l = lineage_of(b, a);

    if (&b->accounts[l->newest] != a) {
        fold(b, l);
        l->newest = (uint32_t)(a - b->accounts);
    }
    if (!version)
        return;
    l->bins_version = version->bins;
    a->leads_untold = !version->leads;
    if (s)
        begin_slot(l, s);
    if (version->rebuilt && s)
        take_over(b, l, a, s);
}
