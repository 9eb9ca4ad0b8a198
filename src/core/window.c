/* SPDX-License-Identifier: Apache-2.0 */
/* window.c - a ring of cumulative rows. Row of slot s: s modulo the ring's length; low halves of
 * all counters first, then the high halves of the wide ones. */
#include "core/window.h"

#include "base/check.h"

#include <string.h>

/* One more than the slots of the longest window: its begin is the end of the slot before it. */
enum { ROWS = WINDOW_SLOTS + 1 };

static unsigned words_of(unsigned counters, uint32_t wide)
{
    check(counters >= 1 && counters <= WINDOW_COUNTERS_MAX);
    check(counters == WINDOW_COUNTERS_MAX || wide >> counters == 0);
    return counters + (unsigned)__builtin_popcount(wide);
}

size_t window_bytes(unsigned counters, uint32_t wide)
{
    return (size_t)ROWS * words_of(counters, wide) * sizeof(uint32_t);
}

static uint32_t *row_of(const struct window *w, int64_t slot)
{
    int64_t at = slot % ROWS; /* negative for negative slots */

    return w->rows + (size_t)(at < 0 ? at + ROWS : at) * w->words;
}

static void row_write(const struct window *w, int64_t slot, const uint64_t *cumulative)
{
    uint32_t *low = row_of(w, slot);
    uint32_t *high = low + w->counters;

    for (unsigned i = 0; i < w->counters; i++) {
        low[i] = (uint32_t)cumulative[i];
        if (w->wide >> i & 1)
            *high++ = (uint32_t)(cumulative[i] >> 32);
    }
}

void window_begin(struct window *w, void *memory, unsigned counters, uint32_t wide, int64_t slot,
                  const uint64_t *cumulative)
{
    *w = (struct window){
        .rows = memory,
        .wide = wide,
        .counters = counters,
        .words = words_of(counters, wide),
        .first = slot - 1,
        .last = slot - 1,
    };
    row_write(w, slot - 1, cumulative);
}

/* Slots that nobody pushed repeat the one before; of a gap longer than the ring only the newest
 * part will ever be read. */
static void fill_gap(const struct window *w, int64_t slot)
{
    const uint32_t *held = row_of(w, w->last);
    int64_t s = w->last + 1;

    if (s < slot - WINDOW_SLOTS)
        s = slot - WINDOW_SLOTS;
    for (; s < slot; s++) {
        uint32_t *row = row_of(w, s);
        if (row != held) /* once around, the ring ends in the row that is copied */
            memcpy(row, held, w->words * sizeof(*row));
    }
}

void window_push(struct window *w, int64_t slot, const uint64_t *cumulative)
{
    check(slot >= w->last); /* the monotonic clock does not go back */
    fill_gap(w, slot);
    row_write(w, slot, cumulative);
    w->last = slot;
    if (w->first < slot - WINDOW_SLOTS)
        w->first = slot - WINDOW_SLOTS;
}

void window_expect(const struct window *w, int64_t slot)
{
    const uint32_t *row = row_of(w, slot);

    __builtin_prefetch(row, 1);
    __builtin_prefetch(row + w->words - 1, 1);
}

static void row_add(const struct window *w, int64_t slot, const uint64_t *sums)
{
    uint32_t *low = row_of(w, slot);
    uint32_t *high = low + w->counters;

    for (unsigned i = 0; i < w->counters; i++) {
        uint64_t value = (uint64_t)low[i] + sums[i];
        if (w->wide >> i & 1) {
            value = ((uint64_t)*high << 32 | low[i]) + sums[i];
            *high++ = (uint32_t)(value >> 32);
        }
        low[i] = (uint32_t)value;
    }
}

void window_add_late(struct window *w, const struct window_add *list, size_t count)
{
    uint64_t sums[WINDOW_COUNTERS_MAX] = {};
    size_t i = 0;

    if (count == 0)
        return;
    int64_t s = list[0].slot > w->first ? list[0].slot : w->first + 1;
    for (; s <= w->last; s++) {
        for (; i < count && list[i].slot <= s; i++) {
            check(list[i].counter < w->counters && (i == 0 || list[i].slot >= list[i - 1].slot));
            sums[list[i].counter] += list[i].n;
        }
        row_add(w, s, sums);
    }
}

static int64_t within(const struct window *w, int64_t slot)
{
    if (slot < w->first)
        return w->first;
    return slot > w->last ? w->last : slot;
}

unsigned window_between(const struct window *w, int64_t from, int64_t to, uint64_t *ret_deltas)
{
    from = within(w, from);
    to = within(w, to);
    if (to < from)
        to = from;

    const uint32_t *then = row_of(w, from), *then_high = then + w->counters;
    const uint32_t *now = row_of(w, to), *now_high = now + w->counters;

    for (unsigned i = 0; i < w->counters; i++) {
        ret_deltas[i] = (uint32_t)(now[i] - then[i]);
        if (w->wide >> i & 1) {
            uint64_t later = (uint64_t)*now_high++ << 32 | now[i];
            uint64_t earlier = (uint64_t)*then_high++ << 32 | then[i];
            ret_deltas[i] = later - earlier;
        }
    }
    return (unsigned)(to - from);
}

unsigned window_delta(const struct window *w, unsigned slots_back, uint64_t *ret_deltas)
{
    return window_between(w, w->last - (int64_t)slots_back, w->last, ret_deltas);
}
