/* SPDX-License-Identifier: Apache-2.0 */
/* tenant_table.h - which tenants have a value of their own: control tells each reactor by a table, each reactor tells control by a ring
 * whom it sees.
 * A table is immutable and small. A reactor takes the newest at the top of its turn and uses it within that turn only, so a
 * table may be freed, and a value given to another tenant, once every reactor has taken a later one.
 * A ring has one writer and one reader. It takes what comes until it is full, then nothing until control has looked, once a second: a
 * sample, of known and unknown tenants alike. The writer never waits. */
#ifndef EK_BUS_TENANT_TABLE_H
#define EK_BUS_TENANT_TABLE_H

#include "bus/config.h"
#include "bus/ring.h"
#include "bus/value_slots.h"
#include "core/heavy.h"

#include <stdatomic.h>

enum {
    /* so many that the first is nearly always the right one */
    TENANT_CELLS = 16 * DIMENSION_VALUES,
    /* of a ring; control needs some 50 ns for each, so 64 full ones hold it up by 2 ms */
    TENANT_RING_ENTRIES = 512,
};

struct tenant_table {
    uint64_t generation;                   /* 1, 2, ... */
    uint64_t hashes[1 + DIMENSION_VALUES]; /* by id + 1 */
    uint8_t cells[TENANT_CELLS];           /* id + 1, by hash; 0: free */
};

struct tenant_ring {
    struct ring ring;
    struct heavy_text *entries;
};

/* One reactor's side. */
struct tenant_reader {
    const struct tenant_table *_Atomic *newest;
    const struct tenant_table *table; /* of this turn; NULL: nobody has a value */
    _Atomic uint64_t generation;      /* of it; told to control */
    uint64_t key;                     /* secret, of the hashes; the same for all */
    struct tenant_ring ring;
};

void tenant_reader_open(struct tenant_reader *r, const struct tenant_table *_Atomic *newest,
                        uint64_t key);
void tenant_reader_close(struct tenant_reader *r);

static inline uint64_t tenant_reader_generation(const struct tenant_reader *r)
{
    return atomic_load_explicit(&r->generation, memory_order_acquire);
}

/* Reactor: there is a table that it has not taken yet. */
static inline bool tenant_reader_behind(const struct tenant_reader *r)
{
    return atomic_load_explicit(r->newest, memory_order_acquire) != r->table;
}

/* Reactor, at the top of a turn. */
void tenant_reader_turn(struct tenant_reader *r);

/* Reactor: notes whom it sees, and returns id + 1, or 0: he has no value. */
unsigned tenant_see(struct tenant_reader *r, struct span tenant);

/* As the access log hashes identities. */
uint64_t tenant_hash(uint64_t key, struct span tenant);

/* Control: before publication. A tenant is known by his hash: of 64 bits and keyed, two who have the same do not happen. */
void tenant_table_put(struct tenant_table *t, unsigned id, uint64_t hash);

/* Control: the oldest entry, which stays until tenant_ring_taken(); NULL: there is none. */
const struct heavy_text *tenant_ring_peek(const struct tenant_ring *r);
void tenant_ring_taken(struct tenant_ring *r);

#endif
