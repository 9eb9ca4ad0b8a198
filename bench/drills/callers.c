/* SPDX-License-Identifier: Apache-2.0 */
/* callers.c - clients who keep on calling whatever happens, and who say second by second how it went.
 * usage: callers [--seed N] [--patience MS] [--short SHARE] [--post SHARE] [--body BYTES] [--path PATH]
 *                [--windows FROM:TO,...] PORT RATE SECONDS
 * An open loop: calls come by chance (exponential gaps; the same seed, the same instants) at RATE a second in
 * the mean, each on a connection that is free or on a new one, and are over with an answer, when the connection
 * breaks, or when --patience is at an end; time counts from when a call was due. --short: that share of
 * the calls has a connection of its own; --post: that share is a POST with --body bytes.
 * A kept connection that ends before a byte of the answer came is no failure of a GET: it is sent once more on a new
 * one, as browsers do, and counted as `again`.
 * Prints {"begin_ns": ...} at the start (CLOCK_MONOTONIC), and at the end one line of JSON: `seconds`, a row for
 * each second in which calls were due (of the clock, as instances.c counts), and `windows`, in seconds since the start.
 * `late`: how late the calls went out at the 99th percentile; more than some ms says that the machine was not free.
 * Next: kit.py, which reads this. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <signal.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { IN = 4096, EVENTS = 256, HEAD = 512, BODY_MAX = 1 << 20, WINDOWS = 16 };

enum outcome { GOOD, STATUS_4XX, STATUS_5XX, BROKEN, REFUSED, TIMEOUT, OUTCOMES };
static const char *const outcome_names[OUTCOMES] = { "good",   "4xx",     "5xx",
                                                     "broken", "refused", "timeout" };

struct call {
    int64_t due; /* ns since the start */
    float took_ms;
    float late_ms;
    uint8_t outcome;
};

struct connection {
    int fd;
    struct call *call;                /* NULL: free */
    struct connection *before, *next; /* by when their calls were due; or the list of free ones */
    bool used;                        /* it has answered before */
    bool once;                        /* it is closed after the answer */
    bool refused;
    bool again;
    bool post;
    size_t sent, whole; /* bytes of head and body */
    size_t head_n;
    bool headed;
    bool endless; /* the answer ends with the connection */
    size_t left;  /* bytes of the answer's body still to come */
    int status;
    bool chunked;
    size_t n;
    bool dead;
    char head[HEAD];
    char in[IN + 1];
};

static int port;
static double rate;
static double run_s;
static double patience_ms = 10000;
static double short_share;
static double post_share;
static size_t body_n;
static const char *path = "/";
static double windows[WINDOWS][2];
static int window_count;
static uint64_t random_state = 1;
static int epoll;
static int64_t begin;
static struct call *calls;
static size_t call_n, call_room;
static struct connection *oldest, *newest; /* with a call */
static struct connection *idle;
static struct connection *graves;
static uint64_t opened, again_n, open_now, open_most;
static char *body;

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* SplitMix64 */
static double chance(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* ---- lists */

static void unlink_busy(struct connection *c)
{
    *(c->before ? &c->before->next : &oldest) = c->next;
    *(c->next ? &c->next->before : &newest) = c->before;
    c->before = c->next = NULL;
}

static void link_busy(struct connection *c)
{
    c->next = NULL;
    c->before = newest;
    *(newest ? &newest->next : &oldest) = c;
    newest = c;
}

static void unlink_idle(struct connection *c)
{
    *(c->before ? &c->before->next : &idle) = c->next;
    if (c->next)
        c->next->before = c->before;
    c->before = c->next = NULL;
}

static void link_idle(struct connection *c)
{
    c->before = NULL;
    c->next = idle;
    if (idle)
        idle->before = c;
    idle = c;
}

/* Freed when this turn of the loop is over. */
static void bury(struct connection *c)
{
    close(c->fd);
    c->dead = true;
    c->next = graves;
    graves = c;
    open_now--;
}

/* ---- a call */

static struct call *add_call(int64_t due)
{
    if (call_n == call_room)
        fail("more calls than were expected");
    calls[call_n] = (struct call){ .due = due };
    return &calls[call_n++];
}

static void settle(struct call *k, enum outcome how)
{
    k->outcome = (uint8_t)how;
    k->took_ms = (float)((double)(now_ns() - begin - k->due) / 1e6);
}

static struct connection *open_connection(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct connection *c = calloc(1, sizeof(*c));
    int on = 1;

    if (!c || (c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) < 0)
        fail("callers: socket");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    opened++;
    if (++open_now > open_most)
        open_most = open_now;
    c->refused = connect(c->fd, (struct sockaddr *)&a, sizeof(a)) && errno == ECONNREFUSED;
    struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c };
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e))
        fail("callers: epoll_ctl");
    return c;
}

