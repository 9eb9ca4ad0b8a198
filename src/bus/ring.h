/* SPDX-License-Identifier: Apache-2.0 */
/* ring.h - the counts of a ring with one writer and one reader on different threads; whoever uses it owns the entries and knows how
 * many there are.
 * Always: no lock; an entry is seen by the reader whole or not at all, and is not overwritten before the reader has let go of it. */
#ifndef EK_BUS_RING_H
#define EK_BUS_RING_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>

/* Begins as zeroes. */
struct ring {
    alignas(64) _Atomic uint64_t written; /* entries put in, ever; the writer's */
    uint64_t read_seen;                   /* the writer's last look at `read` */
    alignas(64) _Atomic uint64_t read;    /* entries taken out; the reader's */
};

/* ---- the writer */

/* How many are in it, at most. The reader's count is on the reader's cache line: it is looked at only where the answer would
 * be `matters` or more. */
static inline uint64_t ring_used(struct ring *r, uint64_t matters)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);

    if (written - r->read_seen >= matters)
        r->read_seen = atomic_load_explicit(&r->read, memory_order_acquire);
    return written - r->read_seen;
}

/* The number of the entry to fill, modulo the ring's size. */
static inline uint64_t ring_next(const struct ring *r)
{
    return atomic_load_explicit(&r->written, memory_order_relaxed);
}

/* It is filled. */
static inline void ring_put(struct ring *r)
{
    atomic_store_explicit(&r->written, ring_next(r) + 1, memory_order_release);
}

/* ---- the reader */

/* The number of the oldest entry, modulo the ring's size. */
static inline uint64_t ring_oldest(const struct ring *r)
{
    return atomic_load_explicit(&r->read, memory_order_relaxed);
}

static inline uint64_t ring_waiting(const struct ring *r)
{
    return atomic_load_explicit(&r->written, memory_order_acquire) - ring_oldest(r);
}

/* The reader has let go of the oldest. */
static inline void ring_taken(struct ring *r)
{
    atomic_store_explicit(&r->read, ring_oldest(r) + 1, memory_order_release);
}

#endif
