/* SPDX-License-Identifier: Apache-2.0 */
/* forwarded.h - lists of proxies that a request has passed: X-Forwarded-For and Forwarded (RFC 7239).
 * Who wrote which element is for the reader to know: the last one was added by our peer, the others were
 * handed to it. Pure. */
#ifndef EK_PROTO_FORWARDED_H
#define EK_PROTO_FORWARDED_H

#include "base/span.h"

/* Takes the last element of a comma-separated list off; commas within quotes do not count. False when
 * nothing is left. Elements may come out empty. */
bool forwarded_pop(struct span *list, struct span *ret_element);

/* A parameter ("for", "proto") of a Forwarded element, without its quotes; empty when it is not there or
 * holds escapes, which no address does. */
struct span forwarded_parameter(struct span element, struct span name);

/* "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]:80", "[2001:db8::1]", "2001:db8::1": the address alone.
 * Empty for anything that cannot be one ("unknown", "_hidden"). */
struct span forwarded_address(struct span node);

#endif
