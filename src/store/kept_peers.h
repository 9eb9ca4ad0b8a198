/* SPDX-License-Identifier: Apache-2.0 */
/* kept_peers.h - what other nodes said last, so that a restart forgets nothing of one that is away. The texts are the caller's: the
 * store does not look into them. */
#ifndef EK_STORE_KEPT_PEERS_H
#define EK_STORE_KEPT_PEERS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

struct store;

/* As many as can be configured; of a file that has more, those heard last are read. */
enum { KEPT_PEERS_MAX = 64 };

struct kept_peer {
    struct span url;  /* where it is asked; the key */
    int64_t at;       /* unix seconds: when it said so */
    struct span said; /* bytes */
};

/* List and bytes are in the arena, url and said terminated. */
err kept_peers_load(struct store *s, struct arena *a, struct kept_peer **ret_list,
                    size_t *ret_count);

/* Adds or replaces. */
err kept_peers_put(struct store *s, const struct kept_peer *p);

/* All but these. */
err kept_peers_forget(struct store *s, const struct span *urls, size_t count);

#endif
