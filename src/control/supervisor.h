/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.h - whoever started us, when it is systemd or speaks like it: sockets that it has opened for
 * us (sd_listen_fds(3)) and what it wants to be told (sd_notify(3)). Both are small documented protocols
 * that the manual pages allow to be spoken without libsystemd. Without a supervisor nothing happens. */
#ifndef EK_CONTROL_SUPERVISOR_H
#define EK_CONTROL_SUPERVISOR_H

#include "io/address.h"

/* The socket that was opened for us at this address, or -1. Each is given out once. */
int supervisor_socket(const struct address *a);

/* "READY=1", "STOPPING=1", "STATUS=...". */
void supervisor_tell(const char *what);

/* Every so many nanoseconds it wants to hear "WATCHDOG=1"; 0: never. */
int64_t supervisor_watchdog(void);

#endif
