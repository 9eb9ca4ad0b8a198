/* SPDX-License-Identifier: Apache-2.0 */
/* slo.h - what `evenkeel slo` counts, between its files: slo.c counts logs, slo_print.c shows that; slo_running.c asks the
 * running program. */
#ifndef EK_CLI_SLO_H
#define EK_CLI_SLO_H

#include "cli/log_scan.h"
#include "core/histogram.h"
#include "core/path_groups.h"
#include "core/series.h"
#include "core/slo.h"
#include "control/config_file.h"

/* What one journey got of the log. */
struct tally {
    struct verdict_rules rules;
    struct verdict_objectives untimed_objectives; /* for answers whose time is not known */
    uint64_t series[SERIES_MAX];
    uint64_t bins[HISTOGRAM_BINS];
    uint64_t untimed; /* good answers whose time is not known */
};

struct slo_count {
    const struct config *config;
    struct tally *tallies;         /* one per journey, `unclaimed` last */
    struct path_groups *unclaimed; /* its paths */
    struct log_evidence seen;
    const char *const *files;
    size_t file_count;
};

static inline struct slo_counts slo_count_objective(const struct tally *t, size_t i)
{
    return (struct slo_counts){ t->series[series_good((unsigned)i)],
                                t->series[series_bad((unsigned)i)] };
}

/* `evenkeel slo JOURNEY`: what is asked of the running program. slo_running.c */
struct slo_question {
    const char *admin;
    const char *journey;
    const char *objective; /* NULL: all of them */
    ns_t under;            /* what if; 0: not asked */
    bool json;
    bool color;
    bool utf8;     /* the terminal takes block characters */
    size_t points; /* of a curve */
};

/* The exit code. Fills in what it finds out of the terminal. */
int slo_running(struct slo_question *q);

void slo_print_text(const struct slo_count *c, bool color);
void slo_print_json(const struct slo_count *c);

#endif
