/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - a range of addresses: "10.0.0.0/8", "fd00::/8", one address, or "unix:" for every unix
 * socket. An IPv4 address that came in IPv6 clothes (::ffff:192.0.2.1) is that IPv4 address. */
#ifndef EK_IO_NETWORK_H
#define EK_IO_NETWORK_H

#include "io/address.h"

struct network {
    uint8_t bytes[16]; /* the first `bits` count */
    uint8_t bits;      /* 0 to 32 or 128 */
    uint8_t family;    /* AF_INET, AF_INET6, AF_UNIX */
};

/* False when it is none, or when bits behind the prefix are set ("10.1.0.0/8" was meant otherwise). */
[[nodiscard]] bool network_parse(struct span text, struct network *ret_network);

bool network_has(const struct network *n, const struct address *a);

/* Whether one of them has it. */
bool networks_have(const struct network *list, size_t count, const struct address *a);

#endif
