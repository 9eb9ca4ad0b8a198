/* SPDX-License-Identifier: Apache-2.0 */
/* retry_budget.h - how many retries a service may have: a share of its requests of the last ten seconds, and
 * never less than a small floor, so that a quiet service can retry at all. What retries add to the load is
 * bounded by the share whatever breaks, which a number of attempts alone cannot promise.
 * Always: a retry is counted when it is decided, so one that still waits holds its part of the budget; what
 * is left is never negative.
 * One owner; pure: time is an argument.  Next: plane/http/retry.c, which asks. */
#ifndef EK_CORE_RETRY_BUDGET_H
#define EK_CORE_RETRY_BUDGET_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    RETRY_WINDOW_S = 10,
    RETRY_FLOOR = 10, /* retries in a window that are always allowed, over all reactors */
};

struct retry_budget {
    int64_t second; /* of the newest slot */
    uint32_t originals[RETRY_WINDOW_S];
    uint32_t retries[RETRY_WINDOW_S];
    uint32_t originals_sum;
    uint32_t retries_sum;
};

/* A request is offered to an instance for the first time. */
void retry_budget_original(struct retry_budget *b, ns_t now);

/* How many retries may be decided now. `ppm`: retries per million originals, 0 to 1,000,000; 0: none, not
 * even the floor. */
uint32_t retry_budget_left(struct retry_budget *b, ns_t now, uint32_t ppm, uint32_t floor);

/* Takes one; false when none is left. */
[[nodiscard]] bool retry_budget_take(struct retry_budget *b, ns_t now, uint32_t ppm,
                                     uint32_t floor);

/* Most that retry number `nth` (1, 2, ...) waits: `first`, twice that, and so on, at most 10 s. How long
 * it waits is chosen by chance between nothing and this ("full jitter"). */
ns_t retry_backoff_most(ns_t first, unsigned nth);

#endif
