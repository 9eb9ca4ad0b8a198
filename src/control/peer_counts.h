/* SPDX-License-Identifier: Apache-2.0 */
/* peer_counts.h - what a node says of its counters (GET /api/v1/counters), read strictly: whoever answers there may be
 * another program, a later version, or broken. docs/peers.md describes the format.
 * Always: what was read has bounded numbers, windows in growing order, and bins that exist; nothing of a wrong answer is used.
 * Pure but for memory; used by the puller's thread and then by control. */
#ifndef EK_CONTROL_PEER_COUNTS_H
#define EK_CONTROL_PEER_COUNTS_H

#include "base/arena.h"
#include "base/err.h"
#include "control/book.h"

enum {
    PEER_FORMAT = 1,
    PEER_WINDOWS_MAX =
        1 + LOOKBACK_COUNT + OBJECTIVES_MAX, /* the rate's, the lookbacks, the objectives' own */
    PEER_BODY_MAX = 16 << 20, /* a thousand journeys with busy histograms come to about 8 MiB */
    PEER_NODE_MAX = 64,       /* bytes of a node's name */
    RATE_WINDOW_S = 60,
};

#define PEER_COUNT_MAX (INT64_C(1) << 56) /* so that PEERS_MAX of them can be added */

struct peer_window {
    int64_t seconds;
    struct window_counts counted;
};

struct peer_journey {
    struct span name;
    uint64_t definition;
    unsigned series; /* counters that it has */
    uint64_t totals[SERIES_MAX];
    struct peer_window *windows; /* ascending */
    size_t window_count;
    uint32_t *bins; /* histogram of the last minutes: bins that are not empty, ascending, */
    uint64_t *bin_counts;
    size_t bin_count;
};

struct peer_counts {
    struct arena arena; /* owns the rest */
    struct span node;
    int64_t started_at; /* unix seconds, by its clock */
    int64_t at;         /* the same: when this was so */
    struct peer_journey *journeys;
    size_t journey_count;
};

/* The caller frees *ret. The error is one sentence. */
err peer_counts_parse(struct span body, struct peer_counts **ret);
void peer_counts_free(struct peer_counts *p); /* may be NULL */

const struct peer_journey *peer_counts_find(const struct peer_counts *p, struct span name);

/* What happened in the last `seconds`, when the answer is `age_s` old: exact when it is 0. Of an older one that part which
 * lies in the window still, between two known windows in proportion. False: it tells of no such window. */
bool peer_journey_window(const struct peer_journey *j, int64_t seconds, int64_t age_s,
                         struct window_counts *ret);

/* Requests a second in a window of RATE_WINDOW_S. */
double window_rate(const struct window_counts *w);

#endif