static void send_call(struct connection *c, struct call *k, bool post, bool once, bool again)
{
    char length[48] = "";

    c->call = k;
    c->post = post;
    c->once = once;
    c->again = again;
    c->sent = c->n = 0;
    c->headed = c->endless = c->chunked = false;
    if (post)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", body_n);
    c->head_n = (size_t)snprintf(
        c->head, HEAD, "%s %s HTTP/1.1\r\nHost: drill.test\r\nUser-Agent: callers\r\n%s%s\r\n",
        post ? "POST" : "GET", path, length, once ? "Connection: close\r\n" : "");
    c->whole = c->head_n + (post ? body_n : 0);
    link_busy(c);
}

static void give_up(struct connection *c, enum outcome how);

static void send_rest(struct connection *c)
{
    while (c->call && c->sent < c->whole) {
        bool in_head = c->sent < c->head_n;
        const char *from = in_head ? c->head + c->sent : body + (c->sent - c->head_n);
        ssize_t n = send(c->fd, from, (in_head ? c->head_n : c->whole) - c->sent,
                         MSG_NOSIGNAL | (in_head && c->post ? MSG_MORE : 0));
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
            return;
        c->refused |= n < 0 && errno == ECONNREFUSED;
        if (n <= 0)
            return; /* an answer may be there all the same; the end is seen when it is read */
        c->sent += (size_t)n;
    }
}

static void start_call(struct call *k, bool post, bool once)
{
    struct connection *c = once ? NULL : idle;

    if (c)
        unlink_idle(c);
    else
        c = open_connection();
    k->late_ms = (float)((double)(now_ns() - begin - k->due) / 1e6);
    send_call(c, k, post, once, false);
    send_rest(c);
}

/* The connection is of no more use. */
static void give_up(struct connection *c, enum outcome how)
{
    struct call *k = c->call;
    bool again = how == BROKEN && c->used && !c->headed && c->n == 0 && !c->post && !c->again;

    unlink_busy(c);
    c->call = NULL;
    bury(c);
    if (!again) {
        settle(k, how);
        return;
    }
    again_n++;
    struct connection *other = open_connection();
    send_call(other, k, false, false, true);
    send_rest(other);
}

static void answered(struct connection *c)
{
    enum outcome how = c->status >= 500 ? STATUS_5XX : c->status >= 400 ? STATUS_4XX : GOOD;

    settle(c->call, how);
    unlink_busy(c);
    c->call = NULL;
    if (c->once || c->endless || c->sent < c->whole) {
        bury(c);
        return;
    }
    c->used = true;
    link_idle(c);
}

/* False while the head is not complete. */
static bool take_head(struct connection *c)
{
    c->in[c->n] = '\0';
    char *end = strstr(c->in, "\r\n\r\n");

    if (!end)
        return false;
    *end = '\0';
    c->status = c->n > 12 ? atoi(c->in + 9) : 0;
    size_t n = (size_t)(end + 4 - c->in);
    memmove(end, "\r\n", 2); /* as it was */
    if (c->status >= 100 && c->status < 200) {
        memmove(c->in, c->in + n, c->n - n);
        c->n -= n;
        return take_head(c);
    }
    *end = '\0';
    const char *length = strcasestr(c->in, "\r\ncontent-length:");
    c->chunked = strcasestr(c->in, "\r\ntransfer-encoding: chunked") != NULL;
    c->left = length ? strtoul(length + 17, NULL, 10) : 0;
    c->endless = (!length && !c->chunked) || strncmp(c->in, "HTTP/1.1", 8) != 0 ||
                 strcasestr(c->in, "\r\nconnection: close") != NULL;
    c->headed = true;
    memmove(c->in, c->in + n, c->n - n);
    c->n -= n;
    if (c->chunked)
        fail("callers: a chunked answer, which nobody here sends");
    if (!length)
        c->left = SIZE_MAX;
    return true;
}

