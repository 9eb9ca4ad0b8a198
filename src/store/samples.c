/* SPDX-License-Identifier: Apache-2.0 */
/* samples.c - writing a batch in one transaction. */
#include "store/samples.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"

static err put(struct store *s, enum statement which, uint32_t version, int64_t at, int64_t epoch,
               struct span bytes)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, at);
    db_bind(q, 4, epoch ? epoch : s->epoch);
    db_bind_blob(q, 5, bytes);
    return db_do(s, q, "cannot write samples");
}

static err put_sample(struct store *s, const struct sample *sample)
{
    char bytes[SERIES_MAX * PACK_NUMBER_MAX];
    struct str packed = str_fixed(bytes, sizeof(bytes));

    pack_counters(&packed, SERIES_MAX, sample->counts);
    TRY(put(s, SQL_TOTAL_PUT, sample->version, sample->at, 0, str_span(&packed)));
    if (!sample->keep)
        return OK;
    return put(s, SQL_MINUTE_PUT, sample->version, sample->at, 0, str_span(&packed));
}

static err lead(struct store *s, uint32_t version)
{
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_LEADS);

    db_bind(q, 1, version);
    return db_do(s, q, "cannot note which version is in force");
}

static err end_epoch(struct store *s, int64_t now)
{
    sqlite3_stmt *q = db_statement(s, SQL_EPOCH_END);

    db_bind(q, 1, s->epoch);
    db_bind(q, 2, now);
    return db_do(s, q, "cannot end an epoch");
}

err samples_put(struct store *s, const struct sample_batch *batch)
{
    TRY(late_write(s, batch->late, batch->late_count, batch->now));
    for (size_t i = 0; i < batch->sample_count; i++)
        TRY(put_sample(s, &batch->samples[i]));
    for (size_t i = 0; i < batch->histogram_count; i++) {
        const struct histogram_sample *h = &batch->histograms[i];
        TRY(put(s, SQL_HISTOGRAM_PUT, h->version, h->at, h->epoch, h->bins));
    }
    for (size_t i = 0; i < batch->lead_count; i++)
        TRY(lead(s, batch->leads[i]));
    return batch->ends ? end_epoch(s, batch->now) : OK;
}

err samples_write(struct store *s, const struct sample_batch *batch)
{
    check(s->epoch != 0);
    TRY(db_begin(s));
    return db_end(s, samples_put(s, batch));
}

int64_t samples_epoch(const struct store *s)
{
    return s->epoch;
}
