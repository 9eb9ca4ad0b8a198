/* SPDX-License-Identifier: Apache-2.0 */
/* rebuilt_history.c - see rebuilt_history.h. */
#include "store/rebuilt_history.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"
#include "store/history.h"

#define NEVER INT64_MAX

/* ---- where it begins */

static uint64_t answers(const struct sample *s)
{
    return s->counts[SERIES_GOOD] + s->counts[SERIES_SLOW];
}

static err oldest_slot(struct store *s, uint32_t bins, int64_t *ret_at)
{
    sqlite3_stmt *q = db_statement(s, SQL_HISTOGRAM_FIRST);
    bool row;

    db_bind(q, 1, bins);
    db_bind(q, 2, s->node);
    TRY(db_next(s, q, "cannot read histograms", &row));
    check(row);
    *ret_at = sqlite3_column_type(q, 0) == SQLITE_NULL ? NEVER : sqlite3_column_int64(q, 0);
    db_reset(q);
    return OK;
}

/* Histograms are kept for a shorter time than counters, and a store that was begun anew has none of before. */
static err find_begin(struct store *s, const struct rebuild_source *from, bool uses_bins,
                      int64_t end, int64_t *ret_begin)
{
    struct sample first, then;
    int64_t oldest;

    TRY(samples_at(s, from->id, INT64_MIN, &first));
    *ret_begin = first.at > 0 && first.at < end ? first.at : end;
    if (!uses_bins)
        return OK;
    TRY(oldest_slot(s, from->bins, &oldest));
    if (oldest > end)
        oldest = end;
    TRY(samples_at(s, from->id, oldest - 1, &then)); /* a slot may begin with its first second */
    if (oldest > *ret_begin && answers(&then) != answers(&first))
        *ret_begin = oldest;
    return OK;
}

/* ---- writing */

struct writer {
    struct store *s;
    uint32_t version;
    int64_t end;                 /* nothing is later */
    uint64_t counts[SERIES_MAX]; /* cumulative */
};

static err put(struct writer *w, enum statement which, int64_t at)
{
    char bytes[SERIES_MAX * PACK_NUMBER_MAX];
    struct str packed = str_fixed(bytes, sizeof(bytes));
    sqlite3_stmt *q = db_statement(w->s, which);

    pack_counters(&packed, SERIES_MAX, w->counts);
    db_bind(q, 1, w->version);
    db_bind(q, 2, w->s->node);
    db_bind(q, 3, at < w->end ? at : w->end);
    db_bind(q, 4, w->s->epoch);
    db_bind_blob(q, 5, str_span(&packed));
    return db_do(w->s, q, "cannot rebuild a history");
}

static err cut(struct store *s, enum statement which, uint32_t version, int64_t after)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, after);
    return db_do(s, q, "cannot replace a history");
}

/* ---- reading: rows and slots of the source together, in order of time */

struct reader {
    struct store *s;
    const struct rebuild_plan *plan;
    struct sample_list rows;
    size_t next;
    uint64_t seen[SERIES_MAX]; /* the source's counters until now */
    int64_t until;             /* what is later is another version's */
    sqlite3_stmt *slots;       /* NULL: none are needed, or there are no more */
    int64_t slot_at;
    uint64_t counts[SERIES_MAX]; /* what came since the last row that was written */
    uint64_t bins[HISTOGRAM_BINS];
};

static err next_slot(struct reader *r)
{
    bool row;

    TRY(db_next(r->s, r->slots, "cannot read histograms", &row));
    if (row)
        r->slot_at = sqlite3_column_int64(r->slots, 0);
    if (row && r->slot_at >= r->until)
        db_reset(r->slots);
    if (!row || r->slot_at >= r->until)
        r->slots = NULL;
    return OK;
}

static err begin_reading(struct reader *r, const struct rebuild_source *from, int64_t begin)
{
    TRY(samples_since(r->s, from->id, begin, &r->rows));
    while (r->rows.count > 0 && r->rows.samples[r->rows.count - 1].at > r->until)
        r->rows.count--;
    if (r->rows.count > 0 && r->rows.samples[0].at <= begin)
        memcpy(r->seen, r->rows.samples[r->next++].counts, sizeof(r->seen));
    if (!r->plan->uses_bins)
        return OK;
    r->slots = db_statement(r->s, SQL_HISTOGRAM_SLOTS);
    db_bind(r->slots, 1, from->bins);
    db_bind(r->slots, 2, r->s->node);
    /* the slot in which the first version of all began speaks of no other */
    db_bind(r->slots, 3, from->bins == from->id ? begin - begin % HISTOGRAM_SLOT_S : begin);
    return next_slot(r);
}

/* What the version had counted until then stays. One that had counted nothing begins with what is known of before without
 * histograms: of all time, not of any window. */
