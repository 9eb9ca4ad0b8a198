/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - opening the file: is it ours, is it whole, is it new enough; moving a damaged one
 * aside.
 * Next: schema.c, which makes the tables; db.c, which runs statements. */
#include "store/store.h"

#include "base/check.h"
#include "base/rand.h"
#include "base/str.h"
#include "store/db.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    BUSY_WAIT_MS = 2000,           /* another writer is a person with sqlite3, or a stuck process */
    WAL_KEPT_BYTES = 16 * 1048576, /* the log is cut back to this after a checkpoint */
};

static const char *const trouble_words[STORE_TROUBLES_COUNT] = {
#define X(name, word, meaning) [STORE_##name] = word,
    STORE_TROUBLES(X)
#undef X
};

const char *store_trouble_word(enum store_trouble t)
{
    check((unsigned)t < STORE_TROUBLES_COUNT);
    return trouble_words[t];
}

static const char *const trouble_meanings[STORE_TROUBLES_COUNT] = {
#define X(name, word, meaning) [STORE_##name] = meaning,
    STORE_TROUBLES(X)
#undef X
};

const char *store_trouble_meaning(enum store_trouble t)
{
    check((unsigned)t < STORE_TROUBLES_COUNT);
    return trouble_meanings[t];
}

enum store_trouble store_trouble(const struct store *s)
{
    return s->trouble;
}

const char *store_node(const struct store *s)
{
    return s->uid;
}

static bool in_memory(const struct store_options *o)
{
    return strcmp(o->path, ":memory:") == 0;
}

static struct store *store_new(const struct store_options *o)
{
    struct store *s = calloc(1, sizeof(*s));

    check(s);
    s->pages_max = o->pages_max;
    s->path = strdup(o->path);
    check(s->path);
    return s;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < STATEMENTS_COUNT; i++)
        sqlite3_finalize(s->statements[i]);
    check(sqlite3_close(s->db) == SQLITE_OK); /* only refuses when we forgot a statement */
    free(s->path);
    free(s);
}

static err connect(struct store *s)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK) {
        check(s->db); /* only without memory there is none */
        return db_error(s, "cannot be opened");
    }
    sqlite3_extended_result_codes(s->db, 1);
    sqlite3_busy_timeout(s->db, BUSY_WAIT_MS);
    return OK;
}

/* Whose file it is. An empty one (a start that was killed at once) is as good as none. */
static err identify(struct store *s)
{
    int64_t tables, id, version;

    TRY(db_read_number(s, "SELECT count(*) FROM sqlite_master", &tables));
    TRY(db_read_number(s, "PRAGMA application_id", &id));
    TRY(db_read_number(s, "PRAGMA user_version", &version));
    if (id != STORE_APPLICATION_ID && (id != 0 || version != 0 || tables != 0))
        return db_trouble(s, STORE_DENIED,
                          "this is the SQLite file of another program; it was left as it is, name "
                          "another file in `store:`");
    if (version > (int64_t)schema_newest()) {
        s->trouble = STORE_DENIED;
        return err_make("store %s: written by a newer evenkeel (tables of version %lld, this one "
                        "knows %u); it was left as it is, run that version or name another file",
                        s->path, (long long)version, schema_newest());
    }
    return OK;
}

/* Reads every page. The first line is "ok" or the first damage. */
static err check_integrity(struct store *s)
{
    sqlite3_stmt *q = NULL;
    err e = OK;

    if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &q, NULL) != SQLITE_OK ||
        sqlite3_step(q) != SQLITE_ROW)
        e = db_error(s, "cannot be checked");
    else if (strcmp((const char *)sqlite3_column_text(q, 0), "ok") != 0)
        e = db_trouble(s, STORE_CORRUPT, (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    return e;
}

static err examine(struct store *s, const struct store_options *o, struct store_opened *found)
{
    struct stat st;

    TRY(connect(s));
    TRY(identify(s));
    if (in_memory(o))
        return OK;
    if (sqlite3_db_readonly(s->db, "main"))
        return db_trouble(s, STORE_DENIED, "may be read but not written");
    if (stat(o->path, &st) != 0)
        return err_system(errno, "store %s: cannot be looked at", o->path);
    s->device = st.st_dev;
    s->file = st.st_ino;
    if (st.st_size <= STORE_CHECK_BYTES_MAX)
        return check_integrity(s);
    found->unchecked = true;
    snprintf(found->note, sizeof(found->note),
             "store %s: %lld MiB, too large to be checked for damage at a start", o->path,
             (long long)(st.st_size >> 20));
    return OK;
}

/* FULL: a commit is on the disk when it returns. That is one flush a second at most, by the scribe,
 * and it makes a power cut as harmless as a killed process. */
static err configure(struct store *s, const struct store_options *o)
{
    char sql[256];
    int64_t is_wal;

    snprintf(sql, sizeof(sql),
             "PRAGMA application_id = %d; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; "
             "PRAGMA journal_size_limit = %d; PRAGMA max_page_count = %u;",
             STORE_APPLICATION_ID, WAL_KEPT_BYTES, o->pages_max ? o->pages_max : 0xfffffffe);
    TRY(db_run(s, "PRAGMA journal_mode = WAL", "cannot be opened for writing"));
    TRY(db_read_number(s, "SELECT journal_mode = 'wal' FROM pragma_journal_mode", &is_wal));
    if (!is_wal && !in_memory(o))
        return db_trouble(s, STORE_DISK,
                          "this file system cannot share memory (SQLite's WAL mode); put the store "
                          "on a local disk");
    return db_run(s, sql, "cannot be configured");
}

static err prepare(struct store *s)
{
    static const char *const sql[STATEMENTS_COUNT] = {
#define X(name, text) [SQL_##name] = text,
        STATEMENTS(X)
#undef X
    };

    for (size_t i = 0; i < STATEMENTS_COUNT; i++)
        if (sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->statements[i],
                               NULL) != SQLITE_OK)
            return db_error(s, "its tables are not what they should be");
    return OK;
}

