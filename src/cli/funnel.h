/* SPDX-License-Identifier: Apache-2.0 */
/* funnel.h - how far users came through the steps of a journey, in a line for people. */
#ifndef EK_CLI_FUNNEL_H
#define EK_CLI_FUNNEL_H

#include "base/str.h"

#include <jansson.h>

/* "GET /cart 120 > POST /checkout 60 (50.0%); 12 under way, 8 failed, 40 abandoned, 0 lost" of a journey of the API's; nothing
 * when it has no steps. */
void funnel_put(const json_t *journey, struct str *out);

#endif
