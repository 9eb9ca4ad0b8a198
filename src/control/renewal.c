/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.c - see renewal.h. It begins when nothing else is with the scribe, so that no answer that is under way speaks of
 * rows of the old file. */
#include "control/renewal.h"

#include "base/log.h"
#include "control/control.h"
#include "control/peer_memory.h"

#include <stdlib.h>

#define PAUSE (10 * NS_PER_S) /* between two tries: copying a large file may take seconds */

struct renewal_task {
    struct scribe_task task;
    struct arena arena;
    struct refill refill;
    struct store_opened opened;
    err result;
};

static void run(struct scribe_task *t, struct store *s)
{
    struct renewal_task *k = container_of(t, struct renewal_task, task);

    k->result = store_renew(s, k->refill.now, &k->opened);
    if (!k->result.failed)
        k->result = store_refill(s, &k->refill);
}

static void done(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct renewal_task *k = container_of(t, struct renewal_task, task);
    bool news = k->result.failed && strcmp(k->result.text, c->renewal.failed.text) != 0;

    c->renewal.out = false;
    c->renewal.again = c->reactor->now + (k->result.failed ? PAUSE : 0);
    c->renewal.failed = k->result;
    if (k->opened.note[0])
        log_warn("%s", k->opened.note);
    if (news)
        log_warn("the store could not be opened anew, it is tried again: %s", k->result.text);
    if (!k->result.failed) {
        log_info("the store takes samples again%s",
                 k->opened.created ? "; of the past it knows what this process knew" : "");
        book_refilled(&c->book, &k->refill);
        c->states_unstored = true;
        changes_store_again(c);
        deeds_again(c);
        peer_memory_again(c);
        dimension_keeper_again(&c->keeper);
    }
    arena_free(&k->arena);
    free(k);
}

static bool wanted(const struct control *c)
{
    const struct book *b = &c->book;

    return b->trouble.failed && (b->trouble_kind == STORE_GONE || b->trouble_kind == STORE_CORRUPT);
}

void renewal_tick(struct control *c)
{
    bool quiet = !c->book.job_out && c->tasks_out == 0 && c->reload.state == RELOAD_IDLE;

    if (!c->parts.scribe || c->renewal.out || !wanted(c) || !quiet ||
        c->reactor->now < c->renewal.again)
        return;
    struct renewal_task *k = calloc(1, sizeof(*k));
    check(k != NULL);
    k->task = (struct scribe_task){ .run = run, .done = done };
    k->refill = book_refill(&c->book, &k->arena, c->parts.wall() / NS_PER_S,
                            span_from_text(c->parts.version ? c->parts.version : ""));
    c->renewal.out = control_give_task(c, &k->task);
    if (!c->renewal.out) {
        arena_free(&k->arena);
        free(k);
    }
}
