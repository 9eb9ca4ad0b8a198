/* SPDX-License-Identifier: Apache-2.0 */
/* io_epoll.c - the kernel as a back end: edge-triggered epoll (epoll(7)), each descriptor registered
 * once with everything we ever want to know, so that steady state has no epoll_ctl.
 * A wake-up from another thread is an eventfd, rung only while the reactor sleeps. What ends a wait in time is a timer
 * that stands (timerfd_create(2)): a deadline of epoll_wait's own would be set and taken back at every wait, some 3 % of
 * a small exchange where the clock is a hypervisor's, and almost all waits end with bytes. */
#include "io/backend.h"

#include "base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

/* The four calls of an exchange, past the C library: its own are cancellation points (pthreads(7)), which in a process with
 * threads costs two locked instructions each, a hundredth of a small exchange in all. Nobody is cancelled here. */
static ssize_t call_receive(int fd, void *buf, size_t n)
{
    return syscall(SYS_recvfrom, fd, buf, n, 0, NULL, NULL);
}

static ssize_t call_send(int fd, const void *buf, size_t n)
{
    return syscall(SYS_sendto, fd, buf, n, MSG_NOSIGNAL, NULL, 0);
}

static ssize_t call_send_pieces(int fd, const struct msghdr *m)
{
    return syscall(SYS_sendmsg, fd, m, MSG_NOSIGNAL);
}

static int call_wait(int epoll, struct epoll_event *events, int most, bool wait)
{
    return (int)syscall(SYS_epoll_pwait, epoll, events, most, wait ? -1 : 0, NULL, 0);
}

struct epoll_state {
    int epoll;
    int wake;
    int timer;
    ns_t rings; /* when the timer does; NS_NEVER: it does not */
    struct epoll_event events[REACTOR_EVENTS_MAX];
};

/* What an event's pointer means is in its low bits: the structures are aligned. */
enum tag { TAG_CONN = 0, TAG_PORT = 1, TAG_WAKE = 2, TAG_TIMER = 3, TAG_MASK = 3 };

static struct epoll_state *state_of(const struct reactor *r)
{
    return r->backend_state;
}

