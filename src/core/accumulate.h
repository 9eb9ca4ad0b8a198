/* SPDX-License-Identifier: Apache-2.0 */
/* accumulate.h - from counters that live as long as the process to counters that never restart, and
 * how much time was measured.
 * Cumulative = base (what the store knew at boot) + live (sum of the counter pages now). Both only
 * grow, so the cumulative value does, over restarts too.
 * One owner: control.  Next: window.h and store/samples.h, which keep cumulative values. */
#ifndef EK_CORE_ACCUMULATE_H
#define EK_CORE_ACCUMULATE_H

#include "base/clock.h"

#include <stdint.h>

/* ret_cumulative may be live itself. */
static inline void accumulate(unsigned count, const uint64_t *base, const uint64_t *live,
                              uint64_t *ret_cumulative)
{
    for (unsigned i = 0; i < count; i++)
        ret_cumulative[i] = base[i] + live[i];
}

/* Time is measured as long as somebody looks at least once per slot of 10 s. A longer silence (a
 * stopped process, a sleeping machine, a control thread that hangs) is a gap as a whole. */
#define COVERAGE_SILENCE_MAX (10 * NS_PER_S)

struct coverage {
    ns_t base;     /* measured before this process; from the store */
    ns_t measured; /* since then */
    ns_t last;     /* when somebody last looked; monotonic */
};

/* Begins measuring now (monotonic), with what was measured before this process. */
void coverage_begin(struct coverage *c, uint64_t base_ms, ns_t now);

/* To be called about each second; now >= the time of the call before. */
void coverage_tick(struct coverage *c, ns_t now);

/* From now on, what lies before `now` is not measured: after a step of the wall clock was seen. */
void coverage_gap(struct coverage *c, ns_t now);

/* Cumulative milliseconds over all processes of this node. */
uint64_t coverage_ms(const struct coverage *c);

#endif
