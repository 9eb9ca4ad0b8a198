/* SPDX-License-Identifier: Apache-2.0 */
/* figures.c - see figures.h. */
#include "control/figures.h"

#include "control/control.h"

void figures_window(const struct control *c, const struct journey *j, int64_t window_s,
                    struct window_counts *ret)
{
    book_window(&c->book, book_account(&c->book, j), window_s, ret);
    peers_add_window(c, j, window_s, ret);
}

void figures_totals(const struct control *c, const struct journey *j,
                    uint64_t ret_counts[SERIES_MAX])
{
    book_cumulative(&c->book, book_account(&c->book, j), ret_counts);
    peers_add_totals(c, j, ret_counts);
}

void figures_funnel(const struct control *c, const struct journey *j, struct funnel *ret)
{
    uint64_t counts[SERIES_MAX];
    uint64_t standing[STEPS_MAX];

    figures_totals(c, j, counts);
    journey_steps_standing(&c->steps, j, standing);
    peers_add_standing(c, j, standing);
    funnel_of(j, counts, standing, ret);
}

void figures_histogram(const struct control *c, const struct journey *j,
                       uint64_t ret_bins[HISTOGRAM_BINS])
{
    book_histogram(&c->book, book_account(&c->book, j), ret_bins);
    peers_add_histogram(c, j, ret_bins);
}

struct figures figures_of(const struct control *c, const struct journey *j, unsigned o,
                          int64_t window_s)
{
    uint32_t target = slo_target(j->objectives[o].target);
    struct window_counts w;

    figures_window(c, j, window_s, &w);
    struct slo_counts counts = { w.counts[series_good(o)], w.counts[series_bad(o)] };
    return (struct figures){ .window_s = window_s,
                             .counts = counts,
                             .state = slo_state(target, counts),
                             .share = slo_share(counts),
                             .burn = slo_burn(target, counts),
                             .budget_left = slo_budget_left(target, counts),
                             .measured_s = (double)w.measured_ms / 1000,
                             .coverage = slo_coverage(w.measured_ms, window_s) };
}

struct figures figures_own(const struct control *c, const struct journey *j, unsigned o)
{
    return figures_of(c, j, o, j->objectives[o].window_s);
}

bool figures_days_left(const struct control *c, const struct journey *j, unsigned o,
                       double *ret_days)
{
    struct figures own = figures_own(c, j, o);
    struct figures day = figures_of(c, j, o, lookbacks[LOOKBACK_1D].seconds);

    if (own.state == SLO_NO_DATA)
        return false;
    return slo_days_left(own.budget_left, day.burn, own.window_s, ret_days);
}

double figures_rate(const struct control *c, const struct journey *j)
{
    struct window_counts w;

    book_window(&c->book, book_account(&c->book, j), RATE_WINDOW_S, &w);
    return window_rate(&w) + peers_rate(c, j);
}
