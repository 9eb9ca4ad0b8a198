/* SPDX-License-Identifier: Apache-2.0 */
/* api_unclaimed.c - which paths no journey takes, and what to write into the file so that one does. */
#include "control/api_table.h"
#include "control/control.h"
#include "core/suggest.h"

#include <jansson.h>
#include <stdlib.h>

enum {
    TOP = 20,      /* more than a person reads */
    NAME_ROOM = 8, /* for what makes a name another than those that are taken */
};

struct telling {
    struct api_call *call;
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

static json_t *path_row(const struct telling *t, const struct path_group *g)
{
    const struct path_counts *c = g->counts;
    json_t *o = json_object();

    json_object_set_new(o, "method", json_stringn(g->method.p, g->method.n));
    json_object_set_new(o, "path", json_stringn(g->pattern.p, g->pattern.n));
    json_object_set_new(o, "requests", number(c->requests));
    json_object_set_new(o, "requests_most", number(c->requests + t->unknown));
    json_object_set_new(o, "failed", number(c->failed));
    json_object_set_new(o, "excluded", number(c->excluded));
    return o;
}

static json_t *path_rows(const struct telling *t)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < t->count && i < TOP; i++)
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

/* Patterns that were written: what they take never comes to later ones. */
struct written {
    struct arena *arena;
    struct pattern *patterns; /* room for all that may be suggested */
    size_t count;
};

static bool keep_route(struct written *w, const struct path_group *g)
{
    struct pattern p;
    struct span text = span_from_text(
        arena_print(w->arena, "%.*s %.*s", SPAN_ARG(g->method), SPAN_ARG(g->pattern)));

    if (pattern_parse(w->arena, text, &p))
        return false;
    for (size_t i = 0; i < w->count; i++) {
        if (pattern_covers(&w->patterns[i], &p))
            return false;
    }
    w->patterns[w->count++] = p;
    return true;
}

static bool is_literal(const struct path_group *g)
{
    return span_find(g->pattern, '{') == g->pattern.n && span_find(g->pattern, '*') == g->pattern.n;
}

static void put_route(struct str *out, struct span text)
{
    str_text(out, "      - \"");
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            str_char(out, '\\');
        str_char(out, text.p[i]);
    }
    str_text(out, "\"\n");
}

/* Literal ones first, so that no route stands behind one that takes all of its requests. False: there is none. */
static bool put_routes(struct str *out, struct written *w, const struct suggested_journey *j)
{
    size_t before = w->count;

    for (int literal = 1; literal >= 0; literal--) {
        for (size_t i = 0; i < j->route_count; i++) {
            if (is_literal(j->routes[i]) == literal && keep_route(w, j->routes[i]))
                put_route(out, w->patterns[w->count - 1].text);
        }
    }
    return w->count > before;
}

static void put_journey(struct str *out, const struct config *c, struct written *w,
                        const struct suggested_journey *j)
{
    char name[SUGGEST_NAME_MAX + NAME_ROOM];
    struct str routes = str_growing();
    uint32_t target;
    bool kept;
    const char *text = suggest_target(j->requests - j->excluded, j->failed, &target, &kept);

    if (put_routes(&routes, w, j)) {
        free_name(c, j->name, name);
        str_print(out, "  %s:\n    priority: %s\n    routes:\n", name,
                  j->must_have ? "must-have" : "nice-to-have");
        str_put(out, str_span(&routes));
        str_print(out, "    objectives:\n      available: { target: %s }%s\n", text,
                  kept ? "" : "   # not kept since the start");
        if (j->timed > 0)
            str_print(
                out, "      fast: { target: 95%%, under: %lldms }   # p95 with head room\n",
                (long long)(suggest_under(histogram_percentile(j->bins, 950000)) / NS_PER_MS));
    }
    str_free(&routes);
}

static json_t *suggestion(struct telling *t)
{
    struct suggested_journey *journeys =
        arena_array(&t->memory, struct suggested_journey, SUGGEST_JOURNEYS_MAX);
    size_t count = suggest_journeys(t->list, t->count, journeys);
    struct written w = { .arena = &t->memory };
    struct str out = str_growing();

    if (count == 0)
        return json_null();
    w.patterns =
        arena_array(&t->memory, struct pattern, (size_t)SUGGEST_JOURNEYS_MAX * SUGGEST_ROUTES_MAX);
    str_text(&out, "journeys:\n");
    for (size_t i = 0; i < count; i++)
        put_journey(&out, control_config(t->call->control), &w, &journeys[i]);
    json_t *text = json_stringn(out.p, out.n);
    str_free(&out);
    return text;
}

void api_unclaimed(struct api_call *k)
{
    struct unclaimed *u = &k->control->unclaimed;
    struct telling t = { .call = k };
    json_t *root = json_object();

    unclaimed_drain(u);
    t.groups = unclaimed_copy(u);
    uint64_t lost = unclaimed_lost(u);
    t.unknown = lost + t.groups->lost;
    t.count = path_groups_finish(t.groups, &t.memory, &t.list);
    json_object_set_new(root, "since", json_integer(k->control->started_at));
    json_object_set_new(root, "requests", number(t.groups->requests + lost));
    json_object_set_new(root, "static", number(t.groups->assets));
    json_object_set_new(root, "not_found", number(t.groups->unfound));
    json_object_set_new(root, "other_methods", number(t.groups->other_methods));
    json_object_set_new(root, "lost", number(t.unknown));
    json_object_set_new(root, "paths", path_rows(&t));
    json_object_set_new(root, "suggestion", suggestion(&t));
    api_put_json(&k->out, root);
    free(t.groups);
    arena_free(&t.memory);
}
