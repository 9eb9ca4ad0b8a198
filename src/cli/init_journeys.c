/* SPDX-License-Identifier: Apache-2.0 */
/* init_journeys.c - suggested journeys as YAML, each with the evidence that it is made from. */
#include "cli/init_parts.h"

#include "base/check.h"
#include "core/pattern.h"
#include "core/slo.h"

#include <stdlib.h>

enum {
    EVIDENCE_REQUESTS = 1000, /* fewer, or less than a day, show little */
    EVIDENCE_S = 86400,
    TOP_UNCLAIMED = 5,
    PATTERNS_MAX = SUGGEST_JOURNEYS_MAX * SUGGEST_ROUTES_MAX,
};

/* Patterns that were written: what they take never comes to later ones. */
struct written {
    struct arena arena;
    struct pattern patterns[PATTERNS_MAX];
    const struct path_group *groups[PATTERNS_MAX];
    size_t count;
};

static void put_starter(struct str *out)
{
    str_text(out, "\n# The first journey that matches a request counts it; all others are "
                  "`unclaimed`. Better ones than\n"
                  "# this: evenkeel init --log access.log suggests them from what users do.\n"
                  "journeys:\n"
                  "  everything:\n"
                  "    # owner: who is called\n"
                  "    # runbook: https://...\n"
                  "    priority: must-have\n"
                  "    routes: [/*]\n"
                  "    objectives:\n"
                  "      available: { target: 99.9% }             # over 28 days unless said\n"
                  "      fast: { target: 95%, under: 500ms }\n");
}

/* ---- evidence */

static void put_ms(struct str *out, ns_t t)
{
    double ms = (double)t / (double)NS_PER_MS;

    str_print(out, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
}

static void put_latency(struct str *out, const struct suggested_journey *j)
{
    static const struct {
        const char *name;
        uint32_t ppm;
    } marks[] = { { "p50", 500000 }, { "p95", 950000 }, { "p99", 990000 } };

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && j->timed > 0; i++) {
        str_print(out, "%s%s ", i ? ", " : "; ", marks[i].name);
        put_ms(out, histogram_percentile(j->bins, marks[i].ppm));
    }
}

static void put_evidence(struct str *out, const struct observed *o,
                         const struct suggested_journey *j)
{
    int64_t span_s = log_evidence_span_s(&o->seen);
    uint64_t judged = j->requests - j->excluded;
    char span[LOG_SPAN_TEXT_MAX];

    str_print(out, "    # observed: %llu requests", (unsigned long long)j->requests);
    if (o->seen.has_span)
        str_print(out, " in %s", log_span_text(span_s, span));
    str_print(out, ", %llu failed", (unsigned long long)j->failed);
    if (judged > 0)
        str_print(out, " (%.3f%% were good)", (double)(judged - j->failed) * 100 / (double)judged);
    if (j->excluded > 0)
        str_print(out, ", %llu count neither way", (unsigned long long)j->excluded);
    put_latency(out, j);
    str_char(out, '\n');
    if (j->requests < EVIDENCE_REQUESTS)
        str_print(out, "    # thin evidence: fewer than %d requests\n", EVIDENCE_REQUESTS);
    if (o->seen.has_span && span_s < EVIDENCE_S)
        str_text(out, "    # thin evidence: less than a day\n");
    if (!o->seen.has_span)
        str_text(out, "    # thin evidence: the log does not say over which time\n");
}

/* ---- journeys */

/* Literal segments first, so that no route stands behind one that takes all of its requests. */
static bool keep_route(struct written *w, const struct path_group *g)
{
    struct pattern p;
    struct span text = span_from_text(
        arena_print(&w->arena, "%.*s %.*s", SPAN_ARG(g->method), SPAN_ARG(g->pattern)));

    if (w->count == PATTERNS_MAX || pattern_parse(&w->arena, text, &p))
        return false;
    for (size_t i = 0; i < w->count; i++) {
        if (pattern_covers(&w->patterns[i], &p))
            return false;
    }
    w->groups[w->count] = g;
    w->patterns[w->count++] = p;
    return true;
}

