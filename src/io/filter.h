/* SPDX-License-Identifier: Apache-2.0 */
/* filter.h - what stands between a connection's owner and its socket: nothing, or TLS.
 * Planes never see it. A filter may hold bytes that the socket has already delivered; it says so by
 * pending(), and the connection then goes on without waiting for the kernel. */
#ifndef EK_IO_FILTER_H
#define EK_IO_FILTER_H

#include "io/conn.h"

#include <sys/types.h>

struct filter {
    const char *name;
    bool secure; /* what passes can be neither read nor changed on its way */
    /* What must happen before the first byte of the owner's: called again at each edge until it is done.
     * 0: done; -EAGAIN: waits for the peer; else -errno. NULL: nothing. It may put another filter in its
     * own place, whose handshake then follows. */
    int (*handshake)(struct conn *c);
    /* Bytes for the owner: > 0 received, 0 end of the stream, -EAGAIN nothing yet, else -errno. */
    ssize_t (*receive)(struct conn *c, void *buf, size_t n);
    /* Bytes from the owner: how many were taken (maybe 0 when full), or -errno. */
    ssize_t (*send)(struct conn *c, const struct iovec *pieces, int count);
    /* Bytes held here that receive() would return without touching the socket. */
    size_t (*pending)(const struct conn *c);
    /* Tells the peer that the owner sends no more; before the socket is shut. NULL: nothing to tell. */
    void (*shutdown)(struct conn *c);
    /* Whether the peer was shown that we are this host; NULL: it was shown nothing. */
    bool (*speaks_for)(const struct conn *c, struct span host);
    /* Gives the filter's state back. */
    void (*close)(struct conn *c);
};

/* Bytes as they are. */
extern const struct filter filter_plain;

/* What a filter receives from and sends to: the socket. Receiving remembers whether more may be there:
 * only a short receive here, never a short one of the filter's, means that the socket is drained. */
ssize_t conn_socket_receive(struct conn *c, void *buf, size_t n);
ssize_t conn_socket_send(struct conn *c, const struct iovec *pieces, int count);

/* Puts another filter in place; before anything was received or sent by the owner. */
void conn_set_filter(struct conn *c, const struct filter *f, void *state);

/* A filter's own timer: the connection has failed, as the loop will tell its owner. */
void conn_fail(struct conn *c, int error);

#endif
