/* SPDX-License-Identifier: Apache-2.0 */
/* scribe.h - the thread that owns the store. Control hands it jobs by mail and gets them back answered;
 * nobody waits for it. If the disk stalls, jobs simply stay away longer and counting goes on: what a
 * later job writes is cumulative, so nothing is lost.
 * Always: one job is under way at most. */
#ifndef EK_CONTROL_SCRIBE_H
#define EK_CONTROL_SCRIBE_H

#include "base/arena.h"
#include "bus/mailbox.h"
#include "io/reactor.h"
#include "store/history.h"
#include "store/samples.h"
#include "store/store.h"

#include <semaphore.h>

/* "How did this version's counters, and the node's measured time, stand at that instant?" */
struct scribe_question {
    uint32_t version;
    size_t account;         /* whose, in the book */
    unsigned start;         /* which of its windows */
    int64_t at;             /* unix seconds */
    struct sample counters; /* answer */
    struct sample node;     /* answer: at the same instant as `counters` */
    bool answered;
};

/* A histogram that goes with the job: for the book, when it was stored. */
struct slot_put {
    size_t lineage;
    bool over; /* its slot ends with the job */
    uint64_t timed;
    uint64_t *bins; /* when it is over: with which the next begins */
};

struct scribe_job {
    struct arena arena; /* owns what the job points to */
    struct sample_batch batch;
    struct scribe_question *questions;
    size_t question_count;
    int64_t now; /* unix seconds */
    bool tidy;   /* also forget a little of what is old */
    struct slot_put *slots;
    size_t slot_count;
    bool stored;   /* the batch was */
    int64_t epoch; /* the store's, in which it was */
    err result;    /* of all of it */
    enum store_trouble trouble;
};

/* Anything else to be done with the store: run() on the scribe's thread, then done() on control's, which frees
 * it. */
struct scribe_task {
    void (*run)(struct scribe_task *t, struct store *s);
    void (*done)(struct scribe_task *t, void *control);
};

struct scribe {
    struct store *store;
    struct mailbox mail;
    sem_t posted;
    struct mailbox *control_mail;
    struct reactor *control;
    bool stopped;
};

/* Takes the store over. */
void scribe_open(struct scribe *s, struct store *store, struct mailbox *control_mail,
                 struct reactor *control);

/* Control: true when the job was taken. */
[[nodiscard]] bool scribe_give(struct scribe *s, struct scribe_job *job);
[[nodiscard]] bool scribe_give_task(struct scribe *s, struct scribe_task *task);
[[nodiscard]] bool scribe_ask_stop(struct scribe *s);

/* The work of a job: writes, answers, forgets. */
void scribe_do_job(struct store *s, struct scribe_job *job);

/* Does what is in the mailbox, without waiting for more. */
void scribe_work(struct scribe *s);

/* A thread's main: works until asked to stop, then closes the store. */
void *scribe_main(void *scribe);

void scribe_free(struct scribe *s);

/* Also of a job that was never given. */
void scribe_job_free(struct scribe_job *job);

#endif
