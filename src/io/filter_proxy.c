/* SPDX-License-Identifier: Apache-2.0 */
/* filter_proxy.c - the PROXY protocol before a connection: read byte-exact, so that nothing behind it is
 * taken from whom it belongs to; then the filter leaves its place to TLS, or to none. */
#include "io/filter.h"
#include "io/tls.h"

#include "io/proxy_protocol.h"

#include <errno.h>
#include <stdlib.h>

struct proxy_state {
    struct conn *conn;
    const struct port *port;
    ns_t deadline;
    struct timer timer;
    size_t have;
    size_t need;
    char bytes[PROXY_V2_MAX];
};

static const struct filter filter_proxy;

static void free_state(struct conn *c)
{
    struct proxy_state *s = c->filter_state;

    timer_drop(&c->reactor->timers, &s->timer);
    free(s);
    c->filter_state = NULL;
}

static void on_deadline(struct timer *t)
{
    conn_fail(container_of(t, struct proxy_state, timer)->conn, ETIMEDOUT);
}

/* From here on the connection is the client's, whom the balancer named. */
static void leave(struct conn *c, const struct proxy_header *h)
{
    struct proxy_state *s = c->filter_state;
    const struct port *port = s->port;
    ns_t deadline = s->deadline;

    if (h->family != PROXY_LOCAL)
        address_from_bytes(h->source, h->family == PROXY_IPV4 ? 4 : 16, h->source_port, &c->peer);
    free_state(c);
    conn_set_filter(c, &filter_plain, NULL);
    if (port->tls)
        tls_dress_incoming(c, port->tls, deadline);
}

static int proxy_handshake(struct conn *c)
{
    struct proxy_state *s = c->filter_state;
    struct proxy_header h;

    for (;;) {
        switch (proxy_read(span_of(s->bytes, s->have), &s->need, &h)) {
        case PROXY_MALFORMED: return -EPROTO;
        case PROXY_COMPLETE: leave(c, &h); return 0;
        case PROXY_MORE: break;
        }
        ssize_t n = conn_socket_receive(c, s->bytes + s->have, s->need - s->have);
        if (n == 0)
            return -ECONNRESET;
        if (n < 0)
            return (int)n;
        s->have += (size_t)n;
    }
}

static ssize_t proxy_receive(struct conn *c, void *buf, size_t n)
{
    (void)c;
    (void)buf;
    (void)n;
    never("nothing is received before the handshake is done");
}

static ssize_t proxy_send(struct conn *c, const struct iovec *pieces, int count)
{
    (void)c;
    (void)pieces;
    (void)count;
    never("nothing is sent before the handshake is done");
}

static size_t proxy_pending(const struct conn *c)
{
    (void)c;
    return 0;
}

static const struct filter filter_proxy = {
    .name = "proxy",
    .handshake = proxy_handshake,
    .receive = proxy_receive,
    .send = proxy_send,
    .pending = proxy_pending,
    .close = free_state,
};

void proxy_dress(const struct port *p, struct conn *c, ns_t deadline)
{
    struct proxy_state *s = calloc(1, sizeof(*s));

    check(s != NULL);
    *s = (struct proxy_state){
        .conn = c, .port = p, .deadline = deadline, .timer.fire = on_deadline
    };
    conn_set_filter(c, &filter_proxy, s);
    timer_set(&c->reactor->timers, &s->timer, deadline);
}
