/* SPDX-License-Identifier: Apache-2.0 */
/* kept_changes.c - rows of changes. */
#include "store/kept_changes.h"

#include "store/db.h"

static err count_changes(struct store *s, int64_t *ret_count)
{
    sqlite3_stmt *q = db_statement(s, SQL_CHANGES_COUNT);
    bool row;

    TRY(db_next(s, q, "cannot count changes", &row));
    *ret_count = sqlite3_column_int64(q, 0);
    db_reset(q);
    if (*ret_count <= CHANGES_MAX)
        return OK;
    s->trouble = STORE_OTHER;
    return err_make("store %s: more than %d changes made at run time; some must be taken back",
                    s->path, CHANGES_MAX);
}

static void take_change(sqlite3_stmt *q, struct arena *a, void *ret_change)
{
    *(struct stored_change *)ret_change = (struct stored_change){
        .id = sqlite3_column_int64(q, 0),
        .kind = arena_span(a, db_blob(q, 1)),
        .service = arena_span(a, db_blob(q, 2)),
        .instance = arena_span(a, db_blob(q, 3)),
        .value = arena_span(a, db_blob(q, 4)),
        .who = arena_span(a, db_blob(q, 5)),
        .why = arena_span(a, db_blob(q, 6)),
        .at = sqlite3_column_int64(q, 7),
        .expires = sqlite3_column_int64(q, 8),
        .file_value = arena_span(a, db_blob(q, 9)),
    };
}

err changes_load(struct store *s, struct arena *a, struct stored_change **ret_list,
                 size_t *ret_count)
{
    int64_t count;

    TRY(count_changes(s, &count));
    struct stored_change *list = arena_array(a, struct stored_change, (size_t)count);
    sqlite3_stmt *q = db_statement(s, SQL_CHANGES_LIST);
    db_bind(q, 1, count); /* another process may have added some */
    TRY(db_list(s, q, "cannot read changes",
                &(struct db_rows){ take_change, list, sizeof(list[0]), (size_t)count }, a,
                ret_count));
    *ret_list = list;
    return OK;
}

static err put(struct store *s, const struct stored_change *c)
{
    sqlite3_stmt *q = db_statement(s, SQL_CHANGE_PUT);
    int64_t count;

    db_bind(q, 1, c->id);
    db_bind_text(q, 2, c->kind);
    db_bind_text(q, 3, c->service);
    db_bind_text(q, 4, c->instance);
    db_bind_text(q, 5, c->value);
    db_bind_text(q, 6, c->who);
    db_bind_text(q, 7, c->why);
    db_bind(q, 8, c->at);
    db_bind(q, 9, c->expires);
    db_bind_text(q, 10, c->file_value);
    TRY(db_do(s, q, "cannot write a change"));
    return count_changes(s, &count);
}

err changes_put(struct store *s, const struct stored_change *c)
{
    TRY(db_begin(s));
    return db_end(s, put(s, c));
}

/* One statement is a transaction of its own. */
err changes_delete(struct store *s, int64_t id)
{
    sqlite3_stmt *q = db_statement(s, SQL_CHANGE_DELETE);

    db_bind(q, 1, id);
    return db_do(s, q, "cannot delete a change");
}
