/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - `evenkeel status`: journeys and services of the running program, for people or as JSON. */
#include "cli/asking.h"
#include "cli/cells.h"
#include "cli/commands.h"
#include "cli/funnel.h"
#include "cli/losses.h"
#include "cli/status.h"
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LOSS_SHOWN_S = 28 * 86400 };

struct status_options {
    struct asking asked;
    bool color;
};

/* ---- for people */

/* Least budget of a journey's objectives; 2 when there is no data. */
static double budget_of(const json_t *journey)
{
    double least = 2;
    size_t i;
    json_t *objective;

    json_array_foreach (json_object_get(journey, "objectives"), i, objective) {
        const json_t *left = json_object_get(objective, "budget_left");
        if (json_is_number(left) && json_number_value(left) < least)
            least = json_number_value(left);
    }
    return least;
}

static int by_budget(const void *a, const void *b)
{
    double x = budget_of(*(json_t *const *)a);
    double y = budget_of(*(json_t *const *)b);
    if (x < y || x > y)
        return x < y ? -1 : 1;
    return strcmp(text_of(*(json_t *const *)a, "name"), text_of(*(json_t *const *)b, "name"));
}

/* `width` columns, right-aligned; "-" when there is no number. */
static void print_number(const json_t *value, double factor, int decimals, const char *unit,
                         int width)
{
    char text[48] = "-";

    if (json_is_number(value))
        snprintf(text, sizeof(text), "%.*f%s", decimals, json_number_value(value) * factor, unit);
    printf(" %*s", width, text);
}

/* Jobs have thresholds of minutes. */
static void print_under(double seconds)
{
    if (seconds >= 10)
        printf(" under %g s", seconds);
    else
        printf(" under %g ms", seconds * 1000);
}

static void print_objectives(const struct status_options *o, const json_t *journey)
{
    size_t i;
    json_t *objective;

    json_array_foreach (json_object_get(journey, "objectives"), i, objective) {
        const json_t *met = json_object_get(objective, "met");
        const char *word = json_is_null(met) ? "no data" : json_is_true(met) ? "met" : "MISSED";
        const char *color = !o->color || json_is_null(met) ? ""
                            : json_is_true(met)            ? "\033[32m"
                                                           : "\033[31m";
        printf("    %-14s %s%-7s%s", text_of(objective, "name"), color, word,
               *color ? "\033[0m" : "");
        print_number(json_object_get(objective, "share"), 100, 3, "%", 9);
        printf(" of %g%%", json_number_value(json_object_get(objective, "target")) * 100);
        const json_t *under = json_object_get(objective, "under_s");
        if (json_is_number(under))
            print_under(json_number_value(under));
        const json_t *age = json_object_get(objective, "age_under_s");
        if (json_is_number(age))
            printf(" younger than %g s", json_number_value(age));
        printf(", budget left");
        print_number(json_object_get(objective, "budget_left"), 100, 1, "%", 1);
        printf(", measured");
        print_number(json_object_get(objective, "coverage"), 100, 2, "%", 1);
        printf(" of %lld days\n", (long long)count_of(objective, "window_s") / 86400);
    }
}

/* How the query of its jobs goes. */
static void print_query(const json_t *journey)
{
    const json_t *query = json_object_get(journey, "query");
    const char *error = json_string_value(json_object_get(query, "error"));
    double oldest;

    if (error)
        printf("    %-14s fails: %s\n", "query", error);
    else if (number_of(query, "oldest_s", &oldest))
        printf("    %-14s the oldest job waits for %g s\n", "query", oldest);
}

static void print_funnel(const json_t *journey)
{
    struct str out = str_growing();

    funnel_put(journey, &out);
    if (out.n)
        printf("    %-14s %.*s\n", "steps", SPAN_ARG(str_span(&out)));
    str_free(&out);
}

