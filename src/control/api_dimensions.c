/* SPDX-License-Identifier: Apache-2.0 */
/* api_dimensions.c - where a journey fails: what was counted of it by instance, release, status, reason and tenant, of this node and of
 * all others. The same value of two nodes is one; a tenant whom the log may not name is another one on each, for their keys differ. */
#include "control/api_question.h"

#include <stdio.h>
#include <stdlib.h>

struct asked {
    struct question question;
    int which; /* enum dimension; -1: all */
    enum dimension_window window;
    int64_t from; /* unix seconds: the earliest of all nodes */
};

/* One value, of all nodes. */
struct total {
    enum dimension dimension;
    struct dimension_row row;
};

struct totals {
    struct arena *memory;
    struct map by_name;
    struct total **list;
    size_t count, room;
};

static const char *const kinds[] = {
    [ENTRY_IS_VALUE] = "value", [ENTRY_IS_NONE] = "none", [ENTRY_IS_OTHER] = "other"
};

/* ---- adding up */

static struct total *total_of(struct totals *t, enum dimension which, const struct dimension_row *r)
{
    struct span key =
        span_from_text(arena_print(t->memory, "%d %d %.*s\n%.*s", (int)which, (int)r->kind,
                                   SPAN_ARG(r->service), SPAN_ARG(r->text)));
    struct total *found = map_get(&t->by_name, key);

    if (found)
        return found;
    found = arena_new(t->memory, struct total);
    *found = (struct total){ .dimension = which,
                             .row = { .kind = r->kind,
                                      .service = arena_span(t->memory, r->service),
                                      .text = arena_span(t->memory, r->text),
                                      .gone = true,
                                      .since = r->since } };
    map_put(&t->by_name, key, found);
    if (t->count == t->room) {
        t->room = t->room ? 2 * t->room : 64;
        t->list = realloc(t->list, t->room * sizeof(struct total *));
        check(t->list != NULL);
    }
    t->list[t->count++] = found;
    return found;
}

static void add(struct totals *t, enum dimension which, const struct dimension_row *r)
{
    struct dimension_row *sum = &total_of(t, which, r)->row;

    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
        sum->counts[o] += r->counts[o];
    sum->gone &= r->gone; /* everywhere */
    if (r->since < sum->since)
        sum->since = r->since;
}

static void add_own(struct totals *t, const struct asked *q, const struct control *c,
                    const struct journey *j, enum dimension which)
{
    struct dimension_row rows[DIMENSION_ENTRIES];
    unsigned count = dimensions_read(&c->registry.dimensions, &c->book, j, which, q->window,
                                     c->reactor->now, rows);

    for (unsigned i = 0; i < count; i++) {
        char buffer[TENANT_LABEL];
        if (rows[i].tenant)
            rows[i].text = tenant_label(control_config(c), c->parts.hash_key, &rows[i], buffer);
        add(t, which, &rows[i]);
    }
}

static void add_nodes(struct totals *t, struct asked *a)
{
    struct question *q = &a->question;

    for (size_t i = 0; q->inquiry && i < q->inquiry->count; i++) {
        const struct peer_report *r = question_report(q, i);
        if (!r)
            continue;
        if (r->definition != q->definition || r->window_s != q->window_s) {
            question_unfit(q, i, "the journey is another there");
            continue;
        }
        if (r->from < a->from)
            a->from = r->from;
        for (size_t v = 0; v < r->value_count; v++)
            add(t, r->values[v].dimension, &r->values[v].row);
    }
}

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

static int by_dimension(const void *a, const void *b)
{
    const struct total *x = *(const struct total *const *)a;
    const struct total *y = *(const struct total *const *)b;

    return x->dimension != y->dimension
               ? (x->dimension > y->dimension) - (x->dimension < y->dimension)
               : dimension_row_order(&x->row, &y->row);
}

