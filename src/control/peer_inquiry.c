/* SPDX-License-Identifier: Apache-2.0 */
/* peer_inquiry.c - see peer_inquiry.h. Connections are those of the pulls, for libcurl keeps them by multi handle. */
#include "control/peer_inquiry.h"

#include "base/check.h"
#include "control/control.h"

#include <stdlib.h>
#include <time.h>

/* A part that is asked for. */
struct asked {
    struct link link; /* peer_puller.inquiries */
    struct peer_request request;
    struct peer_puller *puller;
    struct peer_inquiry *inquiry;
    struct peer_part *part;
};

/* ---- control */

static err why_not_ask(const struct control *c, const struct peer *p, const struct journey *j)
{
    enum peer_state s = peer_state(c, p);

    if (s != PEER_HEARD)
        return err_make("it is %s%s%s", peer_state_word(s), p->error[0] ? ": " : "", p->error);
    return !j || peers_same_journey(p, j) ? OK
                                          : err_make("the journey is defined differently there");
}

struct peer_inquiry *peer_inquiry_new(const struct control *c, const struct journey *j)
{
    struct peer_inquiry *q = calloc(1, sizeof(*q));

    check(q != NULL);
    q->parts = arena_array(&q->arena, struct peer_part, c->peers.count);
    for (size_t i = 0; i < c->peers.count; i++) {
        const struct peer *p = &c->peers.list[i];
        if (peer_is_node(p))
            q->parts[q->count++] = (struct peer_part){ .id = p->id,
                                                       .peer = arena_span(&q->arena, p->text),
                                                       .failed = why_not_ask(c, p, j) };
    }
    return q;
}

void peer_inquiry_free(struct peer_inquiry *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->count; i++)
        peer_report_free(q->parts[i].report);
    arena_free(&q->arena);
    free(q);
}

json_t *peer_inquiry_missing(const struct peer_inquiry *q)
{
    json_t *list = json_array();

    for (size_t i = 0; q && i < q->count; i++) {
        const struct peer_part *p = &q->parts[i];
        if (p->failed.failed)
            json_array_append_new(
                list, json_pack("{s:s, s:s}", "peer", p->peer.p, "why", p->failed.text));
    }
    return list;
}

static size_t count_asked(const struct peer_inquiry *q)
{
    size_t n = 0;

    for (size_t i = 0; i < q->count; i++)
        n += !q->parts[i].failed.failed;
    return n;
}

static void give_up(struct peer_inquiry *q, const char *why)
{
    for (size_t i = 0; i < q->count; i++) {
        if (!q->parts[i].failed.failed)
            q->parts[i].failed = err_make("%s", why);
    }
}

bool peer_inquiry_ask(struct control *c, struct peer_inquiry *q)
{
    if (count_asked(q) == 0)
        return false;
    if (c->peers.inquiries >= INQUIRIES_MAX || !peer_puller_ask(c->parts.puller, q)) {
        give_up(q, "it was not asked: too many questions are under way");
        return false;
    }
    c->peers.inquiries++;
    return true;
}

void peer_inquiry_back(struct control *c, struct peer_inquiry *q)
{
    c->peers.inquiries--;
    q->done(q->owner, c);
}

/* ---- the puller's thread */

/* Must arrive: somebody waits for it, and it carries memory. This thread may wait for a moment. */
static void give_back(struct peer_puller *puller, struct peer_inquiry *q)
{
    struct message m = { .kind = MESSAGE_INQUIRY_DONE, .job = q };
    const struct timespec pause = { .tv_nsec = NS_PER_MS };

    while (!mailbox_send(puller->control_mail, &m)) {
        reactor_wake(puller->control);
        nanosleep(&pause, NULL);
    }
    reactor_wake(puller->control);
}

static void part_over(struct asked *a, err e)
{
    struct peer_inquiry *q = a->inquiry;
    struct peer_puller *puller = a->puller;

    a->part->failed = e;
    list_remove(&puller->inquiries, &a->link);
    peer_request_close(&a->request, puller->multi);
    free(a);
    if (--q->open == 0)
        give_back(puller, q);
}

static void answered(struct peer_request *r, err e)
{
    struct asked *a = container_of(r, struct asked, request);

    if (!e.failed)
        e = a->inquiry->read(str_span(&r->body), &a->part->report);
    part_over(a, e);
}

static void ask(struct peer_puller *puller, struct peer_inquiry *q, struct peer_part *part)
{
    const struct peer_target *t = peer_puller_target(puller, part->id);

    if (!t) {
        part->failed = err_make("it was taken out of the configuration");
        return;
    }
    struct asked *a = calloc(1, sizeof(*a));
    check(a != NULL);
    *a = (struct asked){ .puller = puller, .inquiry = q, .part = part };
    peer_request_open(&a->request, t, q->path, INQUIRY_TIMEOUT_MS, INQUIRY_BODY_MAX, answered);
    list_append(&puller->inquiries, &a->link);
    q->open++;
    err e = peer_request_begin(&a->request, t, puller->multi);
    if (e.failed)
        part_over(a, e);
}

void inquiry_begin(struct peer_inquiry *q, struct peer_puller *puller)
{
    q->open = 1; /* ours: it goes back once all are asked, even when each failed at once */
    for (size_t i = 0; i < q->count; i++) {
        if (!q->parts[i].failed.failed)
            ask(puller, q, &q->parts[i]);
    }
    if (--q->open == 0)
        give_back(puller, q);
}

void inquiries_stop(struct peer_puller *puller)
{
    while (!list_empty(&puller->inquiries))
        part_over(container_of(puller->inquiries.head.next, struct asked, link),
                  err_make("this node is stopping"));
}
