/* SPDX-License-Identifier: Apache-2.0 */
/* retention.c - thinning and forgetting, version by version: the old rows are the first of their
 * version's range, so a step reads hardly more than it removes. States of instances and deeds have an
 * index for that. */
#include "store/retention.h"

#include "store/db.h"

enum { VERSIONS_PER_STEP = 64 }; /* looked at when there is little to do; four descents each */

/* What a step may still do. */
struct allowance {
    int64_t now;
    int rows;
    int versions;
};

static err sweep(struct store *s, enum statement which, int64_t version, int64_t before, int rows)
{
    sqlite3_stmt *q = db_statement(s, which);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, before);
    db_bind(q, 4, rows);
    return db_do(s, q, "cannot forget old samples");
}

/* Takes what was forgotten from the allowance, which one version may use up. */
static err forget(struct store *s, enum statement which, int64_t version, int64_t before,
                  struct allowance *left)
{
    TRY(sweep(s, which, version, before, left->rows));
    left->rows -= sqlite3_changes(s->db);
    return OK;
}

/* Whole hours only: an hour is thinned when all of it is old. Its last sample is the one at its
 * end, so the counters as they stood at a whole hour stay exact. */
static int64_t hours_ago(int64_t now, int days)
{
    int64_t t = now - days * DAY_S;

    return t - t % 3600;
}

static err look_after(struct store *s, int64_t version, struct allowance *left)
{
    int64_t minutes = hours_ago(left->now, KEEP_MINUTES_DAYS);
    int64_t hours = hours_ago(left->now, KEEP_HOURS_DAYS);
    int64_t histograms = hours_ago(left->now, KEEP_HISTOGRAMS_DAYS);

    TRY(sweep(s, SQL_MINUTES_THIN, version, minutes, left->rows)); /* the same rows as below */
    TRY(forget(s, SQL_MINUTES_FORGET, version, minutes, left));
    TRY(forget(s, SQL_HOURS_FORGET, version, hours, left));
    return forget(s, SQL_HISTOGRAMS_FORGET, version, histograms, left);
}

/* Not by whole hours: nothing of it is thinned. */
static err forget_states(struct store *s, struct allowance *left)
{
    sqlite3_stmt *q = db_statement(s, SQL_INSTANCE_STATES_FORGET);

    db_bind(q, 1, left->now - KEEP_INSTANCE_STATES_DAYS * DAY_S);
    db_bind(q, 2, left->rows);
    TRY(db_do(s, q, "cannot forget old states of instances"));
    left->rows -= sqlite3_changes(s->db);
    return OK;
}

static err forget_deeds(struct store *s, struct allowance *left)
{
    sqlite3_stmt *q = db_statement(s, SQL_DEEDS_FORGET);

    db_bind(q, 1, left->now - KEEP_DEEDS_DAYS * DAY_S);
    db_bind(q, 2, left->rows);
    TRY(db_do(s, q, "cannot forget what was done long ago"));
    left->rows -= sqlite3_changes(s->db);
    return OK;
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

/* Stays with a version that used up the allowance: there may be more of it. */
static err look_after_some(struct store *s, struct allowance *left, int64_t *at,
                           bool *ret_round_over)
{
    bool found = true;

    for (; found && left->rows > 0 && left->versions > 0; left->versions--) {
        TRY(look_after(s, *at, left));
        if (left->rows > 0)
            TRY(next_version(s, *at, at, &found));
    }
    *ret_round_over = !found;
    return OK;
}

err retention_step(struct store *s, int64_t now, bool *ret_more)
{
    struct allowance left = {
        .now = now,
        .rows = RETENTION_ROWS_MAX,
        .versions = VERSIONS_PER_STEP,
    };
    int64_t at = s->retention_next;
    bool round_over = false;

    TRY(db_begin(s));
    err e = forget_states(s, &left);
    if (!e.failed)
        e = forget_deeds(s, &left);
    if (!e.failed)
        e = look_after_some(s, &left, &at, &round_over);
    TRY(db_end(s, e));
    bool worked = s->retention_worked || left.rows < RETENTION_ROWS_MAX;
    s->retention_next = round_over ? 0 : at;
    s->retention_worked = worked && !round_over;
    *ret_more = worked || !round_over;
    return OK;
}
