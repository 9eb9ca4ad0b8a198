/* SPDX-License-Identifier: Apache-2.0 */
/* kept_peers.c - rows of what peers said. */
#include "store/kept_peers.h"

#include "store/db.h"

static void take_peer(sqlite3_stmt *q, struct arena *a, void *ret_peer)
{
    *(struct kept_peer *)ret_peer = (struct kept_peer){ .url = arena_span(a, db_blob(q, 0)),
                                                        .at = sqlite3_column_int64(q, 1),
                                                        .said = arena_span(a, db_blob(q, 2)) };
}

err kept_peers_load(struct store *s, struct arena *a, struct kept_peer **ret_list,
                    size_t *ret_count)
{
    struct kept_peer *list = arena_array(a, struct kept_peer, KEPT_PEERS_MAX);
    sqlite3_stmt *q = db_statement(s, SQL_KEPT_PEERS_LIST);

    db_bind(q, 1, KEPT_PEERS_MAX);
    TRY(db_list(s, q, "cannot read what peers said",
                &(struct db_rows){ take_peer, list, sizeof(list[0]), KEPT_PEERS_MAX }, a,
                ret_count));
    *ret_list = list;
    return OK;
}

/* One statement is a transaction of its own. */
err kept_peers_put(struct store *s, const struct kept_peer *p)
{
    sqlite3_stmt *q = db_statement(s, SQL_KEPT_PEER_PUT);

    db_bind_text(q, 1, p->url);
    db_bind(q, 2, p->at);
    db_bind_blob(q, 3, p->said);
    return db_do(s, q, "cannot write what a peer said");
}

static bool is_one_of(struct span url, const struct span *urls, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(urls[i], url))
            return true;
    }
    return false;
}

/* Reading ends before anything is deleted. */
static err find_others(struct store *s, const struct span *urls, size_t count, struct arena *a,
                       struct span *ret_others, size_t *ret_count)
{
    sqlite3_stmt *q = db_statement(s, SQL_KEPT_PEERS_URLS);

    db_bind(q, 1, KEPT_PEERS_MAX); /* the rest the next time */
    db_bind(q, 2, (int64_t)count);
    for (;;) {
        bool row;
        TRY(db_next(s, q, "cannot read whose words are kept", &row));
        if (!row)
            return OK;
        if (!is_one_of(db_blob(q, 0), urls, count))
            ret_others[(*ret_count)++] = arena_span(a, db_blob(q, 0));
    }
}

err kept_peers_forget(struct store *s, const struct span *urls, size_t count)
{
    struct arena a = {};
    struct span *others = arena_array(&a, struct span, KEPT_PEERS_MAX + count);
    size_t n = 0;
    err e = find_others(s, urls, count, &a, others, &n);

    for (size_t i = 0; i < n && !e.failed; i++) {
        sqlite3_stmt *q = db_statement(s, SQL_KEPT_PEER_FORGET);
        db_bind_text(q, 1, others[i]);
        e = db_do(s, q, "cannot forget a peer");
    }
    arena_free(&a);
    return e;
}
