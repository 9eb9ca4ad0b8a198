/* SPDX-License-Identifier: Apache-2.0 */
/* deeds.h - what people and their programs did to the running program: by whom, why, and what let them in. Told to those who
 * listen (notices.h), and kept in the store for those who ask later (deed_memory.h).
 * Used in control's thread only. */
#ifndef EK_CONTROL_DEEDS_H
#define EK_CONTROL_DEEDS_H

#include "base/arena.h"
#include "base/span.h"

struct control;
struct change;
struct reload_outcome;

/* clang-format off */
#define DEEDS(X) \
    /* name           word */ \
    X(MADE,           "made") \
    X(TAKEN_BACK,     "taken-back") \
    X(EXPIRED,        "expired")   /* its time was over */ \
    X(OVERTAKEN,      "overtaken") /* the file changed the very value */ \
    X(RELOADED,       "reloaded") \
    X(RELOAD_REFUSED, "reload-refused") \
    X(STARTED,        "started")   /* without "stopped" before it: the last process was killed, or the machine */ \
    X(STOPPED,        "stopped")
/* clang-format on */

enum deed {
#define X(name, word) DEED_##name,
    DEEDS(X)
#undef X
        DEED_COUNT,
};

/* Who asks. Texts may be empty, for nobody must say. */
struct asker {
    struct span who;
    struct span why;
    const char
        *by; /* "local", "operate-token", "session", "signal": a literal; NULL: nobody asked */
    struct arena memory;
};

struct asker asker_copy(const struct asker *a);
void asker_free(struct asker *a);

/* `by` NULL: whoever made it (DEED_MADE), or nobody. */
void deed_change(struct control *c, enum deed deed, const struct change *change,
                 const struct asker *by);

void deed_reload(struct control *c, const struct reload_outcome *o, const struct asker *by);

/* The program starts or stops; kept only, for notices tell of it in their own words. `by` as in struct asker. */
void deed_node(struct control *c, enum deed deed, const char *by);

#endif
