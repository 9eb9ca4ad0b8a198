/* SPDX-License-Identifier: Apache-2.0 */
/* api_what_if.c - what another threshold would have meant: histograms of the past, of this node and of all others, added bin by
 * bin, which loses nothing. Next: core/histogram.h, why a share below a threshold may be an interval. */
#include "control/api_question.h"
#include "store/retention.h"

#include <stdio.h>

enum { WHAT_IF_WINDOW_STANDARD_S = 86400 };

struct what_if {
    struct question question;
    ns_t under;
    struct instant ends[2];
    uint64_t bins[HISTOGRAM_BINS];
    uint64_t measured_ms; /* of all nodes */
};

/* ---- this node */

static void read_what_if(struct scribe_task *t, struct store *s)
{
    struct question *q = container_of(t, struct question, task);
    struct what_if *w = container_of(q, struct what_if, question);
    struct sample node = {};

    if (q->past) {
        w->ends[1].at = q->now;
        q->result = question_read_instant(s, q->version, &w->ends[1]);
    } else { /* the running slot was stored up to the last write */
        q->result = samples_total(s, NODE_VERSION, &node);
        w->ends[1].at = node.at > w->ends[0].at ? node.at : q->now;
        w->ends[1].measured_ms = node.counts[NODE_MEASURED_MS];
    }
    if (!q->result.failed)
        q->result = question_read_instant(s, q->version, &w->ends[0]);
    if (!q->result.failed)
        q->result =
            histogram_between(s, q->bins_version, w->ends[0].at, w->ends[1].at + 1, w->bins);
}

/* ---- all nodes */

static void add_nodes(struct what_if *w, int64_t length_s)
{
    struct question *q = &w->question;
    uint64_t most = (uint64_t)length_s * 1000; /* no node has more */

    w->measured_ms = question_less(w->ends[1].measured_ms, w->ends[0].measured_ms);
    w->measured_ms = w->measured_ms < most ? w->measured_ms : most;
    for (size_t i = 0; q->inquiry && i < q->inquiry->count; i++) {
        const struct peer_report *r = question_report(q, i);
        if (!r)
            continue;
        if (r->definition != q->definition || r->window_s != q->window_s ||
            r->from != w->ends[0].at) {
            question_unfit(q, i, "the journey is another there");
            continue;
        }
        peer_bins_add(&r->latency, w->bins);
        w->measured_ms += r->measured_ms < most ? r->measured_ms : most;
    }
}

/* ---- the answer */

static json_t *percentile(const struct what_if *w, uint32_t ppm)
{
    ns_t t = histogram_percentile(w->bins, ppm);

    return t < 0 ? json_null() : json_real((double)t / (double)NS_PER_S);
}

static json_t *share(uint64_t n, uint64_t total)
{
    return total ? json_real((double)n / (double)total) : json_null();
}

/* For another node, which adds them to its own. */
static json_t *bins_json(const struct what_if *w)
{
    json_t *list = json_array();

    for (uint32_t i = 0; i < HISTOGRAM_BINS; i++) {
        if (w->bins[i])
            json_array_append_new(list, json_pack("[I, I]", (json_int_t)i, (json_int_t)w->bins[i]));
    }
    return list;
}

static json_t *answer_what_if(struct question *q, struct control *c)
{
    struct what_if *w = container_of(q, struct what_if, question);
    int64_t length_s = w->ends[1].at > w->ends[0].at ? w->ends[1].at - w->ends[0].at : 1;

    add_nodes(w, length_s);
    unsigned nodes = question_nodes(q);
    struct histogram_share below = histogram_share_below(w->bins, w->under);
    json_t *root = json_pack(
        "{s:s#, s:f, s:I, s:I, s:I, s:I, s:I, s:b, s:o, s:o, s:f, s:f, "
        "s:{s:o, s:o, s:o}}",
        "journey", q->journey.p, (int)q->journey.n, "under_s", (double)w->under / (double)NS_PER_S,
        "from", (json_int_t)w->ends[0].at, "to", (json_int_t)w->ends[1].at, "answers",
        (json_int_t)below.total, "least", (json_int_t)below.least, "most", (json_int_t)below.most,
        "exact", below.least == below.most, "share_least", share(below.least, below.total),
        "share_most", share(below.most, below.total), "measured_s",
        (double)w->measured_ms / nodes / 1000, "coverage",
        slo_coverage(w->measured_ms, length_s * nodes), "latency_s", "p50", percentile(w, 500000),
        "p95", percentile(w, 950000), "p99", percentile(w, 990000));
    question_put_nodes(q, c, root);
    if (q->alone)
        json_object_set_new(root, "latency_bins", bins_json(w));
    return root;
}

/* ---- the question */

void api_what_if(struct api_call *k)
{
    struct query_row rows[] = { { .key = "under_s" }, { .key = "window_s" }, QUESTION_ROWS };
    const struct journey *j;
    uint64_t window_s = WHAT_IF_WINDOW_STANDARD_S;
    char path[80];
    struct what_if *w = question_begin(k, sizeof(*w), rows, sizeof(rows) / sizeof(rows[0]), &j);

    if (!w)
        return;
    if (!query_seconds(rows[0].value, &w->under) || w->under < HISTOGRAM_LEAST ||
        w->under > HISTOGRAM_MOST) {
        question_refuse(k, &w->question, 400,
                        "under_s is a time in seconds from 0.000001 to 1000: 0.25");
        return;
    }
    if (rows[1].given &&
        !query_count(rows[1].value, HISTOGRAM_SLOT_S, KEEP_HISTOGRAMS_DAYS * DAY_S, &window_s)) {
        question_refuse(k, &w->question, 400,
                        "window_s is from 300 to 3024000 seconds: latencies are kept in slots of "
                        "five minutes for 35 days");
        return;
    }
    struct question *q = &w->question;
    q->window_s = (int64_t)window_s;
    q->task.run = read_what_if;
    q->answer = answer_what_if;
    /* slots begin at multiples */
    w->ends[0].at = (q->now - q->window_s) / HISTOGRAM_SLOT_S * HISTOGRAM_SLOT_S;
    snprintf(path, sizeof(path), "what-if?under_s=%ld.%09ld&window_s=%ld",
             (long)(w->under / NS_PER_S), (long)(w->under % NS_PER_S), (long)q->window_s);
    question_ask(k, q, path, peer_report_what_if);
}
