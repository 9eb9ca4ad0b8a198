/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - a verdict becomes numbers: of requests on the reactors' pages, of jobs that ended and of users' attempts on control's own.
 * Next: plane/http/account.c, control/api_take_events.c, control/journey_steps.c. */
#ifndef EK_BUS_TALLY_H
#define EK_BUS_TALLY_H

#include "bus/config.h"
#include "bus/counters.h"
#include "core/histogram.h"

/* By the page's writer. `took` >= 0 belongs to a verdict that is timed. */
static inline void tally_verdict(const struct counter_page *page, const struct journey_slots *slots,
                                 struct verdict v, ns_t took)
{
    counter_add(page, slots->verdicts + verdict_counter(v), 1);
    if (!verdict_timed(v))
        return;
    counter_add(page, slots->verdicts + VERDICT_LATENCY_SUM_US, (uint64_t)took / NS_PER_US);
    counter_add(page, slots->histogram + histogram_bin(took), 1);
}

#endif
