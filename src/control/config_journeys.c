/* SPDX-License-Identifier: Apache-2.0 */
/* config_journeys.c - journeys and their objectives, with the implicit last one that takes the rest. */
#include "control/config_build.h"

#include "base/check.h"
#include "core/attempts.h"
#include "core/rebuild.h"

static void warn_if_taken(struct builder *b, const struct pattern *p, const struct node *n)
{
    for (size_t k = 0; k < b->c->journey_count; k++) {
        const struct journey *j = &b->c->journeys[k];
        for (size_t i = 0; i < j->route_count; i++) {
            if (!pattern_covers(&j->routes[i], p))
                continue;
            report_warning(b->r, n,
                           "'%s' is counted by journey '%.*s' already, which comes first and has "
                           "'%s'",
                           shown(p->text).text, SPAN_ARG(j->name), shown(j->routes[i].text).text);
            return;
        }
    }
}

/* Those of the list that are patterns; what is wrong is reported. */
static void build_patterns(struct builder *b, const struct node *list, bool counted,
                           struct pattern **ret, size_t *ret_count)
{
    struct arena *a = &b->c->arena;

    *ret = arena_array(a, struct pattern, list->count);
    for (size_t i = 0; i < list->count; i++) {
        struct node *one = list->items[i];
        if (one->bad)
            continue;
        struct pattern *p = &(*ret)[*ret_count];
        const char *wrong = one->kind == NODE_SCALAR
                                ? pattern_parse(a, arena_span(a, one->text), p)
                                : "a route is text, such as \"GET /product/{id}\" (with quotes)";
        if (wrong) {
            report_bad(b->r, one, "'%s': %s", shown(one->text).text, wrong);
            continue;
        }
        if (counted)
            warn_if_taken(b, p, one);
        ++*ret_count;
    }
}

/* The list, or NULL: it is not there, which is reported. */
static const struct node *needed_list(struct builder *b, const struct node *n, const char *key,
                                      struct span path)
{
    const struct node *list = node_get(n, key);
    const struct config_option *row = config_find(path);

    if (!list)
        report_error(b->r, n, "'%s' is missing: %s For example: %s", key, row->help,
                     config_type_example(row->type));
    return list;
}

static void build_journey_routes(struct builder *b, struct journey *j, const struct node *n)
{
    const struct node *list = needed_list(b, n, "routes", SPAN("journeys.*.routes"));

    if (!list)
        return;
    if (list->count == 0 || list->count > JOURNEY_ROUTES_MAX) {
        report_error(b->r, list, "journey '%s' needs from 1 to %d routes", shown(j->name).text,
                     JOURNEY_ROUTES_MAX);
        return;
    }
    b->journey_routes += list->count;
    if (b->journey_routes > JOURNEY_ROUTES_ALL_MAX) {
        if (b->journey_routes - list->count <= JOURNEY_ROUTES_ALL_MAX) /* told once */
            report_error(b->r, list, "at most %d routes of all journeys together",
                         JOURNEY_ROUTES_ALL_MAX);
        return;
    }
    build_patterns(b, list, true, &j->routes, &j->route_count);
}

static void build_steps(struct builder *b, struct journey *j, const struct node *n)
{
    const struct node *list = needed_list(b, n, "steps", SPAN("journeys.*.steps"));
    struct config *c = b->c;

    j->deadline = duration_of(n, "deadline", "journeys.*.deadline");
    bool good = value_bool(text_of(node_get(n, "bad"), "abandoned", "journeys.*.bad.abandoned"),
                           &j->abandoned_bad);
    check(good);
    if (!list)
        return;
    if (list->count < STEPS_MIN || list->count > STEPS_MAX) {
        report_error(b->r, list, "journey '%s' needs from %d to %d steps", shown(j->name).text,
                     STEPS_MIN, STEPS_MAX);
        return;
    }
    if (c->user_identity.kind == IDENTITY_NONE)
        report_error(b->r, list,
                     "steps need identity.user: by what a user is known from one step to the next, "
                     "such as `identity: { user: \"cookie:uid\" }`");
    if (c->stepped_count == ATTEMPT_JOURNEYS_MAX) {
        report_error(b->r, list, "at most %d journeys of steps", ATTEMPT_JOURNEYS_MAX);
        return;
    }
    build_patterns(b, list, false, &j->steps, &j->step_count);
    c->stepped[c->stepped_count++] = j;
}

/* The table writes a standard list as a file would: "[500, 502-504]". */
static void standard_statuses(const char *path, struct status_set *ret)
{
    struct span rest = span_from_text(config_find(span_from_text(path))->standard);

    rest = span_of(rest.p + 1, rest.n - 2);
    while (rest.n > 0) {
        size_t comma = span_find(rest, ',');
        bool good = value_statuses(span_trim(span_of(rest.p, comma)), ret);
        check(good);
        rest = span_after(rest, comma + 1);
    }
}

