/* SPDX-License-Identifier: Apache-2.0 */
/* loader.c - a job: text, tree, configuration, changes, names, TLS. */
#include "control/loader.h"

#include "base/check.h"
#include "base/log.h"
#include "control/secrets.h"
#include "io/tls.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { NAMES_EVERY_S = 10 };

void loader_open(struct loader *l, struct mailbox *control_mail, struct reactor *control)
{
    l->control_mail = control_mail;
    l->control = control;
    mailbox_init(&l->mail);
    sem_init(&l->posted, 0, 0);
}

static bool post(struct loader *l, const struct message *m)
{
    if (!mailbox_send(&l->mail, m))
        return false;
    sem_post(&l->posted);
    return true;
}

bool loader_give(struct loader *l, struct load_job *job)
{
    struct message m = { .kind = MESSAGE_LOAD, .job = job };
    return post(l, &m);
}

bool loader_ask_stop(struct loader *l)
{
    struct message m = { .kind = MESSAGE_LOADER_STOP };
    return post(l, &m);
}

void load_job_free(struct load_job *job)
{
    if (job->config)
        config_free(job->config);
    if (job->reported)
        config_report_free(&job->report);
    str_free(&job->changed);
    str_free(&job->restart);
    arena_free(&job->arena);
    free(job);
}

/* ---- making one */

err loader_dress(const struct service *s, struct tls_client **ret)
{
    const struct service_tls *t = s->tls;

    if (!t)
        return OK;
    struct tls_files own = { t->own.chain, t->own.key };
    err e = tls_client_new(t->ca, t->server_name, &own, ret);
    return e.failed ? err_make("service '%s': %s", s->name.p, e.text) : OK;
}

static bool is_known(const struct load_job *job, struct span service)
{
    for (size_t i = 0; i < job->known_count; i++) {
        if (span_equal(job->known[i], service))
            return true;
    }
    return false;
}

static err dress_new(struct load_job *job)
{
    for (size_t i = 0; i < job->config->service_count; i++) {
        struct service *s = &job->config->services[i];
        if (!is_known(job, s->name))
            TRY(loader_dress(s, &s->tls_client));
    }
    return OK;
}

size_t loader_complete(struct loader *l, struct config *c, const struct change *changes,
                       size_t count, int64_t *ret_over)
{
    size_t over = overlay_apply_added(changes, count, c, ret_over);

    names_learn(&l->names, c);
    names_expand(&l->names, c);
    return over + overlay_apply_rest(changes, count, c, ret_over + over);
}

enum { CHANGES_TOLD_MAX = 4000 }; /* bytes; nobody reads more */

static void tell(struct str *text, const char *path)
{
    if (text->n < CHANGES_TOLD_MAX)
        str_print(text, "%s%s", text->n ? ", " : "", path);
}

static void tell_live(void *whom, const char *path, bool restart)
{
    struct load_job *job = whom;

    if (!restart)
        tell(&job->changed, path);
}

static void tell_restart(void *whom, const char *path, bool restart)
{
    struct load_job *job = whom;

    if (restart)
        tell(&job->restart, path);
}

static err make(struct loader *l, struct load_job *job)
{
    job->reported = true;
    TRY(job->reread
            ? config_read_file(job->path, &job->config, &job->report)
            : config_read_text(job->path, job->source, job->folder, &job->config, &job->report));
    job->config->from_file = job->reread || job->from_file;
    config_compare(job->source, job->config->source, tell_live, job);
    config_compare(job->started, job->config->source, tell_restart, job);
    if (job->reread)
        TRY(admin_tokens_read(
            job->config)); /* else those in force stay: control carries them over */
    TRY(dress_new(job));   /* names are learned, and forgotten, for what is right only */
    job->over = arena_array(&job->arena, int64_t, job->change_count + 1);
    job->over_count = loader_complete(l, job->config, job->changes, job->change_count, job->over);
    return OK;
}

/* ---- the thread */

/* Must arrive, for it carries memory; this thread may wait when reactors have filled control's box. */
static void give_back(struct loader *l, struct load_job *job)
{
    struct message m = { .kind = MESSAGE_LOADED, .job = job };
    const struct timespec pause = { .tv_nsec = NS_PER_MS };

    while (!mailbox_send(l->control_mail, &m)) {
        reactor_wake(l->control);
        nanosleep(&pause, NULL);
    }
    reactor_wake(l->control);
}

static void do_job(struct loader *l, struct load_job *job)
{
    job->changed = job->restart = str_growing();
    job->result = make(l, job);
    if (job->result.failed && job->config) {
        config_free(job->config);
        job->config = NULL;
    }
    give_back(l, job);
}

/* A resolver that does not answer takes ten seconds and more for each name: a job, or the end, goes first. True: all
 * were looked up. */
static bool look_names_up(struct loader *l)
{
    struct message m = { .kind = MESSAGE_NAMES_CHANGED };
    bool changed = false;

    while (l->next_name < l->names.count && mailbox_empty(&l->mail))
        changed |= names_refresh(&l->names, l->next_name++);
    if (changed && mailbox_send(l->control_mail, &m))
        reactor_wake(l->control);
    if (l->next_name < l->names.count)
        return false;
    l->next_name = 0;
    return true;
}

/* False: nothing was posted until then. */
static bool wait_until(struct loader *l, const struct timespec *until)
{
    while (sem_clockwait(&l->posted, CLOCK_MONOTONIC, until) != 0) {
        if (errno == ETIMEDOUT)
            return false;
    }
    return true;
}

void *loader_main(void *loader)
{
    struct loader *l = loader;
    struct timespec next;
    struct message m;

    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec += NAMES_EVERY_S;
    while (!l->stopped) {
        if (!wait_until(l, &next) && look_names_up(l)) {
            clock_gettime(CLOCK_MONOTONIC, &next);
            next.tv_sec += NAMES_EVERY_S;
        }
        while (mailbox_receive(&l->mail, &m)) {
            if (m.kind == MESSAGE_LOAD)
                do_job(l, m.job);
            else
                l->stopped = true;
        }
    }
    return NULL;
}

void loader_free(struct loader *l)
{
    names_free(&l->names);
    mailbox_free(&l->mail);
    sem_destroy(&l->posted);
}
