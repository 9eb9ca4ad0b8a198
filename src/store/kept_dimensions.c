/* SPDX-License-Identifier: Apache-2.0 */
/* kept_dimensions.c - rows of what was counted by dimension. */
#include "store/kept_dimensions.h"

#include "store/db.h"

err kept_dimensions_load(struct store *s, int64_t since, struct arena *a,
                         struct kept_dimensions **ret_list, size_t *ret_count)
{
    struct kept_dimensions *list = arena_array(a, struct kept_dimensions, KEPT_DIMENSIONS_MAX);
    sqlite3_stmt *q = db_statement(s, SQL_KEPT_DIMENSIONS_LIST);
    size_t bytes = 0;
    size_t n = 0;

    db_bind(q, 1, since);
    db_bind(q, 2, KEPT_DIMENSIONS_MAX);
    for (;;) {
        bool row;
        TRY(db_next(s, q, "cannot read what was counted by dimension", &row));
        if (!row)
            break;
        bytes += db_blob(q, 4).n;
        if (bytes > KEPT_DIMENSIONS_BYTES) {
            db_reset(q);
            break;
        }
        list[n++] = (struct kept_dimensions){ .process = (uint64_t)sqlite3_column_int64(q, 0),
                                              .journey = arena_span(a, db_blob(q, 1)),
                                              .definition = (uint64_t)sqlite3_column_int64(q, 2),
                                              .until = sqlite3_column_int64(q, 3),
                                              .said = arena_span(a, db_blob(q, 4)) };
    }
    *ret_list = list;
    *ret_count = n;
    return OK;
}

static err put_one(struct store *s, const struct kept_dimensions *k)
{
    sqlite3_stmt *q = db_statement(s, SQL_KEPT_DIMENSIONS_PUT);

    db_bind(q, 1, (int64_t)k->process);
    db_bind_text(q, 2, k->journey);
    db_bind(q, 3, (int64_t)k->definition);
    db_bind(q, 4, k->until);
    db_bind_blob(q, 5, k->said);
    return db_do(s, q, "cannot write what was counted by dimension");
}

err kept_dimensions_put(struct store *s, const struct kept_dimensions *list, size_t count)
{
    err e = OK;

    TRY(db_begin(s));
    for (size_t i = 0; i < count && !e.failed; i++)
        e = put_one(s, &list[i]);
    return db_end(s, e);
}

err kept_dimensions_forget(struct store *s, int64_t since)
{
    sqlite3_stmt *q = db_statement(s, SQL_KEPT_DIMENSIONS_FORGET);

    db_bind(q, 1, since);
    db_bind(q, 2, KEPT_DIMENSIONS_MAX);
    return db_do(s, q, "cannot forget what was counted by dimension");
}
