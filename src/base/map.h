/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - names to pointers, for control work: open addressing, grows, keeps insertion order.
 * The map copies no key: it must live as long as its entry. Keys that strangers choose are safe: the
 * hash is seeded per map. */
#ifndef EK_BASE_MAP_H
#define EK_BASE_MAP_H

#include "base/span.h"

struct map_entry {
    struct span key;
    void *value;
};

struct map {
    struct map_entry *entries; /* in order of insertion; count of them */
    uint32_t *index;           /* hash slots: entry number + 1, 0 = empty */
    size_t count;
    size_t slots; /* a power of two, at least twice the count */
    uint64_t seed;
};

/* An empty map is all zeroes. */

/* The value, or NULL. */
void *map_get(const struct map *m, struct span key);

/* Adds or replaces; value must not be NULL. */
void map_put(struct map *m, struct span key, void *value);

void map_free(struct map *m);

#endif
