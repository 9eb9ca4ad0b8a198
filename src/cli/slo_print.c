/* SPDX-License-Identifier: Apache-2.0 */
/* slo_print.c - what the log says about the objectives, for people and as JSON (the shapes of the admin API). */
#include "cli/slo.h"

#include "base/check.h"

#include <jansson.h>
#include <stdlib.h>

enum { TOP_PATHS = 10 };

static const struct mark {
    const char *name;
    uint32_t ppm;
} marks[] = { { "p50", 500000 }, { "p95", 950000 }, { "p99", 990000 } };

static uint64_t requests_of(const struct tally *t)
{
    return t->series[SERIES_GOOD] + t->series[SERIES_SLOW] + t->series[SERIES_FAILED] +
           t->series[SERIES_EXCLUDED];
}

/* Answers that this objective would judge, if they said how long they took. */
static uint64_t unjudged(const struct tally *t, const struct objective *o)
{
    return o->under > 0 ? t->untimed : 0;
}

/* ---- for people */

static void print_evidence(const struct slo_count *c)
{
    const struct log_evidence *e = &c->seen;
    char from[LOG_TIME_TEXT_MAX];
    char to[LOG_TIME_TEXT_MAX];
    char span[LOG_SPAN_TEXT_MAX];

    printf("%llu requests in %llu lines of ", (unsigned long long)e->requests,
           (unsigned long long)e->lines);
    if (c->file_count == 1)
        printf("%s", c->files[0]);
    else
        printf("%zu logs", c->file_count);
    if (e->has_span)
        printf(", from %s to %s UTC (%s)", log_time_text(e->from_ms, from),
               log_time_text(e->to_ms, to), log_span_text(log_evidence_span_s(e), span));
    else
        printf(", which do not say when");
    printf("\n");
    if (e->before)
        printf("%llu lines are older\n", (unsigned long long)e->before);
    if (e->of_upstream)
        printf("times are those of the instances: the log has no others\n");
    printf("\n");
}

static void print_objective(const struct slo_count *c, const struct tally *t,
                            const struct objective *o, size_t number, bool color)
{
    struct slo_counts counts = slo_count_objective(t, number);
    uint32_t target = slo_target(o->target);
    enum slo_state state = slo_state(target, counts);
    const char *word = state == SLO_NO_DATA ? "no data" : state == SLO_MET ? "met" : "MISSED";
    const char *paint = !color || state == SLO_NO_DATA ? ""
                        : state == SLO_MET             ? "\033[32m"
                                                       : "\033[31m";

    printf("    %-14.*s %s%-7s%s", SPAN_ARG(o->name), paint, word, *paint ? "\033[0m" : "");
    if (state == SLO_NO_DATA)
        printf("         -");
    else
        printf(" %8.3f%%", slo_share(counts) * 100);
    printf(" of %g%%", o->target * 100);
    if (o->under)
        printf(" under %g ms", (double)o->under / (double)NS_PER_MS);
    if (state != SLO_NO_DATA)
        printf(", budget left %.1f%%", slo_budget_left(target, counts) * 100);
    if (state != SLO_NO_DATA && c->seen.has_span)
        printf(" of this log's; it has %.2f%% of the %.0f days",
               slo_coverage((uint64_t)log_evidence_span_s(&c->seen) * 1000, o->window_s) * 100,
               (double)o->window_s / 86400);
    if (unjudged(t, o) > 0)
        printf("%s%llu answer%s not say how long %s took and cannot be judged",
               state == SLO_NO_DATA ? ": " : "; ", (unsigned long long)unjudged(t, o),
               unjudged(t, o) == 1 ? " does" : "s do", unjudged(t, o) == 1 ? "it" : "they");
    printf("\n");
}

static void print_journey(const struct slo_count *c, size_t number, bool color)
{
    const struct journey *j = &c->config->journeys[number];
    const struct tally *t = &c->tallies[number];

    printf("%-18.*s %9llu %9llu %7llu %7llu %9llu", SPAN_ARG(j->name),
           (unsigned long long)requests_of(t), (unsigned long long)t->series[SERIES_GOOD],
           (unsigned long long)t->series[SERIES_SLOW], (unsigned long long)t->series[SERIES_FAILED],
           (unsigned long long)t->series[SERIES_EXCLUDED]);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        ns_t ns = histogram_percentile(t->bins, marks[i].ppm);
        if (ns < 0)
            printf(" %8s", "-");
        else
            printf(" %8.1f", (double)ns / (double)NS_PER_MS);
    }
    printf("\n");
    for (size_t i = 0; i < j->objective_count; i++)
        print_objective(c, t, &j->objectives[i], i, color);
}

static void print_unclaimed(const struct slo_count *c)
{
    struct path_groups *g = c->unclaimed;
    struct arena a = {};
    struct path_group *groups;
    size_t count;

    if (g->requests == 0)
        return;
    count = path_groups_finish(g, &a, &groups);
    printf("\nUNCLAIMED, by path\n");
    for (size_t i = 0; i < count && i < TOP_PATHS; i++)
        printf("%9llu  %.*s %.*s\n", (unsigned long long)groups[i].counts->requests,
               SPAN_ARG(groups[i].method), SPAN_ARG(groups[i].pattern));
    if (g->assets)
        printf("%9llu  static files\n", (unsigned long long)g->assets);
    if (g->unfound)
        printf("%9llu  paths that are answered with 404 and the like\n",
               (unsigned long long)g->unfound);
    if (g->other_methods)
        printf("%9llu  other methods\n", (unsigned long long)g->other_methods);
    if (g->lost)
        printf("%9llu  more paths than fit into memory\n", (unsigned long long)g->lost);
    arena_free(&a);
}

