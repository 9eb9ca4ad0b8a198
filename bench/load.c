/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - a load generator in one thread.
 * usage: load [--body N] [--cookie TEXT] [--tls] [--handshakes] [--awake] [--told] PORT CONNECTIONS SECONDS RATE [PATH]
 * RATE 0: closed loop, each connection sends its next request when the last is answered (saturated).
 * RATE n: open loop. Request i is due at i / n seconds, whatever happened to those before; it waits for a
 * free connection if it must, and its latency counts from when it was due, so a stall is not hidden by
 * fewer requests (no coordinated omission).
 * --body N: POST with N bytes of body. --cookie TEXT: each request has this Cookie field. --tls: TLS 1.3 without
 * verification, one handshake before the clock starts. --handshakes, with --tls: each request on a new connection with a full handshake; the server is
 * asked to close, and the next request waits for that, so that both ends are through with the connection.
 * --awake: it looks for answers over and over and never sleeps; in between it gives the core away. --told: says "connected",
 * begins when it gets a line, and closes its connections when its input ends, after the result.
 * Every answer is checked: status 200 and the announced length. Prints one line of JSON.
 * Next: load_tls.c. */
#include "load_tls.h"
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    IN = 80 * 1024,
    EVENTS = 256,
    CONNECTIONS_MAX = 20000,
    BINS = 200000,
    BIN_US = 5,
    HEAD_MAX = 1024,
    SPIN_NS = 100000
};

struct client {
    int fd;
    int busy;
    int answered;       /* with --handshakes: only the server's end is still to come */
    struct ssl_st *ssl; /* NULL: plain TCP */
    int64_t due;        /* ns: when its request was due */
    size_t sent;        /* bytes of the request */
    size_t n;           /* bytes of the answer so far */
    size_t whole;       /* its size; 0: the head is not complete */
    char in[IN];
};

static struct client *clients;
static int count;
static int idle[CONNECTIONS_MAX];
static int idle_n;
static char *request; /* with its body */
static size_t request_n;
static size_t body_n;
static const char *cookie;
static int tls;
static int handshakes;
static int awake;
static int told;
static int port;
static int epoll;
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

static void lost(void)
{
    fprintf(stderr, "load: a connection was lost\n");
    exit(1);
}

/* What is left of the request, as far as it goes; an edge comes when there is room again. */
static void send_rest(struct client *c)
{
    while (c->sent < request_n) {
        const char *from = request + c->sent;
        size_t left = request_n - c->sent;
        ssize_t n = c->ssl ? tls_send(c->ssl, from, left) : send(c->fd, from, left, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0)
            lost();
        c->sent += (size_t)n;
    }
}

static void open_connection(struct client *c)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
    int on = 1;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (c->fd < 0 || (connect(c->fd, (struct sockaddr *)&a, sizeof(a)) && errno != EINPROGRESS)) {
        perror("load: connect");
        exit(1);
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (tls)
        c->ssl = tls_open(c->fd);
    epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e);
}

static void close_connection(struct client *c)
{
    if (c->ssl)
        tls_close(c->ssl);
    close(c->fd);
    c->ssl = NULL;
    c->answered = 0;
}

