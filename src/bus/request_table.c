/* SPDX-License-Identifier: Apache-2.0 */
/* request_table.c - claiming and finding slots. */
#include "bus/request_table.h"

#include "base/check.h"

#include <stdlib.h>

void request_table_open(struct request_table *t)
{
    *t = (struct request_table){ .slots = calloc(REQUEST_SLOTS, sizeof(t->slots[0])) };
    check(t->slots != NULL);
}

void request_table_close(struct request_table *t)
{
    free(t->slots);
    t->slots = NULL;
}

/* Never 0. A client that chooses ids which share a slot only makes its own requests untracked. */
static uint64_t owner_of(struct trace_id id)
{
    uint64_t h = id.high ^ (id.low * 0x9e3779b97f4a7c15u);

    return h ? h : 1;
}

static struct request_slot *slot_of(struct request_table *t, struct trace_id id, unsigned probe)
{
    return &t->slots[(id.low + probe) % REQUEST_SLOTS];
}

static uint64_t get(_Atomic uint64_t *field)
{
    return atomic_load_explicit(field, memory_order_relaxed);
}

static void put(_Atomic uint64_t *field, uint64_t value)
{
    atomic_store_explicit(field, value, memory_order_relaxed);
}

static void add(_Atomic uint64_t *field, uint64_t value)
{
    put(field, get(field) + value);
}

struct request_slot *request_claim(struct request_table *t, struct trace_id id)
{
    uint64_t owner = owner_of(id);

    for (unsigned i = 0; i < REQUEST_PROBES; i++) {
        struct request_slot *s = slot_of(t, id, i);
        uint64_t expected = 0;
        if (get(&s->owner) != 0 ||
            !atomic_compare_exchange_strong_explicit(&s->owner, &expected, owner,
                                                     memory_order_acquire, memory_order_relaxed))
            continue;
        put(&s->pool_wait_ns, 0);
        put(&s->server_ns, 0);
        put(&s->statements, 0);
        put(&s->write_lsn, 0);
        put(&s->write_timeline, 0);
        put(&s->trace_high, id.high);
        atomic_store_explicit(&s->trace_low, id.low, memory_order_release);
        return s;
    }
    atomic_fetch_add_explicit(&t->untracked, 1, memory_order_relaxed);
    return NULL;
}

void request_release(struct request_slot *s)
{
    put(&s->trace_high, 0);
    put(&s->trace_low, 0);
    atomic_store_explicit(&s->owner, 0, memory_order_release);
}

static bool is_of(struct request_slot *s, struct trace_id id)
{
    return atomic_load_explicit(&s->trace_low, memory_order_acquire) == id.low &&
           get(&s->trace_high) == id.high;
}

struct request_slot *request_find(struct request_table *t, struct trace_id id)
{
    uint64_t owner = owner_of(id);

    for (unsigned i = 0; i < REQUEST_PROBES; i++) {
        struct request_slot *s = slot_of(t, id, i);
        if (get(&s->owner) == owner && is_of(s, id))
            return s;
    }
    return NULL;
}

bool request_add_statement(struct request_slot *s, struct trace_id id, uint64_t pool_wait_ns,
                           uint64_t server_ns)
{
    if (!is_of(s, id))
        return false;
    add(&s->pool_wait_ns, pool_wait_ns);
    add(&s->server_ns, server_ns);
    add(&s->statements, 1);
    return true;
}
