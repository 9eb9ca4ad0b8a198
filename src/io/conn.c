/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - from edges and wishes to events. A connection goes on the ready list when an edge and a
 * wish meet; the turn takes it off and conn_serve() delivers. Both back ends share all of this. */
#include "io/conn.h"

#include "io/backend.h"
#include "io/conn_internal.h"
#include "io/filter.h"

#include <errno.h>

static void make_ready(struct conn *c)
{
    if (!link_linked(&c->ready_link))
        list_append(&c->reactor->ready, &c->ready_link);
}

static void begin(struct conn *c, struct reactor *r, const struct conn_handler *h)
{
    *c = (struct conn){
        .reactor = r, .handler = h, .filter = &filter_plain, .fd = -1, .open = true
    };
    r->connections++;
}

/* A failure that came while a handler was running: the turn will tell. */
static void fail_later(struct conn *c, int error)
{
    if (!c->error)
        c->error = error;
    make_ready(c);
}

void conn_open(struct conn *c, struct reactor *r, const struct conn_handler *h,
               const struct accepted *a)
{
    begin(c, r, h);
    c->peer = a->peer;
    c->writable = true;
    int failed = r->backend->open(c, a);
    if (failed)
        fail_later(c, -failed);
}

void conn_connect(struct conn *c, struct reactor *r, const struct conn_handler *h,
                  const struct address *to)
{
    begin(c, r, h);
    c->connecting = c->outgoing = true;
    int failed = r->backend->connect(c, to);
    if (failed)
        fail_later(c, -failed);
}

void conn_set_filter(struct conn *c, const struct filter *f, void *state)
{
    check(c->open && !c->sending && !c->closing);
    c->filter = f;
    c->filter_state = state;
    c->shaking = f->handshake != NULL;
    if (c->shaking && !c->connecting)
        make_ready(c);
}

void conn_fail(struct conn *c, int error)
{
    if (c->open && !c->closing)
        fail_later(c, error);
}

void conn_receive(struct conn *c)
{
    check(c->open && !c->closing);
    c->wants_receive = true;
    if (c->readable || c->filter->pending(c) > 0)
        make_ready(c);
}

void conn_resume(struct conn *c)
{
    check(c->open && !c->closing);
    c->resuming = true;
    make_ready(c);
}

void conn_send(struct conn *c, const struct iovec *pieces, size_t count)
{
    check(c->open && !c->closing && !c->sending && !c->connecting);
    check(count > 0 && count <= CONN_IOV_MAX);
    memcpy(c->out_iov, pieces, count * sizeof(pieces[0]));
    c->out_count = (uint8_t)count;
    c->sending = true;
    c->begun = false;
    list_append(&c->reactor->sends, &c->send_link);
}

bool conn_send_begun(const struct conn *c)
{
    return c->sending && c->begun;
}

void conn_shutdown(struct conn *c)
{
    check(c->open && !c->closing && !c->sending);
    if (c->filter->shutdown)
        c->filter->shutdown(c);
    c->reactor->backend->shutdown(c);
}

void conn_close(struct conn *c)
{
    check(c->open);
    if (c->closing)
        return;
    c->closing = true;
    c->filter->close(c);
    c->reactor->backend->close(c);
    if (link_linked(&c->send_link))
        list_remove(c->tried ? &c->reactor->tried : &c->reactor->sends, &c->send_link);
    if (link_linked(&c->ready_link))
        list_remove(c->due ? conn_due_list(c) : &c->reactor->ready, &c->ready_link);
    list_append(&c->reactor->closed, &c->ready_link);
}

void conn_abort(struct conn *c)
{
    if (!c->closing) {
        c->aborted = true;
        c->reactor->backend->abort(c);
    }
    conn_close(c);
}

/* The kernel has refused a part of what is to be sent. */
static bool waits_for_room(const struct conn *c)
{
    return c->sending && !link_linked(&c->send_link);
}

void conn_edge(struct conn *c, unsigned edges)
{
    if (c->closing)
        return;
    if (edges & EDGE_READABLE)
        c->readable = true;
    if (edges & EDGE_WRITABLE)
        c->writable = true;
    if (edges & EDGE_HANGUP) {
        c->hangup = true;
        c->readable = true; /* there is an end, or an error, to be received */
    }
    bool news = c->shaking ? true
                : c->connecting
                    ? c->writable || c->hangup
                    : (c->readable && c->wants_receive) || (c->writable && waits_for_room(c)) ||
                          (c->hangup && !c->hangup_told && !c->wants_receive);
    if (news)
        make_ready(c);
}

static void serve_connecting(struct conn *c)
{
    int failed = c->reactor->backend->connect_result(c);

    if (failed) {
        c->handler->failed(c, -failed);
        return;
    }
    c->connecting = false;
    c->writable = true;
    if (c->shaking)
        make_ready(c);
    else
        c->handler->connected(c);
}

/* Bounded per turn, for a handshake costs as much as many requests: the rest waits for the next turn, and
 * requests on connections that stand go on in between. */
