/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - read from the top: what a result means, asking, connecting, what is to be checked. */
#include "control/health.h"

#include "base/check.h"
#include "base/log.h"
#include "base/str.h"
#include "io/conn.h"
#include "io/tls.h"
#include "plane/http/slots.h"
#include "proto/http1.h"

#include <stdio.h>
#include <stdlib.h>

#define WHEN_MANY_RUN (20 * NS_PER_MS) /* until another look whether there is room for this one */

/* The connection of one check, with the text of its request and what came of the answer. */
struct asking {
    struct conn conn;
    struct check *check;
    struct str request;
    size_t have;
    char bytes[CHECK_BYTES_MAX];
};

static const struct conn_handler handler;

static struct check *of(struct conn *conn)
{
    return container_of(conn, struct asking, conn)->check;
}

static struct reactor *reactor_of(const struct check *c)
{
    return c->checker->reactor;
}

static void set_timer(struct check *c, ns_t from_now)
{
    timer_set(&reactor_of(c)->timers, &c->timer, reactor_of(c)->now + from_now);
}

/* ---- what a result means */

static void say(struct check *c)
{
    struct checker *h = c->checker;

    counter_put(h->page, c->instance->said + SAID_UP, c->up);
    counter_tell(h->page, h->changes);
}

static void change(struct check *c, bool up)
{
    c->up = up;
    c->in_a_row = 0;
    c->since = c->checker->wall() / NS_PER_S;
    if (up)
        log_info("instance %.*s of %.*s is up", SPAN_ARG(c->instance->text),
                 SPAN_ARG(c->service->name));
    else
        log_warn("instance %.*s of %.*s is down: %s", SPAN_ARG(c->instance->text),
                 SPAN_ARG(c->service->name), c->why);
    say(c);
    c->checker->owner.changed(c->checker->owner.owner, c, true);
}

static void judge(struct check *c, bool good)
{
    const struct health *rule = &c->service->health;
    bool first = !c->checked;

    c->checked = true;
    c->took = reactor_of(c)->now - c->began;
    if (first && (!c->known || c->up != good)) {
        c->known = true;
        change(c, good);
        return;
    }
    if (first) /* as it was left: but the owner waits for the first word */
        c->checker->owner.changed(c->checker->owner.owner, c, false);
    c->known = true;
    if (good == c->up) {
        c->in_a_row = 0;
        return;
    }
    if (++c->in_a_row >= (good ? rule->rise : rule->fall))
        change(c, good);
}

/* ---- the end of one check */

static void rest(struct check *c)
{
    ns_t interval = c->service->health.interval;
    ns_t spread = interval / 10; /* so that many do not beat as one */

    c->state = CHECK_RESTING;
    set_timer(c,
              interval - spread + (ns_t)rng_below(&reactor_of(c)->rng, (uint64_t)spread * 2 + 1));
}

/* Its connection closes; it rests once that is released. */
static void finish(struct check *c, const char *why)
{
    snprintf(c->why, sizeof(c->why), "%s", why ? why : "");
    timer_set(&reactor_of(c)->timers, &c->timer, NS_NEVER);
    c->state = CHECK_CLOSING;
    conn_close(&c->asking->conn);
    if (c->wanted)
        judge(c, !why);
}

/* ---- asking */

/* The text is looked for in what has come of the body; its framing may cut through it only when it comes in chunks,
 * which are put together first. */
static bool has_text(struct check *c, const struct http_head *head, size_t head_size,
                     bool *ret_whole)
{
    struct http1_body body;
    char copy[CHECK_BYTES_MAX];
    size_t used = 0;
    size_t data = 0;
    struct span wanted = c->service->health.body;

    memcpy(copy, c->asking->bytes + head_size, c->asking->have - head_size);
    http1_body_begin(&body, head);
    bool good =
        http1_body_read(&body, copy, c->asking->have - head_size, &used, &data) == HTTP1_GOOD;
    *ret_whole = !good || body.complete || c->asking->have == CHECK_BYTES_MAX;
    return good && memmem(copy, data, wanted.p, wanted.n) != NULL;
}

/* True: it was only a word in between, and the answer is behind it. */
static bool take_answer(struct check *c, size_t head_size, bool ended)
{
    const struct http1_limits limits = { CHECK_BYTES_MAX, CHECK_BYTES_MAX, HTTP1_FIELDS_MAX };
    struct http_field fields[HTTP1_FIELDS_MAX];
    char copy[CHECK_BYTES_MAX];
    struct http_head head;
    char why[CHECK_WHY_MAX];
    bool whole;

    memcpy(copy, c->asking->bytes, head_size);
    if (http1_parse_answer(span_of(copy, head_size), &limits, false, fields, &head) != HTTP1_GOOD) {
        finish(c, "its answer is not HTTP/1");
        return false;
    }
    if (head.status < 200 && !head.upgrade) {
        c->asking->have -= head_size;
        memmove(c->asking->bytes, c->asking->bytes + head_size, c->asking->have);
        return true;
    }
    if (!status_set_has(&c->service->health.statuses, head.status)) {
        snprintf(why, sizeof(why), "it answers %u", head.status);
        finish(c, why);
        return false;
    }
    if (c->service->health.body.n == 0 || has_text(c, &head, head_size, &whole))
        finish(c, NULL);
    else if (whole || ended)
        finish(c, "its answer does not hold the text of health.body");
    else
        conn_receive(&c->asking->conn);
    return false;
}

