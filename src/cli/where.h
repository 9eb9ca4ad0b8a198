/* SPDX-License-Identifier: Apache-2.0 */
/* where.h - where a journey fails, for people: the worst values of each dimension. */
#ifndef EK_CLI_WHERE_H
#define EK_CLI_WHERE_H

#include "base/str.h"

#include <jansson.h>

/* A table of the API's answer (/api/v1/journeys/NAME/dimensions); nothing when nothing was bad. */
void where_put(const json_t *dimensions, struct str *out);

#endif
