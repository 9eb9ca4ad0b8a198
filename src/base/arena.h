/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory that is given out in pieces and taken back all at once.
 * For boot, configuration and other control work. The data path has its own bounded memory (pool.h).
 * Always: what was given stays where it is until arena_free(). Out of memory stops the program. */
#ifndef EK_BASE_ARENA_H
#define EK_BASE_ARENA_H

#include "base/span.h"

#include <stddef.h>

struct arena_chunk;

struct arena {
    struct arena_chunk *chunks; /* newest first */
    size_t used;                /* in the newest chunk */
    size_t total;               /* bytes held from malloc */
};

/* An empty arena is all zeroes: struct arena a = {}; */

/* n zeroed bytes, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy of the bytes with a terminating zero behind them. */
char *arena_text(struct arena *a, struct span s);
struct span arena_span(struct arena *a, struct span s);

/* printf into the arena. */
char *arena_print(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

void arena_free(struct arena *a);

#define arena_new(a, type)          ((type *)arena_alloc(a, sizeof(type)))
#define arena_array(a, type, count) ((type *)arena_alloc_array(a, sizeof(type), count))

void *arena_alloc_array(struct arena *a, size_t size, size_t count);

#endif
