/* SPDX-License-Identifier: Apache-2.0 */
/* renew.c - what may become of the file while it is open: deleted, replaced, damaged; and opening anew.
 * Always: the new connection is open before the old one is closed, and never on the same -wal and -shm, for SQLite would
 * cut what the old one has mapped. */
#include "base/check.h"
#include "base/str.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum standing { SAME, MISSING, REPLACED };

static enum standing look(const struct store *s)
{
    struct stat st;

    if (s->file == 0)
        return SAME;
    if (stat(s->path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR ? MISSING : SAME;
    return st.st_dev == s->device && st.st_ino == s->file ? SAME : REPLACED;
}

/* SQLite does not read again what it has in memory, so a file that was cut or overwritten goes unnoticed for long. Its
 * first bytes, read through SQLite's own descriptor: closing one of ours would drop its locks. */
static bool has_header(struct store *s)
{
    static const char magic[16] = "SQLite format 3";
    char found[sizeof(magic)];
    sqlite3_file *f = NULL;

    if (s->file == 0 ||
        sqlite3_file_control(s->db, "main", SQLITE_FCNTL_FILE_POINTER, (void *)&f) != SQLITE_OK ||
        !f || !f->pMethods)
        return true;
    int rc = f->pMethods->xRead(f, found, sizeof(found), 0);
    if (rc == SQLITE_IOERR_SHORT_READ)
        return false;
    return rc != SQLITE_OK || memcmp(found, magic, sizeof(magic)) == 0;
}

err store_here(struct store *s)
{
    s->trouble = STORE_NONE;
    if (!s->damaged && !has_header(s))
        return db_trouble(s, STORE_CORRUPT, "the file was cut or overwritten");
    if (s->damaged)
        return db_trouble(s, STORE_CORRUPT, "the file is damaged");
    switch (look(s)) {
    case SAME:
        return s->epoch ? OK
                        : db_trouble(s, STORE_GONE, "it was opened anew and is not filled yet");
    case MISSING: return db_trouble(s, STORE_GONE, "the file was deleted while it was open");
    case REPLACED:
        return db_trouble(s, STORE_GONE, "another file was put in its place while it was open");
    }
    never("a file stands in no other way");
}

/* ---- beside the file */

static err remove_beside(struct store *s, const char *suffix)
{
    struct str name = str_growing();
    err e = OK;

    str_print(&name, "%s%s", s->path, suffix);
    if (unlink(str_cstr(&name)) != 0 && errno != ENOENT)
        e = err_system(errno, "store %s: cannot remove %s", s->path, str_cstr(&name));
    if (e.failed)
        s->trouble = STORE_DENIED;
    str_free(&name);
    return e;
}

/* The log of the file that is open is empty after a checkpoint; one that is not belongs to the new file. */
static err remove_empty_log(struct store *s)
{
    struct str name = str_growing();
    struct stat st;

    str_print(&name, "%s-wal", s->path);
    bool empty = stat(str_cstr(&name), &st) == 0 && st.st_size == 0;
    str_free(&name);
    return empty ? remove_beside(s, "-wal") : OK;
}

/* ---- deleted: the open file still has everything */

static err copy_to(struct store *s, const char *name)
{
    char *sql = sqlite3_mprintf("VACUUM INTO %Q", name);

    check(sql);
    err e = db_run(s, sql, "cannot be written anew from the deleted file");
    sqlite3_free(sql);
    return e;
}

/* In place only as a whole, and only where nothing stands. */
static err write_anew(struct store *s)
{
    struct str name = str_growing();
    int fd;

    str_print(&name, "%s.anew-%d", s->path, (int)getpid());
    unlink(str_cstr(&name)); /* of a try that broke off */
    err e = copy_to(s, str_cstr(&name));
    if (!e.failed && ((fd = open(str_cstr(&name), O_RDONLY | O_CLOEXEC)) < 0 || fsync(fd) != 0 ||
                      close(fd) != 0))
        e = err_system(errno, "store %s: cannot be written anew", s->path);
    if (!e.failed)
        e = remove_beside(s, "-wal");
    if (!e.failed)
        e = remove_beside(s, "-shm");
    if (!e.failed && renameat2(AT_FDCWD, str_cstr(&name), AT_FDCWD, s->path, RENAME_NOREPLACE) != 0)
        e = err_system(errno, "store %s: cannot be put in its place again", s->path);
    if (e.failed)
        unlink(str_cstr(&name));
    str_free(&name);
    return e;
}

static err renew_missing(struct store *s, struct store_opened *found)
{
    if (!s->damaged) {
        err e = write_anew(s);
        if (!e.failed) {
            found->rescued = true;
            snprintf(
                found->note, sizeof(found->note),
                "store %.300s was deleted while it was open, and was written anew with all that "
                "was in it",
                s->path);
        }
        if (!s->damaged)
            return e;
    }
    snprintf(
        found->note, sizeof(found->note),
        "store %.300s was deleted while it was open and cannot be read any more; a new one was "
        "begun",
        s->path);
    TRY(remove_beside(s, "-wal"));
    return remove_beside(s, "-shm");
}

/* ---- replaced */

/* Another file system is mounted where the file was, because the old one had become read-only or broke: what lies beside the
 * new file is its own, and what is left of the old one nobody can reach. */
static bool is_elsewhere(const struct store *s)
{
    struct stat st;

    return stat(s->path, &st) == 0 && st.st_dev != s->device;
}

/* Whose file stands there, without touching a log that may be the old one's; "" when that cannot be told. */
static void peek_node(const struct store *s, char ret_uid[NODE_UID_CHARS + 1])
{
    char *uri = sqlite3_mprintf("file:%s?%s", s->path, is_elsewhere(s) ? "mode=ro" : "immutable=1");
    sqlite3 *db = NULL;
    sqlite3_stmt *q = NULL;

    ret_uid[0] = '\0';
    check(uri);
    if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, "SELECT uid FROM node ORDER BY id LIMIT 1", -1, &q, NULL) ==
            SQLITE_OK &&
        sqlite3_step(q) == SQLITE_ROW)
        snprintf(ret_uid, NODE_UID_CHARS + 1, "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_close(db);
    sqlite3_free(uri);
}

static err renew_replaced(struct store *s, struct store_opened *found)
{
    char uid[NODE_UID_CHARS + 1];

    peek_node(s, uid);
    if (strcmp(uid, s->uid) != 0)
        return db_trouble(
            s, STORE_DENIED,
            "a file that is not this node's store was put in its place, and is left as "
            "it is; put the right one back, or restart to begin with this one");
    if (!s->damaged &&
        !is_elsewhere(s)) { /* what the log has goes into the file that was there before */
        TRY(db_run(s, "PRAGMA wal_checkpoint(TRUNCATE)", "cannot be finished"));
        TRY(remove_empty_log(s));
    }
    snprintf(found->note, sizeof(found->note),
             "another copy of store %.300s was put in its place while it was open; it goes on in "
             "that one",
             s->path);
    return remove_beside(s, "-shm");
}

/* ---- all of it */

static err make_room(struct store *s, const struct store_options *o, struct store_opened *found)
{
    switch (look(s)) {
    case MISSING: return renew_missing(s, found);
    case REPLACED: return renew_replaced(s, found);
    case SAME: return store_move_aside(o, "damage was met while it was open", found);
    }
    never("a file stands in no other way");
}

err store_renew(struct store *s, int64_t now, struct store_opened *ret_opened)
{
    struct store_options o = {
        .path = s->path, .now = now, .pages_max = s->pages_max, .node = s->uid
    };
    struct store_opened found = {};
    struct store *fresh = NULL;

    check(s->file != 0);
    if (!s->damaged && look(s) == SAME) { /* it was opened anew before, and could not be filled */
        *ret_opened = found;
        return OK;
    }
    TRY(make_room(s, &o, &found));
    bool rescued = found.rescued;
    err e = store_open_once(&o, &fresh, &found, &s->trouble);
    if (e.failed)
        return e;
    struct store old = *s;
    *s = *fresh;
    *fresh = old;
    store_abandon(fresh);
    found.created &= !rescued;
    s->begun = found.created;
    *ret_opened = found;
    return OK;
}
