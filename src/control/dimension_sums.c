/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_sums.c - see dimension_sums.h. */
#include "control/dimension_sums.h"

#include "base/check.h"

#include <stdlib.h>

static struct dimension_sum *sum_of(struct dimension_sums *s, enum dimension which,
                                    const struct dimension_row *r)
{
    struct span key =
        span_from_text(arena_print(s->memory, "%d %d %.*s\n%.*s", (int)which, (int)r->kind,
                                   SPAN_ARG(r->service), SPAN_ARG(r->text)));
    struct dimension_sum *found = map_get(&s->by_name, key);

    if (found)
        return found;
    found = arena_new(s->memory, struct dimension_sum);
    *found = (struct dimension_sum){ .dimension = which,
                                     .row = { .kind = r->kind,
                                              .service = arena_span(s->memory, r->service),
                                              .text = arena_span(s->memory, r->text),
                                              .gone = true,
                                              .since = r->since } };
    map_put(&s->by_name, key, found);
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 64;
        s->list = realloc(s->list, s->room * sizeof(struct dimension_sum *));
        check(s->list != NULL);
    }
    s->list[s->count++] = found;
    return found;
}

void dimension_sums_add(struct dimension_sums *s, enum dimension which,
                        const struct dimension_row *r)
{
    struct dimension_row *sum = &sum_of(s, which, r)->row;

    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++)
        sum->counts[o] += r->counts[o];
    sum->gone &= r->gone; /* everywhere */
    if (r->since < sum->since)
        sum->since = r->since;
}

static int by_dimension(const void *a, const void *b)
{
    const struct dimension_sum *x = *(const struct dimension_sum *const *)a;
    const struct dimension_sum *y = *(const struct dimension_sum *const *)b;

    return x->dimension != y->dimension
               ? (x->dimension > y->dimension) - (x->dimension < y->dimension)
               : dimension_row_order(&x->row, &y->row);
}

void dimension_sums_sort(struct dimension_sums *s)
{
    if (s->count > 0)
        qsort(s->list, s->count, sizeof(s->list[0]), by_dimension);
}

void dimension_sums_whole(const struct dimension_sums *s, enum dimension which,
                          uint64_t ret_counts[DIMENSION_OUTCOMES])
{
    memset(ret_counts, 0, DIMENSION_OUTCOMES * sizeof(ret_counts[0]));
    for (size_t i = 0; i < s->count; i++) {
        for (unsigned o = 0; s->list[i]->dimension == which && o < DIMENSION_OUTCOMES; o++)
            ret_counts[o] += s->list[i]->row.counts[o];
    }
}

void dimension_sums_free(struct dimension_sums *s)
{
    map_free(&s->by_name);
    free(s->list);
    *s = (struct dimension_sums){};
}
