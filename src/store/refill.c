/* SPDX-License-Identifier: Apache-2.0 */
/* refill.c - see refill.h. A history begins with its oldest sample, in `hour`: no row of zeroes is put before it, for that
 * would make all counts of before look as if they had come at once. */
#include "store/refill.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"

static err put(struct store *s, enum statement which, const struct sample *sample)
{
    char bytes[SERIES_MAX * PACK_NUMBER_MAX];
    struct str packed = str_fixed(bytes, sizeof(bytes));
    sqlite3_stmt *q = db_statement(s, which);

    pack_counters(&packed, SERIES_MAX, sample->counts);
    db_bind(q, 1, sample->version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, sample->at);
    db_bind(q, 4, s->epoch);
    db_bind_blob(q, 5, str_span(&packed));
    return db_do(s, q, "cannot be filled again");
}

static err put_journey(struct store *s, struct refill_journey *j)
{
    const struct sample *newest = &j->samples[j->sample_count - 1];

    if (j->meaning.name.n)
        TRY(catalog_version(s, &j->meaning, j->samples[0].at, &j->version));
    for (size_t i = 0; i < j->sample_count; i++)
        j->samples[i].version = j->version.id;
    if (s->begun || j->version.created)
        TRY(put(s, SQL_HOUR_PUT, &j->samples[0]));
    for (size_t i = 1; s->begun && i < j->sample_count; i++)
        TRY(put(s, SQL_MINUTE_PUT, &j->samples[i]));
    TRY(put(s, SQL_MINUTE_PUT, newest));
    return put(s, SQL_TOTAL_PUT, newest);
}

static err put_all(struct store *s, struct refill *r)
{
    TRY(catalog_epoch(s, r->now, r->program));
    for (size_t i = 0; i < r->count; i++)
        TRY(put_journey(s, &r->journeys[i]));
    return OK;
}

err store_refill(struct store *s, struct refill *r)
{
    TRY(db_begin(s));
    err e = db_end(s, put_all(s, r));
    if (e.failed)
        s->epoch = 0;
    else
        s->begun = false;
    return e;
}
