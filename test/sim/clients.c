/* SPDX-License-Identifier: Apache-2.0 */
/* clients.c - scripted clients: they send what their plans say, check every byte of what comes back, and
 * tally what evenkeel must have counted. */
#include "kit.h"

#include "proto/http1.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    PIPELINE_MAX = 16,
    IN_MAX = 32 * 1024,
};

struct client {
    struct conn conn;
    struct link link;
    struct sim *sim;
    struct client_script script;
    struct timer think;
    struct timer pause; /* of a slow reader */
    bool connected;
    bool open;
    bool finished;

    struct plan plans[PIPELINE_MAX]; /* sent, not yet answered; oldest first */
    unsigned outstanding;
    unsigned left; /* still to be sent */

    char *out;
    size_t out_n;
    bool sending;
    bool abort_after; /* close once what is being sent has gone */

    char in[IN_MAX + 1];
    size_t in_n;
    bool head_read;
    unsigned status;
    bool own;         /* the answer is evenkeel's own: it has no X-Id */
    unsigned pattern; /* of the body: the id, or as the instance marked it */
    struct http1_body body;
    size_t body_seen;
    bool last; /* this connection ends after this answer */
};

static const char *const paths[KIT_JOURNEYS] = { "/browse/x", "/checkout", "/else" };

size_t plan_write(const struct plan *p, char *to, size_t size)
{
    return (size_t)snprintf(to, size, "X-Plan: %u %u %u %u %zu %u %u %zu %u %u %u %u %u\r\n", p->id,
                            p->head, p->status, p->delay_ms, p->size, p->framing, p->trouble,
                            p->body, p->malformed, p->journey, p->put, p->drip_ms, p->events);
}

bool plan_read(const char *head, struct plan *ret_plan)
{
    const char *at = strcasestr(head, "\r\nx-plan: ");
    unsigned is_head;
    unsigned framing;
    unsigned trouble;
    unsigned malformed;
    unsigned put;
    unsigned events;

    *ret_plan = (struct plan){};
    if (!at || sscanf(at + 10, "%u %u %u %u %zu %u %u %zu %u %u %u %u %u", &ret_plan->id, &is_head,
                      &ret_plan->status, &ret_plan->delay_ms, &ret_plan->size, &framing, &trouble,
                      &ret_plan->body, &malformed, &ret_plan->journey, &put, &ret_plan->drip_ms,
                      &events) != 13)
        return false;
    ret_plan->head = is_head;
    ret_plan->framing = (enum framing)framing;
    ret_plan->trouble = (enum trouble)trouble;
    ret_plan->malformed = malformed;
    ret_plan->put = put;
    ret_plan->events = events;
    return true;
}

/* ---- what must have been counted */

enum sure sure_of_answer(const struct plan *p, unsigned status, ns_t took)
{
    if (p->malformed)
        return SURE_NOTHING;
    if (status >= 500)
        return SURE_FAILED;
    if (status >= 400)
        return SURE_EXCLUDED;
    if (p->delay_ms > KIT_SLOW_MS)
        return SURE_SLOW;
    return took < KIT_SLOW_MS * NS_PER_MS ? SURE_GOOD : UNSURE;
}

enum sure sure_of_break(const struct plan *p)
{
    if (p->malformed)
        return SURE_NOTHING;
    if (p->trouble == TROUBLE_RESET)
        return SURE_FAILED;
    return UNSURE;
}

static bool is_idempotent(const struct plan *p)
{
    return !p->body || p->put;
}

/* The client wanted an answer and got none, or a bad one. */
static void note_bad(struct client *c, const struct plan *p)
{
    if (is_idempotent(p))
        c->sim->bad_idempotent++;
    else
        c->sim->bad_others++;
}

static void count(struct client *c, const struct plan *p, enum sure sure)
{
    static const char *const words[SURES] = { "good",     "slow",        "failed",
                                              "excluded", "not counted", "unsure" };

    if (c->script.unsure && sure != SURE_NOTHING)
        sure = UNSURE;
    c->sim->tally.n[p->journey][sure]++;
    sim_trace(c->sim->world, "client: request %u is %s", p->id, words[sure]);
}

