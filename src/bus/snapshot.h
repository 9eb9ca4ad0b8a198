/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.h - how a new configuration reaches the reactors and an old one is freed.
 * Control publishes a whole configuration; each reader adopts the newest at the top of its turn. An
 * exchange keeps the one that it began with, by holding a reference in its reader; a reader tells which
 * is the oldest it still uses, and control frees those that are older than every reader's.
 * Always: nothing of a snapshot changes after publication. No locks, no waiting: a slow reader only
 * delays the freeing. */
#ifndef EK_BUS_SNAPSHOT_H
#define EK_BUS_SNAPSHOT_H

#include "bus/config.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    SNAPSHOT_READERS_MAX = WORKERS_MAX + 1,
    /* old ones that wait for their last exchange; then publishing must wait. What lasts long goes on under the
     * newest (exchange_go_on()), so that this is only reached by many changes within one long request */
    SNAPSHOTS_HELD_MAX = 32,
};

/* A snapshot as one reader sees it: how many of its exchanges use it. */
struct snapshot_use {
    const struct config *config;
    uint32_t exchanges;
};

struct snapshot_reader {
    struct snapshot_use uses[SNAPSHOTS_HELD_MAX]; /* ring, oldest first */
    unsigned oldest;
    unsigned count;
    _Atomic uint64_t oldest_generation; /* told to control; 0: nothing adopted yet */
    _Atomic uint64_t newest_generation; /* the one adopted last */
};

struct publication {
    const struct config *_Atomic newest;
    struct snapshot_reader *readers[SNAPSHOT_READERS_MAX];
    size_t reader_count;
    struct config
        *held[SNAPSHOTS_HELD_MAX]; /* control's: published and not yet freed, oldest first */
    size_t held_count;
    uint64_t generation; /* of the newest */
    void (*free_config)(struct config *c);
};

void publication_init(struct publication *p, void (*free_config)(struct config *c));

/* Before anything is published. */
void publication_add_reader(struct publication *p, struct snapshot_reader *r);

/* Control: makes `c` the newest and owns it from now on. False (nothing happened) while too many old
 * ones are in use. */
[[nodiscard]] bool publication_publish(struct publication *p, struct config *c);

/* Control, now and then: frees what nobody uses. Returns how many are still held. */
size_t publication_reclaim(struct publication *p);

/* Control: the oldest generation that any reader may still look at. */
uint64_t publication_oldest(const struct publication *p);

/* Control: every reader goes by the newest one; what begins from now on begins under it. */
bool publication_adopted(const struct publication *p);

/* Control, at the end: all readers have stopped. */
void publication_free(struct publication *p);

/* Reader, at the top of a turn: the newest; true when it has changed. */
bool snapshot_adopt(struct snapshot_reader *r, struct publication *p);

/* The one adopted last. */
static inline struct snapshot_use *snapshot_current(struct snapshot_reader *r)
{
    return &r->uses[(r->oldest + r->count - 1) % SNAPSHOTS_HELD_MAX];
}

/* For the life of an exchange. */
struct snapshot_use *snapshot_hold(struct snapshot_reader *r);
void snapshot_let_go(struct snapshot_reader *r, struct snapshot_use *u);

#endif
