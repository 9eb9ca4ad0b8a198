/* SPDX-License-Identifier: Apache-2.0 */
/* instances.c - app instances whose capacity is felt, and which can be told to fail.
 * usage: instances [--service US] [--jitter SHARE] [--at-once N] [--queue N] PORT...   (on 127.0.0.1)
 * Each port is an instance. It works on at most --at-once requests at a time, each for --service microseconds
 * (evenly spread over 1 - jitter to 1 + jitter times that) which cost no CPU; others wait in line, and those
 * that find the line longer than --queue are answered 503 at once. What a client has given up is worked on
 * all the same, as most apps do. GET /healthz is answered at once and counted apart; /bytes/N answers N bytes.
 * Commands on stdin, a line each; WHICH is a place among the ports or *:
 *     WHICH mode ok|500|503|hang|down    503: at once, for every request; hang: takes requests and does not
 *                                        answer, and works on them when it is ok again; down: refuses
 *     WHICH factor F                     work takes F times as long
 *     report                             counts by second of CLOCK_MONOTONIC
 * Each is answered by a line of JSON. It ends when stdin does.
 * A peer is one connection and its one request: it waits in line itself. Next: callers.c. */
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    IN = 16 * 1024,
    EVENTS = 256,
    INSTANCES = 64,
    SECONDS = 8000,
    ANSWER = 200,
    BYTES_MAX = 64 * 1024,
    HEAD = 160
};

enum mode { OK, FAIL_500, FAIL_503, HANG, DOWN, MODES };
static const char *const mode_names[MODES] = { "ok", "500", "503", "hang", "down" };

enum stage { READING, WAITING, WORKING, HANGING };

enum count { RECEIVED, SERVED, FAILED, OVERFLOWN, HEALTH, LINE, COUNTS };
static const char *const count_names[COUNTS] = { "received",  "served", "failed",
                                                 "overflown", "health", "line" };

struct peer {
    struct instance *of;
    struct peer *next, *previous; /* of all peers of the instance */
    struct peer *after;           /* in line, or among those that hang */
    int fd;                       /* -1: the client is gone */
    enum stage stage;
    int64_t due; /* ns: when the work is done */
    size_t body; /* bytes of the request's body still to come */
    bool headed; /* its head is complete */
    bool health;
    bool buried;
    size_t answer; /* bytes of body asked for */
    size_t out_at, out_n;
    size_t n;
    char *out;
    char in[IN];
};

struct instance {
    int port;
    int listener;
    enum mode mode;
    double factor;
    unsigned at_work;
    unsigned in_line;
    struct peer *line, **line_end;
    struct peer *hanging;
    struct peer *peers;
    uint32_t counts[COUNTS][SECONDS];
};

static struct instance *instances;
static int instance_count;
static double service_us = 20000;
static double jitter = 0.5;
static unsigned at_once = 10;
static unsigned queue = 500;
static int epoll;
static int64_t now;
static int64_t first_second;
static char body_bytes[BYTES_MAX];
static struct peer *graves;
static struct peer **heap; /* those at work, soonest first */
static size_t heap_n, heap_room;
static uint64_t random_state = 88172645463325252u;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t read_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static double chance(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (double)(random_state >> 11) * 0x1p-53;
}

static uint32_t *counter(struct instance *i, enum count what)
{
    int64_t s = now / 1000000000 - first_second;

    return &i->counts[what][s < SECONDS ? s : SECONDS - 1];
}

/* ---- the heap */

static void heap_put(struct peer *p)
{
    size_t at = heap_n++;

    if (heap_n > heap_room) {
        heap_room = heap_room ? 2 * heap_room : 256;
        if (!(heap = realloc(heap, heap_room * sizeof(heap[0]))))
            fail("realloc");
    }
    while (at > 0 && heap[(at - 1) / 2]->due > p->due) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = p;
}

static struct peer *heap_take(void)
{
    struct peer *first = heap[0];
    struct peer *last = heap[--heap_n];
    size_t at = 0;

