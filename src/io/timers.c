/* SPDX-License-Identifier: Apache-2.0 */
/* timers.c - the wheel. Level 0 has a slot per tick; a slot of level n covers 64^n ticks and is
 * spread over the level below when its time comes. */
#include "io/timers.h"

static uint64_t tick_of(ns_t when)
{
    return (uint64_t)when >> TIMER_TICK_SHIFT;
}

/* The first tick at whose end `when` has passed. */
static uint64_t tick_after(ns_t when)
{
    uint64_t tick = tick_of(when);
    return ((uint64_t)tick << TIMER_TICK_SHIFT) < (uint64_t)when ? tick + 1 : tick;
}

void timers_init(struct timers *ts, ns_t now)
{
    *ts = (struct timers){ .tick = tick_of(now) };
    for (int level = 0; level < TIMER_LEVELS; level++) {
        for (int slot = 0; slot < TIMER_SLOTS; slot++)
            list_init(&ts->slots[level][slot]);
    }
}

static void file_timer(struct timers *ts, struct timer *t, uint64_t tick)
{
    const uint64_t farthest = (UINT64_C(1) << (TIMER_LEVELS * TIMER_SLOT_BITS)) - TIMER_SLOTS;
    unsigned level = 0;

    if (tick <= ts->tick)
        tick = ts->tick + 1;
    if (tick - ts->tick > farthest)
        tick = ts->tick + farthest;
    /* the lowest level at which this tick and now differ only below that level's slot */
    while (level + 1 < TIMER_LEVELS && (tick >> ((level + 1) * TIMER_SLOT_BITS)) !=
                                           (ts->tick >> ((level + 1) * TIMER_SLOT_BITS)))
        level++;
    unsigned slot = (unsigned)(tick >> (level * TIMER_SLOT_BITS)) & (TIMER_SLOTS - 1);
    t->tick = tick;
    t->level = (uint8_t)level;
    t->slot = (uint8_t)slot;
    list_append(&ts->slots[level][slot], &t->link);
    ts->occupied[level] |= UINT64_C(1) << slot;
    ts->count++;
}

void timer_drop(struct timers *ts, struct timer *t)
{
    if (!link_linked(&t->link))
        return;
    struct list *slot = &ts->slots[t->level][t->slot];
    list_remove(slot, &t->link);
    if (list_empty(slot))
        ts->occupied[t->level] &= ~(UINT64_C(1) << t->slot);
    ts->count--;
}

void timer_set(struct timers *ts, struct timer *t, ns_t when)
{
    t->when = when;
    if (link_linked(&t->link) && (when == NS_NEVER || tick_after(when) >= t->tick))
        return; /* its old place comes by first */
    timer_drop(ts, t);
    if (when != NS_NEVER)
        file_timer(ts, t, tick_after(when));
}

/* The nearest occupied slot of a level, as an absolute tick: when its time begins. */
static uint64_t level_next(const struct timers *ts, unsigned level)
{
    unsigned shift = level * TIMER_SLOT_BITS;
    uint64_t here = ts->tick >> shift;
    uint64_t bits = ts->occupied[level];
    unsigned from = (unsigned)(here + 1) & (TIMER_SLOTS - 1);

    if (bits == 0)
        return UINT64_MAX;
    uint64_t turned = from ? (bits >> from) | (bits << (TIMER_SLOTS - from)) : bits;
    return (here + 1 + (uint64_t)__builtin_ctzll(turned)) << shift;
}

static uint64_t next_tick(const struct timers *ts)
{
    uint64_t next = UINT64_MAX;

    for (unsigned level = 0; level < TIMER_LEVELS; level++) {
        uint64_t tick = level_next(ts, level);
        if (tick < next)
            next = tick;
    }
    return next;
}

ns_t timers_next(const struct timers *ts)
{
    if (ts->count == 0)
        return NS_NEVER;
    return (ns_t)(next_tick(ts) << TIMER_TICK_SHIFT);
}

/* Takes everything out of a slot: what is due fires, the rest is filed again, nearer. */
static size_t empty_slot(struct timers *ts, unsigned level, unsigned slot, ns_t now)
{
    struct list *from = &ts->slots[level][slot];
    size_t fired = 0;

    for (size_t left = from->count; left > 0 && !list_empty(from); left--) {
        struct timer *t = container_of(list_first(from), struct timer, link);
        timer_drop(ts, t);
        if (t->when == NS_NEVER)
            continue;
        if (t->when <= now) {
            t->when = NS_NEVER;
            fired++;
            t->fire(t);
        } else {
            file_timer(ts, t, tick_after(t->when));
        }
    }
    return fired;
}

size_t timers_run(struct timers *ts, ns_t now)
{
    uint64_t until = tick_of(now);
    size_t fired = 0;

    while (ts->tick < until) {
        uint64_t next = next_tick(ts);
        if (next > until) {
            ts->tick = until;
            break;
        }
        ts->tick = next;
        /* from the top, so that what is spread lands in a slot that is emptied next */
        for (unsigned level = TIMER_LEVELS; level-- > 0;) {
            unsigned shift = level * TIMER_SLOT_BITS;
            if (next & ((UINT64_C(1) << shift) - 1))
                continue;
            unsigned slot = (unsigned)(next >> shift) & (TIMER_SLOTS - 1);
            fired += empty_slot(ts, level, slot, now);
        }
    }
    return fired;
}
