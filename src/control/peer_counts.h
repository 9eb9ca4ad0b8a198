/* SPDX-License-Identifier: Apache-2.0 */
/* peer_counts.h - what a node says of its counters (GET /api/v1/counters), read strictly: whoever answers there may be
 * another program, a later version, or broken. docs/peers.md describes the format.
 * Always: what was read has bounded numbers, windows in growing order, and bins that exist; nothing of a wrong answer is used.
 * Pure but for memory; used by the puller's thread and then by control. */
#ifndef EK_CONTROL_PEER_COUNTS_H
#define EK_CONTROL_PEER_COUNTS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "base/str.h"
#include "control/book.h"
#include "control/peer_values.h"

#include <stdatomic.h>

enum {
    PEER_FORMAT = 1,
    PEER_WINDOWS_MAX =
        1 + LOOKBACK_COUNT + OBJECTIVES_MAX, /* the rate's, the lookbacks, the objectives' own */
    PEER_BODY_MAX = 16 << 20, /* a thousand journeys with busy histograms come to about 8 MiB */
    PEER_NODE_MAX = 64,       /* bytes of a node's name */
    PEER_NAME_MAX = 64,       /* of a journey's or a service's */
    PEER_ADDRESS_MAX = 300,   /* of an instance's: a name of 255, a path of 107 */
    PEER_STATE_MAX = 16,
    PEER_INSTANCES_MAX = 1024, /* that a node tells of, in all */
    RATE_WINDOW_S = 60,
};

struct peer_window {
    int64_t seconds;
    struct window_counts counted;
};

struct peer_journey {
    struct span name;
    uint64_t definition;
    unsigned series;              /* counters that it has */
    uint64_t totals[SERIES_MAX];  /* of a journey of steps with its funnel */
    uint64_t standing[STEPS_MAX]; /* how many users stand at each step now */
    struct peer_window *windows;  /* ascending */
    size_t window_count;
    struct peer_bins latency; /* of the last minutes */
};

struct peer_instance {
    struct span address;
    struct span state; /* a word of view.h, or of a later version's */
};

struct peer_service {
    struct span name;
    struct peer_instance *instances;
    size_t instance_count;
};

/* Never changes, so that the scribe may write it down while control shows it. */
struct peer_counts {
    _Atomic unsigned owners;
    struct arena arena; /* owns the rest */
    struct span node;
    int64_t started_at; /* unix seconds, by its clock */
    int64_t at;         /* the same: when this was so */
    struct peer_journey *journeys;
    size_t journey_count;
    struct map by_name;            /* of the journeys */
    struct peer_service *services; /* none of an older version */
    size_t service_count;
};

/* The caller frees *ret. The error is one sentence. */
err peer_counts_parse(struct span body, struct peer_counts **ret);
void peer_counts_free(struct peer_counts *p); /* by each owner; may be NULL */

/* Another owner. */
struct peer_counts *peer_counts_share(struct peer_counts *p);

/* As peer_counts_parse() reads it, without what is of now only: latencies and instances. */
void peer_counts_print(const struct peer_counts *p, struct str *out);

/* Parts of it, for peer_serve.c too. */

/* A text that was read, between quotes of JSON. */
void peer_counts_put_text(struct str *out, struct span text);
void peer_counts_put_list(const char *key, const uint64_t *list, unsigned n, struct str *out);
void peer_counts_put_window(int64_t seconds, const struct window_counts *w, unsigned series,
                            struct str *out);

/* The series behind the objectives of `totals` [SERIES_MAX], and where users stand now. */
void peer_counts_put_funnel(const uint64_t *totals, const uint64_t *standing, struct str *out);

/* How it says that an instance is; "": it does not tell of it. */
struct span peer_counts_state(const struct peer_counts *p, struct span service,
                              struct span address);

const struct peer_journey *peer_counts_find(const struct peer_counts *p, struct span name);

/* What happened in the last `seconds`, when the answer is `age_s` old: exact when it is 0. Of an older one that part which
 * lies in the window still, between two known windows in proportion. False: it tells of no such window. */
bool peer_journey_window(const struct peer_journey *j, int64_t seconds, int64_t age_s,
                         struct window_counts *ret);

/* Requests a second in a window of RATE_WINDOW_S. */
double window_rate(const struct window_counts *w);

#endif
