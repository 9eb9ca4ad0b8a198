/* SPDX-License-Identifier: Apache-2.0 */
/* counters.h - numbers that one thread writes and others read: a page of 64-bit counters per writer.
 * Always: a page has one writer, so adding needs no locked instruction; readers read relaxed and add the
 * pages up. Counters only grow, except gauges, which a writer also takes from.
 * A slot is an index that means the same in every page. Slots are handed out by control and keep their
 * meaning over reloads; the page is reserved once and touched only where it is used. */
#ifndef EK_BUS_COUNTERS_H
#define EK_BUS_COUNTERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

enum { COUNTER_SLOTS = 1 << 23 }; /* 64 MiB of address space a page; enough for 3,000 journeys */

struct counter_page {
    _Atomic uint64_t *slots;
};

/* Reserves a page; stops the program when the address space is not to be had. */
void counter_page_open(struct counter_page *p);
void counter_page_close(struct counter_page *p);

/* By the page's writer only. Always inline: the compiler takes some of a request's additions for seldom ones. */
[[gnu::always_inline]] static inline void counter_add(const struct counter_page *p, uint32_t slot,
                                                      uint64_t n)
{
    uint64_t v = atomic_load_explicit(&p->slots[slot], memory_order_relaxed);
    atomic_store_explicit(&p->slots[slot], v + n, memory_order_relaxed);
}

static inline void counter_sub(struct counter_page *p, uint32_t slot, uint64_t n)
{
    uint64_t v = atomic_load_explicit(&p->slots[slot], memory_order_relaxed);
    atomic_store_explicit(&p->slots[slot], v - n, memory_order_relaxed);
}

/* A word instead of a count: the writer puts the words first, then counts a change, so that whoever sees the
 * change sees the words. */
static inline void counter_put(struct counter_page *p, uint32_t slot, uint64_t word)
{
    atomic_store_explicit(&p->slots[slot], word, memory_order_relaxed);
}

static inline void counter_tell(struct counter_page *p, uint32_t slot)
{
    uint64_t v = atomic_load_explicit(&p->slots[slot], memory_order_relaxed);
    atomic_store_explicit(&p->slots[slot], v + 1, memory_order_release);
}

static inline uint64_t counter_heard(const struct counter_page *p, uint32_t slot)
{
    return atomic_load_explicit(&p->slots[slot], memory_order_acquire);
}

static inline uint64_t counter_read(const struct counter_page *p, uint32_t slot)
{
    return atomic_load_explicit(&p->slots[slot], memory_order_relaxed);
}

/* Sum over pages; of `n` slots in a row, page after page, which is what memory likes. */
uint64_t counter_sum(const struct counter_page *const *pages, size_t count, uint32_t slot);
void counter_sums(const struct counter_page *const *pages, size_t count, uint32_t first, uint32_t n,
                  uint64_t *ret_sums);

/* Hands out ranges of slots; control only. Stops the program when all are gone: the configuration's
 * bounds are checked before. Slot 0 is never handed out: it means "not counted".
 * What is read each second lies close together at the front, or a thousand journeys would be a thousand pages of memory to
 * look at; what is large and seldom read (histograms, dimensions) comes from the back. */
struct slot_allocator {
    uint32_t next;
    uint32_t end;
};

void slot_allocator_init(struct slot_allocator *a);
uint32_t slot_take(struct slot_allocator *a, uint32_t count);
uint32_t slot_take_bulk(struct slot_allocator *a, uint32_t count);
uint32_t slots_left(const struct slot_allocator *a);

#endif
