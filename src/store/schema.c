/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - the tables, as the list of steps that lead to them. A step, once released, never
 * changes: a change is a new step at the end. The file's version (user_version) is the number of
 * steps it has behind it. Counts are blobs of core/pack.h, cumulative; times are unix seconds. */
#include "base/check.h"
#include "store/db.h"

#include <stdio.h>

/* Samples are clustered by (version, node, at): "the newest at or before" is one descent. */
#define SAMPLE_KEY "PRIMARY KEY(version, node, at, epoch)) WITHOUT ROWID;"
#define SAMPLE_COLUMNS                                  \
    "version INTEGER NOT NULL, node INTEGER NOT NULL, " \
    "at INTEGER NOT NULL, epoch INTEGER NOT NULL, "

static const char *const steps[] = {
    "CREATE TABLE node("
    "    id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, created INTEGER NOT NULL);"
    "CREATE TABLE epoch("
    "    id INTEGER PRIMARY KEY, node INTEGER NOT NULL REFERENCES node(id),"
    "    started INTEGER NOT NULL, program TEXT NOT NULL);"
    "CREATE TABLE journey(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE version("
    "    id INTEGER PRIMARY KEY, journey INTEGER NOT NULL REFERENCES journey(id),"
    "    number INTEGER NOT NULL, definition INTEGER NOT NULL, created INTEGER NOT NULL,"
    "    UNIQUE(journey, number), UNIQUE(journey, definition));"
    /* the newest of each version, rewritten about each second; a primary key of its own */
    "CREATE TABLE total(" SAMPLE_COLUMNS "counts BLOB NOT NULL, PRIMARY KEY(version, node))"
    "    WITHOUT ROWID;"
    "CREATE TABLE minute(" SAMPLE_COLUMNS "counts BLOB NOT NULL, " SAMPLE_KEY
    "CREATE TABLE hour(" SAMPLE_COLUMNS "counts BLOB NOT NULL, " SAMPLE_KEY
    "CREATE TABLE histogram(" SAMPLE_COLUMNS "bins BLOB NOT NULL, " SAMPLE_KEY,

    "CREATE TABLE change("
    "    id INTEGER PRIMARY KEY, kind TEXT NOT NULL, service TEXT NOT NULL,"
    "    instance TEXT NOT NULL, value TEXT NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL,"
    "    at INTEGER NOT NULL, expires INTEGER NOT NULL, file_value TEXT NOT NULL);"
    "CREATE TABLE instance_state("
    "    service TEXT NOT NULL, instance TEXT NOT NULL, up INTEGER NOT NULL,"
    "    since INTEGER NOT NULL, seen INTEGER NOT NULL, PRIMARY KEY(service, instance))"
    "    WITHOUT ROWID;"
    "CREATE INDEX instance_state_seen ON instance_state(seen);",

    "CREATE TABLE kept_peer(url TEXT PRIMARY KEY, at INTEGER NOT NULL, said BLOB NOT NULL);",

    /* versions of the same basis count the same answers by other objectives; NULL in what an older program wrote */
    "ALTER TABLE version ADD COLUMN basis INTEGER;"
    "ALTER TABLE version ADD COLUMN unders BLOB;" /* numbers of core/pack.h: how many, then each in ns */
    "ALTER TABLE version ADD COLUMN bins INTEGER;" /* the version that holds the histograms of all of them */
    "ALTER TABLE version ADD COLUMN follows INTEGER;" /* another of the basis, whose counts it could not go on with */
    "ALTER TABLE version ADD COLUMN force INTEGER;", /* grows: the greatest was in force last */

    "CREATE TABLE deed("
    "    number INTEGER PRIMARY KEY, at INTEGER NOT NULL, id INTEGER NOT NULL,"
    "    expires INTEGER NOT NULL, serial INTEGER NOT NULL, deed TEXT NOT NULL, who TEXT NOT NULL,"
    "    why TEXT NOT NULL, \"by\" TEXT NOT NULL, change TEXT NOT NULL, service TEXT NOT NULL,"
    "    instance TEXT NOT NULL, value TEXT NOT NULL, error TEXT NOT NULL, changed TEXT NOT NULL,"
    "    needs_restart TEXT NOT NULL);"
    "CREATE INDEX deed_at ON deed(at);",

    /* Of an epoch that ended in order, when; of one that did not, what that cost (losses.h). Older programs
     * said neither: theirs are taken to have ended in order. */
    "ALTER TABLE epoch ADD COLUMN ended INTEGER;"
    "UPDATE epoch SET ended = started;"
    "ALTER TABLE epoch ADD COLUMN stored_ms INTEGER;"
    "ALTER TABLE epoch ADD COLUMN lived_ms INTEGER;" /* NULL: nobody knows */
    "ALTER TABLE epoch ADD COLUMN back_ms INTEGER;",
    /* `said` last: rows are looked through by their age */
    "CREATE TABLE kept_dimension("
    "    process INTEGER NOT NULL, journey TEXT NOT NULL, definition INTEGER NOT NULL,"
    "    until INTEGER NOT NULL, said BLOB NOT NULL, PRIMARY KEY(journey, definition, process));",
};

unsigned schema_newest(void)
{
    return sizeof(steps) / sizeof(steps[0]);
}

static err apply_step(struct store *s, const char *step, unsigned to)
{
    char set_version[64];

    snprintf(set_version, sizeof(set_version), "PRAGMA user_version = %u", to);
    TRY(db_run(s, step, "cannot change the tables"));
    return db_run(s, set_version, "cannot note the version of the tables");
}

/* The version is read inside of the transaction: another process may have been quicker. */
static err next_step(struct store *s, const char *const *table, unsigned count, bool *ret_done)
{
    int64_t version;

    TRY(db_read_number(s, "PRAGMA user_version", &version));
    *ret_done = version >= (int64_t)count;
    return *ret_done ? OK : apply_step(s, table[version], (unsigned)version + 1);
}

err schema_apply(struct store *s, const char *const *table, unsigned count)
{
    for (bool done = false; !done;) {
        TRY(db_begin(s));
        TRY(db_end(s, next_step(s, table, count, &done)));
    }
    return OK;
}

err schema_migrate_to(struct store *s, unsigned version)
{
    check(version <= schema_newest());
    return schema_apply(s, steps, version);
}

err schema_migrate(struct store *s)
{
    return schema_migrate_to(s, schema_newest());
}
