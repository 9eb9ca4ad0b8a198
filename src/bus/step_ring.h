/* SPDX-License-Identifier: Apache-2.0 */
/* step_ring.h - requests that were steps of journeys: from one reactor to control.
 * Always: one writer, one reader, no lock; entries come out in the order in which they went in, which is that of `ended`;
 * `ended` is no later than the answer left, so that over all rings it is also the order of one user's requests; one that
 * finds no room is the writer's to count. The writer never waits. */
#ifndef EK_BUS_STEP_RING_H
#define EK_BUS_STEP_RING_H

#include "base/clock.h"
#include "bus/ring.h"

#include <stdbool.h>

enum {
    /* Control looks once a second, and sooner when it is half full. It needs some 100 ns for each. */
    STEP_RING_ENTRIES = 8192,
    STEP_RING_HURRY = STEP_RING_ENTRIES / 2,
};

struct step_entry {
    uint64_t user; /* keyed hash */
    ns_t begun;
    ns_t ended;       /* the turn that sent the last of the answer, by the reactor's `now` */
    uint32_t journey; /* stable id */
    uint8_t steps;    /* bit i: it matches step i */
    uint8_t outcome;  /* enum outcome, by the rules of that journey */
};

struct step_ring {
    struct ring ring;
    struct step_entry *entries;
};

void step_ring_open(struct step_ring *r);
void step_ring_close(struct step_ring *r);

enum step_put {
    STEP_PUT,
    STEP_PUT_HURRY, /* half of it is in use by now: the reader should be woken */
    STEP_NO_ROOM,
};

/* By the writer. */
enum step_put step_ring_put(struct step_ring *r, const struct step_entry *e);

/* By the reader: the oldest entry, which stays until step_ring_taken(); NULL: there is none. */
const struct step_entry *step_ring_peek(const struct step_ring *r);
void step_ring_taken(struct step_ring *r);

/* By the reader: half of it is in use. */
bool step_ring_hurries(const struct step_ring *r);

#endif
