/* SPDX-License-Identifier: Apache-2.0 */
/* slow.c - many slow clients in one thread.
 * usage: slow KIND PORT COUNT SECONDS
 * KIND headers: each sends a byte a second of a request's head that never ends.
 *      body:    each sends a POST head that announces 1 MiB, then a byte a second of that.
 *      reading: each asks for /64k many times at once and takes a byte a second of the answers.
 *      idle:    each asks once, takes the whole answer, and is silent.
 * A connection that the server closes is opened again. Opening is bounded, and bytes are spread over the second:
 * a crowd, not a drum. Source addresses are 127.0.0.1 to 127.0.0.200, so that ports suffice and a limit per
 * address is not what is met. Says "all open" on standard error when that is so for the first time; at the
 * end, or on SIGTERM, one line of JSON: `bytes` is what trickled, `closed_by_peer` includes refused ones.
 * Next: slow_clients, the driver. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    COUNT_MAX = 1000000,
    EVENTS = 512,
    OPENED_A_MS = 2, /* 2000 a second: beneath what fills a listener's queue */
    ADDRESSES = 200,
    SMALL_BUFFER = 2048, /* the kernel's least is near */
    PIPELINED = 64,      /* 4 MiB of answers, which last for ever at a byte a second */
    MS = 1000000
};

struct client {
    int fd; /* -1: to be opened */
    int open;
    size_t at; /* place in the head */
};

static const struct kind {
    const char *name;
    const char *first; /* sent at once */
    int times;
    const char *head; /* sent by the byte before anything else */
    uint32_t events;
    int sends; /* a byte a second */
    int takes;
} kinds[] = {
    { .name = "headers",
      .first = "",
      .head = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
      .events = EPOLLIN,
      .sends = 1 },
    { .name = "body",
      .first = "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1048576\r\n\r\n",
      .times = 1,
      .head = "",
      .events = EPOLLIN,
      .sends = 1 },
    { .name = "reading",
      .first = "GET /64k HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      .times = PIPELINED,
      .head = "",
      .takes = 1 },
    { .name = "idle",
      .first = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
      .times = 1,
      .head = "",
      .events = EPOLLIN },
};

static const struct kind *kind;
static struct client *clients;
static int count;
static int *to_open; /* a ring: who waited longest is opened first */
static int to_open_at;
static int to_open_n;
static int port;
static int epoll;
static uint64_t opened;
static uint64_t closed;
static uint64_t bytes;
static int open_n;
static volatile sig_atomic_t stopped;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void stop(int signal_number)
{
    (void)signal_number;
    stopped = 1;
}

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static void open_later(int i)
{
    to_open[(to_open_at + to_open_n++) % count] = i;
}

static void drop(struct client *c)
{
    close(c->fd);
    c->fd = -1;
    open_n -= c->open;
    c->open = 0;
    closed++;
    open_later((int)(c - clients));
}

/* In its own address and port, which is chosen when it connects, so that each address has all ports. */
static void connect_one(int i)
{
    struct client *c = &clients[i];
    struct sockaddr_in from = { .sin_family = AF_INET,
                                .sin_addr.s_addr =
                                    htonl(INADDR_LOOPBACK + (uint32_t)(i % ADDRESSES)) };
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event e = { .events = kind->events | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                             .data.ptr = c };
    int on = 1;
    int small = SMALL_BUFFER;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        fail("slow: socket");
    c->at = 0;
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (kind->takes)
        setsockopt(c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (bind(c->fd, (struct sockaddr *)&from, sizeof(from)))
        fail("slow: bind");
    if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) && errno != EINPROGRESS) {
        drop(c);
        return;
    }
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e))
        fail("slow: epoll_ctl");
}

static int send_all(struct client *c, const char *from, size_t n)
{
    return send(c->fd, from, n, MSG_NOSIGNAL) == (ssize_t)n;
}

