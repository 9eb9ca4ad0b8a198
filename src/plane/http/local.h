/* SPDX-License-Identifier: Apache-2.0 */
/* local.h - services that answer by themselves (control's API): at once, later, or with a stream that goes on for as long as
 * its client listens.
 * Always: every request is answered exactly once; the owner of an answer that is to come knows when there is nobody left to
 * answer. Used in the edge's thread only.
 * Next: local.c; exchange_table.h, the states AWAITING and STREAMING. */
#ifndef EK_PLANE_HTTP_LOCAL_H
#define EK_PLANE_HTTP_LOCAL_H

#include "base/clock.h"
#include "base/span.h"

struct exchange;
struct http_part;
struct leg_peer;

/* Until an answer that comes later must be there: whoever owes it waits for a disk or another node, and has forgotten it by
 * then. */
#define LOCAL_ANSWER_TIME (30 * NS_PER_S)

/* How long the client of a stream may take nothing at all. */
#define STREAM_STALL_TIME (30 * NS_PER_S)

enum {
    LOCAL_BODY_MAX = 256 * 1024, /* of a request: some thousand events of jobs */
    /* Of a stream, what waits for a client that reads slowly: some minutes of events. More, and it is cut off, for what it
     * would read is no news any more. */
    STREAM_WAITING_MAX = 256 * 1024,
};

struct local_handler {
    /* Called once, with the whole request; must call exchange_answer() or exchange_hold() before it returns. */
    void (*answer)(const struct local_handler *h, struct exchange *x, struct span body);
};

/* An answer that comes later. Its owner keeps this until it has answered, or until `exchange` is NULL: then the client
 * left or LOCAL_ANSWER_TIME passed, and there is nothing to answer. */
struct exchange_later {
    struct exchange *exchange;
    /* Called when `exchange` has become NULL by itself; may free what holds this. NULL: nobody wants to know. */
    void (*gone)(struct exchange_later *later);
};

void exchange_hold(struct exchange *x, struct exchange_later *later);

/* A field of the answer that is to come, beside those that every one has. Copied; what finds no room is left out. Before
 * exchange_answer() or exchange_stream_begin(). */
enum { LOCAL_FIELDS_MAX = 12 };
void exchange_add_field(struct exchange *x, struct span name, struct span value);

/* Who asks: valid as long as x. */
const struct leg_peer *exchange_peer(const struct exchange *x);

/* Answers with a body from malloc, which the exchange frees. */
void exchange_answer(struct exchange *x, unsigned status, struct span content_type, char *body,
                     size_t n);

/* ---- streams: of unknown length, each piece sent as soon as it is put */

/* Sends the head to whoever was put off by exchange_hold(). False: it is over already (it asked for the head only, or
 * there is no memory); `gone` is not called. */
[[nodiscard]] bool exchange_stream_begin(struct exchange *x, unsigned status, struct span type);

/* Copies the bytes. A client that is too slow for them is cut off in the next turn, and `gone` called. */
void exchange_stream_put(struct exchange *x, struct span bytes);

/* What was put is still sent; x may not be touched any more, `gone` is not called. */
void exchange_stream_end(struct exchange *x);

/* ---- for exchange.c */

struct local_stream; /* what was put and is not yet sent */

/* A part of the request. */
void local_take(struct exchange *x, const struct http_part *part);

/* The time of AWAITING or STREAMING is over. */
void local_deadline(struct exchange *x);

/* When that is: in STREAMING. */
ns_t local_stream_deadline(const struct exchange *x);

/* The last part of a stream has gone. */
void local_sent(struct exchange *x);

/* Gives memory back, tells who owes an answer. */
void local_end(struct exchange *x);

#endif
