/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - objects of one size for one thread: taken from a free list, never moved.
 * Always: held <= max. Memory comes in slabs, so that a busy reactor stops calling malloc once it has
 * seen its peak; slabs go back only when the pool does. */
#ifndef EK_BASE_POOL_H
#define EK_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool_slot;

struct pool {
    const char *name;       /* for statistics and messages */
    size_t object_size;     /* bytes */
    size_t max;             /* objects; the bound that the owner gives, with its reason */
    size_t held;            /* objects given out */
    size_t made;            /* objects that exist */
    struct pool_slot *free; /* last returned first: it is still in the cache */
    void *slabs;
};

void pool_init(struct pool *p, const char *name, size_t object_size, size_t max);

/* An object, its bytes undefined; NULL when max are held. */
void *pool_take(struct pool *p);

void pool_give(struct pool *p, void *object);

/* Every object must have been given back. */
void pool_free(struct pool *p);

#endif