/* A new connection stands. What is sent at once is less than any socket takes. */
static int begin(struct client *c)
{
    static int said;

    c->open = 1;
    opened++;
    if (++open_n == count && !said++)
        fprintf(stderr, "all open\n");
    for (int i = 0; i < kind->times; i++)
        if (!send_all(c, kind->first, strlen(kind->first)))
            return 0;
    return 1;
}

/* Whatever came and is not to be taken slowly; false at the end. */
static int drain(struct client *c)
{
    static char dropped[16 * 1024];
    ssize_t n;

    while ((n = recv(c->fd, dropped, sizeof(dropped), 0)) > 0)
        ;
    return n < 0 && errno == EAGAIN;
}

static void serve(struct client *c, uint32_t events)
{
    int good = !(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));

    if (good && !c->open && (events & EPOLLOUT))
        good = begin(c);
    if (good && (events & EPOLLIN))
        good = drain(c);
    if (!good)
        drop(c);
}

static void trickle(struct client *c)
{
    char byte = 'x';
    ssize_t n = 0;

    if (!c->open)
        return;
    if (kind->head[c->at])
        byte = kind->head[c->at++];
    if (kind->sends)
        n = send(c->fd, &byte, 1, MSG_NOSIGNAL);
    else if (kind->takes)
        n = recv(c->fd, &byte, 1, 0);
    if (n > 0)
        bytes++;
    else if ((kind->sends || kind->takes) && (n == 0 || errno != EAGAIN))
        drop(c);
}

/* One millisecond: some connections are opened, and a thousandth of all has its turn. */
static void tick(int64_t ms)
{
    int64_t phase = ms % 1000;

    for (int i = 0; i < OPENED_A_MS && to_open_n > 0; i++) {
        int next = to_open[to_open_at];
        to_open_at = (to_open_at + 1) % count;
        to_open_n--;
        connect_one(next);
    }
    for (int64_t i = count * phase / 1000; i < count * (phase + 1) / 1000; i++)
        trickle(&clients[i]);
}

static void run(double seconds)
{
    struct epoll_event events[EVENTS];
    int64_t start = now_ns();
    int64_t ticks = 0;

    while (!stopped) {
        int64_t ms = (now_ns() - start) / MS;
        if ((double)ms >= seconds * 1000)
            return;
        while (ticks <= ms)
            tick(ticks++);
        int n = epoll_wait(epoll, events, EVENTS, 1);
        for (int i = 0; i < n; i++)
            serve(events[i].data.ptr, events[i].events);
    }
}

static void raise_descriptors(void)
{
    struct rlimit l;

    if (getrlimit(RLIMIT_NOFILE, &l))
        fail("slow: getrlimit");
    l.rlim_cur = l.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &l) || l.rlim_cur < (rlim_t)count + 16) {
        fprintf(stderr, "slow: %d connections need more open files than %lu (ulimit -n)\n", count,
                (unsigned long)l.rlim_cur);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 5 && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            kind = &kinds[i];
    count = kind ? atoi(argv[3]) : 0;
    if (count < 1 || count > COUNT_MAX) {
        fprintf(stderr, "usage: slow headers|body|reading|idle PORT COUNT SECONDS\n");
        return 2;
    }
    port = atoi(argv[2]);
    raise_descriptors();
    signal(SIGTERM, stop);
    clients = calloc((size_t)count, sizeof(clients[0]));
    to_open = calloc((size_t)count, sizeof(to_open[0]));
    if (!clients || !to_open)
        fail("slow: calloc");
    for (int i = 0; i < count; i++) {
        clients[i].fd = -1;
        open_later(i);
    }
    epoll = epoll_create1(0);
    run(atof(argv[4]));
    printf("{\"opened\": %lu, \"open\": %d, \"closed_by_peer\": %lu, \"bytes\": %lu}\n",
           (unsigned long)opened, open_n, (unsigned long)closed, (unsigned long)bytes);
    return 0;
}
