/* SPDX-License-Identifier: Apache-2.0 */
/* journey_steps.h - journeys of steps: from what the reactors tell of their users to the counts of those journeys.
 * Always: each attempt that began is counted once when it ends, in the journey's version under which it began: completed as
 * good or slow, failed as failed, abandoned as excluded or failed, lost as excluded. What was under way when a process ended
 * is lost for the next one: started less ended is what nobody saw end.
 * Owned by control. Next: core/attempts.h, the rules; page_steps.c and api_steps.c, which show it. */
#ifndef EK_CONTROL_JOURNEY_STEPS_H
#define EK_CONTROL_JOURNEY_STEPS_H

#include "bus/config.h"
#include "bus/step_ring.h"
#include "core/attempts.h"

struct control;

/* One version of a journey; its number in `attempts` is its index. */
struct watched_journey {
    bool open;
    uint32_t id;     /* stable */
    uint32_t former; /* of the version before it, which differed in objectives only; id: none */
    uint64_t basis;
    uint64_t name; /* a hash */
    struct journey_slots slots;
    struct verdict_rules rules;
    bool abandoned_bad;
};

struct journey_steps {
    struct step_ring rings[WORKERS_MAX]; /* one per worker, in their order */
    size_t ring_count;
    struct counter_page *tally;
    struct watched_journey journeys[ATTEMPT_JOURNEYS_MAX];
    struct attempts attempts;
    void *memory; /* of the attempts; NULL: there was no journey of steps yet */
};

void journey_steps_open(struct journey_steps *s, size_t workers, struct counter_page *tally);
void journey_steps_close(struct journey_steps *s);

/* Until when the rings are complete: all that ended before has been told. A user's steps come to any of the reactors, and
 * one of these may be slow to tell what the other's next step follows from. */
ns_t journey_steps_complete(const struct control *c);

/* A configuration has come into force, and the book has accounts for its journeys. The rings are complete until then. */
void journey_steps_adopt(struct control *c, const struct config *config, ns_t complete);

/* Takes what the rings hold, and ends what is too late: each second. */
void journey_steps_tick(struct journey_steps *s, ns_t complete);

/* At once, when a ring asks for it. */
void journey_steps_hurry(struct journey_steps *s, ns_t complete);

/* Everything that the rings hold: when no reactor runs any more. */
void journey_steps_drain(struct journey_steps *s);

/* How many users have come so far and no further, by step, on this node. */
void journey_steps_standing(const struct journey_steps *s, const struct journey *j,
                            uint64_t ret_standing[STEPS_MAX]);

/* ---- what is told of it, over all nodes */

struct funnel {
    uint64_t reached[STEPS_MAX]; /* attempts; [0]: started */
    uint64_t standing[STEPS_MAX];
    uint64_t under_way; /* the sum of standing */
    uint64_t ended[ATTEMPT_END_COUNT];
    uint64_t no_identity;
};

/* From the counts of the journey: of this process, or of all time and all nodes. */
void funnel_of(const struct journey *j, const uint64_t counts[SERIES_MAX],
               const uint64_t standing[STEPS_MAX], struct funnel *ret);

const char *attempt_end_word(enum attempt_end e);

#endif