void slo_print_text(const struct slo_count *c, bool color)
{
    print_evidence(c);
    printf("%-18s %9s %9s %7s %7s %9s %8s %8s %8s\n", "JOURNEY", "REQUESTS", "GOOD", "SLOW",
           "FAILED", "EXCLUDED", "P50 ms", "P95 ms", "P99 ms");
    for (size_t i = 0; i < c->config->journey_count; i++)
        print_journey(c, i, color);
    print_unclaimed(c);
}

/* ---- as JSON */

static void set(json_t *object, const char *key, json_t *value)
{
    int failed = json_object_set_new(object, key, value);

    check(!failed);
}

static json_t *text(struct span s)
{
    json_t *j = json_stringn(s.p, s.n);

    return j ? j : json_null(); /* a path may be any bytes; JSON is UTF-8 */
}

static json_t *number(uint64_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *log_json(const struct slo_count *c)
{
    const struct log_evidence *e = &c->seen;
    json_t *o = json_object();
    json_t *files = json_array();

    for (size_t i = 0; i < c->file_count; i++)
        json_array_append_new(files, text(span_from_text(c->files[i])));
    set(o, "files", files);
    set(o, "lines", number(e->lines));
    set(o, "requests", number(e->requests));
    set(o, "unreadable", number(e->unreadable));
    set(o, "malformed", number(e->malformed));
    set(o, "older", number(e->before));
    set(o, "without_time", number(e->undated));
    set(o, "without_latency", number(e->untimed));
    set(o, "latency_of_instances", number(e->of_upstream));
    set(o, "from_s", e->has_span ? json_real((double)e->from_ms / 1000) : json_null());
    set(o, "to_s", e->has_span ? json_real((double)e->to_ms / 1000) : json_null());
    return o;
}

static json_t *objective_json(const struct slo_count *c, const struct tally *t,
                              const struct objective *o, size_t index)
{
    struct slo_counts counts = slo_count_objective(t, index);
    uint32_t target = slo_target(o->target);
    enum slo_state state = slo_state(target, counts);
    uint64_t span_ms = (uint64_t)log_evidence_span_s(&c->seen) * 1000;
    json_t *j = json_object();

    set(j, "name", text(o->name));
    set(j, "target", json_real(o->target));
    set(j, "window_s", json_integer(o->window_s));
    set(j, "under_s", o->under ? json_real((double)o->under / (double)NS_PER_S) : json_null());
    set(j, "good", number(counts.good));
    set(j, "bad", number(counts.bad));
    set(j, "unjudged", number(unjudged(t, o)));
    set(j, "share", state == SLO_NO_DATA ? json_null() : json_real(slo_share(counts)));
    set(j, "met", state == SLO_NO_DATA ? json_null() : json_boolean(state == SLO_MET));
    set(j, "budget_left",
        state == SLO_NO_DATA ? json_null() : json_real(slo_budget_left(target, counts)));
    set(j, "coverage",
        c->seen.has_span ? json_real(slo_coverage(span_ms, o->window_s)) : json_null());
    return j;
}

static json_t *journey_json(const struct slo_count *c, size_t index)
{
    const struct journey *j = &c->config->journeys[index];
    const struct tally *t = &c->tallies[index];
    json_t *o = json_object();
    json_t *counts = json_object();
    json_t *latency = json_object();
    json_t *objectives = json_array();

    set(counts, "good", number(t->series[SERIES_GOOD]));
    set(counts, "slow", number(t->series[SERIES_SLOW]));
    set(counts, "failed", number(t->series[SERIES_FAILED]));
    set(counts, "excluded", number(t->series[SERIES_EXCLUDED]));
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        ns_t ns = histogram_percentile(t->bins, marks[i].ppm);
        set(latency, marks[i].name,
            ns < 0 ? json_null() : json_real((double)ns / (double)NS_PER_S));
    }
    for (size_t i = 0; i < j->objective_count; i++)
        json_array_append_new(objectives, objective_json(c, t, &j->objectives[i], i));
    set(o, "name", text(j->name));
    set(o, "priority",
        json_string(j->priority == PRIORITY_MUST_HAVE ? "must-have" : "nice-to-have"));
    set(o, "counts", counts);
    set(o, "objectives", objectives);
    set(o, "latency_s", latency);
    return o;
}

static json_t *unclaimed_json(const struct slo_count *c)
{
    struct arena a = {};
    struct path_group *groups;
    size_t count = path_groups_finish(c->unclaimed, &a, &groups);
    json_t *o = json_object();
    json_t *paths = json_array();

    for (size_t i = 0; i < count && i < TOP_PATHS; i++) {
        json_t *path = json_object();
        set(path, "method", text(groups[i].method));
        set(path, "path", text(groups[i].pattern));
        set(path, "requests", number(groups[i].counts->requests));
        json_array_append_new(paths, path);
    }
    set(o, "paths", paths);
    set(o, "static", number(c->unclaimed->assets));
    set(o, "not_found", number(c->unclaimed->unfound));
    set(o, "other_methods", number(c->unclaimed->other_methods));
    set(o, "lost", number(c->unclaimed->lost));
    arena_free(&a);
    return o;
}

void slo_print_json(const struct slo_count *c)
{
    json_t *root = json_object();
    json_t *journeys = json_array();

    for (size_t i = 0; i < c->config->journey_count; i++)
        json_array_append_new(journeys, journey_json(c, i));
    set(root, "log", log_json(c));
    set(root, "journeys", journeys);
    set(root, "unclaimed", unclaimed_json(c));
    json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    printf("\n");
    json_decref(root);
}
