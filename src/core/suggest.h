/* SPDX-License-Identifier: Apache-2.0 */
/* suggest.h - what a person who knows the app would write down first: which of its paths are journeys, and
 * which targets it keeps today. Suggestions, to be read and corrected.
 * Pure. Next: path_groups.h, where the groups come from. */
#ifndef EK_CORE_SUGGEST_H
#define EK_CORE_SUGGEST_H

#include "core/path_groups.h"

enum {
    SUGGEST_JOURNEYS_MAX = 10, /* more than a person keeps in mind */
    SUGGEST_ROUTES_MAX = 24,   /* of one journey */
    SUGGEST_NAME_MAX = 32,
};

struct suggested_journey {
    char name[SUGGEST_NAME_MAX + 1];
    bool must_have;
    const struct path_group *routes[SUGGEST_ROUTES_MAX];
    size_t route_count;
    uint64_t requests; /* what was observed of these routes */
    uint64_t failed;
    uint64_t excluded;
    uint64_t timed;
    uint64_t bins[HISTOGRAM_BINS];
};

/* Groups as path_groups_finish() lists them. Returns how many journeys were made, those first whose routes
 * must be looked at first. */
size_t suggest_journeys(const struct path_group *groups, size_t count,
                        struct suggested_journey ret_journeys[SUGGEST_JOURNEYS_MAX]);

/* The highest round target that so many requests with so many failures have kept, and of which they could
 * have shown the contrary: 99.99, 99.95, 99.9, 99.5, 99, 98 or 95 %. Text for a file; *ret_target as
 * slo_target() has it. *ret_kept: false when even the lowest was missed. */
const char *suggest_target(uint64_t judged, uint64_t failed, uint32_t *ret_target, bool *ret_kept);

/* A threshold with head room above an observed latency, at least 10 ms, that a person would write: 1, 1.2,
 * 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten. An edge of the histogram; at most 1000 s. */
ns_t suggest_under(ns_t observed);

#endif
