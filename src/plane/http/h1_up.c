/* SPDX-License-Identifier: Apache-2.0 */
/* h1_up.c - requests out, answers in (RFC 9112). Read from the top: taking a connection, sending the
 * request, reading the answer, giving the connection back. */
#include "plane/http/h1_up.h"

#include "base/machine.h"
#include "io/filter.h"
#include "io/tls.h"
#include "plane/http/exchange.h"

#include <errno.h>

#define TO(state) (UINT32_C(1) << H1_UP_##state)

enum h1_up_deadline { DEADLINE_none, DEADLINE_idle };

static const struct machine_state states[H1_UP_STATE_COUNT] = {
#define X(name, next, deadline, words) [H1_UP_##name] = { #name, next, DEADLINE_##deadline, words },
    H1_UP_STATES(X)
#undef X
};

enum {
    INTERIM_MAX = 16
}; /* 1xx answers before the real one: an instance that sends more is broken */

struct h1_up {
    struct conn conn;
    struct link link;      /* in edge->up_list */
    struct link idle_link; /* in instance->idle */
    struct http_edge *edge;
    struct instance_state *instance;
    uint32_t slots; /* the instance's counters */
    struct timer timer;
    ns_t idle_time;
    ns_t rest;       /* so long it is kept unused */
    struct leg *leg; /* while CONNECTING or BUSY */
    enum h1_up_state state;

    char *buffer;      /* NULL: none is needed now */
    struct pool *from; /* whose it is: that says how large it is */
    bool filled;       /* the last receive left no room in it: more is waiting */
    uint32_t have;
    uint32_t used;

    struct http1_scan scan;
    struct http1_body body;
    unsigned interims;
    bool reused;
    bool head_read;    /* the answer's head has gone to the listener */
    bool answer_ended; /* and its end */
    bool keep_alive;   /* the instance's wish */
    bool to_head;      /* the request is a HEAD */
    bool chunked;      /* the request's body */
    bool tunnel;       /* bytes without framing, both ways */
    bool may_upgrade;  /* the request asks for it */
    bool no_memory;    /* told by the loop */
    bool request_sent; /* its end is with the kernel */
    bool ending;       /* the send under way is its end */
    bool wrote;        /* some byte of it is */
    char chunk_line[HTTP1_CHUNK_HEAD_MAX];
};

const size_t h1_up_size = sizeof(struct h1_up);

static const struct conn_handler handler;
static const struct leg_ops leg_ops;

static struct h1_up *of(struct conn *c)
{
    return container_of(c, struct h1_up, conn);
}

static void count(struct h1_up *u, enum instance_counter what)
{
    edge_count(u->edge, u->slots + what, 1);
}

static void move(struct h1_up *u, enum h1_up_state to)
{
    machine_check_move(states, u->state, to);
    u->state = to;
    ns_t when = states[to].deadline == DEADLINE_idle ? u->edge->reactor->now + u->rest : NS_NEVER;
    timer_set(&u->edge->reactor->timers, &u->timer, when);
}

static void give_buffer_back(struct h1_up *u)
{
    if (!u->buffer)
        return;
    pool_give(u->from, u->buffer);
    u->buffer = NULL;
    u->have = u->used = 0;
}

static void close_now(struct h1_up *u)
{
    if (u->state == H1_UP_CLOSED)
        return;
    check(!u->leg);
    if (u->state == H1_UP_IDLE)
        list_remove(&u->instance->idle, &u->idle_link);
    move(u, H1_UP_CLOSED);
    conn_close(&u->conn);
}

static void lose(struct h1_up *u, enum ending why)
{
    struct leg *l = u->leg;

    if (l) {
        u->leg = NULL;
        l->events->gone(l, why);
    }
    close_now(u);
}

/* ---- taking a connection */

static void carry(struct h1_up *u, struct leg *l)
{
    l->ops = &leg_ops;
    l->carrier = u;
    u->leg = l;
    u->scan = (struct http1_scan){};
    u->interims = 0;
    u->head_read = u->answer_ended = u->keep_alive = u->to_head = u->chunked = false;
    u->tunnel = u->may_upgrade = u->no_memory = false;
    u->request_sent = u->ending = u->wrote = false;
}

static struct h1_up *connect_new(struct http_edge *e, const struct instance *i,
                                 struct tls_client *tls, struct leg *l, ns_t idle_time)
{
    struct h1_up *u = pool_take(&e->ups);

    if (!u)
        return NULL;
    *u = (struct h1_up){ .edge = e,
                         .instance = e->instances[i->id],
                         .slots = i->slots,
                         .idle_time = idle_time,
                         .state = H1_UP_CONNECTING };
    carry(u, l);
    list_append(&e->up_list, &u->link);
    count(u, INSTANCE_CONNECTS);
    count(u, INSTANCE_CONNECTIONS);
    conn_connect(&u->conn, e->reactor, &handler, &i->address);
    if (tls)
        tls_dress_outgoing(&u->conn, tls, i->host.n ? i->host : i->text);
    return u;
}

