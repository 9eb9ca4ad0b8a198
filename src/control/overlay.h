/* SPDX-License-Identifier: Apache-2.0 */
/* overlay.h - what was changed at run time through the API and differs from the file: drained instances, other
 * weights, instances that came or are to stay away. Each says who, why and until when, is kept in the store,
 * and is shown as drift until the file says the same or it is taken back.
 * Always: when the file changes the very value, the file wins and the change goes.
 * Owned by control; the loader gets copies. */
#ifndef EK_CONTROL_OVERLAY_H
#define EK_CONTROL_OVERLAY_H

#include "base/arena.h"
#include "bus/config.h"
#include "store/kept_changes.h"

/* clang-format off */
#define CHANGES(X) \
    /* name    word       class: a later one of the same class and instance takes its place */ \
    X(DRAIN,   "drain",   TRAFFIC) \
    X(UNDRAIN, "undrain", TRAFFIC) \
    X(ADD,     "add",     PRESENCE) \
    X(REMOVE,  "remove",  PRESENCE) \
    X(WEIGHT,  "weight",  WEIGHT)
/* clang-format on */

enum change_kind {
#define X(name, word, class_) CHANGE_##name,
    CHANGES(X)
#undef X
        CHANGE_COUNT,
};

enum { CHANGES_AT_ONCE_MAX = 10000, CHANGE_TEXT_MAX = 256 };

struct change {
    int64_t id;
    enum change_kind kind;
    struct span service;
    struct span instance; /* its address, or the name that stands for several */
    uint32_t weight;      /* ADD, WEIGHT */
    struct span zone;     /* ADD */
    struct span release;  /* ADD */
    struct span who;
    struct span why;
    const char *by;         /* what let in who asked (deeds.h); NULL: it is from the store */
    struct span file_value; /* what the file said of it when it was made */
    int64_t at;             /* unix seconds */
    int64_t expires;        /* unix seconds; 0: never */
    bool stored;
    uint64_t in_force;  /* generation; 0: not yet */
    bool riding;        /* the run of the reload under way has it */
    struct arena arena; /* owns the texts; empty in copies */
};

struct overlay {
    struct change **list; /* oldest first */
    size_t count;
    int64_t next_id;
};

const char *change_word(enum change_kind k);
bool change_kind_parse(struct span word, enum change_kind *ret_kind);

/* "weight=3", a tab, "zone=a": what the change says beyond its kind; "" for most. In the arena. */
struct span change_value(struct arena *a, const struct change *c);

/* From the store, at boot. What cannot be understood (an older program's) is left out and logged. */
void overlay_restore(struct overlay *o, const struct stored_change *list, size_t count);

/* Adds a copy and gives it an id; *ret_replaced: the id of the one whose place it takes, 0: none. */
struct change *overlay_add(struct overlay *o, const struct change *c, int64_t *ret_replaced);
struct change *overlay_find(const struct overlay *o, int64_t id);
void overlay_remove(struct overlay *o, int64_t id);
void overlay_free(struct overlay *o);

/* Those whose time is not over, as a list that does not change any more, in an arena. */
struct change *overlay_copy(const struct overlay *o, struct arena *a, int64_t unix_now,
                            size_t *ret_count);

/* What the configuration says of the instance by itself; in the arena. */
struct span overlay_file_value(struct arena *a, const struct config *c, enum change_kind kind,
                               struct span service, struct span instance);

/* Into a configuration that was just built from a file: first what adds instances, before names are looked up,
 * then the rest. Ids of changes whose value the file has changed meanwhile go to ret_over (room for `count`); they
 * are not applied. Returns how many. */
size_t overlay_apply_added(const struct change *list, size_t count, struct config *c,
                           int64_t *ret_over);
size_t overlay_apply_rest(const struct change *list, size_t count, struct config *c,
                          int64_t *ret_over);

/* Whether a change is about this instance. */
bool change_is_about(const struct change *c, const struct service *s, const struct instance *i);

#endif