static void send_request(struct client *c, int64_t due)
{
    c->busy = 1;
    c->due = due;
    c->sent = c->n = c->whole = 0;
    if (handshakes)
        open_connection(c);
    send_rest(c);
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

static void next_request(struct client *c, int64_t now)
{
    c->busy = 0;
    if (now < stop_at && !interval)
        send_request(c, now);
    else
        idle[idle_n++] = (int)(c - clients);
}

static void answered(struct client *c, int64_t now)
{
    int64_t bin = (now - c->due) / 1000 / BIN_US;

    done++;
    bins[bin < 0 ? 0 : bin > BINS ? BINS : bin]++;
    if (c->n != c->whole)
        errors++; /* more than was announced */
    if (handshakes)
        c->answered = 1;
    else
        next_request(c, now);
}

/* The server's end after the last answer; true when the connection is gone. */
static int ended(struct client *c, ssize_t n)
{
    if (!c->answered || n > 0)
        return 0;
    close_connection(c);
    next_request(c, now_ns());
    return 1;
}

static void receive(struct client *c)
{
    while (c->busy) {
        size_t room = IN - c->n;
        ssize_t n =
            c->ssl ? tls_receive(c->ssl, c->in + c->n, room) : recv(c->fd, c->in + c->n, room, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (ended(c, n))
            return;
        if (n <= 0 || c->answered)
            lost();
        c->n += (size_t)n;
        if (!c->whole)
            c->whole = answer_size(c);
        if (c->whole && c->n >= c->whole) {
            answered(c, now_ns());
            if (!handshakes)
                return; /* nothing else can come before our next request */
        } else if (!c->ssl && (size_t)n < room) {
            return; /* a short receive; TLS is short at the end of each record */
        }
    }
}

static void serve(struct client *c)
{
    if (c->busy && c->sent < request_n)
        send_rest(c);
    receive(c);
}

/* With TLS the handshakes are done before the clock starts, so that kept connections are what is measured. */
static void shake_hands(struct client *c)
{
    ssize_t n;

    while ((n = tls_handshake(c->ssl)) < 0 && errno == EAGAIN) {
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        if (poll(&p, 1, 5000) <= 0)
            lost();
    }
    if (n <= 0)
        lost();
}

static void connect_all(void)
{
    for (int i = 0; i < count; i++) {
        if (!handshakes)
            open_connection(&clients[i]);
        if (tls && !handshakes)
            shake_hands(&clients[i]);
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

/* Close to the next request it does not sleep, to be in time; farther off it leaves the core to others. */
static struct timespec how_long(int64_t now)
{
    int64_t left_ns = 100000000;

    if (interval && idle_n > 0 && next_due < stop_at)
        left_ns = next_due - now < SPIN_NS ? 0 : next_due - now - SPIN_NS;
    return (struct timespec){ .tv_sec = left_ns / 1000000000, .tv_nsec = left_ns % 1000000000 };
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

static void make_request(const char *path)
{
    char length[48] = "";
    char known_as[HEAD_MAX] = "";

    if (cookie)
        snprintf(known_as, sizeof(known_as), "Cookie: %s\r\n", cookie);
    if (body_n > 0)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", body_n);
    request = malloc(HEAD_MAX + body_n);
    if (!request)
        exit(1);
    /* 145 bytes with the path "/" and no body: what a plain client sends */
    request_n =
        (size_t)snprintf(request, HEAD_MAX,
                         "%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: load/1.0 (benchmark)\r\n"
                         "Accept: text/html,application/json,*/*\r\nAccept-Encoding: gzip\r\n"
                         "X-Ab: 1\r\n%s%s%s\r\n",
                         body_n > 0 ? "POST" : "GET", path, known_as, length,
                         handshakes ? "Connection: close\r\n" : "");
    if (request_n >= HEAD_MAX)
        exit(2);
    memset(request + request_n, 'b', body_n);
    request_n += body_n;
}

/* The place of PORT among the arguments; 0 when they make no sense. */
static int take_options(int argc, char **argv)
{
    static const struct option known[] = { { "body", required_argument, NULL, 'b' },
                                           { "cookie", required_argument, NULL, 'c' },
                                           { "tls", no_argument, NULL, 't' },
                                           { "handshakes", no_argument, NULL, 'h' },
                                           { "awake", no_argument, NULL, 'a' },
                                           { "told", no_argument, NULL, 'w' },
                                           { NULL, 0, NULL, 0 } };

    for (int o; (o = getopt_long(argc, argv, "+", known, NULL)) != -1;) {
        if (o == 'b')
            body_n = strtoul(optarg, NULL, 10);
        else if (o == 'c')
            cookie = optarg;
        else if (o == 't')
            tls = 1;
        else if (o == 'h')
            handshakes = 1;
        else if (o == 'a')
            awake = 1;
        else if (o == 'w')
            told = 1;
        else
            return 0;
    }
    if (argc - optind < 4 || argc - optind > 5 || (handshakes && !tls))
        return 0;
    count = atoi(argv[optind + 1]);
    return count < 1 || count > CONNECTIONS_MAX ? 0 : optind;
}

static void run(void)
{
    struct epoll_event events[EVENTS];

    for (int64_t now = begin;; now = now_ns()) {
        send_due(now);
        if (now >= stop_at && (idle_n == count || now > stop_at + 5000000000))
            break;
        struct timespec wait = awake ? (struct timespec){} : how_long(now);
        int n = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
        for (int i = 0; i < n; i++)
            serve(events[i].data.ptr);
        if (awake && n == 0)
            sched_yield();
    }
}

static void wait_for_line(void)
{
    for (int c; (c = getchar()) != '\n' && c != EOF;) {
    }
}

int main(int argc, char **argv)
{
    int at = take_options(argc, argv);

    if (!at) {
        fprintf(stderr,
                "usage: load [--body N] [--cookie TEXT] [--tls] [--handshakes] [--awake] [--told] "
                "PORT CONNECTIONS SECONDS RATE [PATH]\n");
        return 2;
    }
    port = atoi(argv[at]);
    double seconds = atof(argv[at + 2]);
    double rate = atof(argv[at + 3]);
    clients = calloc((size_t)count, sizeof(clients[0]));
    if (!clients)
        return 1;
    make_request(argc - at > 4 ? argv[at + 4] : "/");
    epoll = epoll_create1(0);
    if (tls)
        tls_setup();
    connect_all();
    if (told) {
        puts("connected");
        fflush(stdout);
        wait_for_line();
    }
    begin = next_due = now_ns();
    stop_at = begin + (int64_t)(seconds * 1e9);
    interval = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    run();
    if (idle_n != count)
        errors += (uint64_t)(count - idle_n); /* never answered */
    double took = (double)(now_ns() - begin) / 1e9;
    printf("{\"done\": %lu, \"errors\": %lu, \"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
           "\"p999_ms\": %.3f}\n",
           (unsigned long)done, (unsigned long)errors, (double)done / took, percentile(0.5),
           percentile(0.99), percentile(0.999));
    if (told) {
        fflush(stdout);
        wait_for_line();
    }
    return errors > 0;
}
