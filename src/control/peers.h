/* SPDX-License-Identifier: Apache-2.0 */
/* peers.h - other nodes whose counters are summed with ours, so that any node shows the whole: the last good answer of each,
 * and how old it is.
 * Every window is the sum of what each node counted in it; measured time is the mean over the nodes. A node that is silent is
 * lost coverage from its last answer on; what it said before stays in the sum for as long as it lies in the window.
 * Always: a journey is summed with one of the same name and the same definition only.
 * Owned by control. Next: peer_puller.h, which asks; peer_serve.c, which answers; peer_memory.h, over restarts; peer_show.c. */
#ifndef EK_CONTROL_PEERS_H
#define EK_CONTROL_PEERS_H

#include "control/peer_puller.h"

struct control;
struct peer_memory;
struct told_list;

/* clang-format off */
#define PEER_STATES(X) \
    /* name     word       what it is */ \
    X(WAITING,  "waiting", "it has not answered yet: lost coverage") \
    X(HEARD,    "heard",   "it answers, and is in every sum") \
    X(SILENT,   "silent",  "it does not answer any more: lost coverage from then on") \
    X(SELF,     "self",    "it is this very node: not asked for, not summed") \
    X(DOUBLE,   "double",  "it is the same node as another peer: summed once")
/* clang-format on */

enum peer_state {
#define X(name, word, meaning) PEER_##name,
    PEER_STATES(X)
#undef X
};

/* A node is silent when its newest answer is older: one question may fail, two may not. */
#define PEER_SILENT_AFTER (4 * NS_PER_S)

enum { PEER_ERROR_MAX = 256 };

struct peer {
    struct arena arena; /* owns the texts */
    uint32_t id;
    struct span text; /* as written */
    struct peer_target target;
    struct peer_counts *counts; /* the last good answer; NULL: none yet */
    ns_t heard;                 /* when it came; monotonic */
    int64_t heard_at;           /* the same, unix seconds */
    uint64_t answers;
    uint64_t failures;
    char error[PEER_ERROR_MAX]; /* of the last question; "": it was answered */
    uint64_t kept;              /* of its answers, the one that the store has */
    bool told_silent;
    struct told_list *told; /* findings that are in the log; peer_findings.c */
    bool self;
    const struct peer *same_as; /* an earlier one that is the same node */
};

struct peers {
    struct peer *list;
    size_t count;
    uint32_t next_id;
    bool untold;        /* the puller does not have it yet */
    size_t look_next;   /* whose findings are looked at next */
    unsigned inquiries; /* with the puller */
    struct peer_memory
        *memories; /* what the last process heard; until the first list has taken it */
    size_t memory_count;
    bool keep_now;  /* not only when it is time to */
    bool keeping;   /* the scribe writes down what was heard */
    bool kept_any;  /* the store may know of some */
    ns_t kept_when; /* monotonic */
};

/* The configuration in force is another one: whoever is told so finds its peers listed. */
void peers_adopt(struct control *c);

/* Each tick: nodes that fell silent. */
void peers_tick(struct control *c);

/* Mail; frees it. */
void peers_heard(struct control *c, struct peer_answer *answer);

/* With the answers in control's mail that nobody reads any more. */
void peers_free(struct control *c);

enum peer_state peer_state(const struct control *c, const struct peer *p);
const char *peer_state_word(enum peer_state s);

/* Not this one, and not one that is there already. */
bool peer_is_node(const struct peer *p);

/* It counts this journey as we do: it can be summed. */
bool peers_same_journey(const struct peer *p, const struct journey *j);

/* Nodes that the sums are about, this one included; and those of them that answer. */
unsigned peers_nodes(const struct control *c);
unsigned peers_nodes_heard(const struct control *c);

/* ---- adding to what this node counted */

/* ret->measured_ms becomes the mean over the nodes. */
void peers_add_window(const struct control *c, const struct journey *j, int64_t seconds,
                      struct window_counts *ret);
void peers_add_totals(const struct control *c, const struct journey *j,
                      uint64_t counts[SERIES_MAX]);
void peers_add_histogram(const struct control *c, const struct journey *j,
                         uint64_t bins[HISTOGRAM_BINS]);

/* Users on their way through steps, of the nodes that answer. */
void peers_add_standing(const struct control *c, const struct journey *j,
                        uint64_t standing[STEPS_MAX]);

/* Requests a second of those that answer. */
double peers_rate(const struct control *c, const struct journey *j);

/* ---- peer_findings.c */

/* What is wrong with its being summed, a sentence each: journeys that differ, a clock that does. */
void peer_findings(const struct control *c, const struct peer *p,
                   void (*tell)(void *whom, const char *text), void *whom);

/* Each tick: one peer's, so that a thousand journeys of many peers are no long tick. */
void peer_findings_log(struct control *c);
void peer_findings_free(struct peer *p);

#endif