/* ---- sending */

static size_t put_body(char *to, const struct plan *p, size_t n)
{
    size_t at = 0;

    if (!p->body_chunked) {
        for (size_t k = 0; k < n; k++)
            to[at++] = pattern_byte(p->id, k);
        return at;
    }
    for (size_t done = 0; done < n;) {
        size_t piece = 1 + (p->id * 13 + done) % 3000;
        if (piece > n - done)
            piece = n - done;
        at += (size_t)sprintf(to + at, "%zx\r\n", piece);
        for (size_t k = 0; k < piece; k++)
            to[at++] = pattern_byte(p->id, done + k);
        at += (size_t)sprintf(to + at, "\r\n");
        done += piece;
    }
    if (n == p->body)
        at += (size_t)sprintf(to + at, "0\r\n\r\n");
    return at;
}

static size_t put_request(char *to, const struct plan *p)
{
    const char *method = p->put ? "PUT" : p->body ? "POST" : p->head ? "HEAD" : "GET";
    size_t at = (size_t)sprintf(to, "%s %s?id=%u HTTP/1.%d\r\nhOST: shop.example\r\n", method,
                                paths[p->journey], p->id, !p->http10);

    at += plan_write(p, to + at, 256);
    at += (size_t)sprintf(to + at, "X-Hop: secret\r\nConnection: x-hop%s\r\n",
                          p->http10 ? ", keep-alive" : "");
    if (p->malformed)
        at += (size_t)sprintf(to + at, "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n");
    if (p->cookie)
        at += (size_t)sprintf(to + at, "Cookie: theme=dark; user=%u\r\n", p->cookie);
    if (p->timeout_ms)
        at += (size_t)sprintf(to + at, "Evenkeel-Timeout: %u\r\n", p->timeout_ms);
    if (p->body && p->body_chunked)
        at += (size_t)sprintf(to + at, "Transfer-Encoding: chunked\r\n");
    else if (p->body)
        at += (size_t)sprintf(to + at, "Content-Length: %zu\r\n", p->body);
    at += (size_t)sprintf(to + at, "\r\n");
    return at + put_body(to + at, p, p->abort == ABORT_IN_BODY ? p->body / 2 : p->body);
}

static void client_connect(struct client *c);

static void client_close(struct client *c)
{
    struct reactor *r = &c->sim->client_reactor;

    if (!c->open)
        return;
    c->open = false;
    timer_drop(&r->timers, &c->think);
    timer_drop(&r->timers, &c->pause);
    conn_close(&c->conn);
}

/* The connection is lost: nothing more comes for what was sent on it. */
static void lost(struct client *c)
{
    for (unsigned i = 0; i < c->outstanding; i++) {
        enum sure sure = i == 0 ? sure_of_break(&c->plans[i]) : UNSURE;
        if (c->plans[i].malformed)
            sure = SURE_NOTHING;
        note_bad(c, &c->plans[i]);
        count(c, &c->plans[i], sure);
    }
    c->outstanding = 0;
    client_close(c);
}

/* The client goes on purpose. In the middle of its body, or while the instance still thinks, nothing can
 * have been answered. */
static void walk_away(struct client *c)
{
    for (unsigned i = 0; i < c->outstanding; i++)
        count(c, &c->plans[i], i == 0 && c->plans[0].abort != ABORT_NONE ? SURE_EXCLUDED : UNSURE);
    c->outstanding = 0;
    client_close(c);
}

static void send_more(struct client *c);

static void sent(struct client *c)
{
    c->sending = false;
    free(c->out);
    c->out = NULL;
    c->out_n = 0;
    if (c->abort_after) {
        /* leave once evenkeel must have read what was sent, long before an answer can be there */
        timer_set(&c->sim->client_reactor.timers, &c->think,
                  sim_now(c->sim->world) + 400 * NS_PER_MS);
        return;
    }
    send_more(c);
}

