/* SPDX-License-Identifier: Apache-2.0 */
/* edge.h - the HTTP edge as one reactor sees it: its memory, its connections, what it has learned.
 * Always: belongs to one reactor's thread. Talks to other threads by mail, counters and the request table
 * only. What is learned about an instance lives here, under its stable id, not in the snapshot.
 * Next: exchange.h, one request and its answer; h1_down.c and h1_up.c, the two connections. */
#ifndef EK_PLANE_HTTP_EDGE_H
#define EK_PLANE_HTTP_EDGE_H

#include "base/pool.h"
#include "bus/counters.h"
#include "bus/exemplars.h"
#include "bus/mailbox.h"
#include "bus/address_counts.h"
#include "bus/log_ring.h"
#include "bus/path_ring.h"
#include "bus/step_ring.h"
#include "bus/request_table.h"
#include "bus/snapshot.h"
#include "bus/tenant_table.h"
#include "core/picker.h"
#include "core/retry_budget.h"
#include "io/listener.h"
#include "io/reactor.h"
#include "plane/http/leg.h"
#include "plane/http/slots.h"

enum {
    /* One receive. Enough for nearly every head; bodies pass through it in this many bytes at a time. */
    BUFFER_SIZE = 20 * 1024, /* a head and the 16 KiB that many senders write at once */
    LARGE_BUFFER_SIZE = 64 * 1024,
    LARGE_BUFFERS_MAX = 256,     /* 16 MiB a reactor; transfers beyond them do with small ones */
    IDLE_PER_INSTANCE_MAX = 128, /* kept-alive connections to one instance, per reactor */
    CONNECTIONS_CLOSING_MAX =
        64, /* that give way to new ones and are still there until the turn's end */
    EDGE_PORTS_MAX = LISTENERS_MAX + 1,
};

/* How long a client may keep an unused connection; what a closing one may still take. */
#define CLIENT_IDLE   (60 * NS_PER_S)
#define CLIENT_LINGER (2 * NS_PER_S)
/* For a client that does not know yet that we stop: its next request may be on its way, and if it must not be sent twice it
 * would fail. Its answer says `Connection: close`. */
#define CLIENT_LAST_CALL (1 * NS_PER_S)

/* What is done when this reactor has too much to do. */
enum overload {
    OVERLOAD_NONE,
    OVERLOAD_SAVES, /* connections are closed with their answer, idle ones at once; slow heads are refused */
    OVERLOAD_REFUSES, /* new requests are answered 503 before anything is done for them */
};

/* What this reactor knows of one instance. */
struct instance_state {
    struct list idle;           /* h1_up, most recently used first */
    struct candidate candidate; /* in flight, latency */
    bool wanted;                /* the newest configuration has it, and does not drain it */
    bool usable;                /* as it was last looked at; a change begins its slow start */
    ns_t usable_since;
    unsigned failures;  /* in a row */
    bool on_trial;      /* it was ejected and has not answered well since */
    ns_t ejected_at;    /* the last time it was */
    uint32_t line;      /* requests of this reactor that it had then */
    ns_t ejected_until; /* and how long: it is while this is to come */
    ns_t ejected_for;   /* by our own rule; the next time it is longer */
};

/* What this reactor knows of one service. */
struct service_state {
    const struct service *looked; /* what `picker` was made for; NULL: nothing yet */
    struct candidate **usable;    /* room for the largest it ever was; the own zone's come first */
    size_t capacity;
    size_t usable_count;
    struct picker picker; /* over all of them, or over those of the own zone */
    uint64_t said;        /* control's changes that it knows of */
    ns_t look_at;         /* an ejection ends then */
    ns_t refresh_at;      /* figures are taken anew then */
    bool panic;
    struct retry_budget budget;
};

struct http_edge {
    struct reactor *reactor;
    struct publication *publication;
    struct snapshot_reader *snapshots;
    struct counter_page *page;
    struct exemplars *exemplars; /* NULL in control's own edge */
    const struct edge_slots *slots;
    struct request_table *requests;
    struct address_counts *addresses;
    uint64_t requests_begun;
    struct mailbox mail;          /* to us */
    struct mailbox *control_mail; /* NULL in control's own edge */
    struct reactor *control;      /* woken after mail to it */

    struct pool downs;
    struct pool ups;
    struct pool exchanges;
    struct pool buffers;
    struct pool large_buffers;
    struct pool blocks; /* SCRATCH_BLOCK bytes each */

