/* SPDX-License-Identifier: Apache-2.0 */
/* wrong_tokens.h - tokens that were not right, by the address that they came from: whoever is wrong too often within a minute
 * is not listened to for the rest of it.
 * Always: fixed memory. An IPv6 address counts as its /64, which is what one customer has (RFC 6177); all unix sockets as
 * one. Addresses are not stored, only keyed hashes of them. Used in control's thread only. */
#ifndef EK_CONTROL_WRONG_TOKENS_H
#define EK_CONTROL_WRONG_TOKENS_H

#include "base/clock.h"
#include "io/address.h"

enum {
    WRONG_TOKENS_ALLOWED = 10, /* of one address, within WRONG_TOKENS_TIME */
    WRONG_TOKENS_KEPT = 256,   /* addresses; the one with the fewest gives way to a new one */
};

#define WRONG_TOKENS_TIME (60 * NS_PER_S)

struct wrong_token {
    uint64_t who; /* a hash */
    ns_t until;   /* WRONG_TOKENS_TIME after the first; what is past is forgotten */
    uint32_t failures;
};

struct wrong_tokens {
    uint64_t key; /* secret: nobody can choose addresses that are taken for another */
    struct wrong_token list[WRONG_TOKENS_KEPT];
};

/* How long this address is not listened to from now on; 0: it is. */
ns_t wrong_tokens_rest(const struct wrong_tokens *t, const struct address *a, ns_t now);

/* One more. True: it was the one too many. */
bool wrong_tokens_add(struct wrong_tokens *t, const struct address *a, ns_t now);

#endif
