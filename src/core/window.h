/* SPDX-License-Identifier: Apache-2.0 */
/* window.h - the last six hours of some counters: a ring of their cumulative values, one row per
 * slot of 10 s. What happened in any window is one subtraction per counter, and exact.
 * A row holds the value that a counter had when its slot was last pushed, low 32 bits only: a
 * window is exact as long as fewer than 2^32 events fall into it (198,000 a second for six hours).
 * A counter that grows faster (LATENCY_SUM_US) is marked wide and keeps all 64 bits.
 * A slot that was never pushed (a stall, a stopped machine) repeats the row before it: what was
 * counted meanwhile shows up in the slot that saw it, nothing is lost or counted twice. That the
 * time was not measured is told by a counter of measured milliseconds (accumulate.h) that the
 * caller keeps as one more column: its delta is the window's coverage.
 * Slots are numbered on the monotonic clock, at any origin, negative too.
 * One owner, memory given by the caller.  Longer windows: the store's samples (store/history.h). */
#ifndef EK_CORE_WINDOW_H
#define EK_CORE_WINDOW_H

#include <stddef.h>
#include <stdint.h>

enum {
    WINDOW_SLOT_S = 10,
    WINDOW_SLOTS = 6 * 3600 / WINDOW_SLOT_S, /* how far back a window may begin */
    WINDOW_COUNTERS_MAX = 32,
};

#define WINDOW_SPAN_S (INT64_C(1) * WINDOW_SLOTS * WINDOW_SLOT_S) /* the same in seconds */

struct window {
    uint32_t *rows; /* the caller's memory */
    uint32_t wide;  /* bit i: counter i keeps 64 bits */
    unsigned counters;
    unsigned words; /* of one row */
    int64_t first;  /* oldest slot that is held */
    int64_t last;   /* newest slot */
};

/* Bytes that a ring needs; 1 <= counters <= WINDOW_COUNTERS_MAX. */
size_t window_bytes(unsigned counters, uint32_t wide);

/* Begins a history with slot `slot` in `memory` (window_bytes() of it, aligned for uint32_t, needs
 * no clearing). What the counters hold now is no part of any window, what comes to them from now on
 * is. */
void window_begin(struct window *w, void *memory, unsigned counters, uint32_t wide, int64_t slot,
                  const uint64_t *cumulative);

/* The counters as they stand now, in slot `slot` >= the last one and the history's begin; the same
 * slot is overwritten, so pushing each second keeps the newest slot live. */
void window_push(struct window *w, int64_t slot, const uint64_t *cumulative);

/* Slot `slot` will be pushed soon: memory may begin to fetch its row. A ring is some 120 KiB, so with a thousand of them
 * each push would wait for it. */
void window_expect(const struct window *w, int64_t slot);

/* What was counted in slots that are over, and is told only now. */
struct window_add {
    int64_t slot;
    unsigned counter;
    uint64_t n;
};

/* Every row from its slot on gets it, as if it had been pushed then; what lies before the history counts in its first slot,
 * what lies behind the newest slot is left to the next push. `list` in the order of the slots. The counters that are pushed next have
 * it already. */
void window_add_late(struct window *w, const struct window_add *list, size_t count);

/* What happened after slot `from` until the end of slot `to`, as far as the ring knows: both are
 * moved into what it holds. Returns the slots between, 0 when there are none (the deltas are then
 * 0). */
unsigned window_between(const struct window *w, int64_t from, int64_t to, uint64_t *ret_deltas);

/* The newest `slots_back` slots, the running one included: 30 is five minutes (less what is left of
 * the running slot). Returns how many there are, less than asked when the history is shorter. */
unsigned window_delta(const struct window *w, unsigned slots_back, uint64_t *ret_deltas);

#endif