    struct list down_list; /* every client connection */
    struct list up_list;   /* every connection to an instance */
    struct list exchange_list;
    struct instance_state **instances; /* by stable id */
    size_t instance_count;
    struct service_state **services; /* by stable id */
    size_t service_count;
    const struct counter_page *const *pages; /* of all reactors, for what they have in flight */
    size_t page_count;
    const struct counter_page *said; /* control's words; NULL in control's own edge */
    struct leg_source source;
    struct port *ports[EDGE_PORTS_MAX];
    size_t port_count;
    uint32_t connections_max; /* this reactor's share of limits.connections */
    struct list idle_downs;   /* clients between two requests, longest idle first */
    struct list head_downs;   /* clients whose head is not whole, longest first */
    enum overload overload;
    struct path_ring *unclaimed;   /* NULL: nobody asks for paths */
    struct step_ring *steps;       /* NULL: nobody asks for steps of journeys */
    struct log_ring *log;          /* NULL: no access log is written */
    struct tenant_reader *tenants; /* NULL: nobody asks for tenants */
    void (*log_hurry)(void *log_writer);
    void *log_writer;
    ns_t (*wall)(void);
    ns_t wall_offset; /* wall clock - reactor's clock, looked at once a second */
    ns_t wall_looked;
    uint64_t hash_key;
    int64_t stamp_second;
    char stamp[20];      /* of that second */
    uint32_t timeout_ms; /* what was last told to an instance of its deadline, as text */
    uint32_t timeout_n;
    char timeout_text[12];
    ns_t lag;                 /* how long turns take, smoothed: what an event waits behind others */
    struct timer drain_timer; /* cuts off what still runs */
    bool listening;
    bool draining;
    bool drained_told;
};

/* What an edge is made from; everything is lent for its whole life. */
struct edge_parts {
    struct reactor *reactor;
    struct publication *publication;
    struct snapshot_reader *snapshots;
    struct counter_page *page;
    struct exemplars *exemplars;             /* NULL: none are kept */
    const struct counter_page *const *pages; /* of all reactors, this one's too */
    size_t page_count;
    const struct counter_page *said; /* control's; NULL: control says nothing */
    const struct edge_slots *slots;
    struct request_table *requests;
    struct mailbox *control_mail;
    struct reactor *control;
    uint32_t connections_max;            /* > 0 */
    size_t memory_max;                   /* bytes of this reactor's pools */
    struct address_counts *addresses;    /* shared by all reactors; NULL: not counted */
    struct path_ring *unclaimed;         /* NULL in control's own edge */
    struct step_ring *steps;             /* NULL in control's own edge; else hash_key as well */
    struct tenant_reader *tenants;       /* the same */
    struct log_ring *log;                /* NULL: no access log; else the next three as well */
    void (*log_hurry)(void *log_writer); /* called when the ring is nearly full */
    void *log_writer;
    uint64_t hash_key;  /* of identities; secret, the same for all reactors */
    ns_t (*wall)(void); /* wall clock */
};

/* Becomes the reactor's owner: its turns adopt snapshots and read mail. */
void edge_open(struct http_edge *e, const struct edge_parts *parts);

/* What the edge does in a turn, for a reactor whose owner does more than that (control). */
void edge_top(void *edge);
bool edge_has_mail(void *edge);

/* A port of this reactor, at which it listens from edge_start_listening() or LISTEN mail on. */
void edge_add_port(struct http_edge *e, struct port *p);
void edge_start_listening(struct http_edge *e);

/* Begins to stop: listens no more, lets go of what is unused, and cuts off what still runs at
 * `deadline`. Also by DRAIN mail. */
void edge_drain(struct http_edge *e, ns_t deadline);

/* There may be room again for connections that wait at the ports. */
void edge_resume_ports(struct http_edge *e);

/* There is too much to do for anything new, or memory is all but used up, at this moment: what is left of it is for
 * telling those who are refused. */
bool edge_refuses(const struct http_edge *e);

/* No connection and no exchange is left. */
bool edge_idle(const struct http_edge *e);

/* Closes everything at once; a turn must follow before edge_free(). */
void edge_cut(struct http_edge *e);
void edge_free(struct http_edge *e);

static inline void edge_count(struct http_edge *e, uint32_t slot, uint64_t n)
{
    counter_add(e->page, slot, n);
}

/* Mail to control; counted and dropped when it does not fit. */
void edge_tell_control(struct http_edge *e, const struct message *m);

#endif
