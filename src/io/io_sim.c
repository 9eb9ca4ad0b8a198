/* SPDX-License-Identifier: Apache-2.0 */
/* io_sim.c - streams, windows, delays and breakage in memory.
 * A stream has two ends; each end sends into a pipe that the other end reads. A pipe holds segments with
 * the time at which they arrive. An edge is told when a segment arrives at an end that had nothing to
 * read, and when a full pipe has room again. As with TCP: data that was not read when an end closes is
 * answered by a reset, and a reset may destroy what the other side has not read yet. */
#include "io/sim.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    SIM_REACTORS_MAX = 16,
    SIM_FAULTS_MAX = 16,
    SIM_TURN_US_MAX = 40, /* virtual time that a turn takes */
};

struct segment_in_flight {
    struct link link;
    ns_t arrives;
    size_t n;
    size_t read;
    char bytes[];
};

/* One direction of a stream. */
struct sim_pipe {
    struct list segments;
    size_t held; /* bytes not yet read */
    size_t window;
    ns_t last;    /* arrival of the newest segment: they do not overtake each other */
    ns_t fin;     /* when its end arrives; NS_NEVER: still open */
    bool blocked; /* the sender waits for room */
    ns_t told;    /* arrivals up to here have been told by an edge */
    bool fin_told;
};

struct sim_stream;

struct sim_end {
    struct conn *conn; /* NULL: not taken yet, or closed */
    struct sim_pipe in;
    ns_t reset; /* when a reset arrives here; NS_NEVER */
    bool reset_told;
    bool room_told; /* a writable edge is due */
    ns_t connected; /* connecting end: when the answer comes; 0 when it was told */
    int connect_error;
    bool shut; /* has sent its end */
    bool gone; /* closed */
};

struct sim_stream {
    struct link link;
    struct sim_world *world;
    struct sim_faults faults;
    size_t reset_after;     /* bytes until it breaks */
    struct sim_end ends[2]; /* 0 connected, 1 accepted */
    struct port *port;      /* in whose queue it waits */
    ns_t queued;            /* when it shows up there */
    bool waiting;           /* in the queue */
    bool told;              /* its arrival there was told by an edge */
};

struct sim_port {
    struct link link;
    struct port *port;
};

struct sim_reactor {
    struct reactor *reactor;
    const char *name;
};

struct sim_world {
    ns_t now;
    struct rng rng;
    struct list streams;
    struct list ports;
    struct sim_reactor reactors[SIM_REACTORS_MAX];
    size_t reactor_count;
    struct {
        struct address address;
        struct sim_faults faults;
    } faults[SIM_FAULTS_MAX];
    size_t fault_count; /* entry 0 is for every other address */
    bool trace;
};

static bool chance(struct sim_world *w, unsigned per_mille)
{
    return per_mille > 0 && rng_below(&w->rng, 1000) < per_mille;
}

static ns_t up_to(struct sim_world *w, ns_t most)
{
    return most > 0 ? (ns_t)rng_below(&w->rng, (uint64_t)most + 1) : 0;
}

static struct sim_world *world_of(const struct reactor *r)
{
    return r->backend_state;
}

static struct sim_stream *stream_of(const struct conn *c)
{
    return c->stream;
}

static struct sim_end *my_end(const struct conn *c)
{
    struct sim_stream *s = stream_of(c);
    return s->ends[0].conn == c ? &s->ends[0] : &s->ends[1];
}

static struct sim_end *other_end(const struct conn *c)
{
    struct sim_stream *s = stream_of(c);
    return s->ends[0].conn == c ? &s->ends[1] : &s->ends[0];
}

static const struct sim_faults *faults_of(struct sim_world *w, const struct address *a)
{
    for (size_t i = 1; i < w->fault_count; i++) {
        if (address_equal(&w->faults[i].address, a))
            return &w->faults[i].faults;
    }
    return &w->faults[0].faults;
}

/* ---- pipes */

static void pipe_init(struct sim_pipe *p, size_t window)
{
    *p = (struct sim_pipe){ .window = window, .fin = NS_NEVER, .told = -1 };
    list_init(&p->segments);
}

static void pipe_empty(struct sim_pipe *p)
{
    while (!list_empty(&p->segments))
        free(container_of(list_pop(&p->segments), struct segment_in_flight, link));
    p->held = 0;
}

static ns_t travel(struct sim_stream *s)
{
    ns_t t = up_to(s->world, s->faults.delay_max);

    if (chance(s->world, s->faults.stall))
        t += up_to(s->world, s->faults.stall_max);
    return t;
}

