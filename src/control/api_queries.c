/* SPDX-License-Identifier: Apache-2.0 */
/* api_queries.c - how the query of a journey of jobs goes: as JSON, as metrics, on the page. */
#include "control/api_table.h"
#include "control/control.h"
#include "control/metrics_text.h"
#include "control/page.h"

#include <math.h>

static json_t *unix_or_null(int64_t at)
{
    return at ? json_integer(at) : json_null();
}

json_t *api_job_query(const struct control *c, const struct journey *j)
{
    static const struct job_query none;
    const struct job_query *q = job_query_of(c, j);

    if (!j->query)
        return json_null();
    if (!q)
        q = &none;
    return json_pack("{s:f, s:o, s:o, s:o, s:f, s:I, s:I, s:I, s:I, s:o}", "every_s",
                     (double)j->query->every / (double)NS_PER_S, "good_at",
                     unix_or_null(q->good_at), "failing_since", unix_or_null(q->failed_at), "error",
                     q->error[0] ? json_string(q->error) : json_null(), "took_s",
                     (double)q->took / (double)NS_PER_S, "runs", (json_int_t)q->runs, "failures",
                     (json_int_t)q->failures, "counted", (json_int_t)q->counted, "too_old",
                     (json_int_t)q->too_old, "oldest_s",
                     q->has_age ? json_real(q->age_s) : json_null());
}

/* ---- metrics */

static void begin(struct metrics_text *t, const struct journey *j)
{
    metrics_sample(t, "");
    metrics_label(t, "journey", j->name);
}

void metrics_write_queries(const struct control *c, struct metrics_text *t)
{
    const struct config *config = control_config(c);

    metrics_family(
        t, METRIC_gauge, "evenkeel_journey_query_up",
        "1 while the query of a journey of jobs works, 0 while it fails or has not run yet.");
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct job_query *q = job_query_of(c, &config->journeys[i]);
        if (!q)
            continue;
        begin(t, &config->journeys[i]);
        metrics_count(t, q->good_at && !q->failed_at);
    }
    metrics_family(t, METRIC_counter, "evenkeel_journey_query_failures_total",
                   "Times that the query of a journey of jobs failed.");
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct job_query *q = job_query_of(c, &config->journeys[i]);
        if (!q)
            continue;
        begin(t, &config->journeys[i]);
        metrics_count(t, q->failures);
    }
    metrics_family(t, METRIC_gauge, "evenkeel_journey_oldest_job_age_seconds",
                   "How long the oldest job that waits has waited, when its query looked last.");
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct job_query *q = job_query_of(c, &config->journeys[i]);
        if (!q || !config->journeys[i].query->oldest.n)
            continue;
        begin(t, &config->journeys[i]);
        metrics_number(t, q->has_age ? q->age_s : (double)NAN);
    }
}

/* ---- the page */

void page_write_query(const struct control *c, const struct journey *j, struct str *out)
{
    const struct job_query *q = job_query_of(c, j);

    if (!q)
        return;
    if (q->failed_at) {
        str_literal(out, "<li class=\"spent\"><b>query</b> fails: ");
        page_escaped(out, span_from_text(q->error));
        str_literal(out, "</li>");
    } else if (q->has_age) {
        str_print(out, "<li><small>the oldest job waits for %.6g s</small></li>", q->age_s);
    }
}
