/* SPDX-License-Identifier: Apache-2.0 */
/* init_json.c - `evenkeel init --json`: what was found, what is suggested and why, and the text that is made of it, as data.
 * docs/terminal.md lists the fields. */
#include "cli/answers.h"
#include "cli/init_parts.h"
#include "base/check.h"
#include "core/slo.h"
#include "core/suggest_write.h"

#include <stdlib.h>

enum { UNCLAIMED_MAX = 20 }; /* more than a person reads */

/* Names of files and bytes of other programs' configurations may be no UTF-8; then they are told with '?'. */
static json_t *text_json(struct span s)
{
    if (!s.p)
        return json_null();
    json_t *t = json_stringn(s.p, s.n);
    if (t)
        return t;
    char *copy = malloc(s.n + 1);
    check(copy != NULL);
    for (size_t i = 0; i < s.n; i++)
        copy[i] = (unsigned char)s.p[i] < 0x80 ? s.p[i] : '?';
    t = json_stringn(copy, s.n);
    free(copy);
    return t;
}

static json_t *string(const char *text)
{
    return text_json(span_from_text(text));
}

static json_t *seconds(ns_t t)
{
    return t ? json_real((double)t / (double)NS_PER_S) : json_null();
}

static json_t *count(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *line_of(const char *file, size_t line)
{
    return file ? count(line) : json_null();
}

static void add_lost(json_t *list, const struct notes *notes)
{
    for (const struct note *n = notes->first; n; n = n->next) {
        if (n->lost)
            json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "file", string(n->file),
                                                  "line", count(n->line), "text", string(n->text)));
    }
}

/* ---- what runs */

static json_t *service_json(const struct adopted_service *s)
{
    json_t *instances = json_array();

    for (const struct adopted_instance *in = s->instances; in; in = in->next)
        json_array_append_new(instances, json_pack("{s:o, s:I}", "address", string(in->address),
                                                   "weight", (json_int_t)in->weight));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name", string(s->name),
                     "file", string(s->file), "line", line_of(s->file, s->line), "instances",
                     instances, "balance", string(s->balance), "attempts",
                     s->attempts ? count(s->attempts) : json_null(), "connect_s",
                     seconds(s->timeout.connect), "read_s", seconds(s->timeout.read), "tls",
                     s->tls ? json_pack("{s:o, s:o}", "ca", string(s->tls_ca), "server_name",
                                        string(s->tls_name))
                            : json_null());
}

static json_t *route_json(const struct adopted_route *r)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "host", string(r->host), "path",
                     string(r->path), "service", string(r->service->name), "connect_s",
                     seconds(r->timeout.connect), "read_s", seconds(r->timeout.read), "file",
                     string(r->file), "line", line_of(r->file, r->line));
}

static json_t *services_json(const struct adopted *a)
{
    json_t *list = json_array();

    for (const struct adopted_service *s = a->services; s; s = s->next)
        json_array_append_new(list, service_json(s));
    return list;
}

static json_t *routes_json(const struct adopted *a)
{
    json_t *list = json_array();

    for (const struct adopted_route *r = a->routes; r; r = r->next)
        json_array_append_new(list, route_json(r));
    return list;
}

static json_t *not_translated_json(const struct adopted *a)
{
    json_t *list = json_array();

    add_lost(list, &a->notes);
    for (const struct adopted_service *s = a->services; s; s = s->next)
        add_lost(list, &s->notes);
    add_lost(list, &a->servers);
    for (const struct adopted_route *r = a->routes; r; r = r->next)
        add_lost(list, &r->notes);
    return list;
}

/* ---- what was observed */

static json_t *logs_json(const struct observed *o)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->log_count; i++)
        json_array_append_new(list, json_pack("{s:o, s:o}", "path", string(o->logs[i]), "format",
                                              string(o->formats[i])));
    return list;
}

static json_t *observed_json(const struct observed *o)
{
    const struct log_evidence *e = &o->seen;

    if (o->log_count == 0)
        return json_null();
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "lines", (json_int_t)e->lines,
                     "requests", (json_int_t)e->requests, "unreadable", (json_int_t)e->unreadable,
                     "malformed", (json_int_t)e->malformed, "without_latency",
                     (json_int_t)e->untimed, "from_s",
                     e->has_span ? json_real((double)e->from_ms / 1000) : json_null(), "to_s",
                     e->has_span ? json_real((double)e->to_ms / 1000) : json_null());
}

/* ---- journeys */

static json_t *objective_json(const char *name, double target, ns_t under, json_t *why)
{
    return json_pack("{s:s, s:f, s:o, s:o}", "name", name, "target", target, "under_s",
                     seconds(under), "why", why);
}

static json_t *why_available(const struct suggested_journey *j, bool kept)
{
    return json_sprintf("%llu of %llu failed: %s", (unsigned long long)j->failed,
                        (unsigned long long)(j->requests - j->excluded),
                        kept ? "the highest round target that was kept" : "not even this was kept");
}

