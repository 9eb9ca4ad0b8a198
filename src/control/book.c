/* SPDX-License-Identifier: Apache-2.0 */
/* book.c - accounts, and the figures of their windows. */
#include "control/book.h"

#include "base/check.h"

#include <stdlib.h>

void book_open(struct book *b, uint64_t measured_ms, ns_t now, int64_t unix_now)
{
    *b = (struct book){ .minute = unix_now / 60 };
    coverage_begin(&b->coverage, measured_ms, now);
}

void book_close(struct book *b)
{
    for (size_t i = 0; i < b->account_count; i++) {
        free(b->accounts[i].name);
        free(b->accounts[i].starts);
        free(b->accounts[i].window_memory);
        free(b->accounts[i].late_bins);
        free(b->accounts[i].handover);
        free(b->accounts[i].note);
    }
    lineages_free(b);
    free(b->accounts);
    free(b->by_id);
    free(b->late);
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

void book_sums(const struct book *b, uint32_t first, uint32_t n, uint64_t *ret_sums)
{
    counter_sums(b->pages, b->page_count, first, n, ret_sums);
}

uint64_t book_measured(const struct book *b, const struct account *a,
                       const uint64_t cumulative[SERIES_MAX])
{
    uint64_t ms = coverage_ms(&b->coverage);
    uint64_t lost = a->queried ? cumulative[SERIES_UNQUERIED_MS] : 0;

    return ms > lost ? ms - lost : 0;
}

void book_bins(const struct book *b, const struct account *a, uint64_t ret_bins[HISTOGRAM_BINS])
{
    book_sums(b, a->slots.histogram, HISTOGRAM_BINS, ret_bins);
    for (uint32_t i = 0; a->late_bins && i < HISTOGRAM_BINS; i++)
        ret_bins[i] -= a->late_bins[i];
}

/* ---- figures */

void book_live(const struct book *b, const struct account *a, uint64_t ret_counts[SERIES_MAX])
{
    unsigned own = series_count(a->objectives.count);
    uint64_t sums[SERIES_MAX]; /* of verdicts there are fewer */

    book_sums(b, a->slots.verdicts, verdict_counters(&a->objectives), sums);
    verdict_series(&a->objectives, sums, ret_counts);
    memset(ret_counts + own, 0, (SERIES_MAX - own) * sizeof(ret_counts[0]));
    if (!a->slots.series)
        return;
    book_sums(b, a->slots.series, SERIES_MAX, sums);
    accumulate(SERIES_MAX, ret_counts, sums, ret_counts);
}

void book_cumulative(const struct book *b, const struct account *a, uint64_t ret_counts[SERIES_MAX])
{
    unsigned used = book_used(a);

    book_live(b, a, ret_counts);
    accumulate(used, a->base, ret_counts, ret_counts);
    accumulate(used, a->carried, ret_counts, ret_counts);
}

static void short_window(const struct account *a, int64_t seconds, struct window_counts *ret)
{
    uint64_t deltas[WINDOW_COUNTERS_MAX];
    unsigned columns = book_columns(a->objectives.count);

    window_delta(&a->window, (unsigned)(seconds / WINDOW_SLOT_S), deltas);
    for (unsigned i = 0; i < SERIES_MAX; i++)
        ret->counts[i] = i < columns - 1 ? deltas[i] : 0;
    ret->measured_ms = deltas[columns - 1];
}

static const struct window_start *start_of(const struct account *a, int64_t seconds)
{
    for (unsigned i = 0; i < a->starts->count; i++) {
        if (a->starts->list[i].window_s == seconds)
            return &a->starts->list[i];
    }
    never("a window that nobody asked the store for");
}

void book_window(const struct book *b, const struct account *a, int64_t seconds,
                 struct window_counts *ret)
{
    if (seconds <= WINDOW_SPAN_S) {
        short_window(a, seconds, ret);
        return;
    }
    const struct window_start *start = start_of(a, seconds);
    uint64_t now[SERIES_MAX];
    uint64_t measured = coverage_ms(&b->coverage);
    uint64_t before =
        start->known ? start->node_measured_ms : (uint64_t)(b->coverage.base / NS_PER_MS);

    book_cumulative(b, a, now);
    series_delta(SERIES_MAX, now, start->known ? start->counters.counts : a->base, ret->counts);
    before += a->queried ? ret->counts[SERIES_UNQUERIED_MS] : 0;
    ret->measured_ms = measured > before ? measured - before : 0;
}

void book_histogram(const struct book *b, const struct account *a,
                    uint64_t ret_bins[HISTOGRAM_BINS])
{
    const struct lineage *l = lineage_of(b, a);

    lineage_bins(b, l, ret_bins);
    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++)
        ret_bins[i] -= l->older_bins[i];
}

uint32_t book_bins_version(const struct book *b, const struct account *a)
{
    return lineage_of(b, a)->bins_version;
}

/* ---- accounts */

static struct account *find_account(const struct book *b, const struct journey *j)
{
    uint32_t number = j->id < b->by_id_count ? b->by_id[j->id] : 0;

    return number ? &b->accounts[number - 1] : NULL;
}

const struct account *book_account(const struct book *b, const struct journey *j)
{
    const struct account *a = find_account(b, j);

    check(a != NULL);
    return a;
}

