/* SPDX-License-Identifier: Apache-2.0 */
/* instance_states.c - rows of states. Next: retention.c, which forgets them. */
#include "store/instance_states.h"

#include "base/check.h"
#include "store/db.h"

/* How many will be read. */
static err count_states(struct store *s, int64_t *ret_count)
{
    sqlite3_stmt *q = db_statement(s, SQL_INSTANCE_STATES_COUNT);
    bool row;

    db_bind(q, 1, INSTANCE_STATES_MAX);
    TRY(db_next(s, q, "cannot count states of instances", &row));
    *ret_count = sqlite3_column_int64(q, 0);
    db_reset(q);
    return OK;
}

static void take_state(sqlite3_stmt *q, struct arena *a, void *ret_state)
{
    *(struct stored_instance_state *)ret_state = (struct stored_instance_state){
        .service = arena_span(a, db_blob(q, 0)),
        .instance = arena_span(a, db_blob(q, 1)),
        .up = sqlite3_column_int64(q, 2) != 0,
        .since = sqlite3_column_int64(q, 3),
        .seen = sqlite3_column_int64(q, 4),
    };
}

err instance_states_load(struct store *s, struct arena *a, struct stored_instance_state **ret_list,
                         size_t *ret_count)
{
    int64_t count;

    TRY(count_states(s, &count));
    struct stored_instance_state *list =
        arena_array(a, struct stored_instance_state, (size_t)count);
    sqlite3_stmt *q = db_statement(s, SQL_INSTANCE_STATES_LIST);
    db_bind(q, 1, count); /* another process may have added some */
    TRY(db_list(s, q, "cannot read states of instances",
                &(struct db_rows){ take_state, list, sizeof(list[0]), (size_t)count }, a,
                ret_count));
    *ret_list = list;
    return OK;
}

static err put(struct store *s, const struct stored_instance_state *state)
{
    sqlite3_stmt *q = db_statement(s, SQL_INSTANCE_STATE_PUT);

    check(state->seen != 0); /* retention would forget it at once */
    db_bind_text(q, 1, state->service);
    db_bind_text(q, 2, state->instance);
    db_bind(q, 3, state->up);
    db_bind(q, 4, state->since);
    db_bind(q, 5, state->seen);
    return db_do(s, q, "cannot write the state of an instance");
}

static err put_all(struct store *s, const struct stored_instance_state *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        TRY(put(s, &list[i]));
    return OK;
}

err instance_states_write(struct store *s, const struct stored_instance_state *list, size_t count)
{
    TRY(db_begin(s));
    return db_end(s, put_all(s, list, count));
}
