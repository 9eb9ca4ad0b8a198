/* SPDX-License-Identifier: Apache-2.0 */
/* address_counts.h - how many connections each client address has open, over all reactors.
 * Always: fixed memory, no lock. Addresses are not stored: each counts in one cell of each of two rows,
 * under two keyed hashes, and the smaller cell is the answer (a count-min sketch, Cormode and
 * Muthukrishnan 2005). It is never too small, and too large only where both cells are shared. */
#ifndef EK_BUS_ADDRESS_COUNTS_H
#define EK_BUS_ADDRESS_COUNTS_H

#include "io/address.h"

#include <stdatomic.h>
#include <stdint.h>

enum {
    ADDRESS_CELLS = 1 << 15
}; /* of a row: 128 KiB; far more than connections that are counted */

struct address_counts {
    uint64_t key; /* secret: nobody can choose addresses that share a cell */
    _Atomic uint32_t cells[2][ADDRESS_CELLS];
};

/* Where an address counts; kept by the connection, so that the same cells are given back. */
struct address_place {
    uint16_t cell[2];
    bool counted;
};

/* An IPv6 address counts as its /64: that is what one customer has (RFC 6177). Unix sockets count as one.
 * Returns the count with this one; more than `limit`: it is not counted and must not stay. Threads that add one address at the
 * same moment may be early in different rows and each get in: at most one too many for each other thread, and never more
 * than twice the limit. */
uint32_t address_counts_add(struct address_counts *t, const struct address *a, uint32_t limit,
                            struct address_place *ret_place);

void address_counts_sub(struct address_counts *t, struct address_place *place);

#endif
