/* SPDX-License-Identifier: Apache-2.0 */
/* path_ring.h - which paths no journey takes: from one reactor to control.
 * Always: one writer, one reader, no lock; an entry is in it whole or not at all; what finds no room, and a path that is
 * longer than PATH_RING_PATH, is counted as lost. The writer never waits. */
#ifndef EK_BUS_PATH_RING_H
#define EK_BUS_PATH_RING_H

#include "base/clock.h"
#include "base/span.h"
#include "bus/ring.h"

enum {
    /* Control looks once a second and needs about a microsecond for each: 64 full rings hold it up by 65 ms. */
    PATH_RING_ENTRIES = 1024,
    PATH_RING_METHOD = 8, /* a longer method is cut: no journey names one */
    PATH_RING_PATH = 235, /* an entry is 256 bytes, four cache lines */
};

struct path_entry {
    ns_t took; /* negative: not known; only of good and slow answers */
    uint16_t status;
    uint8_t outcome;
    uint8_t method_n;
    uint8_t path_n;
    char method[PATH_RING_METHOD];
    char path[PATH_RING_PATH];
};
_Static_assert(sizeof(struct path_entry) == 256, "four cache lines");

struct path_ring {
    struct ring ring;
    struct path_entry *entries;
    _Atomic uint64_t lost; /* the writer's */
};

void path_ring_open(struct path_ring *r);
void path_ring_close(struct path_ring *r);

/* By the writer: false, and counted as lost, when it finds no room. */
bool path_ring_put(struct path_ring *r, struct span method, struct span path, unsigned status,
                   unsigned outcome, ns_t took);

/* By the reader: the oldest entry, which stays until path_ring_taken(); NULL: there is none. */
const struct path_entry *path_ring_peek(const struct path_ring *r);
void path_ring_taken(struct path_ring *r);

/* How many were lost so far; by anybody. */
static inline uint64_t path_ring_lost(const struct path_ring *r)
{
    return atomic_load_explicit(&r->lost, memory_order_relaxed);
}

#endif
