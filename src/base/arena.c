/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - chunks of at least 16 KiB, filled from the front. */
#include "base/arena.h"

#include "base/check.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_CHUNK_SIZE = 16 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

static size_t aligned(size_t n)
{
    return (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

void *arena_alloc(struct arena *a, size_t n)
{
    check(n <= SIZE_MAX / 2);
    n = aligned(n);
    if (!a->chunks || a->chunks->size - a->used < n) {
        size_t size = n > ARENA_CHUNK_SIZE ? n : ARENA_CHUNK_SIZE;
        struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + size);
        check(chunk != NULL);
        chunk->size = size;
        chunk->next = a->chunks;
        a->chunks = chunk;
        a->used = 0;
        a->total += sizeof(*chunk) + size;
    }
    void *p = a->chunks->bytes + a->used;
    a->used += n;
    return p;
}

void *arena_alloc_array(struct arena *a, size_t size, size_t count)
{
    size_t n;

    check(!__builtin_mul_overflow(size, count, &n));
    return arena_alloc(a, n);
}

char *arena_text(struct arena *a, struct span s)
{
    char *p = arena_alloc(a, s.n + 1);

    if (s.n)
        memcpy(p, s.p, s.n);
    return p;
}

struct span arena_span(struct arena *a, struct span s)
{
    return span_of(arena_text(a, s), s.n);
}

char *arena_print(struct arena *a, const char *format, ...)
{
    va_list args;
    va_list again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    check(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, format, again);
    va_end(again);
    return p;
}

void arena_free(struct arena *a)
{
    while (a->chunks) {
        struct arena_chunk *chunk = a->chunks;
        a->chunks = chunk->next;
        free(chunk);
    }
    *a = (struct arena){};
}
