/* SPDX-License-Identifier: Apache-2.0 */
/* loader.h - the thread that makes configurations: it reads files, looks names up and opens TLS, all of which
 * may take long, so that control never waits for it. Control gives it a job and gets it back answered.
 * Between jobs it looks the names up again, and tells control when an address came or went.
 * Always: one job is under way at most; a configuration that it gives back was checked whole. */
#ifndef EK_CONTROL_LOADER_H
#define EK_CONTROL_LOADER_H

#include "bus/mailbox.h"
#include "control/config_file.h"
#include "control/names.h"
#include "control/overlay.h"
#include "io/reactor.h"

#include <semaphore.h>

struct load_job {
    struct arena arena; /* owns what the job points to */
    bool reread;        /* the file; else the text of the configuration in force is used again */
    const char *path;
    const char *folder;
    struct span source; /* of the configuration in force */
    struct span
        started; /* of the one that this process began with: what takes a restart is still that */
    struct change *changes;
    size_t change_count;
    struct span *dressed; /* services whose TLS is in force, and stays */
    size_t dressed_count;

    /* the answer */
    struct config *config; /* NULL: it failed */
    struct config_report report;
    bool reported;
    err result;
    int64_t *over; /* changes whose value the file has changed */
    size_t over_count;
    struct str
        changed; /* "services.shop.instances, journeys.pay.owner": what a reload takes over */
    struct str restart; /* the same of what takes a restart, and stays as it is */
};

struct loader {
    struct names names; /* the loader's own once its thread runs */
    struct mailbox mail;
    sem_t posted;
    struct mailbox *control_mail;
    struct reactor *control;
    bool stopped;
};

void loader_open(struct loader *l, struct mailbox *control_mail, struct reactor *control);

/* Control: true when it was taken. */
[[nodiscard]] bool loader_give(struct loader *l, struct load_job *job);
[[nodiscard]] bool loader_ask_stop(struct loader *l);

/* A thread's main: works until asked to stop. */
void *loader_main(void *loader);

void loader_free(struct loader *l);
void load_job_free(struct load_job *job);

/* Names and changes into a configuration that was just read; `over` as in overlay.h. Blocking. */
size_t loader_complete(struct loader *l, struct config *c, const struct change *changes,
                       size_t count, int64_t *ret_over);

/* TLS towards the instances of one service; *ret stays untouched when it has none. */
err loader_dress(const struct service *s, struct tls_client **ret);

#endif
