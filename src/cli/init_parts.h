/* SPDX-License-Identifier: Apache-2.0 */
/* init_parts.h - what init_write.c, init_journeys.c and init_json.c share. */
#ifndef EK_CLI_INIT_PARTS_H
#define EK_CLI_INIT_PARTS_H

#include "cli/init_write.h"

enum { EVIDENCE_REQUESTS = 1000, EVIDENCE_S = 86400 }; /* fewer, or less than a day, show little */

/* The section `journeys`, with what was observed of each. */
void put_journeys(const struct observed *o, struct str *out);

#endif
