/* SPDX-License-Identifier: Apache-2.0 */
/* instances.c - scripted app instances: each does what a request's plan asks for. They check what they
 * are sent: framing must be canonical and the body's pattern right. */
#include "kit.h"

#include "proto/http1.h"

#include <stdio.h>
#include <stdlib.h>

enum { HEAD_MAX_BYTES = 16 * 1024 };

enum inst_state { INST_HEAD, INST_BODY, INST_THINKING, INST_ANSWERING, INST_CLOSED };

struct inst {
    struct conn conn;
    struct link link;
    struct sim *sim;
    struct timer timer;
    enum inst_state state;
    char in[HEAD_MAX_BYTES + 1];
    size_t in_n;
    struct plan plan;
    struct http1_body body;
    size_t body_seen;
    char *out;
    size_t out_n;
    bool closing;       /* after this answer */
    unsigned number;    /* which instance this is */
    unsigned requests;  /* on this connection */
    enum manner manner; /* towards the request under way */
    size_t dripped;     /* bytes of the body that have gone */
    bool stray;         /* bytes that nobody asked for are still to be sent */
    bool checking;      /* an active check waits here */
};

static struct inst *of(struct conn *c)
{
    return container_of(c, struct inst, conn);
}

static void inst_move(struct inst *i, enum inst_state to)
{
    bool was = i->state == INST_BODY || i->state == INST_THINKING || i->state == INST_ANSWERING;
    bool is = to == INST_BODY || to == INST_THINKING || to == INST_ANSWERING;

    i->sim->under_way[i->number] += (unsigned)is - (unsigned)was;
    i->state = to;
}

static void inst_close(struct inst *i)
{
    if (i->state == INST_CLOSED)
        return;
    inst_move(i, INST_CLOSED);
    i->sim->open[i->number]--;
    i->sim->checks_open -= i->checking;
    timer_drop(&i->sim->instance_reactor.timers, &i->timer);
    conn_close(&i->conn);
}

static struct lent on_lend(struct conn *c)
{
    struct inst *i = of(c);
    return (struct lent){ i->in + i->in_n, HEAD_MAX_BYTES - i->in_n };
}

/* ---- answering */

static char *put_chunked(char *at, const struct plan *p, unsigned pattern)
{
    size_t done = 0;

    while (done < p->size) {
        size_t piece = 1 + (p->id * 37 + done) % 5000;
        if (piece > p->size - done)
            piece = p->size - done;
        at += sprintf(at, done % 2 ? "%zx\r\n" : "%zX;x=\"y\"\r\n", piece);
        for (size_t k = 0; k < piece; k++)
            *at++ = pattern_byte(pattern, done + k);
        at += sprintf(at, "\r\n");
        done += piece;
    }
    return at + sprintf(at, "0\r\nX-Trailer: dropped\r\n\r\n");
}

static bool has_body(const struct plan *p)
{
    return !p->head && p->status != 204 && p->status != 304;
}

static char *put_answer(char *at, const struct inst *i)
{
    const struct plan *p = &i->plan;
    unsigned pattern = i->sim->marks ? marked(p->id, i->number) : p->id;

    at += sprintf(at, "HTTP/1.1 %u Planned\r\nX-Id: %u\r\nX-Hop: x\r\nConnection: X-Hop%s\r\n",
                  p->status, p->id, p->framing == FRAMING_CLOSE ? ", close" : "");
    if (i->sim->marks)
        at += sprintf(at, "X-Mark: %u\r\n", i->number);
    if (p->events)
        at += sprintf(at, "Content-Type: text/event-stream; charset=utf-8\r\n");
    if (!has_body(p))
        return at + sprintf(at, p->head ? "Content-Length: %zu\r\n\r\n" : "\r\n", p->size);
    if (p->framing == FRAMING_CHUNKED)
        return put_chunked(at + sprintf(at, "Transfer-Encoding: chunked\r\n\r\n"), p, pattern);
    if (p->framing == FRAMING_LENGTH)
        at += sprintf(at, "Content-Length: %zu\r\n", p->size);
    at += sprintf(at, "\r\n");
    for (size_t k = 0; k < p->size; k++)
        *at++ = pattern_byte(pattern, k);
    return at;
}

static const char stray_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";

