/* SPDX-License-Identifier: Apache-2.0 */
/* attempts.h - tokens that were not right, by the address that they came from: whoever is wrong too often within a minute
 * is not listened to for the rest of it.
 * Always: fixed memory. An IPv6 address counts as its /64, which is what one customer has (RFC 6177); all unix sockets as
 * one. Addresses are not stored, only keyed hashes of them. Used in control's thread only. */
#ifndef EK_CONTROL_ATTEMPTS_H
#define EK_CONTROL_ATTEMPTS_H

#include "base/clock.h"
#include "io/address.h"

enum {
    ATTEMPTS_ALLOWED = 10, /* of one address, within ATTEMPTS_TIME */
    ATTEMPTS_KEPT = 256,   /* addresses; the one with the fewest gives way to a new one */
};

#define ATTEMPTS_TIME (60 * NS_PER_S)

struct attempt {
    uint64_t who; /* a hash */
    ns_t until;   /* ATTEMPTS_TIME after the first; what is past is forgotten */
    uint32_t failures;
};

struct attempts {
    uint64_t key; /* secret: nobody can choose addresses that are taken for another */
    struct attempt list[ATTEMPTS_KEPT];
};

/* How long this address is not listened to from now on; 0: it is. */
ns_t attempts_rest(const struct attempts *t, const struct address *a, ns_t now);

/* One more. True: it was the one too many. */
bool attempts_failed(struct attempts *t, const struct address *a, ns_t now);

#endif
