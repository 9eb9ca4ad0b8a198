/* SPDX-License-Identifier: Apache-2.0 */
/* step_watch.c - a finished request that is a step of a journey: control is told, and decides what it means, for a user's
 * requests come to all reactors. Control knows users by a keyed hash only. */
#include "plane/http/exchange.h"

void steps_tell(struct exchange *x, const struct journey *j, uint8_t steps, enum outcome outcome)
{
    struct http_edge *e = x->edge;

    if (!e->steps)
        return;
    if (x->user.n == 0) {
        edge_count(e, j->slots.series + SERIES_NO_IDENTITY, 1);
        return;
    }
    struct step_entry entry = { .user = span_hash(x->user, e->hash_key),
                                .begun = x->began,
                                .ended = e->reactor->now,
                                .journey = j->id,
                                .steps = steps,
                                .outcome = (uint8_t)outcome };
    switch (step_ring_put(e->steps, &entry)) {
    case STEP_PUT: break;
    case STEP_PUT_HURRY: reactor_wake(e->control); break;
    case STEP_NO_ROOM: edge_count(e, e->slots->counters + EDGE_STEPS_DROPPED, 1); break;
    }
}