static void pipe_add(struct sim_stream *s, struct sim_pipe *p, const char *bytes, size_t n)
{
    struct segment_in_flight *g = malloc(sizeof(*g) + n);

    check(g != NULL);
    *g = (struct segment_in_flight){ .n = n };
    memcpy(g->bytes, bytes, n);
    g->arrives = s->world->now + travel(s);
    if (g->arrives < p->last)
        g->arrives = p->last;
    p->last = g->arrives;
    p->held += n;
    list_append(&p->segments, &g->link);
}

static void pipe_send(struct sim_stream *s, struct sim_pipe *p, const char *bytes, size_t n)
{
    while (n > 0) {
        size_t piece = n;
        if (n > 1 && chance(s->world, s->faults.split))
            piece = 1 + (size_t)rng_below(&s->world->rng, n - 1);
        pipe_add(s, p, bytes, piece);
        bytes += piece;
        n -= piece;
    }
}

/* The end of the stream arrives behind all of its bytes. */
static void pipe_finish(struct sim_stream *s, struct sim_pipe *p)
{
    ns_t at = s->world->now + travel(s);

    if (s->reset_after > 0) /* else it is broken: the end does not get through either */
        p->fin = at > p->last ? at : p->last;
}

static size_t pipe_receive(struct sim_pipe *p, ns_t now, char *to, size_t n)
{
    size_t got = 0;

    while (got < n && !list_empty(&p->segments)) {
        struct segment_in_flight *g =
            container_of(list_first(&p->segments), struct segment_in_flight, link);
        if (g->arrives > now)
            break;
        size_t piece = g->n - g->read < n - got ? g->n - g->read : n - got;
        memcpy(to + got, g->bytes + g->read, piece);
        g->read += piece;
        got += piece;
        if (g->read == g->n) {
            list_remove(&p->segments, &g->link);
            free(g);
        }
    }
    p->held -= got;
    return got;
}

/* ---- streams */

static struct sim_stream *stream_new(struct sim_world *w, const struct address *to)
{
    struct sim_stream *s = calloc(1, sizeof(*s));

    check(s != NULL);
    s->world = w;
    s->faults = *faults_of(w, to);
    s->reset_after = SIZE_MAX;
    if (chance(w, s->faults.reset))
        s->reset_after = 1 + (size_t)rng_below(&w->rng, s->faults.reset_bytes);
    for (int i = 0; i < 2; i++) {
        size_t spread = s->faults.window_max - s->faults.window_min;
        pipe_init(&s->ends[i].in, s->faults.window_min + (size_t)rng_below(&w->rng, spread + 1));
        s->ends[i].reset = NS_NEVER;
    }
    list_append(&w->streams, &s->link);
    return s;
}

static void stream_free_if_unused(struct sim_stream *s)
{
    if (!s->ends[0].gone || !s->ends[1].gone)
        return;
    pipe_empty(&s->ends[0].in);
    pipe_empty(&s->ends[1].in);
    list_remove(&s->world->streams, &s->link);
    free(s);
}

static void end_reset(struct sim_stream *s, struct sim_end *e)
{
    if (!e->gone && e->reset == NS_NEVER)
        e->reset = s->world->now + travel(s);
}

static void end_close(struct sim_stream *s, struct sim_end *mine, struct sim_end *other)
{
    bool unread = mine->in.held > 0;

    mine->conn = NULL;
    mine->gone = true;
    if (unread)
        end_reset(s, other);
    else if (!mine->shut && mine->reset > s->world->now && other->reset == NS_NEVER)
        pipe_finish(s, &other->in);
    mine->shut = true;
    pipe_empty(&mine->in);
    stream_free_if_unused(s);
}

static struct port *find_port(struct sim_world *w, const struct address *a)
{
    struct port *found = NULL;
    uint64_t seen = 0;

    for (struct link *k = w->ports.head.next; k != &w->ports.head; k = k->next) {
        struct port *p = container_of(k, struct sim_port, link)->port;
        if (address_equal(&p->address, a) && rng_below(&w->rng, ++seen) == 0)
            found = p;
    }
    return found;
}

/* ---- what a reactor calls */

static ns_t sim_clock(const struct reactor *r)
{
    return world_of(r)->now;
}

static int sim_open(struct conn *c, const struct accepted *a)
{
    struct sim_stream *s = a->stream;

    c->stream = s;
    s->ends[1].conn = c;
    return 0;
}

