/* SPDX-License-Identifier: Apache-2.0 */
/* address.c - text to socket address and back. */
#include "io/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

static struct sockaddr_in *v4_of(const struct address *a)
{
    return (struct sockaddr_in *)(uintptr_t)&a->storage;
}

static struct sockaddr_in6 *v6_of(const struct address *a)
{
    return (struct sockaddr_in6 *)(uintptr_t)&a->storage;
}

static struct sockaddr_un *un_of(const struct address *a)
{
    return (struct sockaddr_un *)(uintptr_t)&a->storage;
}

static bool parse_unix(struct span path, struct address *ret_address)
{
    struct address a = { .length = sizeof(struct sockaddr_un) };

    /* 107 bytes and the terminating zero (unix(7)) */
    if (path.n == 0 || path.n >= sizeof(un_of(&a)->sun_path) || memchr(path.p, '\0', path.n))
        return false;
    un_of(&a)->sun_family = AF_UNIX;
    memcpy(un_of(&a)->sun_path, path.p, path.n);
    *ret_address = a;
    return true;
}

static bool parse_port(struct span text, uint16_t *ret_port)
{
    uint64_t port;

    if (text.n > 5 || !span_to_u64(text, &port) || port == 0 || port > 65535)
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

bool address_split(struct span text, struct span *ret_host, uint16_t *ret_port)
{
    size_t colon = text.n;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !parse_port(span_after(text, colon), ret_port))
        return false;
    struct span host = span_of(text.p, colon - 1);
    if (host.p[0] == '[') {
        if (host.n < 3 || host.p[host.n - 1] != ']')
            return false;
        host = span_of(host.p + 1, host.n - 2);
    } else if (span_find(host, ':') < host.n) {
        return false; /* IPv6 needs brackets: where would its port begin? */
    }
    if (host.n > 253 || span_find(host, ' ') < host.n || span_find(host, '/') < host.n)
        return false;
    *ret_host = host;
    return true;
}

bool address_parse(struct span text, struct address *ret_address)
{
    struct address a = {};
    struct span host;
    uint16_t port;
    char name[INET6_ADDRSTRLEN + 1];

    if (span_starts_with(text, SPAN("unix:")))
        return parse_unix(span_after(text, 5), ret_address);
    if (!address_split(text, &host, &port) || host.n >= sizeof(name))
        return false;
    memcpy(name, host.p, host.n);
    name[host.n] = '\0';
    if (inet_pton(AF_INET, name, &v4_of(&a)->sin_addr) == 1) {
        v4_of(&a)->sin_family = AF_INET;
        v4_of(&a)->sin_port = htons(port);
        a.length = sizeof(struct sockaddr_in);
    } else if (inet_pton(AF_INET6, name, &v6_of(&a)->sin6_addr) == 1) {
        v6_of(&a)->sin6_family = AF_INET6;
        v6_of(&a)->sin6_port = htons(port);
        a.length = sizeof(struct sockaddr_in6);
    } else {
        return false;
    }
    *ret_address = a;
    return true;
}

const char *address_print(const struct address *a, char ret_text[ADDRESS_TEXT_MAX])
{
    char name[INET6_ADDRSTRLEN];

    switch (a->storage.ss_family) {
    case AF_INET:
        inet_ntop(AF_INET, &v4_of(a)->sin_addr, name, sizeof(name));
        snprintf(ret_text, ADDRESS_TEXT_MAX, "%s:%u", name, ntohs(v4_of(a)->sin_port));
        break;
    case AF_INET6:
        inet_ntop(AF_INET6, &v6_of(a)->sin6_addr, name, sizeof(name));
        snprintf(ret_text, ADDRESS_TEXT_MAX, "[%s]:%u", name, ntohs(v6_of(a)->sin6_port));
        break;
    case AF_UNIX: snprintf(ret_text, ADDRESS_TEXT_MAX, "unix:%.107s", un_of(a)->sun_path); break;
    default: snprintf(ret_text, ADDRESS_TEXT_MAX, "nowhere");
    }
    return ret_text;
}

bool address_equal(const struct address *a, const struct address *b)
{
    if (a->storage.ss_family != b->storage.ss_family)
        return false;
    switch (a->storage.ss_family) {
    case AF_INET:
        return v4_of(a)->sin_port == v4_of(b)->sin_port &&
               v4_of(a)->sin_addr.s_addr == v4_of(b)->sin_addr.s_addr;
    case AF_INET6:
        return v6_of(a)->sin6_port == v6_of(b)->sin6_port &&
               memcmp(&v6_of(a)->sin6_addr, &v6_of(b)->sin6_addr, sizeof(struct in6_addr)) == 0;
    case AF_UNIX: return strcmp(un_of(a)->sun_path, un_of(b)->sun_path) == 0;
    default: return true;
    }
}

uint16_t address_port(const struct address *a)
{
    switch (a->storage.ss_family) {
    case AF_INET: return ntohs(v4_of(a)->sin_port);
    case AF_INET6: return ntohs(v6_of(a)->sin6_port);
    default: return 0;
    }
}