static void send_out(struct inst *i)
{
    struct iovec piece = { i->out, i->out_n };

    inst_move(i, INST_ANSWERING);
    conn_send(&i->conn, &piece, 1);
}

/* ---- what trickles: the head, and a piece each drip_ms */

static void drip(struct inst *i)
{
    const struct plan *p = &i->plan;
    bool first = i->dripped == 0;
    size_t n = p->size - i->dripped < DRIP_SIZE ? p->size - i->dripped : DRIP_SIZE;
    char *at = i->out = malloc(4096);

    check(i->out != NULL);
    if (first)
        i->sim->seen[p->id].began = sim_now(i->sim->world);
    if (first)
        at += sprintf(at, "HTTP/1.1 %u Planned\r\nX-Id: %u\r\n%sTransfer-Encoding: chunked\r\n\r\n",
                      p->status, p->id, p->events ? "Content-Type: text/event-stream\r\n" : "");
    at += sprintf(at, "%zx\r\n", n);
    for (size_t k = 0; k < n; k++)
        *at++ = pattern_byte(p->id, i->dripped++);
    at += sprintf(at, "\r\n%s", i->dripped == p->size ? "0\r\n\r\n" : "");
    i->out_n = (size_t)(at - i->out);
    send_out(i);
}

/* ---- what an instance does by itself */

static char *put_own_answer(char *at, unsigned status, unsigned retry_after)
{
    static const char text[] = "an error page of the instance\n";

    at += sprintf(at, "HTTP/1.1 %u Own\r\nContent-Length: %zu\r\n", status, sizeof(text) - 1);
    if (retry_after)
        at += sprintf(at, "Retry-After: %u\r\n", retry_after);
    return at + sprintf(at, "\r\n%s", text);
}

static char *cut_short(struct inst *i, char *end)
{
    const char *body = memmem(i->out, (size_t)(end - i->out), "\r\n\r\n", 4);

    check(body != NULL);
    return i->out + (body + 4 - i->out) + (end - (body + 4)) / 2;
}

/* False: the manner leaves nothing to send. */
static bool put_manner(struct inst *i, char **end)
{
    const struct manners *m = &i->sim->manners[i->number];

    switch (i->manner) {
    case MANNER_GOOD:
    case MANNER_LINE:
    case MANNER_SLOW: break;
    case MANNER_ERROR: *end = put_own_answer(i->out, 500, 0); break;
    case MANNER_BUSY: *end = put_own_answer(i->out, 503, m->ms / 1000); break;
    case MANNER_HOLE:
    case MANNER_DEAF: return false;
    case MANNER_BREAKS:
        *end = cut_short(i, *end);
        i->closing = true;
        break;
    case MANNER_STUCK:
        *end = cut_short(i, *end);
        i->dripped = 1; /* nothing follows */
        break;
    }
    return true;
}

static bool is_own(enum manner m)
{
    return m == MANNER_ERROR || m == MANNER_BUSY;
}