static int sim_connect(struct conn *c, const struct address *to)
{
    struct sim_world *w = world_of(c->reactor);
    struct sim_stream *s = stream_new(w, to);

    c->stream = s;
    s->ends[0].conn = c;
    s->ends[0].connected = w->now + 1 + travel(s);
    s->port = find_port(w, to);
    if (!s->port || chance(w, s->faults.refuse)) {
        s->port = NULL;
        s->ends[0].connect_error = ECONNREFUSED;
        s->ends[1].gone = true;
        return 0;
    }
    s->waiting = true;
    s->queued = s->ends[0].connected;
    return 0;
}

static int sim_connect_result(struct conn *c)
{
    return -my_end(c)->connect_error;
}

static ssize_t sim_receive(struct conn *c, void *buf, size_t n)
{
    struct sim_stream *s = stream_of(c);
    struct sim_end *e = my_end(c);
    struct sim_end *other = other_end(c);
    ns_t now = s->world->now;

    if (e->reset <= now)
        return -ECONNRESET;
    size_t got = pipe_receive(&e->in, now, buf, n);
    if (got > 0) {
        if (e->in.blocked && e->in.held < e->in.window) {
            e->in.blocked = false;
            other->room_told = true;
        }
        return (ssize_t)got;
    }
    return e->in.fin <= now ? 0 : -EAGAIN;
}

/* How many bytes may go before the stream breaks. */
static size_t count_towards_reset(struct sim_stream *s, size_t n)
{
    if (s->reset_after == SIZE_MAX)
        return n;
    if (n >= s->reset_after && s->reset_after > 0) {
        end_reset(s, &s->ends[0]);
        end_reset(s, &s->ends[1]);
    }
    n = n < s->reset_after ? n : s->reset_after;
    s->reset_after -= n; /* 0: broken, nothing gets through any more */
    return n;
}

static ssize_t sim_send(struct conn *c, const struct iovec *pieces, int count)
{
    struct sim_stream *s = stream_of(c);
    struct sim_end *other = other_end(c);
    struct sim_pipe *p = &other->in;
    size_t taken = 0;

    if (my_end(c)->reset <= s->world->now)
        return -EPIPE;
    for (int i = 0; i < count; i++) {
        size_t room = p->held < p->window ? p->window - p->held : 0;
        size_t n = pieces[i].iov_len < room ? pieces[i].iov_len : room;
        size_t goes = count_towards_reset(s, n);
        if (other->gone)
            end_reset(s, my_end(c)); /* nobody is there: the other kernel says so */
        else if (goes > 0)
            pipe_send(s, p, pieces[i].iov_base, goes);
        taken += n;
        if (n < pieces[i].iov_len) {
            p->blocked = true;
            break;
        }
    }
    return (ssize_t)taken;
}

static void sim_shutdown(struct conn *c)
{
    struct sim_stream *s = stream_of(c);
    struct sim_end *other = other_end(c);

    my_end(c)->shut = true;
    pipe_finish(s, &other->in);
}

static void sim_abort(struct conn *c)
{
    end_reset(stream_of(c), other_end(c));
}

static void sim_close(struct conn *c)
{
    struct sim_stream *s = stream_of(c);
    struct sim_end *other = other_end(c);
    struct sim_end *mine = my_end(c);

    if (s->waiting && mine == &s->ends[0]) {
        /* never accepted: it vanishes from the queue */
        s->waiting = false;
        other->gone = true;
    }
    end_close(s, mine, other);
}

static int sim_port_open(struct port *p)
{
    struct sim_world *w = world_of(p->reactor);
    struct sim_port *sp = calloc(1, sizeof(*sp));

    check(sp != NULL);
    sp->port = p;
    p->stream = sp;
    list_append(&w->ports, &sp->link);
    return 0;
}

static int sim_port_accept(struct port *p, struct accepted *ret_accepted)
{
    struct sim_world *w = world_of(p->reactor);

    for (struct link *k = w->streams.head.next; k != &w->streams.head; k = k->next) {
        struct sim_stream *s = container_of(k, struct sim_stream, link);
        if (s->waiting && s->port == p && s->queued <= w->now) {
            s->waiting = false;
            *ret_accepted = (struct accepted){ .fd = -1, .stream = s };
            bool known = address_parse(SPAN("192.0.2.1:1024"), &ret_accepted->peer);
            check(known);
            return 0;
        }
    }
    return -EAGAIN;
}

