/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c - reserving and adding up counter pages. */
#include "bus/counters.h"

#include "base/check.h"
#include "base/reserve.h"

static const size_t page_size = COUNTER_SLOTS * sizeof(_Atomic uint64_t);

void counter_page_open(struct counter_page *p)
{
    p->slots = reserve(page_size);
}

void counter_page_close(struct counter_page *p)
{
    reserve_free(p->slots, page_size);
    p->slots = NULL;
}

uint64_t counter_sum(const struct counter_page *const *pages, size_t count, uint32_t slot)
{
    uint64_t sum;

    counter_sums(pages, count, slot, 1, &sum);
    return sum;
}

void counter_sums(const struct counter_page *const *pages, size_t count, uint32_t first, uint32_t n,
                  uint64_t *ret_sums)
{
    for (uint32_t k = 0; k < n; k++)
        ret_sums[k] = count ? counter_read(pages[0], first + k) : 0;
    for (size_t i = 1; i < count; i++) {
        for (uint32_t k = 0; k < n; k++)
            ret_sums[k] += counter_read(pages[i], first + k);
    }
}

void slot_allocator_init(struct slot_allocator *a)
{
    *a = (struct slot_allocator){ .next = 1, .end = COUNTER_SLOTS };
}

uint32_t slots_left(const struct slot_allocator *a)
{
    return a->end - a->next;
}

uint32_t slot_take(struct slot_allocator *a, uint32_t count)
{
    check(count <= slots_left(a));
    uint32_t first = a->next;
    a->next += count;
    return first;
}

uint32_t slot_take_bulk(struct slot_allocator *a, uint32_t count)
{
    check(count <= slots_left(a));
    a->end -= count;
    return a->end;
}
