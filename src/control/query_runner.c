/* SPDX-License-Identifier: Apache-2.0 */
/* query_runner.c - connections that are waited for with a deadline, and what they give.
 * Manual: PostgreSQL, libpq, "Asynchronous Command Processing", "Retrieving Query Results Row-by-Row". */
#include "control/query_runner.h"

#include "base/check.h"
#include "base/rand.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { PASSWORD_MAX = 1024 };

struct asked_query {
    struct query_runner *runner;
    const struct query_target *target;
    PGconn *connection; /* NULL: none */
    ns_t next;          /* when it is made again; monotonic */
    ns_t until;         /* the deadline of what is under way */
};

void query_list_free(struct query_list *list)
{
    if (list)
        arena_free(&list->arena);
    free(list);
}

void query_answer_free(struct query_answer *a)
{
    free(a->rows);
    free(a);
}

/* ---- waiting */

/* False: asked to stop, or too late. `events`: of poll(2), for the connection. */
static bool wait_for(struct asked_query *q, short events)
{
    struct pollfd fds[2] = { { .fd = PQsocket(q->connection), .events = events },
                             { .fd = q->runner->wake, .events = POLLIN } };

    for (;;) {
        ns_t left = q->until - clock_monotonic();
        if (left <= 0 || atomic_load(&q->runner->stopping))
            return false;
        int n = poll(fds, fds[1].fd < 0 ? 1 : 2, (int)((left + NS_PER_MS - 1) / NS_PER_MS));
        if (n > 0 && fds[0].revents)
            return true;
        if (n > 0)
            fds[1].fd = -1; /* mail: it is read afterwards, unless it says that we stop */
    }
}

/* The first line, without what would spoil a line of ours. */
static err trouble(const char *doing, const char *text)
{
    char line[200];
    size_t n = 0;

    for (; text && text[n] && text[n] != '\n' && n + 1 < sizeof(line); n++)
        line[n] = (unsigned char)text[n] < ' ' ? ' ' : text[n];
    while (n > 0 && ((unsigned char)line[n - 1] & 0xc0) == 0x80 && n + 1 == sizeof(line))
        n--; /* no half of a character at the end */
    line[n] = '\0';
    return err_make("%s%s%s", doing, n ? ": " : "", line);
}

static err late(struct asked_query *q, const char *doing)
{
    if (atomic_load(&q->runner->stopping))
        return err_make("%s: the program stops", doing);
    return err_make("%s takes longer than %g s", doing,
                    (double)q->target->query.timeout / (double)NS_PER_S);
}

static void begin_waiting(struct asked_query *q)
{
    q->until = clock_monotonic() + q->target->query.timeout;
}

/* ---- connecting */

static err read_password(const struct secret_source *s, char ret[PASSWORD_MAX])
{
    ret[0] = '\0';
    if (s->env.n) {
        const char *value = getenv(s->env.p);
        if (!value || strlen(value) >= PASSWORD_MAX)
            return err_make("the environment variable %s is not set, or too long", s->env.p);
        memcpy(ret, value, strlen(value) + 1);
        return OK;
    }
    if (!s->file.n)
        return OK;
    int fd = open(s->file.p, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, PASSWORD_MAX - 1);
    int error = errno;
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return err_system(error, "cannot read the password in %s", s->file.p);
    while (n > 0 && (ret[n - 1] == '\n' || ret[n - 1] == '\r'))
        n--;
    ret[n] = '\0';
    return OK;
}

static err begin_connection(struct asked_query *q)
{
    char password[PASSWORD_MAX];
    const char *keys[] = { "dbname", "client_encoding", "fallback_application_name", "password",
                           NULL };
    const char *values[] = { q->target->query.database.p, "UTF8", "evenkeel", password, NULL };
    err e = read_password(&q->target->query.password, password);

    if (e.failed)
        return e;
    if (!password[0])
        keys[3] = NULL;
    q->connection = PQconnectStartParams(keys, values, 1);
    explicit_bzero(password, sizeof(password));
    check(q->connection != NULL);
    return OK;
}

static err connect_now(struct asked_query *q)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    TRY(begin_connection(q));
    begin_waiting(q);
    while (PQstatus(q->connection) != CONNECTION_BAD) {
        if (!wait_for(q, status == PGRES_POLLING_READING ? POLLIN : POLLOUT))
            return late(q, "connecting");
        status = PQconnectPoll(q->connection);
        if (status == PGRES_POLLING_OK) {
            PQsetnonblocking(q->connection, 1);
            return OK;
        }
        if (status == PGRES_POLLING_FAILED)
            break;
    }
    return trouble("cannot connect", PQerrorMessage(q->connection));
}

/* ---- statements */

/* All of what was asked is on its way. */
static err flush(struct asked_query *q, const char *doing)
{
    int more;

    while ((more = PQflush(q->connection)) > 0) {
        if (!wait_for(q, POLLIN | POLLOUT))
            return late(q, doing);
        if (!PQconsumeInput(q->connection))
            return trouble(doing, PQerrorMessage(q->connection));
    }
    return more < 0 ? trouble(doing, PQerrorMessage(q->connection)) : OK;
}

