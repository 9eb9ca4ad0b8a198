/* SPDX-License-Identifier: Apache-2.0 */
/* backup.h - a copy of the store while it is in use, some pages at a time. What is written meanwhile is in the copy too, for
 * it goes through the same connection. The file appears under its name only once it is whole, checked and on the disk;
 * a file that is there is never replaced.
 * Belongs to the store's thread; must be ended before the store is closed or renewed. */
#ifndef EK_STORE_BACKUP_H
#define EK_STORE_BACKUP_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct store;
struct backup;

enum { BACKUP_STEP_PAGES = 256 }; /* a mebibyte: some milliseconds, so that samples do not wait */

/* `path`: absolute. Makes PATH.part, readable by its owner alone. */
err backup_begin(struct store *s, const char *path, struct backup **ret_backup);

/* Copies some pages. *ret_done: all are copied. A store that is busy is no failure: nothing was copied. */
err backup_step(struct backup *b, bool *ret_done, uint32_t *ret_pages, uint32_t *ret_left);

/* Checks and flushes the copy and gives it its name; with `keep` false, or on failure, it is removed. Frees. */
err backup_end(struct backup *b, bool keep, int64_t *ret_bytes);

#endif
