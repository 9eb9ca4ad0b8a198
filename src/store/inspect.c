/* SPDX-License-Identifier: Apache-2.0 */
/* inspect.c - opening a file that may be anything, and reading what is in it. What SQLite thinks of it comes first, then
 * whether the tables are those of their version, then what inspect_rows.c asks of the rows. */
#include "store/inspect.h"

#include "base/check.h"
#include "core/pack.h"
#include "store/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where SQLite locks a file (its file format, section 1.3 and os_unix.c): whoever has it open holds this range shared. */
enum { SHARED_FIRST = 0x40000002, SHARED_SIZE = 510 };

static const char log_unreadable[] =
    "the log beside it is read only where its folder may be written, and it may be read itself";

static const char *const words[] = {
#define X(name, word, meaning) [INSPECTION_##name] = word,
    INSPECTION_STATES(X)
#undef X
};

static const char *const meanings[] = {
#define X(name, word, meaning) [INSPECTION_##name] = meaning,
    INSPECTION_STATES(X)
#undef X
};

const char *inspection_word(enum inspection_state s)
{
    check((unsigned)s < INSPECTION_STATES_COUNT);
    return words[s];
}

const char *inspection_meaning(enum inspection_state s)
{
    check((unsigned)s < INSPECTION_STATES_COUNT);
    return meanings[s];
}

unsigned inspection_newest(void)
{
    return schema_newest();
}

static void add_finding(struct inspection *i, const char *text)
{
    i->more |= i->finding_count == FINDINGS_MAX;
    if (!i->more)
        i->findings[i->finding_count++] = arena_text(&i->arena, span_from_text(text));
}

void inspection_found(struct inspection *i, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (i->state == INSPECTION_WHOLE)
        i->state = INSPECTION_DAMAGED;
    add_finding(i, text);
}

/* It is not read any further. */
static bool refuse(struct inspection *i, enum inspection_state state, const char *text)
{
    i->state = state;
    add_finding(i, text);
    return false;
}

static bool refuse_unreadable(struct inspection *i, int error)
{
    err e = err_system(error, "it cannot be read");

    return refuse(i, INSPECTION_UNREADABLE, e.text);
}

/* ---- is it one at all */

static bool is_in_use(int fd)
{
    struct flock l = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SHARED_FIRST, .l_len = SHARED_SIZE
    };

    return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK;
}

static bool look_at_open(struct inspection *i, int fd)
{
    static const char magic[16] = "SQLite format 3";
    char head[sizeof(magic)];
    struct stat st;

    if (fstat(fd, &st) != 0)
        return refuse_unreadable(i, errno);
    i->bytes = st.st_size;
    if (!S_ISREG(st.st_mode))
        return refuse(i, INSPECTION_NO_STORE, "it is no file");
    if (st.st_size == 0)
        return refuse(i, INSPECTION_NO_STORE, "the file is empty");
    ssize_t n = pread(fd, head, sizeof(head), 0);
    if (n < 0)
        return refuse_unreadable(i, errno);
    if ((size_t)n < sizeof(head) || memcmp(head, magic, sizeof(head)) != 0)
        return refuse(
            i, INSPECTION_NO_STORE,
            "it does not begin as a store does: another file, or its begin is overwritten");
    if (is_in_use(fd))
        return refuse(i, INSPECTION_IN_USE, "another process has it open");
    return true;
}

static bool look_at_file(struct inspection *i, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a named pipe must not hold us up */

    if (fd < 0)
        return refuse_unreadable(i, errno);
    bool good = look_at_open(i, fd);
    close(fd);
    return good;
}

/* ---- opening */

static bool has_content(const char *path, const char *suffix)
{
    struct str name = str_growing();
    struct stat st;

    str_print(&name, "%s%s", path, suffix);
    bool has = stat(str_cstr(&name), &st) == 0 && st.st_size > 0;
    str_free(&name);
    return has;
}

