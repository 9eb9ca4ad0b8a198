/* SPDX-License-Identifier: Apache-2.0 */
/* origin.c - what stands behind the proxies in a benchmark: a lean HTTP/1.1 keep-alive server in one thread.
 * usage: origin PORT   (on 127.0.0.1)
 * GET /64k answers 64 KiB, anything else 5 bytes. A request is what ends with an empty line, followed by
 * Content-Length bytes of body, which are dropped. It trusts its peers: it is a tool, not a server. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { IN = 16 * 1024, LARGE = 64 * 1024, EVENTS = 256 };

struct peer {
    int fd;
    size_t n;    /* bytes of a head so far */
    size_t body; /* bytes of a body still to be dropped */
    const char *out;
    size_t out_n; /* still to be sent */
    char in[IN + 1];
};

static const char small[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
static char large[LARGE + 128];
static size_t large_n;

static void drop(struct peer *p)
{
    close(p->fd);
    free(p);
}

/* -1: the connection is gone. */
static int flush(struct peer *p)
{
    while (p->out_n > 0) {
        ssize_t n = send(p->fd, p->out, p->out_n, MSG_NOSIGNAL);
        if (n < 0)
            return errno == EAGAIN ? 0 : -1;
        p->out += n;
        p->out_n -= (size_t)n;
    }
    return 0;
}

/* Takes one request off the front; 0 when none is whole. */
static int take_request(struct peer *p)
{
    size_t skip = p->body < p->n ? p->body : p->n;

    p->body -= skip;
    memmove(p->in, p->in + skip, p->n - skip);
    p->n -= skip;
    p->in[p->n] = '\0';
    char *end = strstr(p->in, "\r\n\r\n");
    if (p->body > 0 || !end)
        return 0;
    *end = '\0';
    const char *length = strcasestr(p->in, "\r\ncontent-length:");
    p->body = length ? strtoul(length + 17, NULL, 10) : 0;
    int is_large = strncmp(p->in, "GET /64k ", 9) == 0;
    p->out = is_large ? large : small;
    p->out_n = is_large ? large_n : sizeof(small) - 1;
    size_t head = (size_t)(end - p->in) + 4;
    memmove(p->in, p->in + head, p->n - head);
    p->n -= head;
    return 1;
}

static void serve(struct peer *p)
{
    for (;;) {
        if (flush(p)) {
            drop(p);
            return;
        }
        if (p->out_n > 0)
            return; /* the socket is full: an edge will come */
        if (take_request(p))
            continue;
        ssize_t n = recv(p->fd, p->in + p->n, IN - p->n, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            drop(p);
            return;
        }
        int drained = (size_t)n < IN - p->n;
        p->n += (size_t)n;
        if (drained) {
            while (take_request(p)) {
                if (flush(p)) {
                    drop(p);
                    return;
                }
            }
            return;
        }
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
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 4096)) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void accept_all(int epoll, int listener)
{
    int on = 1;

    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        struct peer *p = calloc(1, sizeof(*p));
        if (!p)
            exit(1);
        p->fd = fd;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = p };
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];

    if (argc != 2) {
        fprintf(stderr, "usage: origin PORT\n");
        return 2;
    }
    large_n = (size_t)sprintf(large,
                              "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                              "Content-Length: %d\r\n\r\n",
                              LARGE);
    memset(large + large_n, 'x', LARGE);
    large_n += LARGE;
    int epoll = epoll_create1(0);
    int listener = listen_on(atoi(argv[1]));
    struct epoll_event e = { .events = EPOLLIN | EPOLLET };
    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &e);
    for (;;) {
        int n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                serve(events[i].data.ptr);
            else
                accept_all(epoll, listener);
        }
    }
}
