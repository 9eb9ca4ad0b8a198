/* SPDX-License-Identifier: Apache-2.0 */
/* timers.h - deadlines of one reactor: a hierarchical wheel (Varghese and Lauck 1987).
 * Always: a timer fires once, never early, at most one tick (about 1 ms) and one turn late.
 * Setting a later time only writes the time down: the timer is moved when its old place comes by, so
 * a deadline that is pushed ahead by every byte costs next to nothing.
 * The owner embeds the timer and must drop it before its memory goes away. */
#ifndef EK_IO_TIMERS_H
#define EK_IO_TIMERS_H

#include "base/clock.h"
#include "base/list.h"

struct timer {
    struct link link;
    uint8_t level; /* place in the wheel while linked */
    uint8_t slot;
    uint64_t tick; /* the tick it is filed under */
    ns_t when;     /* NS_NEVER: nothing to fire */
    void (*fire)(struct timer *t);
};

enum {
    TIMER_TICK_SHIFT = 20, /* a tick is 2^20 ns, 1.05 ms */
    TIMER_LEVELS = 4,
    TIMER_SLOT_BITS = 6,
    TIMER_SLOTS = 1 << TIMER_SLOT_BITS, /* 64^4 ticks: 4.9 hours; later ones are re-filed */
};

struct timers {
    uint64_t tick; /* every slot up to and including this tick has been looked at */
    size_t count;  /* linked timers */
    uint64_t occupied[TIMER_LEVELS]; /* bit per slot */
    struct list slots[TIMER_LEVELS][TIMER_SLOTS];
};

void timers_init(struct timers *ts, ns_t now);

/* Arms, or moves an armed timer; t->fire must be set. NS_NEVER: disarms, at no cost. */
void timer_set(struct timers *ts, struct timer *t, ns_t when);

/* Takes the timer out of the wheel; its memory may go. */
void timer_drop(struct timers *ts, struct timer *t);

/* When to look again: never later than the earliest armed timer; NS_NEVER when there is none. */
ns_t timers_next(const struct timers *ts);

/* Fires what is due; returns how many. Timers set while firing wait for the next call. */
size_t timers_run(struct timers *ts, ns_t now);

#endif
