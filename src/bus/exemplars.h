/* SPDX-License-Identifier: Apache-2.0 */
/* exemplars.h - for each journey and verdict the trace of the last request of that kind: from a number on a dashboard to
 * one request behind it. One table per reactor, written by it alone, read by control.
 * Always: no lock and no allocation; a reader gets a whole exemplar or none. The last one wins, for no other choice is as cheap.
 * A cell is a seqlock whose words are stored with release and loaded with acquire, so that whoever saw a word of a new
 * exemplar also sees that its turn is odd. */
#ifndef EK_BUS_EXEMPLARS_H
#define EK_BUS_EXEMPLARS_H

#include "base/clock.h"
#include "core/verdict.h"

#include <stdalign.h>
#include <stdatomic.h>

enum {
    /* Stable ids of journeys; those that come after so many reloads have no exemplars. More than the counters have room for. */
    EXEMPLAR_JOURNEYS_MAX = 4096,
    EXEMPLAR_KINDS = OUTCOME_FAILED + 1, /* good, slow, failed: enum outcome */
    EXEMPLAR_TRIES = 8,                  /* of a reader, while the writer writes */
};

struct exemplar {
    uint64_t trace_high;
    uint64_t trace_low;
    ns_t took;
    ns_t at; /* monotonic */
};

struct exemplar_cell {
    alignas(64) _Atomic uint64_t turn; /* odd: being written; 0: never was */
    _Atomic uint64_t trace_high, trace_low, took, at;
};

struct exemplars {
    struct exemplar_cell *cells; /* address space; touched where it is used */
};

/* Stops the program when the address space is not to be had. */
void exemplars_open(struct exemplars *e);
void exemplars_close(struct exemplars *e);

/* By the writer only. `journey`: its stable id. */
void exemplar_put(struct exemplars *e, uint32_t journey, enum outcome kind,
                  const struct exemplar *x);

/* False: there is none, or it changes all the time. */
[[nodiscard]] bool exemplar_get(const struct exemplars *e, uint32_t journey, enum outcome kind,
                                struct exemplar *ret);

#endif
