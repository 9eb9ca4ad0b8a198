/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - thinning and forgetting, one version at a time, so that a step reads only what it
 * removes: old rows are the first of their version's range. */
#include "store/retention.h"

#include "store/db.h"

enum { VERSIONS_PER_STEP = 32 }; /* looked at when there is nothing to do; four descents each */

static err sweep(struct store *s, enum statement which, int64_t version, int64_t before,
                 bool *ret_worked)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, before);
    db_bind(q, 4, RETENTION_ROWS_MAX);
    TRY(db_do(s, q, "cannot forget old samples"));
    if (sqlite3_changes(s->db) > 0)
        *ret_worked = true;
    return OK;
}

/* Whole hours only: an hour is thinned when all of it is old. Its last sample is the one at its
 * end, so the counters as they stood at a whole hour stay exact. */
static int64_t hours_ago(int64_t now, int days)
{
    int64_t t = now - days * DAY_S;

    return t - t % 3600;
}

static err look_after(struct store *s, int64_t version, int64_t now, bool *ret_worked)
{
    int64_t minutes = hours_ago(now, KEEP_MINUTES_DAYS);

    TRY(sweep(s, SQL_MINUTES_THIN, version, minutes, ret_worked));
    TRY(sweep(s, SQL_MINUTES_FORGET, version, minutes, ret_worked));
    TRY(sweep(s, SQL_HOURS_FORGET, version, hours_ago(now, KEEP_HOURS_DAYS), ret_worked));
    return sweep(s, SQL_HISTOGRAMS_FORGET, version, hours_ago(now, KEEP_HISTOGRAMS_DAYS),
                 ret_worked);
}

/* The version after `version`; the node itself (0) comes first. False at the round's end. */
static err next_version(struct store *s, int64_t version, int64_t *ret_next, bool *ret_found)
{
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_NEXT);

    db_bind(q, 1, version + 1);
    TRY(db_next(s, q, "cannot list versions", ret_found));
    if (*ret_found) {
        *ret_next = sqlite3_column_int64(q, 0);
        db_reset(q);
    }
    return OK;
}

/* Stays with a version until nothing of it is left to do. */
static err look_after_some(struct store *s, int64_t now, int64_t *at, bool *ret_worked,
                           bool *ret_round_over)
{
    bool found = true;

    for (int i = 0; i < VERSIONS_PER_STEP && found && !*ret_worked; i++) {
        TRY(look_after(s, *at, now, ret_worked));
        if (!*ret_worked)
            TRY(next_version(s, *at, at, &found));
    }
    *ret_round_over = !found;
    return OK;
}

err retention_step(struct store *s, int64_t now, bool *ret_more)
{
    int64_t at = s->retention_next;
    bool worked = false, round_over = false;

    TRY(db_begin(s));
    err e = look_after_some(s, now, &at, &worked, &round_over);
    if (!e.failed)
        e = db_commit(s);
    if (e.failed) {
        db_rollback(s);
        return e;
    }
    bool more = worked || s->retention_worked || !round_over;
    s->retention_next = round_over ? 0 : at;
    s->retention_worked = (worked || s->retention_worked) && !round_over;
    *ret_more = more;
    return OK;
}