void build_status_list(struct builder *b, const struct node *map, const char *path,
                       struct status_set *ret)
{
    const struct node *list = node_get(map, "statuses");

    if (!list)
        standard_statuses(path, ret);
    for (size_t i = 0; list && i < list->count; i++) {
        struct node *n = list->items[i];
        if (n->bad)
            continue;
        if (n->kind != NODE_SCALAR || !value_statuses(n->text, ret))
            report_bad(b->r, n,
                       "'%s' is no status from 100 to 599 and no range of them, such as 500-599",
                       shown(n->text).text);
    }
}

/* It works, but what it counted can never be found in the histograms. */
static void warn_if_no_edge(struct builder *b, const struct objective *o, const struct node *n)
{
    struct str text = str_growing();

    if (n && o->under > 0 && !histogram_is_edge(o->under)) {
        rebuild_put_edges(o->under, &text);
        report_warning(b->r, n,
                       "%.*s: with such a time, counts cannot be rebuilt from history, so they "
                       "begin anew when it is put here",
                       SPAN_ARG(str_span(&text)));
    }
    str_free(&text);
}

static void build_age(struct builder *b, const struct journey *j, struct objective *o,
                      const struct node *n)
{
    const struct node *age = node_get(n, "age-under");

    o->age_under = duration_of(n, "age-under", "journeys.*.objectives.*.age-under");
    if (!j->query || !j->query->oldest.n)
        report_error(b->r, age, "'age-under' needs query.oldest, which says how old what waits is");
    if (node_get(n, "under"))
        report_error(b->r, age,
                     "'age-under' is about what waits, 'under' about what is done: make two "
                     "objectives of it");
}

static void build_objectives(struct builder *b, struct journey *j, const struct node *map)
{
    if (!map)
        return;
    if (map->count > OBJECTIVES_MAX) {
        report_error(b->r, map, "at most %d objectives", OBJECTIVES_MAX);
        return;
    }
    j->objectives = arena_array(&b->c->arena, struct objective, map->count);
    for (size_t i = 0; i < map->count; i++) {
        const struct node *n = map->items[i];
        const struct node *target = node_get(n, "target");
        struct objective *o = &j->objectives[j->objective_count++];
        o->name = arena_span(&b->c->arena, map->keys[i]->text);
        if (target) {
            bool good = value_share(target->text, &o->target);
            check(good);
        }
        if (node_get(n, "under"))
            o->under = duration_of(n, "under", "journeys.*.objectives.*.under");
        warn_if_no_edge(b, o, node_get(n, "under"));
        if (node_get(n, "age-under"))
            build_age(b, j, o, n);
        o->window_s = duration_of(n, "window", "journeys.*.objectives.*.window") / NS_PER_S;
    }
}

/* What a journey of its kind has none of. */
static void refuse_of_others(struct builder *b, enum journey_kind kind, const struct node *n)
{
    static const struct {
        const char *map, *key; /* map: NULL, it is a key of the journey */
        const char *about;
        enum journey_kind kinds[2]; /* that have none */
    } keys[] = {
        { NULL, "routes", "single requests", { JOURNEY_JOBS, JOURNEY_STEPS } },
        { NULL, "steps", "steps", { JOURNEY_JOBS, JOURNEY_REQUESTS } },
        { NULL, "deadline", "steps", { JOURNEY_JOBS, JOURNEY_REQUESTS } },
        { NULL, "query", "jobs", { JOURNEY_REQUESTS, JOURNEY_STEPS } },
        { NULL, "bad", "requests", { JOURNEY_JOBS, JOURNEY_JOBS } },
        { "bad", "abandoned", "steps", { JOURNEY_REQUESTS, JOURNEY_REQUESTS } },
    };
    static const char *const words[] = {
        [JOURNEY_REQUESTS] = "requests",
        [JOURNEY_JOBS] = "jobs, of which it is told or read how each ended",
        [JOURNEY_STEPS] = "steps",
    };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct node *at = node_get(keys[i].map ? node_get(n, keys[i].map) : n, keys[i].key);
        if (at && (keys[i].kinds[0] == kind || keys[i].kinds[1] == kind))
            report_error(b->r, at, "'%s' is about %s; this is a journey of %s", keys[i].key,
                         keys[i].about, words[kind]);
    }
}

/* `steps` says it by itself. */
static enum journey_kind kind_of(const struct node *n)
{
    struct span word = text_of(n, "kind", "journeys.*.kind");

    if (span_equal(word, SPAN("job")))
        return JOURNEY_JOBS;
    if (span_equal(word, SPAN("steps")) || (node_get(n, "steps") && !node_has(n, SPAN("kind"))))
        return JOURNEY_STEPS;
    return JOURNEY_REQUESTS;
}