static json_t *objectives_json(const struct suggested_journey *j)
{
    json_t *list = json_array();
    uint32_t target;
    bool kept;

    suggest_target(j->requests - j->excluded, j->failed, &target, &kept);
    json_array_append_new(
        list, objective_json("available", (double)target / SLO_PARTS, 0, why_available(j, kept)));
    if (j->timed > 0) {
        ns_t p95 = histogram_percentile(j->bins, 950000);
        json_array_append_new(list, objective_json("fast", 0.95, suggest_under(p95),
                                                   json_sprintf("p95 was %.1f ms; with head room",
                                                                (double)p95 / (double)NS_PER_MS)));
    }
    return list;
}

static json_t *latency_json(const struct suggested_journey *j)
{
    if (j->timed == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "p50", seconds(histogram_percentile(j->bins, 500000)),
                     "p95", seconds(histogram_percentile(j->bins, 950000)), "p99",
                     seconds(histogram_percentile(j->bins, 990000)));
}

static bool is_thin(const struct observed *o, const struct suggested_journey *j)
{
    return j->requests < EVIDENCE_REQUESTS || !o->seen.has_span ||
           log_evidence_span_s(&o->seen) < EVIDENCE_S;
}

static json_t *journey_json(const struct observed *o, const struct suggest_written *w,
                            size_t routes, const struct suggested_journey *j)
{
    json_t *list = json_array();

    for (size_t i = w->count - routes; i < w->count; i++)
        json_array_append_new(list, text_json(w->patterns[i].text));
    return json_pack("{s:s, s:s, s:o, s:I, s:I, s:I, s:o, s:b, s:o}", "name", j->name, "priority",
                     j->must_have ? "must-have" : "nice-to-have", "routes", list, "requests",
                     (json_int_t)j->requests, "failed", (json_int_t)j->failed, "excluded",
                     (json_int_t)j->excluded, "latency_s", latency_json(j), "thin_evidence",
                     is_thin(o, j), "objectives", objectives_json(j));
}

/* The one that is written when nothing was observed. */
static json_t *starter_json(void)
{
    return json_pack(
        "{s:s, s:s, s:[s], s:i, s:i, s:i, s:n, s:b, s:[o, o]}", "name", "everything", "priority",
        "must-have", "routes", "/*", "requests", 0, "failed", 0, "excluded", 0, "latency_s",
        "thin_evidence", true, "objectives",
        objective_json("available", 0.999, 0, json_string("nothing was observed: a beginning")),
        objective_json("fast", 0.95, 500 * NS_PER_MS,
                       json_string("nothing was observed: a beginning")));
}

static json_t *journeys_json(const struct observed *o, struct suggest_written *w)
{
    json_t *list = json_array();

    for (size_t i = 0; i < o->journey_count; i++) {
        size_t routes = suggest_keep(w, &o->journeys[i]);
        if (routes)
            json_array_append_new(list, journey_json(o, w, routes, &o->journeys[i]));
    }
    if (o->journey_count == 0)
        json_array_append_new(list, starter_json());
    return list;
}

static json_t *unclaimed_json(const struct observed *o, const struct suggest_written *w)
{
    const struct path_groups *g = o->groups;
    json_t *paths = json_array();

    if (o->log_count == 0) {
        json_decref(paths);
        return json_null();
    }
    for (size_t i = 0; i < o->list_count && json_array_size(paths) < UNCLAIMED_MAX; i++) {
        const struct path_group *p = &o->list[i];
        if (!suggest_has(w, p))
            json_array_append_new(paths,
                                  json_pack("{s:o, s:o, s:I}", "method", text_json(p->method),
                                            "path", text_json(p->pattern), "requests",
                                            (json_int_t)p->counts->requests));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:o}", "static", (json_int_t)g->assets, "not_found",
                     (json_int_t)g->unfound, "other_methods", (json_int_t)g->other_methods, "lost",
                     (json_int_t)g->lost, "paths", paths);
}

void init_print_json(const struct adopted *a, const struct observed *o, const char *text,
                     const char *output)
{
    struct arena arena = {};
    struct suggest_written *w = calloc(1, sizeof(*w));

    check(w != NULL);
    w->arena = &arena;
    json_t *journeys = journeys_json(o, w); /* unclaimed is what they leave */
    json_t *root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o, s:o}", "nginx",
                             string(a->nginx), "logs", logs_json(o), "observed", observed_json(o),
                             "services", services_json(a), "routes", routes_json(a), "journeys",
                             journeys, "unclaimed", unclaimed_json(o, w), "not_translated",
                             not_translated_json(a), "not_translated_count", (json_int_t)a->lost,
                             "text", string(text), "written", string(output));
    check(root != NULL);
    print_json(root);
    json_decref(root);
    arena_free(&arena);
    free(w);
}
