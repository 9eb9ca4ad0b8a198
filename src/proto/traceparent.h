/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent.h - W3C Trace Context (https://www.w3.org/TR/trace-context/ section 3.2): which trace a
 * request belongs to, and which span of it is the sender's. Pure. */
#ifndef EK_PROTO_TRACEPARENT_H
#define EK_PROTO_TRACEPARENT_H

#include "base/span.h"

enum {
    TRACEPARENT_SIZE = 55, /* "00-" 32 digits "-" 16 digits "-" 2 digits */
    TRACE_SAMPLED = 1,     /* flag: the sender records this trace */
};

struct traceparent {
    uint64_t trace_high; /* never both zero */
    uint64_t trace_low;
    uint64_t parent; /* the sender's span; never zero */
    uint8_t flags;
};

/* False when it is none: wrong digits (capitals are wrong), zero ids, version ff. A version above 00 is
 * read as far as 00 goes (section 4.1). */
[[nodiscard]] bool traceparent_parse(struct span value, struct traceparent *ret);

/* Writes it as version 00, without a terminating zero. */
void traceparent_write(const struct traceparent *t, char ret_text[TRACEPARENT_SIZE]);

/* n digits (an even number, at most 16) of the value, most significant first, in lower case. */
void hex_write(uint64_t value, unsigned n, char *ret_text);

#endif
