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
    bool closing; /* after this answer */
    bool stray;   /* bytes that nobody asked for are still to be sent */
};

static struct inst *of(struct conn *c)
{
    return container_of(c, struct inst, conn);
}

static void inst_close(struct inst *i)
{
    if (i->state == INST_CLOSED)
        return;
    i->state = INST_CLOSED;
    timer_drop(&i->sim->instance_reactor.timers, &i->timer);
    conn_close(&i->conn);
}

static struct lent on_lend(struct conn *c)
{
    struct inst *i = of(c);
    return (struct lent){ i->in + i->in_n, HEAD_MAX_BYTES - i->in_n };
}

/* ---- answering */

static char *put_chunked(char *at, const struct plan *p)
{
    size_t done = 0;

    while (done < p->size) {
        size_t piece = 1 + (p->id * 37 + done) % 5000;
        if (piece > p->size - done)
            piece = p->size - done;
        at += sprintf(at, done % 2 ? "%zx\r\n" : "%zX;x=\"y\"\r\n", piece);
        for (size_t k = 0; k < piece; k++)
            *at++ = pattern_byte(p->id, done + k);
        at += sprintf(at, "\r\n");
        done += piece;
    }
    return at + sprintf(at, "0\r\nX-Trailer: dropped\r\n\r\n");
}

static bool has_body(const struct plan *p)
{
    return !p->head && p->status != 204 && p->status != 304;
}

static char *put_answer(char *at, const struct plan *p)
{
    at += sprintf(at, "HTTP/1.1 %u Planned\r\nX-Id: %u\r\nX-Hop: x\r\nConnection: X-Hop%s\r\n",
                  p->status, p->id, p->framing == FRAMING_CLOSE ? ", close" : "");
    if (!has_body(p))
        return at + sprintf(at, p->head ? "Content-Length: %zu\r\n\r\n" : "\r\n", p->size);
    if (p->framing == FRAMING_CHUNKED)
        return put_chunked(at + sprintf(at, "Transfer-Encoding: chunked\r\n\r\n"), p);
    if (p->framing == FRAMING_LENGTH)
        at += sprintf(at, "Content-Length: %zu\r\n", p->size);
    at += sprintf(at, "\r\n");
    for (size_t k = 0; k < p->size; k++)
        *at++ = pattern_byte(p->id, k);
    return at;
}

static const char stray_answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nstray";

static void send_out(struct inst *i)
{
    struct iovec piece = { i->out, i->out_n };

    i->state = INST_ANSWERING;
    if (conn_send(&i->conn, &piece, 1))
        i->conn.handler->sent(&i->conn);
}

static void answer(struct inst *i)
{
    const struct plan *p = &i->plan;

    i->out = malloc(p->size + p->size / 4 + 4096); /* chunk lines come to less than a quarter */
    check(i->out != NULL);
    char *end = put_answer(i->out, p);
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
    case TROUBLE_EARLY:
    case TROUBLES: break;
    }
    i->out_n = (size_t)(end - i->out);
    send_out(i);
}

static void think(struct inst *i)
{
    i->state = INST_THINKING;
    timer_set(&i->sim->instance_reactor.timers, &i->timer,
              sim_now(i->sim->world) + i->plan.delay_ms * NS_PER_MS);
}

static void send_stray(struct inst *i)
{
    struct iovec piece = { (void *)(uintptr_t)stray_answer, sizeof(stray_answer) - 1 };

    i->stray = false;
    if (!conn_send(&i->conn, &piece, 1))
        i->state = INST_ANSWERING; /* sent() follows */
}

static void on_timer(struct timer *t)
{
    struct inst *i = container_of(t, struct inst, timer);

    if (i->stray)
        send_stray(i);
    else
        answer(i);
}

static void look(struct inst *i);

static void on_sent(struct conn *c)
{
    struct inst *i = of(c);

    free(i->out);
    i->out = NULL;
    if (i->closing) {
        inst_close(i);
        return;
    }
    if (i->stray) {
        timer_set(&i->sim->instance_reactor.timers, &i->timer,
                  sim_now(i->sim->world) + (5 + (ns_t)pick(i->sim, 10)) * NS_PER_MS);
    }
    i->state = INST_HEAD;
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
    free(copy);
    i->body_seen = 0;
    i->sim->instance_requests++;
    memmove(i->in, i->in + size, i->in_n - size);
    i->in_n -= size;
    i->state = INST_BODY;
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
    case HTTP1_COMPLETE: begin_request(i, size); break;
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
    i->timer.fire = on_timer;
    list_append(s->instance_conns, &i->link);
    conn_open(&i->conn, &s->instance_reactor, &handler, a);
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
