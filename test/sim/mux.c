/* SPDX-License-Identifier: Apache-2.0 */
/* mux.c - a codec in the shape of HTTP/2, to prove the seam before HTTP/2 exists: one connection from a
 * client carries several exchanges at once, their parts interleaved. It uses nothing but leg.h.
 * A frame is 8 bytes of head and a payload:  type, stream, 0, 0, size (4 bytes, big endian)
 *     to us:   H head (text of an HTTP/1 head)   D data   E end
 *     from us: h head (3 digits of status, the id of X-Id behind a space)   d data   e end   r reset
 * Credit of a stream is one data frame: the client sends the next one when it gets a `c` frame. */
#include "kit.h"

#include "plane/http/exchange.h"
#include "proto/http1.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MUX_STREAMS = 8,
    MUX_PAYLOAD_MAX = 80 * 1024,
    MUX_HEAD = 8,
};

struct mux_stream {
    struct leg *leg;
    bool waiting; /* a send of this stream waits for its turn */
    struct http_part part;
    bool reset;  /* tell the client */
    bool credit; /* tell the client */
    bool part_under_way;
};

/* evenkeel's side of a connection. */
struct mux_down {
    struct leg_peer peer;
    struct conn conn;
    struct link link;
    struct list *home;
    struct http_edge *edge;
    struct mux_stream streams[MUX_STREAMS];
    char in[MUX_HEAD + MUX_PAYLOAD_MAX];
    size_t in_n;
    char out[128];
    bool busy;
    int sending; /* stream whose part is under way, or -1 */
    bool open;
    char *lent[MUX_STREAMS]; /* request data lent to the listener until its credit */
};

/* The client's side. */
struct mux_client {
    struct conn conn;
    struct sim *sim;
    struct plan plans[MUX_STREAMS];
    bool active[MUX_STREAMS];
    size_t sent_body[MUX_STREAMS];
    size_t seen[MUX_STREAMS];
    unsigned status[MUX_STREAMS];
    unsigned streams;
    unsigned rounds;
    unsigned most_at_once;
    char in[MUX_HEAD + MUX_PAYLOAD_MAX];
    size_t in_n;
    struct str queue; /* frames that wait for the send under way */
    char *out;
    bool sending;
    bool open;
};

struct mux {
    struct list downs;
    struct mux_client *client;
};

static struct mux *mux_of(struct sim *s)
{
    if (!s->mux) {
        struct mux *m = calloc(1, sizeof(*m));
        check(m != NULL);
        list_init(&m->downs);
        s->mux = m;
    }
    return s->mux;
}

static void put_frame_head(char *to, char type, unsigned stream, size_t n)
{
    to[0] = type;
    to[1] = (char)stream;
    to[2] = to[3] = 0;
    to[4] = (char)(n >> 24);
    to[5] = (char)(n >> 16);
    to[6] = (char)(n >> 8);
    to[7] = (char)n;
}

static size_t frame_size(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (size_t)u[4] << 24 | (size_t)u[5] << 16 | (size_t)u[6] << 8 | u[7];
}

/* ---- evenkeel's side: sending */

static void go_on(struct mux_down *d);

static struct iovec bytes_of(const char *p, size_t n)
{
    return (struct iovec){ (void *)(uintptr_t)p, n };
}

