/* SPDX-License-Identifier: Apache-2.0 */
/* exchange.h - one request and its answer, from the first byte to the counters.
 * An exchange routes the request, chooses an instance, passes parts between its two legs with
 * back-pressure, answers by itself when it must, and is counted exactly once when it ends.
 * Always: `request_ended` before the request's end is sent up; the answer's head goes down once; after
 * OVER nothing happens to it. Owned by one edge; its memory goes back at the end of the turn.
 * Next: exchange.c, one function per event; account.c, the counting. */
#ifndef EK_PLANE_HTTP_EXCHANGE_H
#define EK_PLANE_HTTP_EXCHANGE_H

#include "base/machine.h"
#include "plane/http/edge.h"
#include "plane/http/local.h"

#include <stdalign.h>

enum {
    INSTANCES_TRIED_MAX = 8, /* instances that one request may be offered to, whatever for */
    HOLD_MAX = 16 * 1024,    /* of an answer that is held because it can still be tried again */
};

/* How long the beginning of an answer of unknown length is held: it may be a conversation. */
#define HOLD_STREAM_TIME (50 * NS_PER_MS)

struct exchange {
    struct leg down;
    struct leg up;
    struct http_edge *edge;
    struct link link; /* in edge->exchange_list */
    struct snapshot_use *snapshot;
    struct timer timer;
    struct scratch memory;

    enum exchange_state state;
    ns_t began; /* first byte of the request */
    ns_t state_since;
    ns_t blocked_since;               /* the client does not take the answer; 0: it does */
    ns_t blocked;                     /* sum of such times: not ours */
    ns_t spent[EXCHANGE_STATE_COUNT]; /* in each state */

    struct timeouts timeout; /* the route's */
    ns_t deadline;           /* until its answer begins, over all tries; NS_NEVER: none yet */
    ns_t own_deadline;       /* by the route alone, also when it only observes */
    ns_t peers_deadline;     /* what a trusted peer allows; NS_NEVER: it said nothing */
    ns_t tried_at;           /* when this instance was chosen */

    const struct service *service;
    const struct route *route;
    const struct journey *journey;
    const struct instance *instance;

    /* forward.c: who asks, and what the instance is told of it */
    bool trusted;           /* our peer is: what it says of others is believed */
    bool https;             /* how the client came */
    struct span client;     /* its address, as text */
    struct span request_id; /* the trace id, unless a trusted peer gave another */
    struct span tenant;     /* empty: none */
    struct span user;
    uint64_t span_id; /* our own span of the trace; 0: the request was not understood */
    char trace_text[32];

    uint64_t received; /* bytes of the request's body */
    uint64_t sent;     /* of the answer's */
    uint8_t outcome;   /* enum outcome, once counted */
    uint8_t told;      /* the same, as the instance says, when is_told */
    uint8_t tries;     /* connections to instances that were asked for */
    uint8_t attempts; /* of them, those that the request was sent on; a repeat is none of its own */
    uint8_t retries;  /* decided */
    uint32_t tried[INSTANCES_TRIED_MAX];
    unsigned tried_count;

    struct http_head request;
    struct http_head answer;
    struct http_part held;            /* the first part's data, while it may be sent (again) */
    struct scratch_mark request_mark; /* what was taken up to the first try */
    struct http_extra *timeout_extra; /* where an instance is told what is left */
    char *hold; /* a buffer with the beginning of the answer's body, or NULL */
    uint32_t hold_n;
    struct http_part kept; /* a part of the answer that waits until what was held has gone */
    struct trace_id trace;
    struct request_slot *slot;         /* NULL: untracked */
    char *owned;                       /* body of an answer of our own, from malloc, or NULL */
    struct exchange_later *later;      /* who will answer it; NULL: nobody waits to */
    struct local_stream *local_stream; /* of our own; NULL: none */
    struct http_field *own_fields;     /* of an answer of our own, beside the usual; or NULL */
    uint32_t own_field_count;

    enum ending ending;
    enum ending no_connection; /* why the instance tried last could not be reached */
    uint16_t status;           /* of the answer's head that went down; 0: none */
    bool down_open : 1;        /* the leg may be used */
    bool up_open : 1;
    bool routed : 1; /* a journey counts it */
    bool stream : 1; /* event stream or WebSocket: counted at its head, may be silent for long */
    bool tunnel : 1; /* WebSocket: bytes both ways */
    bool counted : 1;
    bool is_told : 1;       /* the instance said itself what the answer is */
    bool sampled : 1;       /* its trace is recorded */
    bool whole : 1;         /* it came in one part, so it can be sent again */
    bool gathering : 1;     /* no instance is asked for before the body begins to come */
    bool request_ended : 1; /* its last part has come from the client */
    bool repeating : 1;     /* this instance had it before, on a connection that it had kept idle */
    bool unheard : 1;       /* the instance has it, and has not begun to answer */
    bool up_sending : 1;    /* a send is under way */
    bool up_owed : 1;       /* the part that came last was not credited */
    bool has_kept : 1;
    bool down_sending : 1;
    bool sending_end : 1; /* the part under way to the client is the last */

