/* SPDX-License-Identifier: Apache-2.0 */
/* reactor.c - the turn. What happens to one connection is in conn.c. */
#include "io/reactor.h"

#include "io/backend.h"
#include "io/conn_internal.h"

void reactor_init(struct reactor *r, unsigned index, const struct io_backend *backend,
                  uint64_t seed)
{
    *r = (struct reactor){
        .index = index, .backend = backend, .rng = { seed }, .active_since = NS_NEVER
    };
    list_init(&r->ready);
    for (size_t i = 0; i < DUE_COUNT; i++)
        list_init(&r->due[i]);
    list_init(&r->sends);
    list_init(&r->tried);
    list_init(&r->closed);
    list_init(&r->ports);
}

void reactor_set_owner(struct reactor *r, struct reactor_owner owner)
{
    check(owner.top && owner.has_mail);
    r->owner = owner;
}

ns_t reactor_clock(struct reactor *r)
{
    return r->clocked = r->backend->clock(r);
}

/* Nothing of what it does may be seen elsewhere before this is. */
static void set_active(struct reactor *r, ns_t since)
{
    atomic_store_explicit(&r->active_since, since, memory_order_release);
}

ns_t reactor_active_since(const struct reactor *r)
{
    return atomic_load_explicit(&r->active_since, memory_order_acquire);
}

/* How long the poll may wait: not at all while something is known to be ready, or a timer has closed somebody whose
 * memory is still to be given back. */
static ns_t wait_until(struct reactor *r, ns_t until)
{
    if (!list_empty(&r->ready) || !list_empty(&r->sends) || !list_empty(&r->ports) ||
        !list_empty(&r->closed))
        return 0;
    ns_t next = timers_next(&r->timers);
    return next < until ? next : until;
}

static void poll_events(struct reactor *r, ns_t until)
{
    until = wait_until(r, until);
    /* Sequentially consistent, as reactor_wake(): either the sender sees us asleep and rings, or we
     * see its mail here. */
    if (until > r->now) {
        set_active(r, NS_NEVER);
        atomic_store(&r->asleep, true);
        if (r->owner.has_mail(r->owner.owner) || atomic_load(&r->stop))
            until = 0;
    }
    r->backend->poll(r, until);
    atomic_store_explicit(&r->asleep, false, memory_order_relaxed);
    r->now = r->polled = r->backend->clock(r);
    set_active(r, r->now);
}

/* Who is still to send holds his buffer: that many fewer receive. One does in any case: what was sent may have made others send. */
static size_t receivers_most(const struct reactor *r)
{
    return r->sends.count < REACTOR_TOGETHER_MAX ? REACTOR_TOGETHER_MAX - r->sends.count : 1;
}

/* First all of them receive, then all are told, then all send: each step finds its code, and the kernel's, in the cache. */
static int serve_some(struct reactor *r)
{
    int n = 0;

    if (r->sends.count >= REACTOR_TOGETHER_MAX)
        conn_send_all(r);
    for (size_t left = receivers_most(r); left > 0 && !list_empty(&r->ready); left--, n++)
        conn_take(container_of(list_pop(&r->ready), struct conn, ready_link));
    for (size_t i = 0; i < DUE_COUNT; i++) {
        while (!list_empty(&r->due[i]))
            conn_serve(container_of(list_pop(&r->due[i]), struct conn, ready_link));
    }
    return n;
}

static void serve_ready(struct reactor *r)
{
    /* only those that are listed now: a port with a long queue lists itself again */
    for (size_t ports = r->ports.count; ports > 0; ports--)
        port_accept_some(container_of(list_pop(&r->ports), struct port, ready_link));
    for (int i = 0; i < REACTOR_READY_MAX && !list_empty(&r->ready);)
        i += serve_some(r);
    conn_send_all(r);
}

static void release_closed(struct reactor *r)
{
    while (!list_empty(&r->closed)) {
        struct conn *c = container_of(list_pop(&r->closed), struct conn, ready_link);
        r->connections--;
        c->handler->released(c);
    }
}

void reactor_turn(struct reactor *r, ns_t until)
{
    r->turns++;
    set_active(r, r->now);
    r->handshakes_left = REACTOR_HANDSHAKES_MAX;
    r->owner.top(r->owner.owner);
    timers_run(&r->timers, r->now);
    poll_events(r, until);
    serve_ready(r);
    r->busy = r->clocked > r->polled ? r->clocked - r->polled : 0;
    if (r->owner.bottom)
        r->owner.bottom(r->owner.owner);
    release_closed(r);
    set_active(r, NS_NEVER);
}

void reactor_run(struct reactor *r)
{
    while (!atomic_load_explicit(&r->stop, memory_order_acquire))
        reactor_turn(r, NS_NEVER);
}

void reactor_stop(struct reactor *r)
{
    atomic_store(&r->stop, true);
    reactor_wake(r);
}

void reactor_wake(struct reactor *r)
{
    if (atomic_load(&r->asleep))
        r->backend->wake(r);
}

void reactor_free(struct reactor *r)
{
    release_closed(r);
    check(r->connections == 0);
    r->backend->free(r);
}