/* What a stream has to say now, as pieces; 0: nothing. */
static size_t put_pieces(struct mux_down *d, unsigned number, struct iovec *pieces)
{
    struct mux_stream *st = &d->streams[number];
    size_t count = 0;
    size_t at = 0;

    st->part_under_way = st->waiting;
    if (st->credit) {
        put_frame_head(d->out + at, 'c', number, 0);
        at += MUX_HEAD;
        st->credit = false;
    }
    if (st->reset) {
        put_frame_head(d->out + at, 'r', number, 0);
        at += MUX_HEAD;
        st->reset = false;
    }
    if (st->waiting && st->part.head) {
        const struct http_head *h = st->part.head;
        unsigned id = 0;
        for (uint32_t i = 0; i < h->field_count; i++) {
            if (span_equal_nocase(field_name(&h->fields[i]), SPAN("x-id")))
                id = (unsigned)atoi(h->fields[i].value);
        }
        int n = sprintf(d->out + at + MUX_HEAD, "%u %u", h->status, id);
        put_frame_head(d->out + at, 'h', number, (size_t)n);
        at += MUX_HEAD + (size_t)n;
    }
    if (st->waiting && st->part.data.n) {
        put_frame_head(d->out + at, 'd', number, st->part.data.n);
        at += MUX_HEAD;
    }
    if (at > 0)
        pieces[count++] = bytes_of(d->out, at);
    if (st->waiting && st->part.data.n)
        pieces[count++] = bytes_of(st->part.data.p, st->part.data.n);
    if (st->waiting && st->part.end) {
        put_frame_head(d->out + at, 'e', number, 0);
        pieces[count++] = bytes_of(d->out + at, MUX_HEAD);
    }
    st->waiting = false;
    return count;
}

/* One send at a time; the streams take turns. */
static void go_on(struct mux_down *d)
{
    struct iovec pieces[CONN_IOV_MAX];

    for (unsigned i = 1; i <= MUX_STREAMS && d->open && !d->busy; i++) {
        unsigned number = ((unsigned)(d->sending + MUX_STREAMS) + i) % MUX_STREAMS;
        struct mux_stream *st = &d->streams[number];
        if (!st->waiting && !st->reset && !st->credit)
            continue;
        size_t count = put_pieces(d, number, pieces);
        d->sending = (int)number;
        if (count == 0)
            continue;
        d->busy = true;
        conn_send(&d->conn, pieces, count);
    }
}

static void part_done(struct mux_down *d)
{
    struct mux_stream *st = &d->streams[d->sending];

    d->busy = false;
    if (st->part_under_way && st->leg) {
        st->part_under_way = false;
        st->leg->events->sent(st->leg);
    }
}

/* Always answered later, from the loop: with several streams on one connection nobody can be sure. */
static bool leg_send(struct leg *l, const struct http_part *part)
{
    struct mux_down *d = l->carrier;
    struct mux_stream *st = &d->streams[l->stream];

    check(!st->waiting && !st->part_under_way);
    st->part = *part;
    st->waiting = true;
    conn_resume(&d->conn);
    return false;
}

static void leg_credit(struct leg *l)
{
    struct mux_down *d = l->carrier;

    free(d->lent[l->stream]);
    d->lent[l->stream] = NULL;
    d->streams[l->stream].credit = true;
    conn_resume(&d->conn);
}

static void leg_release(struct leg *l, bool whole)
{
    struct mux_down *d = l->carrier;
    struct mux_stream *st = &d->streams[l->stream];

    free(d->lent[l->stream]);
    d->lent[l->stream] = NULL;
    st->leg = NULL;
    st->waiting = false;
    st->reset = !whole;
    if (!whole && d->open)
        conn_resume(&d->conn);
}

static const struct leg_ops leg_ops = { .send = leg_send,
                                        .credit = leg_credit,
                                        .release = leg_release };

/* ---- evenkeel's side: receiving */

static void begin_stream(struct mux_down *d, unsigned number, const char *payload, size_t n)
{
    struct http1_limits limits = { MUX_PAYLOAD_MAX, 8192, 100 };
    struct http_head head;
    struct leg *l = d->edge->source.open(d->edge->source.owner, d->edge->reactor->polled);

    check(l != NULL && !d->streams[number].leg);
    l->ops = &leg_ops;
    l->carrier = d;
    l->stream = number;
    l->peer = &d->peer;
    d->streams[number] = (struct mux_stream){ .leg = l };
    char *copy = scratch_take(l->memory, n);
    struct http_field *fields = scratch_take(l->memory, 100 * sizeof(*fields));
    check(copy && fields);
    memcpy(copy, payload, n);
    enum http1_reason r = http1_parse_request(span_of(copy, n), &limits, fields, &head);
    check(r == HTTP1_GOOD);
    struct http_part part = { .head = &head, .end = head.body == HTTP_BODY_NONE };
    l->events->part(l, &part);
}

