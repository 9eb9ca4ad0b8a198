/* SPDX-License-Identifier: Apache-2.0 */
/* clock_watch.h - was the wall clock set, or did the machine sleep? Both change by how much the wall clock is ahead of the
 * monotonic one. Slewing, as NTP does it, never changes it by much from one look to the next.
 * Pure; looked at about each second by control, which then begins an epoch in the store and a gap in coverage. */
#ifndef EK_CONTROL_CLOCK_WATCH_H
#define EK_CONTROL_CLOCK_WATCH_H

#include "base/clock.h"

#include <stdbool.h>

#define CLOCK_STEP_MIN (2 * NS_PER_S) /* less is a slow turn of ours, or slewing */

struct clock_watch {
    ns_t ahead; /* wall less monotonic */
    bool begun;
};

/* True when it was stepped since the last look, and by how much: negative when it was set back. */
bool clock_watch_look(struct clock_watch *w, ns_t monotonic, ns_t wall, ns_t *ret_step);

#endif