/* True: there is more to look at. */
static bool look_once(struct check *c, bool ended)
{
    const struct http1_limits limits = { CHECK_BYTES_MAX, CHECK_BYTES_MAX, HTTP1_FIELDS_MAX };
    struct http1_scan scan = {};
    enum http1_reason why;
    size_t size = 0;

    switch (
        http1_scan_head(&scan, span_of(c->asking->bytes, c->asking->have), &limits, &size, &why)) {
    case HTTP1_COMPLETE: return take_answer(c, size, ended);
    case HTTP1_REFUSED: finish(c, "its answer is not HTTP/1"); break;
    case HTTP1_MORE:
        if (ended)
            finish(c, "it closed the connection without an answer");
        else
            conn_receive(&c->asking->conn);
    }
    return false;
}

static void look(struct check *c, bool ended)
{
    while (look_once(c, ended)) {
    }
}

static struct lent on_lend(struct conn *conn)
{
    struct check *c = of(conn);

    return (struct lent){ c->asking->bytes + c->asking->have, CHECK_BYTES_MAX - c->asking->have };
}

static void on_received(struct conn *conn, size_t n)
{
    struct check *c = of(conn);

    c->asking->have += n;
    if (n > 0)
        look(c, false);
}

static void on_ended(struct conn *conn)
{
    look(of(conn), true);
}

static void on_sent(struct conn *conn)
{
    (void)conn; /* the answer is waited for since it was given */
}

static void ask(struct check *c)
{
    const struct health *rule = &c->service->health;
    struct asking *a = c->asking;
    struct span host = rule->host.n ? rule->host : c->instance->from;

    if (span_starts_with(host, SPAN("unix:")))
        host = SPAN("localhost");
    str_print(&a->request,
              "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: evenkeel-check\r\nAccept: */*\r\n"
              "Connection: close\r\n\r\n",
              SPAN_ARG(rule->path), SPAN_ARG(host));
    c->state = CHECK_ASKING;
    conn_receive(&a->conn);
    struct iovec piece = { a->request.p, a->request.n };
    conn_send(&a->conn, &piece, 1);
}

/* ---- connecting */

static void on_connected(struct conn *conn)
{
    struct check *c = of(conn);

    if (c->service->health.path.n)
        ask(c);
    else
        finish(c, NULL);
}

static void on_failed(struct conn *conn, int error)
{
    struct check *c = of(conn);
    char why[CHECK_WHY_MAX];

    if (c->state == CHECK_ASKING)
        snprintf(why, sizeof(why), "it broke off the connection: %s", strerrordesc_np(error));
    else if (conn->shaking && !conn->connecting)
        snprintf(why, sizeof(why), "its certificate could not be verified, or it speaks no TLS");
    else
        snprintf(why, sizeof(why), "no connection: %s", strerrordesc_np(error));
    finish(c, why);
}

static void on_hung_up(struct conn *conn)
{
    (void)conn; /* what it sent is read first, and its end after that */
}

static void on_resumed(struct conn *conn)
{
    (void)conn;
    never("a check that asks to be resumed");
}

static void drop(struct check *c)
{
    timer_drop(&reactor_of(c)->timers, &c->timer);
    list_remove(&c->checker->list, &c->link);
    free(c);
}

static void on_released(struct conn *conn)
{
    struct asking *a = container_of(conn, struct asking, conn);
    struct check *c = a->check;

    str_free(&a->request);
    free(a);
    c->asking = NULL;
    c->checker->running--;
    if (!c->wanted || c->checker->stopped)
        drop(c);
    else
        rest(c);
}

static const struct conn_handler handler = {
    .lend = on_lend,
    .received = on_received,
    .ended = on_ended,
    .sent = on_sent,
    .connected = on_connected,
    .resumed = on_resumed,
    .failed = on_failed,
    .hung_up = on_hung_up,
    .released = on_released,
};

static void connect_to(struct check *c)
{
    const struct instance *i = c->instance;
    struct asking *a = malloc(sizeof(*a));

    check(a != NULL);
    a->check = c;
    a->request = str_growing();
    a->have = 0;
    c->asking = a;
    c->checker->running++;
    c->began = reactor_of(c)->now;
    c->state = CHECK_CONNECTING;
    conn_connect(&a->conn, reactor_of(c), &handler, &i->address);
    if (c->service->tls_client)
        tls_dress_outgoing(&a->conn, c->service->tls_client, i->host.n ? i->host : i->text);
    set_timer(c, c->service->health.timeout);
}

