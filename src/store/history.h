/* SPDX-License-Identifier: Apache-2.0 */
/* history.h - reading back what samples.h wrote: totals at boot, counters at an instant,
 * histograms.
 * A window is samples_total() or the live counters less samples_at() its begin: series_delta().
 * Resolution is a minute for 35 days, then an hour (the last minute of each, so nothing is
 * smeared).
 * All is of this node; other nodes answer for themselves. */
#ifndef EK_STORE_HISTORY_H
#define EK_STORE_HISTORY_H

#include "store/samples.h"

/* The newest counters of a version over all epochs: the base to which a new process adds. Zeroes,
 * with at = 0, when nothing was ever written. */
err samples_total(struct store *s, uint32_t version, struct sample *ret_sample);

/* The counters as they stood at an instant: the newest kept sample at or before it; before the
 * first one, the first (a version's history begins with zeroes at its creation). ret_sample->at
 * says when it was taken; zeroes with at = 0 when there is none at all. */
err samples_at(struct store *s, uint32_t version, int64_t at, struct sample *ret_sample);

/* Samples in order of time. */
struct sample_list {
    struct sample *samples; /* malloc */
    size_t count;
};

/* The kept samples of a version after an instant, and the one that stood at it, if there is one, first. */
err samples_since(struct store *s, uint32_t version, int64_t from, struct sample_list *ret_list);
void sample_list_free(struct sample_list *l);

/* When anything was last written; 0 when never. What lies between then and now was not measured. */
err samples_last_write(struct store *s, int64_t *ret_at);

/* Adds to bins[HISTOGRAM_BINS] what came within the slots that begin in [from, to). */
err histogram_between(struct store *s, uint32_t version, int64_t from, int64_t to, uint64_t *bins);

#endif
