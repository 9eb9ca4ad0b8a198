/* SPDX-License-Identifier: Apache-2.0 */
/* leg.h - the seam between an exchange and the connection that carries one side of it.
 * An exchange has two legs: `down` towards the client, `up` towards the instance. A codec (h1_down.c,
 * h1_up.c, later HTTP/2) carries any number of legs on one connection and never knows who listens; the
 * exchange never knows which codec carries it. Both directions speak in parts (http.h): a head, data, the
 * end. Before its answer an instance may send heads with a status below 200: interim ones. After a head
 * with `upgrade` both legs carry data without framing.
 *
 *     codec -> listener   part (data is lent until credit), sent, ready, refused, gone
 *     listener -> codec   send, credit, release
 *
 * Always: after a part that is not the end, no other comes before credit; the data of the end stays lent
 * until release, so a request that came in one part can be sent again; after a send that was not done,
 * no other may be made before sent. Nothing comes after gone or release. */
#ifndef EK_PLANE_HTTP_LEG_H
#define EK_PLANE_HTTP_LEG_H

#include "base/clock.h"
#include "io/address.h"
#include "plane/http/ending.h"
#include "plane/http/scratch.h"
#include "proto/http.h"

struct leg;

struct leg_ops {
    /* Sends a part. True: there was nothing to send. False: sent follows (or gone), and its memory is in use until then. */
    bool (*send)(struct leg *l, const struct http_part *part);
    /* The data of the last part has been used: another may come. */
    void (*credit)(struct leg *l);
    /* The listener is done with this leg and forgets it. `whole`: the answer was complete, so the
     * carrier may be used again if the codec sees fit; otherwise it breaks off what it carries. */
    void (*release)(struct leg *l, bool whole);
    /* down: whether what the connection proved to its client (a certificate) covers this host. NULL: it
     * proved nothing. */
    bool (*speaks_for)(const struct leg *l, struct span host);
};

struct leg_events {
    void (*part)(struct leg *l, const struct http_part *part);
    void (*sent)(struct leg *l);
    /* down: the client is slow to take what is being sent to it. */
    void (*stalled)(struct leg *l);
    /* up: the connection stands, send() may be used. */
    void (*ready)(struct leg *l);
    /* down: what the client sends is not HTTP, or is too much; the listener answers and releases. */
    void (*refused)(struct leg *l, enum ending why);
    /* The other side is lost. */
    void (*gone)(struct leg *l, enum ending why);
};

/* Who is at the other end of a client's connection: the same for all that it carries. */
struct leg_peer {
    struct address address; /* what PROXY protocol said, if it was spoken */
    char text[ADDRESS_HOST_MAX];
    uint8_t text_n;
    bool secure; /* TLS */
};

static inline struct span leg_peer_text(const struct leg_peer *p)
{
    return span_of(p->text, p->text_n);
}

struct leg {
    const struct leg_ops *ops;       /* set by the codec */
    void *carrier;                   /* the codec's */
    const struct leg_events *events; /* set by the listener */
    struct scratch *memory;          /* the exchange's: heads are read into and written from it */
    const struct leg_peer *peer;     /* the codec's; down only */
    uint32_t stream; /* which of the connection's exchanges, for codecs that carry several */
};

static inline bool leg_speaks_for(const struct leg *l, struct span host)
{
    return !l->ops->speaks_for || l->ops->speaks_for(l, host);
}

/* Where downstream codecs get their listeners from. */
struct leg_source {
    /* A request's head begins to be understood; its first byte came at `began`. The leg's `events` and
     * `memory` are set; the codec sets the rest. NULL: no room for another exchange. */
    struct leg *(*open)(void *owner, ns_t began);
    void *owner;
};

#endif
