/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.c - one request and its answer. Read from the top: beginning, routing, choosing an instance,
 * parts going up, parts coming down, answers of our own, the end. */
#include "plane/http/exchange.h"

#include "plane/http/h1_up.h"
#include "plane/http/pick.h"

enum exchange_deadline {
    DEADLINE_none,
    DEADLINE_connect,
    DEADLINE_head,
    DEADLINE_idle,
    DEADLINE_hold,
    DEADLINE_backoff,
    DEADLINE_answer,
    DEADLINE_stream,
};

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

/* An answer that says how long it is may take its time; another may be meant to be seen as it comes. */
static bool holds_length(const struct exchange *x)
{
    return x->answer.body == HTTP_BODY_LENGTH;
}

static ns_t stage_deadline(struct exchange *x, enum exchange_state s)
{
    const struct timeouts *t = &x->timeout;
    ns_t now = x->edge->reactor->now;

    switch ((enum exchange_deadline)exchange_states[s].deadline) {
    case DEADLINE_connect: return now + t->connect;
    case DEADLINE_head: return now + t->head;
    case DEADLINE_idle: return now + idle_allowed(x, t);
    case DEADLINE_hold: return now + (holds_length(x) ? t->idle : HOLD_STREAM_TIME);
    case DEADLINE_backoff: return retry_at(x);
    case DEADLINE_answer: return now + LOCAL_ANSWER_TIME;
    case DEADLINE_stream: return local_stream_deadline(x);
    case DEADLINE_none: break;
    }
    return NS_NEVER;
}

/* The absolute one stands above all until the answer begins. */
static bool under_deadline(enum exchange_state s)
{
    return s == EXCHANGE_CONNECTING || s == EXCHANGE_SENDING || s == EXCHANGE_WAITING ||
           s == EXCHANGE_BACKING_OFF;
}

static ns_t deadline_of(struct exchange *x, enum exchange_state s)
{
    ns_t stage = stage_deadline(x, s);

    return under_deadline(s) && x->deadline < stage ? x->deadline : stage;
}

static void count_state_time(struct exchange *x, ns_t now)
{
    uint64_t us = (uint64_t)(now - x->state_since) / (uint64_t)NS_PER_US;
    unsigned bin = us ? 64 - (unsigned)__builtin_clzll(us) : 0;

    if (bin >= STATE_TIME_BINS)
        bin = STATE_TIME_BINS - 1;
    edge_count(x->edge, x->edge->slots->state_time + (uint32_t)x->state * STATE_TIME_BINS + bin, 1);
    edge_count(x->edge, x->edge->slots->state_sum + (uint32_t)x->state, us);
}

void exchange_move(struct exchange *x, enum exchange_state to)
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
    if (exchange_states[x->state].deadline == DEADLINE_idle || x->state == EXCHANGE_STREAMING ||
        (x->state == EXCHANGE_HOLDING && holds_length(x)))
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
    x->deadline = x->own_deadline = x->peers_deadline = NS_NEVER;
    /* without a route only an answer of our own is sent, which waits for the client alone */
    x->timeout.idle = CLIENT_IDLE;
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

static void leave_instance(struct exchange *x)
{
    check(x->up_open && x->instance);
    x->up_open = false;
    pick_heard(x, false);
    x->edge->instances[x->instance->id]->candidate.in_flight--;
    counter_sub(x->edge->page, x->instance->slots + INSTANCE_IN_FLIGHT, 1);
}

static void release_up(struct exchange *x, bool whole)
{
    if (!x->up_open)
        return;
    leave_instance(x);
    x->up.ops->release(&x->up, whole);
}

static void give_hold_back(struct exchange *x)
{
    if (x->hold)
        pool_give(&x->edge->buffers, x->hold);
    x->hold = NULL;
    x->hold_n = 0;
}

