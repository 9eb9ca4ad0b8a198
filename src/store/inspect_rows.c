/* SPDX-License-Identifier: Apache-2.0 */
/* inspect_rows.c - what holds of every store that only evenkeel has written: counters and histograms can be read, none is
 * negative, none ever falls, no more time is measured than passed, and all are of a version and a node that is there.
 * Where the wall clock was set back, rows of two epochs are not compared. */
#include "store/inspect.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"
#include "store/samples.h"

#include <stdio.h>
#include <time.h>

enum {
    MEASURED_ROWS_S =
        120, /* rows further apart are not minutes of one run, of which more cannot be known */
    MEASURED_SLACK_MS = 2500, /* a row's time is its second, rounded down; and clocks are slewed */
};

/* One version's rows in the order in which they were counted. */
struct walk {
    struct store *s;
    struct inspection *i;
    struct span journey;
    int64_t version, number;
    bool begun;
    int64_t excess; /* a row that has measured more than passed; 0: none */
    int64_t epoch, at;
    uint64_t counts[SERIES_MAX];
};

static const char *time_text(int64_t at, char ret[32])
{
    time_t t = (time_t)at;
    struct tm tm;

    if (!gmtime_r(&t, &tm) || strftime(ret, 32, "%Y-%m-%d %H:%M:%SZ", &tm) == 0)
        snprintf(ret, 32, "%lld", (long long)at);
    return ret;
}

static void found(const struct walk *w, int64_t at, const char *what)
{
    char text[32];

    if (w->version == NODE_VERSION)
        inspection_found(w->i, "the node at %s: %s", time_text(at, text), what);
    else
        inspection_found(w->i, "%.*s, version %lld, at %s: %s", SPAN_ARG(w->journey),
                         (long long)w->number, time_text(at, text), what);
}

static bool comparable(const struct walk *w, int64_t epoch, int64_t at)
{
    return w->begun && at - w->at >= COUNTS_FALL_S && epoch >= w->epoch;
}

/* The last row of an epoch may hold all that a clock counted which was ahead, and was then set back. */
static void check_measured(struct walk *w, int64_t epoch, int64_t at, uint64_t ms)
{
    uint64_t most = (uint64_t)(at - w->at) * 1000 + MEASURED_SLACK_MS;

    if (epoch == w->epoch && w->excess)
        found(w, w->excess, "more time is measured than passed");
    bool minutes = comparable(w, epoch, at) && epoch == w->epoch && at - w->at <= MEASURED_ROWS_S;
    w->excess = minutes && ms > w->counts[0] + most ? at : 0;
}

static void check_row(struct walk *w, int64_t epoch, int64_t at, struct span bytes)
{
    uint64_t counts[SERIES_MAX];

    if (!unpack_counters(bytes, SERIES_MAX, counts)) {
        found(w, at, "its counts cannot be read");
        return;
    }
    for (unsigned c = 0; c < SERIES_MAX; c++) {
        if (counts[c] > INT64_MAX) {
            found(w, at, "a count is negative");
            return;
        }
    }
    for (unsigned c = 0; comparable(w, epoch, at) && c < SERIES_MAX; c++) {
        if (counts[c] < w->counts[c]) {
            found(w, at, "a count is less than before");
            break;
        }
    }
    if (w->version == NODE_VERSION)
        check_measured(w, epoch, at, counts[NODE_MEASURED_MS]);
    w->begun = true;
    w->epoch = epoch;
    w->at = at;
    memcpy(w->counts, counts, sizeof(counts));
}

/* The newest, in `total`, comes last. */
static void walk_version(struct walk *w)
{
    static const char sql[] =
        "SELECT epoch, at, counts, 0 AS newest FROM minute WHERE version = ?1 AND node = ?2 "
        "UNION ALL SELECT epoch, at, counts, 0 FROM hour WHERE version = ?1 AND node = ?2 "
        "UNION ALL SELECT epoch, at, counts, 1 FROM total WHERE version = ?1 AND node = ?2 "
        "ORDER BY newest, epoch, at";
    sqlite3_stmt *q = NULL;
    int rc = sqlite3_prepare_v2(w->s->db, sql, -1, &q, NULL);

    if (rc == SQLITE_OK) {
        db_bind(q, 1, w->version);
        db_bind(q, 2, w->s->node);
        while ((rc = sqlite3_step(q)) == SQLITE_ROW)
            check_row(w, sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), db_blob(q, 2));
    }
    if (rc != SQLITE_DONE)
        inspection_found(w->i, "it cannot be read: %s", sqlite3_errmsg(w->s->db));
    sqlite3_finalize(q);
}

static void walk_versions(struct store *s, struct inspection *i)
{
    static const char sql[] =
        "SELECT 0, 0, 'the node' UNION ALL SELECT v.id, v.number, j.name FROM "
        "version v JOIN journey j ON j.id = v.journey";
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK) {
        while (sqlite3_step(q) == SQLITE_ROW) {
            struct walk w = { .s = s,
                              .i = i,
                              .version = sqlite3_column_int64(q, 0),
                              .number = sqlite3_column_int64(q, 1),
                              .journey = db_blob(q, 2) };
            walk_version(&w);
        }
    }
    sqlite3_finalize(q);
}

static void check_owners(struct store *s, struct inspection *i, const char *table)
{
    char sql[320];
    sqlite3_stmt *q = NULL;

    snprintf(
        sql, sizeof(sql),
        "SELECT DISTINCT version, node FROM %s WHERE (version <> 0 AND version NOT IN (SELECT id "
        "FROM version)) OR node NOT IN (SELECT id FROM node) OR epoch NOT IN (SELECT id FROM "
        "epoch)",
        table);
    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK) {
        while (sqlite3_step(q) == SQLITE_ROW)
            inspection_found(i,
                             "table %s has rows of version %lld and node %lld, of which, or of "
                             "whose start, nothing is known",
                             table, (long long)sqlite3_column_int64(q, 0),
                             (long long)sqlite3_column_int64(q, 1));
    }
    sqlite3_finalize(q);
}

static void check_histograms(struct store *s, struct inspection *i)
{
    sqlite3_stmt *q = NULL;
    char text[32];

    if (sqlite3_prepare_v2(s->db, "SELECT version, at, bins FROM histogram", -1, &q, NULL) ==
        SQLITE_OK) {
        while (sqlite3_step(q) == SQLITE_ROW) {
            uint64_t bins[HISTOGRAM_BINS] = {};
            if (!unpack_histogram(db_blob(q, 2), bins))
                inspection_found(i, "the histogram of version %lld at %s cannot be read",
                                 (long long)sqlite3_column_int64(q, 0),
                                 time_text(sqlite3_column_int64(q, 1), text));
        }
    }
    sqlite3_finalize(q);
}

void inspect_rows(struct store *s, struct inspection *i)
{
    static const char *const tables[] = { "total", "minute", "hour", "histogram" };

    for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++)
        check_owners(s, i, tables[t]);
    walk_versions(s, i);
    check_histograms(s, i);
}
