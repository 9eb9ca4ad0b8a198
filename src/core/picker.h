/* SPDX-License-Identifier: Apache-2.0 */
/* picker.h - which of the instances that can be used gets the next request.
 *     p2c     two are drawn by weight; the second gets it only when its load is clearly the less. Load is
 *             smoothed latency x (requests in flight + 1), so a slow instance and a full one are both avoided,
 *             and nobody runs after the one that looks best at the moment (Mitzenmacher 2001)
 *     least   fewest requests in flight for its weight
 *     turn    in turn by weight, evenly mixed (the smooth weighted round robin of nginx)
 *     hash    the same key to the same instance by weighted rendezvous (Thaler and Ravishankar 1998), unless
 *             it has a quarter more than its share in flight (consistent hashing with bounded loads,
 *             Mirrokni, Thorup and Zadimoghaddam 2016)
 * Latencies are a moving average that rises faster than it falls; a failure counts as slow, for an instance that fails
 * fast would look like the best of all; an instance that nobody asked for a while is forgotten slowly, so that
 * it is tried again.
 * Pure, no allocation: data path. Whoever owns the candidates keeps them up to date (plane/http/pick.c). */
#ifndef EK_CORE_PICKER_H
#define EK_CORE_PICKER_H

#include "base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RAMP_FULL = 256, /* slow start is over */
    RAMP_LEAST = 16, /* a sixteenth of its share when it begins */
};

/* One instance as the picker sees it. */
struct candidate {
    double latency; /* ns, smoothed; 0: unknown, taken for the average of the others */
    ns_t observed;  /* when it was last known better */
    double silent; /* ns for which requests have waited there and none was answered, a moment ago */
    uint32_t waiting;   /* of those in flight, how many have no answer begun */
    ns_t heard;         /* when the last answer began, or the first of those that wait was sent */
    uint32_t in_flight; /* of this reactor */
    uint32_t others;    /* of all other reactors, a moment ago */
    uint32_t weight;    /* configured weight x ramp; > 0 */
    uint16_t ramp;      /* RAMP_LEAST to RAMP_FULL */
    uint32_t index;     /* the owner's */
    uint64_t hash;      /* its place for balance by hash */
    int64_t turn;       /* how far it is behind its share of turns */
};

struct picker {
    struct candidate **list;
    size_t count;
    uint64_t weights; /* sum */
    double latency;   /* average of those that are known; 0: none is */
    bool even;        /* all have the same weight */
};

/* Sums over the list; after anything in it has changed. */
void picker_prepare(struct picker *p);

/* Each returns an index into the list, which is not empty. `random`: 64 random bits. */
size_t picker_p2c(const struct picker *p, uint64_t random);
size_t picker_least(const struct picker *p, uint64_t random);
size_t picker_turn(const struct picker *p);
size_t picker_hash(const struct picker *p, uint64_t key);

/* An answer took so long, or failed after so long. */
void candidate_observe(struct candidate *c, ns_t took, ns_t now);
void candidate_observe_failure(struct candidate *c, ns_t took, ns_t now);

/* A request is sent there; its answer begins (`heard`), or it is given up. The answer of one that hangs never comes to
 * be observed: how long nothing was heard is the least that its latency can be. */
static inline void candidate_asked(struct candidate *c, ns_t now)
{
    if (c->waiting++ == 0)
        c->heard = now;
}

static inline void candidate_told(struct candidate *c, bool heard, ns_t now)
{
    c->waiting--;
    if (heard)
        c->heard = now;
}

/* Forgets a little of what was learned long ago; now and then, at any intervals. */
void candidate_forget(struct candidate *c, ns_t now);

/* The ramp of something that appeared `age` ago. */
uint16_t candidate_ramp(ns_t age, ns_t slow_start);

/* Its ramp beside others with so many requests in flight each (of its weight): where its part of such a line is more
 * than it has, it is as good as any. Whoever comes back into an overload is what ends it. */
uint16_t candidate_ramp_beside(const struct candidate *c, double line);

/* How many requests it has in flight, as far as is known. */
static inline double candidate_in_flight(const struct candidate *c)
{
    return (double)c->in_flight + (double)c->others;
}

#endif