static void stream_refuse(struct sim_stream *s)
{
    s->waiting = false;
    s->ends[1].gone = true;
    end_reset(s, &s->ends[0]);
    stream_free_if_unused(s);
}

static void sim_port_close(struct port *p)
{
    struct sim_world *w = world_of(p->reactor);
    struct sim_port *sp = p->stream;

    /* as SO_REUSEPORT does: what waits in this queue is reset */
    for (struct link *k = w->streams.head.next, *next; k != &w->streams.head; k = next) {
        struct sim_stream *s = container_of(k, struct sim_stream, link);
        next = k->next;
        if (s->waiting && s->port == p)
            stream_refuse(s);
    }
    list_remove(&w->ports, &sp->link);
    free(sp);
}

static void sim_refuse(struct reactor *r, struct accepted *a)
{
    (void)r;
    stream_refuse(a->stream);
}

/* ---- time */

/* The edges that are due at this end now; remembers that they were told. */
static unsigned end_edges(struct sim_end *e, ns_t now)
{
    unsigned edges = 0;

    if (e->connected) {
        if (e->connected > now)
            return 0;
        e->connected = 0;
        return EDGE_WRITABLE;
    }
    if (e->reset <= now) {
        if (e->reset_told)
            return 0;
        e->reset_told = true;
        pipe_empty(&e->in);
        return EDGE_READABLE | EDGE_WRITABLE | EDGE_HANGUP;
    }
    for (struct link *k = e->in.segments.head.next; k != &e->in.segments.head; k = k->next) {
        struct segment_in_flight *g = container_of(k, struct segment_in_flight, link);
        if (g->arrives <= now && g->arrives > e->in.told)
            edges |= EDGE_READABLE;
    }
    if (edges)
        e->in.told = now;
    if (e->in.fin <= now && !e->in.fin_told) {
        e->in.fin_told = true;
        edges |= EDGE_READABLE | EDGE_HANGUP;
    }
    if (e->room_told) {
        e->room_told = false;
        edges |= EDGE_WRITABLE;
    }
    return edges;
}

/* When something next happens at this end. */
static ns_t end_next(const struct sim_end *e, ns_t now)
{
    ns_t next = NS_NEVER;

    if (!e->conn)
        return NS_NEVER;
    if (e->connected)
        return e->connected;
    if (e->room_told)
        return now;
    if (!e->reset_told && e->reset < next)
        next = e->reset;
    if (e->reset_told)
        return NS_NEVER;
    if (!e->in.fin_told && e->in.fin < next)
        next = e->in.fin;
    for (struct link *k = e->in.segments.head.next; k != &e->in.segments.head; k = k->next) {
        struct segment_in_flight *g = container_of(k, struct segment_in_flight, link);
        if (g->arrives > e->in.told) {
            if (g->arrives < next)
                next = g->arrives;
            break;
        }
    }
    return next;
}

static void sim_poll(struct reactor *r, ns_t until)
{
    struct sim_world *w = world_of(r);

    (void)until; /* the world decides when a reactor runs */
    for (struct link *k = w->streams.head.next; k != &w->streams.head; k = k->next) {
        struct sim_stream *s = container_of(k, struct sim_stream, link);
        for (int i = 0; i < 2; i++) {
            struct conn *c = s->ends[i].conn;
            unsigned edges = c && c->reactor == r ? end_edges(&s->ends[i], w->now) : 0;
            if (edges)
                conn_edge(c, edges);
        }
        if (s->waiting && !s->told && s->port->reactor == r && s->queued <= w->now) {
            s->told = true;
            port_edge(s->port);
        }
    }
}

/* When this reactor has something to do. */
static ns_t reactor_next(struct sim_world *w, struct reactor *r)
{
    ns_t next = timers_next(&r->timers);

    if (!list_empty(&r->ready) || !list_empty(&r->ports) || !list_empty(&r->closed) ||
        r->owner.has_mail(r->owner.owner))
        return w->now;
    for (struct link *k = w->streams.head.next; k != &w->streams.head; k = k->next) {
        struct sim_stream *s = container_of(k, struct sim_stream, link);
        for (int i = 0; i < 2; i++) {
            if (s->ends[i].conn && s->ends[i].conn->reactor == r) {
                ns_t t = end_next(&s->ends[i], w->now);
                next = t < next ? t : next;
            }
        }
        if (s->waiting && !s->told && s->port->reactor == r)
            next = s->queued < next ? s->queued : next;
    }
    return next;
}