static void on_deadline(struct timer *t)
{
    close_now(container_of(t, struct h1_up, timer));
}

/* The one used last. What has something to say already, bytes that nobody asked for or its end, would have
 * it taken for the answer to the request that we are about to send: it is closed instead. */
static struct h1_up *take_idle(struct instance_state *s)
{
    while (!list_empty(&s->idle)) {
        struct h1_up *u = container_of(list_first(&s->idle), struct h1_up, idle_link);
        if (!u->conn.readable && !u->conn.hangup) {
            list_remove(&s->idle, &u->idle_link);
            return u;
        }
        close_now(u);
    }
    return NULL;
}

enum up_result h1_up_open(struct http_edge *e, const struct service *s, const struct instance *i,
                          ns_t idle_time, bool fresh, struct leg *l)
{
    struct h1_up *u = fresh ? NULL : take_idle(e->instances[i->id]);

    if (u) {
        carry(u, l);
        u->reused = true;
        move(u, H1_UP_BUSY);
        return UP_READY;
    }
    u = connect_new(e, i, s->tls_client, l, idle_time);
    if (!u)
        return UP_NO_ROOM;
    u->timer.fire = on_deadline;
    return UP_CONNECTING;
}

bool h1_up_reused(const struct leg *l)
{
    return ((const struct h1_up *)l->carrier)->reused;
}

bool h1_up_unsent(const struct leg *l)
{
    const struct h1_up *u = l->carrier;

    return !u->wrote && !conn_send_begun(&u->conn);
}

static void on_connected(struct conn *c)
{
    struct h1_up *u = of(c);

    move(u, H1_UP_BUSY);
    u->leg->events->ready(u->leg);
}

/* ---- the request */

static struct iovec piece_of(struct span s)
{
    return (struct iovec){ (void *)(uintptr_t)s.p, s.n };
}

static size_t put_data(struct h1_up *u, const struct http_part *part, struct iovec *pieces)
{
    size_t n = 0;

    if (part->data.n > 0) {
        if (u->chunked)
            pieces[n++] =
                (struct iovec){ u->chunk_line, http1_chunk_head(u->chunk_line, part->data.n) };
        pieces[n++] = piece_of(part->data);
        if (u->chunked)
            pieces[n++] = piece_of(HTTP1_CHUNK_TAIL);
    }
    if (part->end && u->chunked)
        pieces[n++] = piece_of(HTTP1_LAST_CHUNK);
    return n;
}

static bool put_head(struct h1_up *u, struct leg *l, const struct http_head *h, struct iovec *piece)
{
    size_t size = http1_head_size(h);
    struct str out = str_fixed(scratch_take(l->memory, size), size);

    if (!out.p)
        return false;
    u->to_head = h->head_request;
    u->chunked = h->body == HTTP_BODY_CHUNKED;
    u->may_upgrade = h->upgrade;
    http1_write_request(&out, h, HTTP1_PERSIST);
    check(!out.cut);
    *piece = (struct iovec){ out.p, out.n };
    count(u, INSTANCE_REQUESTS);
    conn_receive(&u->conn);
    return true;
}

static bool leg_send(struct leg *l, const struct http_part *part)
{
    struct h1_up *u = l->carrier;
    struct iovec pieces[CONN_IOV_MAX];
    size_t n = 0;

    if (part->head) {
        if (!put_head(u, l, part->head, &pieces[0])) {
            u->no_memory = true;
            conn_resume(&u->conn); /* the loop tells that this leg is lost */
            return false;
        }
        n = 1;
    }
    n += put_data(u, part, pieces + n);
    u->ending = part->end;
    if (n > 0) {
        conn_send(&u->conn, pieces, n);
        return false;
    }
    u->request_sent = u->ending;
    return true;
}

static void on_sent(struct conn *c)
{
    struct h1_up *u = of(c);

    u->wrote = true;
    u->request_sent = u->ending;
    if (u->leg)
        u->leg->events->sent(u->leg);
}

static void look_for_head(struct h1_up *u);

static void on_resumed(struct conn *c)
{
    struct h1_up *u = of(c);

    if (u->no_memory)
        lose(u, ENDING_overloaded);
    else if (u->leg && u->state == H1_UP_BUSY && !u->head_read)
        look_for_head(u); /* behind an interim answer */
}

/* ---- the answer */

static size_t buffer_size(const struct h1_up *u)
{
    return u->from->object_size;
}

/* A body that is long, or has just filled a buffer, comes in larger pieces while there are such buffers: a
 * system call for each 16 KiB would be most of what it costs. */
