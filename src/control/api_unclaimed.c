/* SPDX-License-Identifier: Apache-2.0 */
/* api_unclaimed.c - which paths no journey takes, and what to write into the file so that one does. */
#include "control/api_table.h"
#include "control/control.h"
#include "core/suggest_write.h"

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
        put_journey(&out, control_config(t->call->control), w, &journeys[i]);
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
