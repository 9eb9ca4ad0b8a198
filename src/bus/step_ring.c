/* SPDX-License-Identifier: Apache-2.0 */
/* step_ring.c - entries in a circle. */
#include "bus/step_ring.h"

#include "base/check.h"

#include <stdlib.h>

void step_ring_open(struct step_ring *r)
{
    *r = (struct step_ring){ .entries = calloc(STEP_RING_ENTRIES, sizeof(r->entries[0])) };
    check(r->entries != NULL);
}

void step_ring_close(struct step_ring *r)
{
    free(r->entries);
    r->entries = NULL;
}

enum step_put step_ring_put(struct step_ring *r, const struct step_entry *e)
{
    uint64_t used = ring_used(&r->ring, STEP_RING_HURRY);

    if (used == STEP_RING_ENTRIES)
        return STEP_NO_ROOM;
    r->entries[ring_next(&r->ring) % STEP_RING_ENTRIES] = *e;
    ring_put(&r->ring);
    return used + 1 == STEP_RING_HURRY ? STEP_PUT_HURRY : STEP_PUT;
}

const struct step_entry *step_ring_peek(const struct step_ring *r)
{
    return ring_waiting(&r->ring) ? &r->entries[ring_oldest(&r->ring) % STEP_RING_ENTRIES] : NULL;
}

void step_ring_taken(struct step_ring *r)
{
    ring_taken(&r->ring);
}

bool step_ring_hurries(const struct step_ring *r)
{
    return ring_waiting(&r->ring) >= STEP_RING_HURRY;
}
