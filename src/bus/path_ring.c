/* SPDX-License-Identifier: Apache-2.0 */
/* path_ring.c - entries in a circle. */
#include "bus/path_ring.h"

#include "base/check.h"

#include <stdlib.h>

void path_ring_open(struct path_ring *r)
{
    *r = (struct path_ring){ .entries = calloc(PATH_RING_ENTRIES, sizeof(r->entries[0])) };
    check(r->entries != NULL);
}

void path_ring_close(struct path_ring *r)
{
    free(r->entries);
    r->entries = NULL;
}

bool path_ring_put(struct path_ring *r, struct span method, struct span path, unsigned status,
                   unsigned outcome, ns_t took)
{
    if (path.n > PATH_RING_PATH || ring_used(&r->ring, PATH_RING_ENTRIES) == PATH_RING_ENTRIES) {
        uint64_t lost = atomic_load_explicit(&r->lost, memory_order_relaxed);
        atomic_store_explicit(&r->lost, lost + 1, memory_order_relaxed);
        return false;
    }
    struct path_entry *e = &r->entries[ring_next(&r->ring) % PATH_RING_ENTRIES];
    e->took = took;
    e->status = (uint16_t)status;
    e->outcome = (uint8_t)outcome;
    e->method_n = (uint8_t)(method.n < PATH_RING_METHOD ? method.n : PATH_RING_METHOD);
    e->path_n = (uint8_t)path.n;
    memcpy(e->method, method.p, e->method_n);
    memcpy(e->path, path.p, path.n);
    ring_put(&r->ring);
    return true;
}

const struct path_entry *path_ring_peek(const struct path_ring *r)
{
    return ring_waiting(&r->ring) ? &r->entries[ring_oldest(&r->ring) % PATH_RING_ENTRIES] : NULL;
}

void path_ring_taken(struct path_ring *r)
{
    ring_taken(&r->ring);
}
