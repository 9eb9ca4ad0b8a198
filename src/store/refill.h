/* SPDX-License-Identifier: Apache-2.0 */
/* refill.h - telling a file that was begun anew what the running program still knows: journeys, their counters now, and as
 * they stood when its longer windows began. So a lost file costs the history between those instants, not the counts.
 * Next: control/book_refill.c, which makes one. */
#ifndef EK_STORE_REFILL_H
#define EK_STORE_REFILL_H

#include "store/catalog.h"
#include "store/samples.h"

struct refill_journey {
    struct journey_meaning meaning; /* name "": the node itself */
    struct sample *samples; /* by ascending time, the newest now; the version is filled in */
    size_t sample_count;    /* at least 1 */
    struct journey_version version; /* out: its new row */
};

struct refill {
    int64_t now;         /* unix seconds */
    struct span program; /* its version, for the epoch */
    struct refill_journey *journeys;
    size_t count;
};

/* Begins an epoch and puts all of it, in one transaction; into a file that has a history only the newest samples. Versions
 * that are there are found again. On failure nothing was put, and store_here() fails until it works. */
err store_refill(struct store *s, struct refill *r);

#endif