static void put_patterns(struct str *text, const char *what, const struct pattern *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct pattern *p = &list[i];
        str_print(text, "%s %.*s %.*s %.*s\n", what, SPAN_ARG(p->method), SPAN_ARG(p->host),
                  SPAN_ARG(p->path));
    }
}

/* Hashes of what gives the journey's counters their meaning: of which answers are counted, and of that and the objectives.
 * Names, owner, runbook, priority, targets and windows may change without losing a count; the order of the objectives is that
 * of the counters. */
static void hash_meaning(struct journey *j)
{
    struct str text = str_growing();

    if (j->kind == JOURNEY_JOBS)
        str_literal(&text, "jobs\n");
    if (j->kind == JOURNEY_STEPS)
        str_print(&text, "steps within %lld, abandoned %d\n", (long long)j->deadline,
                  j->abandoned_bad);
    put_patterns(&text, "route", j->routes, j->route_count);
    put_patterns(&text, "step", j->steps, j->step_count);
    for (size_t i = 0; i < sizeof(j->bad.bits) / sizeof(j->bad.bits[0]); i++)
        str_print(&text, "bad %016lx\n", (unsigned long)j->bad.bits[i]);
    str_print(&text, "client-gone %d\n", j->client_gone_bad);
    if (j->query)
        str_print(&text, "query %.*s\noldest %.*s\n", SPAN_ARG(j->query->sql),
                  SPAN_ARG(j->query->oldest));
    j->basis = span_hash(str_span(&text), 0);
    for (size_t i = 0; i < j->objective_count; i++)
        str_print(&text, "objective %ld%s\n",
                  (long)(j->objectives[i].age_under ? j->objectives[i].age_under
                                                    : j->objectives[i].under),
                  j->objectives[i].age_under ? " of age" : "");
    j->definition = span_hash(str_span(&text), 0);
    for (size_t i = 0; i < j->objective_count; i++) {
        if (j->objectives[i].age_under) /* no histogram knows how old what waited was */
            j->basis = j->definition;
    }
    str_free(&text);
}

struct verdict_rules config_rules(const struct journey *j)
{
    struct verdict_rules r = { .bad = j->bad, .client_gone_bad = j->client_gone_bad };

    for (size_t i = 0; i < j->objective_count; i++)
        verdict_rules_add(&r, j->objectives[i].age_under ? VERDICT_AGE : j->objectives[i].under);
    return r;
}

static void build_journey(struct builder *b, const struct node *name, const struct node *n)
{
    struct journey *j = &b->c->journeys[b->c->journey_count];
    const struct node *bad = node_get(n, "bad");

    *j = (struct journey){
        .name = arena_span(&b->c->arena, name->text),
        .owner = kept_text(b, n, "owner", "journeys.*.owner"),
        .runbook = kept_text(b, n, "runbook", "journeys.*.runbook"),
        .priority = span_equal(text_of(n, "priority", "journeys.*.priority"), SPAN("must-have"))
                        ? PRIORITY_MUST_HAVE
                        : PRIORITY_NICE_TO_HAVE,
    };
    if (span_equal(name->text, SPAN("unclaimed")))
        report_error(b->r, name,
                     "'unclaimed' is the implicit journey of all requests that no other takes; "
                     "choose another name");
    j->kind = kind_of(n);
    refuse_of_others(b, j->kind, n);
    if (j->kind == JOURNEY_REQUESTS)
        build_journey_routes(b, j, n);
    else if (j->kind == JOURNEY_STEPS)
        build_steps(b, j, n);
    else if (node_get(n, "query"))
        build_query(b, j, node_get(n, "query"));
    build_status_list(b, bad, "journeys.*.bad.statuses", &j->bad);
    bool good =
        value_bool(text_of(bad, "client-gone", "journeys.*.bad.client-gone"), &j->client_gone_bad);
    check(good);
    build_objectives(b, j, node_get(n, "objectives"));
    hash_meaning(j);
    b->c->journey_count++;
}

static void add_unclaimed(struct config *c)
{
    struct journey *j = &c->journeys[c->journey_count++];

    *j = (struct journey){ .name = SPAN("unclaimed"), .priority = PRIORITY_NICE_TO_HAVE };
    bool good = value_statuses(SPAN("500-599"), &j->bad);
    check(good);
    hash_meaning(j);
}

void build_journeys(struct builder *b, const struct node *journeys)
{
    size_t count = journeys ? journeys->count : 0;

    if (count >= JOURNEYS_MAX) {
        report_error(b->r, journeys, "at most %d journeys", JOURNEYS_MAX - 1);
        return;
    }
    b->c->journeys = arena_array(&b->c->arena, struct journey, count + 1);
    b->c->stepped = arena_array(&b->c->arena, const struct journey *, ATTEMPT_JOURNEYS_MAX);
    for (size_t i = 0; i < count; i++)
        build_journey(b, journeys->keys[i], journeys->items[i]);
    add_unclaimed(b->c);
}
