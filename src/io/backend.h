/* SPDX-License-Identifier: Apache-2.0 */
/* backend.h - what carries the bytes: the kernel (io_epoll.c) or the simulator (io_sim.c).
 * Readiness is told by edges: once, when it begins. A short receive means drained, so a connection is
 * not asked again before its next edge. */
#ifndef EK_IO_BACKEND_H
#define EK_IO_BACKEND_H

#include "io/conn.h"
#include "io/listener.h"

#include <sys/types.h>

enum edge {
    EDGE_READABLE = 1, /* bytes, or the end of the stream */
    EDGE_WRITABLE = 2, /* room again, or a connect has finished */
    EDGE_HANGUP = 4,   /* the peer has shut its side or reset */
};

struct io_backend {
    const char *name;
    ns_t (*clock)(const struct reactor *r);
    /* Waits until something happens or `until` has come (0: does not wait); reports edges by
     * conn_edge() and port_edge(). */
    void (*poll)(struct reactor *r, ns_t until);
    void (*wake)(struct reactor *r); /* from any thread */
    void (*free)(struct reactor *r);

    int (*open)(struct conn *c, const struct accepted *a);    /* 0 or -errno */
    int (*connect)(struct conn *c, const struct address *to); /* 0 (an edge follows) or -errno */
    int (*connect_result)(struct conn *c);                    /* 0 or -errno */
    ssize_t (*receive)(struct conn *c, void *buf, size_t n);  /* as filter->receive */
    ssize_t (*send)(struct conn *c, const struct iovec *pieces, int count);
    void (*shutdown)(struct conn *c);
    void (*abort)(struct conn *c); /* before close: the peer gets a reset */
    void (*close)(struct conn *c);

    int (*port_open)(struct port *p);                                  /* 0 or -errno */
    int (*port_accept)(struct port *p, struct accepted *ret_accepted); /* 0, -EAGAIN or -errno */
    void (*port_close)(struct port *p);
    void (*refuse)(struct reactor *r, struct accepted *a); /* closes it unheard */
};

/* Called by a backend's poll. */
void conn_edge(struct conn *c, unsigned edges);
void port_edge(struct port *p);

#endif