static err begin_writing(struct writer *w, const struct reader *r, int64_t begin)
{
    struct sample before;

    TRY(cut(w->s, SQL_MINUTES_CUT, w->version, begin));
    TRY(cut(w->s, SQL_HOURS_CUT, w->version, begin));
    TRY(samples_at(w->s, w->version, begin, &before));
    if (before.at > 0) {
        memcpy(w->counts, before.counts, sizeof(w->counts));
        return OK;
    }
    rebuild_counts(r->plan, r->seen, r->bins, w->counts);
    return put(w, SQL_HOUR_PUT, begin < w->end ? begin : w->end - 1); /* both within one second */
}

/* A row is never below the one before it: where the wall clock stepped back, what the earlier epoch said stands. */
static void take_row(struct reader *r)
{
    const struct sample *row = &r->rows.samples[r->next++];

    for (unsigned i = 0; i < SERIES_MAX; i++) {
        if (row->counts[i] <= r->seen[i])
            continue;
        r->counts[i] += row->counts[i] - r->seen[i];
        r->seen[i] = row->counts[i];
    }
}

static err take_slot(struct reader *r)
{
    if (!unpack_histogram(db_blob(r->slots, 1), r->bins))
        return db_trouble(r->s, STORE_CORRUPT, "a stored histogram is damaged");
    return next_slot(r);
}

/* When the next row is to be written; NEVER: all is read. */
static int64_t next_instant(const struct reader *r)
{
    int64_t row = r->next < r->rows.count ? r->rows.samples[r->next].at : NEVER;
    int64_t slot = r->slots ? histogram_slot_end(r->slot_at) : NEVER;

    if (r->plan->uses_bins && row != NEVER)
        row = (row + HISTOGRAM_SLOT_S - 1) / HISTOGRAM_SLOT_S * HISTOGRAM_SLOT_S;
    return row < slot ? row : slot;
}

static err copy(struct reader *r, struct writer *w)
{
    for (int64_t at; (at = next_instant(r)) != NEVER;) {
        uint64_t came[SERIES_MAX];
        memset(r->counts, 0, sizeof(r->counts));
        memset(r->bins, 0, sizeof(r->bins));
        while (r->next < r->rows.count && r->rows.samples[r->next].at <= at)
            take_row(r);
        while (r->slots && histogram_slot_end(r->slot_at) <= at)
            TRY(take_slot(r));
        rebuild_counts(r->plan, r->counts, r->bins, came);
        for (unsigned i = 0; i < SERIES_MAX; i++)
            w->counts[i] += came[i];
        TRY(put(w, SQL_MINUTE_PUT, at));
    }
    return OK;
}

/* One version's part, from `begin` until `until`. */
static err rebuild_part(struct store *s, const struct rebuild_link *link, uint32_t to,
                        int64_t begin, int64_t until, bool newest)
{
    struct reader r = { .s = s, .plan = &link->plan, .until = newest ? NEVER : until };
    struct writer w = { .s = s, .version = to, .end = until };

    err e = begin_reading(&r, &link->from, begin);
    if (!e.failed)
        e = begin_writing(&w, &r, begin);
    if (!e.failed)
        e = copy(&r, &w);
    if (r.slots)
        db_reset(r.slots);
    sample_list_free(&r.rows);
    if (!e.failed)
        e = put(&w, SQL_MINUTE_PUT, until);
    return e.failed || !newest ? e : put(&w, SQL_TOTAL_PUT, until);
}

/* The begins of all parts, newest first; where one's histograms are missing, nothing before it is used. */
static err find_begins(struct store *s, const struct rebuild_link *chain, unsigned *count,
                       int64_t end, int64_t *ret_begins)
{
    struct sample first;

    for (unsigned i = 0; i < *count; i++) {
        TRY(find_begin(s, &chain[i].from, chain[i].plan.uses_bins, end, &ret_begins[i]));
        TRY(samples_at(s, chain[i].from.id, INT64_MIN, &first));
        if (ret_begins[i] > first.at)
            *count = i + 1;
        end = ret_begins[i];
    }
    return OK;
}

err rebuild_history(struct store *s, const struct rebuild_link *chain, unsigned count,
                    const struct journey_version *to)
{
    int64_t begins[REBUILD_CHAIN_MAX];
    struct sample newest;

    check(count > 0 && count <= REBUILD_CHAIN_MAX);
    TRY(samples_total(s, chain->from.id, &newest));
    if (newest.at == 0) /* it counted nothing yet: only its begin is known */
        TRY(samples_at(s, chain->from.id, INT64_MAX, &newest));
    TRY(find_begins(s, chain, &count, newest.at, begins));
    for (unsigned i = count; i-- > 0;)
        TRY(rebuild_part(s, &chain[i], to->id, begins[i], i > 0 ? begins[i - 1] : newest.at,
                         i == 0));
    return OK;
}
