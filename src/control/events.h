/* SPDX-License-Identifier: Apache-2.0 */
/* events.h - what workers tell of background jobs that ended: reading a JSON array of it.
 * Always: all of an array is understood, or nothing of it is taken. */
#ifndef EK_CONTROL_EVENTS_H
#define EK_CONTROL_EVENTS_H

#include "base/clock.h"
#include "base/err.h"
#include "bus/config.h"
#include "core/verdict.h"

enum {
    EVENT_ID_MAX = 256,
    EVENT_TOOK_MAX_S = 366 * 86400,
};

enum { EVENTS_MAX = 4096 }; /* of one array: what fits 256 KiB in its shortest form, or nearly */

struct event {
    const struct journey *journey; /* of jobs */
    enum outcome outcome;          /* as told */
    ns_t took;                     /* how long it took, or how old it was; 0 unless told */
    ns_t ago;                      /* when it ended, before now; 0: now */
    uint64_t mark;                 /* of its id, by `key`; 0: it has none */
};

/* The array in `body`; journeys are those of `c`. unix_now: seconds. *ret_list is from malloc. The error names the index
 * of the first event that is wrong. */
err events_read(struct span body, const struct config *c, uint64_t key, int64_t unix_now,
                struct event **ret_list, size_t *ret_count);

/* "good", "slow", "failed", "excluded". */
bool event_outcome(struct span word, enum outcome *ret);

struct control;

/* They are counted when they ended; not those whose mark is among the last ones already: *ret_known. In api_take_events.c. */
void events_count(struct control *c, const struct event *list, size_t count, size_t *ret_known);

#endif
