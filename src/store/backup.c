/* SPDX-License-Identifier: Apache-2.0 */
/* backup.c - see backup.h. */
#include "store/backup.h"

#include "base/check.h"
#include "base/str.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct backup {
    sqlite3 *copy;
    sqlite3_backup *run;
    char *path;
    char *part; /* PATH.part */
};

static err wrong(const struct backup *b, const char *doing)
{
    return err_make("backup %s: %s: %s", b->path, doing, sqlite3_errmsg(b->copy));
}

static void free_backup(struct backup *b)
{
    if (b->run)
        sqlite3_backup_finish(b->run);
    sqlite3_close(b->copy);
    free(b->path);
    free(b->part);
    free(b);
}

static struct backup *new_backup(const char *path)
{
    struct backup *b = calloc(1, sizeof(*b));
    struct str part = str_growing();

    check(b);
    str_print(&part, "%s.part", path);
    b->part = strdup(str_cstr(&part));
    b->path = strdup(path);
    check(b->part && b->path);
    str_free(&part);
    return b;
}

/* O_EXCL: never through a link, and never into what another one writes. */
static err make_part(const struct backup *b)
{
    if (access(b->path, F_OK) == 0)
        return err_make("backup %s: the file is there already; name another", b->path);
    int fd = open(b->part, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_system(errno, "backup %s: cannot make %s", b->path, b->part);
    close(fd);
    return OK;
}

static err begin(struct store *s, struct backup *b)
{
    if (sqlite3_open_v2(b->part, &b->copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        return wrong(b, "cannot be opened");
    /* it is flushed once, at its end; a half one is of no use */
    sqlite3_exec(b->copy, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    b->run = sqlite3_backup_init(b->copy, "main", s->db, "main");
    return b->run ? OK : wrong(b, "cannot begin");
}

err backup_begin(struct store *s, const char *path, struct backup **ret_backup)
{
    struct backup *b = new_backup(path);
    err e = make_part(b);

    if (!e.failed) {
        e = begin(s, b);
        if (e.failed)
            unlink(b->part);
    }
    if (e.failed)
        free_backup(b);
    else
        *ret_backup = b;
    return e;
}

err backup_step(struct backup *b, bool *ret_done, uint32_t *ret_pages, uint32_t *ret_left)
{
    int rc = sqlite3_backup_step(b->run, BACKUP_STEP_PAGES);

    if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_BUSY && rc != SQLITE_LOCKED)
        return err_make("backup %s: %s", b->path, sqlite3_errstr(rc));
    *ret_done = rc == SQLITE_DONE;
    *ret_pages = (uint32_t)sqlite3_backup_pagecount(b->run);
    *ret_left = (uint32_t)sqlite3_backup_remaining(b->run);
    return OK;
}

/* ---- the end */

static err check_copy(struct backup *b)
{
    sqlite3_stmt *q = NULL;
    err e = OK;

    if (sqlite3_prepare_v2(b->copy, "PRAGMA quick_check(1)", -1, &q, NULL) != SQLITE_OK ||
        sqlite3_step(q) != SQLITE_ROW)
        e = wrong(b, "cannot be checked");
    else if (strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0)
        e = err_make("backup %s: the copy is damaged: %s", b->path,
                     (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return e;
}

static err flush(const struct backup *b, const char *name, int flags)
{
    int fd = open(name, flags | O_CLOEXEC);

    if (fd < 0 || fsync(fd) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        return err_system(why, "backup %s: cannot be flushed", b->path);
    }
    close(fd);
    return OK;
}

static err flush_folder(const struct backup *b)
{
    size_t n = (size_t)(strrchr(b->path, '/') - b->path);
    char *folder = strndup(b->path, n ? n : 1);

    check(folder);
    err e = flush(b, folder, O_RDONLY | O_DIRECTORY);
    free(folder);
    return e;
}

static err give_name(struct backup *b, int64_t *ret_bytes)
{
    struct stat st;

    TRY(flush(b, b->part, O_RDONLY));
    if (stat(b->part, &st) != 0 ||
        renameat2(AT_FDCWD, b->part, AT_FDCWD, b->path, RENAME_NOREPLACE) != 0)
        return err_system(errno, "backup %s: cannot take its name", b->path);
    *ret_bytes = st.st_size;
    return flush_folder(b);
}

static void remove_part(const struct backup *b)
{
    static const char *const suffixes[] = { "", "-wal", "-shm", "-journal" };

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        struct str name = str_growing();
        str_print(&name, "%s%s", b->part, suffixes[i]);
        unlink(str_cstr(&name));
        str_free(&name);
    }
}

/* The copy of a large store is not read again: the scribe would be away for seconds. */
err backup_end(struct backup *b, bool keep, int64_t *ret_bytes)
{
    err e = OK;
    int64_t pages = sqlite3_backup_pagecount(b->run);

    sqlite3_backup_finish(b->run);
    b->run = NULL;
    if (keep && pages * 4096 <= STORE_CHECK_BYTES_MAX)
        e = check_copy(b);
    sqlite3_close(b->copy); /* writes its log into it and removes that */
    b->copy = NULL;
    if (keep && !e.failed)
        e = give_name(b, ret_bytes);
    if (!keep || e.failed)
        remove_part(b);
    free_backup(b);
    return e;
}
