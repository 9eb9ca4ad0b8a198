/* SPDX-License-Identifier: Apache-2.0 */
/* files.h - the thread that reads and writes files while requests run: the access log, the certificates,
 * and the sign of life. (The store has its own, scribe.h.) Nobody waits for it. */
#ifndef EK_CONTROL_FILES_H
#define EK_CONTROL_FILES_H

#include "control/access_writer.h"
#include "control/certificates.h"
#include "control/life_sign.h"

struct files {
    struct access_writer *log; /* NULL: none */
    struct certificate_watch *certificates;
    struct life_sign *life;
    int bell; /* eventfd */
    _Atomic bool reopen;
    _Atomic bool stop;
};

/* `life` may be opened later, before the thread begins. */
err files_open(struct files *f, struct access_writer *log, struct certificate_watch *certificates,
               struct life_sign *life);

/* From any thread. */
void files_hurry(void *files); /* a ring is nearly full */
void files_reopen(struct files *f);
void files_stop(struct files *f);

/* A thread's main: works until files_stop(), then writes what is left. */
void *files_main(void *files);

void files_close(struct files *f);

#endif
