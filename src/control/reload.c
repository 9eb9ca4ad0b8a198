/* SPDX-License-Identifier: Apache-2.0 */
/* reload.c - one function per step. */
#include "control/reload.h"

#include "base/log.h"
#include "control/control.h"
#include "io/tls.h"

#include <stdlib.h>

#define ADOPT_PATIENCE   (5 * NS_PER_S) /* a thread that is that late has other troubles */
#define ADOPT_LOOK       (1 * NS_PER_MS)
#define PUBLISH_PATIENCE (60 * NS_PER_S) /* for long requests under old configurations to end */
#define LATE_PATIENCE    (5 * NS_PER_S)  /* for events that are told late to be stored */
#define AGAIN_AFTER      (5 * NS_PER_S)

const char *reload_words(enum reload_state s)
{
    static const char *const words[] = {
#define X(name, text) text,
        RELOAD_STATES(X)
#undef X
    };
    return words[s];
}

static int64_t unix_now(const struct control *c)
{
    return c->parts.wall() / NS_PER_S;
}

/* ---- the end of a run */

static void take_text(struct str *to, struct str *from)
{
    str_free(to);
    *to = *from;
    *from = str_growing();
}

static void note_outcome(struct control *c, struct load_job *job, const err *e)
{
    struct reload_outcome *o = &c->reload.last;

    o->serial = c->reload.serial;
    o->good = !e->failed;
    o->at = unix_now(c);
    str_free(&o->error);
    o->error = str_growing();
    str_text(&o->error, e->failed ? e->text : "");
    take_text(&o->changed, &job->changed);
    take_text(&o->restart, &job->restart);
    str_free(&o->findings);
    o->findings = str_growing();
    if (job->reported)
        str_put(&o->findings, str_span(&job->report.text));
}

static void tell_lines(const struct str *lines, enum log_level level)
{
    for (struct span rest = str_span(lines); rest.n > 0;) {
        size_t end = span_find(rest, '\n');
        log_line(level, "  %.*s", (int)end, rest.p);
        rest = span_after(rest, end + 1);
    }
}

static void tell_outcome(const struct reload_outcome *o)
{
    if (!o->good) {
        log_error("reload refused, the configuration in force stays: %.*s",
                  SPAN_ARG(str_span(&o->error)));
        tell_lines(&o->findings, LOG_ERROR);
        return;
    }
    log_info("reloaded; changed: %.*s",
             SPAN_ARG(o->changed.n ? str_span(&o->changed) : SPAN("nothing")));
    if (o->restart.n)
        log_warn("these keys take a restart and stay as they were: %.*s",
                 SPAN_ARG(str_span(&o->restart)));
    tell_lines(&o->counts, LOG_INFO);
}

static void start(struct control *c);

/* A file that is refused must not take a change at run time with it, and what failed on the way is tried again. */
static void want_rest_again(struct control *c, const struct load_job *job)
{
    struct reload *r = &c->reload;

    if (job->reread)
        r->wanted = r->wanted_rest = true;
    else
        r->again = c->reactor->now + AGAIN_AFTER;
}

static void finish(struct control *c, err e)
{
    struct reload *r = &c->reload;
    struct load_job *job = r->job;

    if (job->reread) {
        note_outcome(c, job, &e);
        tell_outcome(&r->last);
        deed_reload(c, &r->last, &r->rides);
    } else if (e.failed) {
        log_error("a change is not in force yet, and tried again: %s", e.text);
    }
    changes_arrive(c, !e.failed);
    if (e.failed && r->rest_rides)
        want_rest_again(c, job);
    else if (!e.failed)
        changes_over(c, job->over, job->over_count);
    load_job_free(job);
    if (r->recall) {
        book_forget(r->recall->memories, r->recall->count);
        free(r->recall->memories);
    }
    free(r->recall);
    r->job = NULL;
    r->recall = NULL;
    r->state = RELOAD_IDLE;
    if (r->wanted && c->state == CONTROL_SERVING)
        start(c);
}

/* ---- its steps */

/* Only then is it true that nothing begins under the earlier one any more. */
static void await_adoption(struct control *c)
{
    if (publication_adopted(&c->publication) || c->reactor->now >= c->reload.give_up)
        finish(c, OK);
    else
        timer_set(&c->reactor->timers, &c->tick, c->reactor->now + ADOPT_LOOK);
}

