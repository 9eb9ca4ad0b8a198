/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - what stands behind the proxies in a benchmark: a lean HTTP/1.1 keep-alive server.
 * usage: origin [--awake] PORT [THREADS]   (on 127.0.0.1)
 * The answers are a table. A request is what ends with an empty line, followed by Content-Length bytes of
 * body, which are dropped; it is answered when all of it has come, in order. Each thread has its own
 * listener on the port and shares nothing. --awake: it looks for requests over and over and never sleeps; in between it gives
 * the core away. It trusts its peers: it is a tool, not a server. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN = 16 * 1024, EVENTS = 256, THREADS_MAX = 64, HEAD_MAX = 128 };

/* The first row whose start fits; the small one is 78 bytes in all. */
static struct answer {
    const char *start;
    size_t body;
    char *bytes;
    size_t n;
} answers[] = {
    { .start = "GET /64k ", .body = 64 * 1024 },
    { .start = "", .body = 13 },
};

struct peer {
    int fd;
    bool readable;
    bool ending;               /* its end was announced: a short receive is not the last one */
    const struct answer *owed; /* to the request whose body is still coming */
    size_t body;               /* bytes of that body still to come */
    const char *out;
    size_t out_n; /* still to be sent */
    size_t n;     /* bytes received and not yet looked at */
    char in[IN];
};

static int port;
static bool shared_port;
static bool awake;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void drop(struct peer *p)
{
    close(p->fd);
    free(p);
}

static void consume(struct peer *p, size_t n)
{
    memmove(p->in, p->in + n, p->n - n);
    p->n -= n;
}

static bool take_head(struct peer *p)
{
    char *end = memmem(p->in, p->n, "\r\n\r\n", 4);

    if (!end)
        return false;
    *end = '\0';
    const char *length = strcasestr(p->in, "\r\ncontent-length:");
    p->body = length ? strtoul(length + 17, NULL, 10) : 0;
    p->owed = answers;
    while (strncmp(p->in, p->owed->start, strlen(p->owed->start)) != 0)
        p->owed++;
    consume(p, (size_t)(end - p->in) + 4);
    return true;
}

/* True when a whole request was taken off the front, and its answer is to be sent. */
static bool take_request(struct peer *p)
{
    if (!p->owed && !take_head(p))
        return false;
    size_t dropped = p->body < p->n ? p->body : p->n;
    consume(p, dropped);
    p->body -= dropped;
    if (p->body > 0)
        return false;
    p->out = p->owed->bytes;
    p->out_n = p->owed->n;
    p->owed = NULL;
    return true;
}

/* False when the connection is of no more use. */
static bool flush(struct peer *p)
{
    while (p->out_n > 0) {
        ssize_t n = send(p->fd, p->out, p->out_n, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN;
        p->out += n;
        p->out_n -= (size_t)n;
    }
    return true;
}

/* False at the end, on an error, and when a head does not fit. */
static bool receive(struct peer *p)
{
    size_t room = IN - p->n;
    ssize_t n = recv(p->fd, p->in + p->n, room, 0);

    if (n < 0 && errno == EAGAIN) {
        p->readable = false;
        return true;
    }
    if (n <= 0)
        return false;
    p->n += (size_t)n;
    p->readable = (size_t)n == room || p->ending;
    return true;
}

static void serve(struct peer *p, uint32_t events)
{
    if (events & ~(uint32_t)EPOLLOUT)
        p->readable = true;
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        p->ending = true;
    for (;;) {
        if (!flush(p)) {
            drop(p);
            return;
        }
        if (p->out_n > 0)
            return; /* the socket is full: an edge will come */
        if (take_request(p))
            continue;
        if (!p->readable)
            return;
        if (!receive(p)) {
            drop(p);
            return;
        }
    }
}

static int listen_here(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        (shared_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on))) ||
        bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4096))
        fail("listen");
    return fd;
}

static void watch(int epoll, int fd, uint32_t events, void *what)
{
    struct epoll_event e = { .events = events | EPOLLET, .data.ptr = what };

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
        fail("epoll_ctl");
}

static void accept_all(int epoll, int listener)
{
    int on = 1;

    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
        if (fd < 0 && errno == EAGAIN)
            return;
        if (fd < 0 && errno != ECONNABORTED && errno != EINTR)
            fail("accept");
        if (fd < 0)
            continue;
        struct peer *p = calloc(1, sizeof(*p));
        if (!p)
            fail("calloc");
        p->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP, p);
    }
}

static void *serve_all(void *listener_fd)
{
    struct epoll_event events[EVENTS];
    int listener = *(int *)listener_fd;
    int epoll = epoll_create1(0);

    watch(epoll, listener, EPOLLIN, NULL);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, awake ? 0 : -1);
        if (n == 0)
            sched_yield();
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr, events[i].events);
            else
                accept_all(epoll, listener);
        }
    }
    return NULL;
}

/* The body is the alphabet's first 23 letters over and over, so that a test can tell a byte is missing. */
static void make_answers(void)
{
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct answer *a = &answers[i];
        if (!(a->bytes = malloc(HEAD_MAX + a->body)))
            fail("malloc");
        a->n = (size_t)snprintf(a->bytes, HEAD_MAX,
                                "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                                "Content-Length: %zu\r\n\r\n",
                                a->body);
        for (size_t k = 0; k < a->body; k++)
            a->bytes[a->n++] = (char)('a' + k % 23);
    }
}

int main(int argc, char **argv)
{
    int listeners[THREADS_MAX];
    awake = argc > 1 && strcmp(argv[1], "--awake") == 0;
    argc -= awake;
    argv += awake;
    int threads = argc > 2 ? atoi(argv[2]) : 1;

    if (argc < 2 || argc > 3 || threads < 1 || threads > THREADS_MAX) {
        fprintf(stderr, "usage: origin [--awake] PORT [THREADS]   (at most %d)\n", THREADS_MAX);
        return 2;
    }
    port = atoi(argv[1]);
    shared_port = threads > 1;
    make_answers();
    for (int i = 0; i < threads; i++)
        listeners[i] = listen_here();
    for (int i = 1; i < threads; i++) {
        pthread_t t;
        if (pthread_create(&t, NULL, serve_all, &listeners[i]))
            fail("pthread_create");
    }
    serve_all(&listeners[0]);
}
