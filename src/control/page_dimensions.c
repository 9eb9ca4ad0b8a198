/* SPDX-License-Identifier: Apache-2.0 */
/* page_dimensions.c - where a journey failed in the last hour, under its objectives: values that have most of what is bad, and clearly
 * more of it than of all requests. */
#include "control/page.h"
#include "control/where.h"

enum {
    MOST_PERCENT = 50,
    CLEARLY = 3, /* halves: one and a half times its share of all requests */
};

struct sums {
    uint64_t bad;
    uint64_t judged;
};

/* It is not bad just because most requests are. */
static bool stands_out(const struct dimension_row *r, const struct sums *all)
{
    uint64_t bad = dimension_bad(r->counts);
    uint64_t judged = r->counts[OUTCOME_GOOD] + bad;

    return bad > 0 && bad * 100 >= all->bad * MOST_PERCENT &&
           2 * (double)bad * (double)all->judged >= CLEARLY * (double)judged * (double)all->bad;
}

static void write_value(enum dimension which, const struct dimension_row *r, const struct sums *all,
                        struct str *out)
{
    str_print(out, "<span>%s ", dimension_word(which));
    page_escaped(out, r->text);
    str_print(out, " <small>%.0f %%</small></span> ",
              (double)dimension_bad(r->counts) * 100 / (double)all->bad);
}

/* The first value is the one with most bad requests. */
static bool write_dimension(const struct dimension_sums *sums, enum dimension which, bool begun,
                            struct str *out)
{
    uint64_t counts[DIMENSION_OUTCOMES];
    const struct dimension_row *first = NULL;
    size_t values = 0;

    for (size_t i = 0; i < sums->count; i++) {
        if (sums->list[i]->dimension != which)
            continue;
        first = first ? first : &sums->list[i]->row;
        values++;
    }
    dimension_sums_whole(sums, which, counts);
    struct sums all = { dimension_bad(counts), counts[OUTCOME_GOOD] + dimension_bad(counts) };
    if (values < 2 || !stands_out(first, &all))
        return false;
    if (!begun)
        str_literal(out, "<li class=\"where\"><b>where it fails</b> ");
    write_value(which, first, &all, out);
    return true;
}

void page_write_where(const struct where *w, const struct journey *j, struct str *out)
{
    const struct where_journey *wj = where_find(w, j);
    bool begun = false;

    if (!wj || wj->changed)
        return;
    for (unsigned d = 0; d < DIMENSION_COUNT; d++)
        begun |= write_dimension(&wj->sums, (enum dimension)d, begun, out);
    if (!begun)
        return;
    str_literal(out, "<small>of what was bad in the last hour");
    if (where_nodes(w) > 1)
        str_print(out, ", on %u of %u nodes", where_nodes(w) - (unsigned)wj->missing_count,
                  where_nodes(w));
    str_literal(out, "</small></li>");
}
