/* SPDX-License-Identifier: Apache-2.0 */
/* exemplars.c - see exemplars.h. */
#include "bus/exemplars.h"

#include "base/reserve.h"

static const size_t table_size =
    sizeof(struct exemplar_cell) * EXEMPLAR_JOURNEYS_MAX * EXEMPLAR_KINDS;

void exemplars_open(struct exemplars *e)
{
    e->cells = reserve(table_size);
}

void exemplars_close(struct exemplars *e)
{
    reserve_free(e->cells, table_size);
    e->cells = NULL;
}

static struct exemplar_cell *cell_of(const struct exemplars *e, uint32_t journey, enum outcome kind)
{
    return &e->cells[(size_t)journey * EXEMPLAR_KINDS + kind];
}

void exemplar_put(struct exemplars *e, uint32_t journey, enum outcome kind,
                  const struct exemplar *x)
{
    if (journey >= EXEMPLAR_JOURNEYS_MAX || kind > OUTCOME_FAILED)
        return;
    struct exemplar_cell *c = cell_of(e, journey, kind);
    uint64_t turn = atomic_load_explicit(&c->turn, memory_order_relaxed);

    atomic_store_explicit(&c->turn, turn + 1, memory_order_relaxed);
    atomic_store_explicit(&c->trace_high, x->trace_high, memory_order_release);
    atomic_store_explicit(&c->trace_low, x->trace_low, memory_order_release);
    atomic_store_explicit(&c->took, (uint64_t)x->took, memory_order_release);
    atomic_store_explicit(&c->at, (uint64_t)x->at, memory_order_release);
    atomic_store_explicit(&c->turn, turn + 2, memory_order_release);
}

bool exemplar_get(const struct exemplars *e, uint32_t journey, enum outcome kind,
                  struct exemplar *ret)
{
    if (journey >= EXEMPLAR_JOURNEYS_MAX || kind > OUTCOME_FAILED)
        return false;
    struct exemplar_cell *c = cell_of(e, journey, kind);

    for (int i = 0; i < EXEMPLAR_TRIES; i++) {
        uint64_t turn = atomic_load_explicit(&c->turn, memory_order_acquire);
        struct exemplar x = {
            .trace_high = atomic_load_explicit(&c->trace_high, memory_order_acquire),
            .trace_low = atomic_load_explicit(&c->trace_low, memory_order_acquire),
            .took = (ns_t)atomic_load_explicit(&c->took, memory_order_acquire),
            .at = (ns_t)atomic_load_explicit(&c->at, memory_order_acquire),
        };
        if (turn == 0)
            return false;
        if (turn % 2 == 0 && atomic_load_explicit(&c->turn, memory_order_relaxed) == turn) {
            *ret = x;
            return true;
        }
    }
    return false;
}
