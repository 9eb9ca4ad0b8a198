/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_peer_report.c - what is accepted of another node's history, what-if, unclaimed paths or dimensions has bounded numbers, points in growing order and
 * bins that exist. The first byte chooses. */
#include "fuzz.h"

#include "control/dimension_sums.h"
#include "control/peer_report.h"
#include "core/histogram.h"
#include "core/path_groups.h"

/* Whatever a path looks like, each request is counted somewhere. */
static void add_paths(const struct peer_report *r)
{
    static struct path_groups g;
    uint64_t requests = 0;

    if (r->path_count == 0)
        return;
    path_groups_init(&g);
    for (size_t i = 0; i < r->path_count; i++) {
        const struct report_path *p = &r->paths[i];
        path_groups_add_row(&g, &(struct path_row){ .method = p->method,
                                                    .pattern = p->pattern,
                                                    .requests = p->requests,
                                                    .failed = p->failed,
                                                    .excluded = p->excluded,
                                                    .bins = p->latency.bins,
                                                    .bin_counts = p->latency.counts,
                                                    .bin_count = p->latency.count });
        requests += p->requests;
    }
    uint64_t known = g.lost;
    for (uint32_t i = 0; i < g.counts_count; i++)
        known += g.counts[i].requests;
    check(g.requests == requests && known == requests);
}

/* Whatever they are called, the values of each dimension add up to the whole. */
static void add_values(const struct peer_report *r)
{
    struct arena memory = {};

    check(r->journey_count <= REPORT_JOURNEYS_MAX);
    for (size_t i = 0; i < r->journey_count; i++) {
        const struct report_journey *j = &r->journeys[i];
        struct dimension_sums sums = { .memory = &memory };
        uint64_t good = 0;
        check(peer_report_journey(r, j->name) != NULL && j->value_count <= REPORT_VALUES_MAX);
        for (size_t v = 0; v < j->value_count; v++)
            dimension_sums_add(&sums, j->values[v].dimension, &j->values[v].row);
        dimension_sums_sort(&sums);
        for (unsigned d = 0; d < DIMENSION_COUNT; d++) {
            uint64_t whole[DIMENSION_OUTCOMES];
            dimension_sums_whole(&sums, (enum dimension)d, whole);
            good += whole[OUTCOME_GOOD];
        }
        for (size_t v = 0; v < j->value_count; v++)
            good -= j->values[v].row.counts[OUTCOME_GOOD];
        check(good == 0);
        dimension_sums_free(&sums);
    }
    arena_free(&memory);
}

static void look_at(const struct peer_report *r)
{
    static uint64_t bins[HISTOGRAM_BINS];

    check(r->node.n > 0 && r->node.n <= 64 && r->window_s >= 0 && r->from >= 0);
    check(r->count == 0 || (r->step_s > 0 && r->count <= REPORT_POINTS_MAX));
    for (size_t i = 0; i < r->count; i++) {
        const struct report_point *p = &r->points[i];
        check(p->at >= 0 && (i == 0 || p->at > r->points[i - 1].at));
        check(p->step.good <= PEER_COUNT_MAX && p->window.bad <= PEER_COUNT_MAX);
        check(p->step_ms < UINT64_C(1) << 40 && p->window_ms < UINT64_C(1) << 40);
    }
    memset(bins, 0, sizeof(bins));
    peer_bins_add(&r->latency, bins);
    uint64_t known = r->assets + r->unfound + r->other_methods + r->lost;
    for (size_t i = 0; i < r->path_count; i++) {
        check(r->paths[i].failed + r->paths[i].excluded <= r->paths[i].requests);
        known += r->paths[i].requests;
    }
    check(known == r->requests && r->path_count <= REPORT_PATHS_MAX);
    add_paths(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer_report *r = NULL;

    if (size == 0)
        return 0;
    struct span body = span_of(data + 1, size - 1);
    err e = data[0] == 'h'   ? peer_report_history(body, &r)
            : data[0] == 'u' ? peer_report_unclaimed(body, &r)
            : data[0] == 'd' ? peer_report_dimensions(body, &r)
                             : peer_report_what_if(body, &r);
    check(e.failed == (r == NULL));
    if (!r)
        return 0;
    check((r->count > 0) == (data[0] == 'h'));
    look_at(r);
    add_values(r);
    peer_report_free(r);
    return 0;
}
