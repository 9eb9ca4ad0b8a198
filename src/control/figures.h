/* SPDX-License-Identifier: Apache-2.0 */
/* figures.h - what people, scrapers and steering are told of an objective over one window: one place, so that page, API,
 * metrics and commands never differ.
 * Next: core/slo.h, the arithmetic; book.h, the counts. */
#ifndef EK_CONTROL_FIGURES_H
#define EK_CONTROL_FIGURES_H

#include "control/book.h"
#include "control/journey_steps.h"

struct control;

struct figures {
    int64_t window_s;
    struct slo_counts counts;
    enum slo_state state; /* SLO_NO_DATA: share, burn and budget say nothing */
    double share;         /* of good events */
    double burn;
    double budget_left; /* if this were the objective's window */
    double measured_s;
    double coverage; /* share of the window that was measured */
};

/* Objective number `o` of the journey over the last `window_s`: a lookback or the objective's own window. */
struct figures figures_of(const struct control *c, const struct journey *j, unsigned o,
                          int64_t window_s);

/* Over the objective's own window. */
struct figures figures_own(const struct control *c, const struct journey *j, unsigned o);

/* Days until the budget is gone if it goes on as in the last day; false: it is not being used up. */
bool figures_days_left(const struct control *c, const struct journey *j, unsigned o,
                       double *ret_days);

/* Requests a second in the last minute. */
double figures_rate(const struct control *c, const struct journey *j);

/* What all nodes counted of this journey in a window. Measured time is the mean over the nodes: a silent node is lost
 * coverage. */
void figures_window(const struct control *c, const struct journey *j, int64_t window_s,
                    struct window_counts *ret);

/* Of all time, over all nodes. */
void figures_totals(const struct control *c, const struct journey *j,
                    uint64_t ret_counts[SERIES_MAX]);

/* How far users came through the steps of a journey, of all time, over all nodes. */
void figures_funnel(const struct control *c, const struct journey *j, struct funnel *ret);

/* Latencies of the last five to ten minutes, over all nodes that answer. */
void figures_histogram(const struct control *c, const struct journey *j,
                       uint64_t ret_bins[HISTOGRAM_BINS]);

#endif