static void answer(struct inst *i)
{
    const struct plan *p = &i->plan;

    if (p->trouble == TROUBLE_DRIP && !is_own(i->manner)) {
        drip(i);
        return;
    }
    i->out = malloc(p->size + p->size / 4 + 4096); /* chunk lines come to less than a quarter */
    check(i->out != NULL);
    char *end = put_answer(i->out, i);
    i->closing = p->framing == FRAMING_CLOSE && !is_own(i->manner);
    if (!put_manner(i, &end))
        return;
    if (i->manner != MANNER_GOOD) {
        i->out_n = (size_t)(end - i->out);
        send_out(i);
        return;
    }
    i->closing = p->framing == FRAMING_CLOSE || p->trouble == TROUBLE_EARLY;
    switch (p->trouble) {
    case TROUBLE_RESET:
        end = i->out + (end - i->out) * 3 / 4;
        i->closing = true;
        break;
    case TROUBLE_SILENT: inst_close(i); return;
    case TROUBLE_GARBAGE:
        end = i->out + sprintf(i->out, "SSH-2.0-not a web server\r\n\r\n");
        i->closing = true;
        break;
    case TROUBLE_SMUGGLE:
        end = i->out + sprintf(i->out, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n"
                                       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        i->closing = true;
        break;
    case TROUBLE_EXTRA: end += sprintf(end, "%s", stray_answer); break;
    case TROUBLE_LATER: i->stray = true; break;
    case TROUBLE_STALL: return;
    case TROUBLE_NONE:
    case TROUBLE_DRIP:
    case TROUBLE_EARLY:
    case TROUBLES: break;
    }
    i->out_n = (size_t)(end - i->out);
    send_out(i);
}

/* How long what is in line there takes. */
static ns_t line_left(const struct inst *i)
{
    ns_t left = i->sim->worked_off[i->number] - sim_now(i->sim->world);

    return left > 0 ? left : 0;
}

static void think(struct inst *i)
{
    const struct manners *m = &i->sim->manners[i->number];
    bool longer = i->manner == MANNER_SLOW || i->manner == MANNER_ERROR;
    ns_t delay = (ns_t)(i->plan.delay_ms + (longer ? m->ms : 0)) * NS_PER_MS;

    if (i->manner == MANNER_LINE) {
        delay = line_left(i) + m->ms * NS_PER_MS;
        i->sim->worked_off[i->number] = sim_now(i->sim->world) + delay;
    }
    inst_move(i, INST_THINKING);
    timer_set(&i->sim->instance_reactor.timers, &i->timer, sim_now(i->sim->world) + delay);
}

static void send_stray(struct inst *i)
{
    struct iovec piece = { (void *)(uintptr_t)stray_answer, sizeof(stray_answer) - 1 };

    i->stray = false;
    conn_send(&i->conn, &piece, 1);
}

static void on_timer(struct timer *t)
{
    struct inst *i = container_of(t, struct inst, timer);

    if (i->stray)
        send_stray(i);
    else if (i->state == INST_HEAD)
        inst_close(i); /* idle for too long */
    else
        answer(i);
}

static void look(struct inst *i);

static void on_sent(struct conn *c)
{
    struct inst *i = of(c);

    if (i->state == INST_HEAD)
        return; /* a stray answer is out */
    free(i->out);
    i->out = NULL;
    if (i->closing) {
        inst_close(i);
        return;
    }
    if (i->manner == MANNER_STUCK)
        return;
    if (i->plan.trouble == TROUBLE_DRIP && i->dripped && i->dripped < i->plan.size) {
        timer_set(&i->sim->instance_reactor.timers, &i->timer,
                  i->sim->seen[i->plan.id].began +
                      (ns_t)(i->dripped / DRIP_SIZE) * i->plan.drip_ms * NS_PER_MS);
        return;
    }
    if (i->sim->manners[i->number].idle_ms)
        timer_set(&i->sim->instance_reactor.timers, &i->timer,
                  sim_now(i->sim->world) + i->sim->manners[i->number].idle_ms * NS_PER_MS);
    if (i->stray) {
        timer_set(&i->sim->instance_reactor.timers, &i->timer,
                  sim_now(i->sim->world) + (5 + (ns_t)pick(i->sim, 10)) * NS_PER_MS);
    }
    inst_move(i, INST_HEAD);
    if (i->in_n > 0)
        sim_fail(i->sim, "an instance got bytes behind a request before its answer was read");
    conn_receive(c);
}

/* ---- reading */

static void check_body(struct inst *i, const char *data, size_t n)
{
    for (size_t k = 0; k < n; k++) {
        if (data[k] != pattern_byte(i->plan.id, i->body_seen + k)) {
            sim_fail(i->sim, "request %u: byte %zu of the body is wrong at the instance",
                     i->plan.id, i->body_seen + k);
            return;
        }
    }
    i->body_seen += n;
}

static void read_body(struct inst *i)
{
    size_t used = 0;
    size_t data = 0;

    if (http1_body_read(&i->body, i->in, i->in_n, &used, &data) != HTTP1_GOOD) {
        sim_fail(i->sim, "request %u: malformed body at the instance", i->plan.id);
        inst_close(i);
        return;
    }
    check_body(i, i->in, data);
    memmove(i->in, i->in + used, i->in_n - used);
    i->in_n -= used;
    if (!i->body.complete) {
        conn_receive(&i->conn);
        return;
    }
    SIM_CHECK(i->sim, i->body_seen == i->plan.body, "request %u: %zu of %zu body bytes arrived",
              i->plan.id, i->body_seen, i->plan.body);
    think(i);
}

/* A request comes a second time only if it is safe to repeat; to the same instance only on a fresh connection
 * after one that it had kept idle (RFC 9112 section 9.3.1); and to no more instances than there are tries. */
static void check_repeats(struct inst *i)
{
    struct sim *s = i->sim;
    const struct plan *p = &i->plan;
    struct seen *seen = &s->seen[p->id];
    unsigned all = 0;
    unsigned places = 0;

    seen->at[i->number]++;
    for (unsigned n = 0; n < KIT_INSTANCES; n++) {
        all += seen->at[n];
        places += seen->at[n] > 0;
    }
    SIM_CHECK(s, all == 1 || !p->body || p->put, "request %u came twice and is no safe one", p->id);
    SIM_CHECK(s, seen->at[i->number] <= 2, "request %u came to one instance three times", p->id);
    SIM_CHECK(s, seen->at[i->number] < 2 || (i->requests == 1 && !seen->fresh[i->number]),
              "request %u came to one instance twice", p->id);
    SIM_CHECK(s, places <= s->shop.retry.attempts, "request %u was tried on %u instances", p->id,
              places);
    seen->fresh[i->number] = i->requests == 1;
    seen->last = (uint8_t)i->number;
}

/* The field says what is left of one deadline: it is the same whenever it is told. */
static void check_timeout(struct inst *i, const char *head)
{
    struct sim *s = i->sim;
    const char *at = strcasestr(head, "\r\nevenkeel-timeout: ");
    ns_t sent = s->seen[i->plan.id].sent;

    SIM_CHECK(s, !at == (s->shop.mode == MODE_OBSERVE), "request %u: %s", i->plan.id,
              at ? "told a deadline in observe mode" : "not told its deadline");
    if (!at || s->shop.mode == MODE_OBSERVE)
        return;
    ns_t left = strtoll(at + 20, NULL, 10) * NS_PER_MS;
    SIM_CHECK(s, !strcasestr(at + 2, "\r\nevenkeel-timeout: "), "request %u: two deadlines",
              i->plan.id);
    SIM_CHECK(s, left <= s->shop.timeout.total, "request %u: %d ms are left", i->plan.id,
              (int)(left / NS_PER_MS));
    if (s->on_timeout)
        s->on_timeout(s, &i->plan, sim_now(s->world) + left - sent);
}

static void choose_manner(struct inst *i)
{
    const struct manners *m = &i->sim->manners[i->number];

    i->manner = m->per_mille && pick(i->sim, 1000) >= m->per_mille ? MANNER_GOOD : m->how;
    if (i->manner == MANNER_LINE && line_left(i) >= (ns_t)m->room * m->ms * NS_PER_MS)
        i->manner = MANNER_BUSY;
}

/* Not a client's request, so nothing else counts it. */
static bool begin_check(struct inst *i, size_t size)
{
    static const char start[] = "GET /healthz HTTP/1.1\r\n";
    struct sim *s = i->sim;

    if (size < sizeof(start) || memcmp(i->in, start, sizeof(start) - 1) != 0)
        return false;
    SIM_CHECK(s, i->in_n == size && !i->checking, "a check says more than one request");
    s->checks[i->number]++;
    s->checks_open++;
    i->checking = true;
    i->in_n = 0;
    if (s->fitness[i->number] == SILENT) {
        conn_receive(&i->conn);
        return true;
    }
    i->out = malloc(128);
    check(i->out != NULL);
    i->out_n = (size_t)sprintf(i->out, "HTTP/1.1 %d Fitness\r\nContent-Length: 2\r\n\r\n..",
                               s->fitness[i->number] == FIT ? 200 : 503);
    i->closing = true;
    send_out(i);
    return true;
}

static void begin_request(struct inst *i, size_t size)
{
    struct http1_limits limits = { HEAD_MAX_BYTES, 8192, 100 };
    struct http_field fields[100];
    struct http_head head;
    char *copy = strndup(i->in, size);

    if (!plan_read(copy, &i->plan) || i->plan.malformed)
        sim_fail(i->sim, "a request reached an instance that should have been refused:\n%s", copy);
    if (http1_parse_request(span_of(i->in, size), &limits, fields, &head) != HTTP1_GOOD) {
        sim_fail(i->sim, "request %u is malformed at the instance:\n%s", i->plan.id, copy);
    } else {
        http1_body_begin(&i->body, &head);
        if (strcasestr(copy, "x-hop:") || strcasestr(copy, "keep-alive"))
            sim_fail(i->sim, "request %u: hop-by-hop field passed on", i->plan.id);
    }
    timer_drop(&i->sim->instance_reactor.timers, &i->timer);
    i->requests++;
    i->sim->instance_requests++;
    i->sim->asked[i->number]++;
    check_repeats(i);
    check_timeout(i, copy);
    choose_manner(i);
    free(copy);
    i->body_seen = i->dripped = 0;
    sim_trace(i->sim->world, "instance %u: request %u", i->number, i->plan.id);
    memmove(i->in, i->in + size, i->in_n - size);
    i->in_n -= size;
    inst_move(i, INST_BODY);
    if (i->plan.trouble == TROUBLE_EARLY)
        answer(i);
    else
        read_body(i);
}

static void look(struct inst *i)
{
    struct http1_limits limits = { HEAD_MAX_BYTES, 8192, 100 };
    struct http1_scan scan = {};
    enum http1_reason why = HTTP1_GOOD;
    size_t size = 0;

    switch (http1_scan_head(&scan, span_of(i->in, i->in_n), &limits, &size, &why)) {
    case HTTP1_COMPLETE:
        if (!begin_check(i, size))
            begin_request(i, size);
        break;
    case HTTP1_MORE: conn_receive(&i->conn); break;
    case HTTP1_REFUSED:
        sim_fail(i->sim, "an instance got a malformed head: %s", http1_reason_code(why));
        inst_close(i);
        break;
    }
}

static void on_received(struct conn *c, size_t n)
{
    struct inst *i = of(c);

    if (n == 0)
        return;
    i->in_n += n;
    if (i->state == INST_HEAD)
        look(i);
    else if (i->state == INST_BODY)
        read_body(i);
}

static void on_gone(struct conn *c)
{
    inst_close(of(c));
}

static void on_failed(struct conn *c, int error)
{
    (void)error;
    inst_close(of(c));
}

static void on_never(struct conn *c)
{
    (void)c;
}

static void on_released(struct conn *c)
{
    struct inst *i = of(c);

    free(i->out);
    list_remove(i->sim->instance_conns, &i->link);
    free(i);
}

static const struct conn_handler handler = {
    .lend = on_lend,
    .received = on_received,
    .ended = on_gone,
    .sent = on_sent,
    .connected = on_never,
    .resumed = on_never,
    .failed = on_failed,
    .hung_up = on_gone,
    .released = on_released,
};

static bool may_accept(struct port *p)
{
    (void)p;
    return true;
}

static bool accepted(struct port *p, const struct accepted *a)
{
    struct sim *s = p->owner;
    struct inst *i = calloc(1, sizeof(*i));

    check(i != NULL);
    i->sim = s;
    i->number = (unsigned)(p - s->instance_ports);
    i->timer.fire = on_timer;
    list_append(s->instance_conns, &i->link);
    s->open[i->number]++;
    conn_open(&i->conn, &s->instance_reactor, &handler, a);
    if (s->manners[i->number].how != MANNER_DEAF)
        conn_receive(&i->conn);
    return true;
}

static const struct port_handler port_handler = { .may_accept = may_accept, .accepted = accepted };

void instance_up(struct sim *s, unsigned n)
{
    if (s->instance_up[n])
        return;
    s->instance_ports[n] = (struct port){ .address = s->behind[n] };
    port_start(&s->instance_ports[n], &s->instance_reactor, &port_handler, s);
    s->instance_up[n] = true;
}

void instance_down(struct sim *s, unsigned n)
{
    if (s->instance_up[n])
        port_stop(&s->instance_ports[n]);
    s->instance_up[n] = false;
}

void instances_start(struct sim *s)
{
    s->instance_conns = calloc(1, sizeof(struct list));
    check(s->instance_conns != NULL);
    list_init(s->instance_conns);
    for (unsigned n = 0; n < KIT_INSTANCES; n++)
        instance_up(s, n);
}

void instances_free(struct sim *s)
{
    free(s->instance_conns);
    s->instance_conns = NULL;
}

void instances_cut(struct sim *s)
{
    struct list *conns = s->instance_conns;

    for (unsigned n = 0; n < KIT_INSTANCES; n++)
        instance_down(s, n);
    for (struct link *k = conns->head.next; k != &conns->head; k = k->next)
        inst_close(container_of(k, struct inst, link));
}
