/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - rows of epochs, journeys and versions. */
#include "store/catalog.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"
#include "store/losses.h"
#include "store/rebuilt_history.h"
#include "store/samples.h"

enum { SET_BACK_MOST_S = 86400 };

static err history_begin(struct store *s, int64_t version, int64_t now)
{
    sqlite3_stmt *q = db_statement(s, SQL_HISTORY_BEGIN);

    db_bind(q, 1, version);
    db_bind(q, 2, s->node);
    db_bind(q, 3, now);
    db_bind(q, 4, s->epoch);
    return db_do(s, q, "cannot begin a history");
}

static err totals_keep(struct store *s)
{
    sqlite3_stmt *q = db_statement(s, SQL_TOTALS_KEEP);

    db_bind(q, 1, s->node);
    return db_do(s, q, "cannot keep the last epoch's totals");
}

/* The clock was ahead and was set back: what was counted by it was counted until now, whatever it said, and its times will
 * come again. Rows that lie in the future would stand between those of then. A clock that says to be more than a day behind is
 * rather wrong now, as after a start without a battery: nothing is dropped at its word. */
static err leave_the_future(struct store *s, int64_t now, int64_t last)
{
    static const enum statement all[] = { SQL_BEGINS_BACK, SQL_MINUTES_BACK, SQL_HOURS_BACK,
                                          SQL_TOTALS_BACK };
    bool behind = last > now && last - now <= SET_BACK_MOST_S;

    for (size_t i = 0; behind && i < sizeof(all) / sizeof(all[0]); i++) {
        sqlite3_stmt *q = db_statement(s, all[i]);
        db_bind(q, 1, s->node);
        db_bind(q, 2, now);
        TRY(db_do(s, q, "cannot take back what lies in the future"));
    }
    return OK;
}

/* RETURNING gives its row before the statement is done: read it, then finish. */
static err add_returning(struct store *s, sqlite3_stmt *q, const char *doing, int columns,
                         int64_t *ret_values)
{
    bool row;

    TRY(db_next(s, q, doing, &row));
    check(row);
    for (int i = 0; i < columns; i++)
        ret_values[i] = sqlite3_column_int64(q, i);
    return db_do(s, q, doing);
}

err catalog_epoch(struct store *s, int64_t now, struct span program)
{
    int64_t last;
    bool goes_on;

    TRY(loss_look(s, &goes_on, &last));
    sqlite3_stmt *q = db_statement(s, SQL_EPOCH_ADD);
    db_bind(q, 1, s->node);
    db_bind(q, 2, now);
    db_bind_text(q, 3, program);
    TRY(add_returning(s, q, "cannot begin an epoch", 1, &s->epoch));
    TRY(leave_the_future(s, now, last));
    return totals_keep(s);
}

static err add_epoch(struct store *s, int64_t now, struct span program)
{
    TRY(catalog_epoch(s, now, program));
    return history_begin(s, NODE_VERSION, now);
}

err epoch_begin(struct store *s, int64_t now, struct span program, int64_t *ret_epoch)
{
    int64_t before = s->epoch;

    TRY(db_begin(s));
    err e = db_end(s, add_epoch(s, now, program));
    if (e.failed) {
        s->epoch = before;
        return e;
    }
    *ret_epoch = s->epoch;
    return OK;
}

/* ---- meanings */

enum { UNDERS_MAX = (1 + OBJECTIVES_MAX) * PACK_NUMBER_MAX };

static void pack_unders(const struct journey_meaning *m, struct str *out)
{
    pack_number(out, m->objectives);
    for (unsigned i = 0; i < m->objectives; i++)
        pack_number(out, (uint64_t)m->under[i]);
}

