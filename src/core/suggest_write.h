/* SPDX-License-Identifier: Apache-2.0 */
/* suggest_write.h - suggested journeys as text for a configuration: one writer for `evenkeel init`, which reads logs, and for the
 * running program, which saw the requests itself. Also single values of YAML.
 * Always: no route stands behind one that takes all of its requests; what is written is what the language reads.
 * Pure: text goes where the caller says. Next: suggest.h, where journeys come from. */
#ifndef EK_CORE_SUGGEST_WRITE_H
#define EK_CORE_SUGGEST_WRITE_H

#include "base/arena.h"
#include "base/str.h"
#include "core/pattern.h"
#include "core/suggest.h"

enum { SUGGEST_PATTERNS_MAX = SUGGEST_JOURNEYS_MAX * SUGGEST_ROUTES_MAX };

/* Patterns that were written: what they take never comes to later ones. Begins with the arena, the rest cleared. */
struct suggest_written {
    struct arena *arena; /* lent; has the texts */
    struct pattern patterns[SUGGEST_PATTERNS_MAX];
    const struct path_group *groups[SUGGEST_PATTERNS_MAX];
    size_t count;
};

/* Adds those of the journey's routes that are left to it, literal ones first; returns how many: the last of w->patterns. 0: there
 * is nothing left for it. */
size_t suggest_keep(struct suggest_written *w, const struct suggested_journey *j);

/* A route takes its requests. */
bool suggest_has(const struct suggest_written *w, const struct path_group *g);

/* What is said beside what is suggested. */
struct suggest_words {
    const char *name;     /* of the journey */
    const char *evidence; /* whole lines of comment below it; "": none */
    const char *not_kept; /* behind a target that was missed: "   # ..." */
    const char *untimed;  /* a whole line instead of a threshold when no time is known; "": none */
};

/* The journey as a member of `journeys`, unless nothing is left for it: false. */
bool suggest_put_journey(struct str *out, struct suggest_written *w,
                         const struct suggested_journey *j, const struct suggest_words *words);

/* A value of YAML, in quotes when it needs them. Without control characters. */
void suggest_put_text(struct str *out, struct span s);

/* As the configuration has it: 300ms, 1.5s. */
void suggest_put_time(struct str *out, ns_t t);

#endif