static void take_frame(struct mux_down *d, const char *p, size_t n)
{
    unsigned number = (unsigned char)p[1];
    struct leg *l = d->streams[number].leg;
    struct http_part part = {};

    if (p[0] == 'H') {
        begin_stream(d, number, p + MUX_HEAD, n);
        return;
    }
    if (!l)
        return; /* ended on our side already; what was on its way is dropped */
    if (p[0] == 'D') {
        check(!d->lent[number]);
        d->lent[number] = malloc(n);
        check(d->lent[number] != NULL);
        memcpy(d->lent[number], p + MUX_HEAD, n);
        part.data = span_of(d->lent[number], n);
    } else {
        part.end = true;
    }
    l->events->part(l, &part);
}

static struct mux_down *down_of(struct conn *c)
{
    return container_of(c, struct mux_down, conn);
}

static struct lent down_lend(struct conn *c)
{
    struct mux_down *d = down_of(c);
    return (struct lent){ d->in + d->in_n, sizeof(d->in) - d->in_n };
}

static void down_received(struct conn *c, size_t n)
{
    struct mux_down *d = down_of(c);

    d->in_n += n;
    while (d->open && d->in_n >= MUX_HEAD && d->in_n >= MUX_HEAD + frame_size(d->in)) {
        size_t size = MUX_HEAD + frame_size(d->in);
        take_frame(d, d->in, size - MUX_HEAD);
        memmove(d->in, d->in + size, d->in_n - size);
        d->in_n -= size;
    }
    if (d->open) {
        conn_receive(c);
        go_on(d);
    }
}

static void down_lost(struct conn *c)
{
    struct mux_down *d = down_of(c);

    if (!d->open)
        return;
    d->open = false;
    for (unsigned i = 0; i < MUX_STREAMS; i++) {
        struct leg *l = d->streams[i].leg;
        d->streams[i].leg = NULL;
        if (l)
            l->events->gone(l, ENDING_client_gone);
        free(d->lent[i]);
        d->lent[i] = NULL;
    }
    conn_close(c);
}

static void down_failed(struct conn *c, int error)
{
    (void)error;
    down_lost(c);
}

static void down_sent(struct conn *c)
{
    part_done(down_of(c));
    go_on(down_of(c));
}

static void down_resumed(struct conn *c)
{
    go_on(down_of(c));
}

static void down_never(struct conn *c)
{
    (void)c;
    never("evenkeel's side does not connect");
}

static void down_released(struct conn *c)
{
    struct mux_down *d = down_of(c);

    list_remove(d->home, &d->link);
    free(d);
}

static const struct conn_handler down_handler = {
    .lend = down_lend,
    .received = down_received,
    .ended = down_lost,
    .sent = down_sent,
    .connected = down_never,
    .resumed = down_resumed,
    .failed = down_failed,
    .hung_up = down_lost,
    .released = down_released,
};

static bool may_accept(struct port *p)
{
    (void)p;
    return true;
}

static bool accepted(struct port *p, const struct accepted *a)
{
    struct sim *s = p->owner;
    struct mux_down *d = calloc(1, sizeof(*d));

    check(d != NULL);
    d->edge = &s->edges[p->reactor->index];
    d->home = &mux_of(s)->downs;
    d->open = true;
    list_append(d->home, &d->link);
    conn_open(&d->conn, p->reactor, &down_handler, a);
    conn_receive(&d->conn);
    return true;
}

static const struct port_handler port_handler = { .may_accept = may_accept, .accepted = accepted };

