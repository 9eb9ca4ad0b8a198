/* SPDX-License-Identifier: Apache-2.0 */
/* page_dimensions.c - where a journey failed in the last hour, under its objectives: values that have most of what is bad, and clearly
 * more of it than of all requests. */
#include "control/figures.h"
#include "control/control.h"
#include "control/page.h"

enum {
    MOST_PERCENT = 50,
    CLEARLY = 3, /* halves: one and a half times its share of all requests */
};

struct sums {
    uint64_t bad;
    uint64_t judged;
};

static struct sums sums_of(const struct dimension_row *rows, unsigned count)
{
    struct sums s = {};

    for (unsigned i = 0; i < count; i++) {
        s.bad += dimension_bad(rows[i].counts);
        s.judged += rows[i].counts[OUTCOME_GOOD] + dimension_bad(rows[i].counts);
    }
    return s;
}

/* It is not bad just because most requests are. */
static bool stands_out(const struct dimension_row *r, const struct sums *all)
{
    uint64_t bad = dimension_bad(r->counts);
    uint64_t judged = r->counts[OUTCOME_GOOD] + bad;

    return bad > 0 && bad * 100 >= all->bad * MOST_PERCENT &&
           2 * (double)bad * (double)all->judged >= CLEARLY * (double)judged * (double)all->bad;
}

static void write_value(const struct control *c, enum dimension which,
                        const struct dimension_row *r, const struct sums *all, struct str *out)
{
    char buffer[TENANT_LABEL];

    str_print(out, "<span>%s ", dimension_word(which));
    page_escaped(out, r->tenant ? tenant_label(control_config(c), c->parts.hash_key, r, buffer)
                                : r->text);
    str_print(out, " <small>%.0f %%</small></span> ",
              (double)dimension_bad(r->counts) * 100 / (double)all->bad);
}

void page_write_where(const struct control *c, const struct journey *j, struct str *out)
{
    struct window_counts hour;
    bool begun = false;

    if (!j->dimensions)
        return;
    book_window(&c->book, book_account(&c->book, j), 3600, &hour);
    if (hour.counts[SERIES_SLOW] + hour.counts[SERIES_FAILED] == 0)
        return;
    for (int d = 0; d < DIMENSION_COUNT; d++) {
        struct dimension_row rows[DIMENSION_ENTRIES];
        unsigned n = dimensions_read(&c->registry.dimensions, &c->book, j, (enum dimension)d,
                                     DIMENSION_WINDOW_1H, c->reactor->now, rows);
        struct sums all = sums_of(rows, n);
        /* that failures have a status of failures says nothing */
        if (n < 2 || d == DIMENSION_STATUS || d == DIMENSION_REASON || !stands_out(&rows[0], &all))
            continue;
        if (!begun)
            str_literal(out, "<li class=\"where\"><b>where it fails</b> ");
        begun = true;
        write_value(c, (enum dimension)d, &rows[0], &all, out);
    }
    if (begun)
        str_literal(out, "<small>of what was bad in the last hour, on this node</small></li>");
}
