/* SPDX-License-Identifier: Apache-2.0 */
/* page.c - the dashboard: one server-rendered table, worst journey first. The looks are in src/ui. */
#include "control/control.h"
#include "control/figures.h"
#include "control/page.h"
#include "control/where.h"

#include <stdlib.h>
#include <time.h>

/* One row of the table: a journey and its worst objective. */
struct row {
    const struct journey *journey;
    double budget; /* of its worst objective; 2: no objective, 1.5: no data */
};

enum { BUDGET_NO_DATA = 2, BUDGET_NO_OBJECTIVE = 3 };

void page_escaped(struct str *out, struct span s)
{
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': str_literal(out, "&amp;"); break;
        case '<': str_literal(out, "&lt;"); break;
        case '>': str_literal(out, "&gt;"); break;
        case '"': str_literal(out, "&quot;"); break;
        default: str_char(out, s.p[i]);
        }
    }
}

void page_write_time(struct str *out, int64_t at)
{
    time_t t = (time_t)at;
    struct tm utc;
    char text[32];

    gmtime_r(&t, &utc);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &utc);
    str_text(out, text);
}

static double budget_of(const struct figures *f)
{
    return f->state == SLO_NO_DATA ? BUDGET_NO_DATA : f->budget_left;
}

static int by_budget(const void *a, const void *b)
{
    double x = ((const struct row *)a)->budget;
    double y = ((const struct row *)b)->budget;
    return (x > y) - (x < y);
}

static struct row *worst_first(const struct control *c, size_t *ret_count)
{
    const struct config *config = control_config(c);
    struct row *rows = calloc(config->journey_count, sizeof(rows[0]));

    check(rows != NULL);
    for (size_t i = 0; i < config->journey_count; i++) {
        const struct journey *j = &config->journeys[i];
        rows[i] = (struct row){ .journey = j, .budget = BUDGET_NO_OBJECTIVE };
        for (unsigned o = 0; o < j->objective_count; o++) {
            struct figures f = figures_own(c, j, o);
            double budget = budget_of(&f);
            if (budget < rows[i].budget)
                rows[i].budget = budget;
        }
    }
    qsort(rows, config->journey_count, sizeof(rows[0]), by_budget);
    *ret_count = config->journey_count;
    return rows;
}

static const char *mood(double budget)
{
    if (budget >= BUDGET_NO_DATA)
        return "quiet";
    return budget <= 0 ? "spent" : budget < 0.25 ? "low" : "well";
}

static void write_time(double seconds, struct str *out)
{
    if (seconds < 3600)
        str_print(out, "%.0f min", seconds / 60);
    else if (seconds < 86400)
        str_print(out, "%.1f h", seconds / 3600);
    else
        str_print(out, "%.1f", seconds / 86400);
}

/* How fast the budget is spent, over the windows that alerts look at. */
static void write_burn(const struct control *c, const struct row *r, unsigned o, struct str *out)
{
    static const enum lookback shown[] = { LOOKBACK_5M, LOOKBACK_1H, LOOKBACK_6H, LOOKBACK_3D };

    str_literal(out, " <span class=\"burn\">burn");
    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
        const struct lookback_row *l = &lookbacks[shown[i]];
        struct figures f = figures_of(c, r->journey, o, l->seconds);
        str_print(out, " <span class=\"%s\">%s ",
                  f.state == SLO_NO_DATA || f.burn <= 1 ? "well"
                  : f.burn < 6                          ? "low"
                                                        : "spent",
                  l->word);
        if (f.state == SLO_NO_DATA)
            str_literal(out, "-</span>");
        else
            str_print(out, "%.3g</span>", f.burn);
    }
    str_literal(out, "</span>");
}

static void write_objective(const struct control *c, const struct row *r, unsigned o,
                            struct str *out)
{
    const struct objective *objective = &r->journey->objectives[o];
    struct figures f = figures_own(c, r->journey, o);
    double budget = budget_of(&f);
    double days;

    str_print(out, "<li class=\"%s\"><b>", mood(budget));
    page_escaped(out, objective->name);
    str_literal(out, "</b> ");
    if (f.state == SLO_NO_DATA)
        str_literal(out, "no data yet");
    else
        str_print(out, "%.3f %%", f.share * 100);
    str_print(out, " <small>of %.6g %%", objective->target * 100);
    if (objective->under >= 10 * NS_PER_S)
        str_print(out, " under %.6g s", (double)objective->under / (double)NS_PER_S);
    else if (objective->under)
        str_print(out, " under %.6g ms", (double)objective->under / (double)NS_PER_MS);
    if (objective->age_under)
        str_print(out, " younger than %.6g s", (double)objective->age_under / (double)NS_PER_S);
    str_literal(out, ", ");
    write_time(f.coverage * (double)f.window_s, out);
    str_print(out, " of %lld days measured</small> ", (long long)(f.window_s / 86400));
    if (f.state != SLO_NO_DATA) {
        str_print(out,
                  "<span class=\"budget\"><meter min=\"0\" max=\"1\" low=\"0.25\" optimum=\"1\" "
                  "value=\"%.4f\"></meter> ",
                  budget > 0 ? budget : 0);
        if (budget < 0) /* of -1900 % nobody can make anything */
            str_print(out, "%.3g times the budget spent", 1 - budget);
        else
            str_print(out, "%.1f %% of the budget left", budget * 100);
        if (budget > 0 && figures_days_left(c, r->journey, o, &days))
            str_print(out, ", gone in %.1f days", days);
        str_literal(out, "</span>");
        write_burn(c, r, o, out);
    }
    str_literal(out, "</li>");
}