static json_t *dimension_json(const struct totals *t, enum dimension which,
                              uint64_t ret_sum[DIMENSION_OUTCOMES])
{
    json_t *values = json_array();

    memset(ret_sum, 0, DIMENSION_OUTCOMES * sizeof(ret_sum[0]));
    for (size_t i = 0; i < t->count; i++) {
        for (unsigned o = 0; t->list[i]->dimension == which && o < DIMENSION_OUTCOMES; o++)
            ret_sum[o] += t->list[i]->row.counts[o];
    }
    for (size_t i = 0; i < t->count; i++) {
        if (t->list[i]->dimension == which)
            json_array_append_new(values, value_json(&t->list[i]->row, ret_sum));
    }
    return json_pack("{s:s, s:o}", "dimension", dimension_word(which), "values", values);
}

/* Tenants only where somebody is named, unless they are asked for. */
static bool is_wanted(const struct asked *a, const struct journey *j, int which)
{
    return a->which == which ||
           (a->which < 0 && (which != DIMENSION_TENANT || j->dimensions->tenants != 0));
}

static json_t *answer_dimensions(struct question *q, struct control *c)
{
    struct asked *a = container_of(q, struct asked, question);
    const struct journey *j = api_find_journey(c, q->journey);
    ns_t reach = dimensions_reach(&c->registry.dimensions, j, a->window, c->reactor->now);
    int64_t now = c->parts.wall() / NS_PER_S;
    struct totals t = { .memory = &q->memory };
    uint64_t sum[DIMENSION_OUTCOMES] = {};
    json_t *list = json_array();

    a->from = reach < 0 ? dimensions_opened(&c->registry.dimensions, j) : now - reach / NS_PER_S;
    for (int i = 0; i < DIMENSION_COUNT; i++) {
        if (is_wanted(a, j, i))
            add_own(&t, a, c, j, (enum dimension)i);
    }
    add_nodes(&t, a);
    if (t.count > 0)
        qsort(t.list, t.count, sizeof(t.list[0]), by_dimension);
    for (int i = 0; i < DIMENSION_COUNT; i++) {
        if (is_wanted(a, j, i))
            json_array_append_new(list, dimension_json(&t, (enum dimension)i, sum));
    }
    json_t *root = json_pack("{s:o, s:I, s:s, s:I, s:I, s:o, s:o}", "journey", text(j->name),
                             "version", (json_int_t)q->number, "window",
                             dimension_window_word(a->window), "from", (json_int_t)a->from, "to",
                             (json_int_t)now, "counts", counts_json(sum), "dimensions", list);
    question_put_nodes(q, c, root);
    map_free(&t.by_name);
    free(t.list);
    return root;
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

static const char *read_rows(struct asked *a, const struct query_row rows[2])
{
    if (rows[0].given && !dimension_find(rows[0].value, &a->which))
        return "dimension is one of: instance, release, status, reason, tenant";
    if (rows[1].given && !find_window(rows[1].value, &a->window))
        return "window is one of: 5m, 1h, start";
    return a->question.past ? "to is now: dimensions are not stored" : NULL;
}

void api_dimensions(struct api_call *k)
{
    struct query_row rows[] = { { .key = "dimension" }, { .key = "window" }, QUESTION_ROWS };
    const struct journey *j;
    char path[80];
    const char *wrong;
    struct asked *a = question_begin(k, sizeof(*a), rows, sizeof(rows) / sizeof(rows[0]), &j);

    if (!a)
        return;
    a->which = -1;
    a->window = DIMENSION_WINDOW_1H;
    struct question *q = &a->question;
    if (!j->dimensions) {
        question_refuse(k, q, 404,
                        "it has no dimensions: only journeys of requests do, not those of jobs or "
                        "steps");
        return;
    }
    if ((wrong = read_rows(a, rows)) != NULL) {
        question_refuse(k, q, 400, wrong);
        return;
    }
    q->window_s = dimension_window_s(a->window);
    q->answer = answer_dimensions;
    snprintf(path, sizeof(path), "dimensions?window=%s%s%s", dimension_window_word(a->window),
             a->which < 0 ? "" : "&dimension=",
             a->which < 0 ? "" : dimension_word((enum dimension)a->which));
    question_ask(k, q, path, peer_report_dimensions);
}
