/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - reading samples and histograms. */
#include "store/history.h"

#include "core/pack.h"
#include "store/db.h"

/* The sample in the statement's first row (at, epoch, counts), if there is one. */
static err read_sample(struct store *s, sqlite3_stmt *q, struct sample *ret_sample, bool *ret_found)
{
    TRY(db_next(s, q, "cannot read samples", ret_found));
    if (!*ret_found)
        return OK;

    struct sample found = { .version = ret_sample->version, .at = sqlite3_column_int64(q, 0) };
    bool whole = unpack_counters(db_blob(q, 2), SERIES_MAX, found.counts);

    db_reset(q);
    if (!whole)
        return db_trouble(s, STORE_CORRUPT, "a stored sample is damaged");
    *ret_sample = found;
    return OK;
}

static sqlite3_stmt *statement_for(struct store *s, enum statement which, uint32_t version)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    return q;
}

err samples_total(struct store *s, uint32_t version, struct sample *ret_sample)
{
    struct sample total = { .version = version };
    bool found;

    TRY(read_sample(s, statement_for(s, SQL_TOTAL_GET, version), &total, &found));
    *ret_sample = total;
    return OK;
}

err samples_at(struct store *s, uint32_t version, int64_t at, struct sample *ret_sample)
{
    struct sample sample = { .version = version };
    bool found;

    sqlite3_stmt *q = statement_for(s, SQL_SAMPLE_BEFORE, version);
    db_bind(q, 3, at);
    TRY(read_sample(s, q, &sample, &found));
    if (!found)
        TRY(read_sample(s, statement_for(s, SQL_SAMPLE_FIRST, version), &sample, &found));
    *ret_sample = sample;
    return OK;
}

err samples_last_write(struct store *s, int64_t *ret_at)
{
    sqlite3_stmt *q = db_statement(s, SQL_LAST_WRITE);
    bool row;

    db_bind(q, 1, s->node);
    TRY(db_next(s, q, "cannot read the time of the last write", &row));
    *ret_at = sqlite3_column_int64(q, 0);
    db_reset(q);
    return OK;
}

err histogram_between(struct store *s, uint32_t version, int64_t from, int64_t to, uint64_t *bins)
{
    sqlite3_stmt *q = statement_for(s, SQL_HISTOGRAMS, version);
    uint64_t sum[HISTOGRAM_BINS] = { 0 };
    bool row;

    db_bind(q, 3, from);
    db_bind(q, 4, to);
    for (;;) {
        TRY(db_next(s, q, "cannot read histograms", &row));
        if (!row)
            break;
        if (!unpack_histogram(db_blob(q, 0), sum)) {
            db_reset(q);
            return db_trouble(s, STORE_CORRUPT, "a stored histogram is damaged");
        }
    }
    histogram_merge(bins, sum);
    return OK;
}
