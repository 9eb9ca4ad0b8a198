/* SPDX-License-Identifier: Apache-2.0 */
/* renewal.h - a store whose file was deleted, replaced or damaged while we run is opened anew and told what the book knows.
 * Control decides, the scribe does it, nobody waits. While it is under way the scribe gets nothing else. */
#ifndef EK_CONTROL_RENEWAL_H
#define EK_CONTROL_RENEWAL_H

#include "base/clock.h"
#include "base/err.h"

#include <stdbool.h>

struct control;

struct renewal {
    bool out;   /* under way */
    ns_t again; /* after a failure: not before */
    err failed; /* why the last try did not work */
};

/* About each second: begins one when the last job found the file gone or damaged. */
void renewal_tick(struct control *c);

#endif