json_t **status_worst_first(const struct status *s, size_t *ret_count)
{
    json_t *list = json_object_get(s->journeys, "journeys");
    size_t count = json_array_size(list);
    json_t **sorted = calloc(count + 1, sizeof(json_t *));

    check(sorted != NULL);
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(list, i);
    qsort(sorted, count, sizeof(sorted[0]), by_budget);
    *ret_count = count;
    return sorted;
}

static void print_journeys(const struct status_options *o, const struct status *s)
{
    size_t count;
    json_t **sorted = status_worst_first(s, &count);

    printf("%-18s %9s %9s %7s %7s %9s %7s %8s %8s\n", "JOURNEY", "PER SEC", "GOOD", "SLOW",
           "FAILED", "EXCLUDED", "P50 ms", "P95 ms", "P99 ms");
    for (size_t i = 0; i < count; i++) {
        const json_t *counts = json_object_get(sorted[i], "counts");
        const json_t *latency = json_object_get(sorted[i], "latency_s");
        printf("%-18s", text_of(sorted[i], "name"));
        print_number(json_object_get(sorted[i], "rate_per_s"), 1, 1, "", 9);
        printf(" %9lld %7lld %7lld %9lld", (long long)count_of(counts, "good"),
               (long long)count_of(counts, "slow"), (long long)count_of(counts, "failed"),
               (long long)count_of(counts, "excluded"));
        print_number(json_object_get(latency, "p50"), 1000, 1, "", 7);
        print_number(json_object_get(latency, "p95"), 1000, 1, "", 8);
        print_number(json_object_get(latency, "p99"), 1000, 1, "", 8);
        printf("\n");
        print_objectives(o, sorted[i]);
        print_funnel(sorted[i]);
        if (json_is_string(json_object_get(sorted[i], "note")))
            printf("  %s\n", text_of(sorted[i], "note"));
        print_query(sorted[i]);
    }
    free(sorted);
}

/* What the user may want a journey for. */
static void print_unclaimed(const struct status *s)
{
    size_t i;
    json_t *j;

    json_array_foreach (json_object_get(s->journeys, "journeys"), i, j) {
        const json_t *counts = json_object_get(j, "this_run");
        json_int_t n = count_of(counts, "good") + count_of(counts, "slow") +
                       count_of(counts, "failed") + count_of(counts, "excluded");
        if (n && strcmp(text_of(j, "name"), "unclaimed") == 0)
            printf(
                "\n%lld requests since the start belong to no journey; /api/v1/unclaimed has their "
                "paths, and journeys for them\n",
                (long long)n);
    }
}

static void print_would(const json_t *service)
{
    size_t i;
    json_t *would;

    if (strcmp(text_of(service, "mode"), "observe") != 0)
        return;
    printf("  only observed; it would have:");
    json_array_foreach (json_object_get(service, "would"), i, would)
        printf("%s %s (%s) %lld times", i ? "," : "", text_of(would, "action"),
               text_of(would, "reason"), (long long)count_of(would, "count"));
    printf("%s\n", i ? "" : " done nothing else");
}

/* Other nodes that say otherwise: each judges for itself. */
static void print_nodes(const json_t *instance)
{
    size_t i;
    json_t *node;

    json_array_foreach (json_object_get(instance, "nodes"), i, node) {
        if (strcmp(text_of(node, "state"), text_of(instance, "state")) != 0)
            printf("    %s at %s\n", text_of(node, "state"), text_of(node, "peer"));
    }
}

static void print_instance(const json_t *instance)
{
    const json_t *check = json_object_get(instance, "check");
    const char *failure = json_string_value(json_object_get(check, "failure"));
    const char *name = text_of(instance, "name");

    printf("  %-22s %-9s %9lld %7lld %7lld %7lld %9lld", text_of(instance, "address"),
           text_of(instance, "state"), (long long)count_of(instance, "requests"),
           (long long)count_of(instance, "answers_bad"), (long long)count_of(instance, "broken"),
           (long long)count_of(instance, "connect_failures"),
           (long long)count_of(instance, "in_flight"));
    if (strcmp(name, text_of(instance, "address")) != 0)
        printf("  %s", name);
    if (failure && *failure)
        printf("  %s", failure);
    printf("\n");
    print_nodes(instance);
}

