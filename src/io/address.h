/* SPDX-License-Identifier: Apache-2.0 */
/* address.h - where something listens: an IPv4 or IPv6 address with a port, or a unix socket.
 * Plain data, compared and copied by value. Names are resolved elsewhere (control), never here. */
#ifndef EK_IO_ADDRESS_H
#define EK_IO_ADDRESS_H

#include "base/span.h"

#include <sys/socket.h>

struct address {
    struct sockaddr_storage storage;
    socklen_t length; /* 0: not set */
};

enum { ADDRESS_TEXT_MAX = 128 }; /* longest text: a unix socket's 107 bytes and "unix:" */

/* Reads "127.0.0.1:80", "[::1]:80", "unix:/path". False when it is none of these; a host name is
 * recognised by address_split() instead. */
[[nodiscard]] bool address_parse(struct span text, struct address *ret_address);

/* Splits "host:port" or "[v6]:port"; the host may be a name. False when there is no port from 1 to
 * 65535, or the host can be neither a name nor an address: "1.2.3" is a cut address and no name, an
 * IPv6 zone ("%eth0") means nothing in a file that is used on several machines. */
[[nodiscard]] bool address_split(struct span text, struct span *ret_host, uint16_t *ret_port);

/* An address without a port ("192.0.2.1", "2001:db8::1"); its port is then 0. */
[[nodiscard]] bool address_parse_host(struct span text, struct address *ret_address);

/* From 4 or 16 bytes in network order. */
void address_from_bytes(const uint8_t *bytes, size_t n, uint16_t port, struct address *ret_address);

/* Its bytes in network order: 4 or 16 of them, 0 for a unix socket. An IPv4 address in IPv6 clothes
 * (::ffff:192.0.2.1) has 4. */
unsigned address_bytes(const struct address *a, uint8_t ret_bytes[16]);

/* The address alone, as a log or X-Forwarded-For shows it: "192.0.2.1", "2001:db8::1", "unix:".
 * Returns its length; not terminated. */
enum { ADDRESS_HOST_MAX = 46 };
size_t address_print_host(const struct address *a, char ret_text[ADDRESS_HOST_MAX]);

/* The canonical text of an address ("127.0.0.1:80", "[::1]:80", "unix:/path"), terminated. */
const char *address_print(const struct address *a, char ret_text[ADDRESS_TEXT_MAX]);

bool address_equal(const struct address *a, const struct address *b);

/* Whether a socket that listens on one is in the way of the other: equal, or one of them is every
 * address of the port (0.0.0.0, [::]; of its own family only). */
bool address_overlap(const struct address *a, const struct address *b);

/* Reached from this machine only; a unix socket always is. */
bool address_loopback(const struct address *a);

uint16_t address_port(const struct address *a); /* 0 for a unix socket */

#endif