/* Three digits that say something; what is longer is said whole, never as 3.02e+03. */
static int decimals(ns_t t)
{
    return t < NS_PER_MS ? 3 : t < 10 * NS_PER_MS ? 2 : t < 100 * NS_PER_MS ? 1 : 0;
}

static void write_latency(const struct control *c, const struct row *r, struct str *out)
{
    static const uint32_t marks[] = { 500000, 950000, 990000 };
    static const char *const names[] = { "p50 ms", "p95 ms", "p99 ms" };
    uint64_t bins[HISTOGRAM_BINS];

    figures_histogram(c, r->journey, bins);
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        ns_t t = histogram_percentile(bins, marks[i]);
        if (t < 0)
            str_print(out, "<td class=\"n\" data-label=\"%s\">-</td>", names[i]);
        else
            str_print(out, "<td class=\"n\" data-label=\"%s\">%.*f</td>", names[i], decimals(t),
                      (double)t / (double)NS_PER_MS);
    }
}

static void write_row(const struct control *c, const struct where *w, const struct row *r,
                      struct str *out)
{
    static const char *const verdicts[] = { "good", "slow", "failed", "excluded" };
    uint64_t all[SERIES_MAX];

    figures_totals(c, r->journey, all);
    str_print(out, "<tr class=\"%s\"><th scope=\"row\">", mood(r->budget));
    page_escaped(out, r->journey->name);
    str_text(out, r->journey->kind == JOURNEY_JOBS    ? "<small>jobs "
                  : r->journey->kind == JOURNEY_STEPS ? "<small>users "
                                                      : "<small>");
    page_escaped(out, r->journey->owner);
    str_literal(out, "</small></th><td><ul>");
    for (unsigned o = 0; o < r->journey->objective_count; o++)
        write_objective(c, r, o, out);
    page_write_funnel(c, r->journey, out);
    page_write_where(w, r->journey, out);
    page_write_query(c, r->journey, out);
    str_print(out, "</ul></td><td class=\"n\" data-label=\"per second\">%.1f</td>",
              figures_rate(c, r->journey));
    write_latency(c, r, out);
    for (unsigned v = SERIES_GOOD; v <= SERIES_EXCLUDED; v++)
        str_print(out, "<td class=\"n\" data-label=\"%s\">%lu</td>", verdicts[v],
                  (unsigned long)all[v]);
    str_literal(out, "<td>");
    if (r->journey->runbook.n) {
        str_literal(out, "<a rel=\"noreferrer\" href=\"");
        page_escaped(out, r->journey->runbook);
        str_literal(out, "\">runbook</a>");
    }
    str_literal(out, "</td></tr>\n");
}

static void write_footer(const struct control *c, bool session, struct str *out)
{
    str_literal(out, "<footer>node ");
    page_escaped(out, span_from_text(c->parts.node));
    str_print(out,
              ", evenkeel %s. The same as JSON: <a href=\"/api/v1/journeys\">journeys</a>, "
              "<a href=\"/api/v1/services\">services</a>, "
              "<a href=\"/api/v1/peers\">peers</a>, "
              "<a href=\"/api/v1/changes\">changes</a>; <a href=\"/metrics\">metrics</a>.",
              c->parts.version);
    if (session)
        str_literal(out, "<form class=\"logout\" method=\"post\" action=\"/logout\">"
                         "<button>Log out</button></form>");
    str_literal(out, "</footer>");
}

static size_t count_spent(const struct row *rows, size_t count)
{
    size_t spent = 0;

    for (size_t i = 0; i < count; i++)
        spent += rows[i].budget <= 0;
    return spent;
}

/* The one sentence that a person reads first. */
static void write_summary(const struct row *rows, size_t count, struct str *out)
{
    size_t spent = count_spent(rows, count);
    size_t judged = 0;

    for (size_t i = 0; i < count; i++)
        judged += rows[i].budget < BUDGET_NO_DATA;
    str_literal(out, "<p class=\"summary ");
    if (judged == 0)
        str_literal(out, "quiet\">Nothing to judge yet: no request has come.</p>");
    else if (spent == 0)
        str_literal(out, "well\">Every journey is within its error budget.</p>");
    else
        str_print(out, "spent\">%zu of %zu journeys %s spent the error budget.</p>", spent, judged,
                  spent == 1 ? "has" : "have");
}

