/* SPDX-License-Identifier: Apache-2.0 */
/* filter_plain.c - bytes as they are. */
#include "io/filter.h"

#include "io/backend.h"

static ssize_t plain_receive(struct conn *c, void *buf, size_t n)
{
    return c->reactor->backend->receive(c, buf, n);
}

static ssize_t plain_send(struct conn *c, const struct iovec *pieces, int count)
{
    return c->reactor->backend->send(c, pieces, count);
}

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
    .receive = plain_receive,
    .send = plain_send,
    .pending = plain_pending,
    .close = plain_close,
};
