/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h - one request and its answer, from the first byte to the counters.
 * An exchange routes the request, chooses an instance, passes parts between its two legs with
 * back-pressure, answers by itself when it must, and is counted exactly once when it ends.
 * Always: `request_ended` before the request's end is sent up; the answer's head goes down once; after
 * OVER nothing happens to it. Owned by one edge; its memory goes back at the end of the turn.
 * Next: exchange.c, one function per event; account.c, the counting. */
#ifndef EK_PLANE_HTTP_EXCHANGE_H
#define EK_PLANE_HTTP_EXCHANGE_H

#include "base/machine.h"
#include "plane/http/edge.h"

#include <stdalign.h>

enum {
    INSTANCES_TRIED_MAX =
        8, /* instances that one request may be offered to before it was sent to any */
};

struct exchange {
    struct leg down;
    struct leg up;
    struct http_edge *edge;
    struct link link; /* in edge->exchange_list */
    struct snapshot_use *snapshot;
    struct timer timer;
    struct scratch memory;

    enum exchange_state state;
    ns_t began; /* first byte of the request */
    ns_t state_since;
    ns_t blocked_since;               /* the client does not take the answer; 0: it does */
    ns_t blocked;                     /* sum of such times: not ours */
    ns_t spent[EXCHANGE_STATE_COUNT]; /* in each state */

    const struct service *service;
    const struct route *route;
    const struct journey *journey;
    const struct instance *instance;

    /* forward.c: who asks, and what the instance is told of it */
    bool trusted;           /* our peer is: what it says of others is believed */
    bool https;             /* how the client came */
    struct span client;     /* its address, as text */
    struct span request_id; /* the trace id, unless a trusted peer gave another */
    struct span tenant;     /* empty: none */
    struct span user;
    uint64_t span_id; /* our own span of the trace; 0: the request was not understood */
    char trace_text[32];

    uint64_t received; /* bytes of the request's body */
    uint64_t sent;     /* of the answer's */
    uint8_t outcome;   /* enum outcome, once counted */
    uint8_t tries;     /* connections to instances that were asked for */
    uint32_t tried[INSTANCES_TRIED_MAX];
    unsigned tried_count;

    struct http_head request;
    struct http_head answer;
    struct http_part held; /* the first part's data, while a connection is being made */
    struct trace_id trace;
    struct request_slot *slot; /* NULL: untracked */
    char *owned;               /* body of an answer of our own, from malloc, or NULL */

    enum ending ending;
    enum ending no_connection; /* why the instance tried last could not be reached */
    uint16_t status;           /* of the answer's head that went down; 0: none */
    bool down_open : 1;        /* the leg may be used */
    bool up_open : 1;
    bool routed : 1; /* a journey counts it */
    bool stream : 1; /* event stream or WebSocket: counted at its head, may be silent for long */
    bool tunnel : 1; /* WebSocket: bytes both ways */
    bool counted : 1;
    bool gathering : 1;     /* no instance is asked for before the body begins to come */
    bool request_ended : 1; /* its last part has come from the client */
    bool request_sent : 1;  /* some byte of it went to this instance */
    bool up_sending : 1;    /* a send is under way */
    bool down_sending : 1;
    bool sending_end : 1; /* the part under way to the client is the last */

    alignas(16) char inside[SCRATCH_INLINE]; /* scratch_take() gives pieces aligned to 16 */
};

extern const struct machine_state exchange_states[EXCHANGE_STATE_COUNT];

/* The leg source of an edge: begins an exchange. */
struct leg *exchange_open(void *edge, ns_t began);

/* Ends it now: breaks off both sides, counts. */
void exchange_cut(struct exchange *x, enum ending why);

/* ---- for services that answer by themselves (control's API) */

struct local_handler {
    /* Called once, with the whole head; must call exchange_answer() before it returns. */
    void (*answer)(const struct local_handler *h, struct exchange *x);
};

static inline const struct http_head *exchange_request(const struct exchange *x)
{
    return &x->request;
}

/* Answers with a body from malloc, which the exchange frees. */
void exchange_answer(struct exchange *x, unsigned status, struct span content_type, char *body,
                     size_t n);

/* ---- account.c */

/* Counts an exchange for its journey: when it is finished, or at the answer's head when it is a stream. Does
 * nothing the second time. */
void exchange_count(struct exchange *x, ns_t now);

/* ---- access_log.c: writes its line to the edge's ring. */
void exchange_log(struct exchange *x, ns_t now);

/* ---- forward.c */

/* The text of the trace id, and the request id until a peer's is read. */
void forward_begin(struct exchange *x);

/* Reads who asks, by which trace, and changes the head for the instance accordingly. False: no memory. */
[[nodiscard]] bool forward_request(struct exchange *x);

/* Changes the head of an instance's answer for the client. False: no memory. */
[[nodiscard]] bool forward_answer(struct exchange *x);

#endif
