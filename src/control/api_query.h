/* SPDX-License-Identifier: Apache-2.0 */
/* api_query.h - what stands behind the '?' of an address of the admin API. Strict: an unknown key, one that is given twice,
 * a value that is not wholly what it should be are errors, for a question that is half understood is answered wrongly. */
#ifndef EK_CONTROL_API_QUERY_H
#define EK_CONTROL_API_QUERY_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/span.h"
#include "base/str.h"

struct query_row {
    const char *key;
    bool given;
    struct span value; /* decoded; empty when not given */
};

/* Fills the rows. NULL, or a sentence that says what is wrong; in the arena, as the values are. */
const char *query_read(struct span query, struct query_row *rows, size_t count, struct arena *a);

/* Text with %XX decoded (RFC 3986 section 2.1), '+' a space when `form`. False: it is no such text. */
bool query_decode(struct span text, bool form, struct arena *a, struct span *ret);

/* The other way: RFC 3986 section 2.3 says what need not be encoded. */
void query_encode(struct str *out, struct span text);

/* A whole number from `least` to `most`. */
bool query_count(struct span text, uint64_t least, uint64_t most, uint64_t *ret);

/* Seconds with up to nine decimals: "0.25". More than a million seconds are none. */
bool query_seconds(struct span text, ns_t *ret);

#endif
