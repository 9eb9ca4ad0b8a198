/* SPDX-License-Identifier: Apache-2.0 */
/* api_unclaimed.c - which paths no journey takes, at any node, and what to write into the file so that one does. Others tell their
 * groups, which are folded anew with ours. */
#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"
#include "control/peer_inquiry.h"
#include "core/suggest_write.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    TOP = 20,      /* more than a person reads */
    NAME_ROOM = 8, /* for what makes a name another than those that are taken */
};

struct telling {
    struct control *control;
    bool alone;   /* for another node, which adds it to its own */
    size_t pairs; /* of latencies that may still be told */
    struct arena memory;
    struct path_groups *groups;
    struct path_group *list;
    size_t count;
    uint64_t unknown; /* requests of which the path is not known: any group may have had them */
};

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

/* ---- paths */

static json_t *bins_json(struct telling *t, const struct path_counts *c)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++) {
        if (c->bins[i])
            json_array_append_new(list, json_pack("[I, I]", (json_int_t)i, (json_int_t)c->bins[i]));
    }
    t->pairs -= json_array_size(list) < t->pairs ? json_array_size(list) : t->pairs;
    return list;
}

static json_t *path_row(struct telling *t, const struct path_group *g)
{
    const struct path_counts *c = g->counts;
    json_t *o = json_object();

    json_object_set_new(o, "method", json_stringn(g->method.p, g->method.n));
    json_object_set_new(o, "path", json_stringn(g->pattern.p, g->pattern.n));
    json_object_set_new(o, "requests", number(c->requests));
    json_object_set_new(o, "requests_most", number(c->requests + t->unknown));
    json_object_set_new(o, "failed", number(c->failed));
    json_object_set_new(o, "excluded", number(c->excluded));
    if (t->alone)
        json_object_set_new(o, "latency_bins", bins_json(t, c));
    return o;
}

static json_t *path_rows(struct telling *t)
{
    size_t most = t->alone ? REPORT_PATHS_MAX : TOP;
    json_t *rows = json_array();

    for (size_t i = 0; i < t->count && i < most && t->pairs > 0; i++)
        json_array_append_new(rows, path_row(t, &t->list[i]));
    return rows;
}

/* ---- journeys as text for the file */

static bool name_taken(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->journey_count; i++) {
        if (span_equal(c->journeys[i].name, span_from_text(name)))
            return true;
    }
    return false;
}

/* As suggested, or with the first number that makes it new. */
static void free_name(const struct config *c, const char *wanted,
                      char ret_name[SUGGEST_NAME_MAX + NAME_ROOM])
{
    snprintf(ret_name, SUGGEST_NAME_MAX + NAME_ROOM, "%s", wanted);
    for (unsigned i = 2; name_taken(c, ret_name) && i <= JOURNEYS_MAX + 1; i++)
        snprintf(ret_name, SUGGEST_NAME_MAX + NAME_ROOM, "%s-%u", wanted, i);
}

static void put_journey(struct str *out, const struct config *c, struct suggest_written *w,
                        const struct suggested_journey *j)
{
    char name[SUGGEST_NAME_MAX + NAME_ROOM];

    free_name(c, j->name, name);
    suggest_put_journey(out, w, j,
                        &(struct suggest_words){ .name = name,
                                                 .evidence = "",
                                                 .not_kept = "   # not kept since the start",
                                                 .untimed = "" });
}

static json_t *suggestion(struct telling *t)
{
    struct suggested_journey *journeys =
        arena_array(&t->memory, struct suggested_journey, SUGGEST_JOURNEYS_MAX);
    size_t count = suggest_journeys(t->list, t->count, journeys);
    struct suggest_written *w = arena_new(&t->memory, struct suggest_written);
    struct str out = str_growing();

    if (count == 0)
        return json_null();
    w->arena = &t->memory;
    str_text(&out, "journeys:\n");
    for (size_t i = 0; i < count; i++)
        put_journey(&out, control_config(t->control), w, &journeys[i]);
    json_t *text = json_stringn(out.p, out.n);
    str_free(&out);
    return text;
}

/* ---- other nodes */