static void print_services(const json_t *root)
{
    size_t s;
    json_t *service;

    json_array_foreach (json_object_get(root, "services"), s, service) {
        size_t i;
        json_t *instance;
        printf("\n%-24s %-9s %9s %7s %7s %7s %9s\n", text_of(service, "name"), "STATE", "REQUESTS",
               "5XX", "BROKEN", "REFUSED", "IN FLIGHT");
        json_array_foreach (json_object_get(service, "instances"), i, instance)
            print_instance(instance);
        if (count_of(service, "retries") || count_of(service, "retries_denied"))
            printf("  %lld retries, %lld more denied by the budget, of %lld requests\n",
                   (long long)count_of(service, "retries"),
                   (long long)count_of(service, "retries_denied"),
                   (long long)count_of(service, "offered"));
        if (count_of(service, "panic"))
            printf("  fewer than half of its instances can be used, so all are\n");
        print_would(service);
    }
}

/* What differs from the file. */
static void print_drift(const json_t *root)
{
    json_t *list = json_object_get(root, "changes");
    size_t i;
    json_t *change;

    if (json_array_size(list))
        printf("\n%-6s %-24s %-20s %-12s %s\n", "DRIFT", "INSTANCE", "CHANGE", "WHO", "WHY");
    json_array_foreach (list, i, change) {
        char what[48];
        const json_t *weight = json_object_get(change, "weight");
        snprintf(what, sizeof(what), "%s", text_of(change, "change"));
        if (json_is_integer(weight))
            snprintf(what, sizeof(what), "%s, weight %lld", text_of(change, "change"),
                     (long long)json_integer_value(weight));
        printf("%-6lld %-24s %-20s %-12s %s", (long long)count_of(change, "id"),
               text_of(change, "instance"), what, text_of(change, "who"), text_of(change, "why"));
        printf("; the file says %s", text_of(change, "file_says"));
        const json_t *expires = json_object_get(change, "expires_at");
        if (json_is_integer(expires))
            printf("; ends in %lld s",
                   (long long)json_integer_value(expires) - (long long)time(NULL));
        printf("%s%s\n",
               json_is_true(json_object_get(change, "in_force")) ? "" : "; not in force yet",
               json_is_true(json_object_get(change, "stored")) ? "" : "; not stored");
    }
}

/* Nodes whose counters are in the figures above. */
static void print_peers(const json_t *root)
{
    json_t *list = json_object_get(root, "peers");
    size_t i;
    json_t *peer;

    if (!json_array_size(list))
        return;
    printf("\n%lld of %lld nodes answer; the figures are the sum of all\n",
           (long long)count_of(root, "nodes_heard"), (long long)count_of(root, "nodes"));
    json_array_foreach (list, i, peer) {
        size_t f;
        json_t *finding;
        printf("  %-32s %-8s", text_of(peer, "peer"), text_of(peer, "state"));
        print_number(json_object_get(peer, "age_s"), 1, 0, " s ago", 10);
        const char *error = json_string_value(json_object_get(peer, "error"));
        printf("%s%s\n", error ? "  " : "", error ? error : "");
        json_array_foreach (json_object_get(peer, "findings"), f, finding)
            printf("    %s\n", json_string_value(finding));
    }
}

/* What the last end without a farewell cost, for as long as the longest standard window remembers it. */
static void print_loss(const json_t *node)
{
    const json_t *losses = json_object_get(json_object_get(node, "store"), "losses");
    const json_t *last = json_array_get(losses, 0);
    struct str out = str_growing();
    double back;

    if (!number_of(last, "back", &back) || (double)time(NULL) - back > LOSS_SHOWN_S)
        return;
    loss_put(last, &out);
    printf("\n%.*s\n", SPAN_ARG(str_span(&out)));
    if (json_array_size(losses) > 1)
        printf("it was not the first such end: %zu are remembered, `--json` has them in `store`\n",
               json_array_size(losses));
    str_free(&out);
}

