/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - a load generator in one thread.
 * usage: load PORT CONNECTIONS SECONDS RATE [PATH]
 * RATE 0: closed loop, each connection sends its next request when the last is answered (saturated).
 * RATE n: open loop. Request i is due at i / n seconds, whatever happened to those before; it waits for a
 * free connection if it must, and its latency counts from when it was due, so a stall is not hidden by
 * fewer requests (no coordinated omission).
 * Every answer is checked: status 200 and the announced length. Prints one line of JSON. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN = 80 * 1024, EVENTS = 256, CONNECTIONS_MAX = 20000, BINS = 200000, BIN_US = 5 };

struct client {
    int fd;
    int busy;
    int64_t due;  /* ns: when its request was due */
    size_t n;     /* bytes of the answer so far */
    size_t whole; /* its size; 0: the head is not complete */
    char in[IN];
};

static struct client *clients;
static int count;
static int idle[CONNECTIONS_MAX];
static int idle_n;
static char request[512];
static size_t request_n;
static uint64_t done;
static uint64_t errors;
static uint64_t bins[BINS + 1];
static int64_t interval; /* ns between two requests; 0: closed loop */
static int64_t next_due;
static int64_t stop_at;
static int64_t begin;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void send_request(struct client *c, int64_t due)
{
    c->busy = 1;
    c->due = due;
    c->n = c->whole = 0;
    if (send(c->fd, request, request_n, MSG_NOSIGNAL) != (ssize_t)request_n)
        errors++;
}

/* The size of a whole answer, from its head; 0 while that is not complete. */
static size_t answer_size(struct client *c)
{
    char *end = memmem(c->in, c->n, "\r\n\r\n", 4);

    if (!end)
        return 0;
    *end = '\0';
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    if (strncmp(c->in, "HTTP/1.1 200", 12) != 0 || !length) {
        errors++;
        return (size_t)(end - c->in) + 4;
    }
    return (size_t)(end - c->in) + 4 + strtoul(length + 17, NULL, 10);
}

static void answered(struct client *c, int64_t now)
{
    int64_t bin = (now - c->due) / 1000 / BIN_US;

    c->busy = 0;
    done++;
    bins[bin < 0 ? 0 : bin > BINS ? BINS : bin]++;
    if (c->n != c->whole)
        errors++; /* more than was announced */
    if (now < stop_at && !interval)
        send_request(c, now);
    else
        idle[idle_n++] = (int)(c - clients);
}

static void receive(struct client *c)
{
    while (c->busy) {
        size_t room = IN - c->n;
        ssize_t n = recv(c->fd, c->in + c->n, room, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            fprintf(stderr, "load: a connection was lost\n");
            exit(1);
        }
        c->n += (size_t)n;
        if (!c->whole)
            c->whole = answer_size(c);
        if (c->whole && c->n >= c->whole) {
            answered(c, now_ns());
            return; /* nothing else can come before our next request */
        }
        if ((size_t)n < room)
            return;
    }
}

static void connect_all(int epoll, int port)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int on = 1;

    for (int i = 0; i < count; i++) {
        struct client *c = &clients[i];
        c->fd = socket(AF_INET, SOCK_STREAM, 0);
        if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a))) {
            perror("load: connect");
            exit(1);
        }
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.ptr = c };
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e);
        idle[idle_n++] = i;
    }
}

static void send_due(int64_t now)
{
    if (!interval) {
        while (idle_n > 0 && now < stop_at)
            send_request(&clients[idle[--idle_n]], now);
        return;
    }
    while (idle_n > 0 && next_due <= now && next_due < stop_at) {
        send_request(&clients[idle[--idle_n]], next_due);
        next_due += interval;
    }
}

static int wait_ms(int64_t now)
{
    if (!interval || idle_n == 0 || next_due >= stop_at)
        return 100;
    return next_due <= now ? 0 : (int)((next_due - now) / 1000000);
}

static double percentile(double share)
{
    uint64_t rank = (uint64_t)((double)done * share);
    uint64_t seen = 0;

    for (int i = 0; i <= BINS; i++) {
        seen += bins[i];
        if (seen > rank)
            return (double)i * BIN_US / 1000;
    }
    return (double)BINS * BIN_US / 1000;
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];

    if (argc < 5) {
        fprintf(stderr, "usage: load PORT CONNECTIONS SECONDS RATE [PATH]\n");
        return 2;
    }
    count = atoi(argv[2]);
    double seconds = atof(argv[3]);
    double rate = atof(argv[4]);
    if (count < 1 || count > CONNECTIONS_MAX)
        return 2;
    clients = calloc((size_t)count, sizeof(clients[0]));
    if (!clients)
        return 1;
    /* 145 bytes with the path "/": what a plain client sends */
    request_n = (size_t)snprintf(
        request, sizeof(request),
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load/1.0 (benchmark)\r\n"
        "Accept: text/html,application/json,*/*\r\nAccept-Encoding: gzip\r\n"
        "X-Ab: 1\r\n\r\n",
        argc > 5 ? argv[5] : "/");
    int epoll = epoll_create1(0);
    connect_all(epoll, atoi(argv[1]));
    begin = next_due = now_ns();
    stop_at = begin + (int64_t)(seconds * 1e9);
    interval = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    for (int64_t now = begin;; now = now_ns()) {
        send_due(now);
        if (now >= stop_at && (idle_n == count || now > stop_at + 5000000000))
            break;
        int n = epoll_wait(epoll, events, EVENTS, wait_ms(now));
        for (int i = 0; i < n; i++)
            receive(events[i].data.ptr);
    }
    if (idle_n != count)
        errors += (uint64_t)(count - idle_n); /* never answered */
    double took = (double)(now_ns() - begin) / 1e9;
    printf("{\"done\": %lu, \"errors\": %lu, \"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"p999_ms\": %.3f}\n",
           (unsigned long)done, (unsigned long)errors, (double)done / took, percentile(0.5),
           percentile(0.99), percentile(0.999));
    return errors > 0;
}
