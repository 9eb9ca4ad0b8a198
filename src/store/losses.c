/* SPDX-License-Identifier: Apache-2.0 */
/* losses.c - see losses.h. */
#include "store/losses.h"

#include "store/db.h"

static err last_epoch(struct store *s, int64_t *ret_id, bool *ret_goes_on, int64_t *ret_stored)
{
    sqlite3_stmt *q = db_statement(s, SQL_EPOCH_LAST);
    bool row;

    db_bind(q, 1, s->node);
    TRY(db_next(s, q, "cannot find the last epoch", &row));
    *ret_id = row ? sqlite3_column_int64(q, 0) : 0;
    *ret_goes_on = row && sqlite3_column_int64(q, 1) != 0;
    *ret_stored = row ? sqlite3_column_int64(q, 2) : 0;
    if (row)
        db_reset(q);
    return OK;
}

err loss_look(struct store *s, bool *ret_lost, int64_t *ret_stored)
{
    int64_t id;

    return last_epoch(s, &id, ret_lost, ret_stored);
}

err loss_keep(struct store *s, const struct loss *loss)
{
    int64_t id, stored;
    bool goes_on;

    TRY(last_epoch(s, &id, &goes_on, &stored));
    sqlite3_stmt *q = db_statement(s, SQL_LOSS_PUT);
    db_bind(q, 1, id);
    db_bind(q, 2, loss->stored_ms);
    db_bind(q, 3, loss->lived_ms);
    db_bind(q, 4, loss->back_ms);
    return db_do(s, q, "cannot note what was lost");
}

err losses_load(struct store *s, struct loss ret_list[LOSSES_MAX], size_t *ret_count)
{
    sqlite3_stmt *q = db_statement(s, SQL_LOSSES_LIST);
    size_t count = 0;
    bool row;

    db_bind(q, 1, LOSSES_MAX);
    for (;;) {
        TRY(db_next(s, q, "cannot read what was lost", &row));
        if (!row)
            break;
        ret_list[count++] = (struct loss){ .stored_ms = sqlite3_column_int64(q, 0),
                                           .lived_ms = sqlite3_column_int64(q, 1),
                                           .back_ms = sqlite3_column_int64(q, 2) };
    }
    *ret_count = count;
    return OK;
}
