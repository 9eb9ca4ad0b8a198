/* SPDX-License-Identifier: Apache-2.0 */
/* recent.c - a ring of marks and a table of the same, by linear probing. */
#include "core/recent.h"

#include "base/check.h"

enum { TABLE = 2 * RECENT_MAX };

static uint32_t home(uint64_t mark)
{
    return (uint32_t)(mark ^ mark >> 32) & (TABLE - 1);
}

/* Where it is, or the free place where it would be. */
static uint32_t find(const struct recent *r, uint64_t mark)
{
    uint32_t i = home(mark);

    while (r->table[i] && r->table[i] != mark)
        i = (i + 1) & (TABLE - 1);
    return i;
}

/* Those behind the hole move up unless that would put them before their home. */
static void take_out(struct recent *r, uint64_t mark)
{
    uint32_t hole = find(r, mark);

    check(r->table[hole] == mark);
    for (uint32_t i = (hole + 1) & (TABLE - 1); r->table[i]; i = (i + 1) & (TABLE - 1)) {
        uint32_t from_home = (i - home(r->table[i])) & (TABLE - 1);
        uint32_t from_hole = (i - hole) & (TABLE - 1);
        if (from_home < from_hole)
            continue;
        r->table[hole] = r->table[i];
        hole = i;
    }
    r->table[hole] = 0;
}

bool recent_put(struct recent *r, uint64_t mark)
{
    check(mark != 0);
    if (r->table[find(r, mark)])
        return false;
    if (r->ring[r->at])
        take_out(r, r->ring[r->at]);
    r->table[find(r, mark)] = mark;
    r->ring[r->at] = mark;
    r->at = (r->at + 1) % RECENT_MAX;
    return true;
}
