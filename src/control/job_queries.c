/* SPDX-License-Identifier: Apache-2.0 */
/* job_queries.c - see job_queries.h. */
#include "control/job_queries.h"

#include "base/log.h"
#include "control/control.h"
#include "control/events.h"

#include <stdlib.h>

static int64_t unix_ms(const struct control *c)
{
    return c->parts.wall() / NS_PER_MS;
}

/* ---- counters that are words */

static uint64_t cumulative(const struct control *c, const struct journey *j, unsigned series)
{
    uint64_t all[SERIES_MAX];

    book_cumulative(&c->book, book_account(&c->book, j), all);
    return all[series];
}

/* Counters only grow, and so does this. */
static void note_queried(struct control *c, const struct journey *j, int64_t until_ms)
{
    uint64_t before = cumulative(c, j, SERIES_QUERIED_MS);

    if ((uint64_t)until_ms > before)
        counter_add(&c->tally, j->slots.series + SERIES_QUERIED_MS, (uint64_t)until_ms - before);
}

/* ---- the list */

static struct job_query *find(const struct job_queries *q, uint32_t id)
{
    for (size_t i = 0; i < q->count; i++) {
        if (q->list[i].id == id)
            return &q->list[i];
    }
    return NULL;
}

const struct job_query *job_query_of(const struct control *c, const struct journey *j)
{
    return j->query ? find(&c->queries, j->id) : NULL;
}

/* Jobs that ended before a journey was first counted are none of its. */
static void open_query(struct control *c, const struct journey *j, struct job_query *ret)
{
    int64_t since = (int64_t)cumulative(c, j, SERIES_QUERIED_MS);

    *ret = (struct job_query){ .id = j->id,
                               .since_ms = since ? since : unix_ms(c),
                               .looked = c->reactor->now };
    if (since == 0)
        note_queried(c, j, ret->since_ms);
}

static void adopt(struct control *c, const struct config *config)
{
    struct job_queries *q = &c->queries;
    struct job_query *list = calloc(config->journey_count + 1, sizeof(list[0]));
    size_t count = 0;

    check(list != NULL);
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        struct job_query *old = j->query ? find(q, j->id) : NULL;
        if (!j->query)
            continue;
        if (old) {
            list[count++] = *old;
            *old = (struct job_query){ .id = UINT32_MAX };
        } else {
            open_query(c, j, &list[count++]);
        }
    }
    q->untold = count > 0 || q->count > 0;
    job_queries_free(q);
    q->list = list;
    q->count = count;
}

static void copy_target(struct arena *a, const struct journey *j, struct query_target *ret)
{
    const struct journey_query *q = j->query;

    *ret = (struct query_target){
        .id = j->id,
        .query = { .database = arena_span(a, q->database),
                   .password = { .file = arena_span(a, q->password.file),
                                 .env = arena_span(a, q->password.env) },
                   .every = q->every,
                   .timeout = q->timeout,
                   .sql = arena_span(a, q->sql),
                   .oldest = arena_span(a, q->oldest) },
    };
}

static void tell_runner(struct control *c, const struct config *config)
{
    struct query_list *list = calloc(1, sizeof(*list));

    check(list != NULL);
    list->targets = arena_array(&list->arena, struct query_target, c->queries.count + 1);
    for (size_t i = 0; i < config->journey_count; i++) {
        if (config->journeys[i].query)
            copy_target(&list->arena, &config->journeys[i], &list->targets[list->count++]);
    }
    c->queries.untold = !query_runner_give(c->parts.queries, list);
    if (c->queries.untold)
        query_list_free(list);
}

void job_queries_free(struct job_queries *q)
{
    for (size_t i = 0; i < q->count; i++)
        free(q->list[i].known);
    free(q->list);
    q->list = NULL;
    q->count = 0;
}

/* ---- answers */