static bool is_literal(const struct path_group *g)
{
    return span_find(g->pattern, '{') == g->pattern.n && span_find(g->pattern, '*') == g->pattern.n;
}

/* Returns how many routes were written. */
static size_t put_routes_of(struct str *out, struct written *w, const struct suggested_journey *j)
{
    size_t count = 0;

    for (int literal = 1; literal >= 0; literal--) {
        for (size_t i = 0; i < j->route_count; i++) {
            if (is_literal(j->routes[i]) != literal || !keep_route(w, j->routes[i]))
                continue;
            str_text(out, count++ ? "\n      - " : "      - ");
            put_quoted(out, w->patterns[w->count - 1].text);
        }
    }
    str_char(out, '\n');
    return count;
}

static void put_objectives(struct str *out, const struct suggested_journey *j)
{
    uint64_t judged = j->requests - j->excluded;
    uint32_t target;
    bool kept;
    const char *text = suggest_target(judged, j->failed, &target, &kept);

    str_print(out, "    objectives:\n      available: { target: %s }%s\n", text,
              kept ? "" : "   # not kept in this log");
    if (j->timed == 0) {
        str_text(out, "      # fast: { target: 95%, under: 300ms }   # the log does not say how "
                      "long requests took\n");
        return;
    }
    ns_t p95 = histogram_percentile(j->bins, 950000);
    str_text(out, "      fast: { target: 95%, under: ");
    put_duration(out, suggest_under(p95));
    str_text(out, " }   # p95 with head room\n");
}

static void put_journey(struct str *out, struct written *w, const struct observed *o,
                        const struct suggested_journey *j)
{
    struct str routes = str_growing();

    if (put_routes_of(&routes, w, j) > 0) {
        str_print(out, "  %s:\n", j->name);
        put_evidence(out, o, j);
        str_print(out, "    priority: %s\n    routes:\n",
                  j->must_have ? "must-have" : "nice-to-have");
        str_put(out, str_span(&routes));
        put_objectives(out, j);
    }
    str_free(&routes);
}

static void put_unclaimed(struct str *out, const struct written *w, const struct observed *o)
{
    const struct path_groups *g = o->groups;
    size_t shown = 0;

    str_text(out, "  # Left unclaimed:");
    if (g->assets)
        str_print(out, " %llu requests for static files;", (unsigned long long)g->assets);
    if (g->unfound)
        str_print(out, " %llu for what does not exist;", (unsigned long long)g->unfound);
    if (g->other_methods)
        str_print(out, " %llu with other methods;", (unsigned long long)g->other_methods);
    if (g->lost)
        str_print(out, " %llu of more paths than fit into memory;", (unsigned long long)g->lost);
    str_text(out, " the most frequent others:\n");
    for (size_t i = 0; i < o->list_count && shown < TOP_UNCLAIMED; i++) {
        size_t k = 0;
        while (k < w->count && w->groups[k] != &o->list[i])
            k++;
        if (k < w->count)
            continue;
        str_print(out, "  #   %llu %.*s %.*s\n", (unsigned long long)o->list[i].counts->requests,
                  SPAN_ARG(o->list[i].method), SPAN_ARG(o->list[i].pattern));
        shown++;
    }
    if (shown == 0)
        str_text(out, "  #   none\n");
}

void put_journeys(const struct observed *o, struct str *out)
{
    if (o->journey_count == 0) {
        if (o->log_count > 0)
            str_text(out, "\n# No journey could be made out in the log.\n");
        put_starter(out);
        return;
    }
    struct written *w = calloc(1, sizeof(*w));
    check(w != NULL);
    str_text(out, "\n# Suggested from the log: the first journey that matches a request counts it, "
                  "`unclaimed` the rest. Say\n"
                  "# who owns each (owner, runbook), and which must never give way (priority).\n");
    if (o->seen.of_upstream)
        str_text(out, "# Times are those of the instances: the log has no others. Measured here "
                      "they are a little longer.\n");
    str_text(out, "journeys:\n");
    for (size_t i = 0; i < o->journey_count; i++)
        put_journey(out, w, o, &o->journeys[i]);
    put_unclaimed(out, w, o);
    arena_free(&w->arena);
    free(w);
}