/* The next result; NULL: there is no more. */
static err next_result(struct asked_query *q, const char *doing, PGresult **ret)
{
    while (PQisBusy(q->connection)) {
        if (!wait_for(q, POLLIN))
            return late(q, doing);
        if (!PQconsumeInput(q->connection))
            return trouble(doing, PQerrorMessage(q->connection));
    }
    *ret = PQgetResult(q->connection);
    return OK;
}

/* What is done with each row. */
typedef err row_taker(void *whom, const PGresult *row);

static err take_result(const PGresult *result, const char *doing, row_taker *take, void *whom)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE: return take ? take(whom, result) : OK;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK: return OK; /* the end of the rows */
    case PGRES_EMPTY_QUERY: return err_make("%s: it is empty", doing);
    default: return trouble(doing, PQresultErrorMessage(result));
    }
}

/* Several statements without rows (`take`: NULL), or one with them. */
static err run(struct asked_query *q, const char *doing, const char *sql, row_taker *take,
               void *whom)
{
    int sent = take ? PQsendQueryParams(q->connection, sql, 0, NULL, NULL, NULL, NULL, 0)
                    : PQsendQuery(q->connection, sql);
    err e = OK;

    if (!sent)
        return trouble(doing, PQerrorMessage(q->connection));
    if (take)
        PQsetSingleRowMode(q->connection);
    begin_waiting(q);
    TRY(flush(q, doing));
    for (;;) {
        PGresult *result = NULL;
        TRY(next_result(q, doing, &result));
        if (!result)
            return e;
        if (!e.failed)
            e = take_result(result, doing, take, whom);
        PQclear(result);
        if (e.failed && take)
            return e; /* the connection goes, with whatever else it has to say */
    }
}

/* ---- rows */

struct jobs_taking {
    struct query_answer *answer;
    uint64_t key;
    size_t room;
    size_t rows; /* of jobs that go on, too */
    int columns[4];
};

static const char *const column_names[] = { "id", "outcome", "seconds", "at" };

static err find_columns(struct jobs_taking *k, const PGresult *row)
{
    for (size_t i = 0; i < 4; i++) {
        k->columns[i] = PQfnumber(row, column_names[i]);
        if (k->columns[i] < 0)
            return err_make("sql: it has no column '%s'; it gives id, outcome, seconds and at",
                            column_names[i]);
    }
    return OK;
}

static struct span text_of(const PGresult *row, int column)
{
    if (PQgetisnull(row, 0, column))
        return span_of(NULL, 0);
    return span_of(PQgetvalue(row, 0, column), (size_t)PQgetlength(row, 0, column));
}

static err take_job(void *whom, const PGresult *row)
{
    struct jobs_taking *k = whom;
    struct query_answer *a = k->answer;
    bool ended;

    if (k->rows == 0)
        TRY(find_columns(k, row));
    if (++k->rows > QUERY_ROWS_MAX)
        return err_make("sql: it gives more than %d rows; let it look back less far",
                        QUERY_ROWS_MAX);
    if (a->count == k->room) {
        k->room = k->room ? 2 * k->room : 64;
        a->rows = realloc(a->rows, k->room * sizeof(a->rows[0]));
        check(a->rows != NULL);
    }
    struct job_texts t = { text_of(row, k->columns[0]), text_of(row, k->columns[1]),
                           text_of(row, k->columns[2]), text_of(row, k->columns[3]) };
    err e = job_row_read(&t, k->key, &a->rows[a->count], &ended);
    if (e.failed)
        return err_make("sql: %s", e.text);
    a->count += ended;
    return OK;
}

static err take_age(void *whom, const PGresult *row)
{
    struct query_answer *a = whom;

    if (PQnfields(row) != 1)
        return err_make("oldest: it gives %d columns instead of one number", PQnfields(row));
    struct span text = text_of(row, 0);
    if (text.n > 0 && text.p[0] == '-')
        text = SPAN("0"); /* clocks differ */
    if (text.p && !job_seconds_read(text, &a->age_s))
        return err_make("oldest: it gives '%.40s' instead of a number of seconds; of an interval, "
                        "extract(epoch from ...) is one",
                        text.p);
    return OK;
}

static err take_now(void *whom, const PGresult *row)
{
    struct query_answer *a = whom;

    return job_time_read(text_of(row, 0), &a->now_ms) ? OK : err_make("the database tells no time");
}

/* ---- a run */

static err ask_all(struct asked_query *q, struct query_answer *a)
{
    const struct journey_query *query = &q->target->query;
    struct jobs_taking jobs = { .answer = a, .key = q->runner->key };
    char begin[256];

    snprintf(begin, sizeof(begin),
             "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = %lld; "
             "SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL timezone = 'UTC'",
             (long long)(query->timeout / NS_PER_MS));
    if (!q->connection)
        TRY(connect_now(q));
    TRY(run(q, "beginning", begin, NULL, NULL));
    TRY(run(q, "beginning", "SELECT extract(epoch FROM now())", take_now, a));
    if (query->sql.n)
        TRY(run(q, "sql", query->sql.p, take_job, &jobs));
    if (query->oldest.n)
        TRY(run(q, "oldest", query->oldest.p, take_age, a));
    a->has_age = query->oldest.n > 0;
    return run(q, "ending", "ROLLBACK", NULL, NULL);
}

