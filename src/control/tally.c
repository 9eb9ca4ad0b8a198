/* SPDX-License-Identifier: Apache-2.0 */
/* tally.c - see tally.h. */
#include "control/tally.h"

#include "core/histogram.h"

void tally_verdict(struct counter_page *page, struct tally_slots slots, struct verdict v, ns_t took)
{
    uint8_t series[VERDICT_SERIES_MAX];
    unsigned n = verdict_series(v, series);

    for (unsigned i = 0; i < n; i++)
        counter_add(page, slots.series + series[i], 1);
    if (verdict_timed(v)) {
        counter_add(page, slots.series + SERIES_LATENCY_SUM_US, (uint64_t)(took / NS_PER_US));
        counter_add(page, slots.histogram + histogram_bin(took), 1);
    }
}
