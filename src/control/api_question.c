/* SPDX-License-Identifier: Apache-2.0 */
/* api_question.c - see api_question.h. */
#include "control/api_question.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TO_LEAST = 1000000000, /* 2001: nothing is older, and no window begins before 1970 */
    NOW_APART_S = 300,     /* a `to` so near is now, on a clock that is a little off */
};

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
    peer_inquiry_free(q->inquiry);
    arena_free(&q->memory);
    free(q);
}

void question_refuse(struct api_call *k, struct question *q, unsigned status, const char *text)
{
    refuse(k, status, text);
    free_question(q);
}

const struct journey *api_find_journey(const struct control *c, struct span name)
{
    const struct config *config = control_config(c);

    for (size_t i = 0; i < config->journey_count; i++) {
        if (span_equal(config->journeys[i].name, name))
            return &config->journeys[i];
    }
    return NULL;
}

/* ---- beginning */

/* NULL, or what is wrong. */
static const char *read_rows(struct question *q, int64_t now, const struct query_row *rows)
{
    uint64_t to = (uint64_t)now;

    if (rows[0].given && !span_equal(rows[0].value, SPAN("this")))
        return "node is this, for the node that is asked alone, or is left out";
    q->alone = rows[0].given;
    if (rows[1].given && !query_count(rows[1].value, TO_LEAST, (uint64_t)now + NOW_APART_S, &to))
        return "to is a time that has come, in unix seconds";
    q->now = (int64_t)to;
    q->past = q->now < now - NOW_APART_S;
    return NULL;
}

void *question_begin(struct api_call *k, size_t size, struct query_row *rows, size_t count,
                     const struct journey **ret_journey)
{
    struct control *c = k->control;
    struct question *q = calloc(1, size);
    const char *wrong;

    check(q != NULL && count >= QUESTION_ROW_COUNT);
    *ret_journey = query_decode(k->part, false, &q->memory, &q->journey)
                       ? api_find_journey(c, q->journey)
                       : NULL;
    if (!*ret_journey)
        refuse(k, 404, "there is no such journey; /api/v1/journeys lists them");
    else if ((wrong = query_read(k->head->query, rows, count, &q->memory)) != NULL ||
             (wrong = read_rows(q, c->parts.wall() / NS_PER_S,
                                rows + count - QUESTION_ROW_COUNT)) != NULL)
        refuse(k, 400, wrong);
    if (k->status != 200) {
        free_question(q);
        return NULL;
    }
    const struct account *a = book_account(&c->book, *ret_journey);
    q->version = a->version;
    q->bins_version = book_bins_version(&c->book, a);
    q->number = a->number;
    q->definition = (*ret_journey)->definition;
    return q;
}

/* ---- answering, once both parts are there */

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

static void part_is_there(struct question *q, struct control *c)
{
    const struct journey *j = api_find_journey(c, q->journey);

    if (--q->open > 0)
        return;
    if (q->result.failed)
        answer(q, 503, sentence("error", q->result.text));
    else if (!j || j->definition != q->definition)
        answer(q, 409, sentence("error", "the journey was changed meanwhile; ask again"));
    else
        answer(q, 200, q->answer(q, c));
}

static void store_answered(struct scribe_task *t, void *control)
{
    part_is_there(container_of(t, struct question, task), control);
}

static void nodes_answered(void *owner, struct control *c)
{
    part_is_there(owner, c);
}

/* ---- asking */

static void ask_nodes(struct control *c, struct question *q, const char *path,
                      err (*read)(struct span body, struct peer_report **ret))
{
    struct str whole = str_growing();
    struct peer_inquiry *i = peer_inquiry_new(c, api_find_journey(c, q->journey));

    str_literal(&whole, "/api/v1/journeys/");
    query_encode(&whole, q->journey);
    str_print(&whole, "/%s&node=this&to=%ld", path, (long)q->now);
    i->path = arena_span(&i->arena, str_span(&whole));
    str_free(&whole);
    i->read = read;
    i->done = nodes_answered;
    i->owner = q;
    q->inquiry = i;
    q->open += peer_inquiry_ask(c, i);
}

void question_ask(struct api_call *k, struct question *q, const char *path,
                  err (*read)(struct span body, struct peer_report **ret))
{
    struct control *c = k->control;

    q->task.done = store_answered;
    if (q->task.run && (c->tasks_out >= API_TASKS_MAX || !control_give_task(c, &q->task))) {
        question_refuse(k, q, 503, "the store takes no more questions now");
        return;
    }
    q->open = q->task.run != NULL;
    if (!q->alone && peers_nodes(c) > 1)
        ask_nodes(c, q, path, read);
    if (q->open == 0) { /* nothing has to be waited for */
        api_put_json(&k->out, q->answer(q, c));
        free_question(q);
        return;
    }
    api_protect(k);
    exchange_hold(k->exchange, &q->later);
    k->held = true;
}

err question_read_instant(struct store *s, uint32_t version, struct instant *i)
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

/* ---- for answers */

unsigned question_nodes(const struct question *q)
{
    return 1 + (q->inquiry ? (unsigned)q->inquiry->count : 0);
}

const struct peer_report *question_report(const struct question *q, size_t i)
{
    const struct peer_part *p = &q->inquiry->parts[i];

    return p->failed.failed ? NULL : p->report;
}

void question_unfit(struct question *q, size_t i, const char *why)
{
    q->inquiry->parts[i].failed = err_make("%s", why);
}

void question_put_nodes(const struct question *q, const struct control *c, json_t *answer)
{
    char definition[17];

    snprintf(definition, sizeof(definition), "%016lx", (unsigned long)q->definition);
    json_object_set_new(answer, "node", json_string(c->parts.node));
    json_object_set_new(answer, "nodes", json_integer(question_nodes(q)));
    json_object_set_new(answer, "nodes_missing", peer_inquiry_missing(q->inquiry));
    json_object_set_new(answer, "definition", json_string(definition));
    json_object_set_new(answer, "window_s", json_integer(q->window_s));
}
