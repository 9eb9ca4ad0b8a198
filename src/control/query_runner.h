/* SPDX-License-Identifier: Apache-2.0 */
/* query_runner.h - the thread that asks databases how jobs ended (libpq), so that control waits for none. Control gives it the
 * list; what each query gave comes as mail.
 * Always: one query is under way at a time, in a transaction that may only read; connecting and each statement have a
 * deadline; of rows there are QUERY_ROWS_MAX at most. A query that fails is made again when it is due, over a new connection.
 * Next: job_queries.h, which counts. */
#ifndef EK_CONTROL_QUERY_RUNNER_H
#define EK_CONTROL_QUERY_RUNNER_H

#include "base/arena.h"
#include "bus/config.h"
#include "bus/mailbox.h"
#include "control/job_rows.h"
#include "io/reactor.h"

struct query_target {
    uint32_t id; /* stable, of the journey */
    struct journey_query query;
};

/* malloc; from control to the thread. */
struct query_list {
    struct arena arena;
    struct query_target *targets;
    size_t count;
};

/* malloc; from the thread to control. */
struct query_answer {
    uint32_t id;
    err failed;           /* nothing of the rest is set */
    ns_t took;            /* the whole run */
    int64_t now_ms;       /* the database's clock, unix milliseconds, when the transaction began */
    struct job_row *rows; /* malloc */
    size_t count;
    bool has_age;
    double age_s; /* of the oldest job that waits; 0: none does */
};

struct asked_query; /* query_runner.c */

struct query_runner {
    struct mailbox mail;
    struct mailbox *control_mail;
    struct reactor *control;
    int wake; /* eventfd */
    _Atomic bool stopping;
    uint64_t key;            /* of marks; drawn for this process */
    struct query_list *list; /* the thread's own from here on */
    struct asked_query *asked;
    size_t count;
};

err query_runner_open(struct query_runner *r, struct mailbox *control_mail,
                      struct reactor *control);
void query_runner_free(struct query_runner *r);

/* Control: true when it was taken. */
[[nodiscard]] bool query_runner_give(struct query_runner *r, struct query_list *list);
void query_runner_ask_stop(struct query_runner *r);

/* A thread's main: works until asked to stop. */
void *query_runner_main(void *runner);

void query_list_free(struct query_list *list); /* may be NULL */
void query_answer_free(struct query_answer *a);

#endif
