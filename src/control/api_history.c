/* SPDX-License-Identifier: Apache-2.0 */
/* api_history.c - questions about one journey that the store answers: how an objective's budget went, and what a threshold
 * would have meant. The scribe reads, in a task; the answer is written when it comes back, with the figures as they are
 * then. A client that left meanwhile is not answered.
 * Next: core/histogram.h, why a share below a threshold may be an interval. */
#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"
#include "store/retention.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    POINTS_STANDARD = 120,
    POINTS_MAX = 400, /* some 1,600 reads by key: 20 ms of the scribe's time */
    TASKS_MAX = 16, /* of the scribe under way, of whatever kind: more questions are turned away */
    WHAT_IF_WINDOW_STANDARD_S = 86400,
};

/* Counters of a journey, and the node's measured time, at the same instant. */
struct instant {
    int64_t at;
    uint64_t counts[SERIES_MAX];
    uint64_t measured_ms;
};

struct question {
    struct scribe_task task;
    struct exchange_later later;
    struct arena memory;
    struct span journey;
    uint32_t version;
    int64_t now; /* unix seconds */
    int64_t window_s;
    err result;

    /* a history */
    unsigned objective;
    unsigned points;
    struct instant *instants; /* 2 * points + 1, to twice the window back; the last is the book's */

    /* a what-if */
    ns_t under;
    struct instant ends[2];
    uint64_t bins[HISTOGRAM_BINS];
};

/* ---- answering */

static json_t *sentence(const char *key, const char *text)
{
    return json_pack("{s:s}", key, text);
}

static void refuse(struct api_call *k, unsigned status, const char *text)
{
    api_put_json(&k->out, sentence("error", text));
    k->status = status;
}

static void free_question(struct question *q)
{
    arena_free(&q->memory);
    free(q);
}

static void answer(struct question *q, unsigned status, json_t *root)
{
    struct str out = str_growing();

    api_put_json(&out, root);
    if (q->later.exchange)
        exchange_answer(q->later.exchange, status, API_JSON, out.p, out.n);
    else
        str_free(&out); /* the client left */
    free_question(q);
}

static const struct journey *find_journey(const struct control *c, struct span name)
{
    const struct config *config = control_config(c);

    for (size_t i = 0; i < config->journey_count; i++) {
        if (span_equal(config->journeys[i].name, name))
            return &config->journeys[i];
    }
    return NULL;
}

/* NULL, and the refusal is written: there is no such journey, or the query is wrong. */
static struct question *begin(struct api_call *k, struct query_row *rows, size_t count,
                              const struct journey **ret_journey)
{
    struct control *c = k->control;
    struct question *q = calloc(1, sizeof(*q));
    const char *wrong;

    check(q != NULL);
    *ret_journey =
        query_decode(k->part, false, &q->memory, &q->journey) ? find_journey(c, q->journey) : NULL;
    if (!*ret_journey)
        refuse(k, 404, "there is no such journey; /api/v1/journeys lists them");
    else if ((wrong = query_read(k->head->query, rows, count, &q->memory)) != NULL)
        refuse(k, 400, wrong);
    if (k->status != 200) {
        free_question(q);
        return NULL;
    }
    q->version = book_account(&c->book, *ret_journey)->version;
    q->now = c->parts.wall() / NS_PER_S;
    return q;
}

/* Frees the question when nobody takes it. */
static void give(struct api_call *k, struct question *q)
{
    if (k->control->tasks_out >= TASKS_MAX || !control_give_task(k->control, &q->task)) {
        refuse(k, 503, "the store takes no more questions now");
        free_question(q);
        return;
    }
    exchange_hold(k->exchange, &q->later);
    k->held = true;
}

static void refuse_question(struct api_call *k, struct question *q, unsigned status,
                            const char *text)
{
    refuse(k, status, text);
    free_question(q);
}

/* On the scribe's thread. */
static err read_instant(struct store *s, uint32_t version, struct instant *i)
{
    struct sample counters;
    struct sample node;

    TRY(samples_at(s, version, i->at, &counters));
    int64_t at = counters.at > i->at ? counters.at : i->at; /* it began later */
    TRY(samples_at(s, NODE_VERSION, at, &node));
    memcpy(i->counts, counters.counts, sizeof(i->counts));
    i->measured_ms = node.counts[NODE_MEASURED_MS];
    return OK;
}