static void take_answer(struct connection *c)
{
    if (!c->headed && !take_head(c)) {
        if (c->n == IN)
            give_up(c, BROKEN);
        return;
    }
    size_t n = c->n < c->left ? c->n : c->left;
    if (c->left != SIZE_MAX)
        c->left -= n;
    c->n = 0;
    if (c->left == 0)
        answered(c);
}

static void ended(struct connection *c, int why)
{
    if (!c->call) {
        unlink_idle(c);
        bury(c);
    } else if (c->headed && c->left == SIZE_MAX && why == 0) {
        c->endless = true;
        answered(c);
    } else {
        give_up(c, c->refused || why == ECONNREFUSED ? REFUSED : BROKEN);
    }
}

static void serve(struct connection *c, uint32_t events)
{
    if (c->dead)
        return;
    if (events & EPOLLOUT)
        send_rest(c);
    while (!c->dead) {
        ssize_t n = recv(c->fd, c->in + c->n, IN - c->n, 0);
        if (n < 0 && (errno == EAGAIN || errno == ENOTCONN))
            return;
        if (n <= 0) {
            ended(c, n < 0 ? errno : 0);
            return;
        }
        if (!c->call) {
            ended(c, 0); /* bytes that nobody asked for */
            return;
        }
        c->n += (size_t)n;
        take_answer(c);
    }
}

/* ---- the loop */

static int64_t gap(void)
{
    return (int64_t)(-log(1 - chance()) / rate * 1e9);
}

static void run(void)
{
    struct epoll_event events[EVENTS];
    int64_t due = gap();
    int64_t stop = (int64_t)(run_s * 1e9);
    int64_t patience = (int64_t)(patience_ms * 1e6);

    while (due < stop || oldest) {
        int64_t now = now_ns() - begin;
        for (; due < stop && due <= now; due += gap()) {
            bool post = chance() < post_share;
            bool once = chance() < short_share;
            start_call(add_call(due), post, once);
        }
        while (oldest && oldest->call->due + patience <= now)
            give_up(oldest, TIMEOUT);
        int64_t next = due < stop ? due : now + 1000000000;
        if (oldest && oldest->call->due + patience < next)
            next = oldest->call->due + patience;
        int64_t left = next - (now_ns() - begin);
        left = left < 0 ? 0 : left > 100000000 ? 100000000 : left;
        struct timespec wait = { .tv_nsec = left };
        int n = epoll_pwait2(epoll, events, EVENTS, &wait, NULL);
        for (int i = 0; i < n; i++)
            serve(events[i].data.ptr, events[i].events);
        while (graves) {
            struct connection *c = graves;
            graves = c->next;
            free(c);
        }
    }
}

/* ---- what is said at the end */

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;

    return (x > y) - (x < y);
}

static double at_share(const float *sorted, size_t n, double share)
{
    return n ? (double)sorted[(size_t)((double)(n - 1) * share)] : 0;
}

/* Of the calls from `from` up to `to`. */
static void say(size_t from, size_t to)
{
    static float *took, *good, *late;
    unsigned counts[OUTCOMES] = { 0 };
    size_t n = to - from;
    size_t goods = 0;

    if (!took && (!(took = calloc(call_n + 1, sizeof(float))) ||
                  !(good = calloc(call_n + 1, sizeof(float))) ||
                  !(late = calloc(call_n + 1, sizeof(float)))))
        fail("calloc");
    for (size_t i = 0; i < n; i++) {
        const struct call *k = &calls[from + i];
        counts[k->outcome]++;
        took[i] = k->took_ms;
        late[i] = k->late_ms;
        if (k->outcome == GOOD)
            good[goods++] = k->took_ms;
    }
    qsort(took, n, sizeof(float), by_size);
    qsort(late, n, sizeof(float), by_size);
    qsort(good, goods, sizeof(float), by_size);
    printf("\"calls\": %zu", n);
    for (int o = 0; o < OUTCOMES; o++)
        printf(", \"%s\": %u", outcome_names[o], counts[o]);
    printf(", \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"p999\": %.3f, \"most\": %.3f, "
           "\"good_p50\": %.3f, \"good_p99\": %.3f, \"late\": %.3f}",
           at_share(took, n, 0.5), at_share(took, n, 0.9), at_share(took, n, 0.99),
           at_share(took, n, 0.999), at_share(took, n, 1), at_share(good, goods, 0.5),
           at_share(good, goods, 0.99), at_share(late, n, 0.99));
}

