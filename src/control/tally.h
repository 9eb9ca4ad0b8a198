/* SPDX-License-Identifier: Apache-2.0 */
/* tally.h - what control itself counts for journeys, in its own page: ends of jobs, users' attempts. Requests are counted by
 * the reactors (plane/http/account.c) in the same way.
 * Next: api_take_events.c, journey_steps.c. */
#ifndef EK_CONTROL_TALLY_H
#define EK_CONTROL_TALLY_H

#include "bus/counters.h"
#include "core/verdict.h"

/* Where a version of a journey has its counters; they outlive the configuration. */
struct tally_slots {
    uint32_t series;
    uint32_t histogram;
};

/* `took` belongs to a verdict that is timed. */
void tally_verdict(struct counter_page *page, struct tally_slots slots, struct verdict v,
                   ns_t took);

#endif
