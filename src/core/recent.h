/* SPDX-License-Identifier: Apache-2.0 */
/* recent.h - the last RECENT_MAX marks, such as hashes of ids: was this one there already?
 * Always: holds exactly the last RECENT_MAX different marks; the oldest makes room. Begins as zeroes; memory is the owner's.
 * Next: recent.c. */
#ifndef EK_CORE_RECENT_H
#define EK_CORE_RECENT_H

#include <stdbool.h>
#include <stdint.h>

enum { RECENT_MAX = 1 << 16 }; /* 1.5 MiB; a worker that tells again does so within minutes */

struct recent {
    uint64_t ring[RECENT_MAX]; /* in order of coming */
    uint64_t table
        [2 *
         RECENT_MAX]; /* open addressing, 0: free; never more than half full, so probing is short */
    uint32_t at;      /* where the next goes */
};

/* Remembers a mark, not 0; false: it is among the last ones already. */
bool recent_put(struct recent *r, uint64_t mark);

#endif
