/* SPDX-License-Identifier: Apache-2.0 */
/* filter_plain.c - bytes as they are. */
#include "io/filter.h"

static size_t plain_pending(const struct conn *c)
{
    (void)c;
    return 0;
}

static void plain_close(struct conn *c)
{
    (void)c;
}

const struct filter filter_plain = {
    .name = "plain",
    .receive = conn_socket_receive,
    .send = conn_socket_send,
    .pending = plain_pending,
    .close = plain_close,
};
