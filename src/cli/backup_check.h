/* SPDX-License-Identifier: Apache-2.0 */
/* backup_check.h - `evenkeel backup --check FILE`: is it a whole store, and what is in it? Without the running program. */
#ifndef EK_CLI_BACKUP_CHECK_H
#define EK_CLI_BACKUP_CHECK_H

#include <stdbool.h>

/* Prints it; the exit code. */
int backup_check(const char *file, bool json);

#endif