static err node_add(struct store *s, const struct store_options *o)
{
    uint8_t secret[NODE_UID_CHARS / 2];
    char uid[NODE_UID_CHARS];
    struct str text = str_fixed(uid, sizeof(uid));
    sqlite3_stmt *q = db_statement(s, SQL_NODE_ADD);

    rand_secret(secret, sizeof(secret));
    str_hex_bytes(&text, secret, sizeof(secret));
    db_bind_text(q, 1, o->node ? span_from_text(o->node) : str_span(&text));
    db_bind(q, 2, o->now);
    return db_do(s, q, "cannot name this node");
}

static err node_find(struct store *s, bool *ret_found)
{
    sqlite3_stmt *q = db_statement(s, SQL_NODE_FIND);

    TRY(db_next(s, q, "cannot find this node", ret_found));
    if (*ret_found) {
        s->node = sqlite3_column_int64(q, 0);
        snprintf(s->uid, sizeof(s->uid), "%s", (const char *)sqlite3_column_text(q, 1));
        db_reset(q);
    }
    return OK;
}

static err know_node(struct store *s, const struct store_options *o, bool *ret_created)
{
    bool found;

    TRY(node_find(s, &found));
    *ret_created = !found;
    if (found)
        return OK;
    TRY(node_add(s, o));
    return node_find(s, &found);
}

static err make_ready(struct store *s, const struct store_options *o, struct store_opened *found)
{
    TRY(configure(s, o));
    TRY(schema_migrate(s));
    TRY(prepare(s));
    return know_node(s, o, &found->created);
}

/* A name beside the file that is not taken: PATH.corrupt-20260102T030405Z, then ...Z-2, ...Z-3. */
static err name_aside(const struct store_options *o, struct str *ret_name)
{
    enum { TRIES_MAX = 100 };
    time_t now = (time_t)o->now;
    struct tm tm;
    char when[32];

    check(gmtime_r(&now, &tm));
    check(strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm) > 0);
    for (int i = 1; i <= TRIES_MAX; i++) {
        ret_name->n = 0;
        str_print(ret_name, "%s.corrupt-%s", o->path, when);
        if (i > 1)
            str_print(ret_name, "-%d", i);
        if (access(str_cstr(ret_name), F_OK) != 0)
            return OK;
    }
    return err_make("store %s: damaged, and there are too many damaged ones beside it", o->path);
}

/* The log goes along: a new file must never meet the old one's. The shared index is of no use. */
static err rename_with_log(const char *path, const char *aside)
{
    struct str from = str_growing(), to = str_growing();
    err e = OK;

    str_print(&from, "%s-wal", path);
    str_print(&to, "%s-wal", aside);
    if (rename(path, aside) != 0 ||
        (rename(str_cstr(&from), str_cstr(&to)) != 0 && errno != ENOENT))
        e = err_system(errno, "store %s: damaged, and cannot be moved to %s", path, aside);
    from.n = 0;
    str_print(&from, "%s-shm", path);
    if (!e.failed && unlink(str_cstr(&from)) != 0 && errno != ENOENT)
        e = err_system(errno, "store %s: cannot remove %s", path, str_cstr(&from));
    str_free(&from);
    str_free(&to);
    return e;
}

err store_move_aside(const struct store_options *o, const char *damage, struct store_opened *found)
{
    struct str aside = str_growing();
    err e = name_aside(o, &aside);

    if (!e.failed)
        e = rename_with_log(o->path, str_cstr(&aside));
    if (!e.failed) {
        found->moved_aside = true;
        snprintf(found->note, sizeof(found->note),
                 "a damaged store was moved to %.300s and a new one begun (%.150s)",
                 str_cstr(&aside), damage);
    }
    str_free(&aside);
    return e;
}

/* Leaves a damaged file exactly as it was found: closing must not write the log into it. */
void store_abandon(struct store *s)
{
    if (s->db)
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    store_close(s);
}

err store_open_once(const struct store_options *o, struct store **ret_store,
                    struct store_opened *found, enum store_trouble *ret_trouble)
{
    struct store *s = store_new(o);
    err e = examine(s, o, found);

    if (!e.failed)
        e = make_ready(s, o, found);
    *ret_trouble = s->trouble;
    if (e.failed)
        store_abandon(s);
    else
        *ret_store = s;
    return e;
}

err store_open(const struct store_options *o, struct store **ret_store,
               struct store_opened *ret_opened)
{
    struct store_opened found = { 0 };
    enum store_trouble trouble;

    check(o->path && o->path[0]);
    err e = store_open_once(o, ret_store, &found, &trouble);
    if (e.failed && trouble == STORE_CORRUPT && !in_memory(o)) {
        TRY(store_move_aside(o, e.text, &found));
        e = store_open_once(o, ret_store, &found, &trouble);
    }
    if (!e.failed)
        *ret_opened = found;
    return e;
}
