/* SPDX-License-Identifier: Apache-2.0 */
/* wrong_tokens.c - a list, searched whole: it is short, and only looked at when somebody shows a token. */
#include "control/wrong_tokens.h"

#include <stddef.h>
#include <xxhash.h>

static uint64_t hash_of(const struct wrong_tokens *t, const struct address *a)
{
    uint8_t bytes[16] = {};
    unsigned n = address_bytes(a, bytes);

    return XXH3_64bits_withSeed(bytes, n == 16 ? 8 : n, t->key + n);
}

static size_t find(const struct wrong_tokens *t, uint64_t who, ns_t now)
{
    size_t i = 0;

    while (i < WRONG_TOKENS_KEPT && (t->list[i].who != who || t->list[i].until <= now))
        i++;
    return i;
}

ns_t wrong_tokens_rest(const struct wrong_tokens *t, const struct address *a, ns_t now)
{
    size_t i = find(t, hash_of(t, a), now);

    return i < WRONG_TOKENS_KEPT && t->list[i].failures >= WRONG_TOKENS_ALLOWED
               ? t->list[i].until - now
               : 0;
}

/* A free place, or that of the address with the fewest: many addresses cannot make one forgotten that is refused. */
static size_t make_room(const struct wrong_tokens *t, ns_t now)
{
    size_t best = 0;

    for (size_t i = 0; i < WRONG_TOKENS_KEPT; i++) {
        if (t->list[i].until <= now)
            return i;
        if (t->list[i].failures < t->list[best].failures)
            best = i;
    }
    return best;
}

bool wrong_tokens_add(struct wrong_tokens *t, const struct address *a, ns_t now)
{
    uint64_t who = hash_of(t, a);
    size_t i = find(t, who, now);

    if (i == WRONG_TOKENS_KEPT) {
        i = make_room(t, now);
        t->list[i] = (struct wrong_token){ .who = who, .until = now + WRONG_TOKENS_TIME };
    }
    t->list[i].failures++;
    return t->list[i].failures == WRONG_TOKENS_ALLOWED;
}
