/* SPDX-License-Identifier: Apache-2.0 */
/* api_question.h - a question about one journey's past: this node's part comes from the store (the scribe reads, in a task), the
 * others' parts from the nodes (peer_inquiry.h), both at the same time. When the last of them is there it is answered with the sum. A client
 * that left meanwhile is not answered.
 * Always: with `node=this` nobody else is asked, so nodes do not ask each other in circles. A node without an answer is named
 * and is lost coverage, never an error.
 * Owned by control. Next: api_history.c, api_what_if.c, api_dimensions.c. */
#ifndef EK_CONTROL_API_QUESTION_H
#define EK_CONTROL_API_QUESTION_H

#include "control/api_query.h"
#include "control/api_table.h"
#include "control/control.h"
#include "control/peer_inquiry.h"

/* Every such question takes these, at the end of its rows. `to` is for the others' sake: all of them count the same steps. */
#define QUESTION_ROWS  \
    { .key = "node" }, \
    {                  \
        .key = "to"    \
    }
enum { QUESTION_ROW_COUNT = 2 };

/* Counters of a journey, and the node's measured time, at the same instant. */
struct instant {
    int64_t at; /* unix seconds */
    uint64_t counts[SERIES_MAX];
    uint64_t measured_ms;
};

struct question {
    struct scribe_task task;
    struct exchange_later later;
    struct arena memory;
    struct span journey;
    uint64_t definition;
    uint32_t version;      /* the store's */
    uint32_t bins_version; /* of its histograms */
    uint32_t number;       /* people's */
    int64_t now;           /* unix seconds: where what is asked ends */
    bool past;             /* that is not now: even the last instant comes from the store */
    int64_t window_s;
    bool alone;                   /* node=this */
    err result;                   /* of the store */
    unsigned open;                /* of the two parts: still to come */
    struct peer_inquiry *inquiry; /* NULL: there is nobody else, or nobody else is asked */
    json_t *(*answer)(struct question *q, struct control *c);
};

/* Begins what `size` bytes hold, of which a struct question is the first. NULL, and the refusal is written: there is no such
 * journey, or the query is wrong. */
void *question_begin(struct api_call *k, size_t size, struct query_row *rows, size_t count,
                     const struct journey **ret_journey);

/* Asks: `path` is what stands behind the journey's name for the other nodes, such as "history?points=2"; `read` reads what they
 * say. q->answer is set, and q->task.run unless the store is not asked. Owns the question from now on, whatever happens. */
void question_ask(struct api_call *k, struct question *q, const char *path,
                  err (*read)(struct span body, struct peer_report **ret));

/* Instead. */
void question_refuse(struct api_call *k, struct question *q, unsigned status, const char *text);

/* On the scribe's thread. */
err question_read_instant(struct store *s, uint32_t version, struct instant *i);

/* Later less earlier; a counter that another epoch left behind is not below zero. */
static inline uint64_t question_less(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

/* ---- for answers */

/* The nodes that the sums are about: this one and all others. */
unsigned question_nodes(const struct question *q);

/* Report number i of the others, or NULL. One that does not fit what was asked is failed with `why`. */
const struct peer_report *question_report(const struct question *q, size_t i);
void question_unfit(struct question *q, size_t i, const char *why);

/* node, nodes, nodes_missing, definition, window_s: in every answer. */
void question_put_nodes(const struct question *q, const struct control *c, json_t *answer);

#endif
