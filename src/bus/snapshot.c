/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - publishing, adopting and freeing configurations. */
#include "bus/snapshot.h"

#include "base/check.h"

void publication_init(struct publication *p, void (*free_config)(struct config *c))
{
    *p = (struct publication){ .free_config = free_config };
}

void publication_add_reader(struct publication *p, struct snapshot_reader *r)
{
    check(p->reader_count < SNAPSHOT_READERS_MAX && p->generation == 0);
    *r = (struct snapshot_reader){};
    p->readers[p->reader_count++] = r;
}

uint64_t publication_oldest(const struct publication *p)
{
    uint64_t oldest = p->generation;

    for (size_t i = 0; i < p->reader_count; i++) {
        uint64_t g = atomic_load_explicit(&p->readers[i]->oldest_generation, memory_order_acquire);
        if (g < oldest)
            oldest = g;
    }
    return oldest;
}

size_t publication_reclaim(struct publication *p)
{
    uint64_t oldest = publication_oldest(p);
    size_t freed = 0;

    while (p->held_count - freed > 1 && p->held[freed]->generation < oldest)
        p->free_config(p->held[freed++]);
    p->held_count -= freed;
    memmove(p->held, p->held + freed, p->held_count * sizeof(p->held[0]));
    return p->held_count;
}

bool publication_publish(struct publication *p, struct config *c)
{
    if (publication_reclaim(p) == SNAPSHOTS_HELD_MAX)
        return false;
    c->generation = ++p->generation;
    p->held[p->held_count++] = c;
    atomic_store_explicit(&p->newest, c, memory_order_release);
    return true;
}

bool publication_adopted(const struct publication *p)
{
    for (size_t i = 0; i < p->reader_count; i++) {
        if (atomic_load_explicit(&p->readers[i]->newest_generation, memory_order_acquire) !=
            p->generation)
            return false;
    }
    return true;
}

void publication_free(struct publication *p)
{
    for (size_t i = 0; i < p->held_count; i++)
        p->free_config(p->held[i]);
    p->held_count = 0;
}

static void tell_oldest(struct snapshot_reader *r)
{
    atomic_store_explicit(&r->oldest_generation, r->uses[r->oldest].config->generation,
                          memory_order_release);
}

/* Forgets old ones that no exchange uses; the newest always stays. */
static void drop_unused(struct snapshot_reader *r)
{
    while (r->count > 1 && r->uses[r->oldest].exchanges == 0) {
        r->oldest = (r->oldest + 1) % SNAPSHOTS_HELD_MAX;
        r->count--;
    }
    tell_oldest(r);
}

bool snapshot_adopt(struct snapshot_reader *r, struct publication *p)
{
    const struct config *newest = atomic_load_explicit(&p->newest, memory_order_acquire);

    if (!newest || (r->count > 0 && snapshot_current(r)->config == newest))
        return false;
    /* control holds at most SNAPSHOTS_HELD_MAX, and we use no other */
    check(r->count < SNAPSHOTS_HELD_MAX);
    r->count++;
    *snapshot_current(r) = (struct snapshot_use){ .config = newest };
    atomic_store_explicit(&r->newest_generation, newest->generation, memory_order_release);
    drop_unused(r);
    return true;
}

struct snapshot_use *snapshot_hold(struct snapshot_reader *r)
{
    struct snapshot_use *u = snapshot_current(r);

    u->exchanges++;
    return u;
}

void snapshot_let_go(struct snapshot_reader *r, struct snapshot_use *u)
{
    check(u->exchanges > 0);
    u->exchanges--;
    if (u->exchanges == 0 && r->count > 1)
        drop_unused(r);
}