static void remove_shared(const char *path)
{
    struct str name = str_growing();

    str_print(&name, "%s-shm", path);
    unlink(str_cstr(&name));
    str_free(&name);
}

/* Without a log nothing but the file is looked at, and nothing is made beside it. */
static char *uri_of(const char *path, bool log)
{
    struct str uri = str_growing();

    str_literal(&uri, "file:");
    for (; *path; path++) {
        if (*path == '?' || *path == '#' || *path == '%')
            str_print(&uri, "%%%02x", (unsigned)*path);
        else
            str_char(&uri, *path);
    }
    str_text(&uri, log ? "?mode=ro" : "?immutable=1");
    char *copy = strdup(str_cstr(&uri));
    check(copy != NULL);
    str_free(&uri);
    return copy;
}

static err connect_to(struct store *s, const char *uri)
{
    if (sqlite3_open_v2(uri, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return db_error(s, "cannot be opened");
    return db_run(
        s, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY",
        "cannot be opened");
}

/* ---- what SQLite says */

static sqlite3_stmt *ask(struct store *s, struct inspection *i, const char *sql)
{
    sqlite3_stmt *q = NULL;

    if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) != SQLITE_OK)
        inspection_found(i, "it cannot be read: %s", sqlite3_errmsg(s->db));
    return q;
}

static bool next(struct store *s, struct inspection *i, sqlite3_stmt *q)
{
    int rc = q ? sqlite3_step(q) : SQLITE_DONE;

    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        inspection_found(i, "it cannot be read: %s", sqlite3_errmsg(s->db));
    return rc == SQLITE_ROW;
}

static const char *text_at(sqlite3_stmt *q, int column)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    return text ? text : "";
}

static void check_integrity(struct store *s, struct inspection *i)
{
    sqlite3_stmt *q = ask(s, i, "PRAGMA integrity_check(21)"); /* one more than are shown */

    while (next(s, i, q)) {
        if (strcmp(text_at(q, 0), "ok") != 0)
            inspection_found(i, "%s", text_at(q, 0));
    }
    sqlite3_finalize(q);
    q = ask(s, i, "PRAGMA foreign_key_check");
    while (next(s, i, q))
        inspection_found(i, "row %lld of table %s belongs to none of table %s",
                         (long long)sqlite3_column_int64(q, 1), text_at(q, 0), text_at(q, 2));
    sqlite3_finalize(q);
}

static bool identify(struct store *s, struct inspection *i)
{
    int64_t id = 0, version = 0;
    err e = db_read_number(s, "PRAGMA application_id", &id);

    if (!e.failed)
        e = db_read_number(s, "PRAGMA user_version", &version);
    if (e.failed && s->trouble != STORE_CORRUPT)
        return refuse(i, INSPECTION_UNREADABLE, i->has_log ? log_unreadable : e.text);
    if (e.failed) {
        inspection_found(i, "it cannot be read: %s", sqlite3_errmsg(s->db));
        return false;
    }
    if (id != STORE_APPLICATION_ID)
        return refuse(i, INSPECTION_NO_STORE, "it is the SQLite file of another program");
    if (version < 1)
        return refuse(i, INSPECTION_NO_STORE,
                      "a start that was killed at once began it: it has no tables");
    i->schema = (unsigned)version;
    if (version > (int64_t)schema_newest()) {
        char text[ERR_TEXT_MAX];
        snprintf(text, sizeof(text), "its tables are of version %lld, this evenkeel knows %u",
                 (long long)version, schema_newest());
        return refuse(i, INSPECTION_NEWER, text);
    }
    return true;
}

/* ---- are the tables those of their version */

static const char tables_sql[] =
    "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name";

