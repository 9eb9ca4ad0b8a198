/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_table.c - a table by hash, and entries in a circle. */
#include "bus/tenant_table.h"

#include "base/check.h"

#include <stdlib.h>
#define XXH_INLINE_ALL /* of a name of some letters the call would be half the work */
#include <xxhash.h>

uint64_t tenant_hash(uint64_t key, struct span tenant)
{
    return XXH3_64bits_withSeed(tenant.p, tenant.n, key);
}

void tenant_reader_open(struct tenant_reader *r, const struct tenant_table *_Atomic *newest,
                        uint64_t key)
{
    *r = (struct tenant_reader){ .newest = newest, .key = key };
    r->ring.entries = calloc(TENANT_RING_ENTRIES, sizeof(r->ring.entries[0]));
    check(r->ring.entries != NULL);
}

void tenant_reader_close(struct tenant_reader *r)
{
    free(r->ring.entries);
    r->ring.entries = NULL;
}

void tenant_reader_turn(struct tenant_reader *r)
{
    const struct tenant_table *newest = atomic_load_explicit(r->newest, memory_order_acquire);

    if (newest == r->table)
        return;
    r->table = newest;
    atomic_store_explicit(&r->generation, newest->generation, memory_order_release);
}

/* ---- the table */

void tenant_table_put(struct tenant_table *t, unsigned id, uint64_t hash)
{
    uint32_t cell = (uint32_t)(hash % TENANT_CELLS);

    check(id < DIMENSION_VALUES);
    while (t->cells[cell])
        cell = (cell + 1) % TENANT_CELLS;
    t->cells[cell] = (uint8_t)(id + 1);
    t->hashes[id + 1] = hash;
}

/* Whether one has a value is nothing that a processor could foresee: both ways out are one, in arithmetic, for compilers make
 * two branches of an `or`. */
static unsigned find(const struct tenant_table *t, uint64_t hash)
{
    uint32_t cell = (uint32_t)(hash % TENANT_CELLS);

    for (;; cell = (cell + 1) % TENANT_CELLS) {
        unsigned number = t->cells[cell];
        uint64_t taken =
            0 - (uint64_t)((number + UINT8_MAX) >> 8); /* all bits, or none when it is 0 */
        if (((t->hashes[number] ^ hash) & taken) == 0)
            return number;
    }
}

/* ---- the ring */

static void put(struct tenant_ring *r, uint64_t hash, struct span tenant)
{
    if (ring_used(&r->ring, TENANT_RING_ENTRIES) == TENANT_RING_ENTRIES)
        return;
    heavy_text_make(&r->entries[ring_next(&r->ring) % TENANT_RING_ENTRIES], hash, tenant);
    ring_put(&r->ring);
}

unsigned tenant_see(struct tenant_reader *r, struct span tenant)
{
    uint64_t hash = tenant_hash(r->key, tenant);

    put(&r->ring, hash, tenant);
    return r->table ? find(r->table, hash) : 0;
}

const struct heavy_text *tenant_ring_peek(const struct tenant_ring *r)
{
    return ring_waiting(&r->ring) ? &r->entries[ring_oldest(&r->ring) % TENANT_RING_ENTRIES] : NULL;
}

void tenant_ring_taken(struct tenant_ring *r)
{
    ring_taken(&r->ring);
}
