/* SPDX-License-Identifier: Apache-2.0 */
/* h1_down.h - an HTTP/1.1 connection from a client. Carries one exchange at a time; pipelined requests
 * wait in its buffer or in the kernel.
 * Always: holds a buffer only while bytes are in it or a receive is under way. */
#ifndef EK_PLANE_HTTP_H1_DOWN_H
#define EK_PLANE_HTTP_H1_DOWN_H

#include "plane/http/edge.h"

/* clang-format off */
#define H1_DOWN_STATES(X) \
    /* name      may go to                                deadline      what it is doing */ \
    X(IDLE,      TO(HEAD) | TO(EXCHANGE) | TO(CLOSED),    idle,         "waiting for a request") \
    X(HEAD,      TO(IDLE) | TO(EXCHANGE) | TO(CLOSED),    header_time,  "reading a request's head") \
    X(EXCHANGE,  TO(HEAD) | TO(IDLE) | TO(LINGER) | TO(CLOSED), none,   "an exchange is under way") \
    X(LINGER,    TO(CLOSED),                              linger,       "answered for the last time; letting the client read it") \
    X(CLOSED,    0,                                       none,         "closed; memory about to be given back")
/* clang-format on */

enum h1_down_state {
#define X(name, next, deadline, words) H1_DOWN_##name,
    H1_DOWN_STATES(X)
#undef X
        H1_DOWN_STATE_COUNT,
};

struct h1_down;

/* Takes a connection that was accepted at this port; false when there is no memory for it. */
bool h1_down_open(struct http_edge *e, const struct port *p, const struct accepted *a);

/* The connection of a member of edge->down_list. */
struct h1_down *h1_down_of(struct link *k);

/* Draining: without an exchange it has CLIENT_LAST_CALL for a request on its way; it closes after the answer. */
void h1_down_drain(struct h1_down *d);

/* Whether a connection could give way to a new one. */
bool h1_down_has_room(struct http_edge *e);

/* A place is wanted: closes the connection whose head has been coming for too long, or else the one that has been
 * idle longest; false when there is none. Its place is free at the turn's end. */
bool h1_down_make_room(struct http_edge *e);

/* Memory is wanted: tells the client whose head has been coming for too long that there is too much to do, or else
 * closes the connection that has been idle longest after a request; false when there is none. */
bool h1_down_save(struct http_edge *e);

/* Closes at once; an exchange under way must have been cut. */
void h1_down_cut(struct h1_down *d);

extern const size_t h1_down_size;

#endif