static void end_blocked(struct exchange *x, ns_t now)
{
    if (x->blocked_since)
        x->blocked += now - x->blocked_since;
    x->blocked_since = 0;
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
    exchange_move(x, EXCHANGE_OVER);
    if (x->ending != ENDING_answered)
        edge_count(e, e->slots->endings + (uint32_t)x->ending, 1);
    if (x->routed && !exchange_is_local(x))
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
    give_hold_back(x);
    if (exchange_is_local(x))
        local_end(x);
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

void exchange_say(struct exchange *x, unsigned status, struct span type, struct span body)
{
    if (!own_answer(x, status, type, body.n) || !forward_answer(x)) {
        finish(x, ENDING_overloaded);
        return;
    }
    x->status = (uint16_t)status;
    exchange_move(x, EXCHANGE_ANSWERING);
    if (x->request.head_request)
        body = span_of(NULL, 0);
    struct http_part part = { .head = &x->answer, .data = body, .end = true };
    exchange_send_down(x, &part);
}

/* What the client is told: what, why, and the id under which we know more. Never which instance. */
static void refuse(struct exchange *x, enum ending why)
{
    release_up(x, false);
    if (x->status || x->down_sending || !ending_status(why)) {
        finish(x, why); /* an answer has begun: breaking it off is all that can be said */
        return;
    }
    struct refusal words = refusal_of(x, why);
    if (!words.text.p) {
        finish(x, why);
        return;
    }
    x->ending = why;
    exchange_say(x, ending_status(why), words.type, words.text);
}

void exchange_refuse(struct exchange *x, enum ending why)
{
    refuse(x, why);
}

/* ---- offering it to instances */

static void send_up(struct exchange *x, const struct http_part *part);

/* The deadline begins when the request is there: how long a client takes to send it, or has it wait behind a long
 * answer on the same connection, is not ours. What a peer allows always counts from the beginning. */
static void set_deadline(struct exchange *x)
{
    if (x->request_ended)
        x->own_deadline = x->edge->reactor->now + x->timeout.total;
    if (exchange_acts(x))
        x->deadline = x->own_deadline < x->peers_deadline ? x->own_deadline : x->peers_deadline;
}

static void tell_deadline(struct exchange *x)
{
    ns_t now = x->edge->reactor->now;
    ns_t until = x->deadline != NS_NEVER ? x->deadline : now + x->timeout.total;

    if (exchange_acts(x))
        forward_timeout(x, until - now);
}

static void begin_request(struct exchange *x)
{
    struct http_part part = x->held;

    tell_deadline(x);
    part.head = &x->request;
    part.end = x->request_ended; /* also when it is sent again and nothing is held any more */
    x->attempts += !x->repeating;
    pick_asked(x);
    exchange_move(x, EXCHANGE_SENDING);
    send_up(x, &part);
}

/* Offers the request to x->instance. */
static void offer_to_instance(struct exchange *x, bool fresh)
{
    x->tried_at = x->edge->reactor->now;
    enum up_result r = h1_up_open(x->edge, x->service, x->instance, x->timeout.idle, fresh, &x->up);
    if (r == UP_NO_ROOM) {
        refuse(x, ENDING_overloaded);
        return;
    }
    x->up_open = true;
    x->tries++;
    x->up_sending = x->up_owed = false;
    x->repeating = fresh;
    x->edge->instances[x->instance->id]->candidate.in_flight++;
    edge_count(x->edge, x->instance->slots + INSTANCE_IN_FLIGHT, 1);
    if (r == UP_READY)
        begin_request(x);
    else
        exchange_move(x, EXCHANGE_CONNECTING);
}

static void offer(struct exchange *x, enum pick_for why)
{
    x->instance = pick_instance(x, why);
    if (x->instance)
        offer_to_instance(x, false);
    else
        refuse(x, x->no_connection ? x->no_connection : ENDING_no_instance);
}

static void offer_first(struct exchange *x)
{
    x->whole = x->request_ended;
    set_deadline(x);
    x->request_mark = scratch_here(&x->memory);
    retry_budget_original(&x->edge->services[x->service->id]->budget, x->edge->reactor->now);
    exchange_count_service(x, SERVICE_OFFERED);
    if (x->edge->reactor->now >= x->deadline)
        refuse(x, ENDING_deadline); /* nobody would wait for the answer */
    else
        offer(x, PICK_FIRST);
}

/* The codec gives the body's beginning when it has enough of it. */
static void gather(struct exchange *x)
{
    x->gathering = true;
    timer_set(&x->edge->reactor->timers, &x->timer, x->edge->reactor->now + x->timeout.idle);
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
    x->journey = route_journey(c, &x->request);
    x->routed = true;
    if (!leg_speaks_for(&x->down, x->request.host)) {
        refuse(x, ENDING_misdirected);
        return;
    }
    if (edge_refuses(x->edge)) {
        refuse(x, ENDING_overloaded);
        return;
    }
    x->route = route_find(c, &x->request);
    if (!x->route) {
        refuse(x, ENDING_no_route);
        return;
    }
    x->service = x->route->service;
    x->timeout = x->route->timeout;
    if (x->service->local)
        local_take(x, part);
    else if (x->request.body == HTTP_BODY_LENGTH && !x->request.expect_continue && !part->end &&
             part->data.n == 0)
        gather(x);
    else
        offer_first(x);
}

/* ---- parts going up */

static void sent_up(struct exchange *x)
{
    if (!x->whole)
        x->held = (struct http_part){};
    if (x->request_ended && x->state == EXCHANGE_SENDING) {
        exchange_move(x, EXCHANGE_WAITING);
        return;
    }
    moved(x);
    if (!x->request_ended && x->down_open)
        x->down.ops->credit(&x->down);
}

static void send_up(struct exchange *x, const struct http_part *part)
{
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
    if (part->end && x->up_open)
        set_deadline(x);
    moved(x);
    if (exchange_is_local(x)) {
        local_take(x, part);
    } else if (x->gathering && x->state == EXCHANGE_READING) {
        x->gathering = false;
        x->held = *part;
        offer_first(x);
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
    sent_up(x);
}

static void up_ready(struct leg *l)
{
    begin_request(of_up(l));
}

/* ---- parts coming down */

static void credit_up(struct exchange *x)
{
    if (!x->up_open || !x->up_owed)
        return;
    x->up_owed = false;
    x->up.ops->credit(&x->up);
}

static void sent_down(struct exchange *x)
{
    if (x->sending_end) {
        finish(x, ENDING_answered);
        return;
    }
    give_hold_back(x);
    if (x->has_kept) {
        struct http_part part = x->kept;
        x->has_kept = false;
        exchange_send_down(x, &part);
        return;
    }
    if (x->local_stream)
        local_sent(x);
    else
        credit_up(x);
}

void exchange_send_down(struct exchange *x, const struct http_part *part)
{
    x->sending_end = part->end;
    x->sent += part->data.n;
    x->down_sending = !x->down.ops->send(&x->down, part);
    if (!x->down_sending)
        sent_down(x);
}

/* 100 only to whom waits for it; the others mean something to every client that speaks HTTP/1.1 (RFC 9110
 * section 15.2). */
static void pass_interim(struct exchange *x, const struct http_head *h)
{
    bool wanted = h->status == 100 ? x->request.expect_continue : x->request.minor == 1;
    struct http_part part = { .head = h };

    if (wanted)
        exchange_send_down(x, &part);
    else
        credit_up(x);
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

/* The head goes down: from now on it is this answer or none. */
static void pass_answer(struct exchange *x, struct span data, bool end)
{
    x->status = x->answer.status;
    if (!forward_answer(x)) {
        x->status = 0;
        refuse(x, ENDING_overloaded);
        return;
    }
    told_read(x);
    if (x->answer.upgrade || http_is_event_stream(&x->answer))
        begin_stream(x);
    struct http_part first = { .head = &x->answer, .data = data, .end = end };
    bool tunnel = x->tunnel; /* only a tunnel is certain to be still there after the send */
    exchange_move(x, EXCHANGE_ANSWERING);
    exchange_send_down(x, &first);
    if (tunnel)
        x->down.ops->credit(&x->down); /* the client may speak again */
}

/* ---- holding a short answer while it could be tried again */

static bool is_worth_holding(struct exchange *x, const struct http_part *part)
{
    const struct http_head *h = part->head;

    return !part->end && !h->upgrade && part->data.n <= HOLD_MAX &&
           !(h->body == HTTP_BODY_LENGTH && h->length > HOLD_MAX) && !http_is_event_stream(h) &&
           retry_could(x);
}

static bool append_held(struct exchange *x, struct span data)
{
    if (x->hold_n + data.n > HOLD_MAX)
        return false;
    if (data.n > 0)
        memcpy(x->hold + x->hold_n, data.p, data.n);
    x->hold_n += (uint32_t)data.n;
    return true;
}

static void pass_held(struct exchange *x, bool end)
{
    pass_answer(x, span_of(x->hold, x->hold_n), end);
}

static void begin_holding(struct exchange *x, struct span data)
{
    append_held(x, data);
    exchange_count_service(x, SERVICE_HELD);
    exchange_move(x, EXCHANGE_HOLDING);
    credit_up(x);
}

static void hold_more(struct exchange *x, const struct http_part *part)
{
    if (!append_held(x, part->data)) {
        x->kept = *part;
        x->has_kept = true;
        pass_held(x, false);
    } else if (part->end) {
        pass_held(x, true);
    } else {
        moved(x);
        credit_up(x);
    }
}

/* ---- the answer's head */

static void back_off(struct exchange *x);

/* A failure counts for the instance whatever becomes of the answer. True: it is tried again elsewhere. */
static bool is_tried_again(struct exchange *x, const struct http_part *part)
{
    retry_judge(x, part);
    if (!status_set_has(&x->service->retry.statuses, part->head->status) ||
        !retry_decide(x, WOULD_RETRY_STATUS))
        return false;
    release_up(x, part->end); /* an answer that is whole leaves its connection in order */
    x->no_connection = ENDING_no_instance;
    back_off(x);
    return true;
}

static void note_late(struct exchange *x)
{
    if (!exchange_acts(x) && x->edge->reactor->now > x->own_deadline)
        exchange_count_would(x, WOULD_CUT_DEADLINE);
}

static void begin_answer(struct exchange *x, const struct http_part *part)
{
    pick_heard(x, true);
    if (is_tried_again(x, part))
        return;
    note_late(x);
    x->answer = *part->head;
    if (is_worth_holding(x, part) && (x->hold = pool_take(&x->edge->buffers)) != NULL)
        begin_holding(x, part->data);
    else
        pass_answer(x, part->data, part->end);
}

static void up_part(struct leg *l, const struct http_part *part)
{
    struct exchange *x = of_up(l);

    x->up_owed = true;
    if (part->end && !part->head && x->answer.status < 500)
        pick_answered(x);
    if (part->head && part->head->status < 200 && !part->head->upgrade) {
        pass_interim(x, part->head);
    } else if (part->head) {
        begin_answer(x, part);
    } else if (x->state == EXCHANGE_HOLDING) {
        hold_more(x, part);
    } else if (x->down_sending) {
        x->kept = *part; /* what was held is still on its way */
        x->has_kept = true;
    } else {
        moved(x);
        exchange_send_down(x, part);
    }
}

static void down_sent(struct leg *l)
{
    struct exchange *x = of_down(l);

    x->down_sending = false;
    if (x->blocked_since)
        end_blocked(x, reactor_clock(x->edge->reactor));
    if (!x->sending_end)
        moved(x);
    sent_down(x);
}

static void down_stalled(struct leg *l)
{
    struct exchange *x = of_down(l);

    x->blocked_since = reactor_clock(x->edge->reactor);
    moved(x); /* from now on it is the client that may be too slow */
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

/* ---- trying again */

static void next_try(struct exchange *x)
{
    enum ending failed = x->no_connection;

    scratch_rewind(&x->memory, x->request_mark);
    x->answer = (struct http_head){};
    x->has_kept = false;
    x->instance = pick_instance(x, PICK_RETRY);
    if (x->instance)
        offer_to_instance(x, false);
    else
        refuse(x, failed);
}

static void back_off(struct exchange *x)
{
    give_hold_back(x);
    x->retries++;
    exchange_move(x, EXCHANGE_BACKING_OFF);
}

static void try_again(struct exchange *x, enum ending why)
{
    if (!retry_decide(x, retry_kind(why))) {
        refuse(x, why);
        return;
    }
    x->no_connection = why;
    back_off(x);
}

/* This instance did not do its part. */
static void fail_try(struct exchange *x, enum ending why)
{
    edge_count(x->edge, x->instance->slots + INSTANCE_BROKEN, 1);
    pick_failed(x);
    release_up(x, false);
    try_again(x, why);
}

/* Nothing was sent to it: another may have the request, without a token. Unless it is being repeated: then the
 * instance may have read it, and been broken by it, so giving it to another is a retry. */
static void redispatch(struct exchange *x, enum ending why)
{
    if (x->repeating) {
        try_again(x, why);
        return;
    }
    if (!exchange_acts(x)) {
        exchange_count_would(x, WOULD_REDISPATCH);
        refuse(x, why);
        return;
    }
    x->no_connection = why;
    exchange_count_service(x, SERVICE_REDISPATCHES);
    offer(x, PICK_OTHER);
}

/* An idle connection that the instance closed before it read our request, or all of it, which is safe to repeat or of
 * which nothing was sent: that is not a failure of anybody's (RFC 9112 section 9.3.1). */
static bool may_repeat(const struct exchange *x, enum ending why)
{
    if (why != ENDING_instance_closed || !h1_up_reused(&x->up))
        return false;
    if (x->state == EXCHANGE_SENDING && h1_up_unsent(&x->up))
        return true;
    return (x->state == EXCHANGE_SENDING || x->state == EXCHANGE_WAITING) && x->whole &&
           http_method_idempotent(x->request.method);
}

static void up_gone(struct leg *l, enum ending why)
{
    struct exchange *x = of_up(l);
    bool repeat = may_repeat(x, why);

    leave_instance(x);
    if (x->state == EXCHANGE_CONNECTING) {
        if (why == ENDING_connect_failed || why == ENDING_connect_timeout ||
            why == ENDING_instance_tls)
            pick_refused(x);
        redispatch(x, why);
    } else if (repeat) {
        exchange_count_service(x, SERVICE_REPEATS);
        offer_to_instance(x, true);
    } else if (ending_by_instance(why)) {
        fail_try(x, why);
    } else {
        refuse(x, why);
    }
}

static void connect_took_too_long(struct exchange *x)
{
    pick_refused(x);
    release_up(x, false);
    redispatch(x, ENDING_connect_timeout);
}

/* It is the instance's fault when it had most of what we say: a peer may have given less, and others may have used
 * it up before. */
static void deadline_passed(struct exchange *x)
{
    ns_t had = x->edge->reactor->now - x->tried_at;

    if (x->state == EXCHANGE_WAITING && had > x->timeout.total / 2)
        pick_failed(x);
    refuse(x, ENDING_deadline);
}

static void on_deadline(struct timer *t)
{
    struct exchange *x = container_of(t, struct exchange, timer);

    if (under_deadline(x->state) && x->edge->reactor->now >= x->deadline) {
        deadline_passed(x);
        return;
    }
    switch (x->state) {
    case EXCHANGE_CONNECTING: connect_took_too_long(x); break;
    case EXCHANGE_SENDING:
        if (x->up_sending)
            fail_try(x, ENDING_request_stalled);
        else
            refuse(x, ENDING_body_timeout);
        break;
    case EXCHANGE_WAITING: fail_try(x, ENDING_head_timeout); break;
    case EXCHANGE_HOLDING:
        if (holds_length(x))
            fail_try(x, ENDING_answer_stalled);
        else
            pass_held(x, false);
        break;
    case EXCHANGE_BACKING_OFF: next_try(x); break;
    case EXCHANGE_ANSWERING:
        if (x->down_sending)
            finish(x, ENDING_client_stalled);
        else
            fail_try(x, ENDING_answer_stalled);
        break;
    case EXCHANGE_READING: refuse(x, ENDING_body_timeout); break;
    case EXCHANGE_AWAITING:
    case EXCHANGE_STREAMING: local_deadline(x); break;
    case EXCHANGE_OVER:
    case EXCHANGE_STATE_COUNT: never("a deadline in a state that has none");
    }
}

static void up_stalled(struct leg *l)
{
    (void)l;
    never("an instance that is slow to read has the deadline of its state");
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
    .stalled = down_stalled,
    .ready = no_ready,
    .refused = down_refused,
    .gone = down_gone,
};

static const struct leg_events up_events = {
    .part = up_part,
    .sent = up_sent,
    .stalled = up_stalled,
    .ready = up_ready,
    .refused = up_refused,
    .gone = up_gone,
};