void mux_listen(struct sim *s, unsigned worker)
{
    s->mux_ports[worker] = (struct port){ .address = s->mux_front };
    port_start(&s->mux_ports[worker], &s->worker_reactors[worker], &port_handler, s);
}

/* ---- the client's side */

static struct mux_client *client_of(struct conn *c)
{
    return container_of(c, struct mux_client, conn);
}

static void flush(struct mux_client *c)
{
    if (c->sending || c->queue.n == 0 || !c->open)
        return;
    c->out = c->queue.p;
    struct iovec piece = { c->queue.p, c->queue.n };
    c->queue = str_growing();
    c->sending = true;
    conn_send(&c->conn, &piece, 1);
}

static void say(struct mux_client *c, char type, unsigned stream, struct span payload)
{
    char head[MUX_HEAD];

    put_frame_head(head, type, stream, payload.n);
    str_put(&c->queue, span_of(head, MUX_HEAD));
    str_put(&c->queue, payload);
}

static void begin_request(struct mux_client *c, unsigned number)
{
    struct plan *p = &c->plans[number];
    char head[512];
    char plan[256];

    *p = (struct plan){ .id = ++c->sim->next_id, .status = 200 };
    p->sent = sim_now(c->sim->world);
    p->delay_ms = (unsigned)pick(c->sim, 20);
    p->size = (size_t)pick(c->sim, 60000);
    p->framing = (enum framing)pick(c->sim, 2);
    p->journey = (unsigned)pick(c->sim, KIT_JOURNEYS);
    p->body = one_in(c->sim, 2) ? (size_t)pick(c->sim, 40000) : 0;
    plan_write(p, plan, sizeof(plan));
    static const char *const paths[KIT_JOURNEYS] = { "/browse/m", "/checkout", "/else" };
    char length[64] = "";
    if (p->body)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", p->body);
    int n = snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: mux\r\n%s%s\r\n",
                     p->body ? "POST" : "GET", paths[p->journey], plan, length);
    c->active[number] = true;
    c->sent_body[number] = c->seen[number] = 0;
    c->status[number] = 0;
    say(c, 'H', number, span_of(head, (size_t)n));
}

static void begin_round(struct mux_client *c)
{
    c->rounds--;
    for (unsigned i = 0; i < c->streams; i++)
        begin_request(c, i);
    flush(c);
}

static void send_body(struct mux_client *c, unsigned number)
{
    static char data[MUX_PAYLOAD_MAX];
    struct plan *p = &c->plans[number];
    size_t n = p->body - c->sent_body[number];

    if (n > 0) {
        n = n > 5000 ? 5000 : n;
        for (size_t k = 0; k < n; k++)
            data[k] = pattern_byte(p->id, c->sent_body[number] + k);
        c->sent_body[number] += n;
        say(c, 'D', number, span_of(data, n));
    } else if (p->body) {
        say(c, 'E', number, span_of("", 0));
    }
}

static unsigned count_active(const struct mux_client *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < MUX_STREAMS; i++)
        n += c->active[i];
    return n;
}

static void take_answer(struct mux_client *c, const char *f, size_t n)
{
    unsigned number = (unsigned char)f[1];
    struct plan *p = &c->plans[number];
    unsigned id;

    switch (f[0]) {
    case 'h': {
        char text[64] = "";
        memcpy(text, f + MUX_HEAD, n < 63 ? n : 63);
        if (sscanf(text, "%u %u", &c->status[number], &id) != 2 || id != p->id)
            sim_fail(c->sim, "stream %u got the answer of request %u, not %u", number, id, p->id);
        break;
    }
    case 'd':
        for (size_t k = 0; k < n; k++) {
            if (f[MUX_HEAD + k] != pattern_byte(p->id, c->seen[number] + k)) {
                sim_fail(c->sim, "stream %u: a byte of another answer", number);
                break;
            }
        }
        c->seen[number] += n;
        break;
    case 'c': send_body(c, number); break;
    case 'e':
        if (count_active(c) > c->most_at_once)
            c->most_at_once = count_active(c);
        c->active[number] = false;
        SIM_CHECK(c->sim, c->seen[number] == p->size, "stream %u: %zu of %zu bytes", number,
                  c->seen[number], p->size);
        c->sim->tally.n[p->journey]
                       [sure_of_answer(p, c->status[number], sim_now(c->sim->world) - p->sent)]++;
        c->sim->answers++;
        break;
    default: sim_fail(c->sim, "stream %u was broken off", number);
    }
}

