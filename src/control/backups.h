/* SPDX-License-Identifier: Apache-2.0 */
/* backups.h - one backup at a time: control hands the scribe step after step, so that samples go in between.
 * Addresses: POST and GET /api/v1/backup. */
#ifndef EK_CONTROL_BACKUPS_H
#define EK_CONTROL_BACKUPS_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct control;
struct backup_task;

enum { BACKUP_PATH_MAX = 4000 };

/* The one under way, or the last. */
struct backups {
    uint64_t serial; /* 0: there was none since the start */
    bool running;
    char path[BACKUP_PATH_MAX + 1];
    uint32_t pages, left;
    int64_t bytes; /* of the finished file */
    ns_t began;
    ns_t took;
    err result;
    struct backup_task *waiting; /* its next step found the scribe's box full */
};

/* About each second. */
void backups_tick(struct control *c);

#endif