static void serve_handshake(struct conn *c)
{
    const struct filter *before = c->filter;

    if (c->reactor->handshakes_left == 0) {
        make_ready(c);
        return;
    }
    c->reactor->handshakes_left--;
    int result = c->filter->handshake(c);
    if (result == -EAGAIN)
        return;
    if (result < 0) {
        c->handler->failed(c, -result);
        return;
    }
    if (c->filter != before && c->shaking) {
        make_ready(c); /* one behind the other: PROXY protocol, then TLS */
        return;
    }
    c->shaking = false;
    if (c->outgoing)
        c->handler->connected(c);
    else if (c->handler->opened)
        c->handler->opened(c);
}

/* Keeps what was not taken; the bytes stay with their owner. */
static void keep_rest(struct conn *c, size_t taken)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->out_count; i++) {
        struct iovec *piece = &c->out_iov[i];
        if (taken >= piece->iov_len) {
            taken -= piece->iov_len;
            continue;
        }
        c->out_iov[kept++] =
            (struct iovec){ (char *)piece->iov_base + taken, piece->iov_len - taken };
        taken = 0;
    }
    c->out_count = (uint8_t)kept;
}

/* True: all of it is with the kernel now, and its owner was told. */
static bool took(struct conn *c, size_t taken)
{
    c->begun |= taken > 0;
    keep_rest(c, taken);
    if (c->out_count > 0) {
        c->writable = false;
        return false;
    }
    c->sending = false;
    c->handler->sent(c);
    return true;
}

static void serve_sending(struct conn *c)
{
    ssize_t taken = c->filter->send(c, c->out_iov, c->out_count);

    if (taken < 0)
        c->handler->failed(c, (int)-taken);
    else
        took(c, (size_t)taken);
}

static void tell_sent(struct conn *c, ssize_t taken)
{
    if (taken < 0)
        fail_later(c, (int)-taken);
    else if (!took(c, (size_t)taken) && c->handler->stalled)
        c->handler->stalled(c);
}

void conn_send_all(struct reactor *r)
{
    while (!list_empty(&r->sends)) {
        struct conn *c = container_of(list_pop(&r->sends), struct conn, send_link);
        c->taken = c->error ? -c->error : c->filter->send(c, c->out_iov, c->out_count);
        c->tried = true;
        list_append(&r->tried, &c->send_link);
    }
    while (!list_empty(&r->tried)) {
        struct conn *c = container_of(list_pop(&r->tried), struct conn, send_link);
        c->tried = false;
        tell_sent(c, c->taken);
    }
}

ssize_t conn_socket_receive(struct conn *c, void *buf, size_t n)
{
    ssize_t got = c->reactor->backend->receive(c, buf, n);

    /* the end of the stream has no edge of its own once it was told: keep looking for it */
    if (got == -EAGAIN || (got > 0 && (size_t)got < n && !c->hangup))
        c->readable = false;
    return got;
}

ssize_t conn_socket_send(struct conn *c, const struct iovec *pieces, int count)
{
    return c->reactor->backend->send(c, pieces, count);
}

static bool can_receive(const struct conn *c)
{
    return c->wants_receive && !c->shaking &&
           (c->received || c->readable || c->filter->pending(c) > 0);
}

/* Into its owner's memory, who is told of it later. */
static void receive(struct conn *c)
{
    struct lent lent = c->handler->lend(c);

    if (lent.n == 0) {
        c->wants_receive = false;
        return;
    }
    c->got = c->filter->receive(c, lent.p, lent.n);
    c->received = true;
    if (c->got == -EAGAIN)
        c->readable = false;
}

static void tell_received(struct conn *c)
{
    c->received = false;
    if (c->got == -EAGAIN) {
        c->handler->received(c, 0);
        return;
    }
    c->wants_receive = false;
    if (c->got < 0) {
        c->handler->failed(c, (int)-c->got);
    } else if (c->got == 0) {
        c->hangup = c->hangup_told = true;
        c->handler->ended(c);
    } else {
        c->handler->received(c, (size_t)c->got);
    }
}

static void serve_receive(struct conn *c)
{
    if (!c->received)
        receive(c);
    if (c->received)
        tell_received(c);
}

void conn_take(struct conn *c)
{
    c->due = true;
    list_append(conn_due_list(c), &c->ready_link);
    if (!c->connecting && !c->resuming && !c->received && can_receive(c))
        receive(c);
}

/* One event at a time; when more is due the connection lists itself again, behind the others. */
void conn_serve(struct conn *c)
{
    c->due = false;
    if (c->connecting) {
        if (c->error)
            c->handler->failed(c, c->error);
        else if (c->writable || c->hangup)
            serve_connecting(c);
        return;
    }
    if (c->shaking && c->error) {
        c->handler->failed(c, c->error);
        return;
    }
    if (c->shaking) {
        serve_handshake(c);
        if (c->closing || c->shaking)
            return;
    } else if (c->resuming) {
        c->resuming = false;
        c->handler->resumed(c);
    } else if (can_receive(c)) {
        serve_receive(c); /* before a failed send is told: an early answer may be waiting */
    } else if (c->error) {
        c->handler->failed(c, c->error);
        return;
    } else if (c->writable && waits_for_room(c)) {
        serve_sending(c);
    } else if (c->hangup && !c->hangup_told && !c->wants_receive) {
        c->hangup_told = true;
        c->handler->hung_up(c);
    }
    if (c->closing)
        return;
    if (c->error || c->resuming || (c->writable && waits_for_room(c)) || can_receive(c) ||
        (c->hangup && !c->hangup_told && !c->wants_receive))
        make_ready(c);
}
