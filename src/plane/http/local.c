/* SPDX-License-Identifier: Apache-2.0 */
/* local.c - see local.h. Never on the users' path: here it allocates. */
#include "plane/http/local.h"

#include "base/str.h"
#include "plane/http/exchange.h"

#include <stdlib.h>

struct local_stream {
    struct str going;   /* lent to the codec until its send is done */
    struct str waiting; /* put meanwhile; at most STREAM_WAITING_MAX */
    bool ending;        /* nothing more will be put */
    bool slow;          /* too much was put: it is cut off */
};

/* ---- the request */

void local_take(struct exchange *x, const struct http_part *part)
{
    const struct local_handler *h = x->service->local;
    size_t before = (size_t)(x->received - part->data.n);

    if (x->received > LOCAL_BODY_MAX) {
        exchange_refuse(x, ending_of_http1(HTTP1_body_too_large));
        return;
    }
    if (part->data.n > 0) {
        x->owned = x->owned ? x->owned : malloc(LOCAL_BODY_MAX);
        check(x->owned != NULL);
        memcpy(x->owned + before, part->data.p, part->data.n);
    }
    if (part->end)
        h->answer(h, x, span_of(x->owned, (size_t)x->received));
    else
        x->down.ops->credit(&x->down);
}

/* ---- answers */

void exchange_hold(struct exchange *x, struct exchange_later *later)
{
    x->later = later;
    later->exchange = x;
    exchange_move(x, EXCHANGE_AWAITING);
}

/* The owner is done with it. */
static void let_go(struct exchange *x)
{
    if (x->later)
        x->later->exchange = NULL;
    x->later = NULL;
}

/* It is gone without the owner's doing. */
static void tell_gone(struct exchange *x)
{
    struct exchange_later *later = x->later;

    let_go(x);
    if (later && later->gone)
        later->gone(later);
}

void exchange_add_field(struct exchange *x, struct span name, struct span value)
{
    char *text = scratch_take(&x->memory, name.n + value.n);

    if (!x->own_fields)
        x->own_fields = scratch_take(&x->memory, LOCAL_FIELDS_MAX * sizeof(x->own_fields[0]));
    if (!text || !x->own_fields || x->own_field_count == LOCAL_FIELDS_MAX)
        return;
    memcpy(text, name.p, name.n);
    memcpy(text + name.n, value.p, value.n);
    x->own_fields[x->own_field_count++] = (struct http_field){ .name = text,
                                                               .name_n = (uint16_t)name.n,
                                                               .value = text + name.n,
                                                               .value_n = (uint32_t)value.n };
}

const struct leg_peer *exchange_peer(const struct exchange *x)
{
    return x->down.peer;
}

void exchange_answer(struct exchange *x, unsigned status, struct span content_type, char *body,
                     size_t n)
{
    let_go(x);
    free(x->owned); /* the request's */
    x->owned = body;
    exchange_say(x, status, content_type, span_of(body, n));
}

/* ---- streams */

static void go_on(struct exchange *x)
{
    struct local_stream *s = x->local_stream;
    struct str sent = s->going;

    if (s->waiting.n == 0 && !s->ending)
        return;
    s->going = s->waiting;
    s->waiting = sent;
    s->waiting.n = 0;
    struct http_part part = { .data = str_span(&s->going), .end = s->ending };
    exchange_send_down(x, &part);
}

bool exchange_stream_begin(struct exchange *x, unsigned status, struct span type)
{
    bool head_only = x->request.head_request;

    check(x->state == EXCHANGE_AWAITING && x->later);
    if (!own_answer(x, status, type, 0) || !forward_answer(x)) {
        let_go(x);
        exchange_cut(x, ENDING_overloaded);
        return false;
    }
    if (head_only)
        let_go(x);
    else
        x->answer.body = HTTP_BODY_CHUNKED;
    x->local_stream = calloc(1, sizeof(*x->local_stream));
    check(x->local_stream != NULL);
    x->local_stream->going = x->local_stream->waiting = str_growing();
    x->status = (uint16_t)status;
    exchange_move(x, EXCHANGE_STREAMING);
    struct http_part part = { .head = &x->answer, .end = head_only };
    exchange_send_down(x, &part);
    return !head_only;
}

void exchange_stream_put(struct exchange *x, struct span bytes)
{
    struct local_stream *s = x->local_stream;

    check(s && !s->ending);
    if (s->slow)
        return;
    if (s->waiting.n + bytes.n > STREAM_WAITING_MAX) {
        /* not from here: its owner may be walking through all whom it tells */
        s->slow = true;
        timer_set(&x->edge->reactor->timers, &x->timer, local_stream_deadline(x));
        return;
    }
    str_put(&s->waiting, bytes);
    if (!x->down_sending)
        go_on(x);
}

void exchange_stream_end(struct exchange *x)
{
    let_go(x);
    x->local_stream->ending = true;
    if (!x->down_sending)
        go_on(x);
}

ns_t local_stream_deadline(const struct exchange *x)
{
    if (x->local_stream && x->local_stream->slow)
        return x->edge->reactor->now;
    return x->down_sending ? x->edge->reactor->now + STREAM_STALL_TIME : NS_NEVER;
}

void local_sent(struct exchange *x)
{
    go_on(x);
}

/* ---- the end */

void local_deadline(struct exchange *x)
{
    if (x->state == EXCHANGE_STREAMING) {
        exchange_cut(x, ENDING_client_stalled);
        return;
    }
    tell_gone(x);
    exchange_refuse(x, ENDING_deadline);
}

void local_end(struct exchange *x)
{
    struct local_stream *s = x->local_stream;

    if (s) {
        str_free(&s->going);
        str_free(&s->waiting);
        free(s);
    }
    free(x->owned);
    tell_gone(x);
}