static void compare_tables(struct store *s, struct store *pattern, struct inspection *i)
{
    sqlite3_stmt *mine = ask(s, i, tables_sql), *wanted = ask(pattern, i, tables_sql);
    bool more = next(s, i, mine), other = next(pattern, i, wanted);

    while (more || other) {
        int order = !more ? 1 : !other ? -1 : strcmp(text_at(mine, 0), text_at(wanted, 0));
        if (order > 0)
            inspection_found(i, "the table %s is missing", text_at(wanted, 0));
        else if (order < 0)
            inspection_found(i, "there is a table that does not belong here: %s", text_at(mine, 0));
        else if (strcmp(text_at(mine, 1), text_at(wanted, 1)) != 0)
            inspection_found(i, "the table %s is not what it should be", text_at(mine, 0));
        if (order <= 0)
            more = next(s, i, mine);
        if (order >= 0)
            other = next(pattern, i, wanted);
    }
    sqlite3_finalize(mine);
    sqlite3_finalize(wanted);
}

static bool check_tables(struct store *s, struct inspection *i)
{
    char name[] = ":memory:";
    struct store pattern = { .path = name };
    unsigned before = i->finding_count;

    check(sqlite3_open(name, &pattern.db) == SQLITE_OK);
    err e = schema_migrate_to(&pattern, i->schema);
    check(!e.failed);
    compare_tables(s, &pattern, i);
    sqlite3_close(pattern.db);
    return i->finding_count == before;
}

/* ---- what is in it */

static struct span keep_text(struct inspection *i, sqlite3_stmt *q, int column)
{
    return arena_span(&i->arena, span_from_text(text_at(q, column)));
}

static void read_node(struct store *s, struct inspection *i)
{
    sqlite3_stmt *q = ask(
        s, i, "SELECT id, uid, created, (SELECT count(*) FROM node) FROM node ORDER BY id LIMIT 1");

    if (next(s, i, q)) {
        s->node = sqlite3_column_int64(q, 0);
        i->node = keep_text(i, q, 1);
        i->created = sqlite3_column_int64(q, 2);
        if (sqlite3_column_int64(q, 3) != 1)
            inspection_found(i, "it has %lld nodes, and the file is one",
                             (long long)sqlite3_column_int64(q, 3));
    } else {
        inspection_found(i, "it has no node");
    }
    sqlite3_finalize(q);
    q = ask(s, i,
            "SELECT count(*), (SELECT program FROM epoch ORDER BY id DESC LIMIT 1) FROM epoch");
    if (next(s, i, q)) {
        i->starts = (unsigned)sqlite3_column_int64(q, 0);
        i->program = keep_text(i, q, 1);
    }
    sqlite3_finalize(q);
}

/* A file of an older program has fewer. */
static bool has_column(struct store *s, const char *question)
{
    int64_t count = 0;
    err e = db_read_number(s, question, &count);

    return !e.failed && count > 0;
}

static void read_losses(struct store *s, struct inspection *i)
{
    static const char sql[] = "SELECT stored_ms, coalesce(lived_ms, 0), back_ms FROM epoch "
                              "WHERE stored_ms IS NOT NULL ORDER BY id DESC LIMIT ?1";
    sqlite3_stmt *q =
        has_column(s, "SELECT count(*) FROM pragma_table_info('epoch') WHERE name = 'stored_ms'")
            ? ask(s, i, sql)
            : NULL;

    if (q)
        db_bind(q, 1, LOSSES_MAX);
    while (next(s, i, q))
        i->losses[i->loss_count++] = (struct loss){ .stored_ms = sqlite3_column_int64(q, 0),
                                                    .lived_ms = sqlite3_column_int64(q, 1),
                                                    .back_ms = sqlite3_column_int64(q, 2) };
    sqlite3_finalize(q);
}

static void count_tables(struct store *s, struct inspection *i)
{
    sqlite3_stmt *q = ask(s, i,
                          "SELECT name FROM sqlite_master WHERE type = 'table' AND "
                          "name NOT LIKE 'sqlite_%' ORDER BY name");

    while (i->table_count < TABLES_MAX && next(s, i, q))
        i->tables[i->table_count++].name = keep_text(i, q, 0);
    sqlite3_finalize(q);
    for (size_t t = 0; t < i->table_count; t++) {
        char *sql = sqlite3_mprintf("SELECT count(*) FROM \"%w\"", i->tables[t].name.p);
        check(sql != NULL);
        q = ask(s, i, sql);
        if (next(s, i, q))
            i->tables[t].rows = sqlite3_column_int64(q, 0);
        sqlite3_finalize(q);
        sqlite3_free(sql);
    }
}

