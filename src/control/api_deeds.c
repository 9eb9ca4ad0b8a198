/* SPDX-License-Identifier: Apache-2.0 */
/* api_deeds.c - GET /api/v1/changes/history: who changed or reloaded what, and why, newest first. The newest come from memory, the
 * rest from the store, which the scribe reads: what is not stored yet is told too, and what both have is told once.
 * A store that cannot be read costs the older ones, and is said; it is no error. */
#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"

#include <stdlib.h>

enum { LIMIT_MOST = 1000, LIMIT_STANDARD = 50 };

struct asked {
    struct scribe_task task;
    struct exchange_later later;
    struct arena memory;
    int64_t before; /* numbers below this */
    size_t limit;
    struct kept_deed
        *list; /* what the store has of them; one more than the limit shows that there are more */
    size_t count;
    err result;
};

static void free_asked(struct asked *q)
{
    arena_free(&q->memory);
    free(q);
}

/* ---- the answer */

struct telling {
    json_t *list;
    size_t left;
    int64_t last;
    bool more;
};

static json_t *known(int64_t n)
{
    return n ? json_integer((json_int_t)n) : json_null();
}

static json_t *deed_json(const struct kept_deed *d, bool stored)
{
    json_t *o = json_pack("{s:I, s:I, s:o, s:o, s:o, s:b}", "number", (json_int_t)d->number, "at",
                          (json_int_t)d->at, "id", known(d->id), "expires_at", known(d->expires),
                          "serial", known(d->serial), "stored", stored);

    for (int i = 0; i < DEED_TEXT_COUNT; i++)
        json_object_set_new(o, deed_text_column((enum deed_text)i), notice_text(d->text[i]));
    return o;
}

static void tell_one(struct telling *t, const struct kept_deed *d, bool stored)
{
    t->more |= t->left == 0;
    if (t->left == 0)
        return;
    json_array_append_new(t->list, deed_json(d, stored));
    t->last = d->number;
    t->left--;
}

static json_t *answer(const struct control *c, const struct asked *q)
{
    const struct deed_memory *m = &c->deeds;
    struct telling t = { .list = json_array(), .left = q->limit };
    int64_t oldest = m->count ? deed_memory_newest(m, m->count - 1)->number : INT64_MAX;

    for (size_t i = 0; i < m->count; i++) {
        const struct kept_deed *d = deed_memory_newest(m, i);
        if (d->number < q->before)
            tell_one(&t, d, d->number <= m->stored);
    }
    for (size_t i = 0; i < q->count; i++) {
        if (q->list[i].number < oldest)
            tell_one(&t, &q->list[i], true);
    }
    return json_pack("{s:s, s:o, s:o, s:I, s:o}", "node", c->parts.node, "deeds", t.list, "before",
                     t.more ? json_integer((json_int_t)t.last) : json_null(), "lost",
                     (json_int_t)m->lost, "store_error",
                     q->result.failed ? notice_text(span_from_text(q->result.text)) : json_null());
}

/* ---- asking the store */

static void run(struct scribe_task *t, struct store *s)
{
    struct asked *q = container_of(t, struct asked, task);

    q->result = kept_deeds_load(s, q->before, q->limit + 1, &q->memory, &q->list, &q->count);
}

static void done(struct scribe_task *t, void *control)
{
    struct asked *q = container_of(t, struct asked, task);
    struct str out = str_growing();

    if (q->later.exchange) { /* else the client left */
        api_put_json(&out, answer(control, q));
        exchange_answer(q->later.exchange, 200, API_JSON, out.p, out.n);
    }
    free_asked(q);
}

/* NULL, or what is wrong. */
static const char *read_query(struct api_call *k, struct asked *q)
{
    struct query_row rows[] = { { .key = "limit" }, { .key = "before" } };
    uint64_t limit = LIMIT_STANDARD;
    uint64_t before = INT64_MAX;
    const char *wrong = query_read(k->head->query, rows, 2, &q->memory);

    if (!wrong && rows[0].given && !query_count(rows[0].value, 1, LIMIT_MOST, &limit))
        wrong = "limit is a number from 1 to 1000";
    if (!wrong && rows[1].given && !query_count(rows[1].value, 1, INT64_MAX, &before))
        wrong = "before is a number of a deed: those with lower numbers are told";
    q->limit = limit;
    q->before = (int64_t)before;
    return wrong;
}

void api_deeds(struct api_call *k)
{
    struct control *c = k->control;
    struct asked *q = calloc(1, sizeof(*q));

    check(q != NULL);
    q->task = (struct scribe_task){ .run = run, .done = done };
    const char *wrong = read_query(k, q);
    if (wrong) {
        api_refuse(k, 400, "query_wrong", wrong);
    } else if (!c->parts.scribe) {
        api_put_json(&k->out, answer(c, q));
    } else if (c->tasks_out < API_TASKS_MAX && control_give_task(c, &q->task)) {
        exchange_hold(k->exchange, &q->later);
        k->held = true;
        return;
    } else {
        api_refuse(k, 503, "store_busy", "the store takes no more questions now");
    }
    free_asked(q);
}