static bool wants_large(const struct h1_up *u)
{
    return u->body.kind == HTTP_BODY_LENGTH ? u->body.left > BUFFER_SIZE : u->filled;
}

static bool take_buffer(struct h1_up *u, bool in_body)
{
    u->from = in_body && wants_large(u) ? &u->edge->large_buffers : &u->edge->buffers;
    u->buffer = pool_take(u->from);
    if (u->buffer || u->from == &u->edge->buffers)
        return u->buffer != NULL;
    u->from = &u->edge->buffers;
    u->buffer = pool_take(u->from);
    return u->buffer != NULL;
}

static struct lent on_lend(struct conn *c)
{
    struct h1_up *u = of(c);

    if (u->state == H1_UP_IDLE) {
        close_now(u); /* nobody asked: bytes or the end, it is of no more use */
        return (struct lent){};
    }
    if (!u->buffer && !take_buffer(u, u->head_read)) {
        lose(u, ENDING_overloaded);
        return (struct lent){};
    }
    return (struct lent){ u->buffer + u->have, buffer_size(u) - u->have };
}

static bool make_room(struct h1_up *u)
{
    if (u->have < buffer_size(u))
        return true;
    char *block = u->from == &u->edge->blocks ? NULL : pool_take(&u->edge->blocks);
    if (!block)
        return false;
    memcpy(block, u->buffer, u->have);
    pool_give(u->from, u->buffer);
    u->buffer = block;
    u->from = &u->edge->blocks;
    return true;
}

/* Takes what is in the buffer and hands it on, with the head when it is the first part. */
static void deliver_body(struct h1_up *u, const struct http_head *head)
{
    size_t used = 0;
    size_t data = 0;
    char *at = u->buffer + u->used;

    if (http1_body_read(&u->body, at, u->have - u->used, &used, &data) != HTTP1_GOOD) {
        lose(u, ENDING_answer_malformed);
        return;
    }
    u->used += (uint32_t)used;
    u->answer_ended = u->body.complete;
    if (data == 0 && u->used == u->have)
        give_buffer_back(u);
    if (data == 0 && !head && !u->body.complete) {
        conn_receive(&u->conn);
        return;
    }
    struct http_part part = { .head = head,
                              .data = span_of(data ? at : NULL, data),
                              .end = u->body.complete };
    u->leg->events->part(u->leg, &part);
}

static enum ending read_answer(struct h1_up *u, struct leg *l, size_t size,
                               const struct http1_limits *limits, struct http_head *ret_head)
{
    char *copy = scratch_take(l->memory, size);
    struct http_field *fields = scratch_take(l->memory, http1_fields_size(size, limits));

    if (!copy || !fields)
        return ENDING_overloaded;
    memcpy(copy, u->buffer + u->used, size);
    u->used += (uint32_t)size;
    enum http1_reason r =
        http1_parse_answer(span_of(copy, size), limits, u->to_head, fields, ret_head);
    if (r == HTTP1_GOOD)
        scratch_trim(l->memory, fields, ret_head->field_count * sizeof(fields[0]));
    return r == HTTP1_GOOD             ? ENDING_answered
           : r == HTTP1_head_too_large ? ENDING_answer_too_large
                                       : ENDING_answer_malformed;
}

/* RFC 9110 section 15.2: any number may come before the answer; the listener decides what becomes of it. */
static void take_interim(struct h1_up *u, const struct http_head *head)
{
    struct http_part part = { .head = head };

    u->scan = (struct http1_scan){};
    if (++u->interims > INTERIM_MAX)
        lose(u, ENDING_answer_malformed);
    else
        u->leg->events->part(u->leg, &part);
}

/* An instance that says when it closes an unused connection must not get a request just then: not every one may be sent
 * again. A fifth earlier, at most a second, leaves room for the way there. */
static ns_t rest_of(const struct h1_up *u, const struct http_head *head)
{
    ns_t told = head->unused_s * NS_PER_S;
    ns_t early = told / 5 < NS_PER_S ? told / 5 : NS_PER_S;

    return told && told - early < u->idle_time ? told - early : u->idle_time;
}

static void take_head(struct h1_up *u, size_t size, const struct http1_limits *limits)
{
    struct http_head head;
    enum ending wrong = read_answer(u, u->leg, size, limits, &head);

    if (wrong != ENDING_answered) {
        lose(u, wrong);
        return;
    }
    if (head.status == 101 && (!u->may_upgrade || !head.upgrade)) {
        lose(u, ENDING_answer_malformed); /* nobody asked to switch, or not to that */
        return;
    }
    if (head.status < 200 && !head.upgrade) {
        take_interim(u, &head);
        return;
    }
    u->tunnel = head.upgrade;
    if (u->tunnel)
        head.body = HTTP_BODY_UNTIL_CLOSE;
    u->head_read = true;
    u->keep_alive = head.keep_alive;
    u->rest = rest_of(u, &head);
    http1_body_begin(&u->body, &head);
    deliver_body(u, &head);
}

