/* SPDX-License-Identifier: Apache-2.0 */
/* samples.h - what the scribe writes: cumulative counters of journeys, and histograms.
 * A batch is written in one transaction: all of it or nothing. Values are cumulative over all
 * epochs of the node (base at boot + live), so a batch that is written later, or skipped for a
 * newer one, loses no count.
 * Counters are in the order of core/series.h. Batches belong to the caller.
 * Next: history.h, which reads them back. */
#ifndef EK_STORE_SAMPLES_H
#define EK_STORE_SAMPLES_H

#include "base/err.h"
#include "base/span.h"
#include "core/series.h"
#include "store/late.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* The node itself, as if it were a journey: its only counter is the cumulative time that was
 * measured (core/accumulate.h), in milliseconds. */
enum { NODE_VERSION = 0, NODE_MEASURED_MS = 0 };

/* The counters of one version at one instant. */
struct sample {
    uint32_t version; /* id from journey_version(), or NODE_VERSION */
    bool keep;        /* also keep it as history: about once a minute, when something changed */
    int64_t at;       /* unix seconds: everything counted until then is in */
    uint64_t counts[SERIES_MAX]; /* counters that the version has not are 0 */
};

/* What came into the bins from `at` until histogram_slot_end(); written again with more in it, it
 * replaces what this epoch wrote for the slot before. A slot during which another epoch begins stays with its own. */
struct histogram_sample {
    uint32_t version; /* `bins` of journey_version() */
    int64_t
        at; /* unix seconds: a multiple of HISTOGRAM_SLOT_S, or later where a process or version began in it */
    int64_t epoch;    /* in which it was first written; 0: the running one */
    struct span bins; /* pack_histogram(); the caller's memory */
};

enum { HISTOGRAM_SLOT_S = 300 };

/* When the slot that begins or goes on at `at` is over. */
static inline int64_t histogram_slot_end(int64_t at)
{
    return at - at % HISTOGRAM_SLOT_S + HISTOGRAM_SLOT_S;
}

struct sample_batch {
    struct sample *samples; /* of one version in order of time */
    size_t sample_count;
    struct histogram_sample *histograms;
    size_t histogram_count;
    const struct late_add *late; /* what comes into the past (late.h), in its order */
    size_t late_count;
    int64_t now;     /* unix seconds; of the late ones, and of the end */
    uint32_t *leads; /* versions that came into force */
    size_t lead_count;
    bool ends; /* nothing is counted any more: the process ends in order */
};

/* Needs an epoch. On failure nothing of the batch was stored (store_trouble() says why); the same
 * or a newer batch may be tried again. */
err samples_write(struct store *s, const struct sample_batch *batch);

/* The running one; 0: none yet. */
int64_t samples_epoch(const struct store *s);

#endif