static void on_timer(struct timer *t)
{
    struct check *c = container_of(t, struct check, timer);

    if (c->state == CHECK_CONNECTING)
        finish(c, "no connection in time");
    else if (c->state == CHECK_ASKING)
        finish(c, "no answer in time");
    else if (c->state == CHECK_RESTING && c->checker->running < CHECKS_AT_ONCE_MAX)
        connect_to(c);
    else if (c->state == CHECK_RESTING)
        set_timer(c, WHEN_MANY_RUN);
}

/* ---- what is to be checked */

void checker_open(struct checker *h, struct reactor *r, struct counter_page *page, uint32_t changes,
                  ns_t (*wall)(void), struct check_owner owner)
{
    *h = (struct checker){
        .reactor = r, .page = page, .changes = changes, .wall = wall, .owner = owner
    };
    list_init(&h->list);
}

static struct check *find(const struct checker *h, uint32_t id)
{
    for (struct link *k = h->list.head.next; k != &h->list.head; k = k->next) {
        struct check *c = container_of(k, struct check, link);
        if (c->wanted && c->id == id)
            return c;
    }
    return NULL;
}

const struct check *checker_find(const struct checker *h, const struct instance *i)
{
    return find(h, i->id);
}

static void remember(struct check *c, const struct check_memory *memories, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!span_equal(memories[i].service, c->service->name) ||
            !span_equal(memories[i].instance, c->instance->text))
            continue;
        c->known = true;
        c->up = memories[i].up;
        c->since = memories[i].since;
    }
}

static void begin(struct checker *h, const struct service *s, const struct instance *i,
                  const struct check_memory *memories, size_t count)
{
    struct check *c = calloc(1, sizeof(*c));

    check(c != NULL);
    *c = (struct check){ .checker = h,
                         .service = s,
                         .instance = i,
                         .id = i->id,
                         .wanted = true,
                         .timer.fire = on_timer };
    list_append(&h->list, &c->link);
    remember(c, memories, count);
    say(c);
    set_timer(c, 0);
}

static bool is_checked(const struct service *s)
{
    return s->health.interval > 0 && s->mode == MODE_ACT && !s->local;
}

/* Without its instance; a check under way is left to end. */
static void let_go(struct check *c)
{
    c->wanted = false;
    if (!c->asking)
        drop(c);
    else if (c->state != CHECK_CLOSING)
        finish(c, "not wanted any more");
}

/* The same instance under the new configuration; false when it was not checked before. */
static bool go_on(struct checker *h, const struct service *s, const struct instance *i)
{
    for (struct link *k = h->list.head.next; k != &h->list.head; k = k->next) {
        struct check *c = container_of(k, struct check, link);
        if (!c->wanted || c->id != i->id || c->service)
            continue; /* one that was let go of only waits for its connection to close */
        c->service = s;
        c->instance = i;
        return true;
    }
    return false;
}

void checker_adopt(struct checker *h, const struct config *c, const struct check_memory *memories,
                   size_t count)
{
    struct link *k;

    if (h->stopped)
        return;
    for (k = h->list.head.next; k != &h->list.head; k = k->next) {
        struct check *old = container_of(k, struct check, link);
        old->service = old->wanted ? NULL : old->service; /* the old ones are about to go */
    }
    for (size_t s = 0; s < c->service_count; s++) {
        const struct service *service = &c->services[s];
        for (size_t i = 0; is_checked(service) && i < service->instance_count; i++) {
            if (!go_on(h, service, &service->instances[i]))
                begin(h, service, &service->instances[i], memories, count);
        }
    }
    for (k = h->list.head.next; k != &h->list.head;) {
        struct check *old = container_of(k, struct check, link);
        k = k->next;
        if (!old->service)
            let_go(old);
    }
}

bool checker_ready(const struct checker *h, const struct config *c)
{
    for (size_t s = 0; s < c->service_count; s++) {
        const struct service *service = &c->services[s];
        bool ready = !is_checked(service);
        for (size_t i = 0; !ready && i < service->instance_count; i++) {
            const struct check *k = find(h, service->instances[i].id);
            ready = k && k->checked && k->up;
        }
        if (!ready)
            return false;
    }
    return true;
}

void checker_stop(struct checker *h)
{
    h->stopped = true;
    for (struct link *k = h->list.head.next; k != &h->list.head;) {
        struct check *c = container_of(k, struct check, link);
        k = k->next;
        let_go(c);
    }
}

void checker_free(struct checker *h)
{
    check(list_empty(&h->list));
}
