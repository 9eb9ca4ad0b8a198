/* SPDX-License-Identifier: Apache-2.0 */
/* api_dimensions.c - where a journey fails: what was counted of it by instance, release, status, reason and tenant. Of this node alone. */
#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"

#include <jansson.h>

struct asked {
    const struct journey *journey;
    int which; /* enum dimension; -1: all */
    enum dimension_window window;
    struct arena memory;
};

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *text(struct span s)
{
    json_t *j = s.n ? json_stringn(s.p, s.n) : NULL;

    return j ? j : json_null();
}

static json_t *share(uint64_t part, uint64_t of)
{
    return of ? json_real((double)part / (double)of) : json_null();
}

static json_t *counts_json(const uint64_t counts[DIMENSION_OUTCOMES])
{
    return json_pack("{s:o, s:o, s:o, s:o}", "good", number(counts[OUTCOME_GOOD]), "slow",
                     number(counts[OUTCOME_SLOW]), "failed", number(counts[OUTCOME_FAILED]),
                     "excluded", number(counts[OUTCOME_EXCLUDED]));
}

/* ---- values */

static struct span label_of(const struct control *c, const struct dimension_row *r,
                            char buffer[TENANT_LABEL])
{
    return r->tenant ? tenant_label(control_config(c), c->parts.hash_key, r, buffer) : r->text;
}

static json_t *value_json(const struct control *c, const struct dimension_row *r,
                          const uint64_t all[DIMENSION_OUTCOMES])
{
    static const char *const kinds[] = {
        [ENTRY_IS_VALUE] = "value", [ENTRY_IS_NONE] = "none", [ENTRY_IS_OTHER] = "other"
    };
    uint64_t bad = dimension_bad(r->counts);
    char buffer[TENANT_LABEL];
    json_t *o = counts_json(r->counts);

    json_object_set_new(o, "value", text(label_of(c, r, buffer)));
    json_object_set_new(o, "kind", json_string(kinds[r->kind]));
    json_object_set_new(o, "service", text(r->service));
    json_object_set_new(o, "gone", json_boolean(r->gone));
    json_object_set_new(o, "since", json_integer(r->since));
    json_object_set_new(o, "bad", number(bad));
    json_object_set_new(o, "bad_share", share(bad, r->counts[OUTCOME_GOOD] + bad));
    json_object_set_new(o, "part", share(bad, dimension_bad(all)));
    json_object_set_new(
        o, "traffic", share(r->counts[OUTCOME_GOOD] + bad, all[OUTCOME_GOOD] + dimension_bad(all)));
    return o;
}

static void add_counts(uint64_t sum[DIMENSION_OUTCOMES], const struct dimension_row *rows,
                       unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
            sum[o] += rows[i].counts[o];
    }
}

static json_t *dimension_json(const struct control *c, const struct asked *q, enum dimension which,
                              uint64_t ret_sum[DIMENSION_OUTCOMES])
{
    struct dimension_row rows[DIMENSION_ENTRIES];
    unsigned count = dimensions_read(&c->registry.dimensions, &c->book, q->journey, which,
                                     q->window, c->reactor->now, rows);
    json_t *values = json_array();

    memset(ret_sum, 0, DIMENSION_OUTCOMES * sizeof(ret_sum[0]));
    add_counts(ret_sum, rows, count);
    for (unsigned i = 0; i < count; i++)
        json_array_append_new(values, value_json(c, &rows[i], ret_sum));
    return json_pack("{s:s, s:o}", "dimension", dimension_word(which), "values", values);
}

/* ---- the question */

static bool find_window(struct span word, enum dimension_window *ret)
{
    for (int w = 0; w < DIMENSION_WINDOW_COUNT; w++) {
        if (span_equal(word, span_from_text(dimension_window_word((enum dimension_window)w)))) {
            *ret = (enum dimension_window)w;
            return true;
        }
    }
    return false;
}

static void refuse(struct api_call *k, unsigned status, const char *why)
{
    api_put_json(&k->out, json_pack("{s:s}", "error", why));
    k->status = status;
}

/* False: refused. */
static bool read_question(struct api_call *k, struct asked *q)
{
    struct query_row rows[] = { { .key = "dimension" }, { .key = "window" } };
    struct span name = {};
    const char *wrong = NULL;

    if (query_decode(k->part, false, &q->memory, &name))
        q->journey = api_find_journey(k->control, name);
    if (!q->journey) {
        refuse(k, 404, "there is no such journey; /api/v1/journeys lists them");
        return false;
    }
    if (!q->journey->dimensions) {
        refuse(k, 404,
               "it has no dimensions: only journeys of requests do, not those of jobs or steps");
        return false;
    }
    wrong = query_read(k->head->query, rows, sizeof(rows) / sizeof(rows[0]), &q->memory);
    if (!wrong && rows[0].given && !dimension_find(rows[0].value, &q->which))
        wrong = "dimension is one of: instance, release, status, reason, tenant";
    if (!wrong && rows[1].given && !find_window(rows[1].value, &q->window))
        wrong = "window is one of: 5m, 1h, start";
    if (wrong)
        refuse(k, 400, wrong);
    return !wrong;
}

static void answer(struct api_call *k, const struct asked *q)
{
    const struct control *c = k->control;
    const struct dimensions *d = &c->registry.dimensions;
    ns_t reach = dimensions_reach(d, q->journey, q->window, c->reactor->now);
    int64_t now = c->parts.wall() / NS_PER_S;
    uint64_t sum[DIMENSION_OUTCOMES] = {};
    json_t *list = json_array();

    for (int i = 0; i < DIMENSION_COUNT; i++) {
        bool wanted = i != DIMENSION_TENANT || q->journey->dimensions->tenants != 0;
        if (q->which == i || (q->which < 0 && wanted))
            json_array_append_new(list, dimension_json(c, q, (enum dimension)i, sum));
    }
    api_put_json(&k->out,
                 json_pack("{s:o, s:I, s:s, s:s, s:I, s:I, s:o, s:o}", "journey",
                           text(q->journey->name), "version",
                           (json_int_t)book_account(&c->book, q->journey)->number, "node",
                           c->parts.node, "window", dimension_window_word(q->window), "from",
                           (json_int_t)(reach < 0 ? dimensions_opened(d, q->journey)
                                                  : now - reach / NS_PER_S),
                           "to", (json_int_t)now, "counts", counts_json(sum), "dimensions", list));
}

void api_dimensions(struct api_call *k)
{
    struct asked q = { .which = -1, .window = DIMENSION_WINDOW_1H };

    if (read_question(k, &q))
        answer(k, &q);
    arena_free(&q.memory);
}
