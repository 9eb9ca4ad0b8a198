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
    /* Bytes for the owner: > 0 received, 0 end of the stream, -EAGAIN nothing yet, else -errno. */
    ssize_t (*receive)(struct conn *c, void *buf, size_t n);
    /* Bytes from the owner: how many were taken (maybe 0 when full), or -errno. */
    ssize_t (*send)(struct conn *c, const struct iovec *pieces, int count);
    /* Bytes held here that receive() would return without touching the socket. */
    size_t (*pending)(const struct conn *c);
    /* Gives the filter's state back. */
    void (*close)(struct conn *c);
};

/* Bytes as they are. */
extern const struct filter filter_plain;

/* What a filter receives from and sends to: the socket. Receiving remembers whether more may be there:
 * only a short receive here, never a short one of the filter's, means that the socket is drained. */
ssize_t conn_socket_receive(struct conn *c, void *buf, size_t n);
ssize_t conn_socket_send(struct conn *c, const struct iovec *pieces, int count);

/* Puts another filter in place; before anything was received or sent. */
void conn_set_filter(struct conn *c, const struct filter *f, void *state);

#endif
