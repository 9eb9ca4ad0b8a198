/* SPDX-License-Identifier: Apache-2.0 */
/* retry_budget.c - ten slots of a second each, and their sums. */
#include "core/retry_budget.h"

#include <string.h>

/* Forgets the seconds that have left the window. */
static void advance(struct retry_budget *b, ns_t now)
{
    int64_t second = now / NS_PER_S;

    if (second <= b->second)
        return;
    if (second - b->second >= RETRY_WINDOW_S) {
        *b = (struct retry_budget){ .second = second };
        return;
    }
    while (b->second < second) {
        unsigned slot = (unsigned)(++b->second % RETRY_WINDOW_S);
        b->originals_sum -= b->originals[slot];
        b->retries_sum -= b->retries[slot];
        b->originals[slot] = b->retries[slot] = 0;
    }
}

static unsigned slot_of(const struct retry_budget *b)
{
    return (unsigned)(b->second % RETRY_WINDOW_S);
}

void retry_budget_original(struct retry_budget *b, ns_t now)
{
    advance(b, now);
    b->originals[slot_of(b)]++;
    b->originals_sum++;
}

uint32_t retry_budget_left(struct retry_budget *b, ns_t now, uint32_t ppm, uint32_t floor)
{
    if (ppm == 0)
        return 0;
    advance(b, now);
    uint64_t share = (uint64_t)b->originals_sum * ppm / 1000000;
    uint64_t allowed = share > floor ? share : floor;
    return allowed > b->retries_sum ? (uint32_t)(allowed - b->retries_sum) : 0;
}

bool retry_budget_take(struct retry_budget *b, ns_t now, uint32_t ppm, uint32_t floor)
{
    if (retry_budget_left(b, now, ppm, floor) == 0)
        return false;
    b->retries[slot_of(b)]++;
    b->retries_sum++;
    return true;
}

ns_t retry_backoff_most(ns_t first, unsigned nth)
{
    ns_t most = first;

    while (nth-- > 1 && most < 10 * NS_PER_S)
        most *= 2;
    return most < 10 * NS_PER_S ? most : 10 * NS_PER_S;
}
