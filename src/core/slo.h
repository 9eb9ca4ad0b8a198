/* SPDX-License-Identifier: Apache-2.0 */
/* slo.h - the arithmetic of one objective: counts in, the figures that people use out.
 * Always: events are weighted, never shares averaged; comparisons with the target are exact
 * (integers), floating point comes only at the end and is never NaN or infinite. No events is a
 * state of its own, not a perfect share.
 * Source: Site Reliability Workbook chapter 5.  Next: window.h, where the counts of a window come
 * from. */
#ifndef EK_CORE_SLO_H
#define EK_CORE_SLO_H

#include <stdbool.h>
#include <stdint.h>

/* A target in parts per billion: 99.9 % is 999,000,000. At least 1, at most 999,999,999, so that
 * there always is a budget. */
enum { SLO_PARTS = 1000000000 };

/* From a share such as 0.999; brought into the range above. */
uint32_t slo_target(double share);

/* What happened in a window. good + bad must fit 64 bits. */
struct slo_counts {
    uint64_t good;
    uint64_t bad;
};

enum slo_state {
    SLO_NO_DATA, /* no event: neither met nor missed, and never a pass for a gate */
    SLO_MET,     /* good / all >= target */
    SLO_MISSED,
};

enum slo_state slo_state(uint32_t target, struct slo_counts c);

/* good / all in [0, 1]; 1 without events (ask slo_state() first). */
double slo_share(struct slo_counts c);

/* How fast the budget is spent: bad share / (1 - target). 1 is used up exactly at the window's end;
 * at most 1 / (1 - target). 0 without events. */
double slo_burn(uint32_t target, struct slo_counts c);

/* The part of the error budget that is left, given the counts of the objective's whole window: 1 is
 * untouched, 0 spent, negative overspent. 1 without events. */
double slo_budget_left(uint32_t target, struct slo_counts c);

/* Events that may still go wrong before the budget is spent, if no others come: floor of
 * all * (1 - target) - bad; negative: by so many it is overspent. */
int64_t slo_bad_left(uint32_t target, struct slo_counts c);

/* When the budget is gone if it goes on burning like this: budget_left * window / burn days. False
 * when it is not: nothing burns, or so slowly that what is spent now leaves the window before the
 * rest is used up (burn < budget_left). 0 days when it is gone already. window_s: seconds, > 0. */
bool slo_days_left(double budget_left, double burn, int64_t window_s, double *ret_days);

/* Measured share of a window in [0, 1]; window_s > 0. */
double slo_coverage(uint64_t measured_ms, int64_t window_s);

#endif