static struct lent client_lend(struct conn *conn)
{
    struct mux_client *c = client_of(conn);
    return (struct lent){ c->in + c->in_n, sizeof(c->in) - c->in_n };
}

static void client_received(struct conn *conn, size_t n)
{
    struct mux_client *c = client_of(conn);

    c->in_n += n;
    while (c->in_n >= MUX_HEAD && c->in_n >= MUX_HEAD + frame_size(c->in)) {
        size_t size = MUX_HEAD + frame_size(c->in);
        take_answer(c, c->in, size - MUX_HEAD);
        memmove(c->in, c->in + size, c->in_n - size);
        c->in_n -= size;
    }
    if (count_active(c) == 0 && c->rounds > 0)
        begin_round(c);
    flush(c);
    if (count_active(c) == 0 && c->rounds == 0) {
        SIM_CHECK(c->sim, c->most_at_once >= 2, "never two exchanges at once");
        c->open = false;
        conn_close(conn);
        return;
    }
    conn_receive(conn);
}

static void client_lost(struct conn *conn)
{
    struct mux_client *c = client_of(conn);

    if (c->open)
        conn_close(conn);
    c->open = false;
}

static void client_failed(struct conn *conn, int error)
{
    (void)error;
    client_lost(conn);
}

static void client_sent(struct conn *conn)
{
    struct mux_client *c = client_of(conn);

    free(c->out);
    c->out = NULL;
    c->sending = false;
    flush(c);
}

static void client_connected(struct conn *conn)
{
    conn_receive(conn);
    begin_round(client_of(conn));
}

static void client_resumed(struct conn *conn)
{
    (void)conn;
}

static void client_released(struct conn *conn)
{
    client_of(conn)->sim->clients_running--;
}

static const struct conn_handler client_handler = {
    .lend = client_lend,
    .received = client_received,
    .ended = client_lost,
    .sent = client_sent,
    .connected = client_connected,
    .resumed = client_resumed,
    .failed = client_failed,
    .hung_up = client_lost,
    .released = client_released,
};

void mux_client_start(struct sim *s, unsigned streams, unsigned rounds)
{
    struct mux_client *c = calloc(1, sizeof(*c));

    check(c != NULL && streams <= MUX_STREAMS && !mux_of(s)->client);
    mux_of(s)->client = c;
    *c = (struct mux_client){ .sim = s, .streams = streams, .rounds = rounds, .open = true };
    c->queue = str_growing();
    s->clients_running++;
    conn_connect(&c->conn, &s->client_reactor, &client_handler, &s->mux_front);
}

void mux_cut(struct sim *s)
{
    struct mux *m = s->mux;

    if (m && m->client)
        client_lost(&m->client->conn);
    for (struct link *k = m ? m->downs.head.next : NULL; m && k != &m->downs.head; k = k->next)
        down_lost(&container_of(k, struct mux_down, link)->conn);
    for (unsigned i = 0; i < KIT_WORKERS; i++)
        port_stop(&s->mux_ports[i]);
}

void mux_free(struct sim *s)
{
    struct mux *m = s->mux;

    if (m && m->client) {
        free(m->client->out);
        str_free(&m->client->queue);
        free(m->client);
    }
    free(m);
    s->mux = NULL;
}
