/* SPDX-License-Identifier: Apache-2.0 */
/* kept_dimensions.h - what a process counted of a journey by dimension in its last hour, so that the next one still knows where it failed.
 * One row of each process, journey and definition, rewritten while it changes. The bytes are the caller's: the store does not look into
 * them. */
#ifndef EK_STORE_KEPT_DIMENSIONS_H
#define EK_STORE_KEPT_DIMENSIONS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

struct store;

enum {
    KEPT_DIMENSIONS_MAX = 4096,       /* rows: a thousand journeys of the last four processes */
    KEPT_DIMENSIONS_BYTES = 32 << 20, /* and of no more bytes */
};

struct kept_dimensions {
    uint64_t process; /* whose counts they are */
    struct span journey;
    uint64_t definition;
    int64_t until; /* unix seconds: when this was so */
    struct span said;
};

/* The newest, newest first, of `since` or later. List and bytes are in the arena. */
err kept_dimensions_load(struct store *s, int64_t since, struct arena *a,
                         struct kept_dimensions **ret_list, size_t *ret_count);

/* Adds or replaces, all or none. */
err kept_dimensions_put(struct store *s, const struct kept_dimensions *list, size_t count);

/* Those before `since`, and those that are too many to be read. */
err kept_dimensions_forget(struct store *s, int64_t since);

#endif