static void publish(struct control *c)
{
    struct reload *r = &c->reload;
    struct config *config = r->job->config;

    if (publication_reclaim(&c->publication) == SNAPSHOTS_HELD_MAX) {
        if (c->reactor->now < r->give_up)
            return; /* the next tick tries again */
        finish(c, err_make("too many long requests still run under as many older configurations; "
                           "try again when some of them have ended"));
        return;
    }
    r->job->config = NULL; /* the publication's from now on */
    str_free(&r->last.counts);
    r->last.counts = str_growing();
    if (r->recall)
        book_tell(config, r->recall->memories, &r->last.counts);
    book_adopt(&c->book, config, r->recall ? r->recall->memories : NULL, c->reactor->now,
               unix_now(c));
    journey_steps_adopt(c, config, journey_steps_complete(c));
    notice_adopt(c, control_config(c), config);
    checker_adopt(&c->checker, config, NULL, 0);
    if (access_adopt(&c->access, config))
        watchers_end(c); /* whoever has the new token comes again */
    bool published = publication_publish(&c->publication, config);
    check(published);
    peers_adopt(c);
    job_queries_adopt(c);
    for (size_t i = 0; i < c->parts.worker_count; i++)
        reactor_wake(c->parts.workers[i].reactor);
    r->state = RELOAD_ADOPTING;
    r->give_up = c->reactor->now + ADOPT_PATIENCE;
    await_adoption(c);
}

static void run_recall(struct scribe_task *t, struct store *s)
{
    struct recall *q = container_of(t, struct recall, task);

    q->result = book_recall(s, q->config, q->monotonic, q->now, q->memories);
}

static void recalled(struct scribe_task *t, void *control)
{
    struct control *c = control;
    struct recall *q = container_of(t, struct recall, task);

    if (q->result.failed) {
        finish(c, err_make("the store does not say what it knows of the journeys: %s",
                           q->result.text));
        return;
    }
    c->reload.state = RELOAD_PUBLISHING;
    c->reload.give_up = c->reactor->now + PUBLISH_PATIENCE;
    publish(c);
}

static void ask_store(struct control *c)
{
    struct recall *q = c->reload.recall;

    if (q->task.run) /* it has it */
        return;
    if (c->book.late_count > 0 && c->reactor->now < q->patience)
        return; /* what is told late must be in the history of which another is made */
    q->now = unix_now(c);
    q->monotonic = c->reactor->now;
    book_tick(&c->book, q->monotonic);
    book_ask(&c->book, q->config, q->memories, q->now);
    q->task = (struct scribe_task){ .run = run_recall, .done = recalled };
    if (!control_give_task(c, &q->task))
        q->task = (struct scribe_task){};
}

static void begin_recall(struct control *c)
{
    struct reload *r = &c->reload;
    struct config *config = r->job->config;

    r->state = RELOAD_RECALLING;
    r->recall = calloc(1, sizeof(*r->recall));
    check(r->recall != NULL);
    r->recall->config = config;
    r->recall->count = config->journey_count;
    r->recall->memories = calloc(config->journey_count, sizeof(r->recall->memories[0]));
    check(r->recall->memories != NULL);
    r->recall->patience = c->reactor->now + LATE_PATIENCE;
    ask_store(c);
}

/* What takes a restart stays as it is. TLS towards instances is made once: its files may not be readable any
 * more. */
static void carry_over(const struct config *old, struct config *new, bool reread)
{
    new->admin.address = old->admin.address;
    if (!reread || (!new->admin_rules.tokens.wanted && !address_loopback(&old->admin.address)))
        new->admin_rules.tokens = old->admin_rules.tokens; /* as long as others reach it, it asks */
    new->limits.connections = old->limits.connections;
    new->limits.memory = old->limits.memory;
    new->workers = old->workers;
    new->log_level = old->log_level;
    for (size_t i = 0; i < new->service_count; i++) {
        for (size_t k = 0; k < old->service_count; k++) {
            struct service *s = &new->services[i];
            if (!s->tls_client && span_equal(s->name, old->services[k].name))
                s->tls_client = tls_client_share(old->services[k].tls_client);
        }
    }
}