static int watch(const struct reactor *r, int fd, const void *what, enum tag tag, uint32_t events)
{
    struct epoll_event e = { .events = events | EPOLLET, .data.u64 = (uintptr_t)what | tag };

    return epoll_ctl(state_of(r)->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

static ns_t epoll_clock(const struct reactor *r)
{
    (void)r;
    return clock_monotonic();
}

static void deliver(struct epoll_state *s, const struct epoll_event *e)
{
    void *what = (void *)(uintptr_t)(e->data.u64 & ~(uint64_t)TAG_MASK);
    unsigned edges = 0;

    switch ((enum tag)(e->data.u64 & TAG_MASK)) {
    case TAG_CONN:
        if (e->events & EPOLLIN)
            edges |= EDGE_READABLE;
        if (e->events & EPOLLOUT)
            edges |= EDGE_WRITABLE;
        if (e->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            edges |= EDGE_HANGUP;
        conn_edge(what, edges);
        break;
    case TAG_PORT: port_edge(what); break;
    case TAG_WAKE: {
        uint64_t count;
        ssize_t n = read(s->wake, &count, sizeof(count));
        (void)n; /* waking was all it was for */
        break;
    }
    case TAG_TIMER: s->rings = NS_NEVER; break; /* setting it anew will do for reading it */
    }
}

/* Left as it is when it rings before that: deadlines mostly move away, and one wait in vain costs less than setting it
 * for each of them. */
static void ring_at(struct epoll_state *s, ns_t until)
{
    struct itimerspec at = { .it_value = { .tv_sec = until / NS_PER_S,
                                           .tv_nsec = until % NS_PER_S } };

    if (until >= s->rings)
        return;
    int failed = timerfd_settime(s->timer, TFD_TIMER_ABSTIME, &at, NULL);
    check(failed == 0);
    s->rings = until;
}

static void epoll_poll(struct reactor *r, ns_t until)
{
    struct epoll_state *s = state_of(r);
    bool wait = until > r->now;

    if (wait)
        ring_at(s, until);
    int n = call_wait(s->epoll, s->events, REACTOR_EVENTS_MAX, wait);

    check(n >= 0 || errno == EINTR);
    for (int i = 0; i < n; i++)
        deliver(s, &s->events[i]);
}

static void epoll_wake(struct reactor *r)
{
    uint64_t one = 1;
    ssize_t n = write(state_of(r)->wake, &one, sizeof(one));

    (void)n; /* a full counter wakes it as well */
}

static void epoll_free(struct reactor *r)
{
    struct epoll_state *s = state_of(r);

    close(s->timer);
    close(s->wake);
    close(s->epoll);
    free(s);
    r->backend_state = NULL;
}

static const uint32_t conn_events = EPOLLIN | EPOLLOUT | EPOLLRDHUP;

static void no_delay(int fd)
{
    int on = 1;

    /* fails on a unix socket, which has no delay to turn off */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static int epoll_open_conn(struct conn *c, const struct accepted *a)
{
    c->fd = a->fd;
    if (a->peer.storage.ss_family != AF_UNIX)
        no_delay(c->fd);
    return watch(c->reactor, c->fd, c, TAG_CONN, conn_events);
}

static int epoll_connect(struct conn *c, const struct address *to)
{
    c->fd = socket(to->storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        return -errno;
    if (to->storage.ss_family != AF_UNIX)
        no_delay(c->fd);
    if (connect(c->fd, (const struct sockaddr *)&to->storage, to->length) && errno != EINPROGRESS)
        return -errno;
    return watch(c->reactor, c->fd, c, TAG_CONN, conn_events);
}

static int epoll_connect_result(struct conn *c)
{
    int error = 0;
    socklen_t n = sizeof(error);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n))
        return -errno;
    return -error;
}

static ssize_t epoll_receive(struct conn *c, void *buf, size_t n)
{
    ssize_t got;

    do
        got = call_receive(c->fd, buf, n);
    while (got < 0 && errno == EINTR);
    return got < 0 ? -errno : got;
}

static ssize_t epoll_send(struct conn *c, const struct iovec *pieces, int count)
{
    ssize_t done;

    do {
        if (count == 1) {
            done = call_send(c->fd, pieces[0].iov_base, pieces[0].iov_len);
        } else {
            struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)pieces,
                                .msg_iovlen = (size_t)count };
            done = call_send_pieces(c->fd, &m);
        }
    } while (done < 0 && errno == EINTR);
    if (done < 0)
        return errno == EAGAIN ? 0 : -errno;
    return done;
}

static void epoll_shutdown(struct conn *c)
{
    shutdown(c->fd, SHUT_WR); /* a peer that is gone already is told by an edge */
}

static void epoll_abort(struct conn *c)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void epoll_close(struct conn *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static int epoll_port_open(struct port *p)
{
    if (listen(p->fd, LISTEN_BACKLOG))
        return -errno;
    return watch(p->reactor, p->fd, p, TAG_PORT, EPOLLIN);
}

static int epoll_port_accept(struct port *p, struct accepted *ret_accepted)
{
    struct accepted a = { .peer.length = sizeof(a.peer.storage) };

    a.fd = accept4(p->fd, (struct sockaddr *)&a.peer.storage, &a.peer.length,
                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (a.fd < 0)
        return -errno;
    *ret_accepted = a;
    return 0;
}

static void epoll_port_close(struct port *p)
{
    /* a socket that is shared lives on elsewhere, and would go on telling of its clients */
    epoll_ctl(state_of(p->reactor)->epoll, EPOLL_CTL_DEL, p->fd, NULL);
    close(p->fd);
}

static void epoll_refuse(struct reactor *r, struct accepted *a)
{
    (void)r;
    close(a->fd);
}

static const struct io_backend io_epoll = {
    .name = "epoll",
    .clock = epoll_clock,
    .poll = epoll_poll,
    .wake = epoll_wake,
    .free = epoll_free,
    .open = epoll_open_conn,
    .connect = epoll_connect,
    .connect_result = epoll_connect_result,
    .receive = epoll_receive,
    .send = epoll_send,
    .shutdown = epoll_shutdown,
    .abort = epoll_abort,
    .close = epoll_close,
    .port_open = epoll_port_open,
    .port_accept = epoll_port_accept,
    .port_close = epoll_port_close,
    .refuse = epoll_refuse,
};

err io_epoll_open(struct reactor *r, unsigned index, uint64_t seed)
{
    struct epoll_state *s = calloc(1, sizeof(*s));

    check(s != NULL);
    reactor_init(r, index, &io_epoll, seed);
    r->backend_state = s;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    s->rings = NS_NEVER;
    if (s->epoll < 0 || s->wake < 0 || s->timer < 0) {
        err e = err_system(errno, "cannot make an event loop");
        epoll_free(r);
        return e;
    }
    int failed = watch(r, s->wake, NULL, TAG_WAKE, EPOLLIN);
    check(failed == 0);
    failed = watch(r, s->timer, NULL, TAG_TIMER, EPOLLIN);
    check(failed == 0);
    r->now = r->polled = clock_monotonic();
    timers_init(&r->timers, r->now);
    return OK;
}
