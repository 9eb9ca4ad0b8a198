/* SPDX-License-Identifier: Apache-2.0 */
/* init_parts.h - what init_write.c and init_journeys.c share. */
#ifndef EK_CLI_INIT_PARTS_H
#define EK_CLI_INIT_PARTS_H

#include "cli/init_write.h"

/* A value of YAML, in quotes when it needs them. Without control characters. */
void put_quoted(struct str *out, struct span s);

/* As the configuration has it: 300ms, 1.5s. */
void put_duration(struct str *out, ns_t t);

/* The section `journeys`, with what was observed of each. */
void put_journeys(const struct observed *o, struct str *out);

#endif