/* Later less earlier; a counter that another epoch left behind is not below zero. */
static uint64_t less(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

/* ---- history */

static void read_history(struct scribe_task *t, struct store *s)
{
    struct question *q = container_of(t, struct question, task);

    q->result = OK;
    for (unsigned i = 0; i < 2 * q->points && !q->result.failed; i++)
        q->result = read_instant(s, q->version, &q->instants[i]);
}

static struct slo_counts between(const struct question *q, const struct instant *from,
                                 const struct instant *to)
{
    unsigned good = series_good(q->objective);
    unsigned bad = series_bad(q->objective);

    return (struct slo_counts){ less(to->counts[good], from->counts[good]),
                                less(to->counts[bad], from->counts[bad]) };
}

static json_t *known(enum slo_state state, double figure)
{
    return state == SLO_NO_DATA ? json_null() : json_real(figure);
}

static json_t *point_json(const struct question *q, uint32_t target, unsigned number)
{
    const struct instant *end = &q->instants[q->points + number];
    const struct instant *before = end - 1;
    const struct instant *begin = &q->instants[number];
    struct slo_counts step = between(q, before, end);
    struct slo_counts window = between(q, begin, end);
    int64_t step_s = end->at > before->at ? end->at - before->at : 1;

    return json_pack(
        "{s:I, s:I, s:I, s:o, s:f, s:o, s:f}", "at", (json_int_t)end->at, "good",
        (json_int_t)step.good, "bad", (json_int_t)step.bad, "burn",
        known(slo_state(target, step), slo_burn(target, step)), "coverage",
        slo_coverage(less(end->measured_ms, before->measured_ms), step_s), "budget_left",
        known(slo_state(target, window), slo_budget_left(target, window)), "window_coverage",
        slo_coverage(less(end->measured_ms, begin->measured_ms), q->window_s));
}

static void answer_history(struct scribe_task *t, void *control)
{
    struct question *q = container_of(t, struct question, task);
    struct control *c = control;
    const struct journey *j = find_journey(c, q->journey);

    if (q->result.failed) {
        answer(q, 503, sentence("error", q->result.text));
        return;
    }
    if (!j || book_account(&c->book, j)->version != q->version) {
        answer(q, 409, sentence("error", "the journey was changed meanwhile; ask again"));
        return;
    }
    json_t *points = json_array();
    uint32_t target = slo_target(j->objectives[q->objective].target);
    for (unsigned i = 1; i <= q->points; i++)
        json_array_append_new(points, point_json(q, target, i));
    answer(q, 200,
           json_pack("{s:s#, s:I, s:o, s:I, s:I, s:f, s:o}", "journey", q->journey.p,
                     (int)q->journey.n, "version", (json_int_t)book_account(&c->book, j)->number,
                     "objective", api_objective(c, j, q->objective), "from",
                     (json_int_t)(q->now - q->window_s), "to", (json_int_t)q->now, "step_s",
                     (double)q->window_s / q->points, "points", points));
}

/* By its name, or by its number from 0. */
static bool find_objective(const struct journey *j, const struct query_row *row, unsigned *ret)
{
    uint64_t number = 0;

    for (size_t o = 0; row->given && o < j->objective_count; o++) {
        if (span_equal(j->objectives[o].name, row->value)) {
            *ret = (unsigned)o;
            return true;
        }
    }
    if (j->objective_count == 0 ||
        (row->given && !query_count(row->value, 0, j->objective_count - 1, &number)))
        return false;
    *ret = (unsigned)number;
    return true;
}

static void fill_instants(struct control *c, const struct journey *j, struct question *q)
{
    unsigned n = 2 * q->points;

    q->instants = arena_array(&q->memory, struct instant, n + 1);
    for (unsigned i = 0; i <= n; i++)
        q->instants[i].at = q->now - (int64_t)(n - i) * q->window_s / q->points;
    book_cumulative(&c->book, book_account(&c->book, j), q->instants[n].counts);
    q->instants[n].measured_ms = coverage_ms(&c->book.coverage);
}

void api_history(struct api_call *k)
{
    struct query_row rows[] = { { .key = "objective" }, { .key = "points" } };
    const struct journey *j;
    uint64_t points = POINTS_STANDARD;
    struct question *q = begin(k, rows, sizeof(rows) / sizeof(rows[0]), &j);

    if (!q)
        return;
    if (!find_objective(j, &rows[0], &q->objective)) {
        refuse_question(k, q, rows[0].given ? 400 : 404,
                        j->objective_count ? "objective is the name of one of its objectives, or "
                                             "its number from 0"
                                           : "the journey has no objectives");
        return;
    }
    if (rows[1].given && !query_count(rows[1].value, 2, POINTS_MAX, &points)) {
        refuse_question(k, q, 400, "points is a number from 2 to 400");
        return;
    }
    q->window_s = j->objectives[q->objective].window_s;
    q->points = (unsigned)points;
    q->task = (struct scribe_task){ .run = read_history, .done = answer_history };
    fill_instants(k->control, j, q);
    give(k, q);
}

/* ---- what if */

static void read_what_if(struct scribe_task *t, struct store *s)
{
    struct question *q = container_of(t, struct question, task);
    struct sample node = {};

    /* slots begin at multiples; the running one was stored up to the last write */
    q->ends[0].at = (q->now - q->window_s) / HISTOGRAM_SLOT_S * HISTOGRAM_SLOT_S;
    q->result = samples_total(s, NODE_VERSION, &node);
    q->ends[1].at = node.at > q->ends[0].at ? node.at : q->now;
    q->ends[1].measured_ms = node.counts[NODE_MEASURED_MS];
    if (!q->result.failed)
        q->result = read_instant(s, q->version, &q->ends[0]);
    if (!q->result.failed)
        q->result = histogram_between(s, q->version, q->ends[0].at, q->ends[1].at + 1, q->bins);
}

static json_t *percentile(const struct question *q, uint32_t ppm)
{
    ns_t t = histogram_percentile(q->bins, ppm);

    return t < 0 ? json_null() : json_real((double)t / (double)NS_PER_S);
}

static json_t *share(uint64_t n, uint64_t total)
{
    return total ? json_real((double)n / (double)total) : json_null();
}

static void answer_what_if(struct scribe_task *t, void *control)
{
    struct question *q = container_of(t, struct question, task);
    struct histogram_share below = histogram_share_below(q->bins, q->under);
    uint64_t measured = less(q->ends[1].measured_ms, q->ends[0].measured_ms);
    int64_t span_s = q->ends[1].at - q->ends[0].at;

    (void)control;
    if (q->result.failed) {
        answer(q, 503, sentence("error", q->result.text));
        return;
    }
    answer(q, 200,
           json_pack("{s:s#, s:f, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:f, s:f, "
                     "s:{s:o, s:o, s:o}}",
                     "journey", q->journey.p, (int)q->journey.n, "under_s",
                     (double)q->under / (double)NS_PER_S, "window_s", (json_int_t)q->window_s,
                     "from", (json_int_t)q->ends[0].at, "to", (json_int_t)q->ends[1].at, "answers",
                     (json_int_t)below.total, "least", (json_int_t)below.least, "most",
                     (json_int_t)below.most, "exact", below.least == below.most, "share_least",
                     share(below.least, below.total), "share_most", share(below.most, below.total),
                     "measured_s", (double)measured / 1000, "coverage",
                     slo_coverage(measured, span_s > 0 ? span_s : 1), "latency_s", "p50",
                     percentile(q, 500000), "p95", percentile(q, 950000), "p99",
                     percentile(q, 990000)));
}

void api_what_if(struct api_call *k)
{
    struct query_row rows[] = { { .key = "under_s" }, { .key = "window_s" } };
    const struct journey *j;
    uint64_t window_s = WHAT_IF_WINDOW_STANDARD_S;
    struct question *q = begin(k, rows, sizeof(rows) / sizeof(rows[0]), &j);

    if (!q)
        return;
    if (!query_seconds(rows[0].value, &q->under) || q->under < HISTOGRAM_LEAST ||
        q->under > HISTOGRAM_MOST) {
        refuse_question(k, q, 400, "under_s is a time in seconds from 0.000001 to 1000: 0.25");
        return;
    }
    if (rows[1].given &&
        !query_count(rows[1].value, HISTOGRAM_SLOT_S, KEEP_HISTOGRAMS_DAYS * DAY_S, &window_s)) {
        refuse_question(k, q, 400,
                        "window_s is from 300 to 3024000 seconds: latencies are kept in slots of "
                        "five minutes for 35 days");
        return;
    }
    q->window_s = (int64_t)window_s;
    q->task = (struct scribe_task){ .run = read_what_if, .done = answer_what_if };
    give(k, q);
}
