/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - the memory of one exchange: heads, their indexes and what is written from them.
 * Given out from the front, taken back all at once when the exchange ends. The first part lies inside the
 * exchange; large heads take blocks from the reactor's pool, at most SCRATCH_BLOCKS_MAX of them.
 * Always: what was given stays in place until scratch_free(). */
#ifndef EK_PLANE_HTTP_SCRATCH_H
#define EK_PLANE_HTTP_SCRATCH_H

#include "base/pool.h"

#include <stddef.h>

enum {
    SCRATCH_INLINE = 6 * 1024, /* two ordinary heads, read and written */
    /* a head at its limit of 64 KiB, with the fields that we add, written out in one piece */
    SCRATCH_BLOCK = 72 * 1024,
    SCRATCH_BLOCKS_MAX = 4, /* request in and out, answer in and out */
};

struct scratch {
    char *at;
    size_t left;
    struct pool *blocks;
    void *taken[SCRATCH_BLOCKS_MAX];
    unsigned count;
};

static inline void scratch_begin(struct scratch *s, char *inside, struct pool *blocks)
{
    s->at = inside;
    s->left = SCRATCH_INLINE;
    s->blocks = blocks;
    s->count = 0;
}

/* n bytes, aligned for any type, not cleared; NULL when this exchange has used up its share. */
static inline void *scratch_take(struct scratch *s, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if (n > s->left) {
        void *block =
            n <= SCRATCH_BLOCK && s->count < SCRATCH_BLOCKS_MAX ? pool_take(s->blocks) : NULL;
        if (!block)
            return NULL;
        s->taken[s->count++] = block;
        s->at = block;
        s->left = SCRATCH_BLOCK;
    }
    void *p = s->at;
    s->at += n;
    s->left -= n;
    return p;
}

/* Gives the end of the piece that was taken last back: n of its bytes are needed. */
static inline void scratch_trim(struct scratch *s, void *piece, size_t n)
{
    char *end = (char *)piece + ((n + 15) & ~(size_t)15);

    s->left += (size_t)(s->at - end);
    s->at = end;
}

/* What was taken up to now; scratch_rewind() takes back what was taken since. */
struct scratch_mark {
    char *at;
    size_t left;
    unsigned count;
};

static inline struct scratch_mark scratch_here(const struct scratch *s)
{
    return (struct scratch_mark){ s->at, s->left, s->count };
}

static inline void scratch_rewind(struct scratch *s, struct scratch_mark to)
{
    while (s->count > to.count)
        pool_give(s->blocks, s->taken[--s->count]);
    s->at = to.at;
    s->left = to.left;
}

static inline void scratch_free(struct scratch *s)
{
    while (s->count > 0)
        pool_give(s->blocks, s->taken[--s->count]);
}

#endif
