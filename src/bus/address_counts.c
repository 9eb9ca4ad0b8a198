/* SPDX-License-Identifier: Apache-2.0 */
/* address_counts.c - two rows of counters. */
#include "bus/address_counts.h"

#include "base/check.h"

#include <xxhash.h>

static uint64_t hash_of(const struct address_counts *t, const struct address *a)
{
    uint8_t bytes[16] = {};
    unsigned n = address_bytes(a, bytes);

    return XXH3_64bits_withSeed(bytes, n == 16 ? 8 : n, t->key + n);
}

uint32_t address_counts_add(struct address_counts *t, const struct address *a, uint32_t limit,
                            struct address_place *ret_place)
{
    uint64_t hash = hash_of(t, a);
    struct address_place place = { .cell = { (uint16_t)(hash % ADDRESS_CELLS),
                                             (uint16_t)((hash >> 32) % ADDRESS_CELLS) },
                                   .counted = true };
    uint32_t least = UINT32_MAX;

    for (unsigned row = 0; row < 2; row++) {
        uint32_t n =
            1 + atomic_fetch_add_explicit(&t->cells[row][place.cell[row]], 1, memory_order_relaxed);
        least = n < least ? n : least;
    }
    if (least > limit)
        address_counts_sub(t, &place);
    *ret_place = place;
    return least;
}

void address_counts_sub(struct address_counts *t, struct address_place *place)
{
    for (unsigned row = 0; place->counted && row < 2; row++) {
        uint32_t before =
            atomic_fetch_sub_explicit(&t->cells[row][place->cell[row]], 1, memory_order_relaxed);
        check(before > 0);
    }
    place->counted = false;
}
