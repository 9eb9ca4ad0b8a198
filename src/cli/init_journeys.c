/* SPDX-License-Identifier: Apache-2.0 */
/* init_journeys.c - suggested journeys as YAML, each with the evidence that it is made from. */
#include "cli/init_parts.h"

#include "base/check.h"
#include "core/suggest_write.h"

#include <stdlib.h>

enum { TOP_UNCLAIMED = 5 };

static void put_starter(struct str *out, bool had_log)
{
    str_text(out, "\n# The first journey that matches a request counts it; all others are "
                  "`unclaimed`.");
    str_text(out, had_log ? " No better one could be\n# made out in the log.\n"
                          : " Better ones than\n# this: evenkeel init --log access.log suggests "
                            "them from what users do.\n");
    str_text(out, "journeys:\n"
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

static void put_journey(struct str *out, struct suggest_written *w, const struct observed *o,
                        const struct suggested_journey *j)
{
    struct str evidence = str_growing();

    put_evidence(&evidence, o, j);
    suggest_put_journey(out, w, j,
                        &(struct suggest_words){
                            .name = j->name,
                            .evidence = str_cstr(&evidence),
                            .not_kept = "   # not kept in this log",
                            .untimed = "      # fast: { target: 95%, under: 300ms }   # the log "
                                       "does not say how long requests took\n" });
    str_free(&evidence);
}

static void put_unclaimed(struct str *out, const struct suggest_written *w,
                          const struct observed *o)
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
        if (suggest_has(w, &o->list[i]))
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
        put_starter(out, o->log_count > 0);
        return;
    }
    struct arena arena = {};
    struct suggest_written *w = calloc(1, sizeof(*w));
    check(w != NULL);
    w->arena = &arena;
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
    arena_free(&arena);
    free(w);
}