bool sim_step(struct sim_world *w, ns_t until)
{
    ns_t due[SIM_REACTORS_MAX];
    ns_t next = NS_NEVER;

    for (size_t i = 0; i < w->reactor_count; i++) {
        due[i] = reactor_next(w, w->reactors[i].reactor);
        next = due[i] < next ? due[i] : next;
    }
    if (next > until) {
        w->now = until > w->now ? until : w->now;
        return false;
    }
    if (next > w->now)
        w->now = next;
    /* one of those that are due: every order comes up in some seed */
    size_t pick = 0;
    uint64_t seen = 0;
    for (size_t i = 0; i < w->reactor_count; i++) {
        if (due[i] <= w->now && rng_below(&w->rng, ++seen) == 0)
            pick = i;
    }
    struct reactor *r = w->reactors[pick].reactor;
    r->now = w->now;
    reactor_turn(r, w->now);
    w->now += up_to(w, SIM_TURN_US_MAX * NS_PER_US);
    return true;
}

static void sim_wake(struct reactor *r)
{
    (void)r; /* sim_step() looks at everybody's mail */
}

static void sim_reactor_free(struct reactor *r)
{
    struct sim_world *w = world_of(r);

    for (size_t i = 0; i < w->reactor_count; i++) {
        if (w->reactors[i].reactor == r) {
            w->reactors[i] = w->reactors[--w->reactor_count];
            return;
        }
    }
}

static const struct io_backend io_sim = {
    .name = "simulator",
    .clock = sim_clock,
    .poll = sim_poll,
    .wake = sim_wake,
    .free = sim_reactor_free,
    .open = sim_open,
    .connect = sim_connect,
    .connect_result = sim_connect_result,
    .receive = sim_receive,
    .send = sim_send,
    .shutdown = sim_shutdown,
    .abort = sim_abort,
    .close = sim_close,
    .port_open = sim_port_open,
    .port_accept = sim_port_accept,
    .port_close = sim_port_close,
    .refuse = sim_refuse,
};

void sim_reactor_open(struct sim_world *w, struct reactor *r, unsigned index, const char *name)
{
    check(w->reactor_count < SIM_REACTORS_MAX);
    reactor_init(r, index, &io_sim, rng_next(&w->rng));
    r->backend_state = w;
    r->now = r->polled = w->now;
    timers_init(&r->timers, w->now);
    w->reactors[w->reactor_count++] = (struct sim_reactor){ r, name };
}

struct sim_world *sim_new(uint64_t seed)
{
    struct sim_world *w = calloc(1, sizeof(*w));

    check(w != NULL);
    w->rng.state = seed;
    w->now = 1000 * NS_PER_S; /* not zero: zero is easily mistaken for "unset" */
    list_init(&w->streams);
    list_init(&w->ports);
    w->fault_count = 1;
    w->faults[0].faults =
        (struct sim_faults){ .delay_max = NS_PER_MS, .window_min = 65536, .window_max = 65536 };
    return w;
}

void sim_free(struct sim_world *w)
{
    check(w->reactor_count == 0);
    for (struct link *k = w->streams.head.next, *next; k != &w->streams.head; k = next) {
        struct sim_stream *s = container_of(k, struct sim_stream, link);
        next = k->next;
        s->ends[0].gone = s->ends[1].gone = true;
        stream_free_if_unused(s);
    }
    free(w);
}

void sim_faults_set(struct sim_world *w, const struct address *a, const struct sim_faults *f)
{
    check(f->window_min > 0 && f->window_max >= f->window_min);
    check(!f->reset || f->reset_bytes > 0);
    if (!a) {
        w->faults[0].faults = *f;
        return;
    }
    for (size_t i = 1; i < w->fault_count; i++) {
        if (address_equal(&w->faults[i].address, a)) {
            w->faults[i].faults = *f;
            return;
        }
    }
    check(w->fault_count < SIM_FAULTS_MAX);
    w->faults[w->fault_count].address = *a;
    w->faults[w->fault_count++].faults = *f;
}

ns_t sim_now(const struct sim_world *w)
{
    return w->now;
}

struct rng *sim_rng(struct sim_world *w)
{
    return &w->rng;
}

void sim_trace_on(struct sim_world *w)
{
    w->trace = true;
}

void sim_trace(struct sim_world *w, const char *format, ...)
{
    va_list args;

    if (!w->trace)
        return;
    printf("%12.3f ms  ", (double)(w->now - 1000 * NS_PER_S) / (double)NS_PER_MS);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}
