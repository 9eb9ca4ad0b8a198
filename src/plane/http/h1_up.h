/* SPDX-License-Identifier: Apache-2.0 */
/* h1_up.h - an HTTP/1.1 connection to an instance. Carries one exchange at a time; between two it waits
 * in the instance's idle list, most recently used first.
 * Always: an idle connection holds no buffer, and whatever an instance sends on it, bytes or the end,
 * closes it: a stray answer must never reach the next client (RFC 9112 section 9.2). */
#ifndef EK_PLANE_HTTP_H1_UP_H
#define EK_PLANE_HTTP_H1_UP_H

#include "plane/http/edge.h"

/* clang-format off */
#define H1_UP_STATES(X) \
    /* name       may go to                    deadline  what it is doing */ \
    X(CONNECTING, TO(BUSY) | TO(CLOSED),       none,     "connecting") \
    X(BUSY,       TO(IDLE) | TO(CLOSED),       none,     "carrying an exchange") \
    X(IDLE,       TO(BUSY) | TO(CLOSED),       idle,     "kept for the next request") \
    X(CLOSED,     0,                           none,     "closed; memory about to be given back")
/* clang-format on */

enum h1_up_state {
#define X(name, next, deadline, words) H1_UP_##name,
    H1_UP_STATES(X)
#undef X
        H1_UP_STATE_COUNT,
};

struct h1_up;

enum up_result {
    UP_READY,      /* an idle connection was taken: send() may be used at once */
    UP_CONNECTING, /* ready or gone follows */
    UP_NO_ROOM,    /* no memory for another connection */
};

/* Gives the leg a connection to an instance of a service; its events and memory are set. `idle_time`: how long the
 * connection is kept unused afterwards. `fresh`: do not take an idle one. */
enum up_result h1_up_open(struct http_edge *e, const struct service *s, const struct instance *i,
                          ns_t idle_time, bool fresh, struct leg *l);

/* The connection was idle before this exchange took it: the instance may have closed it meanwhile. */
bool h1_up_reused(const struct leg *l);

/* No byte of the request that was given to it went to the kernel. */
bool h1_up_unsent(const struct leg *l);

/* Closes the idle connections of one instance. */
void h1_up_close_idle(struct http_edge *e, struct instance_state *s);

/* Closes at once; an exchange under way must have been cut. */
void h1_up_cut(struct link *k);

extern const size_t h1_up_size;

#endif
