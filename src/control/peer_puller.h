/* SPDX-License-Identifier: Apache-2.0 */
/* peer_puller.h - the thread that asks other nodes for their counters, each about every second (libcurl), and reads what they
 * say, so that control neither waits for a network nor parses. Control gives it the list of nodes; answers come as mail.
 * Always: one question to a node is under way at most; an answer, its size and its time are bounded; a node that does not
 * answer is asked more and more rarely, down to each PULL_REST_MAX, never all at once. */
#ifndef EK_CONTROL_PEER_PULLER_H
#define EK_CONTROL_PEER_PULLER_H

#include "bus/mailbox.h"
#include "control/peer_counts.h"
#include "io/reactor.h"

#define PULL_EVERY      (1 * NS_PER_S)
#define PULL_TIMEOUT_MS 2000L          /* of a whole answer */
#define PULL_REST_MAX   (4 * NS_PER_S) /* a node that is back is heard within five seconds */

/* Texts are terminated; empty: none. */
struct peer_target {
    uint32_t id; /* the same as long as the rest is */
    struct span url, ca, token_file, token_env;
};

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

struct pull; /* one node; peer_puller.c */

struct peer_puller {
    struct mailbox mail;
    struct mailbox *control_mail;
    struct reactor *control;
    void *multi;            /* CURLM */
    struct peer_list *list; /* the thread's own from here on */
    struct pull *pulls;
    size_t count;
    uint64_t jitter;
    bool stopped;
};

err peer_puller_open(struct peer_puller *p, struct mailbox *control_mail, struct reactor *control);
void peer_puller_free(struct peer_puller *p);

/* Control: true when it was taken. */
[[nodiscard]] bool peer_puller_give(struct peer_puller *p, struct peer_list *list);
[[nodiscard]] bool peer_puller_ask_stop(struct peer_puller *p);

/* A thread's main: works until asked to stop. */
void *peer_puller_main(void *puller);

void peer_list_free(struct peer_list *list); /* may be NULL */
void peer_answer_free(struct peer_answer *answer);

#endif
