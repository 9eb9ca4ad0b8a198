/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - names to pointers. */
#include "base/map.h"

#include "base/check.h"
#include "base/rand.h"

#include <stdlib.h>

enum { MAP_SLOTS_MIN = 16 };

/* The slot that holds key, or the empty one where it belongs. */
static size_t find_slot(const struct map *m, struct span key)
{
    size_t at = span_hash(key, m->seed) & (m->slots - 1);

    while (m->index[at] && !span_equal(m->entries[m->index[at] - 1].key, key))
        at = (at + 1) & (m->slots - 1);
    return at;
}

static void grow(struct map *m)
{
    size_t slots = m->slots ? m->slots * 2 : MAP_SLOTS_MIN;

    if (!m->slots)
        rand_secret(&m->seed, sizeof(m->seed));
    m->entries = realloc(m->entries, slots / 2 * sizeof(m->entries[0]));
    free(m->index);
    m->index = calloc(slots, sizeof(m->index[0]));
    check(m->entries && m->index);
    m->slots = slots;
    for (size_t i = 0; i < m->count; i++)
        m->index[find_slot(m, m->entries[i].key)] = (uint32_t)i + 1;
}

void *map_get(const struct map *m, struct span key)
{
    if (!m->slots)
        return NULL;
    uint32_t at = m->index[find_slot(m, key)];
    return at ? m->entries[at - 1].value : NULL;
}

void map_put(struct map *m, struct span key, void *value)
{
    check(value != NULL);
    if (m->count * 2 >= m->slots)
        grow(m);
    size_t at = find_slot(m, key);
    if (m->index[at]) {
        m->entries[m->index[at] - 1].value = value;
        return;
    }
    m->entries[m->count] = (struct map_entry){ key, value };
    m->index[at] = (uint32_t)++m->count;
}

void map_free(struct map *m)
{
    free(m->entries);
    free(m->index);
    *m = (struct map){};
}