static bool unpack_unders(struct span in, struct rebuild_source *ret)
{
    uint64_t count, under;

    if (!unpack_number(&in, &count) || count > OBJECTIVES_MAX)
        return false;
    for (ret->objectives = 0; ret->objectives < count; ret->objectives++) {
        if (!unpack_number(&in, &under) || under > INT64_MAX)
            return false;
        ret->under[ret->objectives] = (ns_t)under;
    }
    return in.n == 0;
}

static err give_meaning(struct store *s, uint32_t id, const struct journey_meaning *m)
{
    char bytes[UNDERS_MAX];
    struct str unders = str_fixed(bytes, sizeof(bytes));
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_MEAN);

    pack_unders(m, &unders);
    db_bind(q, 1, id);
    db_bind(q, 2, (int64_t)m->basis);
    db_bind_blob(q, 3, str_span(&unders));
    return db_do(s, q, "cannot note what a journey counts");
}

/* ---- versions */

static err find_version(struct store *s, const struct journey_meaning *m,
                        struct journey_version *ret_version, bool *ret_found)
{
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_FIND);

    db_bind_text(q, 1, m->name);
    db_bind(q, 2, (int64_t)m->definition);
    TRY(db_next(s, q, "cannot find a journey", ret_found));
    if (!*ret_found)
        return OK;
    *ret_version = (struct journey_version){
        .id = (uint32_t)sqlite3_column_int64(q, 0),
        .number = (uint32_t)sqlite3_column_int64(q, 1),
        .bins = (uint32_t)sqlite3_column_int64(q, 2),
    };
    bool meant = sqlite3_column_int64(q, 3) != 0;
    db_reset(q);
    return meant ? OK : give_meaning(s, ret_version->id, m);
}

static err add_journey(struct store *s, struct span name)
{
    sqlite3_stmt *q = db_statement(s, SQL_JOURNEY_ADD);

    db_bind_text(q, 1, name);
    return db_do(s, q, "cannot add a journey");
}

static err add_version(struct store *s, const struct journey_meaning *m, int64_t now,
                       struct journey_version *ret_version)
{
    char bytes[UNDERS_MAX];
    struct str unders = str_fixed(bytes, sizeof(bytes));
    int64_t values[3];

    TRY(add_journey(s, m->name));
    pack_unders(m, &unders);
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_ADD);
    db_bind_text(q, 1, m->name);
    db_bind(q, 2, (int64_t)m->definition);
    db_bind(q, 3, now);
    db_bind(q, 4, (int64_t)m->basis);
    db_bind_blob(q, 5, str_span(&unders));
    TRY(add_returning(s, q, "cannot add a version of a journey", 3, values));
    *ret_version = (struct journey_version){
        .id = (uint32_t)values[0],
        .number = (uint32_t)values[1],
        .bins = (uint32_t)values[2],
        .created = true,
    };
    return OK;
}

err catalog_version(struct store *s, const struct journey_meaning *m, int64_t now,
                    struct journey_version *ret_version)
{
    bool found;

    check(m->objectives <= OBJECTIVES_MAX);
    TRY(find_version(s, m, ret_version, &found));
    return found ? OK : add_version(s, m, now, ret_version);
}

static err read_source(struct store *s, sqlite3_stmt *q, struct rebuild_source *ret)
{
    bool row;

    *ret = (struct rebuild_source){};
    TRY(db_next(s, q, "cannot find a journey", &row));
    if (!row)
        return OK;
    ret->id = (uint32_t)sqlite3_column_int64(q, 0);
    ret->bins = (uint32_t)sqlite3_column_int64(q, 1);
    ret->follows = (uint32_t)sqlite3_column_int64(q, 2);
    bool whole = unpack_unders(db_blob(q, 3), ret);
    db_reset(q);
    return whole ? OK : db_trouble(s, STORE_CORRUPT, "a stored version is damaged");
}

static err find_leader(struct store *s, const struct journey_meaning *m, struct rebuild_source *ret)
{
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_LAST);

    db_bind_text(q, 1, m->name);
    db_bind(q, 2, (int64_t)m->basis);
    return read_source(s, q, ret);
}

