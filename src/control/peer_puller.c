/* SPDX-License-Identifier: Apache-2.0 */
/* peer_puller.c - one request per node, kept with its connection and asked again and again; one multi handle of libcurl for
 * all, inquiries too.
 * Manual: libcurl-multi(3), curl_multi_poll(3), curl_multi_wakeup(3). */
#include "control/peer_puller.h"

#include "base/check.h"
#include "base/rand.h"
#include "control/peer_inquiry.h"

#include <stdlib.h>

#define PULL_PATH SPAN("/api/v1/counters")

struct pull {
    struct peer_request request;
    struct peer_puller *puller;
    const struct peer_target *target;
    unsigned failures; /* in a row */
    ns_t next;         /* when it is asked again */
};

void peer_list_free(struct peer_list *list)
{
    if (list)
        arena_free(&list->arena);
    free(list);
}

void peer_answer_free(struct peer_answer *answer)
{
    peer_counts_free(answer->counts);
    free(answer);
}

/* ---- answers */

/* The next is newer: an answer that finds no room is dropped. */
static void tell(struct peer_puller *puller, struct pull *p, struct peer_counts *counts, err e)
{
    struct peer_answer *a = calloc(1, sizeof(*a));

    check(a != NULL);
    *a = (struct peer_answer){
        .id = p->target->id, .at = clock_monotonic(), .counts = counts, .failed = e
    };
    struct message m = { .kind = MESSAGE_PEER_ANSWER, .job = a };
    if (mailbox_send(puller->control_mail, &m))
        reactor_wake(puller->control);
    else
        peer_answer_free(a);
}

/* Somewhere in the second half of the rest, so that nodes which began together do not go on so. */
static ns_t rest_of(struct peer_puller *puller, const struct pull *p)
{
    struct rng r = { puller->jitter++ };
    ns_t rest = PULL_EVERY;

    for (unsigned i = 1; i < p->failures && rest < PULL_REST_MAX; i++)
        rest *= 2;
    return p->failures ? rest / 2 + (ns_t)rng_below(&r, (uint64_t)rest / 2) : rest;
}

static void finish(struct pull *p, struct peer_counts *counts, err e)
{
    p->failures = e.failed ? p->failures + 1 : 0;
    p->next = clock_monotonic() + rest_of(p->puller, p);
    tell(p->puller, p, counts, e);
}

static void answered(struct peer_request *r, err e)
{
    struct peer_counts *counts = NULL;

    if (!e.failed)
        e = peer_counts_parse(str_span(&r->body), &counts);
    finish(container_of(r, struct pull, request), counts, e);
}

/* ---- the list */

/* Where it stands now, for it moves with the list. */
static void pull_place(struct pull *p, const struct peer_target *t)
{
    p->target = t;
    peer_request_place(&p->request);
}

const struct peer_target *peer_puller_target(const struct peer_puller *p, uint32_t id)
{
    for (size_t i = 0; p->list && i < p->list->count; i++) {
        if (p->list->targets[i].id == id)
            return &p->list->targets[i];
    }
    return NULL;
}

static struct pull *find_pull(struct peer_puller *puller, uint32_t id)
{
    for (size_t i = 0; i < puller->count; i++) {
        if (puller->pulls[i].request.easy && puller->pulls[i].target->id == id)
            return &puller->pulls[i];
    }
    return NULL;
}

/* Nodes that stay keep their connection, and the answer that is on its way. */
static void take_list(struct peer_puller *puller, struct peer_list *list)
{
    struct pull *pulls = calloc(list->count + 1, sizeof(pulls[0]));

    check(pulls != NULL);
    for (size_t i = 0; i < list->count; i++) {
        struct pull *old = find_pull(puller, list->targets[i].id);
        if (old) {
            pulls[i] = *old;
            old->request.easy = NULL;
        } else {
            pulls[i] = (struct pull){ .puller = puller };
            peer_request_open(&pulls[i].request, &list->targets[i], PULL_PATH, PULL_TIMEOUT_MS,
                              PEER_BODY_MAX, answered);
        }
        pull_place(&pulls[i], &list->targets[i]);
    }
    for (size_t i = 0; i < puller->count; i++) {
        if (puller->pulls[i].request.easy)
            peer_request_close(&puller->pulls[i].request, puller->multi);
    }
    free(puller->pulls);
    peer_list_free(puller->list);
    puller->pulls = pulls;
    puller->count = list->count;
    puller->list = list;
}

