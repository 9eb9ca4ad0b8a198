/* SPDX-License-Identifier: Apache-2.0 */
/* conn_internal.h - between conn.c and reactor.c only. */
#ifndef EK_IO_CONN_INTERNAL_H
#define EK_IO_CONN_INTERNAL_H

#include "io/conn.h"

/* Goes on with whatever the connection has to do; called by the turn for each connection in `ready`. */
void conn_serve(struct conn *c);

/* Sends what handlers have given since the last time, then tells them what became of it. */
void conn_send_all(struct reactor *r);

#endif
