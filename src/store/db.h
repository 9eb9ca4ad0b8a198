/* SPDX-License-Identifier: Apache-2.0 */
/* db.h - inside of the store: the SQLite connection, its prepared statements, and running them.
 * Only files of this folder (and its tests) include it. Every failure of SQLite goes through
 * db_error(), which names the trouble and makes the sentence. Next: statements.h, schema.c. */
#ifndef EK_STORE_DB_H
#define EK_STORE_DB_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "store/statements.h"
#include "store/store.h"

#include <sqlite3.h>

enum { NODE_UID_CHARS = 16 };

/* "EvKl" in the file's header (SQLite's application_id): never touch the file of another program. */
enum { STORE_APPLICATION_ID = 0x45764b6c };

struct store {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS_COUNT];
    char *path; /* as given, for sentences */
    enum store_trouble trouble;
    bool damaged;                 /* damage was met: nothing more is written into this file */
    bool begun;                   /* by store_renew(), and not yet filled again */
    uint32_t pages_max;           /* as it was opened with */
    uint64_t device, file;        /* what was opened: st_dev, st_ino; 0: in memory */
    int64_t node;                 /* this node's row */
    int64_t epoch;                /* the running one; 0 before the first */
    char uid[NODE_UID_CHARS + 1]; /* this node's lasting identity */
    int64_t retention_next;       /* version that the next step of retention looks after */
    bool retention_worked;        /* something was forgotten in this round */
};

/* The error of the last call into SQLite: "store PATH: `doing`: ...". Sets the trouble. */
err db_error(struct store *s, const char *doing);

/* A trouble that we found ourselves. */
err db_trouble(struct store *s, enum store_trouble trouble, const char *sentence);

/* Several statements without parameters or results. */
err db_run(struct store *s, const char *sql, const char *doing);

/* A number from a statement such as a PRAGMA. */
err db_read_number(struct store *s, const char *sql, int64_t *ret_number);

/* All or nothing: begin takes the write lock at once, so "busy" comes here and not halfway. `work` is how what lies between
 * went: when it, or writing to the disk, failed, nothing of it was done. */
err db_begin(struct store *s);
[[nodiscard]] err db_end(struct store *s, err work);

/* A prepared statement, ready for binding. Parameters count from 1; bytes must live until
 * db_reset(). */
sqlite3_stmt *db_statement(struct store *s, enum statement which);
void db_bind(sqlite3_stmt *q, int parameter, int64_t value);
void db_bind_text(sqlite3_stmt *q, int parameter, struct span text);
void db_bind_blob(sqlite3_stmt *q, int parameter, struct span bytes);

/* Runs a statement that gives no rows. */
err db_do(struct store *s, sqlite3_stmt *q, const char *doing);

/* The next row; on the last one, or on failure, the statement is reset. */
err db_next(struct store *s, sqlite3_stmt *q, const char *doing, bool *ret_row);

/* All rows, in their order: take() makes an element of the list of each, with texts in the arena. The statement gives at most
 * as many as there is room for. */
struct db_rows {
    void (*take)(sqlite3_stmt *q, struct arena *a, void *ret_element);
    void *list;
    size_t size; /* of an element */
    size_t room;
};
err db_list(struct store *s, sqlite3_stmt *q, const char *doing, const struct db_rows *rows,
            struct arena *a, size_t *ret_count);
struct span db_blob(sqlite3_stmt *q, int column); /* or a text; until db_next() or db_reset() */
void db_reset(sqlite3_stmt *q);

/* ---- catalog.c, for refill.c: the rows alone, within a transaction, without the begin of a history */
struct journey_meaning;
struct journey_version;
err catalog_epoch(struct store *s, int64_t now, struct span program);
err catalog_version(struct store *s, const struct journey_meaning *m, int64_t now,
                    struct journey_version *ret_version);

/* ---- samples.c, for catalog.c: within a transaction */
struct sample_batch;
err samples_put(struct store *s, const struct sample_batch *batch);

/* ---- store.c, for renew.c */

/* Opens PATH once; a damaged file is an error. */
err store_open_once(const struct store_options *o, struct store **ret_store,
                    struct store_opened *found, enum store_trouble *ret_trouble);
err store_move_aside(const struct store_options *o, const char *damage, struct store_opened *found);

/* Closes without touching the files. */
void store_abandon(struct store *s);

/* Brings the schema from the file's version to the newest (schema.c). */
err schema_migrate(struct store *s);
unsigned schema_newest(void);

/* Only as far as an older evenkeel would: how tests come by an old file. */
err schema_migrate_to(struct store *s, unsigned version);

/* The same with any table of steps, step i leading to version i + 1; each in its own
 * transaction. */
err schema_apply(struct store *s, const char *const *steps, unsigned count);

#endif
