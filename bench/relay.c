/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c - the yardstick: a byte-blind TCP relay in one thread, as lean as honest C can be.
 * usage: relay LISTEN-PORT TARGET-PORT   (both on 127.0.0.1)
 * One connection to the target for each client. Edge-triggered epoll, each socket registered once. A
 * readable socket is read until a receive comes back short (a short receive means drained) and what was
 * read is sent at once; what a full socket refuses is kept, and that direction is read no further until it
 * has gone. Half-closes are passed on. No clock, no log, no allocation in steady state.
 * Next: test/gates/relay_bytes.py, which shows that nothing is lost. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 * 1024, EVENTS = 256 };

/* One socket of a pair. `kept` is what this socket refused: bytes that came from the peer. */
struct side {
    int fd;
    struct side *peer;
    struct pair *pair;
    char *kept;
    size_t kept_n;
    size_t kept_at;
    bool connected;
    bool readable;
    bool ending; /* its end, or an error, was announced: it lies behind the last bytes */
    bool ended;  /* it sends no more, and all of it was received */
    bool shut;   /* we send it no more */
};

struct pair {
    struct side client;
    struct side target;
    bool closed;
    struct pair *next; /* of the free list, or of those to be freed after this turn */
};

static int epoll;
static struct pair *free_pairs;
static struct pair *closed_pairs;
static struct sockaddr_in target_address;
static char buffer[BUFFER];

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void watch(int fd, void *what)
{
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                             .data.ptr = what };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
        fail("epoll_ctl");
}

static void close_pair(struct pair *p)
{
    if (p->closed)
        return;
    p->closed = true;
    close(p->client.fd);
    close(p->target.fd);
    p->next = closed_pairs; /* other events of this turn may still point to it */
    closed_pairs = p;
}

/* Gives the kernel what is there; false when the socket is full, and the rest is kept. */
static bool send_or_keep(struct side *to, const char *bytes, size_t n)
{
    ssize_t done = to->connected ? send(to->fd, bytes, n, MSG_NOSIGNAL) : 0;

    if (done < 0 && errno != EAGAIN) {
        close_pair(to->pair);
        return false;
    }
    if (done < 0)
        done = 0;
    if ((size_t)done == n)
        return true;
    if (!to->kept && !(to->kept = malloc(BUFFER)))
        fail("malloc");
    to->kept_at = 0;
    to->kept_n = n - (size_t)done;
    memcpy(to->kept, bytes + done, to->kept_n);
    return false;
}

static void pass_end_on(struct side *from)
{
    struct side *to = from->peer;

    if (!from->ended || to->kept_n || to->shut || !to->connected)
        return;
    shutdown(to->fd, SHUT_WR);
    to->shut = true;
    if (from->shut && to->ended)
        close_pair(from->pair);
}

static void relay_from(struct side *from)
{
    struct side *to = from->peer;

    while (from->readable && !from->ended && to->kept_n == 0 && !from->pair->closed) {
        ssize_t n = recv(from->fd, buffer, sizeof(buffer), 0);
        if (n < 0 && errno == EAGAIN) {
            from->readable = false;
        } else if (n < 0) {
            close_pair(from->pair);
        } else if (n == 0) {
            from->ended = true;
            pass_end_on(from);
        } else {
            /* an end has no edge of its own once it was announced: go on until it is received */
            if ((size_t)n < sizeof(buffer) && !from->ending)
                from->readable = false;
            send_or_keep(to, buffer, (size_t)n);
        }
    }
}

/* There is room again: first what was kept, then what waits behind it. */
static void writable(struct side *s)
{
    s->connected = true;
    if (s->kept_n) {
        ssize_t done = send(s->fd, s->kept + s->kept_at, s->kept_n, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN) {
            close_pair(s->pair);
            return;
        }
        if (done > 0) {
            s->kept_at += (size_t)done;
            s->kept_n -= (size_t)done;
        }
        if (s->kept_n)
            return;
    }
    relay_from(s->peer);
    if (!s->pair->closed)
        pass_end_on(s->peer);
}

static void serve(struct side *s, uint32_t events)
{
    if (s->pair->closed)
        return;
    if (events & EPOLLERR && s->ended) { /* reset after its end: no receive will ever tell */
        close_pair(s->pair);
        return;
    }
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        s->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        s->ending = true;
    if (events & EPOLLOUT && (!s->connected || s->kept_n))
        writable(s);
    relay_from(s);
}

static void no_delay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static struct pair *new_pair(void)
{
    struct pair *p = free_pairs;

    if (p)
        free_pairs = p->next;
    else if (!(p = calloc(1, sizeof(*p))))
        fail("calloc");
    char *kept[2] = { p->client.kept, p->target.kept };
    *p = (struct pair){ .client = { .peer = &p->target, .pair = p, .kept = kept[0] },
                        .target = { .peer = &p->client, .pair = p, .kept = kept[1] } };
    return p;
}

/* A target that cannot be reached costs this client its connection, and nothing else. */
static void open_pair(int client)
{
    int target = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (target < 0)
        fail("socket");
    if (connect(target, (struct sockaddr *)&target_address, sizeof(target_address)) &&
        errno != EINPROGRESS) {
        close(target);
        close(client);
        return;
    }
    struct pair *p = new_pair();
    p->client.fd = client;
    p->client.connected = true;
    p->target.fd = target;
    no_delay(client);
    no_delay(target);
    watch(client, &p->client);
    watch(target, &p->target);
}

static void accept_all(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd >= 0)
            open_pair(fd);
        else if (errno == EAGAIN)
            return;
        else if (errno != ECONNABORTED && errno != EINTR)
            fail("accept"); /* out of descriptors: a measurement with fewer clients would lie */
    }
}

static int listen_on(int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4096))
        fail("listen");
    return fd;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];

    if (argc != 3) {
        fprintf(stderr, "usage: relay LISTEN-PORT TARGET-PORT\n");
        return 2;
    }
    target_address = (struct sockaddr_in){ .sin_family = AF_INET,
                                           .sin_port = htons((uint16_t)atoi(argv[2])),
                                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    epoll = epoll_create1(0);
    int listener = listen_on(atoi(argv[1]));
    watch(listener, NULL);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr, events[i].events);
            else
                accept_all(listener);
        }
        while (closed_pairs) {
            struct pair *p = closed_pairs;
            closed_pairs = p->next;
            p->next = free_pairs;
            free_pairs = p;
        }
    }
}
