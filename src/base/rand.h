/* SPDX-License-Identifier: Apache-2.0 */
/* rand.h - a small seeded generator (SplitMix64; Steele, Lea, Flood 2014), one per owner.
 * Always: the same seed gives the same sequence, which is what lets a failing simulation replay.
 * Not for secrets: those come from rand_secret(). */
#ifndef EK_BASE_RAND_H
#define EK_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* A number in [0, bound), bound > 0. The bias is below bound / 2^64: nothing here can notice. */
static inline uint64_t rng_below(struct rng *r, uint64_t bound)
{
    __extension__ typedef unsigned __int128 wide;

    return (uint64_t)(((wide)rng_next(r) * bound) >> 64);
}

/* Bytes from the kernel's generator (getrandom); stops the program if there is none. */
void rand_secret(void *ret_bytes, size_t n);

#endif
