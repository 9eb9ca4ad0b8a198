/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - who is counted: epochs of this node, journeys and their versions.
 * An epoch is one start of the program, or what follows a step of the wall clock. Samples name
 * their epoch, so that one which was interrupted can be told from the next; cumulative values go on
 * across epochs. Next: samples.h. */
#ifndef EK_STORE_CATALOG_H
#define EK_STORE_CATALOG_H

#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/* Begins an epoch; must come once after opening, before anything is written, and again when the
 * wall clock stepped. `program` is its version, for people. */
err epoch_begin(struct store *s, int64_t now, struct span program, int64_t *ret_epoch);

/* A version of a journey. */
struct journey_version {
    uint32_t id;     /* what samples are keyed by; never 0, see NODE_VERSION */
    uint32_t number; /* 1, 2, ... of this journey, for people */
    bool created;    /* just now */
};

/* The version of the journey `name` that counts by `definition`: a hash of all that gives its
 * counters their meaning (routes, what is bad, and the ordered list of objectives with kind and
 * threshold). A definition that was in use before gets its old version back, with its counts:
 * undoing a mistake in the file loses nothing. A new one becomes version newest + 1 and begins at
 * zero at `now`. */
err journey_version(struct store *s, struct span name, uint64_t definition, int64_t now,
                    struct journey_version *ret_version);

#endif
