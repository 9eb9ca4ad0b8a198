/* SPDX-License-Identifier: Apache-2.0 */
/* kept_deeds.c - rows of deeds. */
#include "store/kept_deeds.h"

#include "base/check.h"
#include "store/db.h"

enum { NUMBERS = 5 }; /* columns before the texts */

const char *deed_text_column(enum deed_text t)
{
    static const char *const columns[] = {
#define X(name, column) column,
        DEED_TEXTS(X)
#undef X
    };
    check((unsigned)t < DEED_TEXT_COUNT);
    return columns[t];
}

static err put(struct store *s, const struct kept_deed *d)
{
    sqlite3_stmt *q = db_statement(s, SQL_DEED_PUT);

    db_bind(q, 1, d->number);
    db_bind(q, 2, d->at);
    db_bind(q, 3, d->id);
    db_bind(q, 4, d->expires);
    db_bind(q, 5, d->serial);
    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        db_bind_text(q, NUMBERS + 1 + i, d->text[i]);
    return db_do(s, q, "cannot write what was done");
}

static err put_all(struct store *s, const struct kept_deed *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(put(s, &list[i]));
    sqlite3_stmt *q = db_statement(s, SQL_DEEDS_TRIM);
    db_bind(q, 1, KEPT_DEEDS_MAX);
    return db_do(s, q, "cannot forget what was done long ago");
}

err kept_deeds_put(struct store *s, const struct kept_deed *list, size_t count)
{
    TRY(db_begin(s));
    return db_end(s, put_all(s, list, count));
}

static void take_deed(sqlite3_stmt *q, struct arena *a, void *ret_deed)
{
    struct kept_deed *d = ret_deed;

    *d = (struct kept_deed){
        .number = sqlite3_column_int64(q, 0),
        .at = sqlite3_column_int64(q, 1),
        .id = sqlite3_column_int64(q, 2),
        .expires = sqlite3_column_int64(q, 3),
        .serial = sqlite3_column_int64(q, 4),
    };

    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        d->text[i] = arena_span(a, db_blob(q, NUMBERS + i));
}

err kept_deeds_load(struct store *s, int64_t before, size_t most, struct arena *a,
                    struct kept_deed **ret_list, size_t *ret_count)
{
    struct kept_deed *list = arena_array(a, struct kept_deed, most);
    sqlite3_stmt *q = db_statement(s, SQL_DEEDS_LIST);

    db_bind(q, 1, before);
    db_bind(q, 2, (int64_t)most);
    TRY(db_list(s, q, "cannot read what was done",
                &(struct db_rows){ take_deed, list, sizeof(list[0]), most }, a, ret_count));
    *ret_list = list;
    return OK;
}