/* Behind what is to be sent already. */
static void add_request(struct client *c)
{
    struct plan *p = &c->plans[c->outstanding++];

    *p = (struct plan){ .id = ++c->sim->next_id, .status = 200 };
    c->script.plan(c->sim, p);
    p->sent = sim_now(c->sim->world);
    check(p->id < KIT_IDS);
    c->sim->seen[p->id].sent = p->sent;
    c->left--;
    c->out = realloc(c->out, c->out_n + p->body + p->body / 2 + 4096);
    check(c->out != NULL);
    c->out_n += put_request(c->out + c->out_n, p);
    c->abort_after = p->abort != ABORT_NONE;
    if (c->abort_after) /* also when not all of it can be sent: what was must have been read by then */
        timer_set(&c->sim->client_reactor.timers, &c->think,
                  sim_now(c->sim->world) + 400 * NS_PER_MS);
    sim_trace(c->sim->world, "client: request %u for %s, body %zu, answer %u with %zu bytes", p->id,
              paths[p->journey], p->body, p->status, p->size);
}

/* Pipelined requests must be safe to lose together: only the last may be peculiar. */
static bool may_follow(const struct client *c)
{
    const struct plan *p = c->outstanding ? &c->plans[c->outstanding - 1] : NULL;

    if (!p)
        return true;
    return c->outstanding < c->script.pipeline &&
           (p->trouble == TROUBLE_NONE || p->trouble == TROUBLE_DRIP) && !p->malformed &&
           p->abort == ABORT_NONE && !p->http10;
}

static void send_more(struct client *c)
{
    if (!c->connected || !c->open || c->sending)
        return;
    while (!c->last && c->left > 0 && may_follow(c))
        add_request(c);
    if (!c->out)
        return;
    struct iovec piece = { c->out, c->out_n };
    c->sending = true;
    conn_send(&c->conn, &piece, 1);
}

static void on_think(struct timer *t)
{
    struct client *c = container_of(t, struct client, think);

    if (c->abort_after)
        walk_away(c);
    else if (c->connected)
        send_more(c);
}

static void think(struct client *c)
{
    ns_t pause = c->script.think_ms ? (ns_t)pick(c->sim, c->script.think_ms + 1) * NS_PER_MS : 0;

    pause += c->script.pause_ms * NS_PER_MS;
    timer_set(&c->sim->client_reactor.timers, &c->think, sim_now(c->sim->world) + pause);
}

/* ---- reading answers */

static struct lent on_lend(struct conn *conn)
{
    struct client *c = container_of(conn, struct client, conn);
    size_t room = IN_MAX - c->in_n;

    return (struct lent){ c->in + c->in_n,
                          c->script.read_size < room ? c->script.read_size : room };
}

/* The head timeout of an instance that never answers, and what the network may add. */
#define PATIENCE (31 * NS_PER_S)

static void answered(struct client *c)
{
    struct plan p = c->plans[0];
    ns_t took = sim_now(c->sim->world) - p.sent;

    c->sim->answers++;
    c->outstanding--;
    memmove(c->plans, c->plans + 1, c->outstanding * sizeof(c->plans[0]));
    c->head_read = false;
    if (c->status == p.status && !c->own && c->body.kind != HTTP_BODY_NONE)
        SIM_CHECK(c->sim, c->body_seen == p.size, "request %u: %zu of %zu answer bytes came", p.id,
                  c->body_seen, p.size);
    SIM_CHECK(c->sim, c->script.unsure || p.trouble != TROUBLE_STALL || took < PATIENCE,
              "request %u was given up only after %d ms", p.id, (int)(took / NS_PER_MS));
    SIM_CHECK(c->sim, !c->sim->patience_ms || took < (ns_t)c->sim->patience_ms * NS_PER_MS,
              "request %u waited for %d ms", p.id, (int)(took / NS_PER_MS));
    if (c->status >= 500)
        note_bad(c, &p);
    if (c->sim->on_answer)
        c->sim->on_answer(c->sim, &p, c->status, took);
    count(c, &p, sure_of_answer(&p, c->status, took));
    if (c->outstanding == 0 && c->left == 0)
        client_close(c);
    else if (c->outstanding == 0 && !c->last)
        think(c);
}

