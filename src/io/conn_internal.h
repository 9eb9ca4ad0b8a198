/* SPDX-License-Identifier: Apache-2.0 */
/* conn_internal.h - between conn.c and reactor.c only. */
#ifndef EK_IO_CONN_INTERNAL_H
#define EK_IO_CONN_INTERNAL_H

#include "io/conn.h"

/* Where it waits between conn_take() and conn_serve(). */
static inline struct list *conn_due_list(const struct conn *c)
{
    return &c->reactor->due[c->outgoing ? DUE_OUTGOING : DUE_INCOMING];
}

/* Receives what there is to be received, and makes it due; nobody is told yet. Called by the turn for some of `ready`, one
 * after the other. */
void conn_take(struct conn *c);

/* Goes on with whatever the connection has to do; called by the turn for each that is due. */
void conn_serve(struct conn *c);

/* Sends what handlers have given since the last time, then tells them what became of it. */
void conn_send_all(struct reactor *r);

#endif
