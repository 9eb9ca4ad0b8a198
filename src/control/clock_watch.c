/* SPDX-License-Identifier: Apache-2.0 */
/* clock_watch.c - see clock_watch.h. */
#include "control/clock_watch.h"

bool clock_watch_look(struct clock_watch *w, ns_t monotonic, ns_t wall, ns_t *ret_step)
{
    ns_t ahead = wall - monotonic;
    ns_t step = w->begun ? ahead - w->ahead : 0;

    w->ahead = ahead;
    w->begun = true;
    if (step <= CLOCK_STEP_MIN && step >= -CLOCK_STEP_MIN)
        return false;
    *ret_step = step;
    return true;
}
