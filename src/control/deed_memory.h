/* SPDX-License-Identifier: Apache-2.0 */
/* deed_memory.h - the newest deeds, and their way into the store (store/kept_deeds.h): each is remembered at once and written by
 * the scribe a moment later, all that wait in one transaction. While the store takes nothing they wait here, and a store that
 * is begun anew gets what is here again.
 * Always: a number is given once and goes up, over restarts too; what waits is the newest part of what is remembered; one that
 * must make room before the store took it is counted.
 * Owned by control, used in its thread only. Next: api_deeds.c, who asks. */
#ifndef EK_CONTROL_DEED_MEMORY_H
#define EK_CONTROL_DEED_MEMORY_H

#include "store/kept_deeds.h"

struct control;

enum {
    DEEDS_REMEMBERED =
        1024, /* half a day of a deployment that drains something each minute; 12 MiB at the very most */
    DEEDS_RECALLED =
        256, /* of the last processes, for the page and for a store that is begun anew */
    DEED_TEXT_MAX = 1024, /* longer texts are cut, which "..." shows */
};

struct remembered_deed {
    struct kept_deed row;
    char *texts; /* all of them, owned */
};

struct deed_memory {
    struct remembered_deed *ring;
    size_t first, count; /* the oldest one; how many */
    int64_t next;        /* number of the next */
    int64_t stored;      /* up to this number they are in the store */
    uint64_t lost;       /* made room before they were */
    bool lost_told;
    bool out;     /* some are with the scribe */
    bool gave_up; /* the program ends, and the store took nothing */
    err failed;   /* why the last try did not work */
};

void deed_memory_open(struct deed_memory *m);
void deed_memory_free(struct deed_memory *m);

/* What the store had, newest first; before anything else. */
void deed_memory_recall(struct deed_memory *m, const struct kept_deed *list, size_t count);

/* Remembers a copy under the next number. */
void deed_memory_add(struct deed_memory *m, const struct kept_deed *d);

/* Number i from the newest, which is 0; i < m->count. */
const struct kept_deed *deed_memory_newest(const struct deed_memory *m, size_t i);

/* Copies of those that are not in the store, oldest first; in the arena. */
struct kept_deed *deed_memory_waiting(const struct deed_memory *m, struct arena *a,
                                      size_t *ret_count);

/* ---- for control */

/* Reads what the store has; blocking, before the scribe owns it. */
err deeds_recall(struct control *c);

/* Remembers it, and sends it on its way. */
void deeds_keep(struct control *c, const struct kept_deed *d);

/* Each tick: what the store did not take is tried again, once it takes anything. */
void deeds_tick(struct control *c);

/* The store was opened anew: it may know less than before. */
void deeds_again(struct control *c);

/* When the program ends: nothing waits any more, or nothing can be done for it. */
bool deeds_settled(struct control *c);

#endif
