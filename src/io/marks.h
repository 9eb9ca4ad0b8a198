/* SPDX-License-Identifier: Apache-2.0 */
/* marks.h - keyed hashes (HMAC-SHA-256, RFC 2104) of secrets, under a key that this process draws for itself: marks can be
 * compared, and tell nothing of what they are of. From any thread. */
#ifndef EK_IO_MARKS_H
#define EK_IO_MARKS_H

#include "base/span.h"

struct secret_mark {
    unsigned char bytes[32];
};

void secret_mark_of(struct span secret, struct secret_mark *ret);

/* Takes as long whatever they are. */
bool secret_mark_equal(const struct secret_mark *a, const struct secret_mark *b);

/* Overwrites what is no longer needed, also where a compiler sees no use in that. */
void secret_forget(void *p, size_t n);

#endif