    for (size_t child; (child = 2 * at + 1) < heap_n; at = child) {
        if (child + 1 < heap_n && heap[child + 1]->due < heap[child]->due)
            child++;
        if (heap[child]->due >= last->due)
            break;
        heap[at] = heap[child];
    }
    if (heap_n > 0)
        heap[at] = last;
    return first;
}

/* ---- peers */

/* Freed when this turn of the loop is over: until then events and callers may still know it. */
static void bury(struct peer *p)
{
    if (p->buried)
        return;
    p->buried = true;
    p->after = graves;
    graves = p;
}

static void forget(struct peer *p)
{
    if (p->previous)
        p->previous->next = p->next;
    else
        p->of->peers = p->next;
    if (p->next)
        p->next->previous = p->previous;
    free(p->out);
    free(p);
}

/* The client is gone; what it asked for is done all the same. */
static void hang_up(struct peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    if (p->stage == READING)
        bury(p);
}

static void flush(struct peer *p)
{
    while (p->fd >= 0 && p->out_at < p->out_n) {
        ssize_t n = send(p->fd, p->out + p->out_at, p->out_n - p->out_at, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            hang_up(p);
            return;
        }
        p->out_at += (size_t)n;
    }
}

static void take_requests(struct peer *p);

/* Whoever calls this goes on with what came behind. */
static void answer(struct peer *p, int status)
{
    size_t n = status == 200 ? p->answer : 5;

    p->stage = READING;
    p->headed = false;
    if (p->fd < 0) {
        bury(p);
        return;
    }
    free(p->out);
    if (!(p->out = malloc(HEAD + n)))
        fail("malloc");
    p->out_at = 0;
    p->out_n = (size_t)snprintf(
        p->out, HEAD, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
        status, status == 200 ? "OK" : "Out Of Order", n);
    memcpy(p->out + p->out_n, body_bytes, n);
    p->out_n += n;
    flush(p);
}

static void work(struct peer *p)
{
    struct instance *i = p->of;
    double us = service_us * i->factor * (1 + jitter * (2 * chance() - 1));

    i->at_work++;
    p->stage = WORKING;
    p->due = now + (int64_t)(us * 1000);
    heap_put(p);
}

static void line_up(struct peer *p)
{
    struct instance *i = p->of;

    if (i->at_work < at_once) {
        work(p);
        return;
    }
    if (i->in_line >= queue) {
        *counter(i, OVERFLOWN) += 1;
        answer(p, 503);
        return;
    }
    p->stage = WAITING;
    p->after = NULL;
    *i->line_end = p;
    i->line_end = &p->after;
    i->in_line++;
    uint32_t *longest = counter(i, LINE);
    if (i->in_line > *longest)
        *longest = i->in_line;
}

static void call_next(struct instance *i)
{
    while (i->line && i->at_work < at_once) {
        struct peer *p = i->line;
        if (!(i->line = p->after))
            i->line_end = &i->line;
        i->in_line--;
        work(p);
    }
}

/* A whole request has come. */
static void begin(struct peer *p)
{
    struct instance *i = p->of;

    *counter(i, p->health ? HEALTH : RECEIVED) += 1;
    switch (i->mode) {
    case FAIL_500:
    case FAIL_503:
        if (!p->health)
            *counter(i, FAILED) += 1;
        answer(p, i->mode == FAIL_500 ? 500 : 503);
        break;
    case HANG:
        p->stage = HANGING;
        p->after = i->hanging;
        i->hanging = p;
        break;
    default:
        if (p->health)
            answer(p, 200);
        else
            line_up(p);
    }
}

static void done(struct peer *p)
{
    struct instance *i = p->of;

    i->at_work--;
    *counter(i, SERVED) += 1;
    answer(p, 200);
    take_requests(p);
    call_next(i);
}

/* ---- requests */

