/* SPDX-License-Identifier: Apache-2.0 */
/* scribe.c - jobs in, jobs back. */
#include "control/scribe.h"

#include "base/check.h"
#include "store/retention.h"

#include <stdlib.h>
#include <time.h>

void scribe_open(struct scribe *s, struct store *store, struct mailbox *control_mail,
                 struct reactor *control)
{
    *s = (struct scribe){ .store = store, .control_mail = control_mail, .control = control };
    mailbox_init(&s->mail);
    sem_init(&s->posted, 0, 0);
}

static bool post(struct scribe *s, const struct message *m)
{
    if (!mailbox_send(&s->mail, m))
        return false;
    sem_post(&s->posted);
    return true;
}

bool scribe_give(struct scribe *s, struct scribe_job *job)
{
    struct message m = { .kind = MESSAGE_SAMPLES, .job = job };
    return post(s, &m);
}

bool scribe_give_task(struct scribe *s, struct scribe_task *task)
{
    struct message m = { .kind = MESSAGE_TASK, .job = task };
    return post(s, &m);
}

bool scribe_ask_stop(struct scribe *s)
{
    struct message m = { .kind = MESSAGE_SCRIBE_STOP };
    return post(s, &m);
}

void scribe_job_free(struct scribe_job *job)
{
    arena_free(&job->arena);
    free(job);
}

/* An unanswered question leaves what control knew before. */
static void answer(struct store *s, struct scribe_question *q)
{
    err e = samples_at(s, q->version, q->at, &q->counters);

    if (e.failed)
        return;
    int64_t at = q->counters.at > q->at ? q->counters.at : q->at;
    e = samples_at(s, NODE_VERSION, at, &q->node);
    q->answered = !e.failed;
}

/* Must arrive, for it carries memory; this thread may wait when reactors have filled control's box. */
static void give_back(struct scribe *s, enum message_kind kind, void *job)
{
    struct message m = { .kind = kind, .job = job };
    const struct timespec pause = { .tv_nsec = NS_PER_MS };

    while (!mailbox_send(s->control_mail, &m)) {
        reactor_wake(s->control);
        nanosleep(&pause, NULL);
    }
    reactor_wake(s->control);
}

void scribe_do_job(struct store *s, struct scribe_job *job)
{
    bool more;

    job->result = store_here(s);
    if (!job->result.failed)
        job->result = samples_write(s, &job->batch);
    job->trouble = store_trouble(s);
    if (job->trouble == STORE_GONE || job->trouble == STORE_CORRUPT)
        return;
    job->stored = !job->result.failed;
    job->epoch = samples_epoch(s);
    for (size_t i = 0; i < job->question_count; i++)
        answer(s, &job->questions[i]);
    if (job->tidy && !job->result.failed)
        job->result = retention_step(s, job->now, &more);
    if (job->result.failed && job->stored)
        job->trouble = store_trouble(s);
}

static void do_job(struct scribe *s, struct scribe_job *job)
{
    scribe_do_job(s->store, job);
    give_back(s, MESSAGE_SAMPLES_STORED, job);
}

static void do_task(struct scribe *s, struct scribe_task *t)
{
    t->run(t, s->store);
    give_back(s, MESSAGE_TASK_DONE, t);
}

void scribe_work(struct scribe *s)
{
    struct message m;

    while (mailbox_receive(&s->mail, &m)) {
        if (m.kind == MESSAGE_SAMPLES)
            do_job(s, m.job);
        else if (m.kind == MESSAGE_TASK)
            do_task(s, m.job);
        else if (m.kind == MESSAGE_SCRIBE_STOP)
            s->stopped = true;
        else
            never("mail for somebody else");
    }
}

void *scribe_main(void *scribe)
{
    struct scribe *s = scribe;

    while (!s->stopped) {
        while (sem_wait(&s->posted) != 0) {
        }
        scribe_work(s);
    }
    return NULL;
}

void scribe_free(struct scribe *s)
{
    store_close(s->store);
    mailbox_free(&s->mail);
    sem_destroy(&s->posted);
}
