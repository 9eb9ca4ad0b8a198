/* SPDX-License-Identifier: Apache-2.0 */
/* listener.h - an address that clients connect to, and each reactor's share of it.
 * Listeners belong to control: made before the reactors start, one SO_REUSEPORT socket per reactor
 * (a `port`), so that the kernel spreads connections and nobody shares an accept queue.
 * Closing a SO_REUSEPORT socket resets what waits in its queue, so a draining port accepts until the
 * queue is empty first. */
#ifndef EK_IO_LISTENER_H
#define EK_IO_LISTENER_H

#include "io/address.h"
#include "io/conn.h"

struct port;

struct port_handler {
    /* Asked before each: false leaves the queue waiting until port_resume(). */
    bool (*may_accept)(struct port *p);
    /* A new connection: taken with conn_open(), or false, and it is closed unheard. */
    bool (*accepted)(struct port *p, const struct accepted *a);
};

struct port {
    struct reactor *reactor; /* set by port_start() */
    const struct port_handler *handler;
    void *owner;
    struct address address; /* as bound: with the real port number */
    /* Puts filters before each new connection, which must be through with them by `deadline`; NULL: plain. */
    void (*dress)(const struct port *p, struct conn *c, ns_t deadline);
    struct tls_server *tls; /* this reactor's own; NULL: none (tls.h) */
    bool proxy_protocol;    /* connections begin with it; the owner lets trusted peers only */
    struct link ready_link; /* in reactor->ports */
    struct timer retry;     /* after running out of descriptors */
    void *stream;           /* the simulator's */
    int fd;                 /* epoll's; -1: closed */
    bool started : 1;
    bool ready : 1; /* connections may wait in the queue */
};

struct listener {
    struct address address;
    size_t count; /* ports, one per reactor */
    bool adopted; /* its name in the file system is not ours */
    struct port *ports;
};

enum { LISTEN_BACKLOG = 4096 }; /* the kernel cuts it to net.core.somaxconn */

/* Binds `count` sockets to one address (port 0: the kernel chooses one for all); clients are refused until
 * port_start(). Owned by the caller. */
err listener_open(struct listener *l, const struct address *a, size_t count);

/* The same with a socket that somebody else has opened and made to listen; the ports share its queue. Owns
 * the socket from now on. */
err listener_adopt(struct listener *l, const struct address *a, int fd, size_t count);

/* Closes the sockets that no reactor has taken over. */
void listener_close(struct listener *l);

/* Begins to take connections. In the reactor's thread, or before it runs. */
void port_start(struct port *p, struct reactor *r, const struct port_handler *h, void *owner);

/* After may_accept() said no: there is room again. */
void port_resume(struct port *p);

/* Accepts what waits, then closes the socket. */
void port_stop(struct port *p);

/* Serves what waits in the queue; called by the turn. */
void port_accept_some(struct port *p);

#endif