static void add_report(struct path_groups *g, const struct peer_report *r)
{
    g->assets += r->assets;
    g->unfound += r->unfound;
    g->other_methods += r->other_methods;
    g->lost += r->lost;
    g->requests += r->assets + r->unfound + r->other_methods + r->lost;
    for (size_t i = 0; i < r->path_count; i++) {
        const struct report_path *p = &r->paths[i];
        path_groups_add_row(g, &(struct path_row){ .method = p->method,
                                                   .pattern = p->pattern,
                                                   .requests = p->requests,
                                                   .failed = p->failed,
                                                   .excluded = p->excluded,
                                                   .bins = p->latency.bins,
                                                   .bin_counts = p->latency.counts,
                                                   .bin_count = p->latency.count });
    }
}

/* `q`: what the others said; NULL: they were not asked. */
static json_t *tell(struct control *c, const struct peer_inquiry *q, bool alone)
{
    struct unclaimed *u = &c->unclaimed;
    struct telling t = { .control = c, .alone = alone, .pairs = REPORT_PAIRS_MAX };
    json_t *root = json_object();

    unclaimed_drain(u);
    t.groups = unclaimed_copy(u);
    uint64_t lost = unclaimed_lost(u);
    for (size_t i = 0; q && i < q->count; i++) {
        if (!q->parts[i].failed.failed)
            add_report(t.groups, q->parts[i].report);
    }
    t.unknown = lost + t.groups->lost;
    t.count = path_groups_finish(t.groups, &t.memory, &t.list);
    json_object_set_new(root, "since", json_integer(c->started_at));
    json_object_set_new(root, "requests", number(t.groups->requests + lost));
    json_object_set_new(root, "static", number(t.groups->assets));
    json_object_set_new(root, "not_found", number(t.groups->unfound));
    json_object_set_new(root, "other_methods", number(t.groups->other_methods));
    json_object_set_new(root, "lost", number(t.unknown));
    json_object_set_new(root, "paths", path_rows(&t));
    json_object_set_new(root, "suggestion", suggestion(&t));
    json_object_set_new(root, "node", json_string(c->parts.node));
    json_object_set_new(root, "nodes", json_integer(1 + (q ? (json_int_t)q->count : 0)));
    json_object_set_new(root, "nodes_missing", peer_inquiry_missing(q));
    free(t.groups);
    arena_free(&t.memory);
    return root;
}

struct waiting {
    struct exchange_later later;
    struct peer_inquiry *inquiry;
};

static void nodes_answered(void *owner, struct control *c)
{
    struct waiting *w = owner;
    struct str out = str_growing();

    if (w->later.exchange) { /* else the client left */
        api_put_json(&out, tell(c, w->inquiry, false));
        exchange_answer(w->later.exchange, 200, API_JSON, out.p, out.n);
    }
    peer_inquiry_free(w->inquiry);
    free(w);
}

static void ask_nodes(struct api_call *k)
{
    struct waiting *w = calloc(1, sizeof(*w));

    check(w != NULL);
    w->inquiry = peer_inquiry_new(k->control, NULL);
    w->inquiry->path = SPAN("/api/v1/unclaimed?node=this");
    w->inquiry->read = peer_report_unclaimed;
    w->inquiry->done = nodes_answered;
    w->inquiry->owner = w;
    if (peer_inquiry_ask(k->control, w->inquiry)) {
        api_protect(k);
        exchange_hold(k->exchange, &w->later);
        k->held = true;
        return;
    }
    api_put_json(&k->out, tell(k->control, w->inquiry, false)); /* each says why it is missing */
    peer_inquiry_free(w->inquiry);
    free(w);
}

void api_unclaimed(struct api_call *k)
{
    struct query_row row = { .key = "node" };
    struct arena memory = {};
    const char *wrong = query_read(k->head->query, &row, 1, &memory);

    if (!wrong && row.given && !span_equal(row.value, SPAN("this")))
        wrong = "node is this, for the node that is asked alone, or is left out";
    if (wrong) {
        api_put_json(&k->out, json_pack("{s:s}", "error", wrong));
        k->status = 400;
    } else if (row.given || peers_nodes(k->control) == 1) {
        api_put_json(&k->out, tell(k->control, NULL, row.given));
    } else {
        ask_nodes(k);
    }
    arena_free(&memory);
}
