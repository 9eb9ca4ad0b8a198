/* SPDX-License-Identifier: Apache-2.0 */
/* kept_deeds.h - what people and their programs did to the running program, for those who ask later. A row is written once and
 * never changed; texts are kept as they were said, and the store knows nothing of what they mean.
 * Always: a number stands for one deed, and the greater one is the later one; there are never more than KEPT_DEEDS_MAX, the
 * newest.
 * Next: retention.h, which forgets those that are too old; control/deed_memory.h, which gives numbers. */
#ifndef EK_STORE_KEPT_DEEDS_H
#define EK_STORE_KEPT_DEEDS_H

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

struct store;

/* Twenty-five on each day that they are kept; some 3 MiB as people write, and they take some 10 ms to read. */
enum { KEPT_DEEDS_MAX = 10000 };

/* Each is a column; "" where it says nothing. */
/* clang-format off */
#define DEED_TEXTS(X) \
    /* name      column */ \
    X(WHAT,      "deed")          /* "made", "reloaded" */ \
    X(WHO,       "who") \
    X(WHY,       "why") \
    X(BY,        "by")            /* what let in who asked */ \
    X(CHANGE,    "change")        /* its kind: "drain" */ \
    X(SERVICE,   "service") \
    X(INSTANCE,  "instance") \
    X(VALUE,     "value")         /* "weight=3"; of a start the program's version */ \
    X(ERROR,     "error")         /* why a reload was refused */ \
    X(CHANGED,   "changed")       /* by a reload */ \
    X(RESTART,   "needs_restart") /* keys of the file that are not in force */
/* clang-format on */

enum deed_text {
#define X(name, column) DEED_TEXT_##name,
    DEED_TEXTS(X)
#undef X
        DEED_TEXT_COUNT,
};

struct kept_deed {
    int64_t number;  /* the caller's, unique */
    int64_t at;      /* unix seconds */
    int64_t id;      /* of the change; 0: it is about none */
    int64_t expires; /* unix seconds; 0: never */
    int64_t serial;  /* of the reload; 0: it is none */
    struct span text[DEED_TEXT_COUNT];
};

const char *deed_text_column(enum deed_text t);

/* All of them, or none (store_trouble() says why). One whose number is there is left as it is; what is more than KEPT_DEEDS_MAX
 * is forgotten. */
err kept_deeds_put(struct store *s, const struct kept_deed *list, size_t count);

/* The newest with a number below `before`, at most `most`, newest first; list and texts are in the arena. */
err kept_deeds_load(struct store *s, int64_t before, size_t most, struct arena *a,
                    struct kept_deed **ret_list, size_t *ret_count);

#endif
