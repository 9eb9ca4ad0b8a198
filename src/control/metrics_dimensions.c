/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_dimensions.c - requests by journey and value, for a scraper that asks for it: journeys times values are many series, so
 * which dimensions are worth them is said by who pays for them (/metrics?dimensions=instance,release).
 * Always: a series only grows, until its value gives way; then it ends. So what gave way is not added to `(other)` here, where it would look
 * like requests that have just come. */
#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"
#include "control/metrics_text.h"

/* Tenants choose their names: none may be taken for `(none)` or `(other)`. */
static void label_value(const struct control *c, struct metrics_text *t,
                        const struct dimension_row *r)
{
    char buffer[TENANT_LABEL];
    struct str text = str_growing();
    struct span label =
        r->tenant ? tenant_label(control_config(c), c->parts.hash_key, r, buffer) : r->text;

    if (r->kind != ENTRY_IS_VALUE)
        str_print(&text, "(%.*s)", SPAN_ARG(label));
    else
        str_print(&text, "%s%.*s", label.n && label.p[0] == '(' ? "(" : "", SPAN_ARG(label));
    metrics_label(t, "value", str_span(&text));
    str_free(&text);
}

static void write_row(const struct control *c, struct metrics_text *t, const struct journey *j,
                      enum dimension which, const struct dimension_row *r)
{
    static const char *const words[] = { "good", "slow", "failed", "excluded" };

    for (unsigned o = 0; o < DIMENSION_OUTCOMES; o++) {
        uint64_t n = r->counts[o] - (r->retired ? r->retired[o] : 0);
        if (n == 0)
            continue;
        metrics_sample(t, "");
        metrics_label(t, "journey", j->name);
        metrics_label(t, "dimension", span_from_text(dimension_word(which)));
        metrics_label(t, "service", r->service);
        label_value(c, t, r);
        metrics_label(t, "verdict", span_from_text(words[o]));
        metrics_count(t, n);
    }
}

static void write_journey(const struct control *c, struct metrics_text *t, const struct journey *j,
                          uint32_t asked)
{
    for (int d = 0; j->dimensions && d < DIMENSION_COUNT; d++) {
        struct dimension_row rows[DIMENSION_ENTRIES];
        if (!(asked >> d & 1))
            continue;
        unsigned n = dimensions_read(&c->registry.dimensions, &c->book, j, (enum dimension)d,
                                     DIMENSION_WINDOW_START, c->reactor->now, rows);
        for (unsigned i = 0; i < n; i++)
            write_row(c, t, j, (enum dimension)d, &rows[i]);
    }
}

void metrics_write_dimensions(const struct control *c, struct metrics_text *t, uint32_t asked)
{
    const struct config *config = control_config(c);

    if (asked == 0)
        return;
    metrics_family(t, METRIC_counter, "evenkeel_journey_dimension_requests_total",
                   "Requests by journey, value of a dimension, and verdict.");
    for (size_t i = 0; i < config->journey_count; i++)
        write_journey(c, t, &config->journeys[i], asked);
}

const char *metrics_asked(struct span query, struct arena *memory, uint32_t *ret_asked)
{
    struct query_row row = { .key = "dimensions" };
    const char *wrong = query_read(query, &row, 1, memory);

    *ret_asked = 0;
    if (!wrong && !dimension_list(row.value, ret_asked))
        wrong = "dimensions is a list of: instance, release, status, reason, tenant";
    return wrong;
}
