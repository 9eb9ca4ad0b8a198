/* SPDX-License-Identifier: Apache-2.0 */
/* h1_down.c - requests in, answers out (RFC 9112). Read from the top: reading a head, beginning an
 * exchange, body and credit, sending the answer, then what happens between two requests. */
#include "plane/http/h1_down.h"

#include "base/machine.h"
#include "io/filter.h"
#include "plane/http/exchange.h"

#define TO(state) (UINT32_C(1) << H1_DOWN_##state)

enum h1_down_deadline { DEADLINE_none, DEADLINE_idle, DEADLINE_header_time, DEADLINE_linger };

static const struct machine_state states[H1_DOWN_STATE_COUNT] = {
#define X(name, next, deadline, words) \
    [H1_DOWN_##name] = { #name, next, DEADLINE_##deadline, words },
    H1_DOWN_STATES(X)
#undef X
};

enum {
    LINGER_BYTES_MAX = 256 * 1024
}; /* of a refused request still read, so that the answer gets through */

enum { SMALL_BODY_MAX = 1024 }; /* copied behind its head, see goes_with_head() */

struct h1_down {
    struct conn conn;
    struct link link; /* in edge->down_list */
    struct http_edge *edge;
    struct timer timer;
    struct link wait_link; /* in edge->idle_downs while IDLE, in edge->head_downs while HEAD */
    struct leg *leg;       /* while in EXCHANGE */
    struct leg_peer peer;
    struct address_place place;
    enum h1_down_state state;

    char *buffer;      /* NULL: none is needed now */
    struct pool *from; /* whose it is: that says how large it is */
    bool filled;       /* the last receive left no room in it: more is waiting */
    uint32_t have;     /* bytes in it */
    uint32_t used;     /* of them, consumed */
    ns_t received;     /* when bytes last came */
    ns_t began;        /* first byte of the request */
    struct http1_scan scan;
    struct http1_body body;
    uint64_t body_bytes;
    uint32_t lingered;
    uint32_t requests; /* so far */
    ns_t old_at;       /* closed with the answer then */
    ns_t asked;        /* for bytes of a body */
    ns_t waited;       /* for them, in all */

    bool request_ended; /* its last part went to the listener */
    bool keep_alive;    /* the client's wish */
    bool is_1_0;
    bool refused;   /* framing is lost: nothing after this can be understood */
    bool close;     /* this is the last answer, and its head says so */
    bool chunked;   /* of the answer */
    bool to_head;   /* the request is a HEAD, even when nothing else of it can be understood */
    bool no_body;   /* HEAD, 204, 304: data is dropped */
    bool gathering; /* the body's beginning is kept until there is enough of it */
    bool awaits_go; /* the client waits for 100 before its body */
    bool tunnel;    /* bytes without framing, both ways */
    char chunk_line[HTTP1_CHUNK_HEAD_MAX];
};

const size_t h1_down_size = sizeof(struct h1_down);

static const struct conn_handler handler;
static const struct leg_ops leg_ops;

static struct h1_down *of(struct conn *c)
{
    return container_of(c, struct h1_down, conn);
}

struct h1_down *h1_down_of(struct link *k)
{
    return container_of(k, struct h1_down, link);
}

static ns_t deadline_of(const struct h1_down *d, enum h1_down_state s)
{
    ns_t now = d->edge->reactor->now;

    switch ((enum h1_down_deadline)states[s].deadline) {
    case DEADLINE_idle: return now + (d->edge->draining ? CLIENT_LAST_CALL : CLIENT_IDLE);
    case DEADLINE_header_time:
        return now + snapshot_current(d->edge->snapshots)->config->limits.header_time;
    case DEADLINE_linger: return now + CLIENT_LINGER;
    case DEADLINE_none: break;
    }
    return NS_NEVER;
}

/* Those that wait for the client, longest first: they give way when there are too many. */
static bool waits(enum h1_down_state s)
{
    return s == H1_DOWN_IDLE || s == H1_DOWN_HEAD;
}

static struct list *waiting_in(struct http_edge *e, enum h1_down_state s)
{
    return s == H1_DOWN_IDLE ? &e->idle_downs : &e->head_downs;
}

static void move(struct h1_down *d, enum h1_down_state to)
{
    machine_check_move(states, d->state, to);
    if (waits(d->state))
        list_remove(waiting_in(d->edge, d->state), &d->wait_link);
    if (waits(to))
        list_append(waiting_in(d->edge, to), &d->wait_link);
    d->state = to;
    timer_set(&d->edge->reactor->timers, &d->timer, deadline_of(d, to));
}

static void give_buffer_back(struct h1_down *d)
{
    if (!d->buffer)
        return;
    pool_give(d->from, d->buffer);
    d->buffer = NULL;
    d->have = d->used = 0;
}

static void close_now(struct h1_down *d)
{
    if (d->state == H1_DOWN_CLOSED)
        return;
    check(!d->leg);
    move(d, H1_DOWN_CLOSED);
    conn_close(&d->conn);
}

static void lose(struct h1_down *d, enum ending why)
{
    struct leg *l = d->leg;

    if (l) {
        d->leg = NULL;
        l->events->gone(l, why);
    }
    close_now(d);
}

/* ---- reading a head */

static size_t buffer_size(const struct h1_down *d)
{
    return d->from->object_size;
}

/* A body that is long, or has just filled a buffer, comes in larger pieces while there are such buffers: a
 * system call for each 16 KiB would be most of what it costs. */
static bool wants_large(const struct h1_down *d)
{
    return d->body.kind == HTTP_BODY_LENGTH ? d->body.left > BUFFER_SIZE : d->filled;
}

static bool take_buffer(struct h1_down *d, bool in_body)
{
    d->from = in_body && wants_large(d) ? &d->edge->large_buffers : &d->edge->buffers;
    d->buffer = pool_take(d->from);
    if (d->buffer || d->from == &d->edge->buffers)
        return d->buffer != NULL;
    d->from = &d->edge->buffers;
    d->buffer = pool_take(d->from);
    return d->buffer != NULL;
}

static struct lent on_lend(struct conn *c)
{
    struct h1_down *d = of(c);

    if (!d->buffer && !take_buffer(d, d->state == H1_DOWN_EXCHANGE)) {
        lose(d, ENDING_overloaded);
        return (struct lent){};
    }
    return (struct lent){ d->buffer + d->have, buffer_size(d) - d->have };
}

/* A head that fills its buffer goes on in a larger one. */
static bool make_room(struct h1_down *d)
{
    if (d->have < buffer_size(d))
        return true;
    char *block = d->from == &d->edge->blocks ? NULL : pool_take(&d->edge->blocks);
    if (!block)
        return false;
    memcpy(block, d->buffer, d->have);
    pool_give(d->from, d->buffer);
    d->buffer = block;
    d->from = &d->edge->blocks;
    return true;
}

static struct http1_limits limits_of(const struct h1_down *d)
{
    const struct limits *l = &snapshot_current(d->edge->snapshots)->config->limits;

    return (struct http1_limits){ .head = l->head, .line = l->line, .fields = l->fields };
}

static bool open_leg(struct h1_down *d)
{
    struct leg *l = d->edge->source.open(d->edge->source.owner, d->began);

    if (!l)
        return false;
    l->ops = &leg_ops;
    l->carrier = d;
    l->peer = &d->peer;
    d->leg = l;
    d->requests++;
    d->waited = 0;
    d->request_ended = d->close = d->chunked = d->no_body = d->tunnel = d->gathering = false;
    d->keep_alive = true;
    d->is_1_0 = false;
    d->to_head = d->buffer &&
                 span_starts_with(span_of(d->buffer + d->used, d->have - d->used), SPAN("HEAD "));
    d->body = (struct http1_body){};
    d->body_bytes = 0;
    move(d, H1_DOWN_EXCHANGE);
    return true;
}

/* The client hears why; then the connection closes, for nobody knows where the next request begins. */
static void refuse(struct h1_down *d, enum ending why)
{
    d->refused = true;
    if (!d->leg && !open_leg(d)) {
        close_now(d);
        return;
    }
    d->leg->events->refused(d->leg, why);
}

static void deliver_body(struct h1_down *d, const struct http_head *head);
static void ask_for_body(struct h1_down *d);
static bool must_gather(const struct h1_down *d);

static enum ending read_request(struct h1_down *d, struct leg *l, size_t size,
                                struct http_head *ret_head)
{
    struct http1_limits limits = limits_of(d);
    char *copy = scratch_take(l->memory, size);
    struct http_field *fields = scratch_take(l->memory, http1_fields_size(size, &limits));

    if (!copy || !fields)
        return ENDING_overloaded;
    memcpy(copy, d->buffer + d->used, size);
    d->used += (uint32_t)size;
    enum http1_reason r = http1_parse_request(span_of(copy, size), &limits, fields, ret_head);
    if (r == HTTP1_GOOD)
        scratch_trim(l->memory, fields, ret_head->field_count * sizeof(fields[0]));
    return r == HTTP1_GOOD ? ENDING_answered : ending_of_http1(r);
}

static enum ending begin_body(struct h1_down *d, const struct http_head *h)
{
    uint64_t most = snapshot_current(d->edge->snapshots)->config->limits.body;

    http1_body_begin(&d->body, h);
    d->is_1_0 = h->minor == 0;
    d->keep_alive = h->keep_alive;
    d->awaits_go = h->expect_continue;
    if (most && h->body == HTTP_BODY_LENGTH && h->length > most)
        return ending_of_http1(HTTP1_body_too_large);
    return ENDING_answered;
}

static void deliver_head(struct h1_down *d, const struct http_head *head)
{
    struct http_part part = { .head = head };

    d->gathering = true;
    d->leg->events->part(d->leg, &part);
}

static void begin_exchange(struct h1_down *d, size_t size)
{
    struct http_head head;

    if (!open_leg(d)) {
        close_now(d);
        return;
    }
    enum ending wrong = read_request(d, d->leg, size, &head);
    if (wrong == ENDING_answered)
        wrong = begin_body(d, &head);
    if (wrong != ENDING_answered)
        refuse(d, wrong);
    else if (must_gather(d))
        deliver_head(d, &head);
    else
        deliver_body(d, &head);
}

/* A head that comes whole, as most do, never waits in HEAD. */
static void wait_for_head(struct h1_down *d)
{
    if (d->state == H1_DOWN_IDLE)
        move(d, H1_DOWN_HEAD);
    conn_receive(&d->conn);
}

/* Looks at what is in the buffer: part of a head, or a whole one. */
static void look_for_head(struct h1_down *d)
{
    struct http1_limits limits = limits_of(d);
    enum http1_reason why = HTTP1_GOOD;
    size_t size = 0;

    if (d->scan.looked == 0)
        d->used += (uint32_t)http1_skip_blank(span_of(d->buffer + d->used, d->have - d->used));
    if (d->used == d->have) {
        give_buffer_back(d);
        wait_for_head(d);
        return;
    }
    struct span bytes = span_of(d->buffer + d->used, d->have - d->used);
    if (d->scan.looked == 0 && span_equal(bytes, SPAN("\r"))) {
        wait_for_head(d); /* half of an empty line before the request */
        return;
    }
    switch (http1_scan_head(&d->scan, bytes, &limits, &size, &why)) {
    case HTTP1_COMPLETE: begin_exchange(d, size); break;
    case HTTP1_REFUSED: refuse(d, ending_of_http1(why)); break;
    case HTTP1_MORE:
        /* when there is too much to do nobody is waited for: a buffer full of half heads helps no one */
        if (!edge_refuses(d->edge) && make_room(d))
            wait_for_head(d);
        else
            refuse(d, ENDING_overloaded);
        break;
    }
}

/* ---- body in */

/* How long the client may take before it is below limits.body-rate, on average over the whole body; time in
 * which we did not want its bytes is not its fault. */
static ns_t rate_deadline(const struct h1_down *d)
{
    const struct limits *l = &snapshot_current(d->edge->snapshots)->config->limits;
    uint64_t came = d->body_bytes + (d->gathering ? d->have - d->used : 0);
    uint64_t earned = l->body_rate ? came * (uint64_t)NS_PER_S / l->body_rate : 0;

    if (!l->body_rate || d->tunnel || d->awaits_go || earned > INT64_MAX / 4)
        return NS_NEVER;
    return d->asked + l->header_time + (ns_t)earned - d->waited;
}

static void ask_for_body(struct h1_down *d)
{
    d->asked = d->edge->reactor->now;
    timer_set(&d->edge->reactor->timers, &d->timer, rate_deadline(d));
    conn_receive(&d->conn);
}

/* How much of a body is wanted before the instance hears of it: all, or a good beginning. A client that sends
 * slowly then waits with us, where it costs a buffer, and not at an instance, where it costs a worker.
 * Not of a chunked body, which may be a conversation, nor when the client waits for the instance's word. */
static size_t wanted(const struct h1_down *d)
{
    enum { BEGINNING = 16 * 1024 };
    size_t room = buffer_size(d) - d->used;
    size_t n = d->body.left < BEGINNING ? (size_t)d->body.left : BEGINNING;

    return n < room ? n : room;
}

static bool must_gather(const struct h1_down *d)
{
    return d->body.kind == HTTP_BODY_LENGTH && !d->body.complete && !d->awaits_go &&
           d->have - d->used < wanted(d);
}

static void body_came(struct h1_down *d)
{
    if (!d->awaits_go)
        d->waited += d->received - d->asked;
    d->awaits_go = false;
    timer_set(&d->edge->reactor->timers, &d->timer, NS_NEVER);
    if (d->gathering && d->have - d->used < wanted(d)) {
        ask_for_body(d);
        return;
    }
    d->gathering = false;
    deliver_body(d, NULL);
}

/* Takes what is in the buffer and hands it on, with the head when it is the first part. */
static void deliver_body(struct h1_down *d, const struct http_head *head)
{
    size_t used = 0;
    size_t data = 0;
    char *at = d->buffer + d->used;
    uint64_t most = snapshot_current(d->edge->snapshots)->config->limits.body;
    enum http1_reason r = http1_body_read(&d->body, at, d->have - d->used, &used, &data);

    d->body_bytes += data;
    if (r == HTTP1_GOOD && most && !d->tunnel && d->body_bytes > most)
        r = HTTP1_body_too_large;
    if (r != HTTP1_GOOD) {
        refuse(d, ending_of_http1(r));
        return;
    }
    d->used += (uint32_t)used;
    d->request_ended = d->body.complete;
    if (data == 0 && d->used == d->have)
        give_buffer_back(d);
    if (data == 0 && !head && !d->body.complete) {
        ask_for_body(d); /* only framing came */
        return;
    }
    struct http_part part = { .head = head,
                              .data = span_of(data ? at : NULL, data),
                              .end = d->body.complete };
    d->leg->events->part(d->leg, &part);
}

static void leg_credit(struct leg *l)
{
    struct h1_down *d = l->carrier;

    if (d->used == d->have)
        give_buffer_back(d);
    if (d->request_ended || d->refused)
        return;
    if (d->buffer && !d->gathering)
        conn_resume(&d->conn); /* a tunnel's first bytes came before it was one */
    else
        ask_for_body(d);
}

static void on_received(struct conn *c, size_t n)
{
    struct h1_down *d = of(c);

    if (n == 0) {
        if (d->have == 0)
            give_buffer_back(d);
        return;
    }
    edge_count(d->edge, d->edge->slots->counters + EDGE_RECEIVED_BYTES, n);
    d->received = d->edge->reactor->polled;
    d->have += (uint32_t)n;
    d->filled = d->have == buffer_size(d);
    switch (d->state) {
    case H1_DOWN_IDLE:
        d->began = d->received;
        d->scan = (struct http1_scan){};
        look_for_head(d);
        break;
    case H1_DOWN_HEAD: look_for_head(d); break;
    case H1_DOWN_EXCHANGE: body_came(d); break;
    case H1_DOWN_LINGER:
        /* the buffer may be given back already: by who began to linger when this was received */
        d->have = 0;
        d->lingered += (uint32_t)n;
        give_buffer_back(d);
        if (d->lingered > LINGER_BYTES_MAX)
            close_now(d);
        else
            conn_receive(&d->conn);
        break;
    case H1_DOWN_CLOSED:
    case H1_DOWN_STATE_COUNT: never("bytes on a closed connection");
    }
}

/* ---- answer out */

/* From now on it is bytes both ways (RFC 9110 section 7.8). */
static void become_tunnel(struct h1_down *d)
{
    d->tunnel = d->close = true;
    d->request_ended = false;
    d->body = (struct http1_body){ .kind = HTTP_BODY_UNTIL_CLOSE };
}

/* Connections do not last for ever, so that a balancer in front spreads them anew from time to time. */
static bool is_old(const struct h1_down *d)
{
    uint32_t most = snapshot_current(d->edge->snapshots)->config->limits.connection_requests;

    return d->edge->reactor->now >= d->old_at ||
           (most && d->requests >= most + (uint32_t)(d->old_at % (most / 10 + 1)));
}

/* What framing the answer gets towards this client. */
static void frame_answer(struct h1_down *d, struct http_head *h)
{
    if (h->upgrade) {
        become_tunnel(d);
        return;
    }
    d->no_body = h->body == HTTP_BODY_NONE || d->to_head;
    d->close = d->refused || !d->keep_alive || !d->request_ended || d->edge->draining ||
               d->edge->overload >= OVERLOAD_SAVES || is_old(d);
    if (h->body == HTTP_BODY_CHUNKED || h->body == HTTP_BODY_UNTIL_CLOSE) {
        /* an HTTP/1.0 client knows no chunks: its answer ends with the connection */
        h->body = d->is_1_0 ? HTTP_BODY_UNTIL_CLOSE : HTTP_BODY_CHUNKED;
        d->close |= d->is_1_0;
    }
    d->chunked = h->body == HTTP_BODY_CHUNKED;
}

/* A small body goes behind its head in the same memory: copying it costs less than a second piece costs
 * the kernel. */
static bool goes_with_head(const struct h1_down *d, const struct http_part *part)
{
    return part->head && part->end && !d->chunked && !d->no_body && part->data.n <= SMALL_BODY_MAX;
}

/* The client was told to send its body: from now on it may be too slow. */
static void go_on(struct h1_down *d)
{
    if (!d->awaits_go)
        return;
    d->awaits_go = false;
    d->asked = d->edge->reactor->now;
    timer_set(&d->edge->reactor->timers, &d->timer, rate_deadline(d));
}

static size_t put_head(struct h1_down *d, struct leg *l, const struct http_part *part,
                       struct iovec *piece)
{
    struct http_head h = *part->head;
    bool interim = h.status < 200 && !h.upgrade;

    if (!interim)
        frame_answer(d, &h);
    else if (h.status == 100)
        go_on(d);
    bool whole = !interim && goes_with_head(d, part);
    size_t size = http1_head_size(&h) + (whole ? part->data.n : 0);
    struct str out = str_fixed(scratch_take(l->memory, size), size);
    if (!out.p)
        return 0;
    http1_write_answer(&out, &h,
                       interim     ? HTTP1_PERSIST
                       : d->close  ? HTTP1_CLOSE
                       : d->is_1_0 ? HTTP1_KEEP_ALIVE
                                   : HTTP1_PERSIST);
    if (whole)
        str_put(&out, part->data);
    check(!out.cut);
    *piece = (struct iovec){ out.p, out.n };
    return out.n;
}

static struct iovec piece_of(struct span s)
{
    return (struct iovec){ (void *)(uintptr_t)s.p, s.n };
}

static size_t put_data(struct h1_down *d, const struct http_part *part, struct iovec *pieces)
{
    size_t count = 0;
    bool data = part->data.n > 0 && !d->no_body;

    if (data) {
        if (d->chunked)
            pieces[count++] =
                (struct iovec){ d->chunk_line, http1_chunk_head(d->chunk_line, part->data.n) };
        pieces[count++] = piece_of(part->data);
        edge_count(d->edge, d->edge->slots->counters + EDGE_SENT_BYTES, part->data.n);
        if (d->chunked)
            pieces[count++] = piece_of(HTTP1_CHUNK_TAIL);
    }
    if (part->end && d->chunked)
        pieces[count++] = piece_of(HTTP1_LAST_CHUNK);
    return count;
}

/* There was no memory for a head: the loop will tell the listener that this client is lost. */
static bool give_up(struct h1_down *d)
{
    d->refused = true;
    conn_resume(&d->conn);
    return false;
}

static bool leg_send(struct leg *l, const struct http_part *part)
{
    struct h1_down *d = l->carrier;
    struct iovec pieces[CONN_IOV_MAX];
    size_t count = 0;

    if (part->head) {
        if (put_head(d, l, part, &pieces[0]) == 0)
            return give_up(d);
        count = 1;
    }
    if (goes_with_head(d, part))
        edge_count(d->edge, d->edge->slots->counters + EDGE_SENT_BYTES, part->data.n);
    else
        count += put_data(d, part, pieces + count);
    if (count > 0)
        conn_send(&d->conn, pieces, count);
    return count == 0;
}

static void on_stalled(struct conn *c)
{
    struct h1_down *d = of(c);

    if (d->leg)
        d->leg->events->stalled(d->leg);
}

static void on_sent(struct conn *c)
{
    struct h1_down *d = of(c);

    if (d->leg)
        d->leg->events->sent(d->leg);
}

/* ---- between requests */

static void linger(struct h1_down *d)
{
    give_buffer_back(d);
    d->lingered = 0;
    move(d, H1_DOWN_LINGER);
    conn_shutdown(&d->conn);
    conn_receive(&d->conn);
}

/* A pipelined request may be in the buffer already; the loop comes back for it. */
static void next_request(struct h1_down *d)
{
    d->scan = (struct http1_scan){};
    if (!d->buffer) {
        move(d, H1_DOWN_IDLE);
        conn_receive(&d->conn);
        if (d->edge->down_list.count >= d->edge->connections_max)
            edge_resume_ports(d->edge); /* it may give way to one that waits */
        return;
    }
    memmove(d->buffer, d->buffer + d->used, d->have - d->used);
    d->have -= d->used;
    d->used = 0;
    d->began = d->received; /* it came with the end of the request before */
    move(d, H1_DOWN_HEAD);
    conn_resume(&d->conn);
}

static void leg_release(struct leg *l, bool whole)
{
    struct h1_down *d = l->carrier;

    d->leg = NULL;
    if (!whole) {
        conn_abort(&d->conn);
        move(d, H1_DOWN_CLOSED);
        return;
    }
    if (d->buffer && d->used == d->have)
        give_buffer_back(d);
    if (d->close || !d->request_ended)
        linger(d);
    else
        next_request(d);
}

static void on_resumed(struct conn *c)
{
    struct h1_down *d = of(c);

    if (d->state == H1_DOWN_HEAD)
        look_for_head(d);
    else if (d->state == H1_DOWN_EXCHANGE && d->refused)
        lose(d, ENDING_overloaded);
    else if (d->state == H1_DOWN_EXCHANGE && d->tunnel && d->buffer && d->used < d->have)
        deliver_body(d, NULL);
}

/* A tunnel's last bytes may still wait behind those that the instance is being given. */
static void on_hung_up(struct conn *c)
{
    struct h1_down *d = of(c);

    if (!d->tunnel || !d->leg)
        lose(d, ENDING_client_gone);
}

static void on_ended(struct conn *c)
{
    lose(of(c), ENDING_client_gone);
}

static void on_failed(struct conn *c, int error)
{
    struct h1_down *d = of(c);

    (void)error; /* a client that resets is one that left */
    if (c->shaking)
        edge_count(d->edge, d->edge->slots->counters + EDGE_HANDSHAKES_FAILED, 1);
    lose(d, ENDING_client_gone);
}

static bool leg_speaks_for_host(const struct leg *l, struct span host)
{
    const struct conn *c = &((const struct h1_down *)l->carrier)->conn;

    return !c->filter->speaks_for || c->filter->speaks_for(c, host);
}

static void on_opened(struct conn *c);

static void on_connected(struct conn *c)
{
    (void)c;
    never("a client's connection is not ours to make");
}

static void on_released(struct conn *c)
{
    struct h1_down *d = of(c);
    struct http_edge *e = d->edge;

    give_buffer_back(d);
    timer_drop(&e->reactor->timers, &d->timer);
    if (e->addresses)
        address_counts_sub(e->addresses, &d->place);
    list_remove(&e->down_list, &d->link);
    counter_sub(e->page, e->slots->counters + EDGE_CONNECTIONS_OPEN, 1);
    pool_give(&e->downs, d);
    edge_resume_ports(e);
}

static const struct conn_handler handler = {
    .lend = on_lend,
    .received = on_received,
    .ended = on_ended,
    .sent = on_sent,
    .stalled = on_stalled,
    .connected = on_connected,
    .resumed = on_resumed,
    .failed = on_failed,
    .opened = on_opened,
    .hung_up = on_hung_up,
    .released = on_released,
};

static const struct leg_ops leg_ops = {
    .send = leg_send,
    .credit = leg_credit,
    .release = leg_release,
    .speaks_for = leg_speaks_for_host,
};

static void on_deadline(struct timer *t)
{
    struct h1_down *d = container_of(t, struct h1_down, timer);

    switch (d->state) {
    case H1_DOWN_HEAD: refuse(d, ENDING_header_timeout); break;
    case H1_DOWN_EXCHANGE: refuse(d, ENDING_body_too_slow); break;
    default: close_now(d);
    }
}

/* Who it is stands fixed: no handshake, or it is done. */
static void on_opened(struct conn *c)
{
    struct h1_down *d = of(c);
    struct http_edge *e = d->edge;
    const struct config *config = snapshot_current(e->snapshots)->config;
    uint32_t most = config->limits.connections_per_address;

    d->peer.address = c->peer;
    d->peer.text_n = (uint8_t)address_print_host(&c->peer, d->peer.text);
    d->peer.secure = c->filter->secure;
    if (most == 0)
        most = config->limits.connections / 4 + 1;
    if (e->addresses && !networks_have(config->trusted, config->trusted_count, &c->peer) &&
        address_counts_add(e->addresses, &c->peer, most, &d->place) > most) {
        edge_count(e, e->slots->counters + EDGE_PER_ADDRESS, 1);
        close_now(d);
        return;
    }
    conn_receive(c);
}

/* PROXY protocol from anybody else would be a way to be anybody. */
static bool may_speak_proxy(const struct http_edge *e, const struct address *peer)
{
    const struct config *c = snapshot_current(e->snapshots)->config;

    return networks_have(c->trusted, c->trusted_count, peer);
}

bool h1_down_open(struct http_edge *e, const struct port *p, const struct accepted *a)
{
    if (p->proxy_protocol && !may_speak_proxy(e, &a->peer)) {
        edge_count(e, e->slots->counters + EDGE_HANDSHAKES_FAILED, 1);
        return false;
    }
    struct h1_down *d = pool_take(&e->downs);
    if (!d)
        return false;
    *d = (struct h1_down){ .edge = e, .state = H1_DOWN_IDLE, .timer.fire = on_deadline };
    ns_t age = snapshot_current(e->snapshots)->config->limits.connection_age;
    d->old_at =
        e->reactor->now + age + (ns_t)(rng_next(&e->reactor->rng) % (uint64_t)(age / 10 + 1));
    list_append(&e->idle_downs, &d->wait_link);
    list_append(&e->down_list, &d->link);
    edge_count(e, e->slots->counters + EDGE_CONNECTIONS_OPEN, 1);
    edge_count(e, e->slots->counters + EDGE_CONNECTIONS_ACCEPTED, 1);
    conn_open(&d->conn, e->reactor, &handler, a);
    timer_set(&e->reactor->timers, &d->timer, deadline_of(d, H1_DOWN_IDLE));
    if (p->dress)
        p->dress(p, &d->conn,
                 e->reactor->now + snapshot_current(e->snapshots)->config->limits.header_time);
    if (!d->conn.shaking)
        on_opened(&d->conn);
    return true;
}

void h1_down_drain(struct h1_down *d)
{
    if (d->state == H1_DOWN_IDLE)
        timer_set(&d->edge->reactor->timers, &d->timer, deadline_of(d, H1_DOWN_IDLE));
}

/* Whoever takes longer than this for a head is slow on purpose, or as good as. */
#define HEAD_SLOW (1 * NS_PER_S)

static struct h1_down *slow_head(struct http_edge *e)
{
    if (list_empty(&e->head_downs))
        return NULL;
    struct h1_down *d = container_of(list_first(&e->head_downs), struct h1_down, wait_link);
    /* what came behind another request, and was not looked at yet, may be whole: its turn is next */
    bool unread = d->conn.resuming;
    return !unread && e->reactor->now - d->began > HEAD_SLOW ? d : NULL;
}

static struct h1_down *longest_idle(struct http_edge *e, bool used)
{
    struct link *k = e->idle_downs.head.next;

    while (used && k != &e->idle_downs.head &&
           container_of(k, struct h1_down, wait_link)->requests == 0)
        k = k->next;
    return k != &e->idle_downs.head ? container_of(k, struct h1_down, wait_link) : NULL;
}

bool h1_down_has_room(struct http_edge *e)
{
    return slow_head(e) || !list_empty(&e->idle_downs);
}

static bool give_way(struct h1_down *d, void (*how)(struct h1_down *d))
{
    if (!d)
        return false;
    edge_count(d->edge, d->edge->slots->counters + EDGE_MADE_ROOM, 1);
    how(d);
    return true;
}

bool h1_down_make_room(struct http_edge *e)
{
    return give_way(slow_head(e), close_now) || give_way(longest_idle(e, false), close_now);
}

static void refuse_slow(struct h1_down *d)
{
    refuse(d, ENDING_overloaded);
}

bool h1_down_save(struct http_edge *e)
{
    return give_way(slow_head(e), refuse_slow) || give_way(longest_idle(e, true), close_now);
}

void h1_down_cut(struct h1_down *d)
{
    close_now(d);
}
