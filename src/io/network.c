/* SPDX-License-Identifier: Apache-2.0 */
/* network.c - prefixes. */
#include "io/network.h"

/* Bits of the address that lie outside of the prefix. */
static bool bits_behind(const struct network *n, unsigned size)
{
    for (unsigned bit = n->bits; bit < size * 8; bit++) {
        if (n->bytes[bit / 8] & (0x80u >> bit % 8))
            return true;
    }
    return false;
}

bool network_parse(struct span text, struct network *ret_network)
{
    struct network n = {};
    struct address a;
    size_t slash = span_find(text, '/');
    uint64_t bits = 0;

    if (span_equal(text, SPAN("unix:"))) {
        *ret_network = (struct network){ .family = AF_UNIX };
        return true;
    }
    if (!address_parse_host(span_of(text.p, slash), &a))
        return false;
    unsigned size = address_bytes(&a, n.bytes);
    n.family = size == 4 ? AF_INET : AF_INET6;
    bits = (uint64_t)size * 8;
    if (slash < text.n &&
        (!span_to_u64(span_after(text, slash + 1), &bits) || bits > (uint64_t)size * 8))
        return false;
    n.bits = (uint8_t)bits;
    if (bits_behind(&n, size))
        return false;
    *ret_network = n;
    return true;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8;
    uint8_t mask = (uint8_t)(0xff00u >> bits % 8);

    return memcmp(a, b, whole) == 0 && (bits % 8 == 0 || ((a[whole] ^ b[whole]) & mask) == 0);
}

bool network_has(const struct network *n, const struct address *a)
{
    uint8_t bytes[16];
    unsigned size = address_bytes(a, bytes);

    if (size == 0)
        return n->family == AF_UNIX && a->storage.ss_family == AF_UNIX;
    return n->family == (size == 4 ? AF_INET : AF_INET6) && same_prefix(n->bytes, bytes, n->bits);
}

bool networks_have(const struct network *list, size_t count, const struct address *a)
{
    for (size_t i = 0; i < count; i++) {
        if (network_has(&list[i], a))
            return true;
    }
    return false;
}