static void let_go(struct asked_query *q)
{
    PQfinish(q->connection);
    q->connection = NULL;
}

static void make(struct asked_query *q)
{
    struct query_runner *r = q->runner;
    struct query_answer *a = calloc(1, sizeof(*a));
    ns_t began = clock_monotonic();

    check(a != NULL);
    a->id = q->target->id;
    a->failed = ask_all(q, a);
    a->took = clock_monotonic() - began;
    if (a->failed.failed)
        let_go(q);
    q->next = began + q->target->query.every;
    struct message m = { .kind = MESSAGE_QUERY_ANSWER, .job = a };
    if (mailbox_send(r->control_mail, &m))
        reactor_wake(r->control);
    else
        query_answer_free(a);
}

/* ---- the list */

static bool same_query(const struct query_target *a, const struct query_target *b)
{
    return a->id == b->id && span_equal(a->query.database, b->query.database) &&
           span_equal(a->query.password.file, b->query.password.file) &&
           span_equal(a->query.password.env, b->query.password.env) &&
           a->query.every == b->query.every;
}

/* What stays keeps its connection and its time. */
static void take_list(struct query_runner *r, struct query_list *list)
{
    struct asked_query *asked = calloc(list->count + 1, sizeof(asked[0]));

    check(asked != NULL);
    for (size_t i = 0; i < list->count; i++) {
        asked[i] = (struct asked_query){ .next = clock_monotonic() };
        for (size_t k = 0; k < r->count; k++) {
            if (!r->asked[k].target || !same_query(r->asked[k].target, &list->targets[i]))
                continue;
            asked[i] = r->asked[k];
            r->asked[k] = (struct asked_query){};
        }
        asked[i].runner = r;
        asked[i].target = &list->targets[i];
    }
    for (size_t k = 0; k < r->count; k++)
        let_go(&r->asked[k]);
    free(r->asked);
    query_list_free(r->list);
    r->asked = asked;
    r->count = list->count;
    r->list = list;
}

/* ---- the thread */

static void read_mail(struct query_runner *r)
{
    struct message m;
    uint64_t woken;

    while (read(r->wake, &woken, sizeof(woken)) < 0 && errno == EINTR) {
    }
    while (mailbox_receive(&r->mail, &m)) {
        if (m.kind == MESSAGE_QUERIES)
            take_list(r, m.job);
    }
}

/* Until the next is due, or mail comes. */
static void sleep_until_due(struct query_runner *r)
{
    ns_t now = clock_monotonic();
    ns_t next = now + 3600 * NS_PER_S;
    struct pollfd fd = { .fd = r->wake, .events = POLLIN };

    for (size_t i = 0; i < r->count; i++)
        next = r->asked[i].next < next ? r->asked[i].next : next;
    if (next > now)
        poll(&fd, 1, (int)((next - now + NS_PER_MS - 1) / NS_PER_MS));
}

void *query_runner_main(void *runner)
{
    struct query_runner *r = runner;

    while (!atomic_load(&r->stopping)) {
        read_mail(r);
        for (size_t i = 0; i < r->count && !atomic_load(&r->stopping); i++) {
            if (r->asked[i].next <= clock_monotonic())
                make(&r->asked[i]);
        }
        if (!atomic_load(&r->stopping))
            sleep_until_due(r);
    }
    for (size_t i = 0; i < r->count; i++)
        let_go(&r->asked[i]);
    return NULL;
}

/* ---- from outside */

err query_runner_open(struct query_runner *r, struct mailbox *control_mail, struct reactor *control)
{
    *r = (struct query_runner){ .control_mail = control_mail, .control = control };
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (r->wake < 0)
        return err_system(errno, "eventfd");
    rand_secret(&r->key, sizeof(r->key));
    mailbox_init(&r->mail);
    return OK;
}

void query_runner_free(struct query_runner *r)
{
    struct message m;

    while (mailbox_receive(&r->mail, &m)) {
        if (m.kind == MESSAGE_QUERIES)
            query_list_free(m.job);
    }
    query_list_free(r->list);
    free(r->asked);
    mailbox_free(&r->mail);
    close(r->wake);
}

static void wake(struct query_runner *r)
{
    uint64_t one = 1;

    while (write(r->wake, &one, sizeof(one)) < 0 && errno == EINTR) {
    }
}

bool query_runner_give(struct query_runner *r, struct query_list *list)
{
    struct message m = { .kind = MESSAGE_QUERIES, .job = list };
    bool sent = mailbox_send(&r->mail, &m);

    wake(r);
    return sent;
}

void query_runner_ask_stop(struct query_runner *r)
{
    atomic_store(&r->stopping, true);
    wake(r);
}
