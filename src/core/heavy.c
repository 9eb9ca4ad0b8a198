/* SPDX-License-Identifier: Apache-2.0 */
/* heavy.c - counters that go to another text. */
#include "core/heavy.h"

void heavy_text_make(struct heavy_text *t, uint64_t hash, struct span whole)
{
    t->hash = hash;
    t->n = (uint32_t)whole.n;
    memcpy(t->text, whole.p, whole.n < HEAVY_TEXT ? whole.n : HEAVY_TEXT);
}

bool heavy_text_equal(const struct heavy_text *a, const struct heavy_text *b)
{
    return a->hash == b->hash && a->n == b->n &&
           memcmp(a->text, b->text, a->n < HEAVY_TEXT ? a->n : HEAVY_TEXT) == 0;
}

/* ---- the index */

static uint32_t home_of(uint64_t hash)
{
    return (uint32_t)(hash % HEAVY_CELLS);
}

/* The cell that holds it, or the free one where it belongs. */
static uint32_t cell_of(const struct heavy *h, const struct heavy_text *t)
{
    uint32_t cell = home_of(t->hash);

    while (h->cells[cell] && !heavy_text_equal(&h->list[h->cells[cell] - 1].text, t))
        cell = (cell + 1) % HEAVY_CELLS;
    return cell;
}

/* Cells behind it move up, so that none is cut off from its home. */
static void free_cell(struct heavy *h, uint32_t hole)
{
    uint32_t cell = hole;

    for (;;) {
        cell = (cell + 1) % HEAVY_CELLS;
        if (!h->cells[cell])
            break;
        uint32_t home = home_of(h->list[h->cells[cell] - 1].text.hash);
        uint32_t from_home = (cell - home + HEAVY_CELLS) % HEAVY_CELLS;
        uint32_t from_hole = (cell - hole + HEAVY_CELLS) % HEAVY_CELLS;
        if (from_home < from_hole)
            continue;
        h->cells[hole] = h->cells[cell];
        hole = cell;
    }
    h->cells[hole] = 0;
}

/* ---- counting */

/* One with the least count. Counts only grow between two halvings, so a search goes on where the last one ended, and only a whole
 * round without one asks for the least anew. */
static uint32_t rarest(struct heavy *h)
{
    for (uint32_t i = 0; i < HEAVY_ENTRIES; i++) {
        h->at = (h->at + 1) % HEAVY_ENTRIES;
        if (h->list[h->at].count <= h->least)
            return h->at;
    }
    h->least = UINT32_MAX;
    for (uint32_t i = 0; i < HEAVY_ENTRIES; i++) {
        if (h->list[i].count < h->least) {
            h->least = h->list[i].count;
            h->at = i;
        }
    }
    return h->at;
}

void heavy_add(struct heavy *h, const struct heavy_text *t)
{
    uint32_t cell = cell_of(h, t);
    uint32_t number;
    uint32_t error = 0;

    if (h->cells[cell]) {
        h->list[h->cells[cell] - 1].count++;
        return;
    }
    if (h->count < HEAVY_ENTRIES) {
        number = h->count++;
    } else {
        number = rarest(h);
        error = h->list[number].count;
        free_cell(h, cell_of(h, &h->list[number].text));
        cell = cell_of(h, t);
    }
    h->list[number] = (struct heavy_entry){ .text = *t, .count = error + 1, .error = error };
    h->cells[cell] = (uint16_t)(number + 1);
}

const struct heavy_entry *heavy_find(const struct heavy *h, const struct heavy_text *t)
{
    uint32_t cell = cell_of(h, t);

    return h->cells[cell] ? &h->list[h->cells[cell] - 1] : NULL;
}

void heavy_halve(struct heavy *h)
{
    for (uint32_t i = 0; i < h->count; i++) {
        h->list[i].count /= 2;
        h->list[i].error /= 2;
    }
    h->least = 0;
}