static void look_for_head(struct h1_up *u)
{
    const struct limits *l = &snapshot_current(u->edge->snapshots)->config->limits;
    struct http1_limits limits = { .head = l->head, .line = l->line, .fields = l->fields };
    enum http1_reason why = HTTP1_GOOD;
    size_t size = 0;

    if (u->used == u->have) {
        give_buffer_back(u);
        conn_receive(&u->conn);
        return;
    }
    switch (http1_scan_head(&u->scan, span_of(u->buffer + u->used, u->have - u->used), &limits,
                            &size, &why)) {
    case HTTP1_COMPLETE: take_head(u, size, &limits); break;
    case HTTP1_REFUSED:
        lose(u, why == HTTP1_head_too_large ? ENDING_answer_too_large : ENDING_answer_malformed);
        break;
    case HTTP1_MORE:
        if (make_room(u))
            conn_receive(&u->conn);
        else
            lose(u, ENDING_overloaded);
        break;
    }
}

static void on_received(struct conn *c, size_t n)
{
    struct h1_up *u = of(c);

    if (n == 0) {
        if (u->have == 0)
            give_buffer_back(u);
        return;
    }
    u->have += (uint32_t)n;
    u->filled = u->have == buffer_size(u);
    if (u->head_read)
        deliver_body(u, NULL);
    else
        look_for_head(u);
}

static void leg_credit(struct leg *l)
{
    struct h1_up *u = l->carrier;

    if (u->used == u->have)
        give_buffer_back(u);
    if (!u->answer_ended && !u->head_read && u->buffer)
        conn_resume(&u->conn);
    else if (!u->answer_ended)
        conn_receive(&u->conn);
}

/* The end of the stream is the end of the answer when nothing else marks it (RFC 9112 section 6.3). */
static void on_ended(struct conn *c)
{
    struct h1_up *u = of(c);

    if (u->leg && u->head_read && !u->answer_ended && u->body.kind == HTTP_BODY_UNTIL_CLOSE) {
        struct http_part end = { .end = true };
        u->answer_ended = true;
        u->leg->events->part(u->leg, &end);
        return;
    }
    lose(u, u->head_read ? ENDING_answer_broken : ENDING_instance_closed);
}

static void on_failed(struct conn *c, int error)
{
    struct h1_up *u = of(c);

    if (u->state == H1_UP_CONNECTING) {
        lose(u, c->shaking && !c->connecting ? ENDING_instance_tls
                : error == ETIMEDOUT         ? ENDING_connect_timeout
                                             : ENDING_connect_failed);
        return;
    }
    lose(u, u->head_read ? ENDING_answer_broken : ENDING_instance_closed);
}

/* Nobody reads just now: what it has sent is still to be read, so its end will be seen then. */
static void on_hung_up(struct conn *c)
{
    struct h1_up *u = of(c);

    if (u->state == H1_UP_IDLE || (!u->leg && u->state == H1_UP_BUSY))
        close_now(u);
}

/* ---- giving it back */

static bool can_keep(const struct h1_up *u)
{
    return u->state == H1_UP_BUSY && u->answer_ended && u->request_sent && u->keep_alive &&
           u->used == u->have && !u->conn.hangup && !u->edge->draining && u->instance->wanted &&
           u->instance->idle.count < IDLE_PER_INSTANCE_MAX;
}

static void leg_release(struct leg *l, bool whole)
{
    struct h1_up *u = l->carrier;

    u->leg = NULL;
    if (!whole || !can_keep(u)) {
        close_now(u);
        return;
    }
    give_buffer_back(u);
    move(u, H1_UP_IDLE);
    list_prepend(&u->instance->idle, &u->idle_link);
    conn_receive(&u->conn);
}

static void on_released(struct conn *c)
{
    struct h1_up *u = of(c);
    struct http_edge *e = u->edge;

    give_buffer_back(u);
    timer_drop(&e->reactor->timers, &u->timer);
    list_remove(&e->up_list, &u->link);
    counter_sub(e->page, u->slots + INSTANCE_CONNECTIONS, 1);
    pool_give(&e->ups, u);
}

void h1_up_close_idle(struct http_edge *e, struct instance_state *s)
{
    (void)e;
    while (!list_empty(&s->idle))
        close_now(container_of(list_first(&s->idle), struct h1_up, idle_link));
}

void h1_up_cut(struct link *k)
{
    close_now(container_of(k, struct h1_up, link));
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

static const struct leg_ops leg_ops = {
    .send = leg_send,
    .credit = leg_credit,
    .release = leg_release,
};
