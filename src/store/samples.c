/* SPDX-License-Identifier: Apache-2.0 */
/* samples.c - writing a batch in one transaction. */
#include "store/samples.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"

static err put(struct store *s, enum statement which, uint32_t version, int64_t at,
               struct span bytes)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, at);
    db_bind(q, 4, s->epoch);
    db_bind_blob(q, 5, bytes);
    return db_do(s, q, "cannot write samples");
}

static err put_sample(struct store *s, const struct sample *sample)
{
    char bytes[SERIES_MAX * PACK_NUMBER_MAX];
    struct str packed = str_fixed(bytes, sizeof(bytes));

    pack_counters(&packed, SERIES_MAX, sample->counts);
    TRY(put(s, SQL_TOTAL_PUT, sample->version, sample->at, str_span(&packed)));
    if (!sample->keep)
        return OK;
    return put(s, SQL_MINUTE_PUT, sample->version, sample->at, str_span(&packed));
}

static err put_all(struct store *s, const struct sample_batch *batch)
{
    TRY(late_write(s, batch->late, batch->late_count, batch->now));
    for (size_t i = 0; i < batch->sample_count; i++)
        TRY(put_sample(s, &batch->samples[i]));
    for (size_t i = 0; i < batch->histogram_count; i++) {
        const struct histogram_sample *h = &batch->histograms[i];
        check(h->at % HISTOGRAM_SLOT_S == 0);
        TRY(put(s, SQL_HISTOGRAM_PUT, h->version, h->at, h->bins));
    }
    return OK;
}

err samples_write(struct store *s, const struct sample_batch *batch)
{
    check(s->epoch != 0);
    TRY(db_begin(s));
    err e = put_all(s, batch);
    if (!e.failed)
        e = db_commit(s);
    if (e.failed)
        db_rollback(s);
    return e;
}