/* What the running program has counted is stored first, so that all of it is in what is rebuilt from the store. */
static err put_newest(struct store *s, const struct journey_newest *n)
{
    struct sample sample = n->sample;
    struct histogram_sample histogram = n->histogram;
    struct sample_batch batch = { .samples = &sample,
                                  .sample_count = 1,
                                  .histograms = &histogram,
                                  .histogram_count = histogram.bins.n > 0,
                                  .leads = (uint32_t[]){ n->version },
                                  .lead_count = 1 };

    return samples_put(s, &batch);
}

/* A version that began anew follows one whose counts it could not go on with; this one may. Until its own rows are met, or one
 * that it cannot go on with either. */
static err find_chain(struct store *s, const struct journey_meaning *m,
                      const struct journey_version *to, struct rebuild_link *chain, unsigned *count)
{
    unsigned missing;

    while (*count < REBUILD_CHAIN_MAX) {
        struct rebuild_link *link = &chain[*count];
        uint32_t follows = chain[*count - 1].from.follows;
        if (follows == 0 || follows == to->id)
            return OK;
        sqlite3_stmt *q = db_statement(s, SQL_VERSION_GET);
        db_bind(q, 1, follows);
        TRY(read_source(s, q, &link->from));
        if (link->from.id == 0 || !rebuild_plan(link->from.under, link->from.objectives, m->under,
                                                m->objectives, &link->plan, &missing))
            return OK;
        ++*count;
    }
    return OK;
}

static err note_follows(struct store *s, uint32_t version, uint32_t follows)
{
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_FOLLOWS);

    db_bind(q, 1, version);
    db_bind(q, 2, follows);
    return db_do(s, q, "cannot note what a version follows");
}

static err rebuild_version(struct store *s, const struct journey_meaning *m,
                           const struct journey_version *to, struct rebuild_link *chain)
{
    unsigned count = 1;

    TRY(find_chain(s, m, to, chain, &count));
    if (to->created)
        TRY(note_follows(s, to->id, chain[count - 1].from.follows));
    return rebuild_history(s, chain, count, to);
}

static err begin_version(struct store *s, const struct journey_version *to, uint32_t leader,
                         int64_t now)
{
    if (!to->created)
        return OK;
    if (to->missed) /* the leader's last row is of now */
        TRY(note_follows(s, to->id, leader));
    /* else what is counted in this very second is after the begin */
    return history_begin(s, to->id, to->missed ? now : now - 1);
}

static err enter_version(struct store *s, const struct journey_meaning *m,
                         const struct journey_newest *newest, int64_t now,
                         struct journey_version *ret)
{
    struct rebuild_link chain[REBUILD_CHAIN_MAX];
    struct rebuild_source *leader = &chain[0].from;

    if (newest)
        TRY(put_newest(s, newest));
    TRY(find_leader(s, m, leader));
    TRY(catalog_version(s, m, now, ret));
    ret->leads = leader->id == ret->id;
    if (leader->id && !ret->leads) {
        ret->rebuilt = rebuild_plan(leader->under, leader->objectives, m->under, m->objectives,
                                    &chain[0].plan, &ret->missing);
        ret->missed = !ret->rebuilt;
    }
    return ret->rebuilt ? rebuild_version(s, m, ret, chain)
                        : begin_version(s, ret, leader->id, now);
}

err journey_version(struct store *s, const struct journey_meaning *meaning,
                    const struct journey_newest *newest, int64_t now,
                    struct journey_version *ret_version)
{
    struct journey_version version;

    check(meaning->name.n > 0);
    if (s->epoch == 0) /* opened anew while we run, and not filled yet */
        return db_trouble(s, STORE_GONE, "cannot find a journey before it is filled again");
    TRY(db_begin(s));
    TRY(db_end(s, enter_version(s, meaning, newest, now, &version)));
    *ret_version = version;
    return OK;
}