static bool read_head(struct client *c)
{
    struct http1_limits limits = { IN_MAX, 8192, 100 };
    struct http1_scan scan = {};
    struct http_field fields[100];
    struct http_head head;
    enum http1_reason why = HTTP1_GOOD;
    size_t size;

    if (http1_scan_head(&scan, span_of(c->in, c->in_n), &limits, &size, &why) != HTTP1_COMPLETE) {
        SIM_CHECK(c->sim, why == HTTP1_GOOD, "a client got a malformed head");
        return false;
    }
    const struct plan *p = &c->plans[0];
    if (c->outstanding == 0) {
        sim_fail(c->sim, "a client got an answer that it did not ask for");
        return false;
    }
    if (http1_parse_answer(span_of(c->in, size), &limits, p->head, fields, &head) != HTTP1_GOOD) {
        sim_fail(c->sim, "request %u: the answer's head is malformed", p->id);
        return false;
    }
    char *copy = strndup(c->in, size);
    const char *id = strcasestr(copy, "\r\nx-id: ");
    if (id && (unsigned)atoi(id + 8) != p->id)
        sim_fail(c->sim, "request %u got the answer of request %d", p->id, atoi(id + 8));
    c->own = !id;
    const char *mark = strcasestr(copy, "\r\nx-mark: ");
    c->pattern = mark ? marked(p->id, (unsigned)atoi(mark + 10)) : p->id;
    SIM_CHECK(c->sim, !strcasestr(copy, "x-hop"), "request %u: hop-by-hop field came back", p->id);
    SIM_CHECK(c->sim, id || head.status >= 400, "request %u: an answer without its id", p->id);
    SIM_CHECK(c->sim, !id || head.status == p->status, "request %u: status %u instead of %u", p->id,
              head.status, p->status);
    free(copy);
    memmove(c->in, c->in + size, c->in_n - size);
    c->in_n -= size;
    c->status = head.status;
    c->last = !head.keep_alive;
    c->head_read = true;
    c->body_seen = 0;
    http1_body_begin(&c->body, &head);
    return true;
}

/* What is meant to be seen as it comes does come: byte number `at` was sent with its piece. */
static void check_drip(struct client *c, size_t at)
{
    const struct plan *p = &c->plans[0];
    const ns_t most = 100 * NS_PER_MS;
    ns_t sent = c->sim->seen[p->id].began + (ns_t)(at / DRIP_SIZE) * p->drip_ms * NS_PER_MS;
    ns_t late = sim_now(c->sim->world) - sent;

    SIM_CHECK(c->sim, p->trouble != TROUBLE_DRIP || c->script.read_pause_ms || late < most,
              "request %u: byte %zu of what trickles is %d ms late", p->id, at,
              (int)(late / NS_PER_MS));
}

static void check_body(struct client *c, const char *data, size_t n)
{
    const struct plan *p = &c->plans[0];

    if (n > 0 && c->status == p->status)
        check_drip(c, c->body_seen);

    /* our own refusals have a text of their own */
    for (size_t k = 0; k < n && c->status == p->status &&
                       (p->trouble == TROUBLE_NONE || p->trouble == TROUBLE_DRIP) &&
                       !p->malformed && c->status < 502;
         k++) {
        if (data[k] != pattern_byte(c->pattern, c->body_seen + k)) {
            sim_fail(c->sim, "request %u: byte %zu of the answer is wrong", p->id,
                     c->body_seen + k);
            return;
        }
    }
    c->body_seen += n;
}

/* True when an answer was completed and more may be in the buffer. */
static bool read_body(struct client *c)
{
    size_t used = 0;
    size_t data = 0;

    if (http1_body_read(&c->body, c->in, c->in_n, &used, &data) != HTTP1_GOOD) {
        sim_fail(c->sim, "request %u: the answer's body is malformed", c->plans[0].id);
        return false;
    }
    check_body(c, c->in, data);
    memmove(c->in, c->in + used, c->in_n - used);
    c->in_n -= used;
    if (!c->body.complete)
        return false;
    answered(c);
    return true;
}

static void read_answers(struct client *c)
{
    while (c->open && !c->sim->failure[0] && (c->head_read || read_head(c)) && read_body(c)) {
    }
    bool thinks = c->script.pause_ms || c->script.think_ms;
    if (c->open && (c->outstanding > 0 || !thinks)) /* else it thinks first */
        send_more(c);
}

