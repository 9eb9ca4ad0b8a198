/* SPDX-License-Identifier: Apache-2.0 */
/* config_queries.c - the databases that know how jobs ended. Manual: PostgreSQL, libpq, "Connection Strings". */
#include "control/config_build.h"

#include "base/check.h"

#include <libpq-fe.h>

/* libpq reads it, and says what it does not understand. */
static void check_database(struct builder *b, const struct node *n, struct span text)
{
    char *wrong = NULL;
    PQconninfoOption *options = PQconninfoParse(text.p, &wrong);

    if (!options)
        report_error(b->r, n, "this is no connection string of PostgreSQL: %.*s",
                     (int)span_find(span_from_text(wrong ? wrong : "no memory"), '\n'),
                     wrong ? wrong : "no memory");
    for (PQconninfoOption *o = options; o && o->keyword; o++) {
        if (o->val && o->val[0] && strcmp(o->keyword, "password") == 0)
            report_warning(b->r, n,
                           "everybody who may read the file knows the password; `password: { file: "
                           "... }` or `{ env: ... }` keeps it apart");
    }
    PQfreemem(wrong);
    PQconninfoFree(options);
}

void build_query(struct builder *b, struct journey *j, const struct node *n)
{
    struct journey_query *q = arena_new(&b->c->arena, struct journey_query);
    const struct node *database = node_get(n, "database");
    const struct node *password = node_get(n, "password");

    if (n->kind != NODE_MAP)
        return; /* told already */
    *q = (struct journey_query){
        .database = kept_text(b, n, "database", "journeys.*.query.database"),
        .every = duration_of(n, "every", "journeys.*.query.every"),
        .timeout = duration_of(n, "timeout", "journeys.*.query.timeout"),
        .sql = kept_text(b, n, "sql", "journeys.*.query.sql"),
        .oldest = kept_text(b, n, "oldest", "journeys.*.query.oldest"),
    };
    if (database)
        check_database(b, database, q->database);
    if (password)
        build_secret(b, password, &q->password);
    if (q->sql.n == 0 && q->oldest.n == 0)
        report_error(
            b->r, n,
            "a query needs `sql`, which tells how jobs ended, or `oldest`, which tells how "
            "long what waits has waited");
    j->query = q;
}
