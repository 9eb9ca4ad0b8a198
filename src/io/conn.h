/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - one byte stream with completion-shaped operations. An operation is submitted; the loop
 * delivers what became of it to the connection's handler:
 *
 *     conn_receive()   ->  lend(), then received(n) or ended()
 *     conn_send()      ->  sent(), maybe after stalled()
 *     conn_connect()   ->  connected(), when the filter's handshake is done too
 *     conn_open()      ->  opened(), the same for a client's connection that has a handshake to make
 *     conn_resume()    ->  resumed(): nothing but "go on from the loop"
 *     any of them      ->  failed()
 *     nothing asked    ->  hung_up(), when the peer goes while nobody is reading
 *     conn_close()     ->  released(): from then on the memory may be used again
 *
 * Always: a connection that waits for bytes holds no buffer: memory is lent when bytes are there. At
 * most one receive and one send are under way. Between lend() and received() other connections may be told of
 * theirs. Bytes given to a send stay untouched by their owner
 * until it is done. After failed() or hung_up() only conn_close() makes sense.
 * Bytes pass through a filter (filter.h): plain, or TLS.
 * The owner embeds the connection; it belongs to one reactor. */
#ifndef EK_IO_CONN_H
#define EK_IO_CONN_H

#include "base/span.h"
#include "io/address.h"
#include "io/reactor.h"

#include <sys/uio.h>

struct conn;
struct filter;

struct lent {
    char *p;
    size_t n; /* 0: no memory to be had; the receive is dropped and must be asked for again */
};

struct conn_handler {
    struct lent (*lend)(struct conn *c);
    void (*received)(struct conn *c, size_t n); /* n = 0: nothing came after all, still asked for */
    void (*ended)(struct conn *c);              /* the peer sends no more; we still may */
    void (*sent)(struct conn *c);
    /* Not all of it fits: the peer is slow to take it. NULL: not interested. */
    void (*stalled)(struct conn *c);
    void (*connected)(struct conn *c);
    void (*opened)(struct conn *c); /* NULL: not interested */
    void (*resumed)(struct conn *c);
    void (*failed)(struct conn *c,
                   int error); /* errno value; what had arrived before is told first */
    void (*hung_up)(struct conn *c);
    void (*released)(struct conn *c);
};

enum {
    CONN_IOV_MAX = 8
}; /* pieces of one send: head, chunk line, data, chunk end, and some to spare */

struct conn {
    struct reactor *reactor;
    const struct conn_handler *handler;
    const struct filter *filter;
    void *filter_state;
    struct address peer;    /* incoming: who it is from */
    struct link ready_link; /* in reactor->ready, one of due, or closed */
    struct link send_link;  /* in reactor->sends, or reactor->tried */
    void *stream;           /* the simulator's end of it */
    int fd;                 /* epoll's */
    int error;              /* a failure still to be delivered */
    ssize_t taken;          /* while in reactor->tried: what the filter said */
    ssize_t got;            /* while received: the same */
    bool open : 1;
    bool closing : 1;
    bool connecting : 1;
    bool outgoing : 1;
    bool shaking : 1; /* the filter's handshake is under way */
    bool wants_receive : 1;
    bool readable : 1; /* the kernel may have bytes or the end of the stream */
    bool due : 1;      /* in a list of reactor->due */
    bool received : 1; /* `got` is still to be told */
    bool sending : 1;  /* out_iov holds what the kernel does not have yet */
    bool begun : 1;    /* some of it, it has */
    bool tried : 1;    /* in reactor->tried */
    bool writable : 1;
    bool hangup : 1; /* the peer has closed its side, or reset */
    bool hangup_told : 1;
    bool aborted : 1;
    bool resuming : 1;
    uint8_t out_count;
    struct iovec out_iov[CONN_IOV_MAX];
};

/* An incoming connection that nobody has taken yet. */
struct accepted {
    int fd;
    void *stream;
    struct address peer;
};

/* Takes over an accepted connection; it does not receive until asked. */
void conn_open(struct conn *c, struct reactor *r, const struct conn_handler *h,
               const struct accepted *a);

/* Starts to connect; connected() or failed() follows. */
void conn_connect(struct conn *c, struct reactor *r, const struct conn_handler *h,
                  const struct address *to);

/* Asks for bytes; asking twice is asking once. */
void conn_receive(struct conn *c);

/* Asks for resumed(): how a long chain of work returns to the loop instead of calling ever deeper. */
void conn_resume(struct conn *c);

/* Sends all pieces: with those of the other connections, when everything that came in this turn was looked at; sent()
 * or failed() follows. One system call after the other of the same kind costs less than with our work in between, and
 * a peer is woken less often. */
void conn_send(struct conn *c, const struct iovec *pieces, size_t count);

/* Some bytes of the send under way, not all, are with the kernel. */
bool conn_send_begun(const struct conn *c);

/* We send no more; nothing may be under way. */
void conn_shutdown(struct conn *c);

/* conn_close(), but the peer is told by a reset that what it got is not the whole (RFC 9112 section 8: an
 * answer that ends with its connection would look complete otherwise). */
void conn_abort(struct conn *c);

/* Closes at once; no event follows but released(), at the end of the turn. Closing twice is once. */
void conn_close(struct conn *c);

#endif
