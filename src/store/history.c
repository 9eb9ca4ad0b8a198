/* SPDX-License-Identifier: Apache-2.0 */
/* history.c - reading samples and histograms. */
#include "store/history.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"

#include <stdlib.h>

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

static void append(struct sample_list *l, size_t *room, const struct sample *sample)
{
    if (l->count == *room) {
        *room = *room ? 2 * *room : 64;
        l->samples = realloc(l->samples, *room * sizeof(l->samples[0]));
        check(l->samples != NULL);
    }
    l->samples[l->count++] = *sample;
}

static err read_since(struct store *s, uint32_t version, int64_t from, struct sample_list *l,
                      size_t *room)
{
    sqlite3_stmt *q = statement_for(s, SQL_SAMPLES_AFTER, version);
    bool row;

    db_bind(q, 3, from);
    for (;;) {
        struct sample found = { .version = version };
        TRY(db_next(s, q, "cannot read samples", &row));
        if (!row)
            return OK;
        found.at = sqlite3_column_int64(q, 0);
        if (!unpack_counters(db_blob(q, 2), SERIES_MAX, found.counts)) {
            db_reset(q);
            return db_trouble(s, STORE_CORRUPT, "a stored sample is damaged");
        }
        append(l, room, &found);
    }
}

err samples_since(struct store *s, uint32_t version, int64_t from, struct sample_list *ret_list)
{
    struct sample first = { .version = version };
    size_t room = 0;
    bool found;

    *ret_list = (struct sample_list){};
    sqlite3_stmt *q = statement_for(s, SQL_SAMPLE_BEFORE, version);
    db_bind(q, 3, from);
    TRY(read_sample(s, q, &first, &found));
    if (found)
        append(ret_list, &room, &first);
    err e = read_since(s, version, from, ret_list, &room);
    if (e.failed)
        sample_list_free(ret_list);
    return e;
}

void sample_list_free(struct sample_list *l)
{
    free(l->samples);
    *l = (struct sample_list){};
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
