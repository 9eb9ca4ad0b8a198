/* SPDX-License-Identifier: Apache-2.0 */
/* peer_report.h - what a node says for itself alone (`node=this` of history, what-if, dimensions and unclaimed), read strictly: nothing of a wrong
 * answer is used. docs/api.md describes the fields; those that only people need are left aside.
 * Always: what was read has bounded numbers, points in growing order, and bins that exist.
 * Pure but for memory; used by the puller's thread and then by control. Next: api_question.h, which adds them up. */
#ifndef EK_CONTROL_PEER_REPORT_H
#define EK_CONTROL_PEER_REPORT_H

#include "base/arena.h"
#include "base/err.h"
#include "control/dimensions.h"
#include "control/peer_values.h"
#include "core/slo.h"

enum {
    REPORT_POINTS_MIN = 2,
    REPORT_VALUES_MAX = DIMENSION_COUNT * DIMENSION_ENTRIES,
    REPORT_JOURNEYS_MAX = 16,   /* in one answer about dimensions */
    REPORT_DIMENSIONS_MAX = 16, /* later versions may have more than this one */
    REPORT_PATHS_MAX = 200,     /* of unclaimed; those with most requests */
    REPORT_PAIRS_MAX = 8192,    /* of their latencies, in all */
    REPORT_POINTS_MAX = 400,    /* some 1,600 reads by key: 20 ms of the scribe's time */
};

/* The end of one step, and the objective's whole window that ended then. */
struct report_point {
    int64_t at; /* unix seconds */
    struct slo_counts step, window;
    uint64_t step_ms, window_ms; /* measured of them */
};

/* Requests that follow one pattern and are of no journey. */
struct report_path {
    struct span method, pattern;
    uint64_t requests, failed, excluded;
    struct peer_bins latency;
};

/* One value of a dimension. */
struct report_value {
    enum dimension dimension;
    struct dimension_row row;
};

/* Where a journey fails. */
struct report_journey {
    struct span name;
    uint64_t definition;
    int64_t window_s;
    int64_t from; /* unix seconds */
    struct report_value *values;
    size_t value_count;
};

struct peer_report {
    struct arena arena; /* owns the rest */
    struct span node;

    /* a history or a what-if */
    uint64_t definition;
    int64_t window_s;
    int64_t from; /* unix seconds */

    /* a history */
    int64_t step_s;
    struct report_point *points; /* `at` grows */
    size_t count;

    /* a what-if */
    uint64_t measured_ms;
    struct peer_bins latency;

    /* what no journey takes */
    uint64_t requests;
    uint64_t assets, unfound, other_methods,
        lost; /* with the paths', they add up to the requests */
    struct report_path *paths;
    size_t path_count;

    /* where they fail */
    struct report_journey *journeys;
    size_t journey_count;
};

/* The caller frees *ret. The error is one sentence. */
err peer_report_history(struct span body, struct peer_report **ret);
err peer_report_what_if(struct span body, struct peer_report **ret);
err peer_report_unclaimed(struct span body, struct peer_report **ret);
err peer_report_dimensions(struct span body, struct peer_report **ret);

/* NULL: it says nothing of it. */
const struct report_journey *peer_report_journey(const struct peer_report *r, struct span name);

void peer_report_free(struct peer_report *r); /* may be NULL */

#endif
