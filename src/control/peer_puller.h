/* SPDX-License-Identifier: Apache-2.0 */
/* peer_puller.h - the thread that asks other nodes for their counters, each about every second (libcurl), and reads what they
 * say, so that control neither waits for a network nor parses. Control gives it the list of nodes; answers come as mail.
 * What is asked but once, when somebody wants to know it: peer_inquiry.h.
 * Always: one question for counters is under way to a node at most; an answer, its size and its time are bounded; a node that does not
 * answer is asked more and more rarely, down to each PULL_REST_MAX, never all at once. */
#ifndef EK_CONTROL_PEER_PULLER_H
#define EK_CONTROL_PEER_PULLER_H

#include "bus/mailbox.h"
#include "control/peer_counts.h"
#include "control/peer_request.h"
#include "io/reactor.h"

#define PULL_EVERY      (1 * NS_PER_S)
#define PULL_TIMEOUT_MS 2000L          /* of a whole answer */
#define PULL_REST_MAX   (4 * NS_PER_S) /* a node that is back is heard within five seconds */

/* malloc; from control to the puller. */
struct peer_list {
    struct arena arena;
    struct peer_target *targets;
    size_t count;
};

/* malloc; from the puller to control. */
struct peer_answer {
    uint32_t id;
    ns_t at;                    /* monotonic: when it had come */
    struct peer_counts *counts; /* NULL: */
    err failed;                 /* why */
};

struct peer_inquiry; /* peer_inquiry.h */
struct pull;         /* one node; peer_puller.c */

struct peer_puller {
    struct mailbox mail;
    struct mailbox *control_mail;
    struct reactor *control;
    void *multi;            /* CURLM */
    struct peer_list *list; /* the thread's own from here on */
    struct pull *pulls;
    size_t count;
    struct list inquiries; /* requests of those that are under way: peer_inquiry.c */
    uint64_t jitter;
    bool stopped;
};

err peer_puller_open(struct peer_puller *p, struct mailbox *control_mail, struct reactor *control);
void peer_puller_free(struct peer_puller *p);

/* Control: true when it was taken. */
[[nodiscard]] bool peer_puller_give(struct peer_puller *p, struct peer_list *list);
[[nodiscard]] bool peer_puller_ask(struct peer_puller *p, struct peer_inquiry *q);
[[nodiscard]] bool peer_puller_ask_stop(struct peer_puller *p);

/* A thread's main: works until asked to stop. */
void *peer_puller_main(void *puller);

/* The thread itself: NULL when there is no such node any more. */
const struct peer_target *peer_puller_target(const struct peer_puller *p, uint32_t id);

void peer_list_free(struct peer_list *list); /* may be NULL */
void peer_answer_free(struct peer_answer *answer);

#endif
