/* SPDX-License-Identifier: Apache-2.0 */
/* kept_changes.h - changes made at run time through the API: an overlay over the file, kept until they
 * expire or are taken back.
 * The store keeps them as they were said, byte by byte, and knows nothing of what they mean: what
 * has expired is still loaded, and the caller deletes it. There are never more than can be loaded
 * again.
 * Next: instance_states.h, the other thing that is restored at boot. */
#ifndef EK_STORE_KEPT_CHANGES_H
#define EK_STORE_KEPT_CHANGES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

struct store;

/* Made by people and by the scripts of a deployment; ten thousand that nobody took back are a
 * mistake, and take some 10 ms to load. */
enum { CHANGES_MAX = 10000 };

struct stored_change {
    int64_t id;             /* the caller's, unique */
    struct span kind;       /* "drain", "undrain", "add", "remove", "weight" */
    struct span service;    /* its name */
    struct span instance;   /* its address */
    struct span value;      /* free text, such as "weight=3" */
    struct span who;        /* made it */
    struct span why;        /* in that person's words */
    int64_t at;             /* unix seconds: when it was made */
    int64_t expires;        /* unix seconds; 0: never */
    struct span file_value; /* what the file said when it was made */
};

/* All of them by ascending id; list and texts are in the arena. An error when there are more than
 * CHANGES_MAX, which only another program can have written. */
err changes_load(struct store *s, struct arena *a, struct stored_change **ret_list,
                 size_t *ret_count);

/* Adds a change, or replaces the one of the same id. On failure what was stored before stays
 * (store_trouble() says why); one more than CHANGES_MAX is refused. */
err changes_put(struct store *s, const struct stored_change *c);

/* Deleting what is not there is no failure. */
err changes_delete(struct store *s, int64_t id);

#endif
