/* SPDX-License-Identifier: Apache-2.0 */
/* instance_states.h - what the active checks last said of each instance, restored at boot: so a
 * restart sends no request to what was down before it.
 * An instance that is in no file any more has a row until retention.h forgets it. */
#ifndef EK_STORE_INSTANCE_STATES_H
#define EK_STORE_INSTANCE_STATES_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* As many as can be configured: 256 services of 1024 instances. */
enum { INSTANCE_STATES_MAX = 256 * 1024 };

struct stored_instance_state {
    struct span service;  /* its name; with the next the key */
    struct span instance; /* its address */
    bool up;              /* the active checks said so */
    int64_t since;        /* unix seconds: when it became so */
    int64_t seen;         /* unix seconds, never 0: when it was known to be so; kept from then on */
};

/* Those seen last come first, and INSTANCE_STATES_MAX of them at most; list and texts are in the
 * arena. */
err instance_states_load(struct store *s, struct arena *a, struct stored_instance_state **ret_list,
                         size_t *ret_count);

/* Adds or replaces each; of two with the same key the later one stays. All of it or nothing. An
 * instance whose state rests must be written now and then all the same, with a newer `seen`: once
 * a day is plenty for the 35 days of retention.h. */
err instance_states_write(struct store *s, const struct stored_instance_state *list, size_t count);

#endif