static int by_mark(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static bool is_known(const struct job_query *q, uint64_t mark)
{
    return q->known_count > 0 &&
           bsearch(&mark, q->known, q->known_count, sizeof(mark), by_mark) != NULL;
}

/* The events among the rows; each id once. */
static size_t pick_events(struct control *c, struct job_query *q, const struct journey *j,
                          const struct query_answer *a, struct event *ret)
{
    int64_t now = unix_ms(c);
    size_t n = 0;

    for (size_t i = 0; i < a->count; i++) {
        const struct job_row *r = &a->rows[i];
        int64_t ago = now - r->at_ms;
        if (is_known(q, r->mark) || r->at_ms <= q->since_ms)
            continue;
        if (ago > WINDOW_SPAN_S * 1000) {
            q->too_old++;
            continue;
        }
        ret[n++] = (struct event){ .journey = j,
                                   .outcome = r->outcome,
                                   .took = r->took,
                                   .ago = ago > 0 ? ago * NS_PER_MS : 0,
                                   .mark = r->mark };
    }
    return n;
}

/* What an id was given for twice in one answer counts once. */
static size_t each_once(struct event *list, size_t count, const uint64_t *marks, size_t mark_count)
{
    bool *seen = calloc(mark_count + 1, sizeof(seen[0]));
    size_t kept = 0;

    check(seen != NULL);
    for (size_t i = 0; i < count; i++) {
        const uint64_t *at = bsearch(&list[i].mark, marks, mark_count, sizeof(marks[0]), by_mark);
        check(at != NULL);
        while (at > marks && at[-1] == *at)
            at--;
        if (seen[at - marks])
            continue;
        seen[at - marks] = true;
        list[kept] = list[i];
        list[kept++].mark = 0; /* not for those of workers who tell */
    }
    free(seen);
    return kept;
}

static void count_jobs(struct control *c, struct job_query *q, const struct journey *j,
                       const struct query_answer *a)
{
    struct event *events = calloc(a->count + 1, sizeof(events[0]));
    uint64_t *marks = calloc(a->count + 1, sizeof(marks[0]));
    size_t known;

    check(events && marks);
    for (size_t i = 0; i < a->count; i++)
        marks[i] = a->rows[i].mark;
    qsort(marks, a->count, sizeof(marks[0]), by_mark);
    size_t n = each_once(events, pick_events(c, q, j, a, events), marks, a->count);
    events_count(c, events, n, &known);
    free(events);
    free(q->known);
    q->known = marks;
    q->known_count = a->count;
    q->counted += n;
}

static void count_age(struct control *c, struct job_query *q, const struct journey *j,
                      const struct query_answer *a)
{
    q->has_age = a->has_age;
    q->age_s = a->age_s;
    for (unsigned o = 0; a->has_age && o < j->objective_count; o++) {
        ns_t under = j->objectives[o].age_under;
        bool good = a->age_s < (double)under / (double)NS_PER_S;
        if (under)
            counter_add(&c->tally, j->slots.series + (good ? series_good(o) : series_bad(o)), 1);
    }
}

static void take_good(struct control *c, struct job_query *q, const struct journey *j,
                      const struct query_answer *a)
{
    count_jobs(c, q, j, a);
    count_age(c, q, j, a);
    note_queried(c, j, a->now_ms);
    q->good_at = unix_ms(c) / 1000;
    if (q->failed_at)
        log_info("journey %.*s: its query works again", SPAN_ARG(j->name));
    q->failed_at = 0;
    q->error[0] = '\0';
}

static void take_failed(struct control *c, struct job_query *q, const struct journey *j,
                        const err *failed)
{
    q->failures++;
    if (!q->failed_at) {
        q->failed_at = unix_ms(c) / 1000;
        q->looked = c->reactor->now;
        log_warn("journey %.*s: its query fails: %s", SPAN_ARG(j->name), failed->text);
    }
    snprintf(q->error, sizeof(q->error), "%s", failed->text);
    q->has_age = false;
}

void job_queries_heard(struct control *c, struct query_answer *a)
{
    const struct config *config = control_config(c);
    struct job_query *q = find(&c->queries, a->id);

    for (size_t i = 0; q && i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        if (j->id != a->id || !j->query)
            continue;
        q->took = a->took;
        q->runs++;
        if (a->failed.failed)
            take_failed(c, q, j, &a->failed);
        else
            take_good(c, q, j, a);
    }
    query_answer_free(a); /* of one that was taken out, all of it */
}

/* ---- ticks */

/* Time in which a query fails is not measured for its journey. */
static void note_failing(struct control *c, const struct config *config)
{
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        struct job_query *q = j->query ? find(&c->queries, j->id) : NULL;
        if (!q || !q->failed_at)
            continue;
        ns_t went = c->reactor->now - q->looked;
        q->looked = c->reactor->now;
        if (went <= COVERAGE_SILENCE_MAX) /* what is longer is not measured anyway */
            counter_add(&c->tally, j->slots.series + SERIES_UNQUERIED_MS,
                        (uint64_t)(went / NS_PER_MS));
    }
}

void job_queries_adopt(struct control *c)
{
    const struct config *config = control_config(c);

    if (!c->parts.queries)
        return;
    adopt(c, config);
    if (c->queries.untold)
        tell_runner(c, config);
}

void job_queries_tick(struct control *c)
{
    const struct config *config = control_config(c);

    if (!c->parts.queries)
        return;
    if (c->queries.untold)
        tell_runner(c, config);
    note_failing(c, config);
}
