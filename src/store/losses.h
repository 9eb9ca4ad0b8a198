/* SPDX-License-Identifier: Apache-2.0 */
/* losses.h - what an end without a farewell cost: a kill, a power cut, or a stop while the store took nothing. An epoch
 * that ended in order says so with its last batch (sample_batch.ends); of one that does not, the next start notes what is
 * lost, in its row. From `stored_ms` to `back_ms` nothing is measured: until `lived_ms` the process counted, and that is
 * lost; from then on there was nothing to count.
 * Next: control/life_sign.h, how it is known until when a process lived. */
#ifndef EK_STORE_LOSSES_H
#define EK_STORE_LOSSES_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

/* Unix milliseconds; stored_ms <= lived_ms <= back_ms. */
struct loss {
    int64_t stored_ms; /* all that was counted until then is stored */
    int64_t lived_ms;  /* the process ran until then, at most; 0: nobody knows */
    int64_t back_ms;   /* the next one began to count */
};

/* Before the next epoch begins: did the last one end without a farewell? *ret_stored: until when all is stored, unix seconds,
 * rounded down; 0: there was none. */
err loss_look(struct store *s, bool *ret_lost, int64_t *ret_stored);

/* What the last epoch cost. Before the next one begins. */
err loss_keep(struct store *s, const struct loss *loss);

enum { LOSSES_MAX = 32 }; /* as many are shown; each start is kept for ever */

/* Newest first. */
err losses_load(struct store *s, struct loss ret_list[LOSSES_MAX], size_t *ret_count);

#endif