    alignas(16) char inside[SCRATCH_INLINE]; /* scratch_take() gives pieces aligned to 16 */
};

extern const struct machine_state exchange_states[EXCHANGE_STATE_COUNT];

/* The leg source of an edge: begins an exchange. */
struct leg *exchange_open(void *edge, ns_t began);

/* Ends it now: breaks off both sides, counts. */
void exchange_cut(struct exchange *x, enum ending why);

/* ---- for local.c: steps of the machine */

void exchange_move(struct exchange *x, enum exchange_state to);

/* May finish it: nothing of x may be touched afterwards unless its caller knows that it is not the end. */
void exchange_send_down(struct exchange *x, const struct http_part *part);

/* An answer of our own, whole; the body stays where it is until the exchange ends. */
void exchange_say(struct exchange *x, unsigned status, struct span type, struct span body);

/* Such an answer that says why there is no other. */
void exchange_refuse(struct exchange *x, enum ending why);

/* ---- go_on.c */

/* A new configuration was adopted: an answer that has been going down for long goes on under it when its service,
 * instance and journey are in it as they were, so that the old one can be freed. */
void exchange_go_on(struct exchange *x);

/* Does all that is configured; else (observe) it forwards plainly and counts. */
static inline bool exchange_acts(const struct exchange *x)
{
    return x->service->mode == MODE_ACT;
}

static inline void exchange_count_service(struct exchange *x, enum service_counter what)
{
    edge_count(x->edge, x->service->slots + what, 1);
}

static inline void exchange_count_would(struct exchange *x, enum would what)
{
    edge_count(x->edge, x->service->slots + SERVICE_COUNTER_COUNT + what, 1);
}

/* ---- for services that answer by themselves: local.h */

/* No journey of the users'. */
static inline bool exchange_is_local(const struct exchange *x)
{
    return x->service && x->service->local;
}

static inline const struct http_head *exchange_request(const struct exchange *x)
{
    return &x->request;
}

/* ---- account.c */

/* Counts an exchange for its journey: when it is finished, or at the answer's head when it is a stream. Does
 * nothing the second time. */
void exchange_count(struct exchange *x, ns_t now);

/* ---- told.c */

/* Reads what an instance says of its answer: outcome and journey. Before the answer is counted. */
void told_read(struct exchange *x);

/* ---- route.c */

/* NULL: no route leads there. */
const struct route *route_find(const struct config *c, const struct http_head *h);
const struct journey *route_journey(const struct config *c, const struct http_head *h);

/* Which steps of a journey it may be: bit i is step i. */
uint8_t route_steps(const struct journey *j, const struct http_head *h);

/* ---- step_watch.c */

/* Tells control that this user's request, which may be `steps` of the journey, ended so. */
void steps_tell(struct exchange *x, const struct journey *j, uint8_t steps, enum outcome outcome);

/* ---- refusal.c */

struct refusal {
    struct span type;
    struct span text; /* in the exchange's memory; empty: there is none left */
};
struct refusal refusal_of(struct exchange *x, enum ending why);

/* Makes x->answer the head of an answer of our own. False: no memory. */
bool own_answer(struct exchange *x, unsigned status, struct span type, size_t length);

/* ---- retry.c */

/* Whether this try's failure can be mended by another instance. Takes the token; counts what was denied, and
 * in observe mode what would have been done. */
bool retry_decide(struct exchange *x, enum would what);

/* Whether it could be if it failed now: then its answer is worth holding. */
bool retry_could(struct exchange *x);

/* When the next try begins. */
ns_t retry_at(struct exchange *x);

/* The kind of failure, for counting. */
enum would retry_kind(enum ending why);

/* Learns from the head of an answer: what the instance is to blame for, and whether it wants to be left alone. */
void retry_judge(struct exchange *x, const struct http_part *part);

/* What Retry-After says, in seconds or as a date (RFC 9110 section 10.2.3); 0: nothing. */
ns_t retry_after_of(const struct http_head *h, ns_t wall);

/* ---- access_log.c: writes its line to the edge's ring. */
void exchange_log(struct exchange *x, ns_t now);

/* ---- forward.c */

/* The text of the trace id, and the request id until a peer's is read. */
void forward_begin(struct exchange *x);

/* Tells the instance what is left of the deadline; before each try. */
void forward_timeout(struct exchange *x, ns_t left);

/* Reads who asks, by which trace, and changes the head for the instance accordingly. False: no memory. */
[[nodiscard]] bool forward_request(struct exchange *x);

/* Changes the head of an instance's answer for the client. False: no memory. */
[[nodiscard]] bool forward_answer(struct exchange *x);

#endif
