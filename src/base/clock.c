/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - reading the machine's clocks through the vDSO: no system call. */
#include "base/clock.h"

#include <time.h>

static ns_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (ns_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

ns_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

ns_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}