/* ---- the thread */

static void read_mail(struct peer_puller *puller)
{
    struct message m;

    while (mailbox_receive(&puller->mail, &m)) {
        if (m.kind == MESSAGE_PEERS)
            take_list(puller, m.job);
        else if (m.kind == MESSAGE_INQUIRY)
            inquiry_begin(m.job, puller);
        else
            puller->stopped = true;
    }
}

static void begin_due(struct peer_puller *puller)
{
    ns_t now = clock_monotonic();

    for (size_t i = 0; i < puller->count; i++) {
        struct pull *p = &puller->pulls[i];
        if (p->request.asking || p->next > now)
            continue;
        err e = peer_request_begin(&p->request, p->target, puller->multi);
        if (e.failed)
            finish(p, NULL, e);
    }
}

/* Until the next node is to be asked; mail and answers end it earlier. */
static int sleep_ms(const struct peer_puller *puller)
{
    ns_t now = clock_monotonic();
    ns_t least = 60 * NS_PER_S;

    for (size_t i = 0; i < puller->count; i++) {
        const struct pull *p = &puller->pulls[i];
        if (!p->request.asking && p->next - now < least)
            least = p->next > now ? p->next - now : 0;
    }
    return (int)((least + NS_PER_MS - 1) / NS_PER_MS);
}

void *peer_puller_main(void *puller)
{
    struct peer_puller *p = puller;
    int running;

    for (;;) {
        read_mail(p);
        if (p->stopped)
            break;
        begin_due(p);
        curl_multi_perform(p->multi, &running);
        peer_requests_end(p->multi);
        curl_multi_poll(p->multi, NULL, 0, sleep_ms(p), NULL);
    }
    for (size_t i = 0; i < p->count; i++)
        peer_request_close(&p->pulls[i].request, p->multi);
    inquiries_stop(p);
    free(p->pulls);
    p->pulls = NULL;
    p->count = 0;
    return NULL;
}

/* ---- from outside */

err peer_puller_open(struct peer_puller *p, struct mailbox *control_mail, struct reactor *control)
{
    CURLcode failed = curl_global_init(CURL_GLOBAL_DEFAULT); /* before there are threads */

    *p = (struct peer_puller){ .control_mail = control_mail, .control = control };
    p->multi = failed ? NULL : curl_multi_init();
    if (!p->multi)
        return err_make("libcurl cannot be used");
    rand_secret(&p->jitter, sizeof(p->jitter));
    mailbox_init(&p->mail);
    list_init(&p->inquiries);
    return OK;
}

void peer_puller_free(struct peer_puller *p)
{
    struct message m;

    while (mailbox_receive(&p->mail, &m)) {
        if (m.kind == MESSAGE_PEERS)
            peer_list_free(m.job);
        else if (m.kind == MESSAGE_INQUIRY)
            peer_inquiry_free(m.job);
    }
    peer_list_free(p->list);
    mailbox_free(&p->mail);
    curl_multi_cleanup(p->multi);
}

static bool post(struct peer_puller *p, const struct message *m)
{
    bool sent = mailbox_send(&p->mail, m);

    curl_multi_wakeup(p->multi);
    return sent;
}

bool peer_puller_give(struct peer_puller *p, struct peer_list *list)
{
    struct message m = { .kind = MESSAGE_PEERS, .job = list };

    return post(p, &m);
}

bool peer_puller_ask(struct peer_puller *p, struct peer_inquiry *q)
{
    struct message m = { .kind = MESSAGE_INQUIRY, .job = q };

    return post(p, &m);
}

bool peer_puller_ask_stop(struct peer_puller *p)
{
    struct message m = { .kind = MESSAGE_PEERS_STOP };

    return post(p, &m);
}
