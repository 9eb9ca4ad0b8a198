/* SPDX-License-Identifier: Apache-2.0 */
/* losses.h - what ends without a farewell cost, in words: for `status` and `slo`. */
#ifndef EK_CLI_LOSSES_H
#define EK_CLI_LOSSES_H

#include "base/str.h"

#include <jansson.h>

/* One of the field `losses`: a sentence. */
void loss_put(const json_t *loss, struct str *out);

/* All of a history: a line, or nothing when there are none. */
void losses_put(const json_t *losses, struct str *out);

#endif
