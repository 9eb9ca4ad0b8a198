/* SPDX-License-Identifier: Apache-2.0 */
/* unclaimed.h - the paths that no journey takes, since the start, and the journeys that they suggest.
 * Always: memory is fixed (core/path_groups.h); what found no room, in a ring or here, is counted, so that a group's count
 * is too small by at most that much. Owned by control.
 * Next: api_unclaimed.c, which shows it. */
#ifndef EK_CONTROL_UNCLAIMED_H
#define EK_CONTROL_UNCLAIMED_H

#include "bus/config.h"
#include "bus/path_ring.h"
#include "core/path_groups.h"

struct unclaimed {
    struct path_ring rings[WORKERS_MAX]; /* one per worker, in their order */
    size_t ring_count;
    struct path_groups *groups; /* some 13 MiB of address space, touched as far as it is used */
};

void unclaimed_open(struct unclaimed *u, size_t workers);
void unclaimed_close(struct unclaimed *u);

/* Takes what the rings hold: each second, and before anybody is told. */
void unclaimed_drain(struct unclaimed *u);

/* Requests that found no room in a ring. */
uint64_t unclaimed_lost(const struct unclaimed *u);

/* A copy that may be finished (path_groups_finish()); the caller frees it. */
struct path_groups *unclaimed_copy(const struct unclaimed *u);

#endif
