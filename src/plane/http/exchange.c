/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - one request and its answer. Read from the top: beginning, routing, choosing an instance,
 * parts going up, parts coming down, answers of our own, the end. */
#include "plane/http/exchange.h"

#include "plane/http/h1_up.h"
#include "plane/http/pick.h"

#include <stdlib.h>

enum exchange_deadline { DEADLINE_none, DEADLINE_connect, DEADLINE_head, DEADLINE_idle };

#define TO(state) (UINT32_C(1) << EXCHANGE_##state)

const struct machine_state exchange_states[EXCHANGE_STATE_COUNT] = {
#define X(name, next, deadline, words) \
    [EXCHANGE_##name] = { #name, next, DEADLINE_##deadline, words },
    EXCHANGE_STATES(X)
#undef X
};

static const struct leg_events down_events;
static const struct leg_events up_events;

static struct exchange *of_down(struct leg *l)
{
    return container_of(l, struct exchange, down);
}

static struct exchange *of_up(struct leg *l)
{
    return container_of(l, struct exchange, up);
}

/* ---- states */

/* How long the client may block before it is below limits.body-rate, on average. */
static ns_t rate_allowed(const struct exchange *x)
{
    const struct limits *l = &x->snapshot->config->limits;
    uint64_t earned = l->body_rate ? x->sent * (uint64_t)NS_PER_S / l->body_rate : 0;

    if (!l->body_rate || earned > INT64_MAX / 2)
        return NS_NEVER;
    ns_t left = l->header_time + (ns_t)earned - x->blocked;
    return left > 0 ? left : 0;
}

static ns_t idle_allowed(const struct exchange *x, const struct timeouts *t)
{
    if (x->stream)
        return t->stream;
    ns_t rate = x->down_sending ? rate_allowed(x) : NS_NEVER;
    return rate < t->idle ? rate : t->idle;
}

static ns_t deadline_of(const struct exchange *x, enum exchange_state s)
{
    /* without a route only an answer of our own is sent, which waits for the client alone */
    static const struct timeouts ours = { CLIENT_IDLE, CLIENT_IDLE, CLIENT_IDLE, CLIENT_IDLE };
    const struct timeouts *t = x->route ? &x->route->timeout : &ours;
    ns_t now = x->edge->reactor->now;

    switch ((enum exchange_deadline)exchange_states[s].deadline) {
    case DEADLINE_connect: return now + t->connect;
    case DEADLINE_head: return now + t->head;
    case DEADLINE_idle: return now + idle_allowed(x, t);
    case DEADLINE_none: break;
    }
    return NS_NEVER;
}

static void count_state_time(struct exchange *x, ns_t now)
{
    uint64_t us = (uint64_t)(now - x->state_since) / (uint64_t)NS_PER_US;
    unsigned bin = us ? 64 - (unsigned)__builtin_clzll(us) : 0;

    if (bin >= STATE_TIME_BINS)
        bin = STATE_TIME_BINS - 1;
    edge_count(x->edge, x->edge->slots->state_time + (uint32_t)x->state * STATE_TIME_BINS + bin, 1);
}

static void move(struct exchange *x, enum exchange_state to)
{
    ns_t now = x->edge->reactor->now;

    machine_check_move(exchange_states, x->state, to);
    count_state_time(x, now);
    x->spent[x->state] += now - x->state_since;
    x->state = to;
    x->state_since = now;
    timer_set(&x->edge->reactor->timers, &x->timer, deadline_of(x, to));
}

/* Bytes moved: a deadline that counts silence begins anew. */
static void moved(struct exchange *x)
{
    if (exchange_states[x->state].deadline == DEADLINE_idle)
        timer_set(&x->edge->reactor->timers, &x->timer, deadline_of(x, x->state));
}

/* ---- beginning */

static void on_deadline(struct timer *t);

struct leg *exchange_open(void *edge, ns_t began)
{
    struct http_edge *e = edge;
    struct exchange *x = pool_take(&e->exchanges);

    if (!x)
        return NULL;
    /* not the memory behind it: clearing that would cost more than the rest */
    memset(x, 0, offsetof(struct exchange, inside));
    x->edge = e;
    x->began = began;
    x->state = EXCHANGE_READING;
    x->state_since = began;
    x->snapshot = snapshot_hold(e->snapshots);
    x->timer.fire = on_deadline;
    x->trace = trace_id_new(rng_next(&e->reactor->rng), rng_next(&e->reactor->rng),
                            e->reactor->index, e->requests_begun++);
    forward_begin(x);
    scratch_begin(&x->memory, x->inside, &e->blocks);
    x->down.events = &down_events;
    x->down.memory = &x->memory;
    x->down_open = true;
    x->up.events = &up_events;
    x->up.memory = &x->memory;
    list_append(&e->exchange_list, &x->link);
    edge_count(e, e->slots->counters + EDGE_EXCHANGES_OPEN, 1);
    return &x->down;
}

/* ---- the end */

static void release_up(struct exchange *x, bool whole)
{
    if (!x->up_open)
        return;
    check(x->instance);
    x->up_open = false;
    x->edge->instances[x->instance->id]->in_flight--;
    counter_sub(x->edge->page, x->instance->slots + INSTANCE_IN_FLIGHT, 1);
    x->up.ops->release(&x->up, whole);
}

static void end_blocked(struct exchange *x, ns_t now)
{
    if (x->blocked_since)
        x->blocked += now - x->blocked_since;
    x->blocked_since = 0;
}

/* Our own API is no journey of the users'. */
static bool is_local(const struct exchange *x)
{
    return x->service && x->service->local;
}

static void count_ending(struct exchange *x)
{
    if (x->ending != ENDING_answered)
        edge_count(x->edge, x->edge->slots->endings + (uint32_t)x->ending, 1);
}

/* Counted, both sides let go, memory back. Nothing happens to it afterwards. */
static void finish(struct exchange *x, enum ending ending)
{
    struct http_edge *e = x->edge;
    ns_t now = reactor_clock(e->reactor);

    /* a tunnel has no end of its own: either side closing it is how it ends */
    if (x->tunnel && ending == ENDING_client_gone)
        ending = ENDING_answered;
    bool whole = ending == ENDING_answered;
    x->ending = x->ending ? x->ending : ending;
    end_blocked(x, now);
    move(x, EXCHANGE_OVER);
    count_ending(x);
    if (x->routed && !is_local(x))
        exchange_count(x, now);
    if (x->edge->log)
        exchange_log(x, now);
    release_up(x, whole);
    if (x->down_open) {
        x->down_open = false;
        x->down.ops->release(&x->down, whole);
    }
    if (x->slot)
        request_release(x->slot);
    timer_drop(&e->reactor->timers, &x->timer);
    if (x->owned) /* only answers of our own API: never on the users' path */
        free(x->owned);
    scratch_free(&x->memory);
    snapshot_let_go(e->snapshots, x->snapshot);
    list_remove(&e->exchange_list, &x->link);
    counter_sub(e->page, e->slots->counters + EDGE_EXCHANGES_OPEN, 1);
    pool_give(&e->exchanges, x);
}

void exchange_cut(struct exchange *x, enum ending why)
{
    finish(x, why);
}

/* ---- answers of our own */

static struct span retry_after(struct exchange *x)
{
    static const struct span seconds[] = { SPAN_INIT("1"), SPAN_INIT("2"), SPAN_INIT("3"),
                                           SPAN_INIT("4") };

    return seconds[rng_next(&x->edge->reactor->rng) % 4];
}

static struct http_field *own_field(struct http_field *f, struct span name, struct span value)
{
    *f = (struct http_field){
        .name = name.p, .name_n = (uint16_t)name.n, .value = value.p, .value_n = (uint32_t)value.n
    };
    return f + 1;
}

static void send_down(struct exchange *x, const struct http_part *part);

enum { OWN_FIELDS = 3 };

static void answer_ourselves(struct exchange *x, unsigned status, struct span type,
                             struct span body)
{
    struct http_field *fields = scratch_take(&x->memory, OWN_FIELDS * sizeof(*fields));

    if (!fields) {
        finish(x, ENDING_overloaded);
        return;
    }
    struct http_field *end = own_field(fields, SPAN("Content-Type"), type);
    end = own_field(end, SPAN("Cache-Control"), SPAN("no-store"));
    if (status ==
        503) /* spread over a few seconds, so that those refused do not all come back at once */
        end = own_field(end, SPAN("Retry-After"), retry_after(x));
    x->answer = (struct http_head){
        .status = (uint16_t)status,
        .reason = http_reason(status),
        .minor = 1,
        .body = HTTP_BODY_LENGTH,
        .length = body.n,
        .fields = fields,
        .field_count = (uint32_t)(end - fields),
        .head_request = x->request.head_request,
    };
    if (x->request.head_request) {
        /* the length that a GET would have got is allowed, not needed (RFC 9110 section 8.6) */
        x->answer.body = HTTP_BODY_NONE;
        body = span_of(NULL, 0);
    }
    if (!forward_answer(x)) {
        finish(x, ENDING_overloaded);
        return;
    }
    x->status = (uint16_t)status;
    move(x, EXCHANGE_ANSWERING);
    struct http_part part = { .head = &x->answer, .data = body, .end = true };
    send_down(x, &part);
}

void exchange_answer(struct exchange *x, unsigned status, struct span content_type, char *body,
                     size_t n)
{
    x->owned = body;
    answer_ourselves(x, status, content_type, span_of(body, n));
}

/* Accept names JSON and not HTML: programs get it, people do not. */
static bool wants_json(const struct exchange *x)
{
    const struct http_field *f = http_head_find(&x->request, HTTP_ACCEPT);
    struct span rest = f ? field_value(f) : SPAN("");
    bool json = false;

    while (rest.n > 0) {
        size_t end = span_find(rest, ',');
        struct span range = span_of(rest.p, end);
        struct span type = span_trim(span_of(range.p, span_find(range, ';')));
        json |= span_equal_nocase(type, SPAN("application/json")) ||
                span_equal_nocase(type, SPAN("application/problem+json"));
        if (span_equal_nocase(type, SPAN("text/html")))
            return false;
        rest = span_after(rest, end + 1);
    }
    return json;
}

enum { REFUSAL_SIZE = 640 }; /* words, code and a request id of at most 128 bytes */

/* RFC 9457; every text in it is ours or was checked to need no escaping (forward.c). */
static void write_problem(struct exchange *x, enum ending why, struct str *text)
{
    str_literal(text, "{\"type\":\"about:blank\",\"title\":\"");
    str_put(text, http_reason(ending_status(why)));
    str_literal(text, "\",\"status\":");
    str_u64(text, ending_status(why));
    str_literal(text, ",\"detail\":\"");
    str_text(text, ending_words(why));
    str_literal(text, "\",\"reason\":\"");
    str_text(text, ending_code(why));
    str_literal(text, "\",\"request\":\"");
    str_put(text, x->request_id);
    str_literal(text, "\"}\n");
}

static void write_words(struct exchange *x, enum ending why, struct str *text)
{
    str_text(text, ending_words(why));
    str_literal(text, "\nreason: ");
    str_text(text, ending_code(why));
    str_literal(text, "\nrequest: ");
    str_put(text, x->request_id);
    str_literal(text, "\n");
}

/* What the client is told: what, why, and the id under which we know more. Never which instance. */
static void refuse(struct exchange *x, enum ending why)
{
    release_up(x, false);
    if (x->status || x->down_sending || !ending_status(why)) {
        finish(x, why); /* an answer has begun: breaking it off is all that can be said */
        return;
    }
    struct str text = str_fixed(scratch_take(&x->memory, REFUSAL_SIZE), REFUSAL_SIZE);
    if (!text.p) {
        finish(x, why);
        return;
    }
    bool json = wants_json(x);
    if (json)
        write_problem(x, why, &text);
    else
        write_words(x, why, &text);
    check(!text.cut);
    x->ending = why;
    answer_ourselves(x, ending_status(why),
                     json ? SPAN("application/problem+json") : SPAN("text/plain; charset=utf-8"),
                     str_span(&text));
}

/* ---- routing and choosing */

static const struct route *find_route(const struct config *c, const struct http_head *h)
{
    for (size_t i = 0; i < c->route_count; i++) {
        if (pattern_match(&c->routes[i].pattern, h->method, h->host, h->path))
            return &c->routes[i];
    }
    return NULL;
}

/* The last one is the implicit `unclaimed`, which takes what is left. */
static const struct journey *find_journey(const struct config *c, const struct http_head *h)
{
    for (size_t i = 0; i + 1 < c->journey_count; i++) {
        const struct journey *j = &c->journeys[i];
        for (size_t k = 0; k < j->route_count; k++) {
            if (pattern_match(&j->routes[k], h->method, h->host, h->path))
                return j;
        }
    }
    return &c->journeys[c->journey_count - 1];
}

static void send_up(struct exchange *x, const struct http_part *part);

static void begin_request(struct exchange *x)
{
    struct http_part part = x->held;

    part.head = &x->request;
    part.end = x->request_ended; /* also when it is sent again and nothing is held any more */
    move(x, EXCHANGE_SENDING);
    send_up(x, &part);
}

/* Offers the request to the next instance. Nothing of it has been sent yet. */
static void offer(struct exchange *x, bool fresh)
{
    if (!fresh) {
        x->instance = pick_instance(x);
        if (!x->instance) {
            refuse(x, x->no_connection ? x->no_connection : ENDING_no_instance);
            return;
        }
    }
    enum up_result r =
        h1_up_open(x->edge, x->service, x->instance, x->route->timeout.idle, fresh, &x->up);
    if (r == UP_NO_ROOM) {
        refuse(x, ENDING_overloaded);
        return;
    }
    x->up_open = true;
    x->tries++;
    x->request_sent = x->up_sending = false;
    x->edge->instances[x->instance->id]->in_flight++;
    edge_count(x->edge, x->instance->slots + INSTANCE_IN_FLIGHT, 1);
    if (r == UP_READY)
        begin_request(x);
    else
        move(x, EXCHANGE_CONNECTING);
}

/* The codec gives the body's beginning when it has enough of it. */
static void gather(struct exchange *x)
{
    x->gathering = true;
    timer_set(&x->edge->reactor->timers, &x->timer, x->edge->reactor->now + x->route->timeout.idle);
    x->down.ops->credit(&x->down);
}

static void begin(struct exchange *x, const struct http_part *part)
{
    const struct config *c = x->snapshot->config;

    x->request = *part->head;
    x->held = *part;
    x->request_ended = part->end;
    if (!forward_request(x)) {
        refuse(x, ENDING_overloaded);
        return;
    }
    x->slot = request_claim(x->edge->requests, x->trace);
    x->received = part->data.n;
    x->journey = find_journey(c, &x->request);
    x->routed = true;
    if (!leg_speaks_for(&x->down, x->request.host)) {
        refuse(x, ENDING_misdirected);
        return;
    }
    if (x->edge->overload == OVERLOAD_REFUSES) {
        refuse(x, ENDING_overloaded);
        return;
    }
    x->route = find_route(c, &x->request);
    if (!x->route) {
        refuse(x, ENDING_no_route);
        return;
    }
    x->service = x->route->service;
    if (x->service->local)
        x->service->local->answer(x->service->local, x);
    else if (x->request.body == HTTP_BODY_LENGTH && !x->request.expect_continue && !part->end &&
             part->data.n == 0)
        gather(x);
    else
        offer(x, false);
}

/* ---- parts going up */

static void sent_up(struct exchange *x)
{
    x->held = (struct http_part){};
    if (x->request_ended) {
        if (x->state == EXCHANGE_SENDING)
            move(x, EXCHANGE_WAITING);
    } else if (x->down_open) {
        x->down.ops->credit(&x->down);
    }
}

static void send_up(struct exchange *x, const struct http_part *part)
{
    x->request_sent = true;
    x->up_sending = !x->up.ops->send(&x->up, part);
    if (!x->up_sending)
        sent_up(x);
}

static void down_part(struct leg *l, const struct http_part *part)
{
    struct exchange *x = of_down(l);

    if (part->head) {
        begin(x, part);
        return;
    }
    x->request_ended = part->end;
    x->received += part->data.n;
    moved(x);
    if (x->gathering && x->state == EXCHANGE_READING) {
        x->gathering = false;
        x->held = *part;
        offer(x, false);
    } else if (x->up_open) {
        send_up(x, part);
    } else if (!part->end) {
        x->down.ops->credit(l); /* nobody wants it: it is read so that the answer can be */
    }
}

static void up_sent(struct leg *l)
{
    struct exchange *x = of_up(l);

    x->up_sending = false;
    moved(x);
    sent_up(x);
}

static void up_ready(struct leg *l)
{
    struct exchange *x = of_up(l);

    pick_accepts(x->edge, x->instance);
    begin_request(x);
}

/* ---- parts coming down */

static void sent_down(struct exchange *x)
{
    if (x->sending_end)
        finish(x, ENDING_answered);
    else if (x->up_open)
        x->up.ops->credit(&x->up);
}

static void send_down(struct exchange *x, const struct http_part *part)
{
    x->sending_end = part->end;
    x->sent += part->data.n;
    x->down_sending = !x->down.ops->send(&x->down, part);
    if (!x->down_sending) {
        sent_down(x);
        return;
    }
    x->blocked_since = reactor_clock(x->edge->reactor);
    moved(x); /* from now on it is the client that may be too slow */
}

/* 100 only to whom waits for it; the others mean something to every client that speaks HTTP/1.1 (RFC 9110
 * section 15.2). */
static void pass_interim(struct exchange *x, const struct http_head *h)
{
    bool wanted = h->status == 100 ? x->request.expect_continue : x->request.minor == 1;
    struct http_part part = { .head = h };

    if (wanted)
        send_down(x, &part);
    else
        x->up.ops->credit(&x->up);
}

static bool is_event_stream(const struct http_head *h)
{
    const struct http_field *f = http_head_find(h, HTTP_CONTENT_TYPE);
    struct span type = f ? field_value(f) : SPAN("");

    return span_equal_nocase(span_trim(span_of(type.p, span_find(type, ';'))),
                             SPAN("text/event-stream"));
}

/* What lasts as long as somebody listens is judged by how soon it began. */
static void begin_stream(struct exchange *x)
{
    x->stream = true;
    x->tunnel = x->answer.upgrade;
    if (x->tunnel)
        x->request_ended = false;
    exchange_count(x, reactor_clock(x->edge->reactor));
}

static void begin_answer(struct exchange *x, const struct http_part *part)
{
    x->answer = *part->head;
    x->status = x->answer.status;
    if (x->status >= 500)
        edge_count(x->edge, x->instance->slots + INSTANCE_ANSWERS_BAD, 1);
    if (!forward_answer(x)) {
        x->status = 0;
        refuse(x, ENDING_overloaded);
        return;
    }
    if (x->answer.upgrade || is_event_stream(&x->answer))
        begin_stream(x);
    struct http_part first = { .head = &x->answer, .data = part->data, .end = part->end };
    bool tunnel = x->tunnel; /* only a tunnel is certain to be still there after the send */
    move(x, EXCHANGE_ANSWERING);
    send_down(x, &first);
    if (tunnel)
        x->down.ops->credit(&x->down); /* the client may speak again */
}

static void up_part(struct leg *l, const struct http_part *part)
{
    struct exchange *x = of_up(l);

    if (part->head && part->head->status < 200 && !part->head->upgrade) {
        pass_interim(x, part->head);
        return;
    }
    if (part->head) {
        begin_answer(x, part);
        return;
    }
    moved(x);
    send_down(x, part);
}

static void down_sent(struct leg *l)
{
    struct exchange *x = of_down(l);

    x->down_sending = false;
    end_blocked(x, reactor_clock(x->edge->reactor));
    moved(x);
    sent_down(x);
}

/* ---- trouble */

static void down_refused(struct leg *l, enum ending why)
{
    refuse(of_down(l), why);
}

static void down_gone(struct leg *l, enum ending why)
{
    struct exchange *x = of_down(l);

    x->down_open = false;
    finish(x, why);
}

/* An idle connection that the instance closed before it read our request, which is safe to repeat: that
 * is not a failure of anybody's (RFC 9112 section 9.3.1). */
static bool may_repeat(const struct exchange *x, enum ending why)
{
    return why == ENDING_instance_closed && h1_up_reused(&x->up) && x->state == EXCHANGE_WAITING &&
           x->request.body == HTTP_BODY_NONE && http_method_idempotent(x->request.method);
}

static void up_gone(struct leg *l, enum ending why)
{
    struct exchange *x = of_up(l);
    bool repeat = may_repeat(x, why);

    x->up_open = false;
    x->edge->instances[x->instance->id]->in_flight--;
    counter_sub(x->edge->page, x->instance->slots + INSTANCE_IN_FLIGHT, 1);
    if (x->state == EXCHANGE_CONNECTING) {
        if (why == ENDING_connect_failed || why == ENDING_connect_timeout ||
            why == ENDING_instance_tls)
            pick_refused(x->edge, x->instance);
        x->no_connection = why;
        edge_count(x->edge, x->edge->slots->counters + EDGE_REDISPATCHED, 1);
        offer(x, false); /* nothing was sent: another may have it */
    } else if (repeat) {
        edge_count(x->edge, x->edge->slots->counters + EDGE_REDISPATCHED, 1);
        offer(x, true);
    } else {
        if (ending_by_instance(why))
            edge_count(x->edge, x->instance->slots + INSTANCE_BROKEN, 1);
        refuse(x, why);
    }
}

static void connect_took_too_long(struct exchange *x)
{
    pick_refused(x->edge, x->instance);
    release_up(x, false);
    edge_count(x->edge, x->edge->slots->counters + EDGE_REDISPATCHED, 1);
    x->no_connection = ENDING_connect_timeout;
    offer(x, false);
}

static void blame_instance(struct exchange *x, enum ending why)
{
    edge_count(x->edge, x->instance->slots + INSTANCE_BROKEN, 1);
    refuse(x, why);
}

static void on_deadline(struct timer *t)
{
    struct exchange *x = container_of(t, struct exchange, timer);

    switch (x->state) {
    case EXCHANGE_CONNECTING: connect_took_too_long(x); break;
    case EXCHANGE_SENDING:
        if (x->up_sending)
            blame_instance(x, ENDING_request_stalled);
        else
            refuse(x, ENDING_body_timeout);
        break;
    case EXCHANGE_WAITING: blame_instance(x, ENDING_head_timeout); break;
    case EXCHANGE_ANSWERING:
        if (x->down_sending)
            finish(x, ENDING_client_stalled);
        else
            blame_instance(x, ENDING_answer_stalled);
        break;
    case EXCHANGE_READING: refuse(x, ENDING_body_timeout); break;
    case EXCHANGE_OVER:
    case EXCHANGE_STATE_COUNT: never("a deadline in a state that has none");
    }
}

static void no_ready(struct leg *l)
{
    (void)l;
    never("a client's leg is ready from the start");
}

static void up_refused(struct leg *l, enum ending why)
{
    (void)l;
    (void)why;
    never("only a client's codec refuses");
}

static const struct leg_events down_events = {
    .part = down_part,
    .sent = down_sent,
    .ready = no_ready,
    .refused = down_refused,
    .gone = down_gone,
};

static const struct leg_events up_events = {
    .part = up_part,
    .sent = up_sent,
    .ready = up_ready,
    .refused = up_refused,
    .gone = up_gone,
};
