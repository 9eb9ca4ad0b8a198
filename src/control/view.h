/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - how an instance is, in the one word that the API, the page and the terminal show. */
#ifndef EK_CONTROL_VIEW_H
#define EK_CONTROL_VIEW_H

#include "control/control.h"

/* clang-format off */
#define VIEWS(X) \
    /* name      word         new requests go there */ \
    X(UP,        "up",        true) \
    X(OBSERVED,  "observed",  true)  /* its service only observes: nothing keeps requests from it */ \
    X(UNCHECKED, "unchecked", false) /* no check has said anything yet */ \
    X(DOWN,      "down",      false) /* its checks fail */ \
    X(EJECTED,   "ejected",   false) /* it failed real requests */ \
    X(DRAINED,   "drained",   false)
/* clang-format on */

enum view {
#define X(name, word, used) VIEW_##name,
    VIEWS(X)
#undef X
};

struct instance_view {
    enum view view;
    const char *word;
    bool used;                 /* but for panic, when all that are not drained are */
    ns_t ejected_for;          /* from now on; 0: it is not */
    const struct check *check; /* NULL: it is not checked */
};

/* What a service in observe mode would have done: the words of enum would. */
struct view_would {
    const char *action;
    const char *reason;
};

extern const struct view_would view_would[WOULD_COUNT];

/* How often so far. */
uint64_t view_would_count(const struct control *c, const struct service *s, enum would what);

struct instance_view view_instance(const struct control *c, const struct service *s,
                                   const struct instance *i);

#endif
