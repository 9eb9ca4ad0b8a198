/* SPDX-License-Identifier: Apache-2.0 */
/* api_history.c - how an objective's error budget went: counters at instants, subtracted, of this node and of all others. Steps end
 * at multiples of their length (unix time), so that every node counts the same ones; the last one is the running one. */
#include "control/api_question.h"

#include <stdio.h>

enum { POINTS_STANDARD = 120 };

struct history {
    struct question question;
    unsigned objective;
    unsigned points;
    int64_t step_s;
    struct instant
        *ends; /* points + 1: where steps end; the last is the book's unless it is past */
    struct instant
        *begins; /* points + 1: where the windows begin that end there; the first is of no use */
};

/* ---- this node */

static void read_history(struct scribe_task *t, struct store *s)
{
    struct question *q = container_of(t, struct question, task);
    struct history *h = container_of(q, struct history, question);

    q->result = OK;
    for (unsigned i = 0; i <= h->points && !q->result.failed; i++) {
        if (i < h->points || q->past)
            q->result = question_read_instant(s, q->version, &h->ends[i]);
        if (i > 0 && !q->result.failed)
            q->result = question_read_instant(s, q->version, &h->begins[i]);
    }
}

static struct slo_counts between(const struct history *h, const struct instant *from,
                                 const struct instant *to)
{
    unsigned good = series_good(h->objective);
    unsigned bad = series_bad(h->objective);

    return (struct slo_counts){ question_less(to->counts[good], from->counts[good]),
                                question_less(to->counts[bad], from->counts[bad]) };
}

/* More than all of it cannot have been measured; what one node has too much must not hide another's absence. */
static uint64_t at_most(uint64_t ms, int64_t seconds)
{
    uint64_t most = (uint64_t)seconds * 1000;

    return ms < most ? ms : most;
}

static int64_t length_of(const struct history *h, unsigned i)
{
    return h->ends[i].at - h->ends[i - 1].at;
}

static struct report_point own_point(const struct history *h, unsigned i)
{
    const struct instant *end = &h->ends[i];

    return (struct report_point){
        .at = end->at,
        .step = between(h, end - 1, end),
        .window = between(h, &h->begins[i], end),
        .step_ms = at_most(question_less(end->measured_ms, end[-1].measured_ms), length_of(h, i)),
        .window_ms = at_most(question_less(end->measured_ms, h->begins[i].measured_ms),
                             h->question.window_s),
    };
}

/* ---- all nodes */

static bool fits(const struct history *h, const struct peer_report *r)
{
    if (r->definition != h->question.definition || r->window_s != h->question.window_s ||
        r->step_s != h->step_s || r->count != h->points)
        return false;
    for (unsigned i = 1; i <= h->points; i++) {
        if (r->points[i - 1].at != h->ends[i].at)
            return false;
    }
    return true;
}

static void drop_unfit(struct history *h)
{
    struct question *q = &h->question;

    for (size_t i = 0; q->inquiry && i < q->inquiry->count; i++) {
        const struct peer_report *r = question_report(q, i);
        if (r && !fits(h, r))
            question_unfit(q, i, "the journey, or the objective's window, is another there");
    }
}

static struct report_point sum_point(const struct history *h, unsigned i)
{
    const struct question *q = &h->question;
    struct report_point sum = own_point(h, i);

    for (size_t k = 0; q->inquiry && k < q->inquiry->count; k++) {
        const struct peer_report *r = question_report(q, k);
        if (!r)
            continue;
        const struct report_point *p = &r->points[i - 1];
        sum.step.good += p->step.good;
        sum.step.bad += p->step.bad;
        sum.window.good += p->window.good;
        sum.window.bad += p->window.bad;
        sum.step_ms += at_most(p->step_ms, length_of(h, i));
        sum.window_ms += at_most(p->window_ms, q->window_s);
    }
    return sum;
}

/* ---- the answer */

static json_t *known(enum slo_state state, double figure)
{
    return state == SLO_NO_DATA ? json_null() : json_real(figure);
}

