/* SPDX-License-Identifier: Apache-2.0 */
/* attempts.h - users on their way through journeys of ordered steps: who stands where, who came to the end, who did not.
 * An attempt begins when a user is given a good answer to the first step, and knows of nothing but the next step from then
 * on: a step that is repeated, an earlier one, or one that is skipped to changes nothing. It ends when the last step is
 * answered well, no later than the deadline after the answer to the first (completed), when the deadline passes (failed if
 * a step failed meanwhile, else abandoned), or when we lose sight of it (lost).
 * Always: a user has at most one attempt at a journey; each attempt that began ends once, or is under way; memory is fixed:
 * when it is used up, the oldest attempt of the journey that has most of them makes room, and is lost.
 * Pure; memory is the owner's. Times are nanoseconds of one monotonic clock.
 * Next: control/journey_steps.h, which counts what is reported here. */
#ifndef EK_CORE_ATTEMPTS_H
#define EK_CORE_ATTEMPTS_H

#include "base/clock.h"
#include "core/series.h"
#include "core/verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    STEPS_MIN = 2,
    ATTEMPT_JOURNEYS_MAX = 64,
    /* Of all journeys together: 12 MiB, touched as far as they are used. With a deadline of 30 minutes that is enough for
     * 145 users a second who never come to the end; those who do make room at once. */
    ATTEMPTS_MAX = 1 << 18,
};

/* clang-format off */
#define ATTEMPT_ENDS(X) \
    /* name       word         how it ended */ \
    X(COMPLETED,  "completed", "the last step was answered well within the deadline") \
    X(FAILED,     "failed",    "a step failed, and the deadline passed") \
    X(ABANDONED,  "abandoned", "no step failed, and the deadline passed") \
    X(LOST,       "lost",      "nobody knows: a restart, a change of the steps, or no room")
/* clang-format on */

enum attempt_end {
#define X(name, word, how) ATTEMPT_##name,
    ATTEMPT_ENDS(X)
#undef X
        ATTEMPT_END_COUNT,
};

/* What the owner is told. `journey` is the number that it gave. */
struct attempt_watcher {
    void (*reached)(void *owner, unsigned journey, unsigned step); /* from 0: it began */
    void (*ended)(void *owner, unsigned journey, enum attempt_end how,
                  ns_t took); /* took: only when completed, from the first step's begin */
    void *owner;
};

struct attempt {
    uint64_t user;         /* a hash */
    ns_t begun;            /* the first step's request */
    ns_t answered;         /* the first step's answer: the deadline counts from here */
    uint32_t older, newer; /* of the same journey, by `answered`; numbers from 1, 0: none */
    uint8_t journey;
    uint8_t reached; /* steps */
    bool failed;     /* a step failed since it began */
};

struct attempt_journey {
    bool open;
    unsigned steps;
    ns_t deadline;
    uint32_t oldest, newest;
    uint32_t count;
    uint32_t standing[STEPS_MAX]; /* how many have come so far and no further, by step */
};

struct attempts {
    struct attempt_watcher watcher;
    struct attempt *list;
    uint32_t *table; /* open addressing, number of an attempt, 0: free; never more than half full */
    uint32_t room;
    uint32_t used; /* of the list, ever */
    uint32_t free; /* first of those that ended, linked by `newer` */
    uint32_t count;
    struct attempt_journey journeys[ATTEMPT_JOURNEYS_MAX];
};

/* Bytes for so many attempts; `room` is a power of two, at most ATTEMPTS_MAX. */
size_t attempts_bytes(uint32_t room);

/* `memory`: zeroes, aligned for anything. */
void attempts_init(struct attempts *a, void *memory, uint32_t room,
                   const struct attempt_watcher *watcher);

/* A journey is watched from now on, under a number that is free. 2 <= steps <= STEPS_MAX. */
void attempts_open(struct attempts *a, unsigned journey, unsigned steps, ns_t deadline);

/* No longer: what is under way is lost. */
void attempts_close(struct attempts *a, unsigned journey);

/* A request that may be some steps of a journey has ended; in order of `ended`. */
struct step_taken {
    uint64_t user;
    ns_t begun;
    ns_t ended;
    uint8_t steps;        /* bit i: it matches step i */
    enum outcome outcome; /* good and slow: answered well; excluded: as if it had not been */
};

void attempts_take(struct attempts *a, unsigned journey, const struct step_taken *t);

/* Ends those whose deadline is before `now`. */
void attempts_expire(struct attempts *a, ns_t now);

#endif