static bool take_head(struct peer *p)
{
    char *end = memmem(p->in, p->n, "\r\n\r\n", 4);

    if (!end)
        return false;
    *end = '\0';
    const char *length = strcasestr(p->in, "\r\ncontent-length:");
    const char *path = strchr(p->in, ' ');
    p->body = length ? strtoul(length + 17, NULL, 10) : 0;
    p->health = path && strncmp(path, " /healthz", 9) == 0;
    p->answer = path && strncmp(path, " /bytes/", 8) == 0 ? strtoul(path + 8, NULL, 10) : ANSWER;
    if (p->answer > BYTES_MAX)
        p->answer = BYTES_MAX;
    p->headed = true;
    size_t n = (size_t)(end - p->in) + 4;
    memmove(p->in, p->in + n, p->n - n);
    p->n -= n;
    return true;
}

static void take_requests(struct peer *p)
{
    while (p->stage == READING && p->fd >= 0 && p->out_at == p->out_n) {
        if (!p->headed && !take_head(p))
            return;
        size_t dropped = p->body < p->n ? p->body : p->n;
        memmove(p->in, p->in + dropped, p->n - dropped);
        p->n -= dropped;
        p->body -= dropped;
        if (p->body > 0)
            return;
        begin(p);
    }
}

static void receive(struct peer *p)
{
    while (p->fd >= 0) {
        if (p->n == IN) {
            hang_up(p); /* a head that does not fit, or more behind a request than anybody sends */
            return;
        }
        ssize_t n = recv(p->fd, p->in + p->n, IN - p->n, 0);
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            hang_up(p);
            return;
        }
        p->n += (size_t)n;
        take_requests(p);
    }
}

static void serve(struct peer *p, uint32_t events)
{
    if (p->fd >= 0 && p->out_at < p->out_n)
        flush(p);
    if (p->fd >= 0 && events & ~(uint32_t)EPOLLOUT)
        receive(p);
    take_requests(p); /* what came behind a long answer */
}

/* ---- instances */

static void open_listener(struct instance *i)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)i->port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct epoll_event e = { .events = EPOLLIN, .data.u64 = (uint64_t)(i - instances) };
    int on = 1;

    i->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (i->listener < 0 || setsockopt(i->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
        bind(i->listener, (struct sockaddr *)&a, sizeof(a)) || listen(i->listener, 4096) ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, i->listener, &e))
        fail("listen");
}

static void accept_all(struct instance *i)
{
    int on = 1;

    for (;;) {
        int fd = accept4(i->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct peer *p = calloc(1, sizeof(*p));
        if (!p)
            fail("calloc");
        p->fd = fd;
        p->of = i;
        p->next = i->peers;
        if (i->peers)
            i->peers->previous = p;
        i->peers = p;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.ptr = p };
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e);
    }
}

static void go_down(struct instance *i)
{
    struct linger hard = { .l_onoff = 1 };

    close(i->listener);
    i->listener = -1;
    for (struct peer *p = i->peers, *next; p; p = next) {
        next = p->next;
        if (p->fd >= 0)
            setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        hang_up(p);
    }
}

static void set_mode(struct instance *i, enum mode mode)
{
    if (mode == DOWN && i->listener >= 0)
        go_down(i);
    if (mode != DOWN && i->listener < 0)
        open_listener(i);
    i->mode = mode;
    struct peer *hanging = mode == HANG ? NULL : i->hanging;
    if (hanging)
        i->hanging = NULL;
    while (hanging) {
        struct peer *p = hanging;
        hanging = p->after;
        if (p->health || mode == FAIL_500 || mode == FAIL_503)
            answer(p, p->health && mode == OK ? 200 : 503);
        else
            line_up(p);
    }
}

/* ---- commands */

static void report(void)
{
    int64_t seconds = now / 1000000000 - first_second + 1;

    printf("{\"first_second\": %ld, \"instances\": [", (long)first_second);
    for (int n = 0; n < instance_count; n++) {
        printf("%s{\"port\": %d", n ? ", " : "", instances[n].port);
        for (int c = 0; c < COUNTS; c++) {
            printf(", \"%s\": [", count_names[c]);
            for (int64_t s = 0; s < seconds && s < SECONDS; s++)
                printf("%s%u", s ? "," : "", instances[n].counts[c][s]);
            printf("]");
        }
        printf("}");
    }
    printf("]}\n");
}

