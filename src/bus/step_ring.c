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

/* How many are in it, at most: the reader's count is looked at only when it could matter. */
static uint64_t in_use(struct step_ring *r, uint64_t written)
{
    if (written - r->read_seen >= STEP_RING_HURRY)
        r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
    return written - r->read_seen;
}

enum step_put step_ring_put(struct step_ring *r, const struct step_entry *e)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    uint64_t used = in_use(r, written);

    if (used == STEP_RING_ENTRIES)
        return STEP_NO_ROOM;
    r->entries[written % STEP_RING_ENTRIES] = *e;
    atomic_store_explicit(&r->written, written + 1, memory_order_release);
    return used + 1 == STEP_RING_HURRY ? STEP_PUT_HURRY : STEP_PUT;
}

static uint64_t to_read(const struct step_ring *r)
{
    return atomic_load_explicit(&r->written, memory_order_acquire) -
           atomic_load_explicit(&r->read, memory_order_relaxed);
}

const struct step_entry *step_ring_peek(const struct step_ring *r)
{
    uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

    return to_read(r) == 0 ? NULL : &r->entries[read % STEP_RING_ENTRIES];
}

void step_ring_taken(struct step_ring *r)
{
    uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

    atomic_store_explicit(&r->read, read + 1, memory_order_release);
}

bool step_ring_hurries(const struct step_ring *r)
{
    return to_read(r) >= STEP_RING_HURRY;
}