static json_t *point_json(const struct history *h, uint32_t target, unsigned i)
{
    struct report_point p = sum_point(h, i);
    unsigned nodes = question_nodes(&h->question);

    return json_pack(
        "{s:I, s:I, s:I, s:o, s:f, s:f, s:I, s:I, s:o, s:f, s:f}", "at", (json_int_t)p.at, "good",
        (json_int_t)p.step.good, "bad", (json_int_t)p.step.bad, "burn",
        known(slo_state(target, p.step), slo_burn(target, p.step)), "measured_s",
        (double)p.step_ms / nodes / 1000, "coverage",
        slo_coverage(p.step_ms, length_of(h, i) * nodes), "window_good", (json_int_t)p.window.good,
        "window_bad", (json_int_t)p.window.bad, "budget_left",
        known(slo_state(target, p.window), slo_budget_left(target, p.window)), "window_measured_s",
        (double)p.window_ms / nodes / 1000, "window_coverage",
        slo_coverage(p.window_ms, h->question.window_s * nodes));
}

static const struct journey *journey_of(const struct control *c, struct span name)
{
    const struct config *config = control_config(c);
    size_t i = 0;

    while (!span_equal(config->journeys[i].name, name))
        i++;
    return &config->journeys[i];
}

static json_t *answer_history(struct question *q, struct control *c)
{
    struct history *h = container_of(q, struct history, question);
    const struct journey *j =
        journey_of(c, q->journey); /* it is there: the question was looked at */
    uint32_t target = slo_target(j->objectives[h->objective].target);
    json_t *points = json_array();

    drop_unfit(h);
    for (unsigned i = 1; i <= h->points; i++)
        json_array_append_new(points, point_json(h, target, i));
    json_t *root = json_pack("{s:s#, s:I, s:o, s:I, s:I, s:I, s:o, s:o}", "journey", q->journey.p,
                             (int)q->journey.n, "version", (json_int_t)q->number, "objective",
                             api_objective(c, j, h->objective), "from", (json_int_t)h->ends[0].at,
                             "to", (json_int_t)q->now, "step_s", (json_int_t)h->step_s, "points",
                             points, "losses", api_losses(c, h->ends[0].at, q->now));
    question_put_nodes(q, c, root);
    return root;
}

/* ---- the question */

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

/* Whole seconds, so that unix time has multiples of them; a window that is no multiple reaches back a little less far than all
 * steps together. */
static void fill_instants(struct control *c, const struct journey *j, struct history *h)
{
    struct question *q = &h->question;
    unsigned n = h->points;

    h->step_s = (q->window_s + n - 1) / n;
    h->ends = arena_array(&q->memory, struct instant, n + 1);
    h->begins = arena_array(&q->memory, struct instant, n + 1);
    int64_t last = (q->now + h->step_s - 1) / h->step_s * h->step_s;
    for (unsigned i = 0; i <= n; i++) {
        h->ends[i].at = i < n ? last - (int64_t)(n - i) * h->step_s : q->now;
        h->begins[i].at = h->ends[i].at - q->window_s;
    }
    if (q->past)
        return;
    book_cumulative(&c->book, book_account(&c->book, j), h->ends[n].counts);
    h->ends[n].measured_ms = coverage_ms(&c->book.coverage);
}

void api_history(struct api_call *k)
{
    struct query_row rows[] = { { .key = "objective" }, { .key = "points" }, QUESTION_ROWS };
    const struct journey *j;
    uint64_t points = POINTS_STANDARD;
    char path[64];
    struct history *h = question_begin(k, sizeof(*h), rows, sizeof(rows) / sizeof(rows[0]), &j);

    if (!h)
        return;
    if (!find_objective(j, &rows[0], &h->objective)) {
        question_refuse(k, &h->question, rows[0].given ? 400 : 404,
                        j->objective_count ? "objective is the name of one of its objectives, or "
                                             "its number from 0"
                                           : "the journey has no objectives");
        return;
    }
    if (rows[1].given &&
        !query_count(rows[1].value, REPORT_POINTS_MIN, REPORT_POINTS_MAX, &points)) {
        question_refuse(k, &h->question, 400, "points is a number from 2 to 400");
        return;
    }
    h->question.window_s = j->objectives[h->objective].window_s;
    h->question.task.run = read_history;
    h->question.answer = answer_history;
    h->points = (unsigned)points;
    fill_instants(k->control, j, h);
    snprintf(path, sizeof(path), "history?objective=%u&points=%u", h->objective, h->points);
    question_ask(k, &h->question, path, peer_report_history);
}
