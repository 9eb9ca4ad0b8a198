/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.h - names of instances to addresses. Blocking: at start only; names are not looked up again
 * while the program runs in this version. */
#ifndef EK_CONTROL_RESOLVE_H
#define EK_CONTROL_RESOLVE_H

#include "base/err.h"
#include "bus/config.h"

/* Fills in the address of every instance that was given by name; the first address counts. */
err resolve_instances(struct config *c);

#endif