/* The version in force last is of the greatest `force`; an older program did not note that. */
static const char journeys_sql[] =
    "SELECT j.name, (SELECT count(*) FROM version v WHERE v.journey = j.id), "
    "(SELECT t.counts FROM total t JOIN version v ON v.id = t.version WHERE v.journey = j.id "
    " ORDER BY %s DESC, v.number DESC LIMIT 1), "
    "(SELECT min(at) FROM (SELECT min(m.at) AS at FROM minute m JOIN version v ON v.id = m.version "
    " WHERE v.journey = j.id UNION ALL SELECT min(h.at) FROM hour h JOIN version v "
    " ON v.id = h.version WHERE v.journey = j.id)), "
    "(SELECT max(t.at) FROM total t JOIN version v ON v.id = t.version WHERE v.journey = j.id) "
    "FROM journey j ORDER BY j.name";

static void read_journeys(struct store *s, struct inspection *i)
{
    int64_t count = 0;
    char sql[1024];

    err e = db_read_number(s, "SELECT count(*) FROM journey", &count);
    if (e.failed) {
        inspection_found(i, "it cannot be read: %s", sqlite3_errmsg(s->db));
        return;
    }
    snprintf(sql, sizeof(sql), journeys_sql,
             has_column(s, "SELECT count(*) FROM pragma_table_info('version') WHERE name = 'force'")
                 ? "v.force"
                 : "v.id");
    i->journeys = arena_array(&i->arena, struct inspected_journey, (size_t)count);
    sqlite3_stmt *q = ask(s, i, sql);
    while (i->journey_count < (size_t)count && next(s, i, q)) {
        struct inspected_journey *j = &i->journeys[i->journey_count++];
        *j = (struct inspected_journey){ .name = keep_text(i, q, 0),
                                         .versions = (unsigned)sqlite3_column_int64(q, 1),
                                         .from = sqlite3_column_int64(q, 3),
                                         .to = sqlite3_column_int64(q, 4) };
        if (!unpack_counters(db_blob(q, 2), SERIES_MAX, j->counts))
            inspection_found(i, "the counts of %.*s cannot be read", SPAN_ARG(j->name));
        i->from = j->from && (!i->from || j->from < i->from) ? j->from : i->from;
        i->to = j->to > i->to ? j->to : i->to;
    }
    sqlite3_finalize(q);
}

/* ---- all of it */

static void examine(struct store *s, struct inspection *i)
{
    if (!identify(s, i))
        return;
    check_integrity(s, i);
    if (!check_tables(s, i))
        return;
    read_node(s, i);
    count_tables(s, i);
    read_journeys(s, i);
    read_losses(s, i);
    inspect_rows(s, i);
}

void store_inspect(const char *path, struct inspection *ret)
{
    struct store *s = calloc(1, sizeof(*s));
    bool shared = has_content(path, "-shm");

    *ret = (struct inspection){ .state = INSPECTION_WHOLE };
    check(s != NULL);
    s->path = strdup(path);
    check(s->path != NULL);
    if (look_at_file(ret, path)) {
        ret->has_log = has_content(path, "-wal");
        char *uri = uri_of(path, ret->has_log);
        err e = connect_to(s, uri);
        free(uri);
        if (e.failed)
            refuse(ret, INSPECTION_UNREADABLE, e.text);
        else
            examine(s, ret);
        sqlite3_close(s->db);
        if (ret->has_log && !shared)
            remove_shared(path);
    }
    free(s->path);
    free(s);
}

void inspection_free(struct inspection *i)
{
    arena_free(&i->arena);
    *i = (struct inspection){};
}
