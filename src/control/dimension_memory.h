/* SPDX-License-Identifier: Apache-2.0 */
/* dimension_memory.h - what was counted by dimension, over restarts: who restarts evenkeel in the middle of an incident still asks where it
 * failed in the last hour. The store has one row of each process, journey and definition; control packs some journeys with each tick, as
 * many as are little work, and all when the process ends. A process that is killed loses what it counted since its last row.
 * At its start the next process reads the rows of the last hour; they stay packed, and are unpacked for whoever asks. When they are too old
 * for any window, they are forgotten.
 * Always: what comes from the store is read strictly; a row that is not understood is left out. A row's values add up in each dimension.
 * Windows: a row has what was counted since each of the journey's marks (dimensions.h), so a window that reaches into an earlier process
 * begins with one of its marks, as ever.
 * Owned by control. Next: store/kept_dimensions.h; where.c, who asks. */
#ifndef EK_CONTROL_DIMENSION_MEMORY_H
#define EK_CONTROL_DIMENSION_MEMORY_H

#include "control/dimension_sums.h"
#include "store/kept_dimensions.h"

struct control;
struct store;

/* No window reaches further back: the longest, and what it may be longer. */
#define DIMENSION_MEMORY_S ((3600 + 900 + 300))

/* What earlier processes counted. Begins as zeroes. */
struct dimension_memory {
    struct arena arena; /* owns the rows */
    struct kept_dimensions *rows;
    size_t count;
    int64_t until; /* unix seconds: of the newest */
};

/* Blocking, at boot. What is not understood is left out; fails only when the store does. */
err dimension_memory_load(struct store *s, int64_t unix_now, struct dimension_memory *ret);
void dimension_memory_free(struct dimension_memory *m);

/* Adds what earlier processes counted of this journey in a window, of the wanted dimensions (a bit each). When there is some, *from is not
 * later than its begin. */
void dimension_memory_add(const struct dimension_memory *m, const struct dimensions *d,
                          const struct journey *j, uint32_t wanted, enum dimension_window w,
                          int64_t unix_now, struct dimension_sums *sums, int64_t *from);

/* ---- packing; numbers are those of core/pack.h */

/* How a tenant may be told; empty: he is kept as one of `other`. */
struct tenant_namer {
    struct span (*name)(const void *owner, const struct dimension_row *r);
    const void *owner;
};

/* What was counted until now, and at each mark. Writes nothing when there is nothing. */
void dimension_pack(const struct dimensions *d, const struct book *b, const struct journey *j,
                    const struct tenant_namer *namer, ns_t now, struct str *out);

/* How much control packs with each tick: bytes, which are some seven journeys, or one that has all the values that it may (some 90 us with -O1, on a busy machine);
 * and journeys that are looked at, most of which may not have changed. */
enum { PACKED_PER_TICK = 8 << 10, PACK_LOOKS = 64 };

/* False: it is damaged, or of a later version. */
bool dimension_packed_well(struct span packed);

/* ---- dimension_keeper.c */

/* Begins as zeroes. */
struct dimension_keeper {
    bool out;       /* the scribe has rows */
    size_t next;    /* number in the configuration of the journey that is looked at next */
    ns_t looked;    /* monotonic */
    ns_t tidied;    /* the same; 0: never */
    uint64_t *kept; /* by the journey's stable id: how many requests the store knows of */
    size_t kept_count;
};

/* Each tick. */
void dimension_keeper_tick(struct control *c);

/* Everything: the process ends, and nothing counts any more. */
void dimension_keeper_last(struct control *c);

/* The store was begun anew, and knows of nothing. */
void dimension_keeper_again(struct dimension_keeper *k);
void dimension_keeper_free(struct dimension_keeper *k);

#endif
