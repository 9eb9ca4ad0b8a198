/* SPDX-License-Identifier: Apache-2.0 */
/* privileges.h - what the process may do and how much. */
#ifndef EK_CONTROL_PRIVILEGES_H
#define EK_CONTROL_PRIVILEGES_H

#include "base/err.h"
#include "bus/config.h"

/* Raises the limit of open files as far as allowed. When that is too little for limits.connections, lowers
 * those and says so: two descriptors for each, and some for files and the admin address, which must
 * answer when all of them are taken. */
err raise_descriptors(struct config *c);

/* No core file: it would hold private keys, passwords and users' data. */
void forbid_core(void);

/* Becomes the configured user for good, with no more rights than it has. */
err become_user(struct span user);

#endif