static bool obey_one(struct instance *i, const char *word, const char *value)
{
    if (strcmp(word, "factor") == 0) {
        i->factor = atof(value);
        return i->factor > 0;
    }
    for (int m = 0; m < MODES && strcmp(word, "mode") == 0; m++) {
        if (strcmp(value, mode_names[m]) == 0) {
            set_mode(i, (enum mode)m);
            return true;
        }
    }
    return false;
}

static void obey(const char *line)
{
    char which[16] = "";
    char word[16] = "";
    char value[32] = "";
    bool good = true;

    sscanf(line, "%15s %15s %31s", which, word, value);
    if (strcmp(which, "report") == 0) {
        report();
    } else {
        for (int n = 0; n < instance_count; n++) {
            if (which[0] == '*' || atoi(which) == n)
                good &= obey_one(&instances[n], word, value);
        }
        printf("{\"ok\": %s, \"at_ns\": %ld}\n", good ? "true" : "false", (long)now);
    }
    fflush(stdout);
}

static void take_commands(void)
{
    static char text[1024];
    static size_t n;
    ssize_t got = read(STDIN_FILENO, text + n, sizeof(text) - 1 - n);

    if (got <= 0)
        exit(0);
    n += (size_t)got;
    text[n] = '\0';
    for (char *end; (end = strchr(text, '\n'));) {
        *end = '\0';
        obey(text);
        n -= (size_t)(end + 1 - text);
        memmove(text, end + 1, n + 1);
    }
}

static struct timespec until_next(void)
{
    int64_t left = heap_n ? heap[0]->due - read_clock() : 1000000000;

    if (left < 0)
        left = 0;
    return (struct timespec){ .tv_sec = left / 1000000000, .tv_nsec = left % 1000000000 };
}

static void run(void)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        struct timespec wait = until_next();
        int n = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
        now = read_clock();
        while (heap_n && heap[0]->due <= now)
            done(heap_take());
        for (int i = 0; i < n; i++) {
            if (events[i].data.u64 == UINT64_MAX)
                take_commands();
            else if (events[i].data.u64 < INSTANCES)
                accept_all(&instances[events[i].data.u64]);
            else
                serve(events[i].data.ptr, events[i].events);
        }
        while (graves) {
            struct peer *p = graves;
            graves = p->after;
            forget(p);
        }
    }
}

static int take_options(int argc, char **argv)
{
    static const struct option known[] = { { "service", required_argument, NULL, 's' },
                                           { "jitter", required_argument, NULL, 'j' },
                                           { "at-once", required_argument, NULL, 'a' },
                                           { "queue", required_argument, NULL, 'q' },
                                           { NULL, 0, NULL, 0 } };

    for (int o; (o = getopt_long(argc, argv, "+", known, NULL)) != -1;) {
        if (o == 's')
            service_us = atof(optarg);
        else if (o == 'j')
            jitter = atof(optarg);
        else if (o == 'a')
            at_once = (unsigned)atoi(optarg);
        else if (o == 'q')
            queue = (unsigned)atoi(optarg);
        else
            return 0;
    }
    instance_count = argc - optind;
    return instance_count > 0 && instance_count < INSTANCES && at_once > 0 ? optind : 0;
}

int main(int argc, char **argv)
{
    int at = take_options(argc, argv);

    if (!at) {
        fprintf(
            stderr,
            "usage: instances [--service US] [--jitter SHARE] [--at-once N] [--queue N] PORT...\n");
        return 2;
    }
    now = read_clock();
    first_second = now / 1000000000;
    memset(body_bytes, 'a', sizeof(body_bytes));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!(instances = calloc((size_t)instance_count, sizeof(instances[0]))))
        fail("calloc");
    for (int n = 0; n < instance_count; n++) {
        struct instance *i = &instances[n];
        i->port = atoi(argv[at + n]);
        i->factor = 1;
        i->line_end = &i->line;
        open_listener(i);
    }
    struct epoll_event e = { .events = EPOLLIN, .data.u64 = UINT64_MAX };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, STDIN_FILENO, &e))
        fail("stdin is neither a pipe nor a terminal");
    run();
}