static void write_store(const struct control *c, struct str *out)
{
    if (!c->book.trouble.failed)
        return;
    str_literal(out, "<p class=\"summary spent\">The store does not take samples; serving and "
                     "counting go on. ");
    page_escaped(out, span_from_text(c->book.trouble.text));
    str_literal(out, "</p>");
}

/* When this was so: a page that stands still must not look like one that is live. */
static void write_clock(const struct control *c, struct str *out)
{
    str_literal(out, "<p class=\"clock\">as of ");
    page_write_time(out, c->parts.wall() / NS_PER_S);
    str_literal(out, "</p>");
}

/* A browser waits for it. */
struct page_question {
    struct where where;
    bool session;     /* it has logged in, and may log out */
    struct row *rows; /* of the configuration in force; NULL: that may be another one by now */
    size_t count;
};

/* What ui/live.js reads: the program's version, and which events there are. */
static void write_live(const struct control *c, struct str *out)
{
    str_literal(out, "data-version=\"");
    page_escaped(out, span_from_text(c->parts.version));
    str_literal(out, "\" data-events=\"missed");
    for (unsigned k = 0; k < NOTICE_COUNT; k++)
        str_print(out, " %s", notice_word((enum notice_kind)k));
    str_char(out, '"');
}

/* The title is all that one sees of a page behind others. */
static void write_head(const struct page_question *q, const struct control *c, struct str *out)
{
    size_t spent = count_spent(q->rows, q->count);

    str_literal(out, "<!doctype html>\n<html lang=\"en\" ");
    write_live(c, out);
    str_literal(out, "><head><meta charset=\"utf-8\">"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
                     "<noscript><meta http-equiv=\"refresh\" content=\"5\"></noscript>"
                     "<link rel=\"stylesheet\" href=\"/style.css\"><link rel=\"icon\" "
                     "href=\"/icon.svg\"><script src=\"/live.js\" defer></script><title>");
    if (spent > 0)
        str_print(out, "%zu spent - ", spent);
    str_literal(out, "evenkeel</title></head>");
}

static void write_page(const struct page_question *q, struct control *c, struct str *out)
{
    write_head(q, c, out);
    str_literal(out, "<body><header><h1>evenkeel</h1>");
    write_summary(q->rows, q->count, out);
    write_store(c, out);
    write_clock(c, out);
    str_literal(
        out,
        "</header><main><table><thead><tr><th>journey</th><th>objectives</th><th>per second</th>"
        "<th>p50 ms</th><th>p95 ms</th><th>p99 ms</th><th>good</th><th>slow</th>"
        "<th>failed</th><th>excluded</th><th></th></tr></thead><tbody>\n");
    for (size_t i = 0; i < q->count; i++)
        write_row(c, &q->where, &q->rows[i], out);
    str_literal(out, "</tbody></table>");
    page_write_unclaimed(c, out);
    page_write_services(c, out);
    page_write_deeds(c, out);
    page_write_peers(c, out);
    str_literal(out, "</main>");
    write_footer(c, q->session, out);
    str_literal(out, "</body></html>\n");
}

static unsigned answer_page(struct where *w, struct control *c, struct str *out)
{
    struct page_question *q = container_of(w, struct page_question, where);

    if (!q->rows)
        q->rows = worst_first(c, &q->count);
    write_page(q, c, out);
    return 200;
}

static void forget_rows(struct where *w)
{
    struct page_question *q = container_of(w, struct page_question, where);

    free(q->rows);
    q->rows = NULL;
}

static bool failed_lately(const struct control *c, const struct journey *j)
{
    struct window_counts hour;

    figures_window(c, j, 3600, &hour);
    return hour.counts[SERIES_SLOW] + hour.counts[SERIES_FAILED] > 0;
}

void api_page(struct api_call *k)
{
    struct control *c = k->control;
    struct page_question *q = where_begin(sizeof(*q));
    struct where *w = &q->where;

    q->session = k->session;
    q->rows = worst_first(c, &q->count);
    w->write = answer_page;
    w->close = forget_rows;
    w->dimensions = PAGE_DIMENSIONS;
    for (size_t i = 0; i < q->count && w->count < WHERE_JOURNEYS_MAX; i++) {
        if (failed_lately(c, q->rows[i].journey))
            where_add(w, c, q->rows[i].journey);
    }
    k->type = API_HTML;
    if (!where_answer(w, k)) /* the rows point into a configuration that may go meanwhile */
        forget_rows(w);
}
