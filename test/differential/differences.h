/* SPDX-License-Identifier: Apache-2.0 */
/* differences.h - what may differ between the two parsers, and why: the table is in differences.c. */
#ifndef EK_TEST_DIFFERENTIAL_DIFFERENCES_H
#define EK_TEST_DIFFERENTIAL_DIFFERENCES_H

#include "outcome.h"

/* What differs: bit, words. */
/* clang-format off */
#define ASPECTS(X) \
    X(ACCEPTED,   "we accept, they refuse") \
    X(REFUSED_IT, "we refuse, they do not") \
    X(HEAD_END,   "where the head ends") \
    X(METHOD,     "method") \
    X(TARGET,     "target") \
    X(VERSION,    "version") \
    X(STATUS,     "status") \
    X(WORDS,      "reason phrase") \
    X(FIELDS,     "fields") \
    X(BODY,       "body") \
    X(END,        "where the message ends") \
    X(KEEP_ALIVE, "whether the connection persists")
/* clang-format on */

enum aspect_number {
#define X(id, words) ASPECT_##id,
    ASPECTS(X)
#undef X
        ASPECT_COUNT,
};

enum aspect {
#define X(id, words) D_##id = 1 << ASPECT_##id,
    ASPECTS(X)
#undef X
};

struct difference {
    const char *name; /* of a refusal: the code of ours */
    unsigned aspects; /* what it explains */
    const char *why;
    bool (*holds)(const struct message *m, const struct outcome *ours,
                  const struct outcome *theirs);
    unsigned long seen;
};

extern struct difference differences[];
extern const unsigned difference_count;

/* Bits of enum aspect; 0 when both read the same. */
unsigned compare(const struct message *m, const struct outcome *ours, const struct outcome *theirs);

/* What no row of the table explains. Counts the rows that explain something. */
unsigned explain(const struct message *m, const struct outcome *ours, const struct outcome *theirs,
                 unsigned differs);

#endif
