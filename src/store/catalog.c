/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - rows of epochs, journeys and versions. */
#include "store/catalog.h"

#include "base/check.h"
#include "store/db.h"
#include "store/samples.h"

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

/* RETURNING gives its row before the statement is done: read it, then finish. */
static err add_returning(struct store *s, sqlite3_stmt *q, const char *doing, int64_t *ret_first,
                         int64_t *ret_second)
{
    bool row;

    TRY(db_next(s, q, doing, &row));
    check(row);
    *ret_first = sqlite3_column_int64(q, 0);
    if (ret_second)
        *ret_second = sqlite3_column_int64(q, 1);
    return db_do(s, q, doing);
}

err catalog_epoch(struct store *s, int64_t now, struct span program)
{
    sqlite3_stmt *q = db_statement(s, SQL_EPOCH_ADD);

    db_bind(q, 1, s->node);
    db_bind(q, 2, now);
    db_bind_text(q, 3, program);
    TRY(add_returning(s, q, "cannot begin an epoch", &s->epoch, NULL));
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
    err e = add_epoch(s, now, program);
    if (!e.failed)
        e = db_commit(s);
    if (e.failed) {
        db_rollback(s);
        s->epoch = before;
        return e;
    }
    *ret_epoch = s->epoch;
    return OK;
}

static err find_version(struct store *s, struct span name, uint64_t definition,
                        struct journey_version *ret_version, bool *ret_found)
{
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_FIND);

    db_bind_text(q, 1, name);
    db_bind(q, 2, (int64_t)definition);
    TRY(db_next(s, q, "cannot find a journey", ret_found));
    if (*ret_found) {
        ret_version->id = (uint32_t)sqlite3_column_int64(q, 0);
        ret_version->number = (uint32_t)sqlite3_column_int64(q, 1);
        ret_version->created = false;
        db_reset(q);
    }
    return OK;
}

static err add_journey(struct store *s, struct span name)
{
    sqlite3_stmt *q = db_statement(s, SQL_JOURNEY_ADD);

    db_bind_text(q, 1, name);
    return db_do(s, q, "cannot add a journey");
}

static err add_version(struct store *s, struct span name, uint64_t definition, int64_t now,
                       struct journey_version *ret_version)
{
    int64_t id, number;

    TRY(add_journey(s, name));
    sqlite3_stmt *q = db_statement(s, SQL_VERSION_ADD);
    db_bind_text(q, 1, name);
    db_bind(q, 2, (int64_t)definition);
    db_bind(q, 3, now);
    TRY(add_returning(s, q, "cannot add a version of a journey", &id, &number));
    *ret_version = (struct journey_version){
        .id = (uint32_t)id,
        .number = (uint32_t)number,
        .created = true,
    };
    return OK;
}

err catalog_version(struct store *s, struct span name, uint64_t definition, int64_t now,
                    struct journey_version *ret_version)
{
    bool found;

    TRY(find_version(s, name, definition, ret_version, &found));
    return found ? OK : add_version(s, name, definition, now, ret_version);
}

err journey_version(struct store *s, struct span name, uint64_t definition, int64_t now,
                    struct journey_version *ret_version)
{
    struct journey_version version;

    check(name.n > 0);
    if (s->epoch == 0) /* opened anew while we run, and not filled yet */
        return db_trouble(s, STORE_GONE, "cannot find a journey before it is filled again");
    TRY(db_begin(s));
    err e = catalog_version(s, name, definition, now, &version);
    if (!e.failed && version.created)
        e = history_begin(s, version.id, now);
    if (!e.failed)
        e = db_commit(s);
    if (e.failed) {
        db_rollback(s);
        return e;
    }
    *ret_version = version;
    return OK;
}
