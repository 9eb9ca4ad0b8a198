/* SPDX-License-Identifier: Apache-2.0 */
/* clock.h - time as integers in nanoseconds, and the two clocks of this machine.
 * Durations and deadlines use the monotonic clock; only what is shown or stored uses wall time.
 * Pure folders take times as arguments; only io, store, jobs and control may read a clock. */
#ifndef EK_BASE_CLOCK_H
#define EK_BASE_CLOCK_H

#include <stdint.h>

typedef int64_t ns_t; /* nanoseconds; 292 years */

#define NS_PER_US ((ns_t)1000)
#define NS_PER_MS ((ns_t)1000000)
#define NS_PER_S  ((ns_t)1000000000)

#define NS_NEVER INT64_MAX /* a deadline that does not come */

/* CLOCK_MONOTONIC: never steps; its zero means nothing. */
ns_t clock_monotonic(void);

/* CLOCK_REALTIME: since 1970-01-01 UTC; may step. */
ns_t clock_wall(void);

#endif
