/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_text.h - numbers as a scraper reads them, in the format that it asks for: Prometheus' text 0.0.4, or OpenMetrics 1.0
 * (https://github.com/OpenObservability/OpenMetrics, specification 1.0.0) which also has exemplars.
 * Always: one TYPE per family and its samples together; every sample ends with the label `node`; the same labels in
 * both formats, also the text of `le`, so that a scraper which changes the format goes on with the same series. */
#ifndef EK_CONTROL_METRICS_TEXT_H
#define EK_CONTROL_METRICS_TEXT_H

#include "base/clock.h"
#include "base/str.h"

struct exemplar;
struct http_head;

enum metrics_format { METRICS_TEXT, METRICS_OPEN };

enum metric_kind { METRIC_counter, METRIC_gauge, METRIC_histogram, METRIC_info };

struct metrics_text {
    struct str *out;
    enum metrics_format format;
    const char *node;
    const char *family; /* that is being written, as samples of format 0.0.4 name it */
    bool labelled;      /* the sample has a label already */
};

/* What the Accept fields ask for (RFC 9110 section 12.5.1); 0.0.4 when they say nothing of it. */
enum metrics_format metrics_format_for(const struct http_head *h);

/* The value of Content-Type. */
struct span metrics_content_type(enum metrics_format f);

/* A family begins. A counter's name ends in _total, an info's in _info; a unit is read off the name. */
void metrics_family(struct metrics_text *t, enum metric_kind kind, const char *name,
                    const char *help);

/* A sample: its begin, labels, then one of the values. `suffix`: "_bucket", "_sum", "_count" of a histogram; else "". */
void metrics_sample(struct metrics_text *t, const char *suffix);
void metrics_label(struct metrics_text *t, const char *name, struct span value);
void metrics_edge(struct metrics_text *t, ns_t le); /* the label `le`; NS_NEVER: +Inf */
void metrics_count(struct metrics_text *t, uint64_t value);
void metrics_number(struct metrics_text *t, double value); /* may be NaN */

/* With an exemplar (NULL: none) that was seen at this wall time. */
void metrics_count_of(struct metrics_text *t, uint64_t value, const struct exemplar *x, ns_t wall);

/* Behind the last family. */
void metrics_end(struct metrics_text *t);

#endif
