/* SPDX-License-Identifier: Apache-2.0 */
/* heavy.h - which of very many texts come most often: HEAVY_ENTRIES counters, however many texts there are (space-saving, Metwally,
 * Agrawal and El Abbadi 2005). A text without a counter takes that of the rarest and goes on from its count, which is its `error`.
 * Always: a text came at most `count` and at least `count - error` times since it was last halved away; each text that came more often
 * than all / HEAVY_ENTRIES has a counter. Long texts are told apart by their hash; only their beginning is kept.
 * Pure; memory is this one structure, begins as zeroes. Hashes are the caller's: keyed, so that nobody can choose them. */
#ifndef EK_CORE_HEAVY_H
#define EK_CORE_HEAVY_H

#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HEAVY_ENTRIES = 256, /* four times as many as get a value */
    HEAVY_CELLS = 4 * HEAVY_ENTRIES,
    HEAVY_TEXT = 112, /* a host name's label, a UUID, most names of customers */
};

/* A text, or the beginning of one. */
struct heavy_text {
    uint64_t hash;
    uint32_t n; /* of the whole text; more than HEAVY_TEXT: only so much of it is here */
    char text[HEAVY_TEXT];
};

struct heavy_entry {
    struct heavy_text text;
    uint32_t count;
    uint32_t error;
};

struct heavy {
    struct heavy_entry list[HEAVY_ENTRIES];
    uint32_t count;
    uint16_t cells[HEAVY_CELLS]; /* number + 1, by hash; 0: free */
    uint32_t least;              /* no entry has less; used when the list is full */
    uint32_t at;                 /* where the search for one with as little goes on */
};

void heavy_text_make(struct heavy_text *t, uint64_t hash, struct span whole);
bool heavy_text_equal(const struct heavy_text *a, const struct heavy_text *b);

void heavy_add(struct heavy *h, const struct heavy_text *t);

/* NULL: it has no counter. */
const struct heavy_entry *heavy_find(const struct heavy *h, const struct heavy_text *t);

/* Now and then: what came long ago weighs less. */
void heavy_halve(struct heavy *h);

#endif
