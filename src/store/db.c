/* SPDX-License-Identifier: Apache-2.0 */
/* db.c - running statements, and telling what is wrong when they do not run. */
#include "store/db.h"

#include "base/check.h"

#include <errno.h>

/* SQLite's codes by what a person can do about them; what is not listed is STORE_OTHER. */
static const struct {
    int code;
    enum store_trouble trouble;
} troubles[] = {
    { SQLITE_BUSY, STORE_BUSY },       { SQLITE_LOCKED, STORE_BUSY },
    { SQLITE_PROTOCOL, STORE_BUSY },   { SQLITE_FULL, STORE_FULL },
    { SQLITE_CORRUPT, STORE_CORRUPT }, { SQLITE_NOTADB, STORE_CORRUPT },
    { SQLITE_CANTOPEN, STORE_DENIED }, { SQLITE_READONLY, STORE_DENIED },
    { SQLITE_PERM, STORE_DENIED },     { SQLITE_AUTH, STORE_DENIED },
    { SQLITE_IOERR, STORE_DISK },
};

/* The errno value behind a failure of the file system, 0 when there is none. When a COMMIT fails
 * SQLite does not note it; then it is what the failing call left in errno. */
static int system_error(struct store *s, int code)
{
    int noted = sqlite3_system_errno(s->db);

    if (code != SQLITE_CANTOPEN && code != SQLITE_IOERR)
        return 0;
    return noted != 0 ? noted : errno;
}

static enum store_trouble trouble_of(int code, int system)
{
    /* quotas and file size limits come as an I/O error, but help like a full disk */
    if (system == ENOSPC || system == EDQUOT || system == EFBIG)
        return STORE_FULL;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        if (troubles[i].code == code)
            return troubles[i].trouble;
    return STORE_OTHER;
}

err db_error(struct store *s, const char *doing)
{
    int code = sqlite3_errcode(s->db) & 0xff;
    int system = system_error(s, code);

    s->trouble = trouble_of(code, system);
    s->damaged |= s->trouble == STORE_CORRUPT;
    if (system != 0)
        return err_system(system, "store %s: %s", s->path, doing);
    return err_make("store %s: %s: %s", s->path, doing, sqlite3_errmsg(s->db));
}

err db_trouble(struct store *s, enum store_trouble trouble, const char *sentence)
{
    s->trouble = trouble;
    s->damaged |= trouble == STORE_CORRUPT;
    return err_make("store %s: %s", s->path, sentence);
}

err db_run(struct store *s, const char *sql, const char *doing)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? OK : db_error(s, doing);
}

err db_read_number(struct store *s, const char *sql, int64_t *ret_number)
{
    sqlite3_stmt *q = NULL;
    err e = OK;

    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        *ret_number = sqlite3_column_int64(q, 0);
    else
        e = db_error(s, "cannot be read");
    sqlite3_finalize(q);
    return e;
}

err db_begin(struct store *s)
{
    s->trouble = STORE_NONE;
    return db_run(s, "BEGIN IMMEDIATE", "cannot begin to write");
}

static err commit(struct store *s)
{
    return db_run(s, "COMMIT", "cannot finish writing");
}

static void rollback(struct store *s)
{
    /* After some errors SQLite has rolled back by itself; its failure would tell nothing new. */
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

err db_end(struct store *s, err work)
{
    err e = work.failed ? work : commit(s);

    if (e.failed)
        rollback(s);
    return e;
}

sqlite3_stmt *db_statement(struct store *s, enum statement which)
{
    check(s->statements[which]);
    s->trouble = STORE_NONE;
    return s->statements[which];
}

/* Binding fails for a wrong parameter number only (ours), or without memory, as malloc() would. */
void db_bind(sqlite3_stmt *q, int parameter, int64_t value)
{
    check(sqlite3_bind_int64(q, parameter, value) == SQLITE_OK);
}

void db_bind_text(sqlite3_stmt *q, int parameter, struct span text)
{
    const char *p = text.n ? text.p : ""; /* NULL would be SQL's NULL */

    check(sqlite3_bind_text64(q, parameter, p, text.n, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK);
}

void db_bind_blob(sqlite3_stmt *q, int parameter, struct span bytes)
{
    const char *p = bytes.n ? bytes.p : "";

    check(sqlite3_bind_blob64(q, parameter, p, bytes.n, SQLITE_STATIC) == SQLITE_OK);
}

err db_next(struct store *s, sqlite3_stmt *q, const char *doing, bool *ret_row)
{
    int rc = sqlite3_step(q);

    if (rc == SQLITE_ROW) {
        *ret_row = true;
        return OK;
    }
    err e = rc == SQLITE_DONE ? OK : db_error(s, doing);
    db_reset(q);
    if (!e.failed)
        *ret_row = false;
    return e;
}

err db_list(struct store *s, sqlite3_stmt *q, const char *doing, const struct db_rows *rows,
            struct arena *a, size_t *ret_count)
{
    size_t n = 0;

    for (;;) {
        bool row;
        TRY(db_next(s, q, doing, &row));
        if (!row)
            break;
        check(n < rows->room);
        rows->take(q, a, (char *)rows->list + n++ * rows->size);
    }
    *ret_count = n;
    return OK;
}

err db_do(struct store *s, sqlite3_stmt *q, const char *doing)
{
    bool row;

    TRY(db_next(s, q, doing, &row));
    check(!row);
    return OK;
}

struct span db_blob(sqlite3_stmt *q, int column)
{
    const void *p = sqlite3_column_blob(q, column);

    return span_of(p, (size_t)sqlite3_column_bytes(q, column));
}

void db_reset(sqlite3_stmt *q)
{
    sqlite3_reset(q); /* repeats the error of the step, which was told already */
    sqlite3_clear_bindings(q);
}
