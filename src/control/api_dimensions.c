/* SPDX-License-Identifier: Apache-2.0 */
/* api_dimensions.c - where journeys fail, for programs and for other nodes: of one journey, or of some at once. */
#include "control/api_query.h"
#include "control/control.h"
#include "control/where.h"

#include <stdio.h>

static const char *const kinds[] = {
    [ENTRY_IS_VALUE] = "value", [ENTRY_IS_NONE] = "none", [ENTRY_IS_OTHER] = "other"
};

/* ---- telling */

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

static json_t *value_json(const struct dimension_row *r, const uint64_t all[DIMENSION_OUTCOMES])
{
    uint64_t bad = dimension_bad(r->counts);
    json_t *o = counts_json(r->counts);

    json_object_set_new(o, "value", text(r->text));
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

static json_t *dimension_json(const struct dimension_sums *s, enum dimension which,
                              uint64_t ret_whole[DIMENSION_OUTCOMES])
{
    json_t *values = json_array();

    dimension_sums_whole(s, which, ret_whole);
    for (size_t i = 0; i < s->count; i++) {
        if (s->list[i]->dimension == which)
            json_array_append_new(values, value_json(&s->list[i]->row, ret_whole));
    }
    return json_pack("{s:s, s:o}", "dimension", dimension_word(which), "values", values);
}

static json_t *missing_json(const struct where_journey *wj)
{
    json_t *list = json_array();

    for (size_t i = 0; i < wj->missing_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:s}", "peer", text(wj->missing[i].peer),
                                              "why", wj->missing[i].why));
    return list;
}

static json_t *journey_json(const struct where *w, const struct control *c,
                            const struct where_journey *wj)
{
    uint64_t whole[DIMENSION_OUTCOMES] = {};
    json_t *list = json_array();
    char definition[17];

    for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
        if (where_wants(w, api_find_journey(c, wj->name), (enum dimension)d))
            json_array_append_new(list, dimension_json(&wj->sums, (enum dimension)d, whole));
    }
    snprintf(definition, sizeof(definition), "%016lx", (unsigned long)wj->definition);
    return json_pack("{s:o, s:I, s:s, s:I, s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "journey",
                     text(wj->name), "version", (json_int_t)wj->number, "node", c->parts.node,
                     "nodes", (json_int_t)where_nodes(w), "nodes_missing", missing_json(wj),
                     "definition", definition, "window", dimension_window_word(w->window),
                     "window_s", (json_int_t)dimension_window_s(w->window), "from",
                     (json_int_t)wj->from, "to", (json_int_t)(c->parts.wall() / NS_PER_S), "counts",
                     counts_json(whole), "dimensions", list);
}

static unsigned write_one(struct where *w, struct control *c, struct str *out)
{
    const struct where_journey *wj = &w->journeys[0];

    api_put_json(out, wj->changed ? json_pack("{s:s}", "error",
                                              "the journey was changed meanwhile; ask again")
                                  : journey_json(w, c, wj));
    return wj->changed ? 409 : 200;
}

/* Those that were changed meanwhile are left out, as those that are not known. */
static unsigned write_some(struct where *w, struct control *c, struct str *out)
{
    json_t *list = json_array();

    for (size_t i = 0; i < w->count; i++) {
        if (!w->journeys[i].changed)
            json_array_append_new(list, journey_json(w, c, &w->journeys[i]));
    }
    api_put_json(out, json_pack("{s:s, s:o}", "node", c->parts.node, "journeys", list));
    return 200;
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

/* What both take, at the end of their rows. */
enum { ROW_DIMENSION, ROW_WINDOW, ROW_NODE, ROW_JOURNEYS };

/* NULL, or what is wrong. */
static const char *read_rows(struct where *w, const struct query_row *rows)
{
    const struct query_row *named = &rows[ROW_DIMENSION];

    if (named->given && (!named->value.n || !dimension_list(named->value, &w->dimensions)))
        return "each dimension is one of: instance, release, status, reason, tenant";
    w->tenants = named->given;
    if (rows[ROW_WINDOW].given && !find_window(rows[ROW_WINDOW].value, &w->window))
        return "window is one of: 5m, 1h, start";
    if (rows[ROW_NODE].given && !span_equal(rows[ROW_NODE].value, SPAN("this")))
        return "node is this, for the node that is asked alone, or is left out";
    w->alone = rows[ROW_NODE].given;
    return NULL;
}

static void refuse(struct api_call *k, struct where *w, unsigned status, const char *sentence)
{
    api_put_json(&k->out, json_pack("{s:s}", "error", sentence));
    k->status = status;
    where_free(w);
}

static const char *read_query(struct api_call *k, struct where *w, struct query_row *rows,
                              size_t count)
{
    const char *wrong = query_read(k->head->query, rows, count, &w->memory);

    return wrong ? wrong : read_rows(w, rows);
}

void api_dimensions(struct api_call *k)
{
    struct query_row rows[] = { { .key = "dimension" }, { .key = "window" }, { .key = "node" } };
    struct where *w = where_begin(sizeof(*w));
    struct span name;
    const struct journey *j =
        query_decode(k->part, false, &w->memory, &name) ? api_find_journey(k->control, name) : NULL;
    const char *wrong = read_query(k, w, rows, sizeof(rows) / sizeof(rows[0]));

    w->write = write_one;
    if (!j)
        refuse(k, w, 404, "there is no such journey; /api/v1/journeys lists them");
    else if (wrong)
        refuse(k, w, 400, wrong);
    else if (!where_add(w, k->control, j))
        refuse(k, w, 404,
               "it has no dimensions: only journeys of requests do, not those of jobs or steps");
    else
        where_answer(w, k);
}

/* Another node may know some that we do not. False: there are too many. */
static bool add_journeys(struct where *w, const struct control *c, struct span list)
{
    for (size_t count = 0; list.n > 0; count++) {
        size_t n = span_find(list, ',');
        const struct journey *j = api_find_journey(c, span_of(list.p, n));
        if (count == WHERE_JOURNEYS_MAX)
            return false;
        if (j && !where_find(w, j))
            where_add(w, c, j);
        list = span_after(list, n + 1);
    }
    return true;
}

void api_dimensions_of_some(struct api_call *k)
{
    struct query_row rows[] = {
        { .key = "dimension" }, { .key = "window" }, { .key = "node" }, { .key = "journeys" }
    };
    struct where *w = where_begin(sizeof(*w));
    const char *wrong = read_query(k, w, rows, sizeof(rows) / sizeof(rows[0]));

    w->write = write_some;
    if (wrong)
        refuse(k, w, 400, wrong);
    else if (rows[ROW_JOURNEYS].value.n == 0 ||
             !add_journeys(w, k->control, rows[ROW_JOURNEYS].value))
        refuse(k, w, 400, "journeys is a list of one to sixteen of their names");
    else
        where_answer(w, k);
}
