/* SPDX-License-Identifier: Apache-2.0 */
/* retention.h - what is kept how long, and forgetting the rest in small steps.
 * Samples that are too old for minutes are thinned to the last of each hour. Of those too old for
 * hours the last one stays: a journey that rests for years still has its counts. The state of an
 * instance that was not seen for long goes; changes (changes.h) are not looked at. */
#ifndef EK_STORE_RETENTION_H
#define EK_STORE_RETENTION_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct store;

#define DAY_S INT64_C(86400)

enum {
    KEEP_MINUTES_DAYS = 35,
    KEEP_HOURS_DAYS = 400,
    KEEP_HISTOGRAMS_DAYS = 35,
    KEEP_INSTANCE_STATES_DAYS = 35, /* after it was last seen */
    KEEP_DEEDS_DAYS = 400,          /* thirteen months: the same month of the last year too */
    RETENTION_ROWS_MAX = 2000,      /* in one step: some 6 ms, so samples never wait for long */
};

/* One step, one transaction: forgets states of instances and deeds, then goes on with the versions where the
 * last one stopped. *ret_more is false once a whole round over all versions found nothing to do. A
 * step a minute keeps up with 1,000 journeys that change in every minute. `now` should come from a
 * clock that can be believed: what is older than the above is gone for good. */
err retention_step(struct store *s, int64_t now, bool *ret_more);

#endif
