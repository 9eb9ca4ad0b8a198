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

/* What inet_aton(3) would take for a cut or hexadecimal IPv4 address: its last label begins with a digit
 * and is a number. */
static bool ends_in_number(struct span host)
{
    size_t at = host.n;

    while (at > 0 && host.p[at - 1] != '.')
        at--;
    struct span last = span_after(host, at);
    bool hex = last.n > 1 && last.p[0] == '0' && ascii_lower(last.p[1]) == 'x';
    for (size_t i = hex ? 2 : 0; i < last.n; i++) {
        if (hex ? ascii_hex(last.p[i]) < 0 : !ascii_digit(last.p[i]))
            return false;
    }
    return last.n > 0;
}

static bool is_v4(struct span host)
{
    struct in_addr ignored;
    char text[INET_ADDRSTRLEN];

    if (host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET, text, &ignored) == 1;
}

static bool is_v6(struct span host)
{
    struct in6_addr ignored;
    char text[INET6_ADDRSTRLEN];

    if (host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    return inet_pton(AF_INET6, text, &ignored) == 1;
}

/* Letters, digits, '-', '_' (which DNS does not forbid) and single dots between; at most 253 bytes. */
static bool is_name(struct span host)
{
    for (size_t i = 0; i < host.n; i++) {
        char c = ascii_lower(host.p[i]);
        bool letter = (c >= 'a' && c <= 'z') || ascii_digit(c) || c == '_';
        bool inside = i > 0 && host.p[i - 1] != '.';
        if (!letter && !(inside && (c == '-' || c == '.')))
            return false;
    }
    return host.n > 0 && host.n <= 253 && !ends_in_number(host);
}

bool address_split(struct span text, struct span *ret_host, uint16_t *ret_port)
{
    size_t colon = text.n;
    uint16_t port;

    while (colon > 0 && text.p[colon - 1] != ':')
        colon--;
    if (colon < 2 || !parse_port(span_after(text, colon), &port))
        return false;
    struct span host = span_of(text.p, colon - 1);
    bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed) /* without them, where would an IPv6 address end and its port begin? */
        host = span_of(host.p + 1, host.n - 2);
    if (bracketed ? !is_v6(host) : !is_name(host) && !is_v4(host))
        return false;
    *ret_host = host;
    *ret_port = port;
    return true;
}

void address_from_bytes(const uint8_t *bytes, size_t n, uint16_t port, struct address *ret_address)
{
    struct address a = {};

    if (n == 4) {
        v4_of(&a)->sin_family = AF_INET;
        v4_of(&a)->sin_port = htons(port);
        memcpy(&v4_of(&a)->sin_addr, bytes, 4);
        a.length = sizeof(struct sockaddr_in);
    } else {
        v6_of(&a)->sin6_family = AF_INET6;
        v6_of(&a)->sin6_port = htons(port);
        memcpy(&v6_of(&a)->sin6_addr, bytes, 16);
        a.length = sizeof(struct sockaddr_in6);
    }
    *ret_address = a;
}

bool address_parse_host(struct span text, struct address *ret_address)
{
    char name[INET6_ADDRSTRLEN + 1];
    uint8_t bytes[16];

    if (text.n == 0 || text.n >= sizeof(name) || memchr(text.p, '\0', text.n))
        return false;
    memcpy(name, text.p, text.n);
    name[text.n] = '\0';
    if (inet_pton(AF_INET, name, bytes) == 1)
        address_from_bytes(bytes, 4, 0, ret_address);
    else if (inet_pton(AF_INET6, name, bytes) == 1)
        address_from_bytes(bytes, 16, 0, ret_address);
    else
        return false;
    return true;
}

unsigned address_bytes(const struct address *a, uint8_t ret_bytes[16])
{
    const struct in6_addr *v6 = &v6_of(a)->sin6_addr;

    switch (a->storage.ss_family) {
    case AF_INET: memcpy(ret_bytes, &v4_of(a)->sin_addr, 4); return 4;
    case AF_INET6:
        if (IN6_IS_ADDR_V4MAPPED(v6)) {
            memcpy(ret_bytes, v6->s6_addr + 12, 4);
            return 4;
        }
        memcpy(ret_bytes, v6->s6_addr, 16);
        return 16;
    default: return 0;
    }
}

size_t address_print_host(const struct address *a, char ret_text[ADDRESS_HOST_MAX])
{
    char text[INET6_ADDRSTRLEN];
    uint8_t bytes[16];
    unsigned n = address_bytes(a, bytes);

    if (n == 0 || !inet_ntop(n == 4 ? AF_INET : AF_INET6, bytes, text, sizeof(text)))
        snprintf(text, sizeof(text), "unix:");
    size_t size = strlen(text);
    for (size_t i = 0; i < size; i++)
        ret_text[i] = text[i];
    return size;
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
        return false; /* a name as long as that is certainly none of the two */
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

static bool is_wildcard(const struct address *a)
{
    switch (a->storage.ss_family) {
    case AF_INET: return v4_of(a)->sin_addr.s_addr == htonl(INADDR_ANY);
    case AF_INET6: return IN6_IS_ADDR_UNSPECIFIED(&v6_of(a)->sin6_addr);
    default: return false;
    }
}

bool address_overlap(const struct address *a, const struct address *b)
{
    if (address_equal(a, b))
        return true;
    return a->storage.ss_family == b->storage.ss_family && address_port(a) == address_port(b) &&
           (is_wildcard(a) || is_wildcard(b));
}

bool address_loopback(const struct address *a)
{
    switch (a->storage.ss_family) {
    case AF_INET: return ntohl(v4_of(a)->sin_addr.s_addr) >> 24 == 127;
    case AF_INET6: return IN6_IS_ADDR_LOOPBACK(&v6_of(a)->sin6_addr);
    default: return a->storage.ss_family == AF_UNIX;
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
