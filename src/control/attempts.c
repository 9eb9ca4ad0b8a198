/* SPDX-License-Identifier: Apache-2.0 */
/* attempts.c - a list, searched whole: it is short, and only looked at when somebody shows a token. */
#include "control/attempts.h"

#include <stddef.h>
#include <xxhash.h>

static uint64_t hash_of(const struct attempts *t, const struct address *a)
{
    uint8_t bytes[16] = {};
    unsigned n = address_bytes(a, bytes);

    return XXH3_64bits_withSeed(bytes, n == 16 ? 8 : n, t->key + n);
}

static size_t find(const struct attempts *t, uint64_t who, ns_t now)
{
    size_t i = 0;

    while (i < ATTEMPTS_KEPT && (t->list[i].who != who || t->list[i].until <= now))
        i++;
    return i;
}

ns_t attempts_rest(const struct attempts *t, const struct address *a, ns_t now)
{
    size_t i = find(t, hash_of(t, a), now);

    return i < ATTEMPTS_KEPT && t->list[i].failures >= ATTEMPTS_ALLOWED ? t->list[i].until - now
                                                                        : 0;
}

/* A free place, or that of the address with the fewest: many addresses cannot make one forgotten that is refused. */
static size_t make_room(const struct attempts *t, ns_t now)
{
    size_t best = 0;

    for (size_t i = 0; i < ATTEMPTS_KEPT; i++) {
        if (t->list[i].until <= now)
            return i;
        if (t->list[i].failures < t->list[best].failures)
            best = i;
    }
    return best;
}

bool attempts_failed(struct attempts *t, const struct address *a, ns_t now)
{
    uint64_t who = hash_of(t, a);
    size_t i = find(t, who, now);

    if (i == ATTEMPTS_KEPT) {
        i = make_room(t, now);
        t->list[i] = (struct attempt){ .who = who, .until = now + ATTEMPTS_TIME };
    }
    t->list[i].failures++;
    return t->list[i].failures == ATTEMPTS_ALLOWED;
}
