/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - who is counted: epochs of this node, journeys and their versions.
 * An epoch is one start of the program, or what follows a step of the wall clock. Samples name
 * their epoch, so that one which was interrupted can be told from the next; cumulative values go on
 * across epochs. Next: samples.h. */
#ifndef EK_STORE_CATALOG_H
#define EK_STORE_CATALOG_H

#include "base/clock.h"
#include "base/err.h"
#include "base/span.h"
#include "core/series.h"
#include "store/samples.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

/* Begins an epoch; must come once after opening, before anything is written, and again when the
 * wall clock stepped. `program` is its version, for people. */
err epoch_begin(struct store *s, int64_t now, struct span program, int64_t *ret_epoch);

/* What gives the counters of a journey their meaning. */
struct journey_meaning {
    struct span name;
    uint64_t
        definition; /* hash of the basis and of the ordered list of objectives with kind and threshold */
    uint64_t
        basis; /* hash of routes and of what is bad: which answers are counted, and which fail */
    unsigned objectives;
    ns_t under[OBJECTIVES_MAX]; /* 0: availability */
};

/* A version of a journey. */
struct journey_version {
    uint32_t id;      /* what samples are keyed by; never 0, see NODE_VERSION */
    uint32_t number;  /* 1, 2, ... of this journey, for people */
    uint32_t bins;    /* what histograms are keyed by: the same for all versions of a basis */
    bool created;     /* just now */
    bool leads;       /* it was in force last among those of its basis */
    bool rebuilt;     /* its history was made just now, from that of the version which led before */
    bool missed;      /* it could not be, because of the threshold of an objective: */
    unsigned missing; /* which */
};

/* What a running program knows of the version that leads and the store does not know yet. */
struct journey_newest {
    uint32_t version;
    struct sample sample;
    struct histogram_sample histogram; /* of the running slot; without bins: nothing came */
};

/* The version of the journey that counts by this meaning. A definition that was in use before gets its old version
 * back; a new one becomes version newest + 1. When another version of the same basis was in force meanwhile, the history
 * from its begin on is rebuilt from that one's, if every threshold is one that both have or an edge of the histogram. Else
 * a new version begins at zero at `now`, and an old one goes on with what it had counted. `newest` may be NULL. */
err journey_version(struct store *s, const struct journey_meaning *meaning,
                    const struct journey_newest *newest, int64_t now,
                    struct journey_version *ret_version);

#endif