static size_t first_due(double seconds)
{
    size_t i = 0;

    while (i < call_n && (double)calls[i].due < seconds * 1e9)
        i++;
    return i;
}

static void say_all(void)
{
    int64_t first = begin / 1000000000;

    printf("{\"first_second\": %ld, \"calls\": %zu, \"opened\": %lu, \"open_most\": %lu, "
           "\"again\": %lu, \"seconds\": [",
           (long)first, call_n, (unsigned long)opened, (unsigned long)open_most,
           (unsigned long)again_n);
    for (size_t i = 0, from = 0; i <= call_n; i++) {
        int64_t s = (calls[from].due + begin) / 1000000000;
        if (i < call_n && (calls[i].due + begin) / 1000000000 == s)
            continue;
        if (i > from) {
            printf("%s{\"second\": %ld, ", from ? ", " : "", (long)s);
            say(from, i);
        }
        from = i;
        if (i == call_n)
            break;
    }
    printf("], \"windows\": [");
    for (int w = 0; w < window_count; w++) {
        printf("%s{\"from\": %g, \"to\": %g, ", w ? ", " : "", windows[w][0], windows[w][1]);
        say(first_due(windows[w][0]), first_due(windows[w][1]));
    }
    printf("]}\n");
}

static bool take_windows(char *text)
{
    for (char *w = strtok_r(text, ",", &text); w; w = strtok_r(NULL, ",", &text)) {
        if (window_count == WINDOWS ||
            sscanf(w, "%lf:%lf", &windows[window_count][0], &windows[window_count][1]) != 2)
            return false;
        window_count++;
    }
    return true;
}

static int take_options(int argc, char **argv)
{
    static const struct option known[] = {
        { "seed", required_argument, NULL, 's' },    { "patience", required_argument, NULL, 'p' },
        { "short", required_argument, NULL, 'c' },   { "post", required_argument, NULL, 'm' },
        { "body", required_argument, NULL, 'b' },    { "path", required_argument, NULL, 'u' },
        { "windows", required_argument, NULL, 'w' }, { NULL, 0, NULL, 0 }
    };
    bool good = true;

    for (int o; (o = getopt_long(argc, argv, "+", known, NULL)) != -1;) {
        switch (o) {
        case 's': random_state = strtoull(optarg, NULL, 10); break;
        case 'p': patience_ms = atof(optarg); break;
        case 'c': short_share = atof(optarg); break;
        case 'm': post_share = atof(optarg); break;
        case 'b': body_n = strtoul(optarg, NULL, 10); break;
        case 'u': path = optarg; break;
        case 'w': good &= take_windows(optarg); break;
        default: return 0;
        }
    }
    return good && argc - optind == 3 && body_n <= BODY_MAX ? optind : 0;
}

int main(int argc, char **argv)
{
    int at = take_options(argc, argv);

    if (!at) {
        fprintf(stderr, "usage: callers [--seed N] [--patience MS] [--short SHARE] [--post SHARE] "
                        "[--body BYTES] "
                        "[--path PATH] [--windows FROM:TO,...] PORT RATE SECONDS\n");
        return 2;
    }
    port = atoi(argv[at]);
    rate = atof(argv[at + 1]);
    run_s = atof(argv[at + 2]);
    call_room = (size_t)(rate * run_s * 1.2 + 10000);
    if (!(calls = calloc(call_room, sizeof(calls[0]))) || !(body = malloc(body_n + 1)))
        fail("calloc");
    memset(body, 'b', body_n);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    begin = now_ns();
    printf("{\"begin_ns\": %ld}\n", (long)begin);
    fflush(stdout);
    run();
    say_all();
    return 0;
}
