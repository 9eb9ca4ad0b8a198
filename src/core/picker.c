/* SPDX-License-Identifier: Apache-2.0 */
/* picker.c - drawing, comparing, smoothing. */
#include "core/picker.h"

#include <math.h>

/* The second must be better by this much: a smaller difference is noise, and following it would undo the weights. */
static const double clearly = 1.25;

/* ---- sums */

void picker_prepare(struct picker *p)
{
    double sum = 0;
    size_t known = 0;

    p->weights = 0;
    p->even = true;
    for (size_t i = 0; i < p->count; i++) {
        const struct candidate *c = p->list[i];
        p->weights += c->weight;
        p->even &= c->weight == p->list[0]->weight;
        if (c->latency > 0) {
            sum += c->latency;
            known++;
        }
    }
    p->latency = known ? sum / (double)known : 0;
}

/* ---- two choices */

static double load_of(const struct picker *p, const struct candidate *c)
{
    double latency = c->latency > 0 ? c->latency : p->latency > 0 ? p->latency : 1;
    latency = c->silent > latency ? c->silent : latency;
    double scale = p->even ? 1 : (double)p->weights / ((double)p->count * (double)c->weight);

    return latency * (candidate_in_flight(c) * scale + 1);
}

/* By weight, `but` left out (count: nobody is). */
static size_t draw(const struct picker *p, uint32_t random, size_t but)
{
    uint64_t sum = p->weights - (but < p->count ? p->list[but]->weight : 0);
    uint64_t at = ((uint64_t)random * sum) >> 32;
    size_t last = 0;

    for (size_t i = 0; i < p->count; i++) {
        if (i == but)
            continue;
        last = i;
        if (at < p->list[i]->weight)
            return i;
        at -= p->list[i]->weight;
    }
    return last;
}

static void draw_two(const struct picker *p, uint64_t random, size_t *ret_first, size_t *ret_second)
{
    uint32_t low = (uint32_t)random;
    uint32_t high = (uint32_t)(random >> 32);

    if (!p->even) {
        *ret_first = draw(p, low, p->count);
        *ret_second = draw(p, high, *ret_first);
        return;
    }
    *ret_first = (size_t)(((uint64_t)low * p->count) >> 32);
    *ret_second = (size_t)(((uint64_t)high * (p->count - 1)) >> 32);
    *ret_second += *ret_second >= *ret_first;
}

/* A beginner is drawn rarely already; standing idle it must not win every comparison all the same. */
static bool may_win(const struct candidate *c, uint64_t random)
{
    return c->ramp >= RAMP_FULL || (random * UINT64_C(0x9e3779b97f4a7c15)) >> 56 < c->ramp;
}

size_t picker_p2c(const struct picker *p, uint64_t random)
{
    size_t a;
    size_t b;

    if (p->count == 1)
        return 0;
    draw_two(p, random, &a, &b);
    bool better = load_of(p, p->list[b]) * clearly < load_of(p, p->list[a]);
    return better && may_win(p->list[b], random) ? b : a;
}

/* ---- the others */

size_t picker_least(const struct picker *p, uint64_t random)
{
    size_t start = (size_t)(((random & UINT32_MAX) * p->count) >> 32);
    size_t best = start;
    double least = (double)INFINITY;

    for (size_t n = 0; n < p->count; n++) {
        size_t i = (start + n) % p->count; /* ties go round */
        double load = (candidate_in_flight(p->list[i]) + 1) / (double)p->list[i]->weight;
        if (load < least) {
            least = load;
            best = i;
        }
    }
    return best;
}

size_t picker_turn(const struct picker *p)
{
    size_t best = 0;

    for (size_t i = 0; i < p->count; i++) {
        p->list[i]->turn += p->list[i]->weight;
        if (p->list[i]->turn > p->list[best]->turn)
            best = i;
    }
    p->list[best]->turn -= (int64_t)p->weights;
    return best;
}

/* MurmurHash3's finaliser: every bit of the key and of the place decides. */
static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

static double score(const struct candidate *c, uint64_t key)
{
    double u = ((double)(mix(key ^ c->hash) >> 11) + 0.5) * 0x1p-53;

    return log(u) / (double)c->weight;
}

size_t picker_hash(const struct picker *p, uint64_t key)
{
    double all = 1;
    double highest = -(double)INFINITY;
    size_t best = p->count;

    for (size_t i = 0; i < p->count; i++)
        all += candidate_in_flight(p->list[i]);
    for (size_t i = 0; i < p->count; i++) {
        const struct candidate *c = p->list[i];
        double room = ceil(clearly * all * (double)c->weight / (double)p->weights);
        double s = score(c, key);
        if (candidate_in_flight(c) < room && s > highest) {
            highest = s;
            best = i;
        }
    }
    /* the rooms add up to more than all, so somebody has some */
    return best < p->count ? best : 0;
}

/* ---- learning */

static const double rising = 0.25;
static const double falling = 0.1;

static void observe(struct candidate *c, double sample, ns_t now)
{
    if (sample < 1)
        sample = 1;
    if (c->latency <= 0)
        c->latency = sample;
    else
        c->latency += (sample - c->latency) * (sample > c->latency ? rising : falling);
    c->observed = now;
}

void candidate_observe(struct candidate *c, ns_t took, ns_t now)
{
    observe(c, (double)took, now);
}

void candidate_observe_failure(struct candidate *c, ns_t took, ns_t now)
{
    double most = 5.0 * (double)NS_PER_S;
    double slow = 10 * c->latency + 100.0 * (double)NS_PER_MS;

    if (slow > most)
        slow = most;
    observe(c, (double)took > slow ? (double)took : slow, now);
}

void candidate_forget(struct candidate *c, ns_t now)
{
    const ns_t patience = NS_PER_S;
    const double time_constant = 10.0 * (double)NS_PER_S;
    ns_t since = now - c->observed;

    if (since < patience || c->latency <= 0)
        return;
    c->latency *= exp(-(double)since / time_constant);
    if (c->latency < 1)
        c->latency = 1;
    c->observed = now;
}

uint16_t candidate_ramp(ns_t age, ns_t slow_start)
{
    if (age >= slow_start || slow_start <= 0)
        return RAMP_FULL;
    int64_t ramp = age <= 0 ? 0 : age / (slow_start / RAMP_FULL + 1);
    return (uint16_t)(ramp < RAMP_LEAST ? RAMP_LEAST : ramp);
}

uint16_t candidate_ramp_beside(const struct candidate *c, double line)
{
    return (candidate_in_flight(c) + 1) * RAMP_FULL <= line * c->ramp ? RAMP_FULL : c->ramp;
}