void book_ask(const struct book *b, const struct config *c, struct journey_memory *memories,
              int64_t unix_now)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        struct journey_memory *m = &memories[i];
        succession_free(m->succession);
        m->succession = lineage_ask(b, &c->journeys[i], unix_now);
        m->has_ring = find_account(b, &c->journeys[i]) && !m->succession;
    }
}

/* The ring begins with what the counters hold now. */
static void begin_window(struct book *b, struct account *a, ns_t now)
{
    uint64_t columns[WINDOW_COUNTERS_MAX] = {};
    unsigned count = book_columns(a->objectives.count);

    book_cumulative(b, a, columns);
    columns[count - 1] = book_measured(b, a, columns);
    a->window_memory = malloc(window_bytes(count, BOOK_WIDE_COLUMNS));
    check(a->window_memory != NULL);
    window_begin(&a->window, a->window_memory, count, BOOK_WIDE_COLUMNS, book_slot(now), columns);
}

static void remember(struct account *a, struct journey_memory *m)
{
    a->version = m->version.id;
    a->number = m->version.number;
    memcpy(a->base, m->total.counts, sizeof(a->base));
    memcpy(a->written, m->total.counts, sizeof(a->written));
    a->unkept = false;
    if (!m->window_memory)
        return;
    free(a->window_memory);
    a->window = m->window;
    a->window_memory = m->window_memory;
    m->window_memory = NULL;
}

static void enter(struct book *b, uint32_t id)
{
    if (id >= b->by_id_count) {
        size_t count = (size_t)id + 64;
        b->by_id = realloc(b->by_id, count * sizeof(b->by_id[0]));
        check(b->by_id != NULL);
        memset(b->by_id + b->by_id_count, 0, (count - b->by_id_count) * sizeof(b->by_id[0]));
        b->by_id_count = count;
    }
    b->by_id[id] = (uint32_t)b->account_count;
}

static void open_account(struct book *b, const struct journey *j, struct journey_memory *m,
                         ns_t now, int64_t unix_now)
{
    struct account a = { .number = 1,
                         .definition = j->definition,
                         .slots = j->slots,
                         .objectives = j->rules.objectives,
                         .queried = j->query != NULL };

    for (size_t i = 0; i < j->objective_count; i++)
        a.under[i] = j->objectives[i].under;
    if (m)
        remember(&a, m);
    a.name = strndup(j->name.p, j->name.n);
    a.starts = calloc(1, sizeof(*a.starts));
    b->accounts = realloc(b->accounts, (b->account_count + 1) * sizeof(a));
    check(a.name && a.starts && b->accounts);
    if (!a.window_memory)
        begin_window(b, &a, now);
    b->accounts[b->account_count++] = a;
    enter(b, j->id);
    lineage_enter(b, b->account_count - 1, j, unix_now);
}

static bool same_windows(const struct window_starts *one, const struct window_starts *other)
{
    for (unsigned i = 0; i < one->count; i++) {
        if (i >= other->count || one->list[i].window_s != other->list[i].window_s)
            return false;
    }
    return one->count == other->count;
}

/* One that was in force before comes back with what the versions after it counted. */
static void adopt(struct book *b, const struct journey *j, struct journey_memory *m, ns_t now,
                  int64_t unix_now)
{
    struct account *a = find_account(b, j);

    if (!a) {
        open_account(b, j, m, now, unix_now);
        a = find_account(b, j);
    } else if (m && m->version.rebuilt && m->succession) {
        remember(a, m);
    }
    a->in_force = true;
    lineage_lead(b, a, m ? &m->version : NULL, m ? m->succession : NULL);
    if (m && (m->version.rebuilt || m->version.missed || m->version.created)) {
        struct str note = str_growing();
        book_tell_journey(j, m, &note);
        free(a->note);
        a->note = note.n ? strdup(str_cstr(&note)) : NULL;
        str_free(&note);
    }
}

void book_adopt(struct book *b, const struct config *c, struct journey_memory *memories, ns_t now,
                int64_t unix_now)
{
    for (size_t i = 0; i < b->account_count; i++)
        b->accounts[i].in_force = false;
    for (size_t i = 0; i < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        adopt(b, j, memories ? &memories[i] : NULL, now, unix_now);
        struct account *a = find_account(b, j);
        struct window_starts starts = {};
        book_long_windows(j, &starts);
        if (memories)
            *a->starts = memories[i].starts;
        else if (!same_windows(&starts, a->starts))
            *a->starts = starts;
    }
}

void book_tick(struct book *b, ns_t now)
{
    enum { AHEAD = 4 }; /* accounts: what one takes is a fraction of what memory takes */
    uint64_t columns[WINDOW_COUNTERS_MAX] = {};
    int64_t slot = book_slot(now);

    coverage_tick(&b->coverage, now);
    for (size_t i = 0; i < b->lineage_count; i++)
        lineage_tick(b, &b->lineages[i]);
    for (size_t i = 0; i < b->account_count; i++) {
        struct account *a = &b->accounts[i];
        if (i + AHEAD < b->account_count)
            window_expect(&a[AHEAD].window, slot);
        book_cumulative(b, a, columns);
        columns[book_columns(a->objectives.count) - 1] = book_measured(b, a, columns);
        window_push(&a->window, slot, columns);
    }
}
