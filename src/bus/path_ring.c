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

static bool has_room(struct path_ring *r, uint64_t written)
{
    if (written - r->read_seen < PATH_RING_ENTRIES)
        return true;
    r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
    return written - r->read_seen < PATH_RING_ENTRIES;
}

bool path_ring_put(struct path_ring *r, struct span method, struct span path, unsigned status,
                   unsigned outcome, ns_t took)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);

    if (path.n > PATH_RING_PATH || !has_room(r, written)) {
        uint64_t lost = atomic_load_explicit(&r->lost, memory_order_relaxed);
        atomic_store_explicit(&r->lost, lost + 1, memory_order_relaxed);
        return false;
    }
    struct path_entry *e = &r->entries[written % PATH_RING_ENTRIES];
    e->took = took;
    e->status = (uint16_t)status;
    e->outcome = (uint8_t)outcome;
    e->method_n = (uint8_t)(method.n < PATH_RING_METHOD ? method.n : PATH_RING_METHOD);
    e->path_n = (uint8_t)path.n;
    memcpy(e->method, method.p, e->method_n);
    memcpy(e->path, path.p, path.n);
    atomic_store_explicit(&r->written, written + 1, memory_order_release);
    return true;
}

const struct path_entry *path_ring_peek(const struct path_ring *r)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_acquire);
    uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

    return written == read ? NULL : &r->entries[read % PATH_RING_ENTRIES];
}

void path_ring_taken(struct path_ring *r)
{
    uint64_t read = atomic_load_explicit(&r->read, memory_order_relaxed);

    atomic_store_explicit(&r->read, read + 1, memory_order_release);
}
