/* SPDX-License-Identifier: Apache-2.0 */
/* peer_memory.h - what peers said last, over restarts of this node: without it a node that restarts while another is away would
 * show less than was counted. The store has one text for each peer's address, as /api/v1/counters gave it; written about each
 * minute, when one falls silent, and when this node stops; read at its start.
 * Always: what comes from the store is read as strictly as from the network, and is as old as it is: silent, until the peer
 * answers. At most PEERS_MAX of them; who leaves the configuration is forgotten.
 * Next: store/kept_peers.h. */
#ifndef EK_CONTROL_PEER_MEMORY_H
#define EK_CONTROL_PEER_MEMORY_H

#include "control/peer_counts.h"

struct control;
struct peer;
struct store;

#define PEER_KEEP_EVERY (60 * NS_PER_S)
#define PEER_KEEP_FIRST (5 * NS_PER_S) /* after a start */

struct peer_memory {
    char *url;
    int64_t heard_at;           /* unix seconds */
    struct peer_counts *counts; /* NULL: taken */
};

/* Blocking, at boot. What cannot be read is logged and left out; fails only when the store does. Malloc. */
err peer_memory_load(struct store *s, struct peer_memory **ret_list, size_t *ret_count);

/* A peer that is new in the list takes what the last process heard of it. */
void peer_memory_recall(struct control *c, struct peer *p);

/* What was not taken of it. */
void peer_memory_forget(struct control *c);

void peer_memory_tick(struct control *c);

/* Now: the process ends. */
void peer_memory_keep(struct control *c);

/* The store was begun anew, and knows of none. */
void peer_memory_again(struct control *c);

#endif
