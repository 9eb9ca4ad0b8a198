/* SPDX-License-Identifier: Apache-2.0 */
/* peer_inquiry.h - one question to all nodes at the same time, asked because somebody asked us: histories and what-ifs lie in
 * the stores of the nodes, and are not pulled. Control writes it and gives it to the puller's thread, which asks, reads what comes,
 * and gives it back once every node answered or its time was over.
 * Always: given back exactly once, within INQUIRY_TIMEOUT_MS and a little; each part has a report or says why not; a node that is
 * silent anyway is not asked, so it costs no time. */
#ifndef EK_CONTROL_PEER_INQUIRY_H
#define EK_CONTROL_PEER_INQUIRY_H

#include "control/peer_report.h"

struct control;
struct journey;
struct peer_puller;

#define INQUIRY_TIMEOUT_MS 3000L /* a store that is busy answers within a second */

enum {
    INQUIRIES_MAX = 8, /* at the same time; with PEERS_MAX nodes some 500 requests */
    /* of one answer: 400 points come to some 120 KiB, sixteen journeys with ten values in each dimension to 180 KiB */
    INQUIRY_BODY_MAX = 512 << 10,
};

/* One node's. */
struct peer_part {
    uint32_t id;                /* of its target */
    struct span peer;           /* as configured */
    struct peer_report *report; /* NULL: */
    err failed;                 /* why. Set before it is asked: it is not asked */
};

struct peer_inquiry {
    struct arena arena; /* owns itself but for the reports */
    struct span path;   /* with its query */
    err (*read)(struct span body, struct peer_report **ret);
    struct peer_part *parts; /* of every other node that the sums are about */
    size_t count;
    size_t open; /* the thread's: requests under way */
    /* On control's thread; it owns the inquiry again. */
    void (*done)(void *owner, struct control *c);
    void *owner;
};

/* Of all nodes but this one; those that are silent, or define the journey (NULL: it is about none) differently, failed already. The
 * caller frees it. */
struct peer_inquiry *peer_inquiry_new(const struct control *c, const struct journey *j);
void peer_inquiry_free(struct peer_inquiry *q); /* may be NULL */

/* True: it is done() later. False: there is nobody to ask, or (each part says so) too much is asked already. */
[[nodiscard]] bool peer_inquiry_ask(struct control *c, struct peer_inquiry *q);

/* nodes_missing: [{peer, why}]. NULL: nobody else was asked. */
json_t *peer_inquiry_missing(const struct peer_inquiry *q);

/* Mail: it is back. */
void peer_inquiry_back(struct control *c, struct peer_inquiry *q);

/* ---- on the puller's thread */

void inquiry_begin(struct peer_inquiry *q, struct peer_puller *puller);

/* What is under way goes back as it is. */
void inquiries_stop(struct peer_puller *puller);

#endif