void reload_loaded(struct control *c, struct load_job *job)
{
    check(c->reload.state == RELOAD_LOADING && c->reload.job == job);
    if (job->result.failed) {
        finish(c, job->result);
        return;
    }
    carry_over(control_config(c), job->config, job->reread);
    err e = registry_assign(&c->registry, job->config);
    if (e.failed) {
        finish(c, e);
    } else if (c->parts.scribe && job->reread) { /* else its journeys are those in force */
        begin_recall(c);
    } else {
        c->reload.state = RELOAD_PUBLISHING;
        c->reload.give_up = c->reactor->now + PUBLISH_PATIENCE;
        publish(c);
    }
}

static struct load_job *make_job(const struct control *c, bool reread)
{
    const struct config *now = control_config(c);
    struct load_job *job = calloc(1, sizeof(*job));

    check(job != NULL);
    job->reread = reread;
    job->from_file = now->from_file;
    job->path = arena_text(&job->arena, now->path);
    job->folder = arena_text(&job->arena, now->folder);
    job->source = arena_span(&job->arena, now->source);
    job->started = span_from_text(c->started_with); /* it outlives every job */
    job->changes = overlay_copy(&c->overlay, &job->arena, unix_now(c), &job->change_count);
    job->known = arena_array(&job->arena, struct span, now->service_count);
    for (size_t i = 0; i < now->service_count; i++)
        job->known[job->known_count++] = arena_span(&job->arena, now->services[i].name);
    return job;
}

static void start(struct control *c)
{
    struct reload *r = &c->reload;
    struct load_job *job = make_job(c, r->wanted_file);

    if (!loader_give(c->parts.loader, job)) {
        load_job_free(job); /* the next tick tries again */
        return;
    }
    r->job = job;
    r->state = RELOAD_LOADING;
    r->serial++;
    r->rest_rides = r->wanted_rest;
    if (r->wanted_file) {
        asker_free(&r->rides);
        r->rides = r->asked;
        r->asked = (struct asker){};
    }
    r->wanted = r->wanted_file = r->wanted_rest = false;
    r->again = 0;
    changes_ride(c);
}

uint64_t reload_want(struct control *c, bool reread)
{
    struct reload *r = &c->reload;

    if (!c->parts.loader || c->state != CONTROL_SERVING)
        return r->serial;
    r->wanted = true;
    r->wanted_file |= reread;
    r->wanted_rest |= !reread;
    if (r->state == RELOAD_IDLE)
        start(c);
    return r->wanted ? r->serial + 1 : r->serial;
}

uint64_t reload_want_by(struct control *c, const struct asker *by)
{
    asker_free(&c->reload.asked);
    c->reload.asked = asker_copy(by);
    return reload_want(c, true);
}

void reload_tick(struct control *c)
{
    if (c->state != CONTROL_SERVING)
        return; /* nothing new comes into force any more */
    if (c->reload.again && c->reload.again <= c->reactor->now)
        c->reload.wanted = c->reload.wanted_rest = true;
    if (c->reload.state == RELOAD_IDLE && c->reload.wanted)
        start(c);
    else if (c->reload.state == RELOAD_RECALLING)
        ask_store(c);
    else if (c->reload.state == RELOAD_PUBLISHING)
        publish(c);
    else if (c->reload.state == RELOAD_ADOPTING)
        await_adoption(c);
}

void reload_open(struct reload *r)
{
    *r = (struct reload){ .last = { .error = str_growing(),
                                    .changed = str_growing(),
                                    .restart = str_growing(),
                                    .counts = str_growing(),
                                    .findings = str_growing() } };
}

void reload_free(struct reload *r)
{
    asker_free(&r->asked);
    asker_free(&r->rides);
    if (r->job)
        load_job_free(r->job);
    if (r->recall) {
        book_forget(r->recall->memories, r->recall->count);
        free(r->recall->memories);
    }
    free(r->recall);
    str_free(&r->last.error);
    str_free(&r->last.changed);
    str_free(&r->last.restart);
    str_free(&r->last.findings);
    str_free(&r->last.counts);
}