bool status_all_met(const struct status *s)
{
    size_t j;
    json_t *journey;

    json_array_foreach (json_object_get(s->journeys, "journeys"), j, journey) {
        size_t o;
        json_t *objective;
        json_array_foreach (json_object_get(journey, "objectives"), o, objective) {
            if (json_is_false(json_object_get(objective, "met")))
                return false;
        }
    }
    return true;
}

json_t *status_json(const struct status *s)
{
    json_t *all = json_copy(s->journeys); /* what it says of the node, and the journeys */

    if (!json_is_object(all)) { /* something answered that is no evenkeel */
        json_decref(all);
        all = json_object();
    }
    json_object_set(all, "services", json_object_get(s->services, "services"));
    json_object_set(all, "changes", json_object_get(s->changes, "changes"));
    json_object_set(all, "peers", json_object_get(s->peers, "peers"));
    return all;
}

static void print_text(const struct status_options *o, const struct status *s)
{
    const json_t *node = s->journeys;
    const char *trouble = json_string_value(json_object_get(node, "store_trouble"));

    printf("node %s, evenkeel %s, %s for %lld s\n\n", text_of(node, "node"),
           text_of(node, "version"), text_of(node, "state"), (long long)count_of(node, "uptime_s"));
    print_journeys(o, s);
    print_unclaimed(s);
    print_services(s->services);
    print_drift(s->changes);
    print_peers(s->peers);
    print_loss(node);
    if (trouble)
        printf("\nthe store does not take samples; serving and counting go on: %s\n", trouble);
}

err status_get(const char *admin, struct status *ret)
{
    struct status s = {};
    err e = answer_get(admin, "/api/v1/journeys", &s.journeys);

    if (!e.failed)
        e = answer_get(admin, "/api/v1/services", &s.services);
    if (!e.failed)
        e = answer_get(admin, "/api/v1/changes", &s.changes);
    if (!e.failed)
        e = answer_get(admin, "/api/v1/peers", &s.peers);
    if (e.failed)
        status_forget(&s);
    else
        *ret = s;
    return e;
}

void status_forget(struct status *s)
{
    json_decref(s->journeys);
    json_decref(s->services);
    json_decref(s->changes);
    json_decref(s->peers);
    *s = (struct status){};
}

static int print_once(const struct status_options *o)
{
    struct status s;
    err e = status_get(o->asked.admin, &s);

    if (e.failed) {
        fprintf(stderr, "evenkeel: %s\n", e.text);
        return EXIT_FAILED;
    }
    if (o->asked.json) {
        json_t *all = status_json(&s);
        print_json(all);
        json_decref(all);
    } else {
        print_text(o, &s);
    }
    int code = status_all_met(&s) ? EXIT_DONE : EXIT_FAILED;
    status_forget(&s);
    return code;
}

int cmd_status(int argc, char **argv)
{
    struct status_options o = { .color = terminal_colors() };
    int usage =
        asking_read(argc, argv, &o.asked,
                    "; what is said to --watch or --changes follows a '=', as in --watch=5");

    if (usage != EXIT_DONE)
        return usage;
    if (o.asked.watch_s > 0 && o.asked.changes) {
        fprintf(stderr, "evenkeel status: --watch or --changes, not both\n");
        return EXIT_USAGE;
    }
    if (o.asked.changes)
        return status_changes(&o.asked);
    if (o.asked.watch_s > 0)
        return watch(&(struct watch_options){ .admin = o.asked.admin,
                                              .every_s = o.asked.watch_s,
                                              .json = o.asked.json,
                                              .color = o.color });
    return print_once(&o);
}
