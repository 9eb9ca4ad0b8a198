/* SPDX-License-Identifier: Apache-2.0 */
/* reactor.h - one data-path thread's event loop, run to completion.
 * A turn, in order: clock; owner's top (snapshot, mail); timers; poll; events (bounded); what became
 * ready meanwhile (bounded): some of them receive, then all of those are told; what is to be sent; owner's bottom; free what
 * closed this turn.
 * Always: everything reachable from a reactor belongs to its thread alone. Events are delivered by the
 * turn only, never from inside a call that an event handler makes, so nothing changes under a handler.
 * Next: conn.h, one byte stream; backend.h, what epoll and the simulator provide. */
#ifndef EK_IO_REACTOR_H
#define EK_IO_REACTOR_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "base/rand.h"
#include "io/timers.h"

#include <stdatomic.h>
#include <stdbool.h>

struct io_backend;
struct reactor;

/* What the reactor's owner does in every turn. */
struct reactor_owner {
    void (*top)(void *owner);      /* adopt a snapshot, read some mail */
    void (*bottom)(void *owner);   /* NULL: nothing */
    bool (*has_mail)(void *owner); /* asked once more before sleeping: no wake-up is lost */
    void *owner;
};

/* In the order in which they are served: an answer frees what the next request may use. */
enum due { DUE_OUTGOING, DUE_INCOMING, DUE_COUNT };

struct reactor {
    ns_t now;    /* monotonic, read once a turn after polling */
    ns_t polled; /* when the last poll returned: events seen this turn happened before it */
    const struct io_backend *backend;
    void *backend_state;
    struct reactor_owner owner;
    struct timers timers;
    struct list ready;          /* connections that can go on without polling */
    struct list due[DUE_COUNT]; /* of those, the ones that this turn serves next */
    struct list sends;          /* connections that have something to send, not tried yet */
    struct list tried;          /* sent, or not: their owners are still to be told */
    struct list closed;         /* connections to be released at the turn's end */
    struct list ports;          /* listening ports at which connections wait */
    struct rng rng;
    ns_t clocked;             /* last look at the clock */
    ns_t busy;                /* how long the last turn took until then, without waiting */
    unsigned handshakes_left; /* of this turn */
    size_t connections;       /* open ones, of either side */
    uint64_t turns;
    _Atomic bool asleep; /* other threads wake it only then */
    _Atomic bool stop;   /* reactor_run() returns after this turn */
    /* `now` of the turn it is in; NS_NEVER: it waits, or is between turns */
    _Atomic ns_t active_since;
    unsigned index;
};

enum {
    REACTOR_EVENTS_MAX =
        256, /* of one poll: bounds a turn, so that mail and timers are not starved */
    REACTOR_HANDSHAKES_MAX =
        4, /* steps of handshakes in a turn: an RSA one costs up to a millisecond */
    REACTOR_READY_MAX = 256, /* connections served from the ready list in a turn, same reason */
    /* Received together, and then sent together; those who wait for both, at most. Each holds its buffer until then, the
     * last twentieth of limits.memory has to last for those who are refused, and the first waits for the last. */
    REACTOR_TOGETHER_MAX = 16,
};

/* A reactor on the kernel, by epoll. In simulation: sim_reactor_open() (sim.h). */
err io_epoll_open(struct reactor *r, unsigned index, uint64_t seed);

/* For back ends, which then do their own set-up. */
void reactor_init(struct reactor *r, unsigned index, const struct io_backend *backend,
                  uint64_t seed);
void reactor_set_owner(struct reactor *r, struct reactor_owner owner);

/* One turn; waits at most until `until` (NS_NEVER: as long as nothing happens). */
void reactor_turn(struct reactor *r, ns_t until);

/* Turns until reactor_stop(). */
void reactor_run(struct reactor *r);

/* From any thread. */
void reactor_stop(struct reactor *r);

/* From any thread: lets a sleeping reactor look at its mail. A running one will do so by itself. */
void reactor_wake(struct reactor *r);

/* From any thread, which has looked at the clock before: what this reactor does from now on, and what others do because of
 * it, is dated (by their `now`) no earlier than the lesser of that look and this. */
ns_t reactor_active_since(const struct reactor *r);

/* The time right now, more exact than r->now and a few ns dearer. */
ns_t reactor_clock(struct reactor *r);

/* All connections must be closed. */
void reactor_free(struct reactor *r);

#endif