static void on_pause(struct timer *t)
{
    struct client *c = container_of(t, struct client, pause);

    if (c->open)
        conn_receive(&c->conn);
}

static void on_received(struct conn *conn, size_t n)
{
    struct client *c = container_of(conn, struct client, conn);

    if (n == 0)
        return;
    c->in_n += n;
    read_answers(c);
    if (!c->open)
        return;
    if (c->script.read_pause_ms)
        timer_set(&c->sim->client_reactor.timers, &c->pause,
                  sim_now(c->sim->world) +
                      (ns_t)pick(c->sim, c->script.read_pause_ms + 1) * NS_PER_MS);
    else
        conn_receive(conn);
}

static void on_ended(struct conn *conn)
{
    struct client *c = container_of(conn, struct client, conn);

    if (c->head_read && c->body.kind == HTTP_BODY_UNTIL_CLOSE)
        answered(c);
    lost(c);
}

static void on_failed(struct conn *conn, int error)
{
    (void)error;
    lost(container_of(conn, struct client, conn));
}

static void on_hung_up(struct conn *conn)
{
    (void)conn; /* a slow reader reads on, to the end */
}

static void on_connected(struct conn *conn)
{
    struct client *c = container_of(conn, struct client, conn);

    c->connected = true;
    conn_receive(conn);
    send_more(c);
}

static void on_sent(struct conn *conn)
{
    struct client *c = container_of(conn, struct client, conn);

    sent(c);
}

static void on_resumed(struct conn *conn)
{
    (void)conn;
}

/* A connection has gone: the next one, or the end. */
static void on_released(struct conn *conn)
{
    struct client *c = container_of(conn, struct client, conn);

    free(c->out);
    c->out = NULL;
    c->out_n = 0;
    if (c->left > 0 && !c->sim->failure[0]) {
        client_connect(c);
        return;
    }
    c->finished = true;
    c->sim->clients_running--;
}

static const struct conn_handler handler = {
    .lend = on_lend,
    .received = on_received,
    .ended = on_ended,
    .sent = on_sent,
    .connected = on_connected,
    .resumed = on_resumed,
    .failed = on_failed,
    .hung_up = on_hung_up,
    .released = on_released,
};

static void client_connect(struct client *c)
{
    c->connected = c->sending = c->abort_after = c->head_read = c->last = false;
    c->in_n = 0;
    c->outstanding = 0;
    c->open = true;
    conn_connect(&c->conn, &c->sim->client_reactor, &handler,
                 c->script.dressed ? &c->sim->dressed_front : &c->sim->front);
    if (c->script.dressed)
        dress(&c->conn);
}

void client_start(struct sim *s, const struct client_script *script)
{
    struct client *c = calloc(1, sizeof(*c));

    check(c != NULL && script->pipeline <= PIPELINE_MAX);
    if (!s->clients) {
        s->clients = calloc(1, sizeof(struct list));
        list_init(s->clients);
    }
    list_append(s->clients, &c->link);
    c->sim = s;
    c->script = *script;
    c->left = script->requests;
    c->think.fire = on_think;
    c->pause.fire = on_pause;
    s->clients_running++;
    client_connect(c);
}

void clients_start(struct sim *s, unsigned clients, unsigned requests, unsigned think_ms,
                   void (*plan)(struct sim *s, struct plan *ret_plan))
{
    for (unsigned i = 0; i < clients; i++)
        client_start(s, &(struct client_script){ .requests = requests,
                                                 .pipeline = 1,
                                                 .think_ms = think_ms,
                                                 .read_size = 16384,
                                                 .plan = plan });
}

void clients_cut(struct sim *s)
{
    struct list *all = s->clients;

    for (struct link *k = all ? all->head.next : NULL; all && k != &all->head; k = k->next) {
        struct client *c = container_of(k, struct client, link);
        c->left = 0;
        client_close(c);
    }
}

void clients_free(struct sim *s)
{
    struct list *all = s->clients;

    while (all && !list_empty(all))
        free(container_of(list_pop(all), struct client, link));
    free(all);
    s->clients = NULL;
}
