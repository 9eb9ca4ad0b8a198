/* SPDX-License-Identifier: Apache-2.0 */
/* late.h - what happened earlier and was told only now: the kept samples and histograms of that time get it, so that history
 * says it when it happened.
 * Next: samples.h; its batches carry these. */
#ifndef EK_STORE_LATE_H
#define EK_STORE_LATE_H

#include "base/err.h"
#include "core/series.h"

#include <stddef.h>
#include <stdint.h>

struct store;

struct late_add {
    uint32_t version;
    uint32_t what; /* below SERIES_MAX: a counter; from there on: a bin of the histogram */
    int64_t
        at; /* unix seconds, at the end of a minute: everything kept from then on gets it; of a bin: the begin of its slot */
    uint64_t n;
};

/* Within a transaction, before the samples of `now` are written, which have it. In the order of version, counters before
 * bins, `at`. What lies before a version's history counts in its first minute. */
err late_write(struct store *s, const struct late_add *list, size_t count, int64_t now);

#endif
