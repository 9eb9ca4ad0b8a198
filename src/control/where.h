/* SPDX-License-Identifier: Apache-2.0 */
/* where.h - where journeys fail: one question about some of them, to this node and to all others at the same time. When the last of these
 * has answered, or its time is over, whoever asked is answered with the sums: a program, another node, or a browser that shows the page.
 * A client that left meanwhile is not answered.
 * Always: with `alone` nobody else is asked, so nodes do not ask each other in circles. A node without an answer is named, never an
 * error.
 * Owned by control. Next: api_dimensions.c and page.c, who ask; dimension_sums.h. */
#ifndef EK_CONTROL_WHERE_H
#define EK_CONTROL_WHERE_H

#include "control/api_table.h"
#include "control/dimension_sums.h"
#include "control/peer_inquiry.h"
#include "plane/http/local.h"

enum {
    WHERE_JOURNEYS_MAX = REPORT_JOURNEYS_MAX,
    WHERE_EVERYTHING = (1 << DIMENSION_COUNT) - 1,
};

/* A node whose part of a journey is missing. */
struct where_missing {
    struct span peer;
    const char *why;
};

struct where_journey {
    struct span name;
    uint64_t definition;
    uint32_t number; /* its version, for people */
    bool changed;    /* it has become another since: nothing is known */
    int64_t from;    /* unix seconds: the earliest of all nodes */
    struct dimension_sums sums;
    struct where_missing *missing;
    size_t missing_count;
};

struct where {
    struct exchange_later later;
    struct arena memory;
    uint32_t dimensions; /* a bit each; without tenants where nobody is named, unless `tenants` */
    bool tenants;
    enum dimension_window window;
    bool alone;
    struct where_journey *journeys; /* at most WHERE_JOURNEYS_MAX */
    size_t count;
    struct peer_inquiry *inquiry; /* NULL: there is nobody else, or nobody else is asked */
    struct span type;             /* of the answer */
    /* Writes the answer when all sums are there; returns its status. */
    unsigned (*write)(struct where *w, struct control *c, struct str *out);
    void (*close)(struct where *w); /* frees what its owner has besides; NULL: nothing */
};

/* Begins what `size` bytes hold, of which a struct where is the first. */
void *where_begin(size_t size);
void where_free(struct where *w);

/* False: it has no dimensions, or there are enough. */
bool where_add(struct where *w, const struct control *c, const struct journey *j);
const struct where_journey *where_find(const struct where *w, const struct journey *j);

/* Answers now (true: it is freed) or later; owns the question from now on. */
bool where_answer(struct where *w, struct api_call *k);

/* Nodes that a sum is about. */
unsigned where_nodes(const struct where *w);

/* Of this journey; it is in force. */
bool where_wants(const struct where *w, const struct journey *j, enum dimension which);

#endif
