/* SPDX-License-Identifier: Apache-2.0 */
/* late.c - rows of the past, written again. */
#include "store/late.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"

#include <stdlib.h>
#include <string.h>

static sqlite3_stmt *statement_for(struct store *s, enum statement which, uint32_t version,
                                   int64_t at)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, at);
    return q;
}

/* ---- counters */

struct kept_row {
    int64_t at;
    int64_t epoch;
    uint64_t counts[SERIES_MAX];
};

/* The rows of a version from an instant on; free() the list. */
static err read_rows(struct store *s, uint32_t version, int64_t from, struct kept_row **ret_list,
                     size_t *ret_count)
{
    sqlite3_stmt *q = statement_for(s, SQL_MINUTES_FROM, version, from);
    size_t room = 0;
    bool row;

    for (;;) {
        TRY(db_next(s, q, "cannot read samples", &row));
        if (!row)
            return OK;
        if (*ret_count == room) {
            room = room ? 2 * room : 64;
            *ret_list = realloc(*ret_list, room * sizeof(struct kept_row));
            check(*ret_list != NULL);
        }
        struct kept_row *r = &(*ret_list)[(*ret_count)++];
        *r = (struct kept_row){ .at = sqlite3_column_int64(q, 0),
                                .epoch = sqlite3_column_int64(q, 1) };
        if (!unpack_counters(db_blob(q, 2), SERIES_MAX, r->counts)) {
            db_reset(q);
            return db_trouble(s, STORE_CORRUPT, "a stored sample is damaged");
        }
    }
}

static err write_row(struct store *s, uint32_t version, const struct kept_row *r)
{
    char bytes[SERIES_MAX * PACK_NUMBER_MAX];
    struct str packed = str_fixed(bytes, sizeof(bytes));
    sqlite3_stmt *q = statement_for(s, SQL_MINUTE_PUT, version, r->at);

    pack_counters(&packed, SERIES_MAX, r->counts);
    db_bind(q, 4, r->epoch);
    db_bind_blob(q, 5, str_span(&packed));
    return db_do(s, q, "cannot write samples");
}

/* The first minute in which a late event can count. */
static err first_minute(struct store *s, uint32_t version, int64_t *ret_at)
{
    sqlite3_stmt *q = db_statement(s, SQL_SAMPLE_FIRST);
    bool row;

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    TRY(db_next(s, q, "cannot read samples", &row));
    *ret_at = row ? sqlite3_column_int64(q, 0) + 60 : INT64_MAX;
    if (row)
        db_reset(q);
    return OK;
}

static int64_t not_before(int64_t at, int64_t first)
{
    return at > first ? at : first;
}

/* Minutes in which nothing had changed have no row yet: it says what the one before it says. */
static err make_rows(struct store *s, const struct late_add *list, size_t count, int64_t first,
                     int64_t now)
{
    int64_t made = INT64_MIN;

    for (size_t i = 0; i < count; i++) {
        int64_t at = not_before(list[i].at, first);
        if (at == made || at >= now)
            continue;
        TRY(db_do(s, statement_for(s, SQL_MINUTE_MAKE, list[i].version, at),
                  "cannot write samples"));
        made = at;
    }
    return OK;
}

static err add_to_rows(struct store *s, const struct late_add *list, size_t count, int64_t first,
                       struct kept_row *rows, size_t row_count)
{
    uint64_t sums[SERIES_MAX] = {};
    size_t next = 0;

    for (size_t i = 0; i < row_count; i++) {
        for (; next < count && not_before(list[next].at, first) <= rows[i].at; next++)
            sums[list[next].what] += list[next].n;
        for (unsigned k = 0; k < SERIES_MAX; k++)
            rows[i].counts[k] += sums[k];
        TRY(write_row(s, list[0].version, &rows[i]));
    }
    return OK;
}

static err write_counters(struct store *s, const struct late_add *list, size_t count, int64_t now)
{
    struct kept_row *rows = NULL;
    size_t row_count = 0;
    int64_t first;

    TRY(first_minute(s, list[0].version, &first));
    if (first >= now)
        return OK; /* the samples of now are the first that count anything */
    TRY(make_rows(s, list, count, first, now));
    err e = read_rows(s, list[0].version, not_before(list[0].at, first), &rows, &row_count);
    if (!e.failed)
        e = add_to_rows(s, list, count, first, rows, row_count);
    free(rows);
    return e;
}

/* ---- histograms */

static err write_bins(struct store *s, const struct late_add *list, size_t count)
{
    uint64_t bins[HISTOGRAM_BINS] = {};
    char *bytes = malloc(PACK_HISTOGRAM_MAX);
    struct str packed = str_fixed(bytes, PACK_HISTOGRAM_MAX);
    sqlite3_stmt *q = statement_for(s, SQL_HISTOGRAM_GET, list[0].version, list[0].at);
    bool row;

    check(bytes != NULL);
    db_bind(q, 4, s->epoch);
    err e = db_next(s, q, "cannot read histograms", &row);
    if (!e.failed && row) {
        if (!unpack_histogram(db_blob(q, 0), bins))
            e = db_trouble(s, STORE_CORRUPT, "a stored histogram is damaged");
        db_reset(q);
    }
    for (size_t i = 0; i < count; i++)
        bins[list[i].what - SERIES_MAX] += list[i].n;
    if (!e.failed) {
        pack_histogram(&packed, bins, NULL);
        q = statement_for(s, SQL_HISTOGRAM_PUT, list[0].version, list[0].at);
        db_bind(q, 4, s->epoch);
        db_bind_blob(q, 5, str_span(&packed));
        e = db_do(s, q, "cannot write samples");
    }
    free(bytes);
    return e;
}

/* ---- all of it */

static bool is_bin(const struct late_add *a)
{
    return a->what >= SERIES_MAX;
}

/* How many from the first on belong together: of a version all counters, of bins one slot. */
static size_t group(const struct late_add *list, size_t count)
{
    size_t n = 1;

    while (n < count && list[n].version == list[0].version && is_bin(&list[n]) == is_bin(list) &&
           (!is_bin(list) || list[n].at == list[0].at))
        n++;
    return n;
}

err late_write(struct store *s, const struct late_add *list, size_t count, int64_t now)
{
    while (count > 0) {
        size_t n = group(list, count);
        if (is_bin(list))
            TRY(write_bins(s, list, n));
        else
            TRY(write_counters(s, list, n, now));
        list += n;
        count -= n;
    }
    return OK;
}
