/* SPDX-License-Identifier: Apache-2.0 */
/* registry.h - stable identities: which id and which counters a service, an instance or a version of a
 * journey has. The same thing gets the same ones in every later configuration, so a reload loses nothing
 * that was learned or counted. Identities are never reused while the process lives;
 * values of dimensions are (dimensions.h).
 * Owned by control. */
#ifndef EK_CONTROL_REGISTRY_H
#define EK_CONTROL_REGISTRY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/map.h"
#include "bus/config.h"
#include "bus/counters.h"
#include "control/dimensions.h"
#include "plane/http/slots.h"

struct registry {
    struct arena arena; /* keys */
    struct map ids;     /* key -> struct identity */
    struct slot_allocator slots;
    struct edge_slots edge;
    struct dimensions dimensions;
    uint32_t services;
    uint32_t instances;
    uint32_t journeys;
};

void registry_open(struct registry *r);
void registry_close(struct registry *r);

/* Fills in every id and slot of a configuration that is about to be published, and each journey's
 * rules. Fails, with nothing lost, when the counters are used up after very many reloads. */
err registry_assign(struct registry *r, struct config *c);

#endif
