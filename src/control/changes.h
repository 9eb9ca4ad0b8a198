/* SPDX-License-Identifier: Apache-2.0 */
/* changes.h - changing something at run time: asked for through the API, stored, put into force as a snapshot,
 * and ended by its time, by being taken back, or by the file (overlay.h).
 * Always: what is asked for is answered at once with whether it makes sense; it is in force a moment later, which
 * its entry says. A store that is in trouble does not keep an operator from draining: the change is then
 * not stored, and says so. */
#ifndef EK_CONTROL_CHANGES_H
#define EK_CONTROL_CHANGES_H

#include "base/str.h"
#include "control/deeds.h"
#include "control/overlay.h"

struct control;

struct change_reply {
    unsigned status; /* of HTTP: 200 nothing to do, 202 it will be, 400, 404, 409 */
    char text[512];  /* for people */
    int64_t id;      /* of the change; 0: there is none (any more) */
};

/* `wish` has kind, service (may be empty when the instance says enough), instance, who, why, by, expires.
 * `force`: also when no instance would be left. */
void changes_make(struct control *c, const struct change *wish, bool force,
                  struct change_reply *ret);

void changes_take_back(struct control *c, int64_t id, const struct asker *by,
                       struct change_reply *ret);

/* Each tick: those whose time is over go. */
void changes_tick(struct control *c);

/* The loader found that the file has changed their values. */
void changes_over(struct control *c, const int64_t *ids, size_t count);

/* A run of the reload begins with the changes as they are, and ended. */
void changes_ride(struct control *c);
void changes_arrive(struct control *c, bool good);

/* All that are there, into a store that was begun anew. */
void changes_store_again(struct control *c);

#endif
